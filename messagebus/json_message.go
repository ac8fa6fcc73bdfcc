package messagebus

import (
	"fmt"
	"strings"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/expr"
)

const (
	maxTypeBytes   = 256
	maxDomainBytes = 1024 // the name of a child thread included
)

// envelope is a message before its type is known to the reader: keys may come in any order.
type envelope struct {
	kind, id, sender, receiver string
	attr                       map[string]any
	timeMs                     int64
	attrAt                     int // where attr stands, for errors
}

// The envelope's keys, as bits of those seen.
const (
	keyType = 1 << iota
	keyAttr
	keyID
	keySender
	keyReceiver
	keyTime
	keyTimestamp
)

func keyBit(key string) uint {
	switch key {
	case "type":
		return keyType
	case "attr":
		return keyAttr
	case "id":
		return keyID
	case "sender":
		return keySender
	case "receiver":
		return keyReceiver
	case "time":
		return keyTime
	case "timestamp":
		return keyTimestamp
	}
	return 0
}

// message reads one message object.
func (r *reader) message(nowMs int64) (Incoming, *syntaxError) {
	r.heap += heapMessage
	start := r.pos
	e := envelope{timeMs: nowMs, attrAt: start}
	seen, err := r.envelope(&e)
	if err != nil {
		return Incoming{}, err
	}
	if seen&keyType == 0 {
		return Incoming{}, r.failAt(start, `"type" is missing: every message names its type, such as {"type":"user_behavior","attr":{…}}`)
	}
	switch e.kind {
	case "res":
		return r.reply(&e)
	case "SYSTEM":
		return r.command(&e)
	case "req":
		return Incoming{}, r.failAt(start, `a message of type "req" is a request of the engine to a service and cannot be posted in; a service answers with type "res"`)
	case "clock":
		return Incoming{}, r.failAt(start, `a message of type "clock" cannot be posted in: timers are the engine's own (actions sleep and clock)`)
	}
	event := r.event()
	*event = activity.Event{ID: e.id, Type: e.kind, Sender: e.sender, Receiver: e.receiver, Attrs: e.attr, TimeMs: e.timeMs}
	return Incoming{Event: event}, nil
}

// eventChunk is how many events of a body are kept in memory for the sake of one.
const eventChunk = 32

// event returns memory for an event. Where more of them are expected it is taken in chunks.
func (r *reader) event() *activity.Event {
	if r.more == 0 {
		return new(activity.Event)
	}
	if len(r.events) == 0 {
		r.events = make([]activity.Event, min(r.more, eventChunk))
	}
	e := &r.events[0]
	r.events = r.events[1:]
	r.more--
	return e
}

// envelope reads the object and returns the known keys it has. Unknown keys are read, so that their form is checked, and left.
func (r *reader) envelope(e *envelope) (seen uint, err *syntaxError) {
	if err := r.enter(); err != nil {
		return 0, err
	}
	var unknown map[string]struct{}
	for n := 0; ; n++ {
		key, at, err := r.key(n)
		if err != nil {
			return 0, err
		}
		if at < 0 {
			r.depth--
			return seen, nil
		}
		bit := keyBit(key)
		if _, twice := unknown[key]; twice || seen&bit != 0 {
			return 0, r.twice(at, key)
		}
		seen |= bit
		if bit != 0 {
			if err := r.field(e, bit, key, seen); err != nil {
				return 0, err
			}
			continue
		}
		if unknown == nil {
			unknown = map[string]struct{}{}
		}
		unknown[key] = struct{}{}
		if _, err := r.value(); err != nil {
			return 0, err
		}
	}
}

// field reads the value of a known key. null is as good as absent, but for the type.
func (r *reader) field(e *envelope, bit uint, key string, seen uint) *syntaxError {
	c := r.space()
	at := r.pos
	if c == 'n' && bit != keyType {
		return r.literal("null")
	}
	switch bit {
	case keyAttr:
		if c != '{' {
			return r.unexpected(`an object of attributes as "attr"`)
		}
		e.attrAt = at
		v, err := r.object()
		if err != nil {
			return err
		}
		e.attr = v.(map[string]any)
		return nil
	case keyID:
		return r.id(e, c)
	case keyTime, keyTimestamp:
		ms, err := r.time(key, c)
		if err == nil && (bit == keyTime || seen&keyTime == 0) {
			e.timeMs = ms
		}
		return err
	}
	if c != '"' {
		return r.unexpected(fmt.Sprintf("a text as %q", key))
	}
	b, err := r.string()
	if err != nil {
		return err
	}
	switch bit {
	case keyType:
		if len(b) == 0 || len(b) > maxTypeBytes {
			return r.failAt(at, fmt.Sprintf(`"type" is a text of 1 to %d bytes, this one has %d`, maxTypeBytes, len(b)))
		}
		e.kind = r.name(b)
	case keySender:
		e.sender = r.name(b)
	case keyReceiver:
		e.receiver = r.name(b)
	}
	return nil
}

