// Package definitions owns what a program is after it was checked: triggers, actions, clauses and settings, each with its
// line, and the Problems that checking finds. A Definition is immutable and compiled.
//
// Room: pure.
package definitions
