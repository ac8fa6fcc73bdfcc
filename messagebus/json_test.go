package messagebus

import (
	"errors"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/expr"
)

const now = int64(1_700_000_000_123)

func decodeOne(t *testing.T, body string) Incoming {
	t.Helper()
	items, raws, single, err := DecodeJSON([]byte(body), now, Limits{})
	if err != nil {
		t.Fatalf("DecodeJSON(%s): %v", body, err)
	}
	if len(items) != 1 || len(raws) != 1 || !single {
		t.Fatalf("DecodeJSON(%s): expected one item and single, got %d items, single %v", body, len(items), single)
	}
	if string(raws[0]) != strings.TrimSpace(body) {
		t.Fatalf("raw: expected %s, got %s", body, raws[0])
	}
	return items[0]
}

func TestDecodeEvent(t *testing.T) {
	in := decodeOne(t, ` {"attr":{"user_id":10010,"name":"小明","price":19.90,"tags":["a",{"b":null}],"ok":true,"none":[]},
		"type":"user_behavior","id":"e-1","sender":"shop","receiver":"engine","extra":{"x":[1]},"time":1561269531131} `)
	want := &activity.Event{ID: "e-1", Type: "user_behavior", Sender: "shop", Receiver: "engine", TimeMs: 1561269531131}
	e := *in.Event
	attrs := e.Attrs
	e.Attrs = nil
	if !reflect.DeepEqual(&e, want) {
		t.Errorf("event: expected %+v, got %+v", want, e)
	}
	if got := string(EncodeValue(nil, attrs)); got != `{"name":"小明","none":[],"ok":true,"price":19.90,"tags":["a",{"b":null}],"user_id":10010}` {
		t.Errorf("attributes: got %s", got)
	}
	if _, ok := attrs["price"].(*expr.Decimal); !ok {
		t.Errorf("price: expected a decimal, got %T", attrs["price"])
	}
	if v, ok := attrs["user_id"].(int64); !ok || v != 10010 {
		t.Errorf("user_id: expected int64 10010, got %T %v", attrs["user_id"], attrs["user_id"])
	}
}

func TestDecodeArray(t *testing.T) {
	body := `[ {"type":"a"} , {"type":"b","id":7} ]`
	items, raws, single, err := DecodeJSON([]byte(body), now, Limits{})
	if err != nil || single || len(items) != 2 {
		t.Fatalf("expected two items of an array, got %d, single %v, error %v", len(items), single, err)
	}
	if string(raws[1]) != `{"type":"b","id":7}` || items[1].Event.ID != "7" || items[0].Event.TimeMs != now {
		t.Errorf("got raw %s, id %q, time %d", raws[1], items[1].Event.ID, items[0].Event.TimeMs)
	}
	if items, _, single, err = DecodeJSON([]byte(" [ ]\n"), now, Limits{}); err != nil || single || len(items) != 0 {
		t.Errorf("empty array: expected no items and no error, got %d, %v", len(items), err)
	}
}

func TestDecodeTime(t *testing.T) {
	for text, want := range map[string]int64{
		`1561269531`: 1561269531000, `1561269531131`: 1561269531131, `1561269531.131`: 1561269531131, `0`: 0, `-5`: -5000,
		`"2019-06-23T05:58:51.131Z"`: 1561269531131, `"2019-06-23T13:58:51+08:00"`: 1561269531000, `null`: now, `1.561269531e9`: 1561269531000,
	} {
		for _, key := range []string{"time", "timestamp"} {
			if got := decodeOne(t, `{"type":"a","`+key+`":`+text+`}`).Event.TimeMs; got != want {
				t.Errorf("%s %s: expected %d, got %d", key, text, want, got)
			}
		}
	}
	for _, body := range []string{`{"type":"a","time":1000,"timestamp":2000}`, `{"type":"a","timestamp":2000,"time":1000}`} {
		if got := decodeOne(t, body).Event.TimeMs; got != 1_000_000 {
			t.Errorf("%s: expected time to win over timestamp, got %d", body, got)
		}
	}
}

