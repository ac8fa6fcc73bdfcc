package api

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine"
	"github.com/weftbox/weftbox/engine/store"
	bushttp "github.com/weftbox/weftbox/messagebus/http"
	"github.com/weftbox/weftbox/slots"
)

type deadLetterView struct {
	ID           string          `json:"id"`
	Time         stamp           `json:"time"`
	Reason       string          `json:"reason"`
	Error        string          `json:"error"`
	Kind         string          `json:"kind,omitempty"` // "event", "reply", "command" or "alarm"
	Activity     uint32          `json:"activity,omitempty"`
	ActivityName string          `json:"activity_name,omitempty"`
	DomainID     string          `json:"domain_id,omitempty"`
	Action       string          `json:"action,omitempty"`
	Source       string          `json:"source"`
	Position     number          `json:"position,omitempty"`
	Replays      uint32          `json:"replays,omitempty"`
	Message      json.RawMessage `json:"message"`
}

func (s *Server) viewDeadLetter(d *store.DeadLetter) deadLetterView {
	v := deadLetterView{ID: deadID(d.ID()), Time: stamp(d.TimeMs), Reason: d.Reason, Error: d.Error, Kind: d.Kind, Activity: d.Activity, DomainID: d.Domain, Action: d.Action,
		Source: d.Source, Position: number(d.Position), Replays: d.Replays, Message: d.Message}
	if a := s.o.Metadata.Load().Activities[d.Activity]; a != nil {
		v.ActivityName = a.Name
	}
	if !json.Valid(d.Message) { // it was no JSON when it came
		v.Message = shown(string(d.Message))
	}
	return v
}

// deadIDBytes are a letter's slot, time and number.
const deadIDBytes = 2 + 8 + 8

func appendDeadID(b []byte, id store.DeadID) []byte {
	b = binary.BigEndian.AppendUint16(b, id.Slot)
	b = binary.BigEndian.AppendUint64(b, uint64(id.TimeMs))
	return binary.BigEndian.AppendUint64(b, id.Seq)
}

func readDeadID(b []byte) store.DeadID {
	return store.DeadID{Slot: binary.BigEndian.Uint16(b), TimeMs: int64(binary.BigEndian.Uint64(b[2:])), Seq: binary.BigEndian.Uint64(b[10:])}
}

// deadID is a letter's id: opaque to clients.
func deadID(id store.DeadID) string {
	return base64.RawURLEncoding.EncodeToString(appendDeadID(nil, id))
}

// parseDead reads an id or a cursor of n ids.
func parseDead(text string, n int) ([]store.DeadID, bool) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != n*deadIDBytes {
		return nil, false
	}
	var out []store.DeadID
	for ; len(b) > 0; b = b[deadIDBytes:] {
		id := readDeadID(b)
		if id.TimeMs < 0 {
			return nil, false
		}
		out = append(out, id)
	}
	return out, true
}

func noDeadLetter(id string) error {
	return &bushttp.Problem{Status: http.StatusNotFound, Code: "dead_letter_not_found", Title: "There is no such dead letter",
		Detail: "there is no dead letter " + quote(id) + ": it was replayed, deleted or dropped; GET /v1/dead-letters lists those that are there"}
}

func badCursor() error {
	return badQuery("cursor is not one that was given out: take next_cursor of the last answer as it is, or leave it out to begin anew")
}

// deadFilter reads the filter of the query.
func (s *Server) deadFilter(c *call) (f store.DeadFilter, err error) {
	f.Reason, f.Domain = c.query("reason"), c.query("domain")
	if f.Domain != "" {
		if err := slots.ValidDomain(f.Domain); err != nil {
			return f, badQuery("domain: " + err.Error())
		}
	}
	if name := c.query("activity"); name != "" {
		a, err := s.findActivity(name)
		if err != nil {
			return f, err
		}
		f.Activity = a.Number
	}
	if from := c.query("from"); from != "" {
		t, err := time.Parse(time.RFC3339, from)
		ms := t.UnixMilli()
		if err != nil {
			ms, err = strconv.ParseInt(from, 10, 64)
		}
		if err != nil || ms < 0 {
			return f, badQuery("from must be a time such as 2026-01-31T12:00:00Z, or Unix milliseconds, not " + quote(from))
		}
		f.FromMs = ms
	}
	return f, nil
}

func (s *Server) listDeadLetters(c *call) (*reply, error) {
	limit, err := c.limit()
	if err != nil {
		return nil, err
	}
	f, err := s.deadFilter(c)
	if err != nil {
		return nil, err
	}
	var after *store.DeadID
	if cursor := c.query("cursor"); cursor != "" {
		ids, ok := parseDead(cursor, 1)
		if !ok {
			return nil, badCursor()
		}
		after = &ids[0]
	}
	letters, last, more, err := s.o.Engine.FindDeadLetters(f, after, limit)
	if err != nil {
		return nil, err
	}
	out := list[deadLetterView]{Items: []deadLetterView{}}
	for i := range letters {
		out.Items = append(out.Items, s.viewDeadLetter(&letters[i]))
	}
	if more {
		out.NextCursor = deadID(last)
	}
	return ok(out), nil
}

func (s *Server) getDeadLetter(c *call) (*reply, error) {
	ids, known := parseDead(c.path("id"), 1)
	if !known {
		return nil, noDeadLetter(c.path("id"))
	}
	d, found, err := s.o.Engine.DeadLetter(ids[0])
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, noDeadLetter(c.path("id"))
	}
	return ok(s.viewDeadLetter(&d)), nil
}

func (s *Server) deleteDeadLetter(c *call) (*reply, error) {
	result, err := s.oneDeadLetter(c, false)
	if err != nil {
		return nil, err
	}
	return ok(deletedView{Deleted: deleted([]engine.DeadResult{result})}), nil
}

