package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

var program struct {
	once sync.Once
	dir  string
	err  error
	text []byte
}

// builtProgram returns the path of the program, built once for all tests that run it as a user does.
func builtProgram(t *testing.T) string {
	t.Helper()
	program.once.Do(func() {
		if program.dir, program.err = os.MkdirTemp("", "weftbox-program"); program.err == nil {
			program.text, program.err = exec.Command("go", "build", "-o", filepath.Join(program.dir, "weftbox"), ".").CombinedOutput()
		}
	})
	if program.err != nil {
		t.Fatalf("the program can not be built: %v\n%s", program.err, program.text)
	}
	return filepath.Join(program.dir, "weftbox")
}

func TestMain(m *testing.M) {
	code := m.Run()
	os.RemoveAll(program.dir)
	os.Exit(code)
}
