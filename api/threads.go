package api

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine"
	"github.com/weftbox/weftbox/messagebus"
	bushttp "github.com/weftbox/weftbox/messagebus/http"
	"github.com/weftbox/weftbox/slots"
)

type threadView struct {
	Activity     uint32          `json:"activity"`
	ActivityName string          `json:"activity_name"`
	DomainID     string          `json:"domain_id"`
	Definition   string          `json:"definition"`
	Version      string          `json:"version"`
	Status       string          `json:"status"`
	Action       string          `json:"action"`
	Reason       string          `json:"reason"`
	Problem      string          `json:"problem,omitempty"`
	Error        string          `json:"error,omitempty"`
	Vars         json.RawMessage `json:"vars"`
	Parked       uint32          `json:"parked,omitempty"` // messages that wait for it
	Kept         uint32          `json:"kept,omitempty"`   // those among them that an action did not want
	Run          number          `json:"run"`
	Visit        number          `json:"visit"`
	CreatedAt    stamp           `json:"created_at"`
	UpdatedAt    stamp           `json:"updated_at"`
	EndedAt      stamp           `json:"ended_at"`
}

func viewThread(a *activity.Activity, t *activity.Thread) threadView {
	return threadView{Activity: a.Number, ActivityName: a.Name, DomainID: t.ID.Domain, Definition: a.Definition, Version: t.Version,
		Status: t.Status.String(), Action: t.Action, Reason: t.Reason, Problem: t.Problem, Error: t.Error, Vars: vars(t.Vars), Parked: t.Parked, Kept: t.Kept, Run: number(t.Run), Visit: number(t.Visit),
		CreatedAt: stamp(t.CreatedMs), UpdatedAt: stamp(t.UpdatedMs), EndedAt: stamp(t.EndedMs)}
}

// address finds the activity and the domain id of a path.
func (s *Server) address(c *call) (*activity.Activity, activity.ID, error) {
	a, err := s.activity(c)
	if err != nil {
		return nil, activity.ID{}, err
	}
	domain := c.path("domainId")
	for _, part := range strings.Split(domain, "\x01") { // parts a child thread's name from its root's
		if err := slots.ValidDomain(part); err != nil {
			return nil, activity.ID{}, &bushttp.Problem{Status: http.StatusBadRequest, Code: "invalid_domain_id", Title: "No thread can have this domain id", Detail: err.Error()}
		}
	}
	return a, activity.ID{Activity: a.Number, Domain: domain}, nil
}

func (s *Server) getThread(c *call) (*reply, error) {
	a, id, err := s.address(c)
	if err != nil {
		return nil, err
	}
	run := uint64(0)
	if text := c.query("run"); text != "" || c.r.URL.Query().Has("run") {
		if run, err = strconv.ParseUint(text, 10, 64); err != nil || run == 0 {
			return nil, badQuery("run must be the number of a run, not " + quote(text))
		}
	}
	t, err := s.o.Engine.Thread(id, run)
	if err != nil {
		return nil, err
	}
	if t.Status == activity.Absent {
		return nil, noRun(a, id.Domain, run)
	}
	return ok(viewThread(a, &t)), nil
}

func noThread(a *activity.Activity, domain string) error {
	return notFound("thread", domain, "activity "+quote(a.Name)+" has no live thread of this domain id and remembers no ended run; GET /v1/activities/"+url.PathEscape(a.Name)+"/threads lists the live ones")
}

// noRun says that a thread, or one run of it that was asked for, is not there; run 0 is the last.
func noRun(a *activity.Activity, domain string, run uint64) error {
	if run == 0 {
		return noThread(a, domain)
	}
	return &bushttp.Problem{Status: http.StatusNotFound, Code: "thread_not_found", Title: "There is no such run",
		Detail: fmt.Sprintf("thread %s of activity %s has no run %d, or it is forgotten by now: leave run out for the last one", quote(domain), quote(a.Name), run)}
}

func (s *Server) listThreads(c *call) (*reply, error) {
	a, threads, next, err := s.scan(c, false)
	if err != nil {
		return nil, err
	}
	out := list[threadView]{Items: []threadView{}, NextCursor: next}
	for i := range threads {
		out.Items = append(out.Items, viewThread(a, &threads[i]))
	}
	return ok(out), nil
}

