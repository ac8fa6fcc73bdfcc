package ownaction_test

import (
	"slices"
	"testing"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/sim/scenario"
	_ "github.com/weftbox/weftbox/examples/own-action"
)

func TestScenarios(t *testing.T) {
	if !slices.Contains(activity.Types(), "mask") {
		t.Fatal("expected the registry to know the type mask")
	}
	for _, wrong := range scenario.Verify("mask_test.yaml") {
		t.Error(wrong)
	}
}