func TestDecodeReply(t *testing.T) {
	in := decodeOne(t, `{"type":"res","sender":"mail","receiver":"wb","attr":{"request_id":"s-1-2","activity":3,"domain":"u1","action":"mail",
		"status":"fail","error_code":"no_mail","message":"m","data":{"n":1}},"time":1561269531131}`)
	want := &Reply{RequestID: "s-1-2", Activity: 3, Domain: "u1", Action: "mail", TimeMs: 1561269531131,
		Result: activity.Result{Status: expr.ResultFail, ErrorCode: "no_mail", Message: "m", Data: map[string]any{"n": int64(1)}}}
	if !reflect.DeepEqual(in.Reply, want) {
		t.Errorf("expected %+v, got %+v", want, in.Reply)
	}
	short := decodeOne(t, `{"type":"res","attr":{"request_id":"s-1-2"}}`).Reply
	if want := (&Reply{RequestID: "s-1-2", TimeMs: now}); !reflect.DeepEqual(short, want) {
		t.Errorf("short answer: expected %+v, got %+v", want, short)
	}
	again := decodeOne(t, string(EncodeReply(want))).Reply
	if !reflect.DeepEqual(again, want) {
		t.Errorf("EncodeReply: expected %+v back, got %+v", want, again)
	}
}

func TestDecodeCommand(t *testing.T) {
	for name, want := range map[string]string{"pause": "pause", "resume": "resume", "continue": "resume", "kill": "kill"} {
		c := decodeOne(t, `{"type":"SYSTEM","attr":{"activity":7,"domain":"u1","command":"`+name+`","args":{"a":[1]}}}`).Command
		wanted := &Command{ID: activity.ID{Activity: 7, Domain: "u1"}, Command: activity.Command{Name: want, Args: map[string]any{"a": []any{int64(1)}}, TimeMs: now}}
		if !reflect.DeepEqual(c, wanted) {
			t.Errorf("%s: expected %+v, got %+v", name, wanted, c)
		}
	}
}

