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
			out = append(out, checkSetting(k, config[k])...)
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

// checkSetting refuses a "$" item that the engine has not, or not with this value.
func checkSetting(key string, v any) []definitions.Problem {
	why, known := definitions.CheckSetting(key, v)
	if !known {
		hint := "leave it out; items of your own do not begin with $"
		if near := expr.Nearest(key, definitions.SettingKeys()); near != "" {
			hint = "did you mean " + quoted(near) + "?"
		}
		return []definitions.Problem{problem(codeSetting, "/config/"+key, "there is no setting "+quoted(key), hint)}
	}
	if why != "" {
		return []definitions.Problem{problem(codeSetting, "/config/"+key, "the setting "+key+" cannot have this value: "+why, "write it as in the config of a definition")}
	}
	return nil
}

// unknownMonitors warns of monitors that are no registered services. In a definition that is an error; here the service may have been deleted
// since, and the other items are to be changed all the same.
func unknownMonitors[V any](config map[string]any, services map[string]V) (out []definitions.Problem) {
	for _, m := range (definitions.Settings{}).With(config).Monitors {
		if _, known := services[m.Service]; known {
			continue
		}
		hint := "correct the name, or register the service"
		if near := expr.Nearest(m.Service, sortedKeys(services)); near != "" {
			hint = "did you mean " + quoted(near) + "?"
		}
		key := "$monitors"
		if _, there := config[key]; !there {
			key = "$schedule.monitor"
		}
		out = append(out, warning(codeMonitor, "/config/"+key, "there is no service "+quoted(m.Service)+": nobody is told until it is registered", hint))
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
