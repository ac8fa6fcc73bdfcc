package api

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/engine"
	bushttp "github.com/weftbox/weftbox/messagebus/http"
)

type clockView struct {
	Now  stamp  `json:"now"`
	Mode string `json:"mode"` // "wall" or "manual"
}

func (s *Server) getClock(*call) (*reply, error) {
	v := clockView{Now: stamp(s.o.Engine.NowMs()), Mode: "wall"}
	if s.o.Manual {
		v.Mode = "manual"
	}
	return ok(v), nil
}

type advanced struct {
	Now   stamp `json:"now"`
	Fired int64 `json:"fired"` // alarms that reached their threads
}

// lastMs is the end of the year 9999, the last that RFC 3339 can write.
const lastMs = 253_402_300_799_999

func (s *Server) advanceClock(c *call) (*reply, error) {
	o, err := c.object(false)
	if err != nil {
		return nil, err
	}
	by := o.text("by", true)
	if err := o.done(); err != nil {
		return nil, err
	}
	byMs, err := definitions.ParseDurationMs(by)
	if err == nil && byMs > lastMs-s.o.Engine.NowMs() {
		err = errors.New("the clock cannot go beyond the year 9999")
	}
	if err != nil {
		return nil, badBody(`"by": ` + err.Error())
	}
	control := http.NewResponseController(c.w) // a long span may have many alarms; where there are no deadlines none is lifted
	_, _ = control.SetReadDeadline(time.Time{}), control.SetWriteDeadline(time.Time{})
	nowMs, fired, err := s.o.Engine.Advance(c.r.Context(), byMs)
	if errors.Is(err, engine.ErrWallClock) {
		return nil, &bushttp.Problem{Status: http.StatusConflict, Code: "wall_clock", Title: "This clock is not turned by hand", Detail: err.Error()}
	}
	if errors.Is(err, engine.ErrBusyClock) {
		return nil, &bushttp.Problem{Status: http.StatusConflict, Code: "busy_clock", Title: "The clock stopped on its way", Detail: err.Error()}
	}
	if err != nil {
		return nil, err
	}
	return ok(advanced{stamp(nowMs), fired}), nil
}

type healthView struct {
	Status string      `json:"status"`
	Checks []checkView `json:"checks"`
}

type checkView struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"`

	soft bool // the node is of use although it is not OK
}

func (s *Server) getHealth(c *call) (*reply, error) {
	return health(c, healthView{Status: "ok", Checks: []checkView{{Name: "process", OK: true}}})
}

func (s *Server) getReady(c *call) (*reply, error) {
	v := healthView{Status: "ready", Checks: []checkView{{Name: "intake", OK: true}, {Name: "metadata", OK: true}}}
	if disk := s.o.Engine.Usage().Disk; disk.Known {
		check := checkView{Name: "disk", OK: !disk.Low, Detail: strconv.FormatInt(disk.FreeBytes>>20, 10) + " MiB are free", soft: true}
		if disk.Low {
			v.Status = "ready, but the disk is low: events are refused"
			check.Detail += ", events are taken again from " + strconv.FormatInt(disk.HighBytes>>20, 10) + " MiB on"
		}
		v.Checks = append(v.Checks, check)
	}
	if s.stopping.Load() {
		v.Status, v.Checks[0] = "stopping", checkView{Name: "intake", Detail: "the node is stopping"}
	}
	if s.o.Metadata.Load() == nil {
		v.Status, v.Checks[1] = "not ready", checkView{Name: "metadata", Detail: "no metadata is loaded"}
	}
	return health(c, v)
}

func health(c *call, v healthView) (*reply, error) {
	verbose, err := c.flag("verbose")
	if err != nil {
		return nil, err
	}
	rep := ok(v.Status + "\n")
	if verbose {
		rep.body = v
	}
	for _, check := range v.Checks {
		if !check.OK && !check.soft {
			rep.status = http.StatusServiceUnavailable
		}
	}
	return rep, nil
}
