package lint

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// order is who may import whom, in the manner of Go's own go/build/deps_test.go: "a < b" reads "b may import a". Chains and lists
// may be joined (a, b < c < d), and what b may import c may too. "x/*" stands for every folder in x, "*" for every package of the
// repository. A name in capitals is a module of modules below and goes no further than the packages named here.
const order = `
	expr < definitions < activity < actions;
	slots;
	clock;
	activity < messagebus < messagebus/*, messagebus/bustest;
	activity, definitions, slots < metadata < metadata/*, metadata/metadatatest;
	activity, slots < engine/store;
	engine/store, clock, messagebus, metadata < engine;
	engine < engine/sim < engine/sim/scenario;
	engine < engine/sim/crash;
	actions, messagebus/mem, messagebus/http, metadata/pebble < engine/sim;
	actions, messagebus/mem, metadata/pebble < engine/sim/crash;
	engine, actions, web, messagebus/http < api;
	web;
	sdk/*;
	internal/lint;
	internal/durable < engine/store, metadata/pebble;
	internal/fault < activity, engine/store, engine, engine/sim/crash;
	* < ., cmd/*, examples, examples/*, bench, bench/*;

	EXPR < expr;
	DECIMAL < expr, definitions, activity, actions, messagebus, messagebus/http, messagebus/bustest, metadata, metadata/metadatatest, engine/store, engine, engine/sim, engine/sim/scenario, api;
	XXHASH < slots, engine/store, engine, messagebus/http, messagebus/mem;
	YAML < definitions, engine/sim/scenario;
	PEBBLE < internal/durable, engine/store, metadata/pebble;
	VFS < internal/durable, engine/store, metadata/pebble, engine, engine/sim, engine/sim/crash;
	KAFKA < messagebus/kafka;
	MYSQL < metadata/mysql;
	PROMETHEUS < engine, api;
	COBRA;
	XTEXT;
`

// modules are the modules that the repository may use, by import path; the longest that fits counts. What cmd, examples and bench
// import must be named here too.
var modules = map[string]string{
	"github.com/expr-lang/expr":            "EXPR",
	"github.com/cockroachdb/apd/v3":        "DECIMAL",
	"github.com/cespare/xxhash/v2":         "XXHASH",
	"gopkg.in/yaml.v3":                     "YAML",
	"go.yaml.in/yaml/v4":                   "YAML",
	"github.com/cockroachdb/pebble/v2":     "PEBBLE",
	"github.com/cockroachdb/pebble/v2/vfs": "VFS",
	"github.com/segmentio/kafka-go":        "KAFKA",
	"github.com/go-sql-driver/mysql":       "MYSQL",
	"github.com/prometheus/client_golang":  "PROMETHEUS",
	"github.com/spf13/cobra":               "COBRA",
	"golang.org/x/text":                    "XTEXT",
}

// rooms says in which room each package lies. What a pure room may not touch is in pure_test.go.
const rooms = `
	pure: expr, definitions, definitions/*, activity, actions, slots;
	disk: engine/store, internal/durable;
	seam: messagebus, messagebus/bustest, metadata, metadata/metadatatest, clock, internal/fault;
	edge: messagebus/*, metadata/*;
	loop: engine, engine/sim, engine/sim/scenario, engine/sim/crash;
	door: api, web, sdk/*, internal/lint, ., cmd/*, examples, examples/*, bench, bench/*;
`

// suites are packages that only tests import.
var suites = []string{"messagebus/bustest", "metadata/metadatatest"}

// seams are the folders whose sub-packages are drivers: none of them imports another.
var seams = []string{"messagebus", "metadata"}

const addPackage = `add it to "order" and "rooms" in internal/lint/policy_test.go: what it may import, who may import it, and its room`

// policy is order and rooms, read.
type policy struct {
	below map[string][]string // pattern -> patterns and capital names that it may import, as written
	room  []roomLine
}

type roomLine struct {
	pattern, room string
}

func parsePolicy(order, rooms string) (*policy, error) {
	p := &policy{below: map[string][]string{}}
	for _, chain := range entries(order) {
		groups := strings.Split(chain, "<")
		for i, group := range groups {
			for _, name := range names(group) {
				if isModule(name) && i > 0 {
					return nil, fmt.Errorf("order: %q stands above something, but a module imports none of our packages", name)
				}
				if i == 0 {
					p.below[name] = append(p.below[name], []string{}...)
					continue
				}
				p.below[name] = append(p.below[name], names(groups[i-1])...)
			}
		}
	}
	for _, line := range entries(rooms) {
		room, list, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fmt.Errorf("rooms: %q has no colon", line)
		}
		for _, pattern := range names(list) {
			p.room = append(p.room, roomLine{pattern, strings.TrimSpace(room)})
		}
	}
	return p, nil
}

func entries(text string) (out []string) {
	for _, e := range strings.Split(text, ";") {
		if e = strings.TrimSpace(e); e != "" {
			out = append(out, e)
		}
	}
	return out
}

func names(list string) (out []string) {
	for _, n := range strings.Split(list, ",") {
		if n = strings.TrimSpace(n); n != "" {
			out = append(out, n)
		}
	}
	return out
}

func isModule(name string) bool {
	return name != "" && name == strings.ToUpper(name) && name != "*" && name != "."
}

func fits(pattern, pkg string) bool {
	if pattern == "*" || pattern == pkg {
		return true
	}
	if dir, ok := strings.CutSuffix(pattern, "/*"); ok {
		return path.Dir(pkg) == dir || strings.HasPrefix(pkg, dir+"/") && (dir == "cmd" || dir == "examples" || dir == "bench")
	}
	return false
}

// known reports whether the order names the package.
func (p *policy) known(pkg string) bool {
	for pattern := range p.below {
		if pattern != "*" && fits(pattern, pkg) {
			return true
		}
	}
	return false
}

// allowed reports whether pkg may import other, a package of the repository or the capital name of a module.
func (p *policy) allowed(pkg, other string) bool {
	direct := p.direct(pkg)
	if isModule(other) {
		return slices.Contains(direct, other) || slices.Contains(direct, "*")
	}
	seen := map[string]bool{}
	for len(direct) > 0 {
		next := direct[0]
		direct = direct[1:]
		if seen[next] || isModule(next) {
			continue
		}
		seen[next] = true
		if fits(next, other) {
			return true
		}
		direct = append(direct, p.direct(next)...)
	}
	return false
}

func (p *policy) direct(pkg string) (out []string) {
	for pattern, below := range p.below {
		if fits(pattern, pkg) {
			out = append(out, below...)
		}
	}
	return out
}

// roomOf returns the room of a package; a line that names it wins over a pattern.
func (p *policy) roomOf(pkg string) string {
	room := ""
	for _, line := range p.room {
		if line.pattern == pkg {
			return line.room
		}
		if room == "" && fits(line.pattern, pkg) {
			room = line.room
		}
	}
	return room
}

func moduleOf(importPath string) (name string, known bool) {
	longest := -1
	for prefix, n := range modules {
		if (importPath == prefix || strings.HasPrefix(importPath, prefix+"/")) && len(prefix) > longest {
			longest, name = len(prefix), n
		}
	}
	return name, longest >= 0
}
