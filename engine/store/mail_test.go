package store

import (
	"reflect"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weftbox/weftbox/activity"
)

// TestKeptMailRoundTrip: since when a message is kept and of whom lies in its row; rows come in their order, whatever their top bits.
func TestKeptMailRoundTrip(t *testing.T) {
	s, err := Open("store", Options{FS: vfs.NewMem(), Slots: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	id := activity.ID{Activity: 1, Domain: "u"}
	event := activity.Carried{Event: &activity.Event{Type: "e"}, Strategies: []string{"s"}}
	want := []Mail{{N: 3, Message: event}, {N: 1<<48 | 9, Message: event, KeptMs: 5, KeptRun: 7}, {N: 0xFFFF<<48 | 1, Message: event, KeptMs: 1 << 50, KeptRun: 1 << 60}}
	b := s.NewBatch()
	defer b.Close()
	b.Begin(2)
	for _, i := range []int{2, 0, 1} {
		b.PutMail(id, want[i])
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	got, err := s.MailAfter(2, id, 0, 10)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("expected %+v, got %+v, %v", want, got, err)
	}
	if got, err = s.MailAfter(2, id, 1<<48|9, 10); err != nil || len(got) != 1 || got[0].N != want[2].N {
		t.Errorf("after the second row: expected the third only, got %+v, %v", got, err)
	}
}
