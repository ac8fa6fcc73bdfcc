package definitions

import (
	"strings"

	"github.com/weftbox/weftbox/expr"
)

// settingKeys are the "$" items that a definition may hold.
var settingKeys = []string{
	"$keep_sleep", "$mailbox", "$monitors", "$retention", "$schedule.max_continue_periods", "$schedule.monitor", "$schedule.pause_continue_old", "$schedule.suspend_time", "$thread_log", "$verdicts",
}

// config binds the static values and the "$" items.
func (c *checker) config(n *node, path string) {
	if !c.isMap(n, path, say("config"), say(`write "name: value" in it`)) {
		return
	}
	for i, key := range n.keys {
		p := sub(path, key.value)
		value := c.static(n.items[i], p)
		if !strings.HasPrefix(key.value, "$") {
			c.surprise(key, p, true)
			c.surprises(n.items[i], p)
			c.def.Config[key.value] = value
			continue
		}
		if !contains(settingKeys, key.value) {
			c.report("WB1115", key, p, say("there is no setting %s", quote(key.value)),
				didYouMean(c.suggest.Near(key.value, settingKeys), say("setting"), settingKeys))
			continue
		}
		if c.def.Settings.Items == nil {
			c.def.Settings.Items = map[string]any{}
		}
		c.def.Settings.Items[key.value] = value
		c.setting(key.value, n.items[i], value, p)
	}
}

// surprises looks through a config value, each part of it once.
func (c *checker) surprises(n *node, path string) {
	if c.surprised[n] {
		return
	}
	if c.surprised == nil {
		c.surprised = map[*node]bool{}
	}
	c.surprised[n] = true
	c.surprise(n, path, true)
	for i, item := range n.items {
		p := at(path, i)
		if n.kind == kindMap {
			p = sub(path, n.keys[i].value)
			c.surprise(n.keys[i], p, true)
		}
		c.surprises(item, p)
	}
}

func (c *checker) setting(name string, n *node, value any, path string) {
	s := &c.def.Settings
	switch name {
	case "$retention":
		s.RetentionMs, s.RetentionSet = c.retention(n, value, path)
	case "$schedule.max_continue_periods":
		if s.MaxActions = c.settingInt(n, value, path, -1, say("-1 or 0 for the default, or a number of actions")); s.MaxActions < 0 {
			s.MaxActions = 0
		}
	case "$schedule.suspend_time":
		s.SuspendMs = c.settingInt(n, value, path, 0, say("a number of milliseconds"))
	case "$schedule.pause_continue_old":
		s.PauseContinueOld = c.settingBool(n, path)
	case "$keep_sleep":
		s.KeepSleep = c.settingBool(n, path)
	case "$verdicts":
		s.Verdicts = c.settingBool(n, path)
	case "$monitors":
		c.monitors(n, path)
	case "$schedule.monitor":
		if name := c.monitorName(n, path); name != "" {
			s.Monitors = []Monitor{{Service: name}}
		}
	case "$thread_log":
		c.threadLog(n, value, path)
	case "$mailbox":
		c.mailbox(n, value, path)
	}
}

func (c *checker) settingInt(n *node, value any, path string, least int64, form words) int64 {
	v, ok := value.(int64)
	if !ok || v < least {
		c.report("WB1116", n, path, say("this setting must be a whole number of at least %d", least), say("write %s", form))
		return 0
	}
	return v
}

func (c *checker) settingBool(n *node, path string) bool {
	v, ok := n.yaml11Bool()
	if !ok {
		c.report("WB1116", n, path, say("this setting must be true or false, this is %s", n.what()), say("write true or false, without quotes"))
	}
	return v
}

func (c *checker) retention(n *node, value any, path string) (int64, bool) {
	switch v := value.(type) {
	case int64:
		if v >= 0 {
			return v, true
		}
	case string:
		ms, err := ParseDurationMs(v)
		if err == nil {
			return ms, true
		}
		c.report("WB1116", n, path, err.(durationError).words, say("write a duration such as 48h, or a number of milliseconds"))
		return 0, false
	}
	c.report("WB1116", n, path, say("$retention must be a duration or a number of milliseconds"), say("write 48h, 2d or 90s"))
	return 0, false
}

