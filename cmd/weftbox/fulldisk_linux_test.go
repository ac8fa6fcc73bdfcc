package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const tallyFlow = `activity:
  name: tally
  domain_id_strategy: user
  trigger: {type: event, args: {condition: eventTypeIs("hit")}, context_vars: {n: 1, fold: eventAttr("i")}}
  actions:
    - name: wait
      type: receive
      args:
        - when: eventTypeIs("hit")
          context_vars: {n: var("n") + 1, fold: (var("fold") * 31 + eventAttr("i")) % 1000003}
          then: call("wait")
`

// tickFlow writes without being asked: its threads are rewritten with all their bytes every 20 ms.
const tickFlow = `activity:
  name: tick
  domain_id_strategy: user
  trigger: {type: event, args: {condition: eventTypeIs("tick")}, context_vars: {n: 0, pad: eventAttr("pad")}}
  actions:
    - name: wait
      type: receive
      args:
        - after: 20
          context_vars: {n: var("n") + 1}
          then: call("wait")
`

const (
	smallDiskMiB = 64
	tallyUsers   = 6
	tickThreads  = 8
	tickPad      = 20_000 // bytes of the variables of one
)

// mountSmallDisk makes a disk of its own, or skips the test.
func mountSmallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", smallDiskMiB)); err != nil {
		t.Skipf("a disk is filled to its last byte only where one may be mounted, which takes root: mount -t tmpfs -o size=%dm: %v", smallDiskMiB, err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("the test's disk stays mounted at %s: %v", dir, err)
		}
	})
	return dir
}

// filler is the file that takes the room.
type filler struct {
	t    *testing.T
	dir  string
	file *os.File
}

func newFiller(t *testing.T, dir string) *filler {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	return &filler{t, dir, f}
}

func (f *filler) free() int64 {
	var s syscall.Statfs_t
	if err := syscall.Statfs(f.dir, &s); err != nil {
		f.t.Fatal(err)
	}
	return int64(s.Bavail) * s.Bsize
}

// leave takes what is more than so many bytes.
func (f *filler) leave(bytes int64) {
	for block := make([]byte, 64<<10); f.free() > bytes; {
		if _, err := f.file.Write(block); err != nil {
			f.t.Fatalf("the disk cannot be filled to %d free bytes: %v", bytes, err)
		}
	}
}

// take takes all there is, to the last byte, also what comes free by and by, until stop.
func (f *filler) take(stop <-chan struct{}) {
	for size := 1 << 20; ; {
		_, err := f.file.Write(make([]byte, size))
		if errors.Is(err, syscall.ENOSPC) {
			if size > 1 {
				size /= 2
				continue
			}
			size = 4 << 10
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
		} else if err != nil {
			f.t.Errorf("the disk cannot be filled: %v", err)
			return
		}
		select {
		case <-stop:
			return
		default:
		}
	}
}

func (f *filler) remove() {
	_ = f.file.Close()
	if err := os.Remove(f.file.Name()); err != nil {
		f.t.Fatal(err)
	}
}

// tally is the client's side: each user's events go one after the other, each again and again until it is acknowledged.
type tally struct {
	url   atomic.Pointer[string]
	acked [tallyUsers]atomic.Int64
	codes [600]atomic.Int64
	low   atomic.Int64 // answers with the code disk_low
	odd   atomic.Pointer[string]
}

func (c *tally) post(body string) int {
	r, err := http.Post(*c.url.Load()+"/v1/events", "application/json", strings.NewReader(body))
	if err != nil {
		return 0 // the node is ending or not yet there
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return 0
	}
	c.codes[r.StatusCode].Add(1)
	switch {
	case r.StatusCode == 503 && bytes.Contains(text, []byte("disk_low")) && r.Header.Get("Retry-After") != "":
		c.low.Add(1)
	case r.StatusCode != 202 && r.StatusCode != 503 && r.StatusCode != 429:
		odd := fmt.Sprintf("%d %s", r.StatusCode, text)
		c.odd.CompareAndSwap(nil, &odd)
	}
	return r.StatusCode
}

func (c *tally) user(u int, stop <-chan struct{}) {
	for i := c.acked[u].Load() + 1; ; {
		select {
		case <-stop:
			return
		default:
		}
		if c.post(fmt.Sprintf(`{"id":"u%d-%d","type":"hit","attr":{"user":"u%d","i":%d,"goods":"PS5"}}`, u, i, u, i)) == 202 {
			c.acked[u].Store(i)
			i++
			continue
		}
		time.Sleep(10 * time.Millisecond) // the pace of repeats
	}
}

