package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// tell runs the demo in a folder of its own and returns what it printed.
func tell(t *testing.T, args ...string) string {
	t.Helper()
	c := exec.Command(builtProgram(t), append([]string{"demo"}, args...)...)
	c.Dir = t.TempDir()
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		t.Fatalf("demo %v: %v\n%s%s", args, err, out.String(), errs.String())
	}
	return out.String()
}

// inOrder checks that the text has lines that match the patterns, one after the other.
func inOrder(t *testing.T, text string, patterns ...string) {
	t.Helper()
	rest := text
	for _, p := range patterns {
		at := regexp.MustCompile("(?m)" + p).FindStringIndex(rest)
		if at == nil {
			t.Fatalf("nothing matches %q in the rest of\n%s", p, text)
		}
		rest = rest[at[1]:]
	}
}

func TestDemoTellsTheStory(t *testing.T) {
	text := tell(t, "--shoppers", "600")
	inOrder(t, text,
		`^view 1 +10010_2002 spawned: waiting at waiting_visit_event, visit_count 1$`,
		`^view 4 +10010_2002 taken: waiting at waiting_visit_event, visit_count 4$`,
		`^view 5 +10010_2002 taken: waiting at coupon, visit_count 5$`,
		`^coupon +is asked \{"goods_id":2002,"user_id":10010\}, request \S+$`,
		`^kill -9 +process \d+ is gone; process \d+ is ready after \d+ ms and has on disk: waiting at coupon, visit_count 5$`,
		`^coupon +answers ok: taken; 10010_2002 is waiting at waiting_buy$`,
		`^coupon +answers again ok: late; 10010_2002 is waiting at waiting_buy$`,
		`^\+2 days .*alarms fired: 1$`,
		`^push +is asked \{"content":".*Sony PS5.*48 小时后","user_id":10010\}$`,
		`^purchase +10010_2002 is finished at waiting_buy, bought true, notified true, ended at \S+Z$`,
		`^shoppers +600, events 900, `,
		`^kill -9 +3 times on the way`,
		`^rate +\d+ events/s`,
		`^disk +600 threads wait; the folder grew by \d+ bytes for each`,
		`^ledger +900 events acknowledged, 0 lost, 0 doubled$`)
	if n := strings.Count(text, "\nview "); n != 5 {
		t.Errorf("%d views are told, want 5", n)
	}
}

func TestDemoTellsAnotherStory(t *testing.T) {
	text := tell(t, "--shoppers", "10", "--max-visit-count", "7", "--title", "索尼 耳机", "--coupon-fails")
	inOrder(t, text,
		`^view 6 +10010_2002 taken: waiting at waiting_visit_event, visit_count 6$`,
		`^view 7 +10010_2002 taken: waiting at coupon, visit_count 7$`,
		`^coupon +answers fail: taken; 10010_2002 is failed at coupon because coupon_service_error$`,
		`^coupon +answers again fail: late; 10010_2002 is failed at coupon`,
		`^ledger +15 events acknowledged, 0 lost, 0 doubled$`)
	for _, never := range []string{"push  ", "purchase", "Sony", "view 8"} {
		if strings.Contains(strings.Split(text, "next  ")[0], never) {
			t.Errorf("the story of a coupon service that fails tells of %q:\n%s", never, text)
		}
	}
	text = tell(t, "--shoppers", "10", "--title", "索尼 耳机")
	inOrder(t, text, `^push +is asked \{"content":".*索尼 耳机.*"`)
}

func TestDemoLeavesOtherFoldersAlone(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "mine.txt")
	if err := os.WriteFile(file, []byte("keep"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := demoFolder(dir); err == nil || !strings.Contains(err.Error(), "--dir") {
		t.Errorf("a folder with a file of its own is answered %v, want refused with what to do", err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "keep" {
		t.Fatalf("the file is gone: %v", err)
	}
	own := filepath.Join(dir, "demo")
	for range 2 {
		if err := demoFolder(own); err != nil {
			t.Fatalf("the demo's own folder is refused: %v", err)
		}
		if err := os.WriteFile(filepath.Join(own, "old"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
