package expr

import (
	"reflect"
	"strings"
	"testing"
)

func parsed(src string) *node {
	var probs []Problem
	return parseSource(src, []rune(src), &probs)
}

// shape is the tree without the places in the text.
func shape(n *node) any {
	kids := make([]any, len(n.kids))
	for i, k := range n.kids {
		kids[i] = shape(k)
	}
	return []any{n.kind, n.paren, n.raw, n.text, n.val, kids}
}

func checkPrinted(t *testing.T, src string) {
	t.Helper()
	tree := parsed(src)
	if tree == nil {
		return
	}
	text := printTree(tree)
	again := parsed(text)
	if again == nil {
		t.Fatalf("%q: expected its print to parse, got %q", src, text)
	}
	if !reflect.DeepEqual(shape(tree), shape(again)) {
		t.Fatalf("%q: expected its print to mean the same, got %q", src, text)
	}
	if second := printTree(again); second != text {
		t.Fatalf("%q: expected its print to stay, got %q and %q", src, text, second)
	}
}

func TestFormat(t *testing.T) {
	for src, want := range map[string]string{
		`a  and !( b eq 'x' )||c`: `a AND NOT (b == "x") OR c`, `1+2 *3 DIV 4`: `1 + 2 * 3 / 4`, `- -3`: `- -3`, `-(-3)`: `-(-3)`, `0x1F + 1e3 + 2.5F + 7L`: `31 + 1000.0 + 2.5f + 7`,
		`'it''s' + "a""b" + 'say "hi"'`: `"it's" + 'a"b' + 'say "hi"'`, `{a:1,'b':{ 2,3 }}[a]`: `{a: 1, "b": {2, 3}}[a]`, `{ : }`: `{:}`, `l.![ #this.x ].?[ k>1 ].^[true].$[ false ]`: `l.![#this.x].?[k > 1].^[true].$[false]`,
		`a?.b( 1 )?.c.d`: `a?.b(1)?.c.d`, `x?1:y?:2`: `x ? 1 : y ?: 2`, `Hello ${ str( "a" ) }, ${x}!`: `Hello ${str("a")}, ${x}!`, `${ 1+1 }`: `1 + 1`, `${"${"}`: `${"${"}`,
		`-9223372036854775808`: `-9223372036854775808`, `1e400`: `1e999`, `var( "中文" ) matches "x"`: `var("中文") matches "x"`, `TRUE AND Null == null`: `true AND null == null`,
		`5.toString()`: `5.toString()`, `2.0.toString()`: `2.0.toString()`, `(a).b`: `(a).b`, `m[(k)]`: `m[(k)]`, `{null:1}`: `{"null": 1}`,
	} {
		if got, ok := Format(src); !ok || got != want {
			t.Errorf("%s: expected %s, got %s, %v", src, want, got, ok)
		}
		checkPrinted(t, src)
	}
	if text, ok := Format("1 +"); ok {
		t.Errorf("expected no form of a source that does not parse, got %s", text)
	}
	for _, file := range []string{"vectors-1.txt", "vectors-2.txt"} {
		for _, v := range readVectors(t, file) {
			checkPrinted(t, v.src)
		}
	}
}

// FuzzPrint: what is printed is parsed to the same tree, and printing it again changes nothing.
func FuzzPrint(f *testing.F) {
	for _, fn := range Functions() {
		f.Add(fn.Example)
	}
	for _, src := range []string{`a${1}b${"}"}`, `{1,{a:2}}.![#this?.a ?: 1]`, `NOT (1 == 2)`, `-9223372036854775808.abs()`, `'"' + "'" + "''"`, `{:}[null] ? - +1 : !x`, `$("a")`, `a.$[b].^[c]`, `1e400f`, `x${"${"}`} {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		src = strings.ToValidUTF8(src, "?")
		if len(src) <= MaxSourceBytes {
			checkPrinted(t, src)
		}
	})
}
