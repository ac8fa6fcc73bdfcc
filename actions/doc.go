// Package actions owns what each action type does when a thread enters it and when a message comes: one file per type, with its spec,
// doc, behavior and registration.
//
// Room: pure.
package actions
