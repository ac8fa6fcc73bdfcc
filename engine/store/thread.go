package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/expr"
)

// Tags of rows t and h. What every thread has lies in the head without tags of its own, times relative to each other: a waiting
// thread is mostly its variables.
const (
	threadHead     = 1 // status | pausedFrom<<4, run, visit, created, updated-created
	threadVersion  = 2
	threadAction   = 3
	threadVars     = 4 // count, (length, name, value)...
	threadAlarm    = 5 // kind, n, due-updated, visit-thread's visit, alarmDue-due, alarmKind
	threadRetries  = 6
	threadReason   = 7
	threadError    = 8
	threadParked   = 9
	threadRequests = 10 // first number, then differences
	threadEnded    = 11 // ended-updated
	threadKept     = 12
	threadSeen     = 13
	threadPart     = 16 // repeated: a part's own fields
	threadProblem  = 17
	threadSince    = 18

	partAction = 1
	partPlace  = 2
	partSeq    = 3
	partDue    = 4
)

var errStatus = errors.New("the status of the thread is unknown: it may be of a newer program")

// appendThread appends a thread's value; its ID is in the key.
func appendThread(dst []byte, t *activity.Thread) ([]byte, error) {
	dst = append(dst, rowFormat)
	dst, at := openField(dst, threadHead)
	dst = append(dst, byte(t.Status)|byte(t.PausedFrom)<<4)
	dst = binary.AppendUvarint(dst, t.Run)
	dst = binary.AppendUvarint(dst, t.Visit)
	dst = binary.AppendUvarint(dst, zigzag(t.CreatedMs))
	dst = binary.AppendUvarint(dst, zigzag(t.UpdatedMs-t.CreatedMs))
	dst = closeField(dst, at)

	dst = appendTextField(dst, threadVersion, t.Version)
	dst = appendTextField(dst, threadAction, t.Action)
	dst, err := appendVars(dst, t.Vars)
	if err != nil {
		return dst, err
	}
	if t.Alarm != (activity.AlarmRow{}) || t.AlarmDue != 0 || t.AlarmKind != 0 {
		dst, at = openField(dst, threadAlarm)
		dst = append(dst, byte(t.Alarm.Kind))
		dst = binary.AppendUvarint(dst, uint64(t.Alarm.N))
		dst = binary.AppendUvarint(dst, zigzag(t.Alarm.DueMs-t.UpdatedMs))
		dst = binary.AppendUvarint(dst, zigzag(int64(t.Alarm.Visit-t.Visit)))
		dst = binary.AppendUvarint(dst, zigzag(t.AlarmDue-t.Alarm.DueMs))
		dst = closeField(append(dst, byte(t.AlarmKind)), at)
	}
	dst = appendUintField(dst, threadRetries, uint64(t.Retries))
	dst = appendTextField(dst, threadReason, t.Reason)
	dst = appendTextField(dst, threadError, t.Error)
	dst = appendUintField(dst, threadParked, uint64(t.Parked))
	dst = appendUintField(dst, threadKept, uint64(t.Kept))
	dst = appendUintField(dst, threadSeen, t.Seen)
	dst = appendTextField(dst, threadProblem, t.Problem)
	dst = appendIntField(dst, threadSince, t.KeptSince)
	if len(t.Requests) > 0 {
		dst, at = openField(dst, threadRequests)
		last := uint64(0)
		for _, seq := range t.Requests {
			dst = binary.AppendUvarint(dst, zigzag(int64(seq-last)))
			last = seq
		}
		dst = closeField(dst, at)
	}
	for i := range t.Parts {
		p := &t.Parts[i]
		dst, at = openField(dst, threadPart)
		dst = appendTextField(dst, partAction, p.Action)
		dst = appendUintField(dst, partPlace, uint64(p.Place))
		dst = appendUintField(dst, partSeq, p.Seq)
		dst = closeField(appendIntField(dst, partDue, p.DueMs), at)
	}
	if t.EndedMs != 0 {
		dst, at = openField(dst, threadEnded)
		dst = closeField(binary.AppendUvarint(dst, zigzag(t.EndedMs-t.UpdatedMs)), at)
	}
	return append(dst, t.Unknown...), nil
}

