package store

import (
	"errors"
	"fmt"
	"math"

	"github.com/weftbox/weftbox/activity"
)

// Tags of row b: which message it is; the field holds the message's own fields.
const (
	mailEvent   = 1
	mailCommand = 2
	mailReply   = 3
	mailAlarm   = 4
	mailKept    = 5 // since when the message is kept
	mailKeptRun = 6
)

// Tags of the messages' fields.
const (
	eventID         = 1
	eventType       = 2
	eventSender     = 3
	eventReceiver   = 4
	eventAttrs      = 5 // a map value
	eventTime       = 6
	eventStrategies = 7 // repeated
	eventDirect     = 8

	commandName = 1
	commandArgs = 2 // a map value
	commandTime = 3

	replySeq    = 1
	replyRun    = 2
	replyVisit  = 3
	replyAction = 4
	replyResult = 5
	replyTime   = 6

	resultStatus  = 1
	resultCode    = 2
	resultMessage = 3
	resultData    = 4 // a map value

	alarmKind  = 1
	alarmDue   = 2
	alarmRun   = 3
	alarmVisit = 4
	alarmN     = 5
)

// EncodeMessage returns a message as a row to a slot carries it; DecodeMessage reads it again, values of all types as they were.
func EncodeMessage(m activity.Message) ([]byte, error) { return appendMessage(nil, m) }

// DecodeMessage reads what EncodeMessage made.
func DecodeMessage(body []byte) (activity.Message, error) { return decodeMessage(string(body)) }

// appendMessage appends the value of a mail row.
func appendMessage(dst []byte, m activity.Message) ([]byte, error) {
	dst = append(dst, rowFormat)
	var at int
	var err error
	switch m := m.(type) {
	case activity.Carried:
		dst, at = openField(dst, mailEvent)
		dst, err = appendEvent(dst, &m)
	case *activity.Carried:
		dst, at = openField(dst, mailEvent)
		dst, err = appendEvent(dst, m)
	case *activity.Command:
		dst, at = openField(dst, mailCommand)
		dst = appendTextField(dst, commandName, m.Name)
		dst, err = appendMapField(dst, commandArgs, m.Args)
		dst = appendIntField(dst, commandTime, m.TimeMs)
	case *activity.Reply:
		dst, at = openField(dst, mailReply)
		dst, err = appendReply(dst, m)
	case *activity.Alarm:
		dst, at = openField(dst, mailAlarm)
		dst = appendUintField(dst, alarmKind, uint64(m.Kind))
		dst = appendIntField(dst, alarmDue, m.DueMs)
		dst = appendUintField(dst, alarmRun, m.Run)
		dst = appendUintField(dst, alarmVisit, m.Visit)
		dst = appendUintField(dst, alarmN, uint64(m.N))
	default:
		return dst, fmt.Errorf("a message of type %T cannot be kept", m)
	}
	if err != nil {
		return dst, err
	}
	return closeField(dst, at), nil
}

// appendMapField appends a map; a nil one is left out, an empty one is kept.
func appendMapField(dst []byte, tag uint64, m map[string]any) ([]byte, error) {
	if m == nil {
		return dst, nil
	}
	dst, at := openField(dst, tag)
	dst, err := appendMap(dst, m, 0)
	return closeField(dst, at), err
}

func appendEvent(dst []byte, c *activity.Carried) ([]byte, error) {
	if c.Event == nil {
		return dst, errors.New("a message without its event cannot be kept")
	}
	dst = appendTextField(dst, eventID, c.ID)
	dst = appendTextField(dst, eventType, c.Type)
	dst = appendTextField(dst, eventSender, c.Sender)
	dst = appendTextField(dst, eventReceiver, c.Receiver)
	dst, err := appendMapField(dst, eventAttrs, c.Attrs)
	dst = appendIntField(dst, eventTime, c.TimeMs)
	for _, s := range c.Strategies {
		dst = append(appendTag(dst, eventStrategies, len(s)), s...)
	}
	if c.Direct {
		dst = appendUintField(dst, eventDirect, 1)
	}
	return dst, err
}

