package engine

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/internal/fault"
)

// mailbox is what a turn does to the mail that waits for a thread. What was written in the turn no read can see, and what was deleted in it
// every read still sees: both are here.
type mailbox struct {
	fresh  []store.Mail        // rows written in this turn, by row
	gone   map[uint64]struct{} // rows of the store that were deleted, or replaced by a fresh one, in this turn
	handed uint64              // all rows of the store up to this one are gone; only while none is kept
	kept   bool                // rows were kept at some time of the turn: handed says nothing
	closed bool                // what is in the store is gone as a whole
	again  bool                // the message in hand stays
	plain  bool                // and is not kept but parked
}

// empty forgets everything: the rows are deleted by one range.
func (b *mailbox) empty() { *b = mailbox{closed: true} }

// remove takes a row away.
func (b *mailbox) remove(row uint64) {
	b.fresh = slices.DeleteFunc(b.fresh, func(m store.Mail) bool { return m.N == row })
	if b.gone == nil {
		b.gone = map[uint64]struct{}{}
	}
	b.gone[row] = struct{}{}
	b.handed = max(b.handed, row)
}

func (b *mailbox) add(m store.Mail) {
	i, found := slices.BinarySearchFunc(b.fresh, m.N, func(x store.Mail, row uint64) int { return cmp.Compare(x.N, row) })
	if found {
		b.fresh[i] = m
		return
	}
	b.fresh = slices.Insert(b.fresh, i, m)
}

// stepThread gives a thread its mail: commands first, then replies and alarms, then events, one by one as if each had a turn; mail that was
// parked for it comes as soon as it can be taken.
func (l *lane) stepThread(w *slotWork, tw *threadWork) error {
	tw.box.kept = tw.now.Kept > 0
	for class := range tw.mail {
		if activity.Class(class) == activity.ClassReply { // commands come first
			if err := l.wake(w, tw); err != nil {
				return err
			}
		}
		for i := range tw.mail[class] {
			if err := l.makeRoom(w, tw); err != nil {
				return err
			}
			l.stepOne(w, tw, tw.mail[class][i])
			if err := l.unpark(w, tw); err != nil {
				return err
			}
		}
	}
	return nil
}

func (tw *threadWork) takesMail() bool { return activity.TakesMail(tw.activity, &tw.now) }

// mailChunk is how many rows are read at once: one that makes the thread yield again leaves the rest for later.
const mailChunk = 32

// unpark hands over mail while the thread can take it, in the order of the rows: a thread that waits does, and so does the trigger when the
// thread has ended. What a visit does not want, and "$mailbox" keeps, is offered again to the next visit.
func (l *lane) unpark(w *slotWork, tw *threadWork) error {
	for tw.now.Unoffered() && tw.takesMail() {
		mail, err := l.waiting(w, tw)
		if err != nil {
			return err
		}
		if len(mail) == 0 {
			if tw.now.Parked > tw.now.Kept {
				return fmt.Errorf("slot %d: %d parked messages of %q are missing", w.slot, tw.now.Parked-tw.now.Kept, tw.id.Domain)
			}
			tw.now.Seen, tw.dirty = activity.SeenAll, true
			return nil
		}
		if fault.On("parked-reordered") {
			slices.Reverse(mail)
		}
		l.handOver(w, tw, mail)
	}
	if tw.now.Parked == 0 {
		tw.now.Seen = 0
	}
	return nil
}

// waiting returns the next rows that the present visit was not offered, in order.
func (l *lane) waiting(w *slotWork, tw *threadWork) ([]store.Mail, error) {
	b := &tw.box
	after := tw.now.Seen
	if !b.kept {
		after = max(after, b.handed)
	}
	var old []store.Mail
	more := !b.closed
	for more {
		rows, err := l.e.store.MailAfter(w.slot, tw.id, after, mailChunk)
		if err != nil {
			return nil, err
		}
		if more = len(rows) == mailChunk; more {
			after = rows[mailChunk-1].N
		}
		if old = slices.DeleteFunc(rows, func(m store.Mail) bool { _, gone := b.gone[m.N]; return gone }); len(old) > 0 {
			break
		}
	}
	last := uint64(activity.SeenAll)
	if more { // what was written in this turn waits for what the store still has before it
		last = after
	}
	for _, m := range b.fresh {
		if m.N > tw.now.Seen && m.N <= last {
			old = append(old, m)
		}
	}
	slices.SortFunc(old, func(a, b store.Mail) int { return cmp.Compare(a.N, b.N) })
	return old, nil
}