// id reads a text, or a number as its own characters; c is its first byte.
func (r *reader) id(e *envelope, c byte) *syntaxError {
	at := r.pos
	switch {
	case c == '"':
		b, err := r.string()
		if err == nil {
			e.id = string(b)
			r.heap += len(b)
		}
		return err
	case c == '-' || (c >= '0' && c <= '9'):
		_, err := r.scanNumber()
		if err == nil {
			e.id = string(r.data[at:r.pos])
		}
		return err
	}
	return r.unexpected(`a text or a number as "id"`)
}

// fields reads attributes of replies and commands and remembers the first thing wrong.
type fields struct {
	attr map[string]any
	what string
	bad  string
}

func (f *fields) fail(format string, args ...any) {
	if f.bad == "" {
		f.bad = f.what + ": " + fmt.Sprintf(format, args...)
	}
}

func (f *fields) text(key string) string {
	switch v := f.attr[key].(type) {
	case nil:
		return ""
	case string:
		return v
	}
	f.fail("attr.%s must be a text", key)
	return ""
}

func (f *fields) object(key string) map[string]any {
	switch v := f.attr[key].(type) {
	case nil:
		return nil
	case map[string]any:
		return v
	}
	f.fail("attr.%s must be an object", key)
	return nil
}

func (f *fields) activity() uint32 {
	switch v := f.attr["activity"].(type) {
	case nil:
		return 0
	case int64:
		if v > 0 && v <= 1<<32-1 {
			return uint32(v)
		}
	}
	f.fail("attr.activity must be the number of an activity")
	return 0
}

func (f *fields) domain() string {
	d := f.text("domain")
	if len(d) > maxDomainBytes {
		f.fail("attr.domain is longer than %d bytes", maxDomainBytes)
	}
	for i := 0; i < len(d); i++ {
		if d[i] < 0x20 && d[i] != 1 { // 0x01 parts a child thread's name from its root's
			f.fail("attr.domain holds a control character (0x%02x)", d[i])
		}
	}
	return d
}

func (f *fields) need(missing bool, key, why string) {
	if missing {
		f.fail("attr.%s is missing%s", key, why)
	}
}

var resultStatuses = [...]string{expr.ResultOK: "ok", expr.ResultFail: "fail", expr.ResultTimeout: "timeout", expr.ResultIgnore: "ignore"}

func (f *fields) status() expr.ResultStatus {
	s := f.text("status")
	for i, name := range resultStatuses {
		if s == name {
			return expr.ResultStatus(i)
		}
	}
	if f.attr["status"] != nil {
		f.fail("attr.status is %s, it must be ok, fail, timeout or ignore", quoted(s))
	}
	return expr.ResultOK
}

func (r *reader) reply(e *envelope) (Incoming, *syntaxError) {
	f := fields{attr: e.attr, what: "answer (res)"}
	p := &Reply{
		RequestID: f.text("request_id"), Activity: f.activity(), Domain: f.domain(), Action: f.text("action"), TimeMs: e.timeMs,
		Result: activity.Result{Status: f.status(), ErrorCode: f.text("error_code"), Message: f.text("message"), Data: f.object("data")},
	}
	if p.RequestID == "" {
		const why = ", and there is no request_id that says it: send back the request_id of the request"
		f.need(p.Activity == 0, "activity", why)
		f.need(p.Domain == "", "domain", why)
		f.need(p.Action == "", "action", why)
	}
	if f.bad != "" {
		return Incoming{}, r.failAt(e.attrAt, f.bad)
	}
	return Incoming{Reply: p}, nil
}

// commandNames maps what may be written to what the engine says.
var commandNames = map[string]string{"pause": "pause", "resume": "resume", "continue": "resume", "kill": "kill", "repair": "repair"}

func (r *reader) command(e *envelope) (Incoming, *syntaxError) {
	f := fields{attr: e.attr, what: "command (SYSTEM)"}
	id := activity.ID{Activity: f.activity(), Domain: f.domain()}
	written, args := f.text("command"), f.object("args")
	f.need(id.Activity == 0, "activity", "")
	f.need(id.Domain == "", "domain", "")
	name, known := commandNames[written]
	if !known {
		f.fail("attr.command is %s, it must be pause, resume (or continue), kill or repair", quoted(written))
	}
	if f.bad != "" {
		return Incoming{}, r.failAt(e.attrAt, f.bad)
	}
	return Incoming{Command: &Command{ID: id, Command: activity.Command{Name: name, Args: args, TimeMs: e.timeMs}}}, nil
}

// quoted prints a text of strangers in an error: short and on one line.
func quoted(s string) string {
	const most = 60
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return fmt.Sprintf("%q", s)
}
