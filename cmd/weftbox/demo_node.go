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
	"strings"
	"time"
)

// demoNode is the demo's child: a `weftbox serve` process that is killed and started again on the same directory and ports.
type demoNode struct {
	program string
	dir     string
	addrs   [2]string // HTTP, admin
	url     string
	process *exec.Cmd
	exited  chan struct{}
	client  *http.Client
}

func newDemoNode(dir string) (*demoNode, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	n := &demoNode{program: program, dir: dir, client: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	for i := range n.addrs {
		if n.addrs[i], err = steadyAddr(); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// steadyAddr finds a free loopback port that stays free while the node is dead: one below the range from which systems draw ports of outgoing
// connections, so that no client can happen to connect to itself there.
func steadyAddr() (string, error) {
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(22_000)))
		if err == nil {
			defer l.Close()
			return l.Addr().String(), nil
		}
	}
	return "", errors.New("no free port between 10000 and 32000 was found in 100 tries")
}

// start starts the node and returns how long it took until it said where it listens.
func (n *demoNode) start() (time.Duration, error) {
	began := time.Now()
	log, err := os.OpenFile(filepath.Join(n.dir, "node.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	n.process = exec.Command(n.program, "serve", "--data", filepath.Join(n.dir, "data"), "--clock", "manual", "--http-addr", n.addrs[0], "--admin-addr", n.addrs[1])
	n.process.Stderr = log
	out, err := n.process.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := n.process.Start(); err != nil {
		return 0, err
	}
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	exited := make(chan struct{})
	n.exited = exited
	process := n.process
	go func() {
		io.Copy(io.Discard, lines) // what stdout actions print
		process.Wait()
		close(exited)
	}()
	if err != nil {
		<-exited
		tail, _ := os.ReadFile(log.Name())
		return 0, fmt.Errorf("the node did not start; its log %s ends: %s", log.Name(), lastLines(tail, 5))
	}
	if url := strings.TrimSpace(first); url != n.url { // the same at every start: clients read it meanwhile
		n.url = url
	}
	return time.Since(began), nil
}

func lastLines(text []byte, n int) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// kill ends the node as a power cut would: SIGKILL, no goodbye.
func (n *demoNode) kill() {
	if n.process != nil && n.process.Process != nil {
		n.process.Process.Kill()
		<-n.exited
		n.process = nil
	}
}

// stop ends the node politely, so that the directory is left in order.
func (n *demoNode) stop() {
	if n.process == nil {
		return
	}
	n.process.Process.Signal(os.Interrupt)
	select {
	case <-n.exited:
		n.process = nil
	case <-time.After(5 * time.Second):
		n.kill()
	}
}

// errNoAnswer says that the node did not answer: what was sent may or may not have been applied.
var errNoAnswer = errors.New("the node did not answer")

// call sends a JSON body (or none) and decodes the answer into out. An answer above 299 is an error that holds its text.
func (n *demoNode) call(ctx context.Context, method, path string, body any, out any) error {
	var data []byte
	switch b := body.(type) {
	case nil:
	case []byte:
		data = b
	default:
		var err error
		if data, err = json.Marshal(b); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, n.url+path, bytes.NewReader(data))
	if err != nil {
		return err
	}
	resp, err := n.client.Do(req)
	if err != nil {
		return errors.Join(errNoAnswer, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return errors.Join(errNoAnswer, err)
	}
	if resp.StatusCode == http.StatusServiceUnavailable || resp.StatusCode == http.StatusTooManyRequests {
		return errors.Join(errNoAnswer, fmt.Errorf("%s", resp.Status))
	}
	if resp.StatusCode > 299 {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, bytes.TrimSpace(answer))
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}

// metric reads one metric without labels from /metrics.
func (n *demoNode) metric(ctx context.Context, name string) (float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, n.url+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	resp, err := n.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		var value float64
		if rest, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			_, err := fmt.Sscan(rest, &value)
			return value, err
		}
	}
	return 0, fmt.Errorf("the node shows no metric %s", name)
}
