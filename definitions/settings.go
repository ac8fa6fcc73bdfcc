package definitions

import (
	"slices"
	"strconv"
	"strings"

	"github.com/weftbox/weftbox/expr"
)

// Bounds of "$mailbox".
const (
	DefaultKept      = 100  // messages that "$mailbox: keep" keeps for a thread
	MaxKept          = 1000 // the most that a definition may ask for
	DefaultKeptForMs = 7 * 24 * 3600 * 1000
)

// Mailbox is "$mailbox": what becomes of an event that a thread's current action does not want. The zero value drops it.
type Mailbox struct {
	Keep     bool
	Limit    int   // messages kept for a thread; one more is dropped
	TTLMs    int64 // a message that was kept for longer is dropped
	Priority *Expr // of an event that has to wait: greater numbers come first; nil: all alike
}

// ThreadLog is "$thread_log": which operations of a thread are logged. The zero value says that nothing was set.
type ThreadLog struct {
	Set        bool
	All        bool
	Errors     bool
	Operations []string
}

// Wants reports whether an operation is to be logged.
func (l ThreadLog) Wants(operation string) bool {
	return l.All || l.Errors && strings.HasSuffix(operation, "error") || slices.Contains(l.Operations, operation)
}

// Operations are what "$thread_log" may list (playwell.md section 5.9).
var Operations = []string{"spawn_success", "spawn_error", "suspending", "running", "sync_exec", "async_req", "async_res", "async_no_await",
	"schedule_error", "killed", "paused", "continue_success", "continue_fail", "retry", "repair", "finished", "failed", "stalled"}

// SettingKeys returns the names of all settings, sorted.
func SettingKeys() []string { return slices.Clone(settingKeys) }

// CheckSetting says why v, a value of a config, cannot be that setting's; "" when it can. known is false when there is no such setting.
func CheckSetting(key string, v any) (why string, known bool) {
	if !contains(settingKeys, key) {
		return "", false
	}
	var s Settings
	if err := s.set(key, v); err != nil {
		return err.Error(), true
	}
	return "", true
}

// With returns the settings overlaid by the "$" items of a config. An item that CheckSetting refuses is left out.
func (s Settings) With(config map[string]any) Settings {
	for key, v := range config {
		if strings.HasPrefix(key, "$") {
			if next := s; next.set(key, v) == nil {
				s = next
			}
		}
	}
	return s
}

// settingError says what is wrong with a setting's value, in both languages.
type settingError struct{ words }

func (e settingError) Error() string { return e.english() }

// wordsOf returns what an error of a setting says.
func wordsOf(err error) words {
	switch e := err.(type) {
	case settingError:
		return e.words
	case durationError:
		return e.words
	}
	return say("%s", err.Error())
}

func (s *Settings) set(key string, v any) (err error) {
	switch key {
	case "$retention":
		s.RetentionMs, err = durationOf(v)
		s.RetentionSet = err == nil
	case "$schedule.max_continue_periods":
		if s.MaxActions, err = wholeOf(v, -1); s.MaxActions < 0 {
			s.MaxActions = 0
		}
	case "$schedule.suspend_time":
		s.SuspendMs, err = wholeOf(v, 0)
	case "$schedule.pause_continue_old":
		s.PauseContinueOld, err = switchOf(v)
	case "$keep_sleep":
		s.KeepSleep, err = switchOf(v)
	case "$verdicts":
		s.Verdicts, err = switchOf(v)
	case "$thread_log":
		s.ThreadLog, err = threadLogOf(v)
	case "$mailbox":
		s.Mailbox, err = mailboxOf(v)
	case "$monitors":
		s.Monitors, err = monitorsOf(v)
	case "$schedule.monitor":
		name, ok := v.(string)
		if !ok {
			return settingError{say("it must be the name of a service")}
		}
		s.Monitors = []Monitor{{Service: name}}
	}
	return err
}

func durationOf(v any) (int64, error) {
	switch x := v.(type) {
	case int64:
		if x >= 0 {
			return x, nil
		}
	case string:
		return ParseDurationMs(x)
	}
	return 0, settingError{say("it must be a duration such as 48h, or a number of milliseconds")}
}

func wholeOf(v any, least int64) (int64, error) {
	if n, ok := v.(int64); ok && n >= least {
		return n, nil
	}
	return 0, settingError{say("it must be a whole number of at least %d", least)}
}

