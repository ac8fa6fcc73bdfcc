package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weftbox/weftbox/expr"
	"github.com/weftbox/weftbox/messagebus"
)

// contextPart is a thing that an expression may be given to see.
type contextPart struct {
	name, usage string
	set         func(w *world, v map[string]any) error
}

// contextParts are all of them. Which are present decides the context.
var contextParts = []contextPart{
	{"event", `the event, {"type":…,"attr":{…}} or an object of attributes`, (*world).setEvent},
	{"config", "the config of the activity", func(w *world, v map[string]any) error { w.scope.Config = v; return nil }},
	{"vars", "the variables of the thread", (*world).setVars},
	{"result", `the result of the action, {"status":"ok","data":{…}} or an object of data`, (*world).setResult},
	{"activity", `the activity, {"id":…,"name":…,"display_name":…,"status":…}`, (*world).setActivity},
	{"definition", `the definition, {"name":…,"display_name":…,"description":…,"version":…}`, (*world).setDefinition},
	{"thread", `the thread, {"domain_id":…,"status":…,"current_action":…,"created_on":ms}`, (*world).setThread},
}

// world is what the expressions of a command see: one Scope, made anew for each.
type world struct{ scope expr.Scope }

func newWorld() *world { return &world{} }

// set gives the next expression what it may see, and returns its context.
func (w *world) set(parts map[string]json.RawMessage) (expr.Context, error) {
	s := &w.scope
	s.Event, s.Vars, s.Config, s.Result = nil, nil, nil, nil
	s.Thread = &expr.ThreadInfo{}
	s.NowMs, s.Zone = time.Now().UnixMilli(), nil
	s.Reseed(rand.Uint64())
	for name, raw := range parts {
		if string(bytes.TrimSpace(raw)) == "null" { // what is null is not given
			delete(parts, name)
			continue
		}
		if !slices.ContainsFunc(contextParts, func(p contextPart) bool { return p.name == name }) {
			return 0, fmt.Errorf("there is no %q in a context; write event, vars, config, result, activity, definition or thread", name)
		}
	}
	for _, part := range contextParts {
		raw, there := parts[part.name]
		if !there {
			continue
		}
		v, err := messagebus.DecodeValue(raw)
		if err == nil {
			v, err = typedJSON(v)
		}
		if err != nil {
			return 0, fmt.Errorf("%s: %w", part.name, err)
		}
		object, ok := v.(map[string]any)
		if !ok && v != nil {
			return 0, fmt.Errorf("%s: a JSON object is needed", part.name)
		}
		if err := part.set(w, object); err != nil {
			return 0, fmt.Errorf("%s: %w", part.name, err)
		}
	}
	_, result := parts["result"]
	_, vars := parts["vars"]
	_, thread := parts["thread"]
	_, config := parts["config"]
	switch {
	case result:
		return expr.ContextCtrl, nil
	case vars || thread:
		return expr.ContextAction, nil
	case config:
		return expr.ContextTrigger, nil
	}
	return expr.ContextStrategy, nil
}

// setEvent takes {"type":…,"attr":{…}}, or an object whose keys are the attributes.
func (w *world) setEvent(v map[string]any) error {
	e := &expr.Event{Attrs: v, TimeMs: w.scope.NowMs}
	w.scope.Event = e
	f := fieldsOf(v)
	e.Type = f.text("type")
	for _, name := range []string{"attr", "attrs", "attributes"} {
		attrs, ok := v[name].(map[string]any)
		if !ok {
			continue
		}
		e.Attrs, e.ID, e.Sender, e.Receiver = attrs, f.text("id"), f.text("sender"), f.text("receiver")
		if ms, ok := v["time"].(int64); ok {
			e.TimeMs = ms
		}
		return nil
	}
	if len(v) == 1 && e.Type != "" {
		e.Attrs = nil // an event without attributes
	}
	return nil
}

func (w *world) setVars(v map[string]any) error {
	names := make([]string, 0, len(v))
	for name := range v {
		names = append(names, name)
	}
	slices.Sort(names)
	w.scope.Vars = make(expr.Vars, 0, len(v))
	for _, name := range names {
		w.scope.Vars = append(w.scope.Vars, expr.Var{Name: name, Value: v[name]})
	}
	return nil
}

var resultStatuses = map[string]expr.ResultStatus{
	"": expr.ResultOK, "ok": expr.ResultOK, "fail": expr.ResultFail, "failed": expr.ResultFail, "failure": expr.ResultFail, "timeout": expr.ResultTimeout, "ignore": expr.ResultIgnore,
}

