package sim

import (
	"fmt"
	"strings"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/messagebus"
)

// Note is one line of the story.
type Note struct {
	AtMs int64
	ID   activity.ID // the thread it is about; zero: the whole node
	Text string
}

// life is what was seen of one thread.
type life struct {
	last  activity.Thread // as of the last look
	run   uint64          // the number of the last run that was seen
	born  int             // how many runs there were
	fresh int             // births by verdict since a run was last seen
	calls int             // requests noted
}

func (w *World) note(id activity.ID, text string) {
	w.notes = append(w.notes, Note{AtMs: w.NowMs(), ID: id, Text: text})
}

func (w *World) watch(id activity.ID) *life {
	l := w.lives[id]
	if l == nil {
		l = &life{}
		w.lives[id] = l
		w.order = append(w.order, id)
	}
	return l
}

// look notes what has changed since the last look, and examines the stores.
func (w *World) look() error {
	for _, id := range w.order {
		l := w.lives[id]
		calls := 0
		for _, c := range w.services.calls {
			if c.Activity != id.Activity || c.Domain != id.Domain {
				continue
			}
			if calls++; calls > l.calls {
				w.note(id, "→ asks "+c.Service+" "+text(c.Args))
			}
		}
		l.calls = calls
		t, err := w.node.Thread(id, 0)
		if err != nil {
			return err
		}
		if t.Status == activity.Absent {
			continue
		}
		if t.Run != l.last.Run || t.Visit != l.last.Visit || t.Status != l.last.Status || t.Parked != l.last.Parked {
			w.note(id, "→ "+stand(&t, l.born))
		}
		l.last = t
	}
	return nil
}

// count counts the births of threads: those that verdicts tell of, and those out of parked mail, which leave no verdict. It is called
// after every turn, in which parked mail gives birth at most now and then.
func (w *World) count() {
	for _, id := range w.order {
		l := w.lives[id]
		t, err := w.node.Thread(id, 0)
		if err != nil {
			panic(&Fault{err})
		}
		if t.Run != l.run && t.Status != activity.Absent {
			l.born += max(l.fresh, 1)
			l.run = t.Run
		} else {
			l.born += l.fresh
		}
		l.fresh = 0
	}
}

// stand says where a thread stands.
func stand(t *activity.Thread, run int) string {
	s := t.Status.String() + " at " + t.Action
	if t.Status == activity.Failed {
		s += " because " + t.Reason
		if t.Error != "" {
			s += " (" + t.Error + ")"
		}
	}
	if run > 1 {
		s += fmt.Sprintf(", run %d", run)
	}
	if t.Parked > 0 {
		s += fmt.Sprintf(", %d messages parked", t.Parked)
	}
	var vars []string
	for _, v := range t.Vars {
		vars = append(vars, v.Name+": "+text(v.Value))
	}
	return s + " {" + strings.Join(vars, ", ") + "}"
}

// Notes returns the story so far.
func (w *World) Notes() []Note { return w.notes }

// Verdicts returns the verdict of every event, answer and command so far, in order. Alarms and parked mail leave none.
func (w *World) Verdicts() []messagebus.Verdict { return w.verdicts }

// Threads returns the addresses of all threads that a message concerned, in the order of their first message.
func (w *World) Threads() []activity.ID { return w.order }

// Run returns how many lives a thread has had, the present one included.
func (w *World) Run(id activity.ID) int {
	if l := w.lives[id]; l != nil {
		return l.born
	}
	return 0
}

// Note adds a line of the owner's to the story.
func (w *World) Note(text string) { w.note(activity.ID{}, text) }
