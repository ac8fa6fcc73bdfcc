package engine

import (
	"errors"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
	"github.com/weftbox/weftbox/slots"
)

// Story is all that is known of one run of a thread.
type Story struct {
	Thread   activity.Thread // Status Absent: there is none, live or remembered
	Lines    []store.Line    // what became of its last messages, oldest first; none unless "$verdicts" is on
	Full     bool            // there are as many lines as are kept: older ones may be gone
	Requests []store.Request // that it waits for
	Letters  []store.DeadLetter
	More     bool              // there may be more dead letters
	Ended    []activity.Thread // runs of the address that have ended, oldest first, at most 10
}

// Bounds of a story.
const (
	storyLetters = 20
	storyRuns    = 10
)

// Story reads what is known of a thread: of its live run, else of the last ended one; with run of another. Safe for concurrent use; only synced
// state is seen.
func (e *Engine) Story(id activity.ID, run uint64) (s Story, err error) {
	defer func() { err = errors.Join(err, e.store.Barrier()) }()
	slot := slots.Of(id.Domain, uint16(len(e.slots)))
	if s.Thread, err = e.readThread(id, run); err != nil {
		return s, err
	}
	if s.Thread.Status != activity.Absent {
		if s.Lines, err = e.store.Lines(slot, id, s.Thread.Run); err != nil {
			return s, err
		}
		s.Full = len(s.Lines) >= maxLines
		for _, seq := range s.Thread.Requests {
			r, ok, err := e.store.OpenRequest(slot, seq)
			if err != nil {
				return s, err
			}
			if ok {
				s.Requests = append(s.Requests, r)
			}
		}
	}
	ended, _, _, _, err := e.store.EndedAfter(slot, id.Activity, id.Domain, 0, storyRuns, storyRuns)
	if err != nil {
		return s, err
	}
	for i := range ended {
		if ended[i].ID == id {
			s.Ended = append(s.Ended, ended[i])
		}
	}
	f := store.DeadFilter{Activity: id.Activity, Domain: id.Domain, Slots: []uint16{slot}}
	s.Letters, _, s.More, err = e.store.FindDead(f, nil, storyLetters, maxLettersSeen)
	return s, err
}
