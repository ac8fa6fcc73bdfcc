package messagebus

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// inPieces decodes lines as a reader of a stream does: what comes is put behind what was left over.
func inPieces(body string, piece int, l Limits) (Body, Place, error) {
	var all Body
	var at Place
	var rest []byte
	for first := 0; ; first += piece {
		last := first+piece >= len(body)
		rest = append(rest[:len(rest):len(rest)], body[min(first, len(body)):min(first+piece, len(body))]...)
		for {
			b, n, err := DecodeLines(rest, &at, last, now, l)
			if err != nil {
				return all, at, err
			}
			all.Items, all.Raws, all.HeapBytes = append(all.Items, b.Items...), append(all.Raws, b.Raws...), append(all.HeapBytes, b.HeapBytes...)
			if rest = rest[n:]; n == 0 || len(rest) == 0 {
				break
			}
		}
		if last {
			return all, at, nil
		}
	}
}

// TestDecodeLinesAsArray: lines give what an array of the same messages gives, however they are cut.
func TestDecodeLinesAsArray(t *testing.T) {
	var lines, objects []string
	for i := range 40 {
		object := fmt.Sprintf(`{"type":"a","id":"e%d","attr":{"n":%d,"text":"x\ny","list":[1,2.50,{"k":null}]},"time":1561269531131}`, i, i)
		objects = append(objects, object)
		lines = append(lines, object)
		if i%7 == 0 {
			lines = append(lines, "", " \t\r")
		}
	}
	want, err := Decode([]byte("["+strings.Join(objects, ",")+"]"), now, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, end := range []string{"", "\n", "\r\n", "\n\n  "} {
		body := strings.Join(lines, "\n") + end
		for _, piece := range []int{1, 2, 3, 17, 100, 1000, len(body), len(body) + 1} {
			for _, most := range []int{0, 1, 3} {
				got, at, err := inPieces(body, piece, Limits{MaxMessages: most})
				if err != nil {
					t.Fatalf("pieces of %d: %v", piece, err)
				}
				if !reflect.DeepEqual(got.Items, want.Items) || !reflect.DeepEqual(got.Raws, want.Raws) || !reflect.DeepEqual(got.HeapBytes, want.HeapBytes) {
					t.Fatalf("pieces of %d: expected what the array gives, got %d items", piece, len(got.Items))
				}
				if w := (Place{Messages: 40, Lines: strings.Count(body, "\n"), Bytes: len(body)}); at != w {
					t.Fatalf("pieces of %d: expected to stand at %+v, got %+v", piece, w, at)
				}
			}
		}
	}
}

func TestDecodeLinesRefuses(t *testing.T) {
	good := "{\"type\":\"a\"}\n\n{\"type\":\"b\"}\n"
	large := `{"type":"a","attr":{"k":"` + strings.Repeat("x", 300<<10) + `"}}`
	for _, c := range []struct {
		line, part string
		large      bool
	}{
		{`[{"type":"a"}]`, "post an array as application/json", false}, {`x`, "a message object on each line", false}, {`"a"`, "a message object on each line", false},
		{"{\"type\":\n\"a\"}", "each message on one line", false}, {`{"type":"a"`, "ends too early", false}, {`{"type":"a"} {"type":"b"}`, "text after the end", false},
		{`{"type":"a"},`, "text after the end", false}, {`{"attr":{}}`, `"type" is missing`, false}, {"{\"type\":\"\xff\"}", "invalid UTF-8", false},
		{`{"type":"a","x":1,"x":2}`, "twice", false}, {large, "larger than 262144 bytes", true}, {strings.Repeat(" ", 300<<10) + "x", "a message object on each line", false},
	} {
		for _, after := range []string{"", "\n", "\n{\"type\":\"c\"}\n"} {
			for _, piece := range []int{1 << 30, 4096, 11} {
				if piece == 11 && len(c.line) > 1000 {
					continue
				}
				body, _, err := inPieces(good+c.line+after, piece, Limits{})
				var d *DecodeError
				if !errors.As(err, &d) {
					t.Errorf("%.60q: expected a *DecodeError, got %v", c.line, err)
					continue
				}
				if !strings.Contains(d.Message, c.part) || !strings.HasPrefix(d.Message, "line 4 (message 2, byte ") || d.Line != 4 || d.Index != 2 || d.Single || d.TooLarge != c.large {
					t.Errorf("%.60q: expected line 4, message 2 and %q, got %+v", c.line, c.part, d)
				}
				if piece == 1<<30 && len(body.Items) != 0 {
					t.Errorf("%.60q: expected nothing beside the error, got %d items", c.line, len(body.Items))
				}
			}
		}
	}
	body := "\n" + `{"type":"a","attr":{"x":?}}`
	_, _, err := DecodeLines([]byte(body), &Place{Messages: 10, Lines: 20, Bytes: 1000}, true, now, Limits{})
	var d *DecodeError
	if at := 1000 + strings.IndexByte(body, '?'); !errors.As(err, &d) || d.Offset != at || d.Line != 22 || d.Index != 10 {
		t.Errorf("expected byte %d, line 22, message 10, got %+v", at, d)
	}
}

// TestDecodeLinesBoundsMemory: a call reads as many lines as memory is given for, and only a line that takes too much by itself is an error.
func TestDecodeLinesBoundsMemory(t *testing.T) {
	line := `{"type":"a","attr":{"b":[` + strings.Repeat(`{"a":{}},`, 100) + "1]}}\n"
	one, _, err := DecodeLines([]byte(line), &Place{}, true, now, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	takes := one.HeapBytes[0] + len(line)
	for _, l := range []Limits{{MaxHeapBytes: 3 * takes}, {PartBytes: 3 * takes}, {MaxHeapBytes: 3 * takes, PartBytes: 1000 * takes}} {
		var at Place
		rest := []byte(strings.Repeat(line, 10))
		for calls := 0; len(rest) > 0; calls++ {
			b, n, err := DecodeLines(rest, &at, true, now, l)
			if err != nil || len(b.Items) > 3 || len(b.Items) == 0 || len(b.Raws) != len(b.Items) || len(b.HeapBytes) != len(b.Items) || calls == 5 {
				t.Fatalf("%+v: expected at most five calls of one to three messages, call %d gave %d, %v", l, calls, len(b.Items), err)
			}
			rest = rest[n:]
		}
		if at.Messages != 10 || at.Lines != 10 || at.Bytes != 10*len(line) {
			t.Errorf("%+v: expected to stand behind 10 messages, 10 lines and %d bytes, got %+v", l, 10*len(line), at)
		}
	}
	var d *DecodeError
	_, n, err := DecodeLines([]byte(strings.Repeat(line, 2)), &Place{}, true, now, Limits{MaxHeapBytes: takes / 4})
	if !errors.As(err, &d) || !d.TooLarge || !strings.Contains(d.Message, "memory") || n != 0 {
		t.Errorf("expected the first line to take too much memory, got %v after %d bytes", err, n)
	}
}

func FuzzDecodeLines(f *testing.F) {
	f.Add("{\"type\":\"a\"}\n\n{\"type\":\"b\",\"attr\":{\"x\":[1,2]}}", 5)
	f.Add("{\"type\":\n\"a\"}", 1)
	f.Fuzz(func(t *testing.T, body string, piece int) {
		if len(body) > 10_000 {
			return
		}
		whole, wholeAt, wholeErr := inPieces(body, len(body)+1, Limits{})
		cut, cutAt, cutErr := inPieces(body, 1+(piece&0xffff)%(len(body)+1), Limits{})
		if fmt.Sprint(wholeErr) != fmt.Sprint(cutErr) {
			t.Fatalf("whole: %v, cut: %v", wholeErr, cutErr)
		}
		if wholeErr == nil && (wholeAt != cutAt || len(whole.Items) != len(cut.Items) || !reflect.DeepEqual(whole.Raws, cut.Raws)) {
			t.Fatalf("whole: %d messages at %+v, cut: %d at %+v", len(whole.Items), wholeAt, len(cut.Items), cutAt)
		}
	})
}
