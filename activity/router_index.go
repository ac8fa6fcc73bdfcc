package activity

import "github.com/weftbox/weftbox/expr"

// filing is what is put into an index: an item, and what an event must have to concern it.
type filing[T any] struct {
	item T
	need expr.Requirement
}

// index finds the items that an event may concern. A look-up costs one step for the event's type, one for each of its attributes (or
// for each attribute in the index, where those are fewer), and what is found, however many items there are that it does not concern.
type index[T any] struct {
	byType  map[string]*shelf[T]
	anyType shelf[T]
}

// shelf holds items that concern the same types of event.
type shelf[T any] struct {
	byAttr map[string][]filing[T] // each under the rarest of the attributes it requires
	rest   []T                    // that require no attribute
}

func newIndex[T any](all []filing[T]) index[T] {
	var x index[T]
	uses := map[string]int{}
	for _, f := range all {
		for _, name := range f.need.Attrs {
			uses[name]++
		}
	}
	for _, f := range all {
		if f.need.Types == nil {
			x.anyType.put(f, uses)
		}
		for _, name := range f.need.Types {
			s := x.byType[name]
			if s == nil {
				if x.byType == nil {
					x.byType = map[string]*shelf[T]{}
				}
				s = &shelf[T]{}
				x.byType[name] = s
			}
			s.put(f, uses)
		}
	}
	return x
}

func (s *shelf[T]) put(f filing[T], uses map[string]int) {
	if len(f.need.Attrs) == 0 {
		s.rest = append(s.rest, f.item)
		return
	}
	rarest := f.need.Attrs[0]
	for _, name := range f.need.Attrs[1:] {
		if uses[name] < uses[rarest] {
			rarest = name
		}
	}
	if s.byAttr == nil {
		s.byAttr = map[string][]filing[T]{}
	}
	s.byAttr[rarest] = append(s.byAttr[rarest], f)
}

// find appends the items whose requirements e meets to out, in no order.
func (x *index[T]) find(e *Event, out []T) []T {
	out = x.anyType.find(e, out)
	if s := x.byType[e.Type]; s != nil {
		out = s.find(e, out)
	}
	return out
}

func (s *shelf[T]) find(e *Event, out []T) []T {
	out = append(out, s.rest...)
	if len(s.byAttr) <= len(e.Attrs) {
		for name, filed := range s.byAttr {
			if _, ok := e.Attrs[name]; ok {
				out = met(filed, e, out)
			}
		}
		return out
	}
	for name := range e.Attrs {
		out = met(s.byAttr[name], e, out)
	}
	return out
}

func met[T any](filed []filing[T], e *Event, out []T) []T {
	for i := range filed {
		if filed[i].need.Met(e) {
			out = append(out, filed[i].item)
		}
	}
	return out
}