// oneDeadLetter has the letter of the path replayed or deleted.
func (s *Server) oneDeadLetter(c *call, replay bool) (engine.DeadResult, error) {
	ids, known := parseDead(c.path("id"), 1)
	if !known {
		return engine.DeadResult{}, noDeadLetter(c.path("id"))
	}
	o, err := c.object(true)
	if err == nil {
		err = o.done()
	}
	if err != nil {
		return engine.DeadResult{}, err
	}
	results, err := s.settleDeadLetters(c, ids, replay)
	if err != nil {
		return engine.DeadResult{}, err
	}
	if !results[0].Found {
		return engine.DeadResult{}, noDeadLetter(c.path("id"))
	}
	return results[0], nil
}

func (s *Server) settleDeadLetters(c *call, ids []store.DeadID, replay bool) ([]engine.DeadResult, error) {
	settle := s.o.Engine.DeleteDeadLetters
	if replay {
		settle = s.o.Engine.ReplayDeadLetters
	}
	results, err := settle(c.r.Context(), ids)
	if err != nil && c.r.Context().Err() == nil {
		err = notNow(err)
	}
	return results, err
}

type replayView struct {
	Replayed bool              `json:"replayed"`
	Deleted  bool              `json:"deleted"` // the letter is gone; where the replay failed another one took its place
	Verdicts []deadVerdictView `json:"verdicts"`
}

type deadVerdictView struct {
	Verdict  string `json:"verdict"`
	Strategy string `json:"strategy,omitempty"`
	Activity uint32 `json:"activity,omitempty"`
	DomainID string `json:"domain_id,omitempty"`
	Action   string `json:"action,omitempty"`
	Status   string `json:"status,omitempty"`
	Error    string `json:"error,omitempty"`
}

func (s *Server) replayDeadLetter(c *call) (*reply, error) {
	result, err := s.oneDeadLetter(c, true)
	if err != nil {
		return nil, err
	}
	if result.Refused != "" {
		return nil, &bushttp.Problem{Status: http.StatusConflict, Code: "not_replayable", Title: "The dead letter cannot be replayed", Detail: result.Refused + "; the letter is kept"}
	}
	v := replayView{Replayed: result.Replayed, Deleted: result.Deleted, Verdicts: []deadVerdictView{}}
	for _, x := range result.Verdicts {
		v.Verdicts = append(v.Verdicts, deadVerdictView{string(x.Kind), x.Strategy, x.Activity, x.DomainID, x.Action, statusText(x.Status), x.Error})
	}
	return ok(v), nil
}

func statusText(status activity.Status) string {
	if status == activity.Absent {
		return ""
	}
	return status.String()
}

type replayedView struct {
	Replayed   int    `json:"replayed"`
	Failed     int    `json:"failed"` // nobody took the message, or it is a dead letter again
	NextCursor string `json:"next_cursor,omitempty"`
}

type deletedView struct {
	Deleted    int    `json:"deleted"`
	NextCursor string `json:"next_cursor,omitempty"`
}

func deleted(results []engine.DeadResult) (n int) {
	for i := range results {
		if results[i].Deleted {
			n++
		}
	}
	return n
}

func (s *Server) replayDeadLetters(c *call) (*reply, error) {
	results, next, err := s.manyDeadLetters(c, true)
	if err != nil {
		return nil, err
	}
	v := replayedView{NextCursor: next}
	for i := range results {
		switch {
		case results[i].Replayed:
			v.Replayed++
		case results[i].Found:
			v.Failed++
		}
	}
	return ok(v), nil
}

func (s *Server) deleteDeadLetters(c *call) (*reply, error) {
	results, next, err := s.manyDeadLetters(c, false)
	if err != nil {
		return nil, err
	}
	return ok(deletedView{deleted(results), next}), nil
}

// manyDeadLetters has letters that the filter takes replayed or deleted, the oldest first. The cursor says where to go on and where to end: at the
// letter that was the newest when the first of these calls came, so that those which follow do not meet what was written meanwhile.
func (s *Server) manyDeadLetters(c *call, replay bool) (results []engine.DeadResult, next string, err error) {
	limit := engine.MaxDeadLettersAtOnce
	if c.query("limit") != "" {
		if limit, err = c.limit(); err != nil {
			return nil, "", err
		}
	}
	f, err := s.deadFilter(c)
	if err != nil {
		return nil, "", err
	}
	o, err := c.object(true)
	if err == nil {
		err = o.done()
	}
	if err != nil {
		return nil, "", err
	}
	f.OldestFirst = true
	var after *store.DeadID
	if cursor := c.query("cursor"); cursor != "" {
		ids, known := parseDead(cursor, 2)
		if !known {
			return nil, "", badCursor()
		}
		after, f.Until = &ids[0], &ids[1]
	} else {
		newest, _, _, err := s.o.Engine.FindDeadLetters(store.DeadFilter{}, nil, 1)
		if err != nil || len(newest) == 0 {
			return nil, "", err
		}
		last := newest[0].ID()
		f.Until = &last
	}
	letters, last, more, err := s.o.Engine.FindDeadLetters(f, after, limit)
	if err != nil {
		return nil, "", err
	}
	if more {
		next = base64.RawURLEncoding.EncodeToString(appendDeadID(appendDeadID(nil, last), *f.Until))
	}
	if len(letters) == 0 {
		return nil, next, nil
	}
	ids := make([]store.DeadID, len(letters))
	for i := range letters {
		ids[i] = letters[i].ID()
	}
	results, err = s.settleDeadLetters(c, ids, replay)
	return results, next, err
}
