package expr

import "time"

var eventFunctions = []spec{
	{sig: "eventType() text", doc: "The type of the event in hand.", ex: `eventType() == "user_behavior"`, ctx: inEvent, call: func(s *Scope, _ []any) (any, error) {
		return s.event().Type, nil
	}},
	{sig: "eventTypeIs(type: text) bool", doc: "Whether the event in hand has this type.", ex: `eventTypeIs("user_behavior")`, ctx: inEvent, call: func(s *Scope, a []any) (any, error) {
		if t, ok := a[0].(string); ok {
			return s.event().Type == t, nil
		}
		return s.event().Type == Text(a[0]), nil
	}},
	{sig: "allEventAttributes() map", doc: "All attributes of the event.", ex: `allEventAttributes()["behavior"]`, ctx: inEvent, call: allAttributes},
	{sig: "eventAttr(name: text) any? | eventAttr(name: text, default: any) any?", doc: "The attribute of the event; when it is missing the default, or an error. An attribute that is null is null.", ex: `eventAttr("behavior") == "view"`, ctx: inEvent, call: eventAttr},
	{sig: "containsAttr(name: text) bool", doc: "Whether the event has the attribute, be it null.", ex: `containsAttr("none")`, ctx: inEvent, call: func(s *Scope, a []any) (any, error) {
		_, ok := s.event().Attrs[Text(a[0])]
		return ok, nil
	}},
	{sig: "isAttrEmpty(name: text) bool", doc: "Whether the attribute is missing, null or an empty text.", ex: `isAttrEmpty("none")`, ctx: inEvent, call: func(s *Scope, a []any) (any, error) {
		v := s.event().Attrs[Text(a[0])]
		return v == nil || v == "", nil
	}},
	{sig: "isAttrNotEmpty(name: text) bool", doc: "The opposite of isAttrEmpty.", ex: `isAttrNotEmpty("none")`, ctx: inEvent, call: func(s *Scope, a []any) (any, error) {
		v := s.event().Attrs[Text(a[0])]
		return v != nil && v != "", nil
	}},
}

var noEvent = &Event{}

// event returns the event in hand, an empty one where there is none.
func (s *Scope) event() *Event {
	if s.Event == nil {
		return noEvent
	}
	return s.Event
}

func allAttributes(s *Scope, _ []any) (any, error) {
	if a := s.event().Attrs; a != nil {
		return a, nil
	}
	return map[string]any{}, nil
}

func eventAttr(s *Scope, a []any) (any, error) {
	name, ok := a[0].(string)
	if !ok {
		name = Text(a[0])
	}
	if v, ok := s.event().Attrs[name]; ok {
		return v, nil
	}
	if len(a) == 2 {
		return a[1], nil
	}
	if s.Event == nil {
		return nil, failf("there is no event in hand, so it has no attribute %s", quoteShort(name))
	}
	return nil, failf("the event has no attribute %s", quoteShort(name))
}

var stateFunctions = []spec{
	{sig: "config(name: text) any? | config(name: text, default: any) any?", doc: "The config value of the activity; when it is missing the default, or an error.", ex: `config("limit", 10)`, ctx: inConfig, call: configValue},
	{sig: "var(name: text) any? | var(name: text, default: any) any?", doc: "The variable of the thread; when it is missing the default, or an error.", ex: `var("count", 0) + 1`, ctx: inThread, call: variable},
	{sig: "$(name: text) any? | $(name: text, default: any) any?", doc: "The same as var.", ex: `$("count", 0)`, ctx: inThread, call: variable},
	{sig: "allVars() map", doc: "All variables of the thread.", ex: `allVars().size()`, ctx: inThread, call: allVars},
	{sig: "ref(type: any, name: any) list | ref(type: any, name: any, meta: any) list", doc: "A reference to a resource: [type, name, meta, false].", ex: `ref("table", "users")`, ctx: inThread, flag: pure, call: reference(false)},
	{sig: "tmpRef(type: any, name: any) list | tmpRef(type: any, name: any, meta: any) list", doc: "A reference to a temporary resource: [type, name, meta, true].", ex: `tmpRef("table", "t1")`, ctx: inThread, flag: pure, call: reference(true)},
}

