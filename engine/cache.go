package engine

import (
	"slices"
	"sort"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/store"
)

// threadCache keeps the live threads of domains lately in use, so that a hot thread costs no read. It is bounded in bytes, belongs to a lane,
// and is always what the store will hold once the turn is committed: a failed commit ends the process. What has not been used since it was
// looked at last is dropped first, so that a use costs a mark and no new place in a list.
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
	hot        bool    // used since it became the newest
	prev, next *cached // nil: it was dropped
}

func newThreadCache(max int64) *threadCache {
	return &threadCache{max: max, entries: map[string]*cached{}}
}

// live returns the live threads of a domain, out of the cache or the store. They are written into by put only.
func (c *threadCache) live(s *store.Store, slot uint16, domain string) (*cached, error) {
	if e := c.entries[domain]; e != nil {
		e.hot = true
		return e, nil
	}
	threads, err := s.LiveThreads(slot, domain, nil)
	if err != nil {
		return nil, err
	}
	e := &cached{domain: domain, threads: threads}
	bytes := int64(200 + 2*len(domain))
	for i := range threads {
		bytes += threadBytes(&threads[i])
	}
	c.entries[domain] = e
	c.link(e)
	c.grow(e, bytes)
	return e, nil
}

// find returns the place of an activity's thread.
func (e *cached) find(number uint32) (at int, ok bool) {
	at = sort.Search(len(e.threads), func(i int) bool { return e.threads[i].ID.Activity >= number })
	return at, at < len(e.threads) && e.threads[at].ID.Activity == number
}

// put notes what a thread of an entry has become.
func (c *threadCache) put(e *cached, th *activity.Thread) {
	at, found := e.find(th.ID.Activity)
	grown := int64(0)
	if found {
		grown -= threadBytes(&e.threads[at])
	}
	switch {
	case th.Status.Live() && found:
		e.threads[at] = *th
	case th.Status.Live():
		e.threads = slices.Insert(e.threads, at, *th)
	case found:
		e.threads = slices.Delete(e.threads, at, at+1)
	}
	if th.Status.Live() {
		grown += threadBytes(th)
	}
	c.grow(e, grown)
}

// grow counts an entry's bytes and drops old ones until the bound holds.
func (c *threadCache) grow(e *cached, bytes int64) {
	if e.next == nil {
		return
	}
	e.bytes += bytes
	for c.used += bytes; c.used > c.max && c.newest != nil; {
		oldest := c.newest.prev
		if oldest.hot {
			oldest.hot = false
			c.newest = oldest // in a ring that is all it takes
			continue
		}
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
	} else {
		e.prev.next, e.next.prev = e.next, e.prev
		if c.newest == e {
			c.newest = e.next
		}
	}
	e.prev, e.next = nil, nil
}

// threadBytes estimates what a thread takes in memory.
func threadBytes(th *activity.Thread) int64 {
	n := 320 + len(th.ID.Domain) + len(th.Version) + len(th.Action) + len(th.Reason) + len(th.Error) + 8*len(th.Requests) + 48*len(th.Parts) + len(th.Unknown)
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
