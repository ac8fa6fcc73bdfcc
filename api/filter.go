package api

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/engine"
	"github.com/weftbox/weftbox/engine/store"
	bushttp "github.com/weftbox/weftbox/messagebus/http"
)

// filterKeys are the keys of a filter of threads, in a query and in a body.
var filterKeys = []string{"status", "action", "version", "idle", "where", "alarm_from", "alarm_before"}

// threadStatuses are the statuses a thread may have, by name.
var threadStatuses = func() map[string]activity.Status {
	out := map[string]activity.Status{}
	for s := activity.Running; s <= activity.Killed; s++ {
		out[s.String()] = s
	}
	return out
}()

// readFilter makes a filter of the texts that get returns for filterKeys ("" for none).
func readFilter(a *activity.Activity, get func(key string) string) (f store.ThreadFilter, err error) {
	f = store.ThreadFilter{Activity: a.Number, Action: get("action"), Version: get("version"), Where: get("where")}
	for name := range strings.SplitSeq(get("status"), ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		status, known := threadStatuses[name]
		if !known {
			return f, badFilter("status: there is no status "+quote(name)+": "+suggestion(name, sortedKeys(threadStatuses)), nil)
		}
		if !slices.Contains(f.Statuses, status) {
			f.Statuses = append(f.Statuses, status)
		}
	}
	if idle := get("idle"); idle != "" {
		if f.IdleMs, err = definitions.ParseDurationMs(idle); err != nil {
			return f, badFilter("idle: "+err.Error(), nil)
		}
	}
	if f.AlarmFromMs, err = readTime("alarm_from", get("alarm_from")); err == nil {
		f.AlarmToMs, err = readTime("alarm_before", get("alarm_before"))
	}
	return f, err
}

func readTime(key, text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	ms := t.UnixMilli()
	if err != nil {
		ms, err = strconv.ParseInt(text, 10, 64)
	}
	if err != nil || ms <= 0 {
		return 0, badFilter(key+" must be a time such as 2026-01-31T12:00:00Z, or Unix milliseconds, not "+quote(text), nil)
	}
	return ms, nil
}

func badFilter(detail string, problems []definitions.Problem) error {
	p := &bushttp.Problem{Status: http.StatusBadRequest, Code: "invalid_filter", Title: "The filter is not as it must be", Detail: detail}
	if len(problems) > 0 {
		p.Errors = items(problems, "")
	}
	return p
}

// explained makes a problem of what the engine says against a filter.
func explained(err error) error {
	var bad *engine.BadFilter
	if errors.As(err, &bad) {
		return badFilter(bad.Text, bad.Problems)
	}
	return err
}

// filterView is a filter as it is shown: only what it says.
func filterView(f *store.ThreadFilter) map[string]string {
	var names []string
	for _, s := range f.Statuses {
		names = append(names, s.String())
	}
	out := map[string]string{}
	for key, text := range map[string]string{"status": strings.Join(names, ","), "action": f.Action, "version": f.Version, "where": f.Where} {
		if text != "" {
			out[key] = text
		}
	}
	if f.IdleMs > 0 {
		out["idle"] = fmt.Sprintf("%dms", f.IdleMs)
	}
	for key, ms := range map[string]int64{"alarm_from": f.AlarmFromMs, "alarm_before": f.AlarmToMs} {
		if ms > 0 {
			out[key] = time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
		}
	}
	return out
}

// scan lists the threads of an activity that the query chooses.
func (s *Server) scan(c *call, onlyAlarms bool) (a *activity.Activity, threads []activity.Thread, next string, err error) {
	if a, err = s.activity(c); err != nil {
		return nil, nil, "", err
	}
	limit, err := c.limit()
	if err != nil {
		return nil, nil, "", err
	}
	from, err := parseCursor(c.query("cursor"))
	if err != nil {
		return nil, nil, "", err
	}
	f, err := readFilter(a, c.query)
	if err != nil {
		return nil, nil, "", err
	}
	f.HasAlarm = onlyAlarms
	threads, place, done, err := s.o.Engine.Scan(f, from, limit)
	if err == nil && !done {
		next = cursorText(place)
	}
	return a, threads, next, explained(err)
}

// alarmView is an alarm that is set: its thread waits for it.
type alarmView struct {
	Due      stamp  `json:"due"`
	Kind     string `json:"kind"` // action or yield
	DomainID string `json:"domain_id"`
	Action   string `json:"action"`
	Status   string `json:"status"` // of the thread: a paused one is not given its alarm
	Run      number `json:"run"`
}

func (s *Server) listAlarms(c *call) (*reply, error) {
	_, threads, next, err := s.scan(c, true)
	if err != nil {
		return nil, err
	}
	out := list[alarmView]{Items: []alarmView{}, NextCursor: next}
	for i := range threads {
		t := &threads[i]
		kind := "action"
		if t.AlarmKind == activity.AlarmYield {
			kind = "yield"
		}
		out.Items = append(out.Items, alarmView{Due: stamp(t.AlarmDue), Kind: kind, DomainID: t.ID.Domain, Action: t.Action, Status: t.Status.String(), Run: number(t.Run)})
	}
	return ok(out), nil
}