func appendVars(dst []byte, vars expr.Vars) ([]byte, error) {
	if len(vars) == 0 {
		return dst, nil
	}
	dst, at := openField(dst, threadVars)
	dst = binary.AppendUvarint(dst, uint64(len(vars)))
	var err error
	for i := range vars {
		dst = append(binary.AppendUvarint(dst, uint64(len(vars[i].Name))), vars[i].Name...)
		if dst, err = appendValue(dst, vars[i].Value, 0); err != nil {
			return dst, fmt.Errorf("variable %q: %w", vars[i].Name, err)
		}
	}
	return closeField(dst, at), nil
}

// decodeThread reads a thread's value into t, whose ID is left alone.
func decodeThread(value string, t *activity.Thread) error {
	r := readRow(value)
	for head := false; r.next(); {
		if !head && r.tag != threadHead {
			return errors.New("the head of the thread is missing")
		}
		head = true
		switch r.tag {
		case threadVersion:
			t.Version = r.body
		case threadAction:
			t.Action = r.body
		case threadRetries:
			t.Retries = uint32(r.small(math.MaxUint32))
		case threadReason:
			t.Reason = r.body
		case threadError:
			t.Error = r.body
		case threadProblem:
			t.Problem = r.body
		case threadParked:
			t.Parked = uint32(r.small(math.MaxUint32))
		case threadKept:
			t.Kept = uint32(r.small(math.MaxUint32))
		case threadSince:
			t.KeptSince = r.int()
		case threadSeen:
			t.Seen = r.uint()
		case threadHead, threadVars, threadAlarm, threadRequests, threadEnded:
			decodeThreadPart(&r, t)
		case threadPart:
			r.inField(func(in *reader) { t.Parts = append(t.Parts, decodePart(in)) })
		default:
			t.Unknown = append(t.Unknown, r.field...)
		}
	}
	if r.err == nil && len(value) == 1 {
		return errors.New("the head of the thread is missing")
	}
	return r.err
}

// decodeThreadPart reads a field that has a layout of its own.
func decodeThreadPart(r *reader, t *activity.Thread) {
	in := reader{rest: r.body}
	switch r.tag {
	case threadHead:
		status := in.byte()
		t.Status, t.PausedFrom = activity.Status(status&0x0F), activity.Status(status>>4)
		if t.Status > activity.Killed || t.PausedFrom > activity.Killed {
			in.fail(errStatus)
		}
		t.Run, t.Visit = in.uvarint(), in.uvarint()
		t.CreatedMs = in.varint()
		t.UpdatedMs = t.CreatedMs + in.varint()
	case threadVars:
		n := in.count(2)
		t.Vars = make(expr.Vars, 0, n)
		for ; n > 0 && in.err == nil; n-- {
			name := in.take(in.uvarint())
			t.Vars = append(t.Vars, expr.Var{Name: name, Value: in.value(0)})
		}
	case threadAlarm:
		t.Alarm.Kind = activity.AlarmKind(in.byte())
		n := in.uvarint()
		if n > math.MaxUint16 {
			in.fail(errors.New("an alarm's number is out of range"))
		}
		t.Alarm.N = uint16(n)
		t.Alarm.DueMs = t.UpdatedMs + in.varint()
		t.Alarm.Visit = t.Visit + uint64(in.varint())
		t.AlarmDue = t.Alarm.DueMs + in.varint()
		t.AlarmKind = activity.AlarmKind(in.byte())
	case threadRequests:
		last := uint64(0)
		for in.rest != "" && in.err == nil {
			last += uint64(in.varint())
			t.Requests = append(t.Requests, last)
		}
	case threadEnded:
		t.EndedMs = t.UpdatedMs + in.varint()
	}
	if err := in.end(); err != nil {
		r.fail(fmt.Errorf("field %d: %w", r.tag, err))
	}
}

func decodePart(r *reader) (p activity.Part) {
	for r.next() {
		switch r.tag {
		case partAction:
			p.Action = r.body
		case partPlace:
			p.Place = uint16(r.small(math.MaxUint16))
		case partSeq:
			p.Seq = r.uint()
		case partDue:
			p.DueMs = r.int()
		}
	}
	return p
}