// TestDecodeRefuses holds every rule of the form: the error must name it, and the place.
func TestDecodeRefuses(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 70) + "1" + strings.Repeat("}", 70)
	for _, c := range []struct{ body, part string }{
		{"", "empty"}, {"  ", "empty"}, {`x`, "expected a message object"}, {`"a"`, "expected a message object"},
		{`{"type":"a"`, "ends too early"}, {`{"type":"a"} x`, "text after the end"}, {`{"type":"a"}{"type":"a"}`, "post several messages as an array"},
		{`{}`, `"type" is missing`}, {`{"attr":{}}`, `"type" is missing`}, {`{"type":""}`, "1 to 256 bytes"}, {`{"type":null}`, `a text as "type"`}, {`{"type":5}`, `a text as "type"`},
		{`{"type":"` + strings.Repeat("x", 257) + `"}`, "1 to 256 bytes"},
		{`{"type":"a","attr":[1]}`, "object of attributes"}, {`{"type":"a","id":{}}`, `"id"`}, {`{"type":"a","sender":5}`, `"sender"`},
		{`{"type":"a","type":"b"}`, "twice"}, {`{"type":"a","x":1,"x":2}`, "twice"}, {`{"type":"a","attr":{"k":1,"\u006b":2}}`, "twice"}, {`{"type":"a","x":[{"k":1,"k":2}]}`, "twice"},
		{"{\"type\":\"\xff\"}", "invalid UTF-8"}, {"{\"type\":\"a\",\"attr\":{\"\xc3\":1}}", "invalid UTF-8"}, {"{\"type\":\"a\\n\xc0\x80\"}", "invalid UTF-8"}, {"\xef\xbb\xbf{}", "expected a message object"},
		{`{"type":"\ud800"}`, "surrogate"}, {`{"type":"\ud800\u0041"}`, "surrogate"}, {`{"type":"\udc00\ud800"}`, "surrogate"}, {`{"type":"\u12g4"}`, "hexadecimal"}, {`{"type":"\x"}`, "no escape"},
		{"{\"type\":\"a\nb\"}", "control character"}, {`{"type":"a","attr":` + deep + `}`, "levels of nesting"},
		{`{"type":"a","attr":{"n":01}}`, "begin with 0"}, {`{"type":"a","attr":{"n":1.}}`, "digit"}, {`{"type":"a","attr":{"n":-}}`, "digit"}, {`{"type":"a","attr":{"n":1e}}`, "digit"},
		{`{"type":"a","attr":{"n":+1}}`, "expected a value"}, {`{"type":"a","attr":{"n":NaN}}`, "expected a value"}, {`{"type":"a","attr":{"n":1e7000}}`, "out of range"},
		{`{"type":"a","attr":{"n":` + strings.Repeat("9", 1001) + `}}`, "out of range"}, {`{"type":"a","attr":{"n":tru}}`, "expected true"},
		{`{"type":"a","attr":{"n":1,}}`, "key in double quotes"}, {`{"type":"a","attr":{"n" 1}}`, "colon"}, {`{"type":"a","attr":{"n":[1,]}}`, "expected a value"}, {`{"type":"a","attr":{"n":[1 2]}}`, "comma"}, {`{"type":"a" "b":1}`, "comma"},
		{`{"type":"a","time":"yesterday"}`, "RFC 3339"}, {`{"type":"a","time":1561269531131000}`, "micro"}, {`{"type":"a","time":1e300}`, "micro"}, {`{"type":"a","time":true}`, `"time"`},
		{`{"type":"req","attr":{}}`, `"req"`}, {`{"type":"clock","attr":{}}`, `"clock"`},
		{`{"type":"res"}`, "attr.activity is missing"}, {`{"type":"res","attr":{"activity":1,"domain":"d"}}`, "attr.action is missing"}, {`{"type":"res","attr":{"request_id":"r","status":"OK"}}`, "ok, fail, timeout or ignore"},
		{`{"type":"res","attr":{"request_id":"r","status":""}}`, "ok, fail"}, {`{"type":"res","attr":{"request_id":7}}`, "request_id must be a text"}, {`{"type":"res","attr":{"request_id":"r","data":[]}}`, "attr.data must be an object"}, {`{"type":"res","attr":{"request_id":"r","activity":4294967296}}`, "number of an activity"},
		{`{"type":"SYSTEM","attr":{"activity":1,"domain":"d","command":"stop"}}`, "pause, resume (or continue), kill or repair"}, {`{"type":"SYSTEM","attr":{"domain":"d","command":"kill"}}`, "attr.activity is missing"},
		{`{"type":"SYSTEM","attr":{"activity":1,"command":"kill"}}`, "attr.domain is missing"}, {`{"type":"SYSTEM","attr":{"activity":1,"domain":"a\u0000b","command":"kill"}}`, "control character"},
	} {
		for _, array := range []bool{false, true} {
			body, index := c.body, 0
			if array {
				body, index = `[{"type":"good"},`+c.body+`]`, 1
				if strings.TrimSpace(c.body) == "" || strings.Contains(c.part, "after the end") || strings.Contains(c.part, "as an array") || strings.Contains(c.part, "too early") {
					continue
				}
			}
			items, _, _, err := DecodeJSON([]byte(body), now, Limits{})
			var d *DecodeError
			if !errors.As(err, &d) || items != nil {
				t.Errorf("%.80q: expected a *DecodeError, got %v", body, err)
				continue
			}
			if want := c.part; !strings.Contains(d.Message, want) && !(array && strings.Contains(want, "message object")) {
				t.Errorf("%.80q: expected an error with %q, got %s", body, want, d.Message)
			}
			if !strings.Contains(d.Message, "byte ") || d.Index != index || d.Single == array || (array && !strings.HasPrefix(d.Message, "message 1 (byte ")) {
				t.Errorf("%.80q: expected index %d and a byte, got index %d, single %v: %s", body, index, d.Index, d.Single, d.Message)
			}
		}
	}
}

