// Package slots has no room.
package slots
