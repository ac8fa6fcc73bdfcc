package http

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/weftbox/weftbox/messagebus"
)

// TestQueueAgainstModel: whatever is put and taken, in lists of any size, comes out in order, once, within what was asked for, and is counted right.
func TestQueueAgainstModel(t *testing.T) {
	for seed := range uint64(200) {
		draw := rand.New(rand.NewPCG(seed, 1))
		o := Options{MaxQueueMessages: 60, MaxQueueBytes: 1 << 20, LowQueueMessages: 60, LowQueueBytes: 1 << 20}.withDefaults()
		q := newQueue(&o)
		var model []messagebus.Record
		put := 0
		for range 300 {
			if draw.IntN(2) == 0 {
				var records []messagebus.Record
				var sizes []int
				for range 1 + draw.IntN(11) {
					raw := strconv.Itoa(put + len(records))
					records = append(records, messagebus.Record{Raw: []byte(raw), Key: raw})
					sizes = append(sizes, len(raw))
				}
				err := q.put(records, sizes)
				if fits := len(model)+len(records) <= 60; fits != (err == nil) {
					t.Fatalf("seed %d: expected %d records beside %d to be taken: %v, got %v", seed, len(records), len(model), fits, err)
				}
				if err == nil {
					model = append(model, records...)
					put += len(records)
				}
			} else {
				most, mostBytes := draw.IntN(30), draw.IntN(80)
				want, bytes := 0, 0
				for want < len(model) && want < most {
					if bytes += len(model[want].Raw); want > 0 && bytes > mostBytes {
						break
					}
					want++
				}
				taken := q.take(most, mostBytes)
				if len(taken) != want {
					t.Fatalf("seed %d: take(%d, %d) of %d: expected %d records, got %d", seed, most, mostBytes, len(model), want, len(taken))
				}
				for i := range taken {
					if taken[i].Key != model[i].Key {
						t.Fatalf("seed %d: expected record %s, got %s", seed, model[i].Key, taken[i].Key)
					}
				}
				model = model[want:]
			}
			bytes := 0
			for i := range model {
				bytes += len(model[i].Raw)
			}
			if q.messages != len(model) || q.bytes != bytes || len(q.batches)-q.head > len(model) {
				t.Fatalf("seed %d: expected %d records of %d bytes to wait, got %d of %d in %d lists", seed, len(model), bytes, q.messages, q.bytes, len(q.batches)-q.head)
			}
		}
		rest := q.close()
		if len(rest) != len(model) || (len(rest) > 0 && rest[0].Key != model[0].Key) {
			t.Fatalf("seed %d: expected close to return the %d records that were not taken, got %d", seed, len(model), len(rest))
		}
	}
}
