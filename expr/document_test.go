package expr

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the generated parts of docs/language.md and docs/language.zh.md")

const (
	generatedBegin = "<!-- generated from the registry by: go test ./expr -run TestLanguageDocument -update -->"
	generatedEnd   = "<!-- end of the generated part -->"
)

// group is a part of the document: the entries of one namespace.
type group struct {
	title, titleZh string
	holds          func(f *Function) bool
}

func plain(ctx contextSet) func(f *Function) bool {
	return func(f *Function) bool { return f.Namespace == "" && f.contexts == ctx }
}

func inSpace(names ...string) func(f *Function) bool {
	return func(f *Function) bool {
		for _, n := range names {
			if f.Namespace == n && !f.Method {
				return true
			}
		}
		return false
	}
}

func methodsOf(names ...string) func(f *Function) bool {
	return func(f *Function) bool {
		for _, n := range names {
			if f.Namespace == n && f.Method {
				return true
			}
		}
		return false
	}
}

var groups = []group{
	{"Everywhere", "任何地方", plain(inAll)},
	{"Lists: list.*", "列表：list.*", inSpace("list")},
	{"Maps and counters: map.*, counter.*", "映射与计数器：map.*、counter.*", inSpace("map", "counter")},
	{"Regular expressions: regex.*", "正则表达式：regex.*", inSpace("regex")},
	{"Mathematics: math.*", "数学：math.*", inSpace("math")},
	{"Of the event", "事件", func(f *Function) bool { return plain(inEvent)(f) || inSpace("event")(f) }},
	{"Of the config", "配置", func(f *Function) bool { return plain(inConfig)(f) || inSpace("config")(f) }},
	{"Of the thread", "线程", func(f *Function) bool {
		return plain(inThread)(f) || inSpace("thread", "activityThread", "activity", "definition")(f)
	}},
	{"Of the activity at a birth", "触发器里的活动", func(f *Function) bool { return plain(inBirth)(f) || inSpace("ACTIVITY", "DEFINITION")(f) }},
	{"Of a result", "结果", func(f *Function) bool { return plain(inResult)(f) || inSpace("result")(f) }},
	{"Methods of texts", "文本的方法", methodsOf("string")},
	{"Methods of lists and maps", "列表与映射的方法", methodsOf("list", "map")},
	{"Methods of numbers and Booleans", "数与布尔值的方法", methodsOf("number", "bool")},
	{"Methods of dates", "日期的方法", methodsOf("dateTime", "localDate", "localTime")},
}

func where(f *Function) string {
	var names []string
	for _, c := range f.Contexts {
		names = append(names, c.String())
	}
	return strings.Join(names, ", ")
}

func escaped2(s string) string {
	return strings.NewReplacer("|", "\\|", "\n", "⏎", "<", "&lt;").Replace(s)
}

// document writes the function part in one language.
func document(t *testing.T, zh bool) string {
	var b strings.Builder
	seen := map[*Function]bool{}
	for _, g := range groups {
		title, head := g.title, "| form | what | example |\n|---|---|---|\n"
		if zh {
			title, head = g.titleZh, "| 形式 | 说明 | 示例 |\n|---|---|---|\n"
		}
		fmt.Fprintf(&b, "\n### %s\n\n", title)
		first := true
		for _, f := range Functions() {
			if !g.holds(f) {
				continue
			}
			if first {
				if f.contexts != inAll {
					fmt.Fprintf(&b, "%s\n\n", map[bool]string{false: "Can be used in: " + where(f) + ".", true: "可用于：" + where(f) + "。"}[zh])
				}
				b.WriteString(head)
				first = false
			}
			seen[f] = true
			var forms []string
			for _, sig := range f.Signatures {
				forms = append(forms, "`"+strings.ReplaceAll(sig.Text, "|", "\\|")+"`")
			}
			doc := f.Doc
			if zh {
				doc = f.DocZh
			}
			fmt.Fprintf(&b, "| %s | %s | `%s` → `%s` |\n", strings.Join(forms, "<br>"), escaped2(doc), strings.ReplaceAll(f.Example, "|", "\\|"), strings.NewReplacer("|", "\\|", "\n", "⏎").Replace(f.ExampleResult()))
		}
	}
	for _, f := range Functions() {
		if !seen[f] {
			t.Errorf("%s: expected a group of the document to hold it", f.QualifiedName())
		}
	}
	return b.String()
}

// TestLanguageDocument holds the function part of the documents to the registry; -update writes it. The results of the examples come
// from running them.
func TestLanguageDocument(t *testing.T) {
	for name, zh := range map[string]bool{"../docs/language.md": false, "../docs/language.zh.md": true} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		before, rest, ok1 := strings.Cut(string(data), generatedBegin+"\n")
		_, after, ok2 := strings.Cut(rest, generatedEnd)
		if !ok1 || !ok2 {
			t.Fatalf("%s: expected the marks %q and %q", name, generatedBegin, generatedEnd)
		}
		want := before + generatedBegin + "\n" + document(t, zh) + "\n" + generatedEnd + after
		switch {
		case want == string(data):
		case *update:
			if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		default:
			t.Errorf("%s: expected the functions of the registry; run: go test ./expr -run TestLanguageDocument -update", name)
		}
	}
}
