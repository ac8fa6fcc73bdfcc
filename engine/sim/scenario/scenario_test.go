package scenario

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*_test.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("expected scenario files in testdata, found none (%v)", err)
	}
	lifecycle, err := filepath.Glob("testdata/lifecycle/*_test.yaml")
	if err != nil || len(lifecycle) == 0 {
		t.Fatalf("expected scenario files in testdata/lifecycle, found none (%v)", err)
	}
	for _, path := range append(files, lifecycle...) {
		t.Run(strings.TrimSuffix(filepath.Base(path), "_test.yaml"), func(t *testing.T) {
			for _, wrong := range Verify(path) {
				t.Error(wrong)
			}
		})
	}
}
