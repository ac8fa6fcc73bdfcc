package load

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// day is how long the alarms of scenario timers wait.
const day = 24 * time.Hour

// alarmRounds lets the alarms of all threads become due at once, again and again.
func (b *bench) alarmRounds(ctx context.Context) error {
	first, err := b.d.usage(ctx)
	if err != nil {
		return err
	}
	b.r.RSSBytes, b.r.DiskBytesPerThread = first.rssBytes, float64(first.diskBytes-b.base.diskBytes)/float64(b.o.Threads)
	for round := range b.o.Rounds {
		b.o.say("%s: round %d of %d", b.s.name, round+1, b.o.Rounds)
		if err := b.alarmRound(ctx, round); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) alarmRound(ctx context.Context, round int) error {
	if round > 0 { // all threads rest: an event leads each back to the wait with an alarm
		b.w.everyUser("again", false)
		t := b.traffic(b.o.Threads)
		t.rate, t.limit = 0, time.Hour
		if _, err := b.drive(ctx, t); err != nil {
			return err
		}
	}
	before, err := b.d.usage(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	fired, err := b.d.advance(ctx, day)
	took := time.Since(began)
	if err != nil {
		return err
	}
	b.r.Sent += int64(b.o.Threads)
	if fired != int64(b.o.Threads) && (b.w.tag == "" || fired < int64(b.o.Threads)) { // a running node may have alarms of others, too
		return fmt.Errorf("%d alarms were due and %d fired", b.o.Threads, fired)
	}
	after, err := b.d.usage(ctx)
	if err != nil {
		return err
	}
	p := &phase{took: took}
	b.add(p, int(fired), before, after)
	if b.top == nil {
		if err := b.openTop(ctx, after.wrote.since(before.wrote).over(b.o.Threads)); err != nil {
			return err
		}
	}
	return b.replay(ctx, p, int(fired), after.turns-before.turns)
}

// readers is how many threads are read at once: over HTTP each read is a request.
const readers = 8

// books reads every thread that an event was sent to and compares what it counted.
func (b *bench) books(ctx context.Context) error {
	var mu sync.Mutex
	var failed error
	var wg sync.WaitGroup
	for part := range readers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			found, err := b.booksOf(ctx, part)
			mu.Lock()
			defer mu.Unlock()
			b.r.Applied += found
			if failed == nil {
				failed = err
			}
		}()
	}
	wg.Wait()
	if failed != nil {
		return failed
	}
	if !b.s.alarms {
		b.r.Sent = b.w.total()
	}
	if b.r.Sent != b.r.Applied {
		return fmt.Errorf("%d events were sent, %d are found in the threads", b.r.Sent, b.r.Applied)
	}
	u, err := b.d.usage(ctx)
	if err == nil && u.deadLetters != b.base.deadLetters {
		err = fmt.Errorf("%d messages became dead letters", u.deadLetters-b.base.deadLetters)
	}
	return err
}

// booksOf reads every readers-th user's threads.
func (b *bench) booksOf(ctx context.Context, part int) (found int64, err error) {
	for user := part; user < len(b.w.sent); user += readers {
		if err := ctx.Err(); err != nil {
			return found, err
		}
		h := hit{uint32(user), b.w.sent[user]}
		if b.s.alarms {
			n, err := b.expect(ctx, h, "rest", 1+int64(b.o.Rounds))
			if err != nil {
				return found, err
			}
			found += n - 1 // one is the birth's
			continue
		}
		n, err := b.expect(ctx, h, b.s.endsAt(h), b.s.countOf(h))
		if err != nil {
			return found, err
		}
		found += n
		for b.s.rowBefore != nil {
			previous, action, count, ok := b.s.rowBefore(h)
			if !ok {
				break
			}
			n, err := b.expect(ctx, previous, action, count)
			if err != nil {
				return found, err
			}
			found += n
			h = previous
		}
	}
	return found, nil
}

func (b *bench) expect(ctx context.Context, h hit, action string, count int64) (int64, error) {
	domain := b.s.domain(h)
	th, err := b.d.thread(ctx, domain)
	if err != nil {
		return 0, err
	}
	if th.status != "waiting" || th.action != action || th.count != count {
		return 0, fmt.Errorf("thread %s is %s at %q with %s = %d, expected waiting at %q with %d", domain, th.status, th.action, b.s.count, th.count, action, count)
	}
	return th.count, nil
}
