package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/weftbox/weftbox/bench/ledger"
)

// Times of the flows.
const (
	alarmMs   = 300
	timeoutMs = 700
)

// userFlow adds up amounts, and asks the oracle with its sum when an event says so. While it waits for the answer, events would be
// dropped: the clients know, and wait.
var userFlow = fmt.Sprintf(`activity:
  name: users
  domain_id_strategy: user
  trigger:
    type: event
    args: {condition: eventTypeIs("order")}
    context_vars:
      count: 1
      sum: eventAttr("amount")
      hash: eventAttr("n") %% %[2]d
      trace: str("")
      echoes: 0
  actions:
    - name: loop
      type: receive
      args:
        - when: eventAttr("ask", false)
          context_vars: &next
            n: eventAttr("n")
            count: var("count") + 1
            sum: var("sum") + eventAttr("amount")
            hash: (var("hash") * %[1]d + eventAttr("n")) %% %[2]d
          then: call("oracle")
        - when: eventTypeIs("order")
          context_vars: *next
          then: call("loop")
    - name: oracle
      args:
        request: {n: var("n"), sum: var("sum")}
        timeout: %[3]d
      ctrl:
        - when: resultOk()
          context_vars:
            trace: str("%%so", var("trace"))
            echoes: var("echoes") + resultVar("echo")
          then: call("loop")
        - default: call("loop")
          context_vars:
            trace: str("%%st", var("trace"))
`, ledger.Factor, ledger.Modulus, timeoutMs)

// itemFlow adds up weights, and sets an alarm when an event says so: the next event cancels it, and may set it anew, else it rings the bell.
var itemFlow = fmt.Sprintf(`activity:
  name: items
  domain_id_strategy: item
  trigger:
    type: event
    args: {condition: eventTypeIs("order")}
    context_vars:
      count: 1
      sum: eventAttr("weight")
      hash: eventAttr("m") %% %[2]d
      trace: str("")
  actions:
    - name: loop
      type: receive
      args:
        - when: eventAttr("arm", false)
          context_vars: &next
            m: eventAttr("m")
            armed_at: timestamp()
            count: var("count") + 1
            sum: var("sum") + eventAttr("weight")
            hash: (var("hash") * %[1]d + eventAttr("m")) %% %[2]d
          then: call("armed")
        - when: eventTypeIs("order")
          context_vars: *next
          then: call("loop")
    - name: armed
      type: receive
      args:
        - when: eventTypeIs("order")
          context_vars:
            trace: str("%%sc", var("trace"))
            m: eventAttr("m")
            armed_at: timestamp()
            count: var("count") + 1
            sum: var("sum") + eventAttr("weight")
            hash: (var("hash") * %[1]d + eventAttr("m")) %% %[2]d
          then: 'call(eventAttr("arm", false) ? "armed" : "loop")'
        - after: %[3]d
          context_vars:
            trace: str("%%sf", var("trace"))
          then: call("bell")
    - name: bell
      await: false
      args:
        request: {n: var("m"), waited: timestamp() - var("armed_at")}
      ctrl: call("loop")
`, ledger.Factor, ledger.Modulus, alarmMs)

// setUp posts strategies, services, definitions and activities.
func (n *node) setUp(ctx context.Context, services string) error {
	object := func(pairs ...string) []byte {
		m := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		body, err := json.Marshal(m)
		if err != nil {
			panic(err) // a map of texts is always JSON
		}
		return body
	}
	for _, step := range []struct {
		path string
		body []byte
	}{
		{"/v1/strategies", object("name", "user", "when", `eventAttr("user", null) != null`, "domain_id", `eventAttr("user")`)},
		{"/v1/strategies", object("name", "item", "when", `eventAttr("item", null) != null`, "domain_id", `eventAttr("item")`)},
		{"/v1/services", object("name", "oracle", "url", services+"/oracle")},
		{"/v1/services", object("name", "bell", "url", services+"/bell")},
		{"/v1/definitions?version=1", []byte(userFlow)},
		{"/v1/definitions?version=1", []byte(itemFlow)},
		{"/v1/activities", object("name", "users", "definition", "users")},
		{"/v1/activities", object("name", "items", "definition", "items")},
	} {
		if _, _, err := insist(ctx, n.http, http.MethodPost, n.url+step.path, step.body, nil, nil); err != nil {
			return err
		}
	}
	return nil
}
