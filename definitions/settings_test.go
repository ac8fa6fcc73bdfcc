package definitions

import (
	"strings"
	"testing"
)

func TestSettingsOfAConfig(t *testing.T) {
	base := Settings{KeepSleep: true, MaxActions: 7, RetentionMs: 5, RetentionSet: true}
	got := base.With(map[string]any{"$keep_sleep": false, "$retention": "2d", "$schedule.suspend_time": int64(30), "$schedule.max_continue_periods": "many",
		"$thread_log": []any{"kill", "retry"}, "$mailbox": map[string]any{"keep": int64(3), "ttl": "1h", "priority": `eventAttr("p", 0)`}, "limit": true})
	if got.KeepSleep || got.RetentionMs != 172_800_000 || got.SuspendMs != 30 {
		t.Errorf("overlaid settings: expected keep_sleep false, retention 2d, suspend_time 30, got %+v", got)
	}
	if got.MaxActions != 7 {
		t.Errorf("a value that cannot be: expected the definition's 7 to stay, got %d", got.MaxActions)
	}
	if !got.ThreadLog.Wants("killed") || !got.ThreadLog.Wants("retry") || got.ThreadLog.Wants("schedule_error") {
		t.Errorf("a list of operations: expected killed and retry only, got %+v", got.ThreadLog)
	}
	if m := got.Mailbox; !m.Keep || m.Limit != 3 || m.TTLMs != 3_600_000 || m.Priority == nil {
		t.Errorf("a mailbox: expected 3 messages for an hour with a priority, got %+v", m)
	}
	if base.Mailbox.Keep || !base.KeepSleep {
		t.Error("With: expected the settings it is called on to stay")
	}
}

func TestMailboxForms(t *testing.T) {
	for _, c := range []struct {
		value any
		keep  bool
		limit int
		why   string
	}{
		{"drop", false, 0, ""},
		{"keep", true, DefaultKept, ""},
		{"keep:50", true, 50, ""},
		{"keep: 50", true, 50, ""},
		{"keep:0", false, 0, ""},
		{map[string]any{"keep": true}, true, DefaultKept, ""},
		{map[string]any{"keep": false}, false, DefaultKept, ""},
		{"keep:1001", false, 0, "0 to 1000"},
		{"keep:-1", false, 0, "0 to 1000"},
		{"keep:x", false, 0, "no number"},
		{"hold", false, 0, "drop, keep"},
		{int64(5), false, 0, "drop, keep"},
		{map[string]any{"keep": "yes"}, false, 0, "true, false or a number"},
		{map[string]any{"limit": int64(5)}, false, 0, `no key "limit"`},
		{map[string]any{"ttl": "soon"}, false, 0, "not a duration"},
		{map[string]any{"priority": "eventAttr("}, false, 0, "no expression"},
	} {
		m, err := mailboxOf(c.value)
		if c.why == "" {
			if err != nil || m.Keep != c.keep || m.Keep && m.Limit != c.limit {
				t.Errorf("$mailbox %v: expected keep %t, limit %d, got %+v, %v", c.value, c.keep, c.limit, m, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("$mailbox %v: expected an error that says %q, got %v", c.value, c.why, err)
		}
	}
	if why, known := CheckSetting("$keep_slep", true); known || why != "" {
		t.Errorf("a setting that is none: expected it to be unknown, got %q, %t", why, known)
	}
}
