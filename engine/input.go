package engine

import (
	"errors"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/messagebus"
)

var errStopping = errors.New("the node is stopping: repeat the message")

// ErrBusy says that too much waits already.
var ErrBusy = errors.New("too many commands wait: try again")

// maxInbox bounds what callers may have waiting; the relay's results come on top: it begins no request while too many bytes of them wait.
const maxInbox = 10_000

// input is what reaches the loop other than by a consumer: a caller's command or what the relay delivered.
type input struct {
	record    *messagebus.Record // a command or, in tests, any record
	delivered *delivered
	letters   *letterOp // dead letters to be replayed or deleted
	job       *jobOp    // of a batch job
	mail      *mailbag  // what threads sent to threads
}

func (in *input) refuse(err error) {
	if in.record != nil && in.record.Answer != nil {
		in.record.Answer(messagebus.Answer{Err: err})
	}
	if in.letters != nil {
		in.letters.answer(nil, err)
	}
	if in.job != nil {
		in.job.answer(err)
	}
}

// delivered is a batch that a destination took: its outbox rows are deleted and its replies applied in one turn.
type delivered struct {
	destination uint32
	rows        []sentRow
	replies     []messagebus.Incoming
	bytes       int // of the replies
}

type sentRow struct {
	slot uint16
	seq  uint64
}

// Submit hands a record to the next turn; its Answer is called after the commit.
func (e *Engine) Submit(r *messagebus.Record) error {
	return e.put(input{record: r}, maxInbox)
}

func (e *Engine) put(in input, bound int) error {
	e.mu.Lock()
	if e.stopped {
		e.mu.Unlock()
		return errStopping
	}
	if bound > 0 && len(e.inbox) >= bound {
		e.mu.Unlock()
		return ErrBusy
	}
	e.inbox = append(e.inbox, in)
	e.mu.Unlock()
	e.poke()
	return nil
}

// Command gives a thread a command ("pause", "resume", "kill") and calls answer after the commit.
func (e *Engine) Command(id activity.ID, c activity.Command, answer func(messagebus.Answer)) error {
	return e.Submit(&messagebus.Record{Source: "api", Incoming: messagebus.Incoming{Command: &messagebus.Command{ID: id, Command: c}}, Answer: answer})
}

// takeInbox returns what waits, the oldest first, as much as a turn may take of it, and what is left of the bytes: the rest comes with the next turns.
func (e *Engine) takeInbox(maxMessages, maxBytes int) ([]input, int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := 0
	for ; n < len(e.inbox) && maxMessages > 0 && maxBytes > 0; n++ {
		maxMessages--
		if d := e.inbox[n].delivered; d != nil {
			maxMessages -= len(d.replies)
			maxBytes -= d.bytes
		}
		if m := e.inbox[n].mail; m != nil {
			maxMessages -= len(m.rows)
			maxBytes -= m.bytes
		}
	}
	taken := e.inbox[:n:n]
	e.inbox = e.inbox[n:]
	if len(e.inbox) == 0 {
		e.inbox = nil
	}
	return taken, maxBytes
}
