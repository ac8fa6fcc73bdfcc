package activity

import (
	"cmp"
	"slices"
	"strings"

	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/expr"
)

// Strategy says which events concern a thread and which domain id they carry. It is immutable and compiled.
type Strategy struct {
	Name     string
	When     *definitions.Expr
	DomainID *definitions.Expr
}

// CompileStrategy compiles a strategy; with an error among the problems it is nil. A condition that cannot be indexed is warned of.
func CompileStrategy(name, when, domainID string) (*Strategy, []definitions.Problem) {
	w, problems := definitions.CompileWhen(when, "/when")
	d, more := definitions.CompileExpr(domainID, expr.ContextStrategy, "/domain_id")
	problems = append(problems, more...)
	if w == nil || d == nil {
		return nil, problems
	}
	return &Strategy{Name: name, When: w, DomainID: d}, problems
}

// Router leads events to threads: which strategies an event must be asked, and which activities live by them. It is immutable.
// What an event lacks costs nothing: strategies, and the triggers of their activities, are found by what they require of an event.
type Router struct {
	routes []route // ascending by name
	asked  index[int32]
}

type route struct {
	strategy   *Strategy
	names      []string    // the strategy's
	activities []*Activity // ascending by number
	births     index[*Activity]
}

// Hit is one strategy that an event matched.
type Hit struct {
	Strategy   string
	Domain     string
	Activities []*Activity // ascending by number; they live by this strategy
	Err        error       // the strategy could not be computed: it counts as not matching

	route *route
	event *Event
}

// NewRouter builds a router. An activity lives by the strategy of every loadable version of its definition, the disabled ones included, whose
// threads must hear of it; killed ones live by none.
func NewRouter(strategies map[string]*Strategy, activities []*Activity) *Router {
	r := &Router{}
	places := map[string]int{}
	for _, a := range activities {
		if a.State == ActivityKilled {
			continue
		}
		for _, b := range a.Versions {
			name := b.Definition.Strategy
			s := strategies[name]
			if s == nil {
				continue
			}
			i, ok := places[name]
			if !ok {
				i = len(r.routes)
				places[name] = i
				r.routes = append(r.routes, route{strategy: s, names: []string{name}})
			}
			if as := r.routes[i].activities; len(as) == 0 || as[len(as)-1] != a { // another version lives by it too
				r.routes[i].activities = append(as, a)
			}
		}
	}
	slices.SortFunc(r.routes, func(x, y route) int { return strings.Compare(x.strategy.Name, y.strategy.Name) })
	asked := make([]filing[int32], len(r.routes))
	for i := range r.routes {
		route := &r.routes[i]
		slices.SortFunc(route.activities, byNumber)
		route.births = newIndex(route.triggers())
		asked[i] = filing[int32]{int32(i), route.strategy.When.Program.Requires()}
	}
	r.asked = newIndex(asked)
	return r
}

func byNumber(x, y *Activity) int { return cmp.Compare(x.Number, y.Number) }

// triggers returns the activities to which an event may give a new thread, with what their triggers require.
func (r *route) triggers() []filing[*Activity] {
	out := make([]filing[*Activity], 0, len(r.activities))
	for _, a := range r.activities {
		if b := a.Latest; a.State == ActivityRunning && b != nil && b.Definition.Strategy == r.strategy.Name && b.Definition.Trigger.Condition != nil {
			out = append(out, filing[*Activity]{a, b.Definition.Trigger.Condition.Program.Requires()})
		}
	}
	return out
}

// Route asks the strategies and appends their hits to out, in the order of their names. Strategies that do not match leave nothing;
// one that could not be computed leaves a Hit with Err. Only those are asked whose required type and attributes the event has: the
// others are known not to match. s is scratch: its Event is set here. A Hit keeps e.
func (r *Router) Route(s *expr.Scope, e *Event, out []Hit) []Hit {
	s.Event = e
	var some [32]int32
	places := r.asked.find(e, some[:0])
	slices.Sort(places)
	for _, i := range places {
		route := &r.routes[i]
		domain, ok, err := route.strategy.Domain(s)
		if ok || err != nil {
			out = append(out, Hit{Strategy: route.strategy.Name, Domain: domain, Activities: route.activities, Err: err, route: route, event: e})
		}
	}
	return out
}

// Hit returns the hit of one strategy for a domain id, whatever its condition says; ok is false if no activity lives by it.
func (r *Router) Hit(strategy, domain string, e *Event) (h Hit, ok bool) {
	i, ok := slices.BinarySearchFunc(r.routes, strategy, func(x route, name string) int { return strings.Compare(x.strategy.Name, name) })
	if !ok {
		return Hit{}, false
	}
	route := &r.routes[i]
	return Hit{Strategy: strategy, Domain: domain, Activities: route.activities, route: route, event: e}, true
}

// Strategies returns the strategy's name as a list, which is shared: to append to it makes a new one.
func (h *Hit) Strategies() []string {
	if h.route == nil {
		return []string{h.Strategy}
	}
	return h.route.names
}

// Activity returns the activity of that number if it lives by the strategy, else nil.
func (h *Hit) Activity(number uint32) *Activity {
	i, ok := slices.BinarySearchFunc(h.Activities, number, func(a *Activity, n uint32) int { return cmp.Compare(a.Number, n) })
	if !ok {
		return nil
	}
	return h.Activities[i]
}

// Births appends to out the activities to which the event may give a new thread, ascending by number: those whose trigger must be
// asked where no thread of the domain id lives. The triggers of all others are known not to match.
func (h *Hit) Births(out []*Activity) []*Activity {
	if h.route == nil {
		return out
	}
	n := len(out)
	out = h.route.births.find(h.event, out)
	if found := out[n:]; !slices.IsSortedFunc(found, byNumber) {
		slices.SortFunc(found, byNumber)
	}
	return out
}

// Domain returns the domain id that the strategy takes out of s.Event; ok is false when the event does not concern it.
func (st *Strategy) Domain(s *expr.Scope) (domain string, ok bool, err error) {
	ok, err = st.When.EvalBool(s)
	if err != nil || !ok {
		return "", false, err
	}
	v, err := st.DomainID.Eval(s)
	if err != nil {
		return "", false, err
	}
	if v == nil {
		return "", false, st.DomainID.Fail("the domain id is null")
	}
	return expr.Text(v), true, nil
}
