// Package fault owns the mistakes that are built in on purpose, to see that the tests find them. In a program built without the tag
// "faults" there are none: On is a constant and the branches behind it are compiled away. With the tag, the environment variable
// WEFTBOX_FAULT chooses one.
//
// Room: seam.
package fault

// Names are the faults that the code asks for, with what each does.
var names = []struct{ Name, What string }{
	{"ack-before-commit", "a record is answered before its turn is committed"},
	{"no-dedup-by-key", "an idempotency key that the slot knows is not looked at"},
	{"no-dedup-by-position", "a position that the slot has applied is applied again"},
	{"timers-apart", "alarm rows land in a second batch"},
	{"late-reply", "a reply to a request that is closed is accepted"},
	{"commit-without-sync", "a commit is answered before it is on disk"},
	{"position-ahead", "the read position lands in a batch of its own before the effects"},
	{"run-visit-ignored", "an alarm is honoured without being the row that its thread remembers"},
	{"outbox-early", "an outbox row is deleted although its delivery failed"},
	{"send-before-commit", "a request goes out before its turn is committed"},
	{"high-water-per-node", "the highest position applied in any slot counts for all"},
	{"counters-apart", "counters land in a second batch"},
	{"parked-reordered", "parked mail is handed over in the wrong order"},
	{"no-catch-up", "alarms do not wait for a source that is behind"},
	{"mail-no-catch-up", "alarms do not wait for what threads had sent to threads when the node started"},
	{"key-apart", "an idempotency key lands in a second batch"},
	{"slots-as-one", "what one slot knows of a record counts for all its slots"},
	{"numbers-apart", "a slot's numbers land in a second batch, so that request ids are given twice"},
	{"cursor-ahead", "the timer cursor passes alarms that the turn did not take"},
	{"requests-apart", "open requests land in a second batch"},
	{"threads-apart", "threads land in a second batch"},
	{"tell-before-wait", "an applied turn is answered before it is on disk"},
	{"tell-two-at-once", "when one turn is on disk, the one applied after it is answered too"},
	{"tell-after-failure", "a turn whose sync failed is told, and so are those that stand on it"},
	{"send-before-sync", "the relay sends what an applied turn asks for before that turn is on disk"},
	{"read-before-sync", "a caller is shown what a turn wrote that is not on disk yet"},
	{"letters-apart", "dead letters land in a second batch"},
	{"poison-kept", "what a message did to its thread before it became a dead letter stays"},
	{"mail-no-high-water", "what a thread sent to a thread is applied again when it comes again"},
	{"mail-deleted-early", "what a thread sent to a thread leaves the outbox before the receiver's turn is on disk"},
	{"reply-dropped", "what a service answers in the body is lost, the outbox row is deleted"},
}

// Names lists the faults.
func Names() []string {
	out := make([]string, len(names))
	for i := range names {
		out[i] = names[i].Name
	}
	return out
}
