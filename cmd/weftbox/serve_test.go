package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// refused runs the program, which must end by itself, and returns its exit code and what it said.
func refused(t *testing.T, args ...string) (int, string) {
	t.Helper()
	c := exec.Command(builtProgram(t), args...)
	out, err := c.CombinedOutput()
	if err == nil {
		t.Fatalf("%v: expected an error, got %s", args, out)
	}
	return c.ProcessState.ExitCode(), string(out)
}

func TestServeRefuses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	addr := taken.Addr().String()
	ahead := t.TempDir()
	c := serveChild(t, nil, "--data", ahead, "--clock", "manual", "--random-ports")
	c.must(200, "POST", "/v1/clock/advance", `{"by":"2d"}`)
	inUse, text := refused(t, "serve", "--data", ahead, "--random-ports")
	if inUse != exitConflict || !strings.Contains(text, "used by another process") {
		t.Errorf("a directory in use: expected exit code %d and the reason, got %d %s", exitConflict, inUse, text)
	}
	c.signal(syscall.SIGTERM)
	nowhere := filepath.Join(t.TempDir(), "new")
	for _, r := range []struct {
		args  []string
		code  int
		parts []string
	}{
		{[]string{"--data", nowhere, "--http-addr", addr}, exitConflict, []string{addr + " is in use", "is free", "try:   weftbox serve --http-addr 127.0.0.1:"}},
		{[]string{"--data", nowhere, "--http-addr", "0.0.0.0:0"}, exitUsage, []string{"--insecure-listen"}},
		{[]string{"--data", nowhere, "--http-addr", ":0"}, exitUsage, []string{"--insecure-listen"}},
		{[]string{"--data", nowhere, "--http-addr", "127.0.0.1:0", "--admin-addr", "[::]:0"}, exitUsage, []string{"--insecure-listen"}},
		{[]string{"--data", nowhere, "--http-addr", "8420"}, exitUsage, []string{"HOST:PORT"}},
		{[]string{"--data", nowhere, "--clock", "sun"}, exitUsage, []string{"wall or manual"}},
		{[]string{"--data", nowhere, "--durability", "hope"}, exitUsage, []string{"sync, relaxed or memory"}},
		{[]string{"--data", nowhere, "--slots", "20000"}, exitUsage, []string{"16384"}},
		{[]string{"--dta", nowhere}, exitUsage, []string{"--dta", "try:   weftbox serve --help"}},
		{[]string{"--data", ahead, "--random-ports"}, exitConflict, []string{"ahead of this machine's clock", "try:   weftbox serve --clock manual"}},
		{[]string{"--data", ahead, "--random-ports", "--clock", "manual", "--slots", "7"}, exitConflict, []string{"256 slots"}},
	} {
		code, text := refused(t, append([]string{"serve"}, r.args...)...)
		for _, part := range r.parts {
			if code != r.code || !strings.Contains(text, part) {
				t.Errorf("serve %v: expected exit code %d and %q, got %d %s", r.args, r.code, part, code, text)
			}
		}
	}
	if _, err := os.Stat(nowhere); !os.IsNotExist(err) {
		t.Errorf("expected refused starts to leave no directory behind: %v", err)
	}
	c = serveChild(t, nil, "--data", ahead, "--clock", "manual", "--random-ports")
	if text := c.must(200, "POST", "/v1/clock/advance", `{"by":"0s"}`); !strings.Contains(text, `"fired":0`) {
		t.Errorf("expected the manual clock to go on where it stood, got %s", text)
	}
}

// TestServePrecedence: a flag wins over the environment, which wins over the default.
func TestServePrecedence(t *testing.T) {
	http, admin, other := freeAddr(t), freeAddr(t), freeAddr(t)
	data := t.TempDir()
	environment := []string{"WEFTBOX_HTTP_ADDR=" + http, "WEFTBOX_ADMIN_ADDR=" + admin, "WEFTBOX_DATA=" + data}
	c := serveChild(t, environment)
	if c.url != "http://"+http {
		t.Errorf("expected the address of the environment, %s, got %s", http, c.url)
	}
	if _, err := os.Stat(filepath.Join(data, "state")); err != nil {
		t.Errorf("expected the state in the directory of the environment: %v", err)
	}
	main := c.url
	c.url = "http://" + admin
	for path, status := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 200, "/version": 200, "/debug/pprof/goroutine?debug=1": 200, "/v1": 404} {
		c.must(status, "GET", path, "")
	}
	c.url = main
	if code := c.signal(syscall.SIGINT); code != 0 {
		t.Errorf("expected exit code 0 after SIGINT, got %d", code)
	}
	if c = serveChild(t, environment, "--http-addr", other, "--data", t.TempDir()); c.url != "http://"+other {
		t.Errorf("expected the address of the flag, %s, got %s", other, c.url)
	}
}

// TestServeFinishesWhatItTook: what was posted while the node is told to stop is either answered and there after the restart, or not answered.
func TestServeFinishesWhatItTook(t *testing.T) {
	dir := t.TempDir()
	c := serveChild(t, nil, "--data", dir, "--clock", "manual", "--random-ports")
	silentOne := newService(t, silent)
	prepare(c, silentOne, silentOne)
	c.must(201, "POST", "/v1/activities", `{"name":"autumn","definition":"coupon"}`)
	c.view("1", "1")
	go c.cmd.Process.Signal(syscall.SIGTERM)
	<-c.exited
	if code := c.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("expected exit code 0, got %d: %s", code, c.stderr)
	}
	c = serveChild(t, nil, "--data", dir, "--clock", "manual", "--random-ports")
	c.thread("autumn", "1_1", "waiting", "waiting_visit_event")
}

func TestServeInMemoryLeavesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none")
	c := serveChild(t, nil, "--data", dir, "--durability", "memory", "--random-ports")
	c.must(201, "POST", "/v1/services", `{"name":"push","url":"http://127.0.0.1:1/"}`)
	c.signal(syscall.SIGTERM)
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("expected nothing on disk: %v", err)
	}
}
