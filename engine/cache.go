package engine

import (
	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
)

// threadCache keeps the live threads of domains lately in use, so that a hot thread costs no read. It is bounded in bytes, belongs to the loop,
// and is always what the store will hold once the turn is committed: a failed commit ends the process.
type threadCache struct {
	max, used int64
	entries   map[string]*cached
	newest    *cached // ends of a ring: newest.next is older, newest.prev the oldest
}

// cached are the live threads of one domain, ascending by activity; none is worth remembering too.
type cached struct {
	domain     string
	threads    []activity.Thread
	bytes      int64
	prev, next *cached
}

func newThreadCache(max int64) *threadCache {
	return &threadCache{max: max, entries: map[string]*cached{}}
}

// live returns the live threads of a domain, out of the cache or the store. The slice is not to be written into.
func (c *threadCache) live(s *store.Store, slot uint16, domain string) ([]activity.Thread, error) {
	if e := c.entries[domain]; e != nil {
		c.unlink(e)
		c.link(e)
		return e.threads, nil
	}
	threads, err := s.LiveThreads(slot, domain, nil)
	if err != nil {
		return nil, err
	}
	e := &cached{domain: domain, threads: threads}
	c.entries[domain] = e
	c.link(e)
	c.weigh(e)
	return threads, nil
}

// put notes what a thread has become; only domains that the cache holds are noted.
func (c *threadCache) put(th *activity.Thread) {
	e := c.entries[th.ID.Domain]
	if e == nil {
		return
	}
	at := 0
	for at < len(e.threads) && e.threads[at].ID.Activity < th.ID.Activity {
		at++
	}
	found := at < len(e.threads) && e.threads[at].ID.Activity == th.ID.Activity
	switch {
	case th.Status.Live() && found:
		e.threads[at] = *th
	case th.Status.Live():
		e.threads = append(e.threads, activity.Thread{})
		copy(e.threads[at+1:], e.threads[at:])
		e.threads[at] = *th
	case found:
		e.threads = append(e.threads[:at], e.threads[at+1:]...)
	}
	c.weigh(e)
}

// weigh counts an entry anew and drops the oldest ones until the bound holds.
func (c *threadCache) weigh(e *cached) {
	bytes := int64(200 + 2*len(e.domain))
	for i := range e.threads {
		bytes += threadBytes(&e.threads[i])
	}
	c.used += bytes - e.bytes
	e.bytes = bytes
	for c.used > c.max && len(c.entries) > 0 {
		oldest := c.newest.prev
		c.unlink(oldest)
		delete(c.entries, oldest.domain)
		c.used -= oldest.bytes
	}
}

func (c *threadCache) link(e *cached) {
	if c.newest == nil {
		e.prev, e.next = e, e
	} else {
		e.next, e.prev = c.newest, c.newest.prev
		e.prev.next, e.next.prev = e, e
	}
	c.newest = e
}

func (c *threadCache) unlink(e *cached) {
	if e.next == e {
		c.newest = nil
		return
	}
	e.prev.next, e.next.prev = e.next, e.prev
	if c.newest == e {
		c.newest = e.next
	}
}

// threadBytes estimates what a thread takes in memory.
func threadBytes(th *activity.Thread) int64 {
	n := 320 + len(th.ID.Domain) + len(th.Version) + len(th.Action) + len(th.Reason) + len(th.Error) + 8*len(th.Requests) + len(th.Unknown)
	for i := range th.Vars {
		n += 40 + len(th.Vars[i].Name) + valueBytes(th.Vars[i].Value)
	}
	return int64(n)
}

func valueBytes(v any) int {
	switch v := v.(type) {
	case string:
		return 16 + len(v)
	case []any:
		n := 24
		for _, item := range v {
			n += 16 + valueBytes(item)
		}
		return n
	case map[string]any:
		n := 48
		for k, item := range v {
			n += 64 + len(k) + valueBytes(item)
		}
		return n
	case map[any]any:
		n := 48
		for k, item := range v {
			n += 80 + valueBytes(k) + valueBytes(item)
		}
		return n
	}
	return 16
}