// setResult takes {"status":…,"data":{…},"error_code":…,"message":…}, or an object of data.
func (w *world) setResult(v map[string]any) error {
	r := &expr.Result{Data: v}
	w.scope.Result = r
	f := fieldsOf(v)
	data, hasData := v["data"].(map[string]any)
	status := strings.ToLower(f.text("status"))
	known, isStatus := resultStatuses[status]
	if hasData || isStatus && status != "" {
		if !isStatus {
			return fmt.Errorf("the status %q is none of ok, fail, timeout and ignore", status)
		}
		r.Status, r.Data, r.ErrorCode, r.Message = known, data, f.text("errorcode", "code"), f.text("message")
	}
	return nil
}

func (w *world) setActivity(v map[string]any) error {
	f, t := fieldsOf(v), w.scope.Thread
	id, _ := f["id"].(int64)
	if id < 0 || id > math.MaxUint32 {
		return fmt.Errorf("the id %d is no number of an activity", id)
	}
	t.Activity, t.ActivityName, t.ActivityDisplayName, t.ActivityStatus = uint32(id), f.text("name"), f.text("displayname"), f.text("status")
	if ms, ok := f["createdon"].(int64); ok {
		t.ActivityCreatedAtMs = ms
	}
	if config, ok := v["config"].(map[string]any); ok && w.scope.Config == nil {
		w.scope.Config = config
	}
	return nil
}

func (w *world) setDefinition(v map[string]any) error {
	f, t := fieldsOf(v), w.scope.Thread
	t.Definition, t.DefinitionDisplayName, t.DefinitionDescription, t.Version = f.text("name"), f.text("displayname"), f.text("description"), f.text("version")
	return nil
}

func (w *world) setThread(v map[string]any) error {
	f, t := fieldsOf(v), w.scope.Thread
	if id, ok := f["activityid"].(int64); ok && id >= 0 && id <= math.MaxUint32 {
		t.Activity = uint32(id)
	}
	t.Domain, t.Status, t.Action = f.text("domainid", "domain"), f.text("status"), f.text("currentaction", "action")
	for _, name := range []string{"createdon", "createdat", "createdms"} {
		switch x := f[name].(type) {
		case int64:
			t.CreatedAtMs = x
		case string:
			for _, layout := range []string{"2006-01-02 15:04:05", time.RFC3339} {
				if at, err := time.Parse(layout, x); err == nil {
					t.CreatedAtMs = at.UnixMilli()
				}
			}
		}
	}
	return nil
}

// fields are the keys of an object without regard to case and underscores: display_name is displayName.
type fields map[string]any

func fieldsOf(v map[string]any) fields {
	out := make(fields, len(v))
	for k, e := range v {
		out[strings.ToLower(strings.ReplaceAll(k, "_", ""))] = e
	}
	return out
}

// text returns the first of the fields that is there, as text.
func (f fields) text(names ...string) string {
	for _, name := range names {
		if v, ok := f[name]; ok && v != nil {
			return expr.Text(v)
		}
	}
	return ""
}

// typedJSON replaces {"$type":…,"value":…} by a value of that type, at any depth.
func typedJSON(v any) (any, error) {
	var err error
	switch x := v.(type) {
	case []any:
		for i := range x {
			if x[i], err = typedJSON(x[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		name, is := x["$type"].(string)
		if value, there := x["value"]; is && there && len(x) == 2 {
			return typedValue(name, value)
		}
		for k := range x {
			if x[k], err = typedJSON(x[k]); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

func typedValue(name string, value any) (any, error) {
	text := strings.TrimSpace(expr.Text(value))
	var v any
	var err error
	switch name {
	case "int", "long":
		v, err = strconv.ParseInt(strings.TrimSuffix(text, ".0"), 10, 64)
	case "float":
		var f float64
		f, err = strconv.ParseFloat(text, 32)
		v = float32(f)
	case "double":
		v, err = strconv.ParseFloat(text, 64)
	case "decimal":
		d, _, bad := new(expr.Decimal).SetString(text)
		if bad == nil && d.Form != 0 {
			bad = fmt.Errorf("%s is not finite", text)
		}
		v, err = d, bad
	default:
		return nil, fmt.Errorf("there is no $type %q; write int, long, float, double or decimal", name)
	}
	if err != nil {
		return nil, fmt.Errorf("%q is no %s", text, name)
	}
	return v, nil
}
