package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// vectorContexts are the contexts of the recorded results, as their header defines them.
func vectorContexts() map[string]string {
	const event = `"i":5,"s":"abc","n":null,"d":{"$type":"double","value":"2.5"},"uid":"10001","l":[1,2,3],"m":{"k":7}`
	const event2 = `{"type":"t1","attr":{` + event + `,"L":{"$type":"long","value":"5"},"neg":-7,"t":true,"e":"","dec":2.5,"big":2147483648,"cn":"中文","el":[],"f":{"$type":"float","value":2.5}}}`
	const config = `"config":{"limit":10,"rate":{"$type":"double","value":"0.5"},"title":"hello","on":true,"words":["x","y"],"sub":{"k":1},"nul":null}`
	const vars = `"vars":{"a":1,"name":"Sam","nul":null,"list":[3,1,2],"m":{"k":7,"name":"Tom"},"num":"42","flag":"true","dbl":{"$type":"double","value":"2.9"},"big":4294967301,` +
		`"ml":[{"k":7,"name":"Tom"}],"strs":["1","2"]}`
	const rest = `"activity":{"id":1,"name":"act_a","display_name":"Act A","status":"common"},"definition":{"name":"def_a","display_name":"Def A","description":"a definition","version":"1"},` +
		`"thread":{"domain_id":"10001","status":"running","current_action":"first"}`
	schedule := func(result string) string {
		return `{` + config + `,` + vars + `,` + rest + `,"result":` + result + `}`
	}
	return map[string]string{
		"strategy":  `{"event":{"type":"t1","attr":{` + event + `}}}`,
		"strategy2": `{"event":` + event2 + `}`,
		"json": `{"event":{"type":"t1","attr":{"i":5,"s":"abc","n":null,"d":2.5,"uid":"10001","l":[1,2,3],"m":{"k":7},"price":19.90,"one":1.0,"big":2147483648,"huge":9223372036854775808,` +
			`"mix":[1,2.5],"prices":[2.5,1.50],"items":[{"sku":"a","qty":2,"price":1.25},{"sku":"b","qty":1,"price":3}],"t":true,"cn":"中文","e":""}}}`,
		"trigger":          `{"event":` + event2 + `,` + config + `,"activity":{"id":1,"display_name":"Act A","status":"common"},"definition":{"name":"def_a","display_name":"Def A","description":"a definition"}}`,
		"action":           `{"event":` + event2 + `,` + config + `,` + vars + `,` + rest + `}`,
		"action-noevent":   `{` + config + `,` + vars + `,` + rest + `}`,
		"schedule":         schedule(`{"status":"ok","data":{"x":1,"s":"ok!","nul":null,"cnt":"12"}}`),
		"schedule-fail":    schedule(`{"status":"fail","error_code":"ERR1","message":"it broke"}`),
		"schedule-timeout": schedule(`{"status":"timeout"}`),
	}
}

// recorded is one line of the vectors.
type recorded struct{ context, src, value, class, decision string }

