package ledger

import (
	"fmt"
	"slices"
	"strings"
)

func isPlain(e Event) bool { return !e.Poison && !e.Ask && !e.Arm && e.N > 3 }

// faults spoil one thing each. The ledger must name it and sort it.
var faults = []struct {
	name  string
	what  What
	spoil func(w *world) (mention string)
}{
	{"an event lost", Lost, func(w *world) string {
		e := w.pick(isPlain)
		at := "user " + e.User
		i := w.index(at, e)
		w.applied[at] = slices.Delete(slices.Clone(w.applied[at]), i, i+1)
		return e.ID
	}},
	{"the end of a history lost", Lost, func(w *world) string {
		e := w.pick(isPlain)
		at := "user " + e.User
		list := w.applied[at]
		w.applied[at] = list[:len(list)-3]
		return list[len(list)-2].ID
	}},
	{"a whole thread lost", Lost, func(w *world) string {
		e := w.pick(isPlain)
		delete(w.applied, "item "+e.Item)
		return "item " + e.Item
	}},
	{"an event doubled", Doubled, func(w *world) string {
		e := w.pick(isPlain)
		at := "item " + e.Item
		w.applied[at] = slices.Insert(slices.Clone(w.applied[at]), w.index(at, e), e)
		return e.ID
	}},
	{"an event applied again later", Doubled, func(w *world) string {
		e := w.pick(isPlain)
		at := "user " + e.User
		w.applied[at] = append(slices.Clone(w.applied[at]), e)
		return e.ID
	}},
	{"two events exchanged", Other, func(w *world) string {
		e := w.pick(isPlain)
		at := "user " + e.User
		list := slices.Clone(w.applied[at])
		i := w.index(at, e)
		list[i-1], list[i] = list[i], list[i-1]
		w.applied[at] = list
		return e.ID
	}},
	{"many faults in one thread", Lost, func(w *world) string {
		e := w.pick(isPlain)
		at := "user " + e.User
		list := slices.Clone(w.applied[at])
		list = slices.Delete(list, 2, 3)
		w.applied[at] = slices.Delete(list, 5, 8)
		return at
	}},
	{"an acknowledged event applied again", Doubled, func(w *world) string {
		e := w.pick(isPlain)
		w.acks[e.ID] = []bool{false, false}
		return e.ID
	}},
	{"a first sending called a duplicate", Lost, func(w *world) string {
		e := w.pick(isPlain)
		w.acks[e.ID] = []bool{true}
		return e.ID
	}},
	{"a request with two bodies", Other, func(w *world) string {
		e := w.pick(func(e Event) bool { return e.Ask })
		body := w.requests[w.requestOf("oracle", e.User, e.N)]
		w.requests = append(w.requests, strings.Replace(body, `"time":1`, `"time":2`, 1))
		return body
	}},
	{"a request with a wrong sum", Other, func(w *world) string {
		e := w.pick(func(e Event) bool { return e.Ask && w.asked[e.ID] == 't' })
		i := w.requestOf("oracle", e.User, e.N)
		w.requests[i] = strings.Replace(w.requests[i], `"sum":`, `"sum":1`, 1)
		return e.ID
	}},
	{"a request lost", Lost, func(w *world) string {
		e := w.pick(func(e Event) bool { return e.Ask && w.asked[e.ID] == 't' })
		i := w.requestOf("oracle", e.User, e.N)
		w.requests = slices.Delete(w.requests, i, i+1)
		return e.ID
	}},
	{"a request made twice under two ids", Doubled, func(w *world) string {
		e := w.pick(func(e Event) bool { return e.Ask })
		w.requests = append(w.requests, raw("oracle", "0a-2-65536", e.User, e.N, 5, 0))
		return e.ID
	}},
	{"a request for nothing", Doubled, func(w *world) string {
		e := w.pick(isPlain)
		w.requests = append(w.requests, raw("oracle", "0a-2-65537", e.User, e.N, 5, 0))
		return "0a-2-65537"
	}},
	{"requests of a slot out of order", Other, func(w *world) string {
		bells := slices.DeleteFunc(slices.Clone(w.requests), func(s string) bool { return !strings.Contains(s, `"receiver":"bell"`) })
		i, j := slices.Index(w.requests, bells[2]), slices.Index(w.requests, bells[3])
		w.requests[i], w.requests[j] = w.requests[j], w.requests[i]
		return "after number"
	}},
	{"an answer that nobody gave", Other, func(w *world) string {
		id := w.answered[len(w.answered)/2]
		w.answered = slices.DeleteFunc(w.answered, func(x string) bool { return x == id })
		return id
	}},
	{"an answer taken for another", Other, func(w *world) string {
		e := w.pick(func(e Event) bool { return e.Ask && w.asked[e.ID] == 'o' })
		at := "user " + e.User
		s := w.state(User, at, w.applied[at])
		s.Echoes++
		w.states[at] = s
		return "answers it took"
	}},
	{"an answer applied twice", Doubled, func(w *world) string {
		e := w.pick(func(e Event) bool { return e.Ask && w.asked[e.ID] == 'o' })
		w.extra["user "+e.User] = "o"
		return "user " + e.User
	}},
	{"an alarm lost", Lost, func(w *world) string {
		for _, item := range []string{"i0", "i1", "i2"} {
			at := "item " + item
			if s := w.state(Item, at, w.applied[at]); strings.HasSuffix(s.Trace, "c") {
				s.Trace = strings.TrimSuffix(s.Trace, "c")
				w.states[at] = s
				return at
			}
		}
		panic("no alarm of the world is cancelled last")
	}},
	{"an alarm cancelled by nothing", Lost, func(w *world) string {
		e := w.pick(func(e Event) bool { return e.Hold })
		w.fired[e.ID] = 'c'
		return e.ID
	}},
	{"a doubled firing", Doubled, func(w *world) string {
		e := w.pick(func(e Event) bool { return e.Hold })
		w.extra["item "+e.Item] = "f"
		return "item " + e.Item
	}},
	{"a firing that rang twice", Doubled, func(w *world) string {
		e := w.pick(func(e Event) bool { return e.Hold })
		w.requests = append(w.requests, raw("bell", "0a-2-65538", e.Item, e.M, 0, alarmMs))
		return e.ID
	}},
	{"a cancelled alarm that rang", Doubled, func(w *world) string {
		e := w.pick(func(e Event) bool { return e.Arm && !e.Hold })
		w.requests = append(w.requests, raw("bell", "0a-2-65539", e.Item, e.M, 0, alarmMs))
		return "0a-2-65539"
	}},
	{"an alarm too early", Other, func(w *world) string {
		e := w.pick(func(e Event) bool { return e.Hold })
		i := w.requestOf("bell", e.Item, e.M)
		w.requests[i] = strings.Replace(w.requests[i], fmt.Sprintf(`"waited":%d`, alarmMs+1), fmt.Sprintf(`"waited":%d`, alarmMs-1), 1)
		return e.ID
	}},
	{"a dead letter lost", Lost, func(w *world) string {
		e := w.dead[0]
		w.dead = w.dead[1:]
		return e.ID
	}},
	{"a dead letter doubled", Doubled, func(w *world) string {
		w.dead = append(w.dead, w.dead[1])
		return w.dead[1].ID
	}},
	{"a good event among the dead letters", Other, func(w *world) string {
		e := w.pick(isPlain)
		w.dead = append(w.dead, e)
		return e.ID
	}},
	{"a thread that nobody sent to", Other, func(w *world) string {
		w.applied["user nobody"] = []Event{w.pick(isPlain)}
		return "nobody"
	}},
	{"a thread born of a poisoned event", Other, func(w *world) string {
		e := w.dead[0]
		w.applied["user "+e.User] = []Event{e}
		return e.User
	}},
}
