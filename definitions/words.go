package definitions

import "fmt"

// words is a text for the author in both languages: an English format, whose Chinese stands in the table chinese, and what it
// names. An argument that is words itself is put in in the same language. The zero value is no text.
type words struct {
	format string
	args   []any
}

func say(format string, args ...any) words { return words{format, args} }

// english writes the text in English.
func (w words) english() string { return w.write(w.format, words.english) }

// chinese writes the text in Chinese; what has no Chinese stays English.
func (w words) chinese() string {
	if format, ok := chinese[w.format]; ok {
		return w.write(format, words.chinese)
	}
	return w.write(w.format, words.chinese)
}

func (w words) write(format string, in func(words) string) string {
	if len(w.args) == 0 && format == w.format && format == "" {
		return ""
	}
	args := make([]any, len(w.args))
	for i, a := range w.args {
		if inner, ok := a.(words); ok {
			a = in(inner)
		}
		args[i] = a
	}
	return fmt.Sprintf(format, args...)
}

// also joins two texts.
func (w words) also(more words) words { return say("%s; %s", w, more) }

// says gives a problem its message and hint in both languages.
func (p Problem) says(message, hint words) Problem {
	p.Message, p.MessageZh = message.english(), message.chinese()
	p.Hint, p.HintZh = hint.english(), hint.chinese()
	return p
}
