package metadata

import (
	"fmt"
	"sort"
	"strings"

	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/expr"
)

// maxConfigWarnings bounds how many unknown items one put is told of: looking for what was meant costs time for each.
const maxConfigWarnings = 20

// settings are the config items that steer the engine, and why a value cannot be one ("" when it can).
var settings = map[string]func(v any) string{
	"$retention":                     badRetention,
	"$schedule.max_continue_periods": badCount,
	"$schedule.suspend_time":         badCount,
	"$schedule.pause_continue_old":   badSwitch,
	"$keep_sleep":                    badSwitch,
	"$monitors":                      badList,
	"$thread_log":                    func(any) string { return "" },
}

func badRetention(v any) string {
	switch x := v.(type) {
	case int64:
		if x >= 0 {
			return ""
		}
	case string:
		_, err := definitions.ParseDurationMs(x)
		if err == nil {
			return ""
		}
		return err.Error()
	}
	return "it must be a duration such as 48h, or a number of milliseconds"
}

func badCount(v any) string {
	if n, ok := v.(int64); !ok || n < -1 {
		return "it must be a whole number"
	}
	return ""
}

func badSwitch(v any) string {
	if _, ok := v.(bool); !ok {
		return "it must be true or false"
	}
	return ""
}

func badList(v any) string {
	if _, ok := v.([]any); !ok {
		return "it must be a list"
	}
	return ""
}

// checkConfig checks the overrides of an activity against the version of its definition that would run now.
func checkConfig(config map[string]any, d *definitions.Definition) []definitions.Problem {
	text, err := EncodeConfig(config)
	if err != nil {
		return []definitions.Problem{problem(codeConfig, "/config", err.Error(), "use the values that YAML and JSON have")}
	}
	if len(text) > MaxConfigBytes {
		return []definitions.Problem{problem(codeConfig, "/config", fmt.Sprintf("the config takes %d bytes, at most %d are allowed", len(text), MaxConfigBytes), "keep data in events and services, settings in the config")}
	}
	var out []definitions.Problem
	unknown := 0
	for _, k := range sortedKeys(config) {
		if strings.HasPrefix(k, "$") {
			out = append(out, checkSetting(k, config[k]))
		} else if _, ok := d.Config[k]; !ok {
			if unknown++; unknown <= maxConfigWarnings {
				out = append(out, unknownItem(k, d))
			}
		}
	}
	if unknown > maxConfigWarnings {
		out = append(out, warning(codeConfigKey, "/config", fmt.Sprintf("%d more config items are unknown to the definition", unknown-maxConfigWarnings), "see the hints above"))
	}
	return out
}

func unknownItem(key string, d *definitions.Definition) definitions.Problem {
	hint := "leave it out, or add it to the definition's config"
	if near := expr.Nearest(key, sortedKeys(d.Config)); near != "" {
		hint = "did you mean " + quoted(near) + "?"
	}
	return warning(codeConfigKey, "/config/"+key, "the config of definition "+quoted(d.Name)+" has no item "+quoted(key)+": its expressions may never read it", hint)
}

// checkSetting refuses a "$" item that the engine has not, or not with this value. One that it has is kept, with a warning: the engine
// takes its settings from the definition.
func checkSetting(key string, v any) definitions.Problem {
	bad, ok := settings[key]
	if !ok {
		hint := "leave it out; items of your own do not begin with $"
		if near := expr.Nearest(key, sortedKeys(settings)); near != "" {
			hint = "did you mean " + quoted(near) + "?"
		}
		return problem(codeSetting, "/config/"+key, "there is no setting "+quoted(key), hint)
	}
	if why := bad(v); why != "" {
		return problem(codeSetting, "/config/"+key, "the setting "+key+" cannot have this value: "+why, "write it as in the config of a definition")
	}
	return warning(codeSettingHere, "/config/"+key, "the setting "+key+" is taken from the definition; in an activity it has no effect", "write it into the definition's config and post a new version")
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
