package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/expr"
	"github.com/weftbox/weftbox/messagebus"
	bushttp "github.com/weftbox/weftbox/messagebus/http"
	"github.com/weftbox/weftbox/metadata"
)

// configView is the config of an activity.
type configView struct {
	Activity  string                 `json:"activity"`
	Overrides json.RawMessage        `json:"overrides"` // its own items
	Effective json.RawMessage        `json:"effective"` // over those of the version that newborn threads get, settings included
	Version   string                 `json:"version,omitempty"`
	Warnings  []bushttp.ProblemError `json:"warnings,omitempty"`
}

func viewConfig(a *activity.Activity) configView {
	effective := map[string]any{}
	v := configView{Activity: a.Name, Overrides: json.RawMessage(configText(a.Overrides))}
	if a.Latest != nil {
		v.Version = a.Latest.Version
		maps.Copy(effective, a.Latest.Definition.Config)
		maps.Copy(effective, a.Latest.Definition.Settings.Items)
	}
	maps.Copy(effective, a.Overrides)
	v.Effective = shown(effective)
	return v
}

func (s *Server) getConfig(c *call) (*reply, error) {
	a, err := s.activity(c)
	if err != nil {
		return nil, err
	}
	return s.configReply(a.Number, nil), nil
}

// configReply shows the config of an activity as it is now.
func (s *Server) configReply(number uint32, problems []definitions.Problem) *reply {
	snap := s.o.Metadata.Load()
	view := viewConfig(snap.Activities[number])
	view.Warnings = items(problems, definitions.SeverityWarning)
	record, _ := snap.Records.Activity(number)
	return &reply{status: 200, body: view, etag: etag(record.Revision)}
}

// editConfig changes the overrides of the activity in the path and answers with the config that results.
func (s *Server) editConfig(c *call, edit func(config map[string]any) error) (*reply, error) {
	a, err := s.activity(c)
	if err != nil {
		return nil, err
	}
	expect, err := c.expected()
	if err != nil {
		return nil, err
	}
	_, outcome, problems, err := s.o.Metadata.EditConfig(c.r.Context(), a.Number, expect, edit)
	if err == nil {
		err = checked("activity", problems)
	}
	switch {
	case err != nil:
		return nil, refusedChange("activity", err)
	case outcome == metadata.Conflict:
		return nil, preconditionFailed("activity", a.Name)
	}
	s.o.Engine.MetadataChanged()
	return s.configReply(a.Number, problems), nil
}

// putConfig replaces all overrides by the object in the body.
func (s *Server) putConfig(c *call) (*reply, error) {
	o, err := c.object(true)
	if err != nil {
		return nil, err
	}
	return s.editConfig(c, func(config map[string]any) error {
		clear(config)
		maps.Copy(config, o.values)
		return nil
	})
}

// patchConfig sets the items in the body and leaves the others; an item that is null is removed.
func (s *Server) patchConfig(c *call) (*reply, error) {
	o, err := c.object(false)
	if err != nil {
		return nil, err
	}
	return s.editConfig(c, func(config map[string]any) error {
		for key, v := range o.values {
			if v == nil {
				delete(config, key)
				continue
			}
			config[key] = v
		}
		return nil
	})
}

// putConfigItem sets one item: {"value": 5}, or {"value": "5", "type": "int"}.
func (s *Server) putConfigItem(c *call) (*reply, error) {
	o, err := c.object(false)
	if err != nil {
		return nil, err
	}
	value, given := o.values["value"]
	o.known = append(o.known, "value")
	kind := o.text("type", false)
	if !given {
		o.fail("missing_key", "value", `"value" is missing`, "")
	} else if value, err = typed(value, kind); err != nil {
		o.fail("wrong_type", "value", err.Error(), "")
	}
	if err := o.done(); err != nil {
		return nil, err
	}
	return s.editConfig(c, func(config map[string]any) error {
		config[c.path("item")] = value
		return nil
	})
}

func (s *Server) deleteConfigItem(c *call) (*reply, error) {
	item := c.path("item")
	return s.editConfig(c, func(config map[string]any) error {
		if _, there := config[item]; !there {
			return notFound("config item", item, suggestion(item, sortedKeys(config)))
		}
		delete(config, item)
		return nil
	})
}

// configTypes are the types that a config item can be given, with the spellings of the original among them.
const configTypes = "int, long, double, float, decimal, bool, str, list, map, json"

// typed makes a value of a type: a text is read as one, anything else must be one. Without a type it stays as it is.
func typed(v any, kind string) (any, error) {
	text, isText := v.(string)
	if isText && kind != "" && kind != "str" && kind != "string" {
		if kind == "decimal" || kind == "double" || kind == "float" {
			text = strings.TrimSpace(text)
		}
		read, err := messagebus.DecodeValue([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("%s is no value of type %s", quote(text), kind)
		}
		v = read
	}
	switch kind {
	case "":
		return v, nil
	case "str", "string":
		if isText {
			return text, nil
		}
	case "int", "long":
		if n, ok := v.(int64); ok {
			return n, nil
		}
	case "bool":
		if b, ok := v.(bool); ok {
			return b, nil
		}
	case "double", "float", "decimal":
		return numberOf(v, kind)
	case "list":
		if l, ok := v.([]any); ok {
			return l, nil
		}
	case "map":
		if m, ok := v.(map[string]any); ok {
			return m, nil
		}
	case "json":
		return v, nil
	default:
		return nil, errors.New("there is no type " + quote(kind) + ": write one of " + configTypes)
	}
	return nil, fmt.Errorf("%s is no value of type %s", quote(string(shown(v))), kind)
}

func numberOf(v any, kind string) (any, error) {
	text := expr.Text(v)
	switch v.(type) {
	case int64, float64, *expr.Decimal:
		if kind == "decimal" {
			d, _, err := apd.NewFromString(text)
			return d, err
		}
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return f, nil
		}
	}
	return nil, fmt.Errorf("%s is no value of type %s", quote(text), kind)
}
