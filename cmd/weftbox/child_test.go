package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait of these tests; it decides nothing but when to give up.
const patience = 30 * time.Second

// child is a `weftbox serve` as a user starts it.
type child struct {
	t      *testing.T
	url    string
	cmd    *exec.Cmd
	stderr *bytes.Buffer
	exited chan struct{}
}

// serveChild starts the program and waits for its first line.
func serveChild(t *testing.T, environment []string, args ...string) *child {
	t.Helper()
	c := &child{t: t, cmd: exec.Command(builtProgram(t), append([]string{"serve"}, args...)...), stderr: &bytes.Buffer{}, exited: make(chan struct{})}
	c.cmd.Env = append(os.Environ(), environment...)
	c.cmd.Stderr = c.stderr
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	go func() {
		io.Copy(io.Discard, lines)
		c.cmd.Wait()
		close(c.exited)
	}()
	t.Cleanup(func() { c.signal(syscall.SIGKILL) })
	if err != nil {
		<-c.exited
		t.Fatalf("serve %v did not start: %s", args, c.stderr)
	}
	c.url = strings.TrimSuffix(first, "\n")
	if !strings.HasPrefix(c.url, "http://127.0.0.1:") {
		t.Fatalf("expected the URL as the first line, got %q", first)
	}
	return c
}

// signal ends the child and returns its exit code.
func (c *child) signal(s syscall.Signal) int {
	c.cmd.Process.Signal(s)
	select {
	case <-c.exited:
	case <-time.After(patience):
		c.t.Errorf("the node did not end after %v; its log: %s", s, c.stderr)
		c.cmd.Process.Kill()
		<-c.exited
	}
	return c.cmd.ProcessState.ExitCode()
}

// ask sends a request and returns status and body.
func (c *child) ask(method, path, body string) (int, string) {
	c.t.Helper()
	r, err := http.NewRequest(method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	return c.send(r)
}

func (c *child) send(r *http.Request) (int, string) {
	c.t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatalf("%s %s: %v; the node's log: %s", r.Method, r.URL, err, c.stderr)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	return response.StatusCode, string(text)
}

func (c *child) must(status int, method, path, body string) string {
	c.t.Helper()
	got, text := c.ask(method, path, body)
	if got != status {
		c.t.Fatalf("%s %s %s: expected %d, got %d %s", method, path, body, status, got, text)
	}
	return text
}

// thread waits until a thread stands where it should.
func (c *child) thread(activity, domain, status, action string) shownThread {
	c.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		var t shownThread
		text := c.must(200, "GET", threadPath(activity, domain), "")
		if err := json.Unmarshal([]byte(text), &t); err != nil {
			c.t.Fatal(err)
		}
		if t.Status == status && t.Action == action {
			return t
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("expected %s of %s to be %s at %s, it is %s", domain, activity, status, action, text)
		}
		time.Sleep(5 * time.Millisecond) // between two looks
	}
}

// view posts a shopper's look at a product and returns what became of it.
func (c *child) view(user, goods string) string {
	return c.must(202, "POST", "/v1/events?wait=processed", `{"type":"user_behavior","attr":{"behavior":"查看商品详情","user_id":`+user+`,"goods_id":`+goods+`,"goods_title":"Sony PS5"}}`)
}

// request is what a service was asked.
type request struct {
	Type     string `json:"type"`
	Sender   string `json:"sender"`
	Receiver string `json:"receiver"`
	Attr     struct {
		RequestID    string          `json:"request_id"`
		Activity     int             `json:"activity"`
		Domain       string          `json:"domain"`
		Action       string          `json:"action"`
		Args         json.RawMessage `json:"args"`
		IgnoreResult *bool           `json:"ignore_result"`
	} `json:"attr"`
	Time int64 `json:"time"`
}

// service is a little service on loopback. answer returns the body of its answer; it may be empty.
type service struct {
	t      *testing.T
	url    string
	asked  chan request
	mu     sync.Mutex
	answer func([]request) string
}

func newService(t *testing.T, answer func([]request) string) *service {
	s := &service{t: t, asked: make(chan request, 1000), answer: answer}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var batch []request
		if err := json.NewDecoder(r.Body).Decode(&batch); err != nil {
			t.Errorf("a service was sent what is no array of requests: %v", err)
		}
		s.mu.Lock()
		io.WriteString(w, s.answer(batch))
		s.mu.Unlock()
		for _, q := range batch {
			s.asked <- q
		}
	}))
	t.Cleanup(server.Close)
	s.url = server.URL + "/"
	return s
}

// next waits for a request.
func (s *service) next() request {
	s.t.Helper()
	select {
	case q := <-s.asked:
		if q.Type != "req" || q.Sender == "" || q.Attr.RequestID == "" || q.Attr.IgnoreResult == nil || q.Time == 0 {
			s.t.Errorf("expected a request with type, sender, request_id, ignore_result and time, got %+v", q)
		}
		return q
	case <-time.After(patience):
		s.t.Fatal("the service was not asked")
		return request{}
	}
}

// silent answers nothing yet.
func silent([]request) string { return "" }

// reply is the answer to a request.
func reply(q request) string {
	return `{"type":"res","attr":{"request_id":"` + q.Attr.RequestID + `","status":"ok","data":{"expire_time":"2027-01-01"}}}`
}

// atOnce answers in the response body, n times.
func atOnce(n int) func([]request) string {
	return func(batch []request) string {
		var all []string
		for _, q := range batch {
			for range n {
				all = append(all, reply(q))
			}
		}
		return "[" + strings.Join(all, ",") + "]"
	}
}

// couponText returns the text of the story; faulty makes of it what the story was when it was published: with a value that YAML refuses.
func couponText(t *testing.T, faulty bool) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "examples", "coupon", "coupon.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	const quoted, plain = `'var("notified", false) ? finish() : call("notify")'`, `var("notified", false) ? finish() : call("notify")`
	if !bytes.Contains(text, []byte(quoted)) {
		t.Fatalf("expected coupon.yaml to hold %s", quoted)
	}
	if faulty {
		return strings.Replace(string(text), quoted, plain, 1)
	}
	return string(text)
}