func recordedLines(t *testing.T) []recorded {
	t.Helper()
	var out []recorded
	for _, name := range []string{"vectors-1.txt", "vectors-2.txt"} {
		data, err := os.ReadFile(filepath.Join("..", "..", "expr", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		context := "strategy"
		for line := range strings.Lines(string(data)) {
			line = strings.TrimRight(line, "\n")
			if c, ok := strings.CutPrefix(line, "# context: "); ok {
				context = strings.TrimSpace(c)
			}
			src, rest, ok := strings.Cut(line, "   =>   ")
			if !ok || strings.HasPrefix(line, "# ") {
				continue
			}
			r := recorded{context: context, src: src}
			rest, r.decision, _ = strings.Cut(rest, "   ## ")
			_, r.decision, _ = strings.Cut(r.decision, ": ")
			switch i := strings.LastIndex(rest, "  ("); {
			case strings.HasPrefix(rest, "!!"):
				if r.decision == "" {
					r.decision = "error"
				}
			case i >= 0:
				r.value, r.class = rest[:i], strings.TrimSuffix(rest[i+3:], ")")
			default:
				r.value, r.class = strings.TrimSpace(rest), "null"
			}
			out = append(out, r)
		}
	}
	return out
}

// jsonTypes are the types of a batch by the original's classes.
var jsonTypes = map[string]string{
	"Integer": "int", "Long": "int", "Double": "float", "Float": "float", "BigDecimal": "decimal", "BigInteger": "decimal", "Boolean": "bool", "String": "string", "Character": "string",
	"null": "null", "KeySet": "list", "EntrySet": "list", "UnmodifiableSet": "list", "String[]": "list", "JSONArray": "list", "JSONObject": "map",
}

func jsonType(class string) string {
	switch {
	case jsonTypes[class] != "":
		return jsonTypes[class]
	case strings.HasSuffix(class, "List"):
		return "list"
	case strings.HasSuffix(class, "Map"):
		return "map"
	}
	return class
}

// loose is a text of lists and maps without regard to order and JSON's signs.
func loose(s string) string {
	parts := strings.FieldsFunc(strings.NewReplacer(`"`, "", ":", "=").Replace(s), func(r rune) bool { return strings.ContainsRune("{}[], ", r) })
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

type batchAnswer struct {
	Value  json.RawMessage
	Type   string
	Text   string
	Error  string
	Column int
}

func runBatch(t *testing.T, in string) ([]batchAnswer, error) {
	t.Helper()
	var out bytes.Buffer
	failed := evalBatch(strings.NewReader(in), &out)
	var answers []batchAnswer
	for line := range strings.Lines(out.String()) {
		var a batchAnswer
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatalf("expected a line of JSON, got %.200s: %v", line, err)
		}
		answers = append(answers, a)
	}
	return answers, failed
}

// TestBatchAnswersTheVectors runs every recorded result of the original through the command as a program would.
func TestBatchAnswersTheVectors(t *testing.T) {
	lines := recordedLines(t)
	if len(lines) < 1500 {
		t.Fatalf("expected at least 1500 vectors, read %d", len(lines))
	}
	contexts := vectorContexts()
	var in bytes.Buffer
	for _, r := range lines {
		src, err := json.Marshal(r.src)
		if err != nil {
			t.Fatal(err)
		}
		in.WriteString(`{"expr":` + string(src) + `,"context":` + contexts[r.context] + "}\n")
	}
	answers, err := runBatch(t, in.String())
	if err != nil || len(answers) != len(lines) {
		t.Fatalf("expected %d answers and no error, got %d and %v", len(lines), len(answers), err)
	}
	for i, r := range lines {
		got := answers[i]
		want, typ := r.value, jsonType(r.class)
		switch {
		case r.decision == "any":
			continue
		case r.decision == "error":
			if got.Error == "" || got.Column < 1 || got.Column > len(r.src)+1 {
				t.Errorf("[%s] %s: expected an error with a column inside of the text, got %+v", r.context, r.src, got)
			}
			continue
		case r.decision != "":
			want, typ = strings.Trim(r.decision, `"`), ""
		}
		same := got.Text == want || strings.ContainsAny(want, "{[") && loose(got.Text) == loose(want)
		have := got.Type
		if have == "control" {
			have = "string"
		}
		if !same || typ != "" && typ != have {
			t.Errorf("[%s] %s: expected %s (%s), got %+v", r.context, r.src, want, typ, got)
		}
		if got.Value == nil {
			t.Errorf("[%s] %s: expected a value, got none", r.context, r.src)
		}
	}
}

func TestBatchAnswersEveryLineInOrder(t *testing.T) {
	long := strings.Repeat("1+", 200_000) + "1"
	in := "\xef\xbb\xbf" + `{"expr":"1"}` + "\r\n\n" + `{"expr":` + "\n" + `{"context":{}}` + "\n" + `{"expr":"` + long + `"}` + "\n" +
		`{"expr":"var(\"a\") + config(\"b\")","context":{"vars":{"a":1},"config":{"b":2}}}` + "\n" + `{"expr":"1","context":{"vars":[1]}}` + "\n" +
		`{"expr":"1","context":{"nope":{}}}` + "\n" + `{"expr":"eventAttr(\"x\")","context":{"event":{"x":{"$type":"byte","value":1}}}}` + "\n" +
		`{"expr":"1 ++ nope","context":null}` + "\n" + `{"expr":"eventAttr(\"x\") + eventType()","context":{"event":{"x":"流"}}}`
	answers, err := runBatch(t, in)
	want := []struct {
		text, err string
		column    int
	}{{"1", "", 0}, {"", "the line is blank", 1}, {"", "no request", 1}, {"", `"expr"`, 1}, {"", "longer than 16 KiB", 1}, {"3", "", 0}, {"", "vars: a JSON object", 1}, {"", `no "nope"`, 1}, {"", "$type", 1},
		{"", "++ is not part", 3}, {"流", "", 0}}
	if len(answers) != len(want) {
		t.Fatalf("expected %d answers, got %d: %+v", len(want), len(answers), answers)
	}
	for i, w := range want {
		if a := answers[i]; a.Text != w.text || !strings.Contains(a.Error, w.err) || (a.Error == "") != (w.err == "") || a.Column != w.column {
			t.Errorf("line %d: expected %+v, got %+v", i+1, w, a)
		}
	}
	var f *failure
	if !asFailure(err, &f) || f.code != exitPartly || !strings.HasPrefix(f.text, "5 of the lines") {
		t.Errorf("expected exit code %d for 5 lines that are no request, got %v", exitPartly, err)
	}
}

func asFailure(err error, to **failure) bool {
	f, ok := err.(*failure)
	*to = f
	return ok
}

func TestBatchFlushesEachAnswer(t *testing.T) {
	in, feed := io.Pipe()
	answers, out := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- evalBatch(in, out)
		out.Close()
	}()
	buf := make([]byte, 200)
	for range 3 { // each answer is there before the next question
		if _, err := io.WriteString(feed, `{"expr":"1 + 1"}`+"\n"); err != nil {
			t.Fatal(err)
		}
		n, err := answers.Read(buf)
		if want := `{"value":2,"type":"int","text":"2"}` + "\n"; err != nil || string(buf[:n]) != want {
			t.Fatalf("expected %q, got %q, %v", want, buf[:n], err)
		}
	}
	feed.Close()
	if err := <-done; err != nil {
		t.Errorf("expected no error at the end of the input, got %v", err)
	}
}

func runExpr(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), append([]string{"expr"}, args...), &out, &errs)
	return code, out.String(), errs.String()
}