func TestDecodePlace(t *testing.T) {
	body := "[\n{\"type\":\"a\"},\n{\"type\":\"b\",\n \"attr\":{\"x\":?}}]"
	_, _, _, err := DecodeJSON([]byte(body), now, Limits{})
	var d *DecodeError
	if !errors.As(err, &d) {
		t.Fatalf("expected a *DecodeError, got %v", err)
	}
	if at := strings.IndexByte(body, '?'); d.Offset != at || d.Line != 4 || d.Index != 1 || !strings.HasPrefix(d.Message, "message 1 (byte 42, line 4): ") {
		t.Errorf("expected offset %d, line 4, index 1, got %+v", at, d)
	}
}

func TestLimits(t *testing.T) {
	event := `{"type":"a","attr":{"k":"` + strings.Repeat("x", 100) + `"}}`
	for _, c := range []struct {
		body  string
		l     Limits
		part  string
		large bool
	}{
		{"[" + event + "," + event + "]", Limits{MaxMessages: 1}, "more than 1 messages", true},
		{"[" + event + "]", Limits{MaxMessageBytes: 60}, "larger than 60 bytes", true},
		{event, Limits{MaxMessageBytes: len(event) - 1}, "larger than", true},
		{event + "  ", Limits{MaxMessageBytes: 12}, "larger than 12 bytes", true},
		{event, Limits{MaxDepth: 1}, "more than 1 levels", false},
		{`{"type":"a","b":1,"c":2}`, Limits{MaxKeys: 2}, "more than 2 keys", false},
		{`{"type":"a","attr":{"b":1,"c":2,"d":3}}`, Limits{MaxKeys: 2}, "more than 2 keys", false},
		{`{"type":"a","attr":{"b":[` + strings.Repeat(`{"a":{}},`, 1000) + `1]}}`, Limits{MaxHeapBytes: 100_000}, "memory", true},
	} {
		_, _, _, err := DecodeJSON([]byte(c.body), now, c.l)
		var d *DecodeError
		if !errors.As(err, &d) || !strings.Contains(d.Message, c.part) || d.TooLarge != c.large {
			t.Errorf("%+v: expected an error with %q, too large %v; got %+v", c.l, c.part, c.large, err)
		}
	}
	for _, l := range []Limits{{MaxMessageBytes: len(event)}, {MaxDepth: 2}, {MaxKeys: 2}, {MaxMessages: 2}} {
		if _, _, _, err := DecodeJSON([]byte("["+event+","+event+"]"), now, l); err != nil {
			t.Errorf("%+v: at the limit expected no error, got %v", l, err)
		}
	}
}

// TestHeapBytes checks that the estimate is no fairy tale: hostile texts must be charged at least half of what they take.
func TestHeapBytes(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector's own allocations are counted too")
	}
	for name, part := range map[string]string{"maps": `{"a":{}},`, "numbers": `1000,`, "lists": `[[]],`, "texts": `"x",`, "decimals": `1.5,`, "empty": `{},`} {
		body := []byte(`{"type":"a","attr":{"l":[` + strings.Repeat(part, 20_000) + `1]}}`)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		b, err := Decode(body, now, Limits{MaxMessageBytes: 1 << 20})
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatal(err)
		}
		took := int64(after.TotalAlloc - before.TotalAlloc)
		if charged := int64(b.HeapBytes[0] + len(body)); charged*2 < took {
			t.Errorf("%s: %d bytes allocated, charged %d: expected at least half", name, took, charged)
		}
	}
}
