package mem

import (
	"bytes"
	"context"
	"sync"

	"github.com/weftbox/weftbox/messagebus"
)

// Handler is a service inside the process: what Publish hands to it and gives back. It is called by many goroutines.
type Handler func(ctx context.Context, d messagebus.Destination, bodies [][]byte) ([]messagebus.Incoming, error)

// Batch is one call of Publish.
type Batch struct {
	Destination messagebus.Destination
	Bodies      [][]byte
}

// Producer hands bodies to a Handler, or keeps them when it has none. It is safe for concurrent use.
type Producer struct {
	handler Handler

	mu      sync.Mutex
	batches []Batch
}

// NewProducer returns a producer for h; with a nil h what is published is kept for Batches, answered by nobody.
func NewProducer(h Handler) *Producer { return &Producer{handler: h} }

// Publish hands the bodies on; they are valid during the call only.
func (p *Producer) Publish(ctx context.Context, d messagebus.Destination, bodies [][]byte) ([]messagebus.Incoming, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(bodies) == 0 {
		return nil, nil
	}
	if p.handler != nil {
		return p.handler(ctx, d, bodies)
	}
	kept := make([][]byte, len(bodies))
	for i, b := range bodies {
		kept[i] = bytes.Clone(b)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.batches = append(p.batches, Batch{d, kept})
	return nil, nil
}

// Batches returns what was published and not taken before, oldest first, and forgets it.
func (p *Producer) Batches() []Batch {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.batches
	p.batches = nil
	return out
}
