package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// node is the process under test: always the same directory and ports, one life after another.
type node struct {
	program string
	dir     string
	addrs   [2]string // HTTP and admin
	url     string
	http    *http.Client

	mu   sync.Mutex
	life *life
}

// life is one process.
type life struct {
	cmd    *exec.Cmd
	first  chan string   // its first line; closed without one when it ends before
	exited chan struct{} // closed when it has ended and was waited for
}

func newNode(program, dir string) (*node, error) {
	n := &node{program: program, dir: dir, http: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 4}}}
	for i := range n.addrs {
		addr, err := freeAddr()
		if err != nil {
			return nil, err
		}
		n.addrs[i] = addr
	}
	n.url = "http://" + n.addrs[0]
	return n, nil
}

// freeAddr finds a port below the range from which outgoing connections take theirs: while the node is dead, nobody else must get its
// port, least of all a client that connects to itself.
func freeAddr() (string, error) {
	for range 200 {
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(10_000+rand.IntN(22_000)))
		if err == nil {
			defer l.Close()
			return l.Addr().String(), nil
		}
	}
	return "", errors.New("no free port found between 10000 and 32000")
}

// launch starts the process and does not wait for it.
func (n *node) launch() (*life, error) {
	log, err := os.OpenFile(filepath.Join(n.dir, "node.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	l := &life{first: make(chan string, 1), exited: make(chan struct{})}
	l.cmd = exec.Command(n.program, "serve", "--data", filepath.Join(n.dir, "data"), "--http-addr", n.addrs[0], "--admin-addr", n.addrs[1])
	l.cmd.Stderr = log
	stdout, err := l.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := l.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		lines := bufio.NewReader(stdout)
		if line, err := lines.ReadString('\n'); err == nil {
			l.first <- strings.TrimSpace(line)
		}
		close(l.first)
		_, _ = io.Copy(io.Discard, lines)
		_ = l.cmd.Wait() // how it ended is read from its state
		close(l.exited)
	}()
	n.mu.Lock()
	n.life = l
	n.mu.Unlock()
	return l, nil
}

// ready waits until the process says where it listens and takes requests.
func (n *node) ready(ctx context.Context, l *life) error {
	select {
	case line, ok := <-l.first:
		if !ok {
			<-l.exited
			return fmt.Errorf("the node ended at its start (%s): see node.log", l.cmd.ProcessState)
		}
		if line != n.url {
			return fmt.Errorf("the first line should be %s, it is %q", n.url, line)
		}
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		err := n.get(ctx, "/readyz", nil)
		if err == nil || ctx.Err() != nil {
			return err
		}
		select {
		case <-l.exited:
			return fmt.Errorf("the node ended by itself (%s): see node.log", l.cmd.ProcessState)
		case <-time.After(time.Millisecond):
		}
	}
}

// kill ends the process with SIGKILL and checks that it was this that ended it.
func (n *node) kill() error {
	n.mu.Lock()
	l := n.life
	n.life = nil
	n.mu.Unlock()
	if l == nil {
		return nil
	}
	_ = l.cmd.Process.Kill() // an error says that it has ended already, which the state tells better
	<-l.exited
	if status, ok := l.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGKILL {
		return fmt.Errorf("the node ended by itself (%s): see node.log", l.cmd.ProcessState)
	}
	return nil
}

// refusal is an answer that repeating does not change.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return fmt.Sprintf("%d: %s", r.status, r.text) }

func (n *node) get(ctx context.Context, path string, out any) error {
	return call(ctx, n.http, http.MethodGet, n.url+path, nil, out)
}

// call does one request. An error that is no *refusal says that the outcome is unknown or the node busy: repeat it.
func call(ctx context.Context, c *http.Client, method, url string, body []byte, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	switch {
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable:
		return fmt.Errorf("%s %s: %s", method, url, resp.Status)
	case resp.StatusCode > 299:
		return &refusal{resp.StatusCode, method + " " + url + ": " + string(answer)}
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return &refusal{resp.StatusCode, method + " " + url + ": " + err.Error()}
	}
	return nil
}

// insist repeats call with backoff until it is answered, and returns how often it was tried and how long the last try took.
func insist(ctx context.Context, c *http.Client, method, url string, body []byte, out any, before func()) (tries int, last time.Duration, err error) {
	for wait := 2 * time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		if before != nil {
			before()
		}
		tries++
		began := time.Now()
		err = call(ctx, c, method, url, body, out)
		last = time.Since(began)
		var no *refusal
		if err == nil || errors.As(err, &no) {
			return tries, last, err
		}
		select {
		case <-ctx.Done():
			return tries, last, fmt.Errorf("given up: %w", err)
		case <-time.After(wait):
		}
	}
}
