package expr

import (
	"errors"
	"fmt"
)

// words are a text for the reader: its English format, by which chinese knows the Chinese one, and what it names. What is named may
// be words again. Both languages are written from the same values.
type words struct {
	format string
	args   []any
}

func say(format string, args ...any) words { return words{format, args} }

// none tells that there is nothing to say.
func (w words) none() bool { return w.format == "" }

func (w words) english() string { return w.write(w.format, words.english) }

// chinese writes the text in Chinese; what has no Chinese stays English.
func (w words) chinese() string {
	if format, ok := chinese[w.format]; ok {
		return w.write(format, words.chinese)
	}
	return w.write(w.format, words.chinese)
}

func (w words) write(format string, in func(words) string) string {
	if format == "" {
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

// wordsOf returns what an error of this package says.
func wordsOf(err error) words {
	var e *evalError
	if errors.As(err, &e) {
		return e.words
	}
	return say("%s", err.Error())
}

// problem makes a Problem in both languages.
func problem(start, end int, code string, message, hint words) Problem {
	return Problem{Code: code, Start: start, End: end, Message: message.english(), Hint: hint.english(), MessageZh: message.chinese(), HintZh: hint.chinese()}
}

// warning makes a Problem that does not keep the expression from being compiled.
func warning(start, end int, code string, message, hint words) Problem {
	p := problem(start, end, code, message, hint)
	p.Warning = true
	return p
}

// plural says 1 item, 2 items. The word is one of those in plurals.
func plural(n int, word string) words {
	if n == 1 {
		return say(plurals[word][0])
	}
	return say(plurals[word][1], n)
}

var plurals = map[string][2]string{
	"item": {"1 item", "%d items"}, "key": {"1 key", "%d keys"}, "character": {"1 character", "%d characters"}, "argument": {"1 argument", "%d arguments"},
}
