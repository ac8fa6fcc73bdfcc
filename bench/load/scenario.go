package load

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/examples/coupon"
)

// scenario is what is measured: a definition, the events that reach its threads, and what they must have made of a thread.
type scenario struct {
	name, summary string
	remote        bool // runs over HTTP, too
	uniform       bool // events go to all threads, not to the hot ones only
	alarms        bool // what is measured is alarms, not events
	fanout        bool // unrelated activities stand beside
	services      bool // a service is asked

	strategy  func(tag string) (when, domainID string)
	flow      func(tag string, varsBytes int) string
	config    map[string]any
	event     func(w *workload, h hit) *activity.Event
	appendTo  func(dst []byte, w *workload, h hit) []byte // the same event as JSON
	domain    func(h hit) string
	endsAt    func(h hit) (action string)                                 // where a thread waits after its last event h
	count     string                                                      // the variable that counts
	countOf   func(h hit) int64                                           // and what it then holds
	rowBefore func(h hit) (previous hit, action string, n int64, ok bool) // an earlier thread of the same user that must be left behind
}

// hit is one event on its way: the nth of a user, from 1.
type hit struct {
	user uint32
	nth  uint32
}

const viewsOfACoupon = 5

var scenarios = []*scenario{
	{name: "counter", summary: "one receive that counts; the events go to the hot threads", remote: true},
	{name: "coupon", summary: "the coupon story: timers, a case, a service asked at the fifth view", remote: true, services: true,
		strategy: couponStrategy, flow: couponFlow, config: map[string]any{"max_visit_count": int64(viewsOfACoupon)}, event: viewEvent, appendTo: appendView, domain: viewDomain,
		count: "visit_count", countOf: visitsOf, endsAt: viewEndsAt, rowBefore: couponBefore},
	{name: "timers", summary: "alarms that are all due at once; each writes a variable, and the thread waits on without one", remote: true, alarms: true, flow: timersFlow},
	{name: "fanout", summary: "counter beside 1, …, N activities of the same strategy that wait for other events", fanout: true},
	{name: "cold", summary: "counter with the events drawn from all threads and a small block cache", remote: true, uniform: true},
}

func init() {
	for _, s := range scenarios {
		if s.strategy == nil {
			s.strategy, s.event, s.appendTo, s.domain = hitStrategy, hitEvent, appendHit, hitDomain
			s.count, s.countOf, s.endsAt = "n", func(h hit) int64 { return int64(h.nth) }, func(hit) string { return "wait" }
		}
		if s.flow == nil {
			s.flow = counterFlow
		}
	}
}

func hitStrategy(tag string) (when, domainID string) {
	return fmt.Sprintf("containsAttr(%q)", "user"+tag), fmt.Sprintf("eventAttr(%q)", "user"+tag)
}

const counterText = `activity:
  name: bench%[1]s
  domain_id_strategy: bench%[1]s
  trigger:
    type: event
    args: {condition: 'eventTypeIs("hit")'}
    context_vars: {n: 1%[2]s}
  actions:
    - name: wait
      type: receive
      args:
        - when: eventTypeIs("hit")
          context_vars: {n: var("n") + 1}
          then: call("wait")
        - when: eventTypeIs("end")
          then: finish()
`

func counterFlow(tag string, varsBytes int) string {
	return fmt.Sprintf(counterText, tag, padding(varsBytes))
}

// padding is the variable that makes a thread as large as asked for; the event that gives birth brings it.
func padding(varsBytes int) string {
	if varsBytes == 0 {
		return ""
	}
	return `, pad: eventAttr("pad")`
}

// timersText: the alarm's clause writes one variable and goes on to a wait without an alarm; an event leads back to the one with.
const timersText = `activity:
  name: bench%[1]s
  domain_id_strategy: bench%[1]s
  trigger:
    type: event
    args: {condition: 'eventTypeIs("hit")'}
    context_vars: {n: 1%[2]s}
  actions:
    - name: wait
      type: receive
      args:
        - when: eventTypeIs("end")
          then: finish()
        - after: days(1)
          context_vars: {n: var("n") + 1}
          then: call("rest")
    - name: rest
      type: receive
      args:
        - when: eventTypeIs("again")
          then: call("wait")
        - when: eventTypeIs("end")
          then: finish()
`

func timersFlow(tag string, varsBytes int) string {
	return fmt.Sprintf(timersText, tag, padding(varsBytes))
}

// otherText is an activity of the same strategy that no event of the bench concerns.
const otherText = `activity:
  name: other%[1]d
  domain_id_strategy: bench
  trigger:
    type: event
    args: {condition: 'eventTypeIs("other-%[1]d")'}
  actions:
    - name: wait
      type: receive
      args:
        - when: eventTypeIs("other-%[1]d")
          then: finish()
`

