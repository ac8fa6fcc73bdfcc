package metadata

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/cockroachdb/apd/v3"

	"github.com/weftbox/weftbox/expr"
)

// A config is written as JSON in which every value keeps its type:
//
//	null, true, "text", 7           nil, bool, string, int64
//	[…], {…}                        []any, map[string]any
//	{"$float": "1.5"}               float64, as short as it can be and read back the same; NaN, +Inf, -Inf too
//	{"$float32": "1.5"}             float32
//	{"$decimal": "1.50"}            *expr.Decimal with its trailing zeros
//	{"$bytes": "/w=="}              string that is not UTF-8, base64
//	{"$map": {"$x": 1}}             map[string]any with one key that begins with "$", which would read as one of the above
//	{"$pairs": [[1, "a"], …]}       map[any]any, ordered by its keys' JSON
//
// The same config is always written with the same bytes.

// MaxConfigDepth is how deep lists and maps of a config may be nested.
const MaxConfigDepth = 64

// EncodeConfig writes a config, a map of values of package expr, as JSON that DecodeConfig reads back with the same types. An
// error names the item that holds something else.
func EncodeConfig(config map[string]any) ([]byte, error) {
	out := make(map[string]any, len(config))
	for k, v := range config {
		if !utf8.ValidString(k) {
			return nil, fmt.Errorf("the config key %q is not UTF-8", k)
		}
		e, err := encodeValue(v, 1)
		if err != nil {
			return nil, fmt.Errorf("config item %q: %w", k, err)
		}
		out[k] = e
	}
	return marshal(out)
}

// DecodeConfig reads what EncodeConfig wrote. An empty config is nil.
func DecodeConfig(text []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var raw map[string]any
	if err := d.Decode(&raw); err != nil {
		return nil, fmt.Errorf("config is not readable: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("config is not readable: more follows after its end")
	}
	if len(raw) == 0 {
		return nil, nil
	}
	for k, v := range raw {
		value, err := decodeValue(v)
		if err != nil {
			return nil, fmt.Errorf("config item %q: %w", k, err)
		}
		raw[k] = value
	}
	return raw, nil
}

// marshal leaves <, > and & as they are: configs hold URLs and people read them.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func tagged(tag string, v any) map[string]any { return map[string]any{tag: v} }

func encodeValue(v any, depth int) (any, error) {
	if depth > MaxConfigDepth {
		return nil, fmt.Errorf("lists and maps are nested more than %d deep", MaxConfigDepth)
	}
	switch x := v.(type) {
	case nil, bool, int64:
		return x, nil
	case string:
		if !utf8.ValidString(x) {
			return tagged("$bytes", []byte(x)), nil
		}
		return x, nil
	case float64:
		return tagged("$float", strconv.FormatFloat(x, 'g', -1, 64)), nil
	case float32:
		return tagged("$float32", strconv.FormatFloat(float64(x), 'g', -1, 32)), nil
	case *expr.Decimal:
		if x == nil {
			return nil, errors.New("a decimal that is a nil pointer; write nil")
		}
		return tagged("$decimal", x.String()), nil
	case []any:
		out := make([]any, len(x))
		for i, item := range x {
			e, err := encodeValue(item, depth+1)
			if err != nil {
				return nil, err
			}
			out[i] = e
		}
		return out, nil
	case map[string]any:
		return encodeMap(x, depth)
	case map[any]any:
		return encodePairs(x, depth)
	}
	return nil, fmt.Errorf("a value of the Go type %T is none of the language's (nil, bool, string, int64, float64, float32, *expr.Decimal, []any, map[string]any, map[any]any)", v)
}

func encodeMap(m map[string]any, depth int) (any, error) {
	out := make(map[string]any, len(m))
	for k, item := range m {
		if !utf8.ValidString(k) {
			return nil, fmt.Errorf("the map key %q is not UTF-8", k)
		}
		e, err := encodeValue(item, depth+1)
		if err != nil {
			return nil, err
		}
		out[k] = e
	}
	if _, ok := tagOf(out); ok {
		return tagged("$map", out), nil
	}
	return out, nil
}

func encodePairs(m map[any]any, depth int) (any, error) {
	values := make(map[string][2]any, len(m))
	keys := make([]string, 0, len(m))
	for k, item := range m {
		if !mayBeKey(k) {
			return nil, fmt.Errorf("a %T cannot be a map key", k)
		}
		key, err := encodeValue(k, depth+1)
		if err != nil {
			return nil, err
		}
		value, err := encodeValue(item, depth+1)
		if err != nil {
			return nil, err
		}
		text, err := marshal(key)
		if err != nil {
			return nil, err
		}
		keys = append(keys, string(text))
		values[string(text)] = [2]any{key, value}
	}
	slices.Sort(keys)
	pairs := make([]any, len(keys))
	for i, k := range keys {
		pairs[i] = values[k]
	}
	return tagged("$pairs", pairs), nil
}

// tagOf returns the tag of a map with a single key that begins with "$".
func tagOf(m map[string]any) (string, bool) {
	if len(m) != 1 {
		return "", false
	}
	for k := range m {
		if len(k) > 0 && k[0] == '$' {
			return k, true
		}
	}
	return "", false
}

func decodeValue(v any) (any, error) {
	switch x := v.(type) {
	case json.Number:
		n, err := strconv.ParseInt(x.String(), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s is no 64-bit integer", x)
		}
		return n, nil
	case []any:
		for i := range x {
			item, err := decodeValue(x[i])
			if err != nil {
				return nil, err
			}
			x[i] = item
		}
		return x, nil
	case map[string]any:
		if tag, ok := tagOf(x); ok {
			return decodeTagged(tag, x[tag])
		}
		return decodeMap(x)
	}
	return v, nil
}

func decodeMap(m map[string]any) (any, error) {
	for k, v := range m {
		item, err := decodeValue(v)
		if err != nil {
			return nil, err
		}
		m[k] = item
	}
	return m, nil
}

func decodeTagged(tag string, v any) (any, error) {
	switch x := v.(type) {
	case string:
		switch tag {
		case "$float":
			return strconv.ParseFloat(x, 64)
		case "$float32":
			f, err := strconv.ParseFloat(x, 32)
			return float32(f), err
		case "$decimal":
			d, _, err := apd.NewFromString(x)
			return d, err
		case "$bytes":
			b, err := base64.StdEncoding.DecodeString(x)
			return string(b), err
		}
	case map[string]any:
		if tag == "$map" {
			return decodeMap(x)
		}
	case []any:
		if tag == "$pairs" {
			return decodePairs(x)
		}
	}
	return nil, fmt.Errorf("%q is no type this program knows: a newer one wrote it", tag)
}

func decodePairs(pairs []any) (any, error) {
	out := make(map[any]any, len(pairs))
	for _, p := range pairs {
		pair, ok := p.([]any)
		if !ok || len(pair) != 2 {
			return nil, errors.New("an entry of $pairs is no pair")
		}
		k, err := decodeValue(pair[0])
		if err != nil {
			return nil, err
		}
		if !mayBeKey(k) {
			return nil, fmt.Errorf("a %T cannot be a map key", k)
		}
		if out[k], err = decodeValue(pair[1]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func mayBeKey(k any) bool {
	switch k.(type) {
	case nil, bool, string, int64, float64, float32:
		return true
	}
	return false
}
