// Package groupbuying owns the group-buying story (拼团): two flows whose threads talk to each other, what they stand on, and the scenarios that
// say what must follow.
//
// Room: door.
package groupbuying

import _ "embed"

// Group is the text of group.yaml, Member that of member.yaml.
var (
	//go:embed group.yaml
	Group []byte
	//go:embed member.yaml
	Member []byte
)