func hitEvent(w *workload, h hit) *activity.Event {
	e := &activity.Event{Type: w.kind, Attrs: map[string]any{"user" + w.tag: hitDomain(h)}}
	if w.pad != "" && h.nth == 1 {
		e.Attrs["pad"] = w.pad
	}
	return e
}

func hitDomain(h hit) string {
	digits := digitsOf(h)
	return string(digits[:])
}

// digitsOf returns "u" and the eight digits of the user.
func digitsOf(h hit) [9]byte {
	digits := [9]byte{'u'}
	for i, rest := len(digits)-1, h.user; i > 0; i, rest = i-1, rest/10 {
		digits[i] = byte('0' + rest%10)
	}
	return digits
}

func appendHit(dst []byte, w *workload, h hit) []byte {
	dst = append(append(append(dst, `{"type":"`...), w.kind...), `","attr":{"user`...)
	dst = append(append(dst, w.tag...), `":"`...)
	digits := digitsOf(h)
	dst = append(append(dst, digits[:]...), '"')
	if w.pad != "" && h.nth == 1 {
		dst = append(append(append(dst, `,"pad":"`...), w.pad...), '"')
	}
	return append(dst, "}}"...)
}

// Of the coupon story each user looks at one product until there is a coupon for it, and then at the next: a thread gets five views.

func couponStrategy(tag string) (when, domainID string) {
	when = `eventAttr("user_id",null) != null AND eventAttr("goods_id",null) != null`
	if tag != "" {
		when += fmt.Sprintf(` AND eventAttr("run",null) == %q`, tag)
	}
	return when, `str("%s_%s", eventAttr("user_id"), eventAttr("goods_id"))`
}

// couponFlow is the example's own, under names of the run.
func couponFlow(tag string, varsBytes int) string {
	text := string(coupon.Definition)
	for _, r := range [][2]string{
		{"  name: coupon\n", "  name: bench" + tag + "\n"}, {"domain_id_strategy: user_id_goods_id", "domain_id_strategy: bench" + tag},
		{"      type: coupon\n", "      type: " + couponService(tag) + "\n"}, {"      type: push\n", "      type: " + pushService(tag) + "\n"},
	} {
		text = strings.Replace(text, r[0], r[1], 1)
	}
	if varsBytes > 0 {
		text = strings.Replace(text, "      visit_count: 1\n", "      visit_count: 1\n      pad: eventAttr(\"pad\")\n", 1)
	}
	return text
}

func couponService(tag string) string { return "bench_coupon" + tag }
func pushService(tag string) string   { return "bench_push" + tag }

const view = "查看商品详情"

func goods(h hit) int64       { return int64((h.nth - 1) / viewsOfACoupon) }
func visitsOf(h hit) int64    { return int64((h.nth-1)%viewsOfACoupon) + 1 }
func viewDomain(h hit) string { return strconv.Itoa(int(h.user)) + "_" + strconv.Itoa(int(goods(h))) }

func viewEndsAt(h hit) string {
	if visitsOf(h) == viewsOfACoupon {
		return "waiting_buy"
	}
	return "waiting_visit_event"
}

func couponBefore(h hit) (previous hit, action string, n int64, ok bool) {
	if goods(h) == 0 {
		return hit{}, "", 0, false
	}
	return hit{h.user, uint32(goods(h)) * viewsOfACoupon}, "waiting_buy", viewsOfACoupon, true
}

func viewEvent(w *workload, h hit) *activity.Event {
	attrs := map[string]any{"behavior": view, "user_id": int64(h.user), "goods_id": goods(h), "goods_title": "Sony PS5"}
	if w.tag != "" {
		attrs["run"] = w.tag
	}
	if w.pad != "" && visitsOf(h) == 1 {
		attrs["pad"] = w.pad
	}
	return &activity.Event{Type: "user_behavior", Attrs: attrs}
}

func appendView(dst []byte, w *workload, h hit) []byte {
	dst = append(dst, `{"type":"user_behavior","attr":{"behavior":"`+view+`","user_id":`...)
	dst = strconv.AppendUint(dst, uint64(h.user), 10)
	dst = strconv.AppendInt(append(dst, `,"goods_id":`...), goods(h), 10)
	dst = append(dst, `,"goods_title":"Sony PS5"`...)
	if w.tag != "" {
		dst = append(append(append(dst, `,"run":"`...), w.tag...), '"')
	}
	if w.pad != "" && visitsOf(h) == 1 {
		dst = append(append(append(dst, `,"pad":"`...), w.pad...), '"')
	}
	return append(dst, "}}"...)
}