// maxMonitors bounds how many services are told of one thing.
const maxMonitors = 16

func monitorsOf(v any) (out []Monitor, err error) {
	list, ok := v.([]any)
	if !ok || len(list) > maxMonitors {
		return nil, settingError{say("it must be a list of at most %d services", maxMonitors)}
	}
	for _, item := range list {
		m, _ := item.(map[string]any)
		name, ok := m["service"].(string)
		if !ok || name == "" {
			return nil, settingError{say("each monitor names its service")}
		}
		monitor := Monitor{Service: name}
		if only, has := m["only_repair"]; has {
			if monitor.OnlyRepair, err = switchOf(only); err != nil {
				return nil, err
			}
		}
		out = append(out, monitor)
	}
	return out, nil
}

func switchOf(v any) (bool, error) {
	on, ok := v.(bool)
	if !ok {
		return false, settingError{say("it must be true or false")}
	}
	return on, nil
}

func threadLogOf(v any) (ThreadLog, error) {
	switch x := v.(type) {
	case string:
		switch x {
		case "all":
			return ThreadLog{Set: true, All: true}, nil
		case "error":
			return ThreadLog{Set: true, Errors: true}, nil
		case "none":
			return ThreadLog{Set: true}, nil
		}
	case []any:
		l := ThreadLog{Set: true}
		for _, item := range x {
			name, _ := item.(string)
			name = operationAliases(name)
			if !slices.Contains(Operations, name) {
				return ThreadLog{}, settingError{say("there is no operation %s: write some of %s", quote(expr.Text(item)), strings.Join(Operations, ", "))}
			}
			l.Operations = append(l.Operations, name)
		}
		return l, nil
	}
	return ThreadLog{}, settingError{say("it must be all, error, none or a list of operations")}
}

// operationAliases takes the manual's spellings (playwell.md section 19).
func operationAliases(name string) string {
	switch name {
	case "kill":
		return "killed"
	case "async_no_wait":
		return "async_no_await"
	}
	return name
}

// mailboxForms is what a "$mailbox" may be.
func mailboxForms() words {
	return say("write drop, keep, keep:50, or a map {keep: 50, ttl: 7d, priority: an expression}")
}

func mailboxOf(v any) (Mailbox, error) {
	m := Mailbox{Keep: true, Limit: DefaultKept, TTLMs: DefaultKeptForMs}
	switch x := v.(type) {
	case string:
		word, number, counted := strings.Cut(strings.ReplaceAll(x, " ", ""), ":")
		if x == "drop" {
			return Mailbox{}, nil
		}
		if word != "keep" {
			return Mailbox{}, settingError{mailboxForms()}
		}
		if !counted {
			return m, nil
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return Mailbox{}, settingError{say("%s is no number of messages: %s", quote(number), mailboxForms())}
		}
		return m.limited(n)
	case map[string]any:
		return mailboxOfMap(m, x)
	}
	return Mailbox{}, settingError{mailboxForms()}
}

func (m Mailbox) limited(n int64) (Mailbox, error) {
	if n < 0 || n > MaxKept {
		return Mailbox{}, settingError{say("a mailbox can keep 0 to %d messages, not %d", MaxKept, n)}
	}
	m.Keep, m.Limit = n > 0, int(n)
	return m, nil
}

func mailboxOfMap(m Mailbox, parts map[string]any) (Mailbox, error) {
	var err error
	for key, v := range parts {
		switch key {
		case "keep":
			switch x := v.(type) {
			case bool:
				m.Keep = x
			case int64:
				m, err = m.limited(x)
			default:
				err = settingError{say("keep must be true, false or a number of messages")}
			}
		case "ttl":
			m.TTLMs, err = durationOf(v)
		case "priority":
			text, isText := v.(string)
			if !isText {
				text = expr.Text(v)
			}
			priority, problems := CompileExpr(text, expr.ContextTrigger, "/priority")
			if priority == nil {
				return Mailbox{}, settingError{say("the priority is no expression: %s", problems[0].Message)}
			}
			m.Priority = priority
		default:
			err = settingError{say("there is no key %s here: %s", quote(key), mailboxForms())}
		}
		if err != nil {
			return Mailbox{}, err
		}
	}
	return m, nil
}
