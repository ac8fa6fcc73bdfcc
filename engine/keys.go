package engine

// keyBuckets remembers which day's idempotency keys are dropped already.
type keyBuckets struct{ dropped uint32 }

// forget drops the buckets of keys older than yesterday, once a day, with one range a slot. It is part of the turn's batch.
func (t *turn) forget() {
	day := uint32(t.nowMs / dayMs)
	if day == 0 || t.e.known.dropped >= day-1 {
		return
	}
	for slot := range t.e.slots {
		t.batch.Begin(uint16(slot))
		t.batch.DropKeys(day - 1)
	}
	t.e.known.dropped = day - 1
}
