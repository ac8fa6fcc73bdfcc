package engine

import (
	"fmt"
	"testing"

	"github.com/weftbox/weftbox/messagebus"
	"github.com/weftbox/weftbox/messagebus/mem"
)

// forgetful is a consumer that starts at the beginning whatever it is told: what a bus does whose position was lost.
type forgetful struct{ *mem.Consumer }

func (f forgetful) Seek(uint64) error { return f.Consumer.Seek(1) }

func hit(user string, n int) []byte {
	return fmt.Appendf(nil, `{"type":"hit","attr":{"user":%q,"i":%d}}`, user, n)
}

func TestReadPositionIsCommittedWithItsEffect(t *testing.T) {
	log := mem.NewLog()
	r, n := counter(t, log.Consumer("mem/orders"))
	for i := range 10 {
		log.Append(hit("u", i), startMs)
	}
	log.Append([]byte(`{"type":`), startMs)
	r.quiet()
	r.is(n, "u", "waiting wait n=10")
	consumer := log.Consumer("mem/orders")
	r.feeds = []messagebus.Consumer{consumer}
	r.restart()
	log.Append(hit("u", 10), startMs)
	records, err := r.e.sources[0].consumer.Poll(10, 1<<20)
	r.must(err)
	if len(records) != 1 || records[0].Position != 12 {
		t.Fatalf("after a restart %d records are read, want 1, at position 12", len(records))
	}
	letters, err := r.e.DeadLetters(10)
	r.must(err)
	if len(letters) != 1 || letters[0].Reason != "decode" || string(letters[0].Message) != `{"type":` {
		t.Errorf("the dead letters are %+v, want the record that could not be decoded", letters)
	}
}

func TestRecordsReadAgainAreDroppedByTheirSlots(t *testing.T) {
	log := mem.NewLog()
	r, n := counter(t, log.Consumer("mem/orders"))
	for i := range 30 {
		log.Append(hit(fmt.Sprint("u", i%3), i), startMs)
	}
	r.quiet()
	r.feeds = []messagebus.Consumer{forgetful{log.Consumer("mem/orders")}}
	r.restart()
	for i := 30; i < 33; i++ {
		log.Append(hit(fmt.Sprint("u", i%3), i), startMs)
	}
	r.quiet()
	for i := range 3 {
		r.is(n, fmt.Sprint("u", i), "waiting wait n=11")
	}
}

// changing is a consumer that changes the metadata while it is asked.
type changing struct {
	*mem.Consumer
	change func()
}

func (c *changing) Poll(max, maxBytes int) ([]messagebus.Record, error) {
	if c.change != nil {
		c.change()
		c.change = nil
	}
	return c.Consumer.Poll(max, maxBytes)
}

// TestAMessageMeetsWhatWasThereBeforeIt: an activity that was put after a turn had begun, and before the turn read a message, gets the message.
func TestAMessageMeetsWhatWasThereBeforeIt(t *testing.T) {
	log := mem.NewLog()
	c := &changing{Consumer: log.Consumer("mem/orders")}
	r := newRig(t, c)
	r.strategy("user", `containsAttr("user")`, `eventAttr("user")`)
	var n uint32
	c.change = func() {
		n = r.flow(`
activity:
  name: late
  domain_id_strategy: user
  trigger: eventTypeIs("hit")
  actions:
    - name: wait
      type: receive
      args: [{when: 'false', then: finish()}]
`)
		log.Append(hit("u", 1), startMs)
	}
	r.quiet()
	r.is(n, "u", "waiting wait")
}
