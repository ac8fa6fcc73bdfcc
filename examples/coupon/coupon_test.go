package coupon_test

import (
	"testing"

	"github.com/weftbox/weftbox/engine/sim/scenario"
)

func TestScenarios(t *testing.T) {
	for _, wrong := range scenario.Verify("coupon_test.yaml") {
		t.Error(wrong)
	}
}
