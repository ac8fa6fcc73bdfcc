package sim

import (
	"errors"
	"fmt"
	"hash/fnv"
	"unicode/utf8"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/expr"
	"github.com/weftbox/weftbox/messagebus"
)

// Post hands events to the node in one request, as a client does: body is one JSON object or an array, and all of it is taken by one turn.
func (w *World) Post(body []byte) error {
	items, raws, _, err := messagebus.DecodeJSON(body, w.NowMs(), messagebus.Limits{})
	if err != nil {
		return err
	}
	records := make([]*messagebus.Record, len(items))
	for i, in := range items {
		if in.Event == nil {
			return errors.New("only events are posted: answers and commands have steps of their own")
		}
		hash := fnv.New64a()
		hash.Write(raws[i])
		records[i] = &messagebus.Record{Source: "sim/events", TimeMs: w.NowMs(), Incoming: in, Raw: raws[i], Key: in.Event.ID, BodyHash: hash.Sum64()}
	}
	return w.submit(records...)
}

// Answer gives an answer to a request, at once and whatever the service was told to do; late and doubled ones are given like this.
// Without the request's id the node has to find what it is for.
func (w *World) Answer(c *Call, r expr.Result, withID bool) error { return w.reply(c, r, withID) }

func (w *World) reply(c *Call, r expr.Result, withID bool) error {
	reply := messagebus.Reply{Activity: c.Activity, Domain: c.Domain, Action: c.Action, Result: r, TimeMs: w.NowMs()}
	if withID {
		reply.RequestID = c.RequestID
	}
	raw := messagebus.EncodeReply(&reply)
	items, _, _, err := messagebus.DecodeJSON(raw, w.NowMs(), messagebus.Limits{})
	if err != nil {
		return fmt.Errorf("an answer of %s can not be read: %w", c.Service, err)
	}
	return w.submit(&messagebus.Record{Source: "sim/replies", TimeMs: w.NowMs(), Incoming: items[0], Raw: raw})
}

// Command gives a thread a command: pause, resume, kill.
func (w *World) Command(id activity.ID, name string) error { return w.CommandWith(id, name, nil) }

// CommandWith gives a thread a command with arguments: repair.
func (w *World) CommandWith(id activity.ID, name string, args map[string]any) error {
	return w.submit(&messagebus.Record{Source: "sim/commands", TimeMs: w.NowMs(),
		Incoming: messagebus.Incoming{Command: &messagebus.Command{ID: id, Command: activity.Command{Name: name, Args: args, TimeMs: w.NowMs()}}}})
}

// submit hands records to one turn and settles; each must be answered once by the turn that took it.
func (w *World) submit(records ...*messagebus.Record) error {
	answers := make([][]messagebus.Answer, len(records))
	for i, r := range records {
		r.Answer = func(a messagebus.Answer) { answers[i] = append(answers[i], a) }
		if err := w.node.Submit(r); err != nil {
			return err
		}
	}
	if w.node.Turn() {
		w.restartIfAlways()
	}
	for i, r := range records {
		if len(answers[i]) != 1 {
			return fmt.Errorf("%s: the turn that took it answered %d times instead of once", describe(r), len(answers[i]))
		}
		w.hear(r, answers[i][0])
	}
	w.count()
	return w.Settle()
}

// hear notes what became of a message.
func (w *World) hear(r *messagebus.Record, a messagebus.Answer) {
	what := describe(r)
	switch {
	case a.Err != nil:
		w.note(activity.ID{}, what+" was refused: "+a.Err.Error())
	case a.Conflict:
		w.note(activity.ID{}, what+": its id is known with another content, so it is not applied")
	case len(a.Verdicts) == 0 && a.Duplicate:
		w.note(activity.ID{}, what+": a duplicate")
	case len(a.Verdicts) == 0:
		w.note(activity.ID{}, what+": concerns no thread")
	}
	if a.Duplicate && len(a.Verdicts) == 0 {
		a.Verdicts = []messagebus.Verdict{{Verdict: activity.Verdict{Kind: activity.VerdictDuplicate, Clause: -1}}}
	}
	for _, v := range a.Verdicts {
		w.verdicts = append(w.verdicts, v)
		id := activity.ID{Activity: v.Activity, Domain: v.DomainID}
		text := string(v.Kind)
		if v.Clause >= 0 {
			text += fmt.Sprintf(" by clause %d", v.Clause)
		}
		if v.Error != "" {
			text += ": " + v.Error
		}
		if v.Activity == 0 {
			w.note(activity.ID{}, what+": "+text)
			continue
		}
		w.note(id, what+": "+text)
		if l := w.watch(id); v.Kind == activity.VerdictSpawned {
			l.fresh++
		}
	}
}

// describe names a message in a line of the story.
func describe(r *messagebus.Record) string {
	in := r.Incoming
	switch {
	case in.Event != nil:
		return "event " + in.Event.Type + " " + text(in.Event.Attrs)
	case in.Reply != nil:
		s := "answer to " + in.Reply.Action + ": " + [...]string{"ok", "fail", "timeout", "ignore"}[in.Reply.Result.Status]
		if len(in.Reply.Result.Data) > 0 {
			s += " " + text(in.Reply.Result.Data)
		}
		return s
	case in.Command != nil:
		return "command " + in.Command.Command.Name
	}
	return "message"
}

// text shows a value as JSON, cut after 160 bytes or so.
func text(v any) string {
	if m, ok := v.(map[string]any); ok && m == nil {
		return "{}"
	}
	s := string(messagebus.EncodeValue(nil, v))
	if len(s) <= 160 {
		return s
	}
	cut := 157
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