// A cursor is opaque to clients: the slot in 2 bytes, the run in 8, and the last domain id, in base64.
func cursorText(p engine.Place) string {
	b := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint16(nil, p.Slot), p.Run)
	return base64.RawURLEncoding.EncodeToString(append(b, p.Domain...))
}

func parseCursor(text string) (engine.Place, error) {
	if text == "" {
		return engine.Place{}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) < 10 || strings.ContainsRune(string(b[10:]), 0) {
		return engine.Place{}, badCursor()
	}
	return engine.Place{Slot: binary.BigEndian.Uint16(b), Run: binary.BigEndian.Uint64(b[2:]), Domain: string(b[10:])}, nil
}

type verdictView struct {
	Verdict string `json:"verdict"`
	Status  string `json:"status"`
	Action  string `json:"action,omitempty"`
}

// command returns the handler of a lifecycle command. It answers after the commit.
func command(name string) func(*Server, *call) (*reply, error) {
	return func(s *Server, c *call) (*reply, error) {
		a, id, err := s.address(c)
		if err != nil {
			return nil, err
		}
		o, err := c.object(true)
		if err != nil {
			return nil, err
		}
		var args map[string]any
		if name == "repair" {
			args = o.repair()
		}
		if err := o.done(); err != nil {
			return nil, err
		}
		answers := make(chan messagebus.Answer, 1)
		if err := s.o.Engine.Command(id, activity.Command{Name: name, Args: args, TimeMs: s.o.Engine.NowMs()}, func(got messagebus.Answer) { answers <- got }); err != nil {
			return nil, notNow(err)
		}
		select {
		case <-c.r.Context().Done():
			return nil, c.r.Context().Err()
		case got := <-answers:
			if got.Err != nil {
				return nil, notNow(got.Err)
			}
			return s.commanded(name, a, id, got)
		}
	}
}

// repairWords are the ways in which a thread that waits for repair goes on.
var repairWords = []string{"retry", "waiting", "goto"}

// repair reads what an operator says to a thread that waits for repair.
func (o *object) repair() map[string]any {
	ctrl := o.text("ctrl", true)
	if ctrl != "" && !slices.Contains(repairWords, ctrl) {
		o.fail("wrong_value", "ctrl", quote(ctrl)+" is no way to repair", "write retry, waiting or goto")
	}
	args := map[string]any{"ctrl": ctrl}
	if target := o.text("goto", args["ctrl"] == "goto"); target != "" {
		args["goto"] = target
	}
	if vars := o.fields("context_vars"); vars != nil {
		args["context_vars"] = vars
	}
	return args
}

// notNow says that the engine took nothing: the same request may be sent again.
func notNow(err error) error {
	p := &bushttp.Problem{Status: http.StatusServiceUnavailable, Code: "stopping", Title: "The node takes nothing more", Detail: err.Error(), Retryable: true, RetryAfter: 1}
	if errors.Is(err, engine.ErrBusy) {
		p.Status, p.Code, p.Title = http.StatusTooManyRequests, "queue_full", "Too much waits already"
	}
	return p
}

func (s *Server) commanded(name string, a *activity.Activity, id activity.ID, got messagebus.Answer) (*reply, error) {
	if len(got.Verdicts) == 0 {
		return nil, errors.New("the engine answered a command without a verdict")
	}
	v := got.Verdicts[0]
	switch v.Kind {
	case activity.VerdictTaken:
		return &reply{status: http.StatusAccepted, body: verdictView{string(v.Kind), v.Status.String(), v.Action}}, nil
	case activity.VerdictDropped:
		status := v.Status
		if status == activity.Absent {
			t, err := s.o.Engine.Thread(id, 0)
			if err != nil {
				return nil, err
			}
			if t.Status == activity.Absent {
				return nil, noThread(a, id.Domain)
			}
			status = t.Status
		}
		if name == "repair" {
			code, detail, _ := strings.Cut(v.Error, ": ")
			return nil, &bushttp.Problem{Status: http.StatusConflict, Code: code, Title: "The thread is not repaired", Detail: detail}
		}
		detail := v.Error
		if why := activity.Refusal(status, name); why != nil {
			detail = why.Error()
		}
		return nil, &bushttp.Problem{Status: http.StatusConflict, Code: "invalid_status", Title: "The thread is " + status.String(), Detail: detail}
	}
	return nil, &bushttp.Problem{Status: http.StatusConflict, Code: "command_failed", Title: "The command was not carried out", Detail: string(v.Kind) + ": " + v.Error}
}
