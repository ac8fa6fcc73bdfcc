package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func runTestCommand(args ...string) (out string, code int) {
	var buffer bytes.Buffer
	c := newTestCommand()
	c.SetOut(&buffer)
	c.SetErr(&buffer)
	c.SetArgs(args)
	err := c.Execute()
	var failure interface{ ExitCode() int }
	if errors.As(err, &failure) {
		return buffer.String(), failure.ExitCode()
	}
	if err != nil {
		return buffer.String(), -1
	}
	return buffer.String(), 0
}

func TestTestCommand(t *testing.T) {
	coupon := filepath.Join("..", "..", "examples", "coupon")
	dir := t.TempDir()
	flow, err := os.ReadFile(filepath.Join(coupon, "coupon.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	with, err := os.ReadFile(filepath.Join(coupon, "weftbox.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		"coupon.yaml": string(flow), "weftbox.yaml": string(with),
		"bad_test.yaml":   "flow: coupon.yaml\nscenarios:\n  - name: wrong\n    steps:\n      - expect: {threads: 1}\n",
		"typo_test.yaml":  "flow: coupon.yaml\nscenarios:\n  - name: wrong\n    steps:\n      - expect: {thread: 1}\n",
		"empty/text.yaml": "a: 1",
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{coupon, "--run", "两天"}, 0, "ok   coupon  1 scenario ("},
		{[]string{coupon, "--run", "两天", "--crash"}, 0, "ok   coupon  1 scenario ("},
		{[]string{coupon, "--run", "两天", "-v"}, 0, `→ asks push {"content":"您有一张优惠券`},
		{[]string{coupon, "--run", "两天", "--format", "json"}, 0, `"scenarios": 1`},
		{[]string{coupon, "--run", "两天", "--format", "junit"}, 0, `<testsuite `},
		{[]string{filepath.Join(dir, "bad_test.yaml")}, 1, "bad_test.yaml:5:9: expect\n    threads: expected 1, is 0\n"},
		{[]string{filepath.Join(dir, "typo_test.yaml")}, 1, `typo_test.yaml:5:18: WB3002 expect has no key "thread"`},
		{[]string{dir}, 1, "2 of what was tested failed"},
		{[]string{filepath.Join(dir, "empty")}, 2, "holds no scenario file"},
		{[]string{filepath.Join(dir, "none")}, 2, "no such file"},
		{[]string{coupon, "--run", "("}, 2, "--run: "},
		{[]string{coupon, "--run", "no such name"}, 2, "no scenario has a name"},
		{[]string{coupon, "--format", "xml"}, 2, "choose text, json, junit"},
	} {
		if out, code := runTestCommand(c.args...); code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("weftbox test %v: expected exit code %d and %q, got %d and\n%s", c.args, c.code, c.want, code, out)
		}
	}
}
