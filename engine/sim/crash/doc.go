// Package crash owns the proof by deaths: one node on a hand-turned clock, a disk that loses what was not synced, buses that lose and
// repeat, and services that delay, repeat, drop and answer late. The node dies inside file operations and at named points of the turn, and
// is compared with a model of its own after every death and at the end. One seed is one run.
//
// Room: loop.
package crash
