// Package coupon owns the coupon story: the flow, its strategy, services and activity, three views to begin with, and the scenarios that
// say what must follow. Its files are read from disk by people and embedded for the demo.
//
// Room: door.
package coupon

import _ "embed"

// Definition is the text of coupon.yaml.
//
//go:embed coupon.yaml
var Definition []byte