func (c *tally) sum() (n int64) {
	for u := range c.acked {
		n += c.acked[u].Load()
	}
	return n
}

// settle repeats what was under way at the end, which may have been applied: after that the books must be equal.
func (c *tally) settle(t *testing.T, node *child) {
	t.Helper()
	for u := range tallyUsers {
		n := c.acked[u].Load() + 1
		body := fmt.Sprintf(`{"id":"u%d-%d","type":"hit","attr":{"user":"u%d","i":%d,"goods":"PS5"}}`, u, n, u, n)
		for deadline := time.Now().Add(patience); c.post(body) != 202; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("an event is not taken on a disk with room again; the node's log: %s", node.stderr)
			}
		}
		var thread struct{ Vars struct{ N, Fold int64 } }
		if err := json.Unmarshal([]byte(node.must(200, "GET", threadPath("tally", fmt.Sprint("u", u)), "")), &thread); err != nil {
			t.Fatal(err)
		}
		fold := int64(0)
		for i := int64(1); i <= n; i++ {
			fold = (fold*31 + i) % 1000003
		}
		c.acked[u].Store(n)
		if thread.Vars.N != n || thread.Vars.Fold != fold {
			t.Errorf("user %d holds %d events folded to %d, want each of the %d acknowledged ones once and in order: %d", u, thread.Vars.N, thread.Vars.Fold, n, fold)
		}
	}
}

// eventually waits for something that must come.
func eventually(t *testing.T, node *child, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("expected %s, it did not come; the node's log: %s", what, node.stderr)
		}
	}
}

// fillSlowly takes room until events are refused, and looks at what goes on meanwhile: reads, alarms, readiness and what the metrics say.
func fillSlowly(t *testing.T, node *child, c *tally, f *filler, admin, victim string) {
	t.Helper()
	refused := c.low.Load()
	f.leave(7 << 20) // an eighth of the disk is the mark
	eventually(t, node, "503 on a low disk", func() bool { return c.low.Load() > refused })
	ticks := func() int64 {
		var thread struct{ Vars struct{ N int64 } }
		if err := json.Unmarshal([]byte(node.must(200, "GET", threadPath("tick", "t0"), "")), &thread); err != nil {
			t.Fatal(err)
		}
		return thread.Vars.N
	}
	before := ticks()
	eventually(t, node, "alarms to ring on a low disk", func() bool { return ticks() > before })
	if text := node.must(200, "GET", "/readyz?verbose", ""); !strings.Contains(text, "the disk is low: events are refused") {
		t.Errorf("on a low disk /readyz says %s, want ready, and that events are refused", text)
	}
	node.must(202, "POST", fmt.Sprintf("/v1/activities/tick/threads/%s/kill", victim), "") // what takes rows away goes on, too
	if text := node.must(200, "GET", threadPath("tick", victim), ""); !strings.Contains(text, "killed") {
		t.Errorf("a thread killed on a low disk is %s", text)
	}
	if free, known := gauges(t, "http://"+admin)["weftbox_disk_free_bytes"]; !known || free > 16<<20 {
		t.Errorf("on a low disk the metric says %.0f free bytes (%v), want few", free, known)
	}
}

