// Package api owns the management door: one table of operations, rendered as HTTP. It reads threads only through the engine and changes
// metadata only through the cache; the intake of events and replies belongs to package messagebus/http and is mounted here.
//
// Room: door.
package api