func (c *checker) monitors(n *node, path string) {
	if n.kind == kindList && len(n.items) > maxMonitors {
		c.report("WB1116", n, path, say("it must be a list of at most %d services", maxMonitors), say(`write "- service: …"`))
		return
	}
	if n.kind != kindList {
		c.report("WB1116", n, path, say("$monitors must be a list, this is %s", n.what()), say(`write "- service: …"`))
		return
	}
	for i, item := range n.items {
		p := at(path, i)
		if !c.isMap(item, p, say("a monitor"), say(`write "- service: …"`)) {
			continue
		}
		f := c.fields(item, p, say("a monitor"), "service", "only_repair")
		var m Monitor
		if v := f.need("service", say(`add "service: …"`)); v != nil {
			m.Service = c.monitorName(v, sub(p, "service"))
		}
		if v := f.found["only_repair"]; v != nil {
			m.OnlyRepair = c.settingBool(v, sub(p, "only_repair"))
		}
		c.def.Settings.Monitors = append(c.def.Settings.Monitors, m)
	}
}

func (c *checker) monitorName(n *node, path string) string {
	name := c.text(n, path, say("the service"))
	if name != "" && !c.env.Services[name] {
		all := sortedNames(c.env.Services)
		c.report("WB1204", n, path, say("there is no service %s", quote(name)), didYouMean(c.suggest.Near(name, all), say("service"), all))
	}
	return name
}

func (c *checker) threadLog(n *node, value any, path string) {
	hint := say("write all, error, none or a list of operation names")
	switch n.kind {
	case kindScalar:
		if n.value != "all" && n.value != "error" && n.value != "none" {
			c.report("WB1116", n, path, say("$thread_log must be all, error, none or a list"), hint)
		}
	case kindMap:
		c.report("WB1116", n, path, say("$thread_log must be all, error, none or a list, this is a map"), hint)
	default:
		for i, item := range n.items {
			name := c.text(item, at(path, i), say("an operation"))
			if name != "" && !contains(Operations, operationAliases(name)) {
				c.report("WB1116", item, at(path, i), say("a thread has no operation %s", quote(name)), didYouMean(c.suggest.Near(name, Operations), say("operation"), Operations))
			}
		}
	}
	c.def.Settings.ThreadLog, _ = threadLogOf(value) // what is wrong with it was reported above
}

func (c *checker) mailbox(n *node, value any, path string) {
	if n.kind == kindMap {
		for i, key := range n.keys {
			if key.value == "priority" && c.expression(n.items[i], sub(path, "priority"), expr.ContextTrigger) == nil {
				return
			}
		}
	}
	var err error
	if c.def.Settings.Mailbox, err = mailboxOf(value); err != nil {
		c.report("WB1116", n, path, say("$mailbox cannot be read: %s", wordsOf(err)), mailboxForms())
	}
}

// static returns a config value: nil, bool, int64, float64, string, []any, map[string]any, or map[any]any where a key is no text.
// Dates stay text, as do the words that only YAML 1.1 takes for Booleans. A value repeated by an alias is shared.
func (c *checker) static(n *node, path string) any {
	if v, ok := c.statics[n]; ok {
		return v
	}
	v := c.makeStatic(n, path)
	c.statics[n] = v
	return v
}

func (c *checker) makeStatic(n *node, path string) any {
	switch n.kind {
	case kindList:
		out := make([]any, len(n.items))
		for i, item := range n.items {
			out[i] = c.static(item, at(path, i))
		}
		return out
	case kindMap:
		return c.staticMap(n, path)
	}
	return c.scalar(n, path)
}

func (c *checker) staticMap(n *node, path string) any {
	texts := make(map[string]any, len(n.keys))
	var mixed map[any]any
	for i, key := range n.keys {
		value := c.static(n.items[i], sub(path, key.value))
		k := c.scalar(key, path)
		text, isText := k.(string)
		if !isText && mixed == nil {
			mixed = make(map[any]any, len(n.keys))
			for t, v := range texts {
				mixed[t] = v
			}
		}
		if mixed == nil {
			texts[text] = value
			continue
		}
		if _, ok := mixed[k]; ok {
			c.report("WB1006", key, path, say("the key %s stands twice in this map", quote(key.value)), say("delete or rename one of them"))
		}
		mixed[k] = value
	}
	if mixed != nil {
		return mixed
	}
	return texts
}

func (c *checker) scalar(n *node, path string) any {
	switch n.tag {
	case tagNull:
		return nil
	case tagBool, tagInt, tagFloat:
		v, err := n.number()
		switch v := v.(type) {
		case bool:
			return v
		case int:
			return int64(v)
		case int64:
			return v
		case float64:
			if err == nil && !(n.tag == tagFloat && isDigits(n.value)) {
				return v
			}
		}
		c.report("WB1017", n, path, say("this number does not fit into 64 bits, or its tag does not fit its text"), say("put it in quotes to keep it as text"))
		return nil
	}
	return n.value
}

func isDigits(text string) bool {
	text = strings.TrimLeft(text, "+-")
	return text != "" && strings.Trim(text, "0123456789_") == ""
}
