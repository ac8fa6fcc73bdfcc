// Package activity owns what one message does to one thread, and which effects follow: Activity, Thread, Message, Effect,
// Behavior, Step, the router from events to threads, and the table of lifecycle transitions.
//
// Room: pure.
package activity
