package engine

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"unicode/utf8"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/messagebus"
)

// logLine is a line of a thread's log, as it was when the line was made; it is written once the turn is committed.
type logLine struct {
	id   activity.ID
	line *activity.Log
}

// maxLoggedVars bounds the variables in one line of a thread's log, in bytes.
const maxLoggedVars = 4 << 10

// tellLogged writes the lines of the turn's threads: the operation as the message, and what a person needs to know the thread. A line that no
// setting asked for goes the way of the engine's own warnings.
func (t *turn) tellLogged() {
	for _, l := range t.logged {
		if l.line.Unset {
			t.e.warn("a thread of activity "+t.activityOf(l.id.Activity).Name+" failed", errors.New(l.line.Error))
			continue
		}
		level := slog.LevelInfo
		if strings.HasSuffix(l.line.Operation, "error") {
			level = slog.LevelError
		}
		attrs := []slog.Attr{slog.String("component", "activity_thread"), slog.String("activity", t.activityOf(l.id.Activity).Name),
			slog.String("definition", l.line.Definition), slog.String("version", l.line.Version), slog.String("domain_id", l.id.Domain),
			slog.String("status", l.line.Status.String()), slog.String("action", l.line.Action), slog.String("vars", loggedVars(l.line))}
		if l.line.Error != "" {
			attrs = append(attrs, slog.String("err", l.line.Error))
		}
		t.e.o.Log.LogAttrs(context.Background(), level, l.line.Operation, attrs...)
	}
}

func loggedVars(l *activity.Log) string {
	out := []byte{'{'}
	for i := range l.Vars {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(messagebus.EncodeValue(out, l.Vars[i].Name), ':')
		if out = messagebus.EncodeValue(out, l.Vars[i].Value); len(out) > maxLoggedVars {
			cut := maxLoggedVars
			for !utf8.RuneStart(out[cut]) {
				cut--
			}
			return string(out[:cut]) + "…"
		}
	}
	return string(append(out, '}'))
}