func appendReply(dst []byte, m *activity.Reply) ([]byte, error) {
	dst = appendUintField(dst, replySeq, m.Seq)
	dst = appendUintField(dst, replyRun, m.Run)
	dst = appendUintField(dst, replyVisit, m.Visit)
	dst = appendTextField(dst, replyAction, m.Action)
	dst = appendIntField(dst, replyTime, m.TimeMs)
	if m.Result == nil {
		return dst, nil
	}
	dst, at := openField(dst, replyResult)
	dst = appendUintField(dst, resultStatus, uint64(m.Result.Status))
	dst = appendTextField(dst, resultCode, m.Result.ErrorCode)
	dst = appendTextField(dst, resultMessage, m.Result.Message)
	dst, err := appendMapField(dst, resultData, m.Result.Data)
	return closeField(dst, at), err
}

// decodeMessage reads the value of a mail row.
func decodeMessage(value string) (activity.Message, error) {
	var m Mail
	err := decodeMail(value, &m)
	return m.Message, err
}

// decodeMail reads the value of a mail row into m, whose N is left alone.
func decodeMail(value string, mail *Mail) error {
	r := readRow(value)
	var m activity.Message
	for r.next() {
		in := reader{rest: r.body}
		switch r.tag {
		case mailKept:
			mail.KeptMs = r.int()
			continue
		case mailKeptRun:
			mail.KeptRun = r.uint()
			continue
		case mailEvent:
			m = decodeEvent(&in)
		case mailCommand:
			m = decodeCommand(&in)
		case mailReply:
			m = decodeReply(&in)
		case mailAlarm:
			m = decodeAlarm(&in)
		default:
			continue
		}
		if in.err != nil {
			r.fail(in.err)
		}
	}
	if r.err == nil && m == nil {
		r.err = errors.New("it holds no message that this program knows")
	}
	mail.Message = m
	return r.err
}

func decodeEvent(r *reader) activity.Message {
	c := activity.Carried{Event: &activity.Event{}}
	for r.next() {
		switch r.tag {
		case eventID:
			c.ID = r.body
		case eventType:
			c.Type = r.body
		case eventSender:
			c.Sender = r.body
		case eventReceiver:
			c.Receiver = r.body
		case eventAttrs:
			c.Attrs = r.mapField()
		case eventTime:
			c.TimeMs = r.int()
		case eventStrategies:
			c.Strategies = append(c.Strategies, r.body)
		case eventDirect:
			c.Direct = r.uint() != 0
		}
	}
	return c
}

func decodeCommand(r *reader) activity.Message {
	m := &activity.Command{}
	for r.next() {
		switch r.tag {
		case commandName:
			m.Name = r.body
		case commandArgs:
			m.Args = r.mapField()
		case commandTime:
			m.TimeMs = r.int()
		}
	}
	return m
}

func decodeReply(r *reader) activity.Message {
	m := &activity.Reply{}
	for r.next() {
		switch r.tag {
		case replySeq:
			m.Seq = r.uint()
		case replyRun:
			m.Run = r.uint()
		case replyVisit:
			m.Visit = r.uint()
		case replyAction:
			m.Action = r.body
		case replyTime:
			m.TimeMs = r.int()
		case replyResult:
			m.Result = &activity.Result{}
			r.inField(func(in *reader) { decodeResult(in, m.Result) })
		}
	}
	return m
}

func decodeResult(r *reader, out *activity.Result) {
	for r.next() {
		switch r.tag {
		case resultStatus:
			setSmall(&out.Status, r.small(math.MaxUint8))
		case resultCode:
			out.ErrorCode = r.body
		case resultMessage:
			out.Message = r.body
		case resultData:
			out.Data = r.mapField()
		}
	}
}

func setSmall[T ~uint8](to *T, v uint64) { *to = T(v) }

func decodeAlarm(r *reader) activity.Message {
	m := &activity.Alarm{}
	for r.next() {
		switch r.tag {
		case alarmKind:
			m.Kind = activity.AlarmKind(r.small(math.MaxUint8))
		case alarmDue:
			m.DueMs = r.int()
		case alarmRun:
			m.Run = r.uint()
		case alarmVisit:
			m.Visit = r.uint()
		case alarmN:
			m.N = uint16(r.small(math.MaxUint16))
		}
	}
	return m
}
