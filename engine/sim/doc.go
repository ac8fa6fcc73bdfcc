// Package sim owns a node that lives in memory and is driven by hand: a World has real stores on a file system that can crash, a clock
// that only its owner turns, services that answer as told, and a record of all that happened. Nothing in it waits.
//
// Room: loop.
package sim