func TestExprEval(t *testing.T) {
	for _, c := range []struct {
		args         []string
		code         int
		stdout, errs string
	}{
		{[]string{"eval", `1 + 2`, "-o", "table"}, exitOK, "3  (int)\n", ""},
		{[]string{"eval", `eventAttr("p") / 2`, "--event", `{"p":2.5}`}, exitOK, `{"value":1.25,"type":"decimal","text":"1.25"}` + "\n", ""},
		{[]string{"eval", `var("a") + config("b")`, "--vars", `{"a":{"$type":"double","value":"1"}}`, "--config", `{"b":2}`}, exitOK, `{"value":3.0,"type":"float","text":"3.0"}` + "\n", ""},
		{[]string{"eval", `localDate("2020-02-29") .plusYears(1)`}, exitOK, `{"value":"2021-02-28","type":"date","text":"2021-02-28"}` + "\n", ""},
		{[]string{"eval", `null`}, exitOK, `{"value":null,"type":"null","text":"null"}` + "\n", ""},
		{[]string{"eval", `var("a")`, "--config", `{}`}, exitFailed, "", "column 1: var cannot be used in a trigger"},
		{[]string{"eval", `"中文" + eventAtr("x")`}, exitFailed, "", "column 8: there is no function eventAtr"},
		{[]string{"eval", `1`, "--event", `{`}, exitUsage, "", "event: "},
		{[]string{"eval", `1`, "--batch"}, exitUsage, "", "leave out EXPR"},
		{[]string{"eval", `1`, `2`}, exitUsage, "", "this has 2 arguments"},
		{[]string{"functions", "list.ad"}, exitNotFound, "", "did you mean list.add?"},
		{[]string{"functions", "--lang", "fr"}, exitUsage, "", "en or zh"},
	} {
		code, stdout, errs := runExpr(t, c.args...)
		if code != c.code || stdout != c.stdout || !strings.Contains(errs, c.errs) {
			t.Errorf("expr %q: expected code %d, %q and %q, got %d, %q and %q", c.args, c.code, c.stdout, c.errs, code, stdout, errs)
		}
	}
}

func TestExprFunctions(t *testing.T) {
	code, stdout, _ := runExpr(t, "functions")
	names := map[string]bool{}
	for line := range strings.Lines(stdout) {
		var row functionRow
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatalf("expected lines of JSON, got %.100s: %v", line, err)
		}
		names[row.Name] = true
		if len(row.Signatures) == 0 || len(row.Contexts) == 0 || row.Doc == "" || row.Example == "" || row.Result == "" || strings.HasPrefix(row.Result, "error: ") {
			t.Errorf("%s: expected every field to be told, got %+v", row.Name, row)
		}
	}
	for _, name := range []string{"eventAttr", "list.add", "dateTime.plusDays", "math.PI", "repair"} {
		if !names[name] {
			t.Errorf("expected the list to have %s", name)
		}
	}
	if code != exitOK || len(names) < 450 {
		t.Errorf("expected code 0 and at least 450 names, got %d and %d", code, len(names))
	}
	if code, stdout, _ := runExpr(t, "functions", "list.add", "-o", "table"); code != exitOK || !strings.Contains(stdout, "list.add({1, 2}, 3)  =>  [1, 2, 3]") {
		t.Errorf("expected the example of list.add with its result, got %d and %q", code, stdout)
	}
}

// TestBatchMalformedLines checks that a line of a wrong shape is told in the words of the format.
func TestBatchMalformedLines(t *testing.T) {
	for line, want := range map[string]string{
		`{"expr":5}`:               `the line is no request: "expr" must be a text, this is number`,
		`{"expr":"1","context":5}`: `the line is no request: "context" must be a map, this is number`,
		`[]`:                       `the line is no request: it must be a map {"expr":…,"context":{…}}, this is array`,
	} {
		if answers, _ := runBatch(t, line+"\n"); len(answers) != 1 || answers[0].Error != want {
			t.Errorf("%s: expected the one error %q, got %+v", line, want, answers)
		}
	}
}