// TestFullDisk fills a disk to its last byte while events come in: slowly, so that the node refuses events first and goes on with the rest, and at
// once, so that the disk is full in the middle of them. The node ends with its code, and on the same disk with room again nothing that it
// acknowledged is missing or there twice.
func TestFullDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	disk := mountSmallDisk(t)
	admin := freeAddr(t)
	start := func() *child {
		return serveChild(t, nil, "--data", filepath.Join(disk, "data"), "--memory", "64MiB", "--http-addr", "127.0.0.1:0", "--admin-addr", admin)
	}
	node := start()
	node.must(201, "POST", "/v1/strategies", `{"name":"user","when":"containsAttr(\"user\")","domain_id":"eventAttr(\"user\")"}`)
	for _, flow := range []struct{ name, text string }{{"tally", tallyFlow}, {"tick", tickFlow}} {
		node.must(201, "POST", "/v1/definitions", flow.text)
		node.must(201, "POST", "/v1/activities", fmt.Sprintf(`{"name":%q,"definition":%q}`, flow.name, flow.name))
	}
	pad, draw := make([]byte, tickPad), rand.New(rand.NewPCG(1, 2))
	for i := range pad {
		pad[i] = byte('a' + draw.IntN(26))
	}
	for i := range tickThreads {
		node.must(202, "POST", "/v1/events", fmt.Sprintf(`{"type":"tick","attr":{"user":"t%d","pad":%q}}`, i, pad))
	}
	c := &tally{}
	c.url.Store(&node.url)
	rounds := 2
	if os.Getenv("WEFTBOX_FLOOD") != "" { // a long run
		rounds = 10
	}
	for round := range rounds {
		stop := make(chan struct{})
		var users sync.WaitGroup
		for u := range tallyUsers {
			users.Go(func() { c.user(u, stop) })
		}
		before := c.sum()
		eventually(t, node, "events to be taken", func() bool { return c.sum() >= before+50 })
		f := newFiller(t, disk)
		if round%2 == 0 {
			fillSlowly(t, node, c, f, admin, fmt.Sprint("t", 1+round/2))
		}
		taken := make(chan struct{})
		go func() { defer close(taken); f.take(node.exited) }()
		select {
		case <-node.exited:
		case <-time.After(patience):
			t.Fatalf("round %d: the disk has %d free bytes, and the node does not end; its log: %s", round, f.free(), node.stderr)
		}
		<-taken
		if code := node.cmd.ProcessState.ExitCode(); code != exitDiskFull || !strings.Contains(node.stderr.String(), "nothing that was acknowledged is lost") {
			t.Fatalf("round %d: on a full disk the node ended with code %d, want %d and a word to its user; its log: %s", round, code, exitDiskFull, node.stderr)
		}
		f.remove()
		node = start()
		c.url.Store(&node.url)
		before = c.sum()
		eventually(t, node, "events to be taken again", func() bool { return c.sum() >= before+tallyUsers })
		close(stop)
		users.Wait()
		c.settle(t, node)
		if odd := c.odd.Load(); odd != nil {
			t.Errorf("round %d: a client was answered %s, want 202, 429 or 503", round, *odd)
		}
	}
	t.Logf("%d full disks: %d events acknowledged, %d answers 503, %d of them because the disk was low", rounds, c.sum(), c.codes[503].Load(), c.low.Load())
	if code := node.signal(syscall.SIGTERM); code != exitOK {
		t.Errorf("told to stop, the node ended with code %d, want %d; its log: %s", code, exitOK, node.stderr)
	}
}

// TestFullDiskOfMetadata: nothing but changes of metadata meet the full disk. They have the ballast; then the node ends with its code, too.
func TestFullDiskOfMetadata(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	disk := mountSmallDisk(t)
	start := func() *child {
		return serveChild(t, nil, "--data", filepath.Join(disk, "data"), "--memory", "64MiB", "--random-ports")
	}
	node := start()
	node.must(201, "POST", "/v1/strategies", `{"name":"user","when":"containsAttr(\"user\")","domain_id":"eventAttr(\"user\")"}`)
	f := newFiller(t, disk)
	taken := make(chan struct{})
	go func() { defer close(taken); f.take(node.exited) }()
	acked, comment := 0, strings.Repeat("# what this is for\n", 3000)
	for deadline := time.Now().Add(patience); ; {
		if time.Now().After(deadline) {
			t.Fatalf("%d definitions were taken by a disk with %d free bytes, and the node does not end; its log: %s", acked, f.free(), node.stderr)
		}
		r, err := http.Post(node.url+"/v1/definitions", "application/yaml", strings.NewReader(comment+strings.Replace(floodFlow, "name: flood", fmt.Sprint("name: flood", acked), 1)))
		if err != nil {
			break // the node ends
		}
		_ = r.Body.Close()
		if r.StatusCode != 201 {
			t.Fatalf("definition %d was answered %d", acked, r.StatusCode)
		}
		acked++
	}
	select {
	case <-node.exited:
	case <-time.After(patience):
		t.Fatalf("the node answers no more and does not end; its log: %s", node.stderr)
	}
	<-taken
	for _, part := range []string{"the ballast of", "metadata: ", "no space left on device", "nothing that was acknowledged is lost"} {
		if code := node.cmd.ProcessState.ExitCode(); code != exitDiskFull || !strings.Contains(node.stderr.String(), part) {
			t.Errorf("the node ended with code %d, want %d and %q in its log: %s", code, exitDiskFull, part, node.stderr)
		}
	}
	f.remove()
	node = start()
	for i := range acked {
		node.must(200, "GET", fmt.Sprint("/v1/definitions/flood", i), "")
	}
	t.Logf("%d definitions were acknowledged, and are there", acked)
}
