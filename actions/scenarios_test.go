package actions_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine/sim/scenario"
)

// TestScenarios runs the scenario file of every action type; an action type without one is a fault.
func TestScenarios(t *testing.T) {
	for _, name := range append(activity.Types(), "service", "ctrl") {
		path := filepath.Join("testdata", name+"_test.yaml")
		if _, err := os.Stat(path); err != nil {
			t.Errorf("expected a scenario file %s for the action type %s: %v", path, name, err)
		}
	}
	files, err := filepath.Glob("testdata/*_test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), "_test.yaml"), func(t *testing.T) {
			for _, wrong := range scenario.Verify(path) {
				t.Error(wrong)
			}
		})
	}
}
