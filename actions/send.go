package actions

import (
	"fmt"

	"github.com/weftbox/weftbox/activity"
	"github.com/weftbox/weftbox/definitions"
	"github.com/weftbox/weftbox/expr"
)

func init() {
	activity.Register(&definitions.Spec{
		Type: "send",
		Doc: "Sends events: to a service, or without service to the node's own strategies and threads, where each arrives once, after this step is committed. " +
			"The attributes $ACTIVITY and $DID address one thread. Nothing is waited for.",
		Example: "- name: tell\n  type: send\n  args:\n    messages:\n      - type: str(\"joined\")\n        attributes: {group_id: var(\"group_id\"), user_id: var(\"user_id\")}\n  ctrl: finish()\n",
		Shape:   definitions.ShapeKeys,
		Keys: []definitions.Key{
			{Name: "service", Form: definitions.FormService, Doc: "who gets them; without it, or with the node's own name, they are events of this node"},
			{Name: "messages", Required: true, Doc: "a list of {type, attributes}"},
		},
		Required: true,
	}, send{})
}

// maxMessages bounds what one send sends; a foreach sends more.
const maxMessages = 1000

type send struct{}

func (send) Start(s *activity.Scope) activity.Outcome {
	args := s.Action.Args
	service := ""
	if a := args.Get("service"); a != nil {
		v, err := a.Eval(&s.Scope)
		if err != nil {
			return activity.Error(err)
		}
		service = expr.Text(v)
	}
	messages := args.Get("messages")
	list, err := listOf(s, messages)
	if err != nil {
		return activity.Error(err)
	}
	if len(list) > maxMessages {
		return activity.Error(messages.Fail(fmt.Sprintf("one send sends at most %d messages, these are %d", maxMessages, len(list))))
	}
	for i, v := range list {
		e, problem := eventOf(v)
		if problem != "" {
			return activity.Error(messages.Fail(fmt.Sprintf("message %d: %s", i+1, problem)))
		}
		s.Emit(service, e)
	}
	return activity.Done(nil)
}

func (send) Receive(*activity.Scope, activity.Message) activity.Outcome { return activity.Ignore() }

// eventOf makes an event of {type, attributes}; problem says what keeps it from being one.
func eventOf(v any) (e *activity.Event, problem string) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, "a map with type and attributes is wanted, this is " + expr.TypeName(v)
	}
	e = &activity.Event{}
	for key, value := range m {
		switch key {
		case "type":
			e.Type, _ = value.(string)
		case "attributes", "attr":
			if e.Attrs, ok = value.(map[string]any); !ok && value != nil {
				return nil, "attributes must be a map with texts as keys"
			}
		default:
			return nil, fmt.Sprintf("there is no key %q; the keys are type and attributes", key)
		}
	}
	switch e.Type {
	case "":
		return nil, "type must be a text"
	case "req", "res", "SYSTEM", "clock":
		return nil, fmt.Sprintf("type %q is the engine's own", e.Type)
	}
	return e, ""
}
