package http

import (
	"fmt"
	nethttp "net/http"

	"github.com/weftbox/weftbox/messagebus"
)

// DiskLow is the problem with which events are refused while the disk is low.
func DiskLow(freeBytes, highBytes int64) *Problem {
	return &Problem{Status: nethttp.StatusServiceUnavailable, Code: "disk_low", Title: "The node's disk is almost full",
		Detail: fmt.Sprintf("%d MiB are free, events are taken again from %d MiB on; nothing of this request was taken: repeat it later. Answers of services and commands are taken at /v1/buses/{name}",
			freeBytes>>20, highBytes>>20), Retryable: true, RetryAfter: jitter(10)}
}

// eventsRefused returns why no event is taken now, nil when they are.
func (b *Bus) eventsRefused() *Problem {
	if b.o.RefuseEvents == nil {
		return nil
	}
	return b.o.RefuseEvents()
}

// itemsRefused is eventsRefused for a body of which an event is a part.
func (b *Bus) itemsRefused(items []messagebus.Incoming) *Problem {
	for i := range items {
		if items[i].Event != nil {
			return b.eventsRefused()
		}
	}
	return nil
}