// handOver gives messages to the thread while it takes them and stays where it is: from another visit on all that is kept is offered anew.
func (l *lane) handOver(w *slotWork, tw *threadWork, mail []store.Mail) {
	for _, m := range mail {
		if !tw.takesMail() {
			return
		}
		run, visit := tw.now.Run, tw.now.Visit
		tw.now.Parked--
		tw.dirty = true
		if m.KeptMs != 0 && l.outlived(tw, &m) {
			l.drop(tw, &m)
			continue
		}
		if m.KeptMs != 0 {
			tw.now.Kept--
		}
		tw.box.again = false
		l.stepOne(w, tw, delivery{number: l.t.number(w.slot), message: m.Message, row: m.N})
		switch {
		case !tw.box.again:
			l.batch.DeleteMail(tw.id, m.N)
			tw.box.remove(m.N)
		case tw.box.plain && m.KeptMs != 0:
			m.KeptMs, m.KeptRun = 0, 0
			l.batch.PutMail(tw.id, m)
			tw.box.remove(m.N)
			tw.box.add(m)
		case !tw.box.plain && m.KeptMs == 0:
			l.keep(w, tw, store.Mail{N: m.N, Message: m.Message})
		}
		if tw.now.Run != run || tw.now.Visit != visit {
			return
		}
	}
}

// outlived reports whether a kept message is nobody's any more: its thread has ended, or it was kept for too long.
func (l *lane) outlived(tw *threadWork, m *store.Mail) bool {
	if !tw.now.Status.Live() || tw.now.Run != m.KeptRun {
		return true
	}
	tw.now.Kept--
	if b := tw.activity.Versions[tw.now.Version]; b != nil && l.t.nowMs-m.KeptMs >= b.Settings.Mailbox.TTLMs && b.Settings.Mailbox.Keep {
		return true
	}
	tw.now.Kept++
	return false
}

// drop forgets a kept message.
func (l *lane) drop(tw *threadWork, m *store.Mail) {
	l.batch.DeleteMail(tw.id, m.N)
	tw.box.remove(m.N)
	l.e.stats.Dropped.Add(1)
}

// park puts a message into the thread's mailbox; one that was handed over out of it stays where it is.
func (l *lane) park(w *slotWork, tw *threadWork, d *delivery, f *activity.Park) {
	switch {
	case d.row != 0 && d.row == f.Row:
		tw.box.again, tw.box.plain = true, !f.Kept
	case f.Kept:
		l.keep(w, tw, store.Mail{N: f.Row, Message: f.Message})
	default:
		m := store.Mail{N: f.Row, Message: f.Message}
		l.batch.PutMail(tw.id, m)
		tw.box.add(m)
		w.numbers = true
	}
}

// keep writes a message that the present visit did not want.
func (l *lane) keep(w *slotWork, tw *threadWork, m store.Mail) {
	m.KeptMs, m.KeptRun = l.t.nowMs, tw.now.Run
	l.batch.PutMail(tw.id, m)
	tw.box.remove(m.N)
	tw.box.add(m)
	tw.box.kept, w.numbers = true, true
	if tw.now.Kept == 1 && tw.now.KeptSince == 0 {
		tw.now.KeptSince = l.t.nowMs
	}
}

// makeRoom drops what was kept for too long where the mailbox is full. It reads the mailbox only when something in it may have been kept for so long,
// and then to its end, wherever priorities have put that: either something goes, or it is known until when nothing will.
func (l *lane) makeRoom(w *slotWork, tw *threadWork) error {
	if tw.now.Kept == 0 || tw.now.Status != activity.Waiting {
		return nil
	}
	b := tw.activity.Versions[tw.now.Version]
	if b == nil || !b.Settings.Mailbox.Keep || int(tw.now.Kept) < b.Settings.Mailbox.Limit ||
		tw.now.KeptSince != 0 && l.t.nowMs-tw.now.KeptSince < b.Settings.Mailbox.TTLMs {
		return nil
	}
	seen, since := tw.now.Seen, l.t.nowMs
	tw.now.Seen, tw.dirty = 0, true
	for {
		mail, err := l.waiting(w, tw)
		if len(mail) == 0 || err != nil {
			tw.now.Seen, tw.now.KeptSince = seen, since
			return err
		}
		for i := range mail {
			m := &mail[i]
			switch {
			case m.KeptMs == 0:
			case l.outlived(tw, m):
				tw.now.Parked--
				l.drop(tw, m)
			default:
				since = min(since, m.KeptMs)
			}
		}
		tw.now.Seen = mail[len(mail)-1].N
	}
}
