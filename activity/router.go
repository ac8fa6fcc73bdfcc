package activity

import (
	"sort"

	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/expr"
)

// Strategy says which events concern a thread and which domain id they carry. It is immutable and compiled.
type Strategy struct {
	Name     string
	When     *definitions.Expr
	DomainID *definitions.Expr
}

// CompileStrategy compiles a strategy; with an error among the problems it is nil.
func CompileStrategy(name, when, domainID string) (*Strategy, []definitions.Problem) {
	w, problems := definitions.CompileExpr(when, expr.ContextStrategy, "/when")
	d, more := definitions.CompileExpr(domainID, expr.ContextStrategy, "/domain_id")
	problems = append(problems, more...)
	if w == nil || d == nil {
		return nil, problems
	}
	return &Strategy{Name: name, When: w, DomainID: d}, problems
}

// Router leads events to threads: which strategies an event must be asked, and which activities live by them. It is immutable.
type Router struct {
	routes []route
}

type route struct {
	strategy   *Strategy
	activities []*Activity // ascending by number
}

// Hit is one strategy that an event matched.
type Hit struct {
	Strategy   string
	Domain     string
	Activities []*Activity // ascending by number; they live by this strategy
	Err        error       // the strategy could not be computed: it counts as not matching
}

// NewRouter builds a router. An activity lives by the strategy of every enabled version of its definition; killed ones live by none.
func NewRouter(strategies map[string]*Strategy, activities []*Activity) *Router {
	r := &Router{}
	index := map[string]int{}
	for _, a := range activities {
		if a.State == ActivityKilled {
			continue
		}
		seen := map[string]bool{}
		for _, b := range a.Versions {
			name := b.Definition.Strategy
			s := strategies[name]
			if !b.Enabled || s == nil || seen[name] {
				continue
			}
			seen[name] = true
			i, ok := index[name]
			if !ok {
				i = len(r.routes)
				index[name] = i
				r.routes = append(r.routes, route{strategy: s})
			}
			r.routes[i].activities = append(r.routes[i].activities, a)
		}
	}
	sort.Slice(r.routes, func(i, j int) bool { return r.routes[i].strategy.Name < r.routes[j].strategy.Name })
	for i := range r.routes {
		as := r.routes[i].activities
		sort.Slice(as, func(x, y int) bool { return as[x].Number < as[y].Number })
	}
	return r
}

// Route asks the strategies and appends their hits to out. Strategies that do not match leave nothing; one that could not be
// computed leaves a Hit with Err. s is scratch: its Event and Seed are set here.
func (r *Router) Route(s *expr.Scope, e *Event, out []Hit) []Hit {
	s.Event = e
	for i := range r.routes {
		route := &r.routes[i]
		domain, ok, err := route.strategy.Domain(s)
		if err != nil {
			out = append(out, Hit{Strategy: route.strategy.Name, Activities: route.activities, Err: err})
		} else if ok {
			out = append(out, Hit{Strategy: route.strategy.Name, Domain: domain, Activities: route.activities})
		}
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
