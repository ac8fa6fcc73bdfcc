package api

import (
	"net/http"
	"strconv"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/engine"
	"github.com/weftbox/weftbox/engine/store"
)

// sentenceView is one sentence of a thread's story.
type sentenceView struct {
	Time stamp  `json:"time"` // null: it holds now
	Text string `json:"text"`
}

type storyView struct {
	Thread    *threadView    `json:"thread"` // null: there is none, only dead letters
	Sentences []sentenceView `json:"sentences"`
}

// lineView is one line of a run.
type lineView struct {
	Number  number `json:"number"`
	Time    stamp  `json:"time"`
	Message string `json:"message"` // event, reply, alarm or command
	Name    string `json:"name,omitempty"`
	EventID string `json:"event_id,omitempty"`
	Verdict string `json:"verdict"`
	Clause  *int16 `json:"clause,omitempty"`
	From    string `json:"from,omitempty"` // where the thread stood; absent: it was born
	To      string `json:"to,omitempty"`
	Status  string `json:"status,omitempty"`
	Error   string `json:"error,omitempty"`
}

// story reads the story of the thread of the path.
func (s *Server) story(c *call) (*activity.Activity, *engine.Story, error) {
	a, id, err := s.address(c)
	if err != nil {
		return nil, nil, err
	}
	run := uint64(0)
	if text := c.query("run"); text != "" {
		if run, err = strconv.ParseUint(text, 10, 64); err != nil || run == 0 {
			return nil, nil, badQuery("run must be the number of a run, not " + quote(text))
		}
	}
	story, err := s.o.Engine.Story(id, run)
	if err != nil {
		return nil, nil, err
	}
	if story.Thread.Status == activity.Absent && (len(story.Letters) == 0 || run != 0) {
		return nil, nil, noRun(a, id.Domain, run)
	}
	return a, &story, nil
}

func (s *Server) listVerdicts(c *call) (*reply, error) {
	_, story, err := s.story(c)
	if err != nil {
		return nil, err
	}
	out := list[lineView]{Items: []lineView{}}
	for i := range story.Lines {
		l := &story.Lines[i]
		v := lineView{Number: number(l.Seq), Time: stamp(l.TimeMs), Message: l.Sort.String(), Name: l.Name, EventID: l.EventID, Verdict: string(l.Verdict), From: l.From, To: l.To,
			Status: statusText(l.Status), Error: l.Error}
		if l.Clause >= 0 {
			v.Clause = &l.Clause
		}
		out.Items = append(out.Items, v)
	}
	return ok(out), nil
}

func (s *Server) explain(c *call) (*reply, error) {
	lang := c.query("lang")
	words, known := storyWords[lang]
	if lang == "" {
		words, known = storyWords["en"], true
	}
	if !known {
		return nil, badQuery("lang must be en or zh, not " + quote(lang))
	}
	a, story, err := s.story(c)
	if err != nil {
		return nil, err
	}
	v := storyView{Sentences: words.tell(a, story, c.path("domainId"))}
	if story.Thread.Status != activity.Absent {
		t := viewThread(a, &story.Thread)
		v.Thread = &t
	}
	return &reply{status: http.StatusOK, body: v}, nil
}

// teller puts sentences together in one language.
type teller struct {
	w   *language
	out []sentenceView
}

func (t *teller) say(atMs int64, key string, args ...any) {
	t.out = append(t.out, sentenceView{stamp(atMs), t.w.text(key, args...)})
}

