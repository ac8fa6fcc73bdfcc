package groupbuying_test

import (
	"testing"

	"github.com/weftbox/weftbox/engine/sim/scenario"
)

// TestScenarios lives every story through twice: undisturbed, and with the power cut after every step and turn, and between two slots of a commit.
func TestScenarios(t *testing.T) {
	for _, wrong := range scenario.Verify("group_test.yaml") {
		t.Error(wrong)
	}
}
