package engine

import (
	"bytes"
	"errors"
	"sync"
	"time"
)

// Bounds of the printer.
const (
	printBytes = 1 << 20         // that wait to be written; what comes beyond is dropped
	printEnd   = 2 * time.Second // how long the end waits for what was printed to be written
)

// printer writes what the stdout action prints. It has a goroutine of its own while the engine runs: who reads the node's output may be slow, or may
// have stopped reading, and no turn waits for that. While the caller drives the turns, lines are written at once.
type printer struct {
	e *Engine

	mu      sync.Mutex
	waiting bytes.Buffer
	running bool
	ending  bool
	wake    chan struct{} // something waits, or it ends
	done    chan struct{} // closed when everything is written
}

func newPrinter(e *Engine) *printer { return &printer{e: e, wake: make(chan struct{}, 1)} }

// print takes lines to be written. It never waits while the engine runs.
func (p *printer) print(lines []string) {
	if len(lines) == 0 {
		return
	}
	p.mu.Lock()
	dropped := 0
	for _, line := range lines {
		if p.running && p.waiting.Len() > 0 && p.waiting.Len()+len(line) >= printBytes {
			dropped++
			continue
		}
		p.waiting.WriteString(line)
		p.waiting.WriteByte('\n')
	}
	running := p.running
	p.mu.Unlock()
	if dropped > 0 {
		p.e.stats.LinesDropped.Add(int64(dropped))
		p.e.warn("lines printed by the stdout action are dropped", errors.New("who reads the node's output is too slow, or does not read it"))
	}
	if !running {
		p.write()
		return
	}
	p.poke()
}

func (p *printer) poke() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// start lets a goroutine write.
func (p *printer) start() {
	p.running, p.ending, p.done = true, false, make(chan struct{})
	go func() {
		defer close(p.done)
		for range p.wake {
			p.write()
			p.mu.Lock()
			end := p.ending && p.waiting.Len() == 0
			p.mu.Unlock()
			if end {
				return
			}
		}
	}()
}

// stop returns when all is written, or when nobody reads it.
func (p *printer) stop() {
	p.mu.Lock()
	p.ending = true
	p.mu.Unlock()
	p.poke()
	select {
	case <-p.done:
		p.running = false
	case <-time.After(printEnd):
		p.e.warn("the last lines printed by the stdout action are lost", errors.New("nobody reads the node's output"))
	}
}

// write writes what waits.
func (p *printer) write() {
	p.mu.Lock()
	text := bytes.Clone(p.waiting.Bytes())
	p.waiting.Reset()
	p.mu.Unlock()
	if len(text) == 0 {
		return
	}
	if _, err := p.e.o.Stdout.Write(text); err != nil {
		p.e.warn("what the stdout action printed could not be written", err)
	}
}