// tell writes a thread's story: its birth, what became of its messages, where it stands, and what concerns it beside.
func (w *language) tell(a *activity.Activity, s *engine.Story, domain string) []sentenceView {
	t := &teller{w: w}
	th := &s.Thread
	if th.Status == activity.Absent {
		t.say(0, "absent", domain, a.Name)
	} else {
		t.say(th.CreatedMs, "born", th.Run, domain, a.Name, a.Definition, th.Version)
		switch {
		case len(s.Lines) == 0:
			t.say(0, "no_lines")
		case s.Full && s.Lines[0].Verdict != activity.VerdictSpawned:
			t.say(0, "older", len(s.Lines))
		}
		for i := range s.Lines {
			t.line(&s.Lines[i])
		}
		t.standing(a, s)
	}
	for i := range s.Ended {
		if e := &s.Ended[i]; e.Run != th.Run {
			t.say(e.EndedMs, "other_run", e.Run, w.word(e.Status.String()), e.Action)
		}
	}
	for i := range s.Letters {
		d := &s.Letters[i]
		t.say(d.TimeMs, "letter", w.word(d.Kind), d.Reason, d.Error, deadID(d.ID()))
	}
	if s.More {
		t.say(0, "more_letters")
	}
	return t.out
}

// line says what became of one message.
func (t *teller) line(l *store.Line) {
	subject := t.subject(l)
	text := ""
	switch {
	case l.Verdict == activity.VerdictTaken && l.Clause >= 0:
		text = t.w.text("taken_by", subject, l.Clause, l.From)
	case l.Verdict == activity.VerdictTaken && l.Sort == store.SortCommand:
		text = t.w.text("carried_out", subject)
	case l.Verdict == activity.VerdictDropped && l.Sort == store.SortCommand:
		text = t.w.text("refused", subject, l.Error)
	case l.Verdict == activity.VerdictTaken, l.Verdict == activity.VerdictDropped:
		text = t.w.text(string(l.Verdict), subject, l.From)
	case l.Verdict == activity.VerdictDead:
		text = t.w.text("dead_letter", subject, l.Error)
	case t.w.knows(string(l.Verdict)):
		text = t.w.text(string(l.Verdict), subject)
	default:
		text = t.w.text("verdict", subject, string(l.Verdict))
	}
	switch {
	case l.Status == activity.Failed:
		text += t.w.text("then_failed", l.Error)
	case l.Status.Ended():
		text += t.w.text("then_ended", t.w.word(l.Status.String()))
	case l.To != l.From && l.To != "":
		text += t.w.text("then_at", l.To)
	}
	t.out = append(t.out, sentenceView{stamp(l.TimeMs), text + t.w.stop})
}

func (t *teller) subject(l *store.Line) string {
	if l.Sort == store.SortEvent && l.EventID != "" {
		return t.w.text("event_id", l.Name, l.EventID)
	}
	return t.w.text("subject_"+l.Sort.String(), l.Name)
}

// standing says where the thread stands, or how it ended.
func (t *teller) standing(a *activity.Activity, s *engine.Story) {
	th := &s.Thread
	switch th.Status {
	case activity.Waiting:
		t.say(0, "waiting", th.Action)
	case activity.Running:
		t.say(0, "running", th.Action)
	case activity.Paused:
		t.say(th.UpdatedMs, "paused", th.Action)
	case activity.Stalled:
		t.say(th.UpdatedMs, "stalled", th.Action, th.Reason, th.Error)
	case activity.Failed:
		t.say(th.EndedMs, "failed", th.Action, reasonOf(th))
	default:
		t.say(th.EndedMs, "ended", t.w.word(th.Status.String()), th.Action)
	}
	if !th.Status.Live() {
		return
	}
	if th.AlarmDue != 0 && th.AlarmKind == activity.AlarmAction {
		t.say(th.AlarmDue, "alarm")
	}
	for _, r := range s.Requests {
		t.say(0, "request", r.Action)
	}
	if th.Parked > 0 {
		t.say(0, "mail", th.Parked)
	}
	if a.State != activity.ActivityRunning {
		t.say(0, "activity", a.Name, t.w.word(a.State.String()))
	}
}

func reasonOf(th *activity.Thread) string {
	if th.Error != "" {
		return th.Reason + ": " + th.Error
	}
	return th.Reason
}