func configValue(s *Scope, a []any) (any, error) {
	name := Text(a[0])
	if v, ok := s.Config[name]; ok {
		return v, nil
	}
	if len(a) == 2 {
		return a[1], nil
	}
	return nil, failf("there is no config value %s", quoteShort(name))
}

func variable(s *Scope, a []any) (any, error) {
	name, ok := a[0].(string)
	if !ok {
		name = Text(a[0])
	}
	if v, ok := s.Vars.Get(name); ok {
		return v, nil
	}
	if len(a) == 2 {
		return a[1], nil
	}
	return nil, failf("there is no variable %s", quoteShort(name))
}

func allVars(s *Scope, _ []any) (any, error) {
	b, err := s.newMap(nil, len(s.Vars))
	if err != nil {
		return nil, err
	}
	for _, v := range s.Vars {
		b.texts[v.Name] = v.Value
	}
	return b.texts, nil
}

func reference(temporary bool) callFunc {
	return func(s *Scope, a []any) (any, error) {
		var meta any = map[string]any{}
		if len(a) == 3 {
			meta = a[2]
		}
		out, err := s.newList(4)
		return append(out, a[0], a[1], meta, temporary), err
	}
}

var resultFunctions = []spec{
	{sig: "resultOk() bool", doc: "Whether the action ended well.", ex: `resultOk()`, ctx: inResult, call: resultIs(ResultOK)},
	{sig: "resultFailure() bool", doc: "Whether the action failed.", ex: `resultFailure() AND errorCode() == "no_stock"`, ctx: inResult, call: resultIs(ResultFail)},
	{sig: "resultTimeout() bool", doc: "Whether the action ran out of time.", ex: `resultTimeout()`, ctx: inResult, call: resultIs(ResultTimeout)},
	{sig: "resultIgnore() bool", doc: "Whether the action had nothing to do.", ex: `resultIgnore()`, ctx: inResult, call: resultIs(ResultIgnore)},
	{sig: "errorCode() text", doc: "The error code of the action, an empty text when it has none.", ex: `errorCode() == "no_stock"`, ctx: inResult, call: errorCode},
	{sig: "allResultVars() map", doc: "All data of the result.", ex: `allResultVars()["id"]`, ctx: inResult, call: resultData},
	{sig: "resultVar(name: text) any? | resultVar(name: text, default: any) any?", doc: "The value of this name in the data of the result; when it is missing the default, or an error.", ex: `resultVar("id")`, ctx: inResult, call: resultVar},
}

func (s *Scope) result() (*Result, error) {
	if s.Result == nil {
		return nil, failf("there is no result in hand")
	}
	return s.Result, nil
}

func resultIs(status ResultStatus) callFunc {
	return func(s *Scope, _ []any) (any, error) {
		r, err := s.result()
		return err == nil && r.Status == status, err
	}
}

func errorCode(s *Scope, _ []any) (any, error) {
	r, err := s.result()
	if err != nil {
		return nil, err
	}
	return r.ErrorCode, nil
}

func resultData(s *Scope, _ []any) (any, error) {
	r, err := s.result()
	switch {
	case err != nil:
		return nil, err
	case r.Data == nil:
		return map[string]any{}, nil
	}
	return r.Data, nil
}

func resultVar(s *Scope, a []any) (any, error) {
	r, err := s.result()
	if err != nil {
		return nil, err
	}
	name := Text(a[0])
	if v, ok := r.Data[name]; ok {
		return v, nil
	}
	if len(a) == 2 {
		return a[1], nil
	}
	return nil, failf("the result has no value %s", quoteShort(name))
}

func createdOn(ms func(t *ThreadInfo) int64) callFunc {
	return func(s *Scope, _ []any) (any, error) {
		if s.Thread == nil {
			return nil, failf("there is no thread in hand")
		}
		return time.UnixMilli(ms(s.Thread)).In(s.zone()).Format("2006-01-02 15:04:05"), nil
	}
}
