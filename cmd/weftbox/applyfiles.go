package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// applyItem is one thing to be applied: a body, and what to call it.
type applyItem struct {
	kind string // "strategy", "service", "definition", "activity"
	name string // a definition's is known only after it was posted: the file's until then
	file string
	path string // route
	body []byte
}

// applySet is what a path holds, in the order in which it is applied: each leans on those before it.
type applySet struct {
	strategies, services, definitions, activities []applyItem
}

func (s *applySet) stages() [][]applyItem {
	return [][]applyItem{s.strategies, s.services, s.definitions, s.activities}
}

// readApply reads a file, or all YAML files of a folder and its sub-folders.
func readApply(root string) (*applySet, error) {
	info, err := os.Stat(root)
	if err != nil {
		return nil, fail(exitUsage, "", "%v", err)
	}
	set := &applySet{}
	if !info.IsDir() {
		known, err := set.add(root)
		if err == nil && !known {
			err = fail(exitUsage, "weftbox apply -f FOLDER", `%s is neither a definition (its top key would be "activity") nor a weftbox.yaml`, root)
		}
		return set, err
	}
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return fail(exitUsage, "", "%v", err)
		}
		if entry.IsDir() && path != root && strings.HasPrefix(entry.Name(), ".") {
			return fs.SkipDir
		}
		if ext := filepath.Ext(path); entry.IsDir() || ext != ".yaml" && ext != ".yml" {
			return nil
		}
		_, err = set.add(path) // other YAML, such as scenarios, is not ours to apply
		return err
	})
	return set, err
}

// topActivity finds the top key of a definition. Parsing would refuse the texts that only the node's own reader accepts.
var topActivity = regexp.MustCompile(`(?m)^["']?activity["']?[ \t]*:`)

// add takes a file in; known is false when it holds nothing that can be applied.
func (s *applySet) add(path string) (known bool, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return false, fail(exitUsage, "", "%v", err)
	}
	if base := filepath.Base(path); base == "weftbox.yaml" || base == "weftbox.yml" {
		return true, s.addLists(path, data)
	}
	if !topActivity.Match(data) {
		return false, nil
	}
	s.definitions = append(s.definitions, applyItem{kind: "definition", name: path, file: path, path: "/v1/definitions", body: data})
	return true, nil
}

// addLists reads a weftbox.yaml: lists of bodies as they are posted.
func (s *applySet) addLists(path string, data []byte) error {
	var lists map[string][]map[string]any
	d := yaml.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&lists); err != nil && !errors.Is(err, io.EOF) {
		return fail(exitUsage, "", "%s: %v", path, err)
	}
	targets := map[string]struct {
		kind, route string
		list        *[]applyItem
	}{
		"strategies": {"strategy", "/v1/strategies", &s.strategies},
		"services":   {"service", "/v1/services", &s.services},
		"activities": {"activity", "/v1/activities", &s.activities},
	}
	for key, bodies := range lists {
		target, known := targets[key]
		if !known {
			return fail(exitUsage, "", `%s: there is no list %q: write "strategies", "services" or "activities"; definitions lie in files of their own`, path, key)
		}
		for i, body := range bodies {
			text, err := json.Marshal(body)
			if err != nil {
				return fail(exitUsage, "", "%s: %s[%d]: %v", path, key, i, err)
			}
			name, isText := body["name"].(string)
			if !isText {
				name = fmt.Sprintf("%s[%d]", key, i)
			}
			*target.list = append(*target.list, applyItem{kind: target.kind, name: name, file: path, path: target.route, body: text})
		}
	}
	return nil
}
