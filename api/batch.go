package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/weftbox/weftbox/engine"
	"github.com/weftbox/weftbox/engine/store"
	bushttp "github.com/weftbox/weftbox/messagebus/http"
)

type jobView struct {
	ID           string            `json:"id"`
	Operation    string            `json:"operation"`
	Args         json.RawMessage   `json:"args,omitempty"`
	Activity     uint32            `json:"activity"`
	ActivityName string            `json:"activity_name,omitempty"`
	Filter       map[string]string `json:"filter"`
	Rate         int64             `json:"rate"` // threads a second
	Limit        int64             `json:"limit,omitempty"`
	DryRun       bool              `json:"dry_run,omitempty"`
	State        string            `json:"state"` // planned, running, done, stopped or failed
	Seen         int64             `json:"seen"`
	Hit          int64             `json:"hit"`
	Refused      int64             `json:"refused"`
	Skipped      int64             `json:"skipped"`
	Errors       int64             `json:"errors"`
	Error        string            `json:"error,omitempty"`
	CreatedAt    stamp             `json:"created_at"`
	StartedAt    stamp             `json:"started_at"`
	EndedAt      stamp             `json:"ended_at"`
}

func (s *Server) viewJob(j *store.Job) jobView {
	v := jobView{ID: strconv.FormatUint(j.ID, 10), Operation: j.Operation, Activity: j.Filter.Activity, Filter: filterView(&j.Filter), Rate: j.Rate, Limit: j.Limit, DryRun: j.DryRun,
		State: j.State.String(), Seen: j.Counts.Seen, Hit: j.Counts.Hit, Refused: j.Counts.Refused, Skipped: j.Counts.Skipped, Errors: j.Counts.Errors, Error: j.Error,
		CreatedAt: stamp(j.CreatedMs), StartedAt: stamp(j.StartedMs), EndedAt: stamp(j.EndedMs)}
	if len(j.Args) > 0 {
		v.Args = shown(j.Args)
	}
	if a := s.o.Metadata.Load().Activities[j.Filter.Activity]; a != nil {
		v.ActivityName = a.Name
	}
	return v
}

// whole takes a key whose value must be a whole number of at least 0; absent: 0.
func (o *object) whole(key string) int64 {
	o.known = append(o.known, key)
	switch v := o.values[key].(type) {
	case nil:
	case int64:
		if v >= 0 {
			return v
		}
		o.fail("wrong_value", key, quote(key)+" must not be negative", "")
	default:
		o.fail("wrong_type", key, quote(key)+" must be a whole number", "")
	}
	return 0
}

// truth takes a key whose value must be true or false; absent: false.
func (o *object) truth(key string) bool {
	o.known = append(o.known, key)
	v, isBool := o.values[key].(bool)
	if !isBool && o.values[key] != nil {
		o.fail("wrong_type", key, quote(key)+" must be true or false", "")
	}
	return v
}

func (s *Server) postJob(c *call) (*reply, error) {
	o, err := c.object(false)
	if err != nil {
		return nil, err
	}
	j := store.Job{Operation: o.text("operation", true), Args: o.fields("args"), Rate: o.whole("rate"), Limit: o.whole("limit"), DryRun: o.truth("dry_run")}
	name := o.text("activity", true)
	filter := &object{values: o.fields("filter")}
	texts := map[string]string{}
	for _, key := range filterKeys {
		texts[key] = filter.text(key, false)
	}
	if err := o.done(); err != nil {
		return nil, err
	}
	if err := filter.done(); err != nil {
		return nil, err
	}
	if err := checkOperation(j.Operation, j.Args); err != nil {
		return nil, err
	}
	a, err := s.findActivity(name)
	if err != nil {
		return nil, err
	}
	if j.Filter, err = readFilter(a, func(key string) string { return texts[key] }); err != nil {
		return nil, err
	}
	j, err = s.o.Engine.StartJob(c.r.Context(), j)
	var bad *engine.BadFilter
	switch {
	case errors.As(err, &bad):
		return nil, explained(err)
	case errors.Is(err, engine.ErrManyJobs):
		return nil, &bushttp.Problem{Status: http.StatusTooManyRequests, Code: "too_many_jobs", Title: "Too many batch operations", Detail: err.Error(), Retryable: true, RetryAfter: 10}
	case err != nil && c.r.Context().Err() == nil:
		return nil, notNow(err)
	case err != nil:
		return nil, err
	}
	return &reply{status: http.StatusAccepted, location: "/v1/batch-operations/" + strconv.FormatUint(j.ID, 10), body: s.viewJob(&j)}, nil
}

// checkOperation refuses an operation that there is not, and arguments that it does not take: only repair has some.
func checkOperation(name string, args map[string]any) error {
	if !slices.Contains(engine.JobOperations(), name) {
		return badBody("there is no operation "+quote(name)+": "+suggestion(name, engine.JobOperations()), bushttp.ProblemError{Code: "wrong_value", Severity: "error", Path: "/operation",
			Message: "there is no operation " + quote(name), Hint: suggestion(name, engine.JobOperations())})
	}
	given := &object{values: args}
	if name == "repair" {
		given.repair()
	}
	err := given.done()
	var p *bushttp.Problem
	if errors.As(err, &p) {
		for i := range p.Errors {
			p.Errors[i].Path = "/args" + p.Errors[i].Path
		}
	}
	return err
}

func (s *Server) listJobs(*call) (*reply, error) {
	out := list[jobView]{Items: []jobView{}}
	jobs := s.o.Engine.Jobs()
	for i := range jobs {
		out.Items = append(out.Items, s.viewJob(&jobs[i]))
	}
	return ok(out), nil
}

func noJob(id string) error {
	return &bushttp.Problem{Status: http.StatusNotFound, Code: "batch_operation_not_found", Title: "There is no such batch operation",
		Detail: "there is no batch operation " + quote(id) + ": it is unknown, or so old that it was forgotten; GET /v1/batch-operations lists them"}
}

// withJob answers with what do returns for the job of the path.
func (s *Server) withJob(c *call, status int, do func(uint64) (store.Job, error)) (*reply, error) {
	id, err := strconv.ParseUint(c.path("id"), 10, 64)
	if err != nil {
		return nil, noJob(c.path("id"))
	}
	j, err := do(id)
	if errors.Is(err, engine.ErrNoJob) {
		return nil, noJob(c.path("id"))
	}
	if err != nil {
		return nil, err
	}
	return &reply{status: status, body: s.viewJob(&j)}, nil
}

func (s *Server) getJob(c *call) (*reply, error) {
	return s.withJob(c, http.StatusOK, s.o.Engine.Job)
}

func (s *Server) stopJob(c *call) (*reply, error) {
	o, err := c.object(true)
	if err == nil {
		err = o.done()
	}
	if err != nil {
		return nil, err
	}
	return s.withJob(c, http.StatusAccepted, func(id uint64) (store.Job, error) {
		j, err := s.o.Engine.StopJob(c.r.Context(), id)
		if err != nil && !errors.Is(err, engine.ErrNoJob) && c.r.Context().Err() == nil {
			err = notNow(err)
		}
		return j, err
	})
}
