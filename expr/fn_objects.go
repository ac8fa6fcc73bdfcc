package expr

import "strings"

// objectFunctions are the properties of the objects event, config, result, thread, activity and definition. The typed getters of
// event, config and result stand in fn_access.go.
var objectFunctions = []spec{
	{sig: "event: map", doc: "The event as a map of its type and allAttributes, to keep it in a variable.", ex: `event["type"]`, ctx: inEvent, call: eventMap},
	{sig: "event.type: text", doc: "The type of the event.", ex: "event.type", ctx: inEvent, call: func(s *Scope, _ []any) (any, error) { return s.event().Type, nil }},
	{sig: "event.getType() text", doc: "The same as event.type.", ex: "event.getType()", ctx: inEvent, call: func(s *Scope, _ []any) (any, error) { return s.event().Type, nil }},
	{sig: "event.allAttributes: map", doc: "All attributes of the event.", ex: `event.allAttributes["vip"]`, ctx: inEvent, call: allAttributes},
	{sig: "event.getAllAttributes() map", doc: "The same as event.allAttributes.", ex: `event.getAllAttributes().get("vip")`, ctx: inEvent, call: allAttributes},
	{sig: "result.ok: bool", doc: "Whether the action ended well.", ex: "result.ok", ctx: inResult, call: resultIs(ResultOK)},
	{sig: "result.fail: bool", doc: "Whether the action failed.", ex: "result.fail", ctx: inResult, call: resultIs(ResultFail)},
	{sig: "result.timeout: bool", doc: "Whether the action ran out of time.", ex: "result.timeout", ctx: inResult, call: resultIs(ResultTimeout)},
	{sig: "result.ignore: bool", doc: "Whether the action had nothing to do.", ex: "result.ignore", ctx: inResult, call: resultIs(ResultIgnore)},
	{sig: "result.isOk() bool", doc: "The same as result.ok.", ex: "result.isOk()", ctx: inResult, call: resultIs(ResultOK)},
	{sig: "result.isFail() bool", doc: "The same as result.fail.", ex: "result.isFail()", ctx: inResult, call: resultIs(ResultFail)},
	{sig: "result.isTimeout() bool", doc: "The same as result.timeout.", ex: "result.isTimeout()", ctx: inResult, call: resultIs(ResultTimeout)},
	{sig: "result.isIgnore() bool", doc: "The same as result.ignore.", ex: "result.isIgnore()", ctx: inResult, call: resultIs(ResultIgnore)},
	{sig: "result.status: text", doc: "ok, fail, timeout or ignore.", ex: "result.status", ctx: inResult, call: resultField(func(r *Result) any { return r.Status.String() })},
	{sig: "result.errorCode: text", doc: "The error code, an empty text when there is none.", ex: "result.errorCode", ctx: inResult, call: errorCode},
	{sig: "result.message: text", doc: "The message of the action, an empty text when there is none.", ex: "result.message", ctx: inResult, call: resultField(func(r *Result) any { return r.Message })},
	{sig: "result.data: map", doc: "All data of the result.", ex: `result.data["id"]`, ctx: inResult, call: resultData},
	{sig: "context: map", doc: "All variables of the thread.", ex: `context["count"]`, ctx: inThread, call: allVars},
	{sig: "activityId: int", doc: "The number of the activity.", ex: "activityId", ctx: inThread, call: threadField(func(t *ThreadInfo) any { return int64(t.Activity) })},
	{sig: "getActivityId() int", doc: "The same as activityId.", ex: "getActivityId()", ctx: inThread, call: threadField(func(t *ThreadInfo) any { return int64(t.Activity) })},
	{sig: "domainId: text", doc: "The domain id of the thread.", ex: "domainId", ctx: inThread, call: threadField(func(t *ThreadInfo) any { return t.Domain })},
	{sig: "getDomainId() text", doc: "The same as domainId.", ex: "getDomainId()", ctx: inThread, call: threadField(func(t *ThreadInfo) any { return t.Domain })},
}

// String returns ok, fail, timeout or ignore.
func (r ResultStatus) String() string {
	switch r {
	case ResultOK:
		return "ok"
	case ResultFail:
		return "fail"
	case ResultTimeout:
		return "timeout"
	}
	return "ignore"
}

func resultField(get func(*Result) any) callFunc {
	return func(s *Scope, _ []any) (any, error) {
		r, err := s.result()
		if err != nil {
			return nil, err
		}
		return get(r), nil
	}
}

// eventMap is the bare object event. Its keys are the properties under which the original keeps an event that is stored in a variable, so
// that var("e").type reads there what event.type reads here. The attributes are shared: values are never written into.
func eventMap(s *Scope, a []any) (any, error) {
	attrs, err := allAttributes(s, a)
	return map[string]any{"type": s.event().Type, "allAttributes": attrs}, err
}

func threadField(get func(*ThreadInfo) any) callFunc {
	return func(s *Scope, _ []any) (any, error) {
		if s.Thread == nil {
			return nil, failf("there is no thread in hand")
		}
		return get(s.Thread), nil
	}
}

func configMap(s *Scope, _ []any) (any, error) {
	if s.Config == nil {
		return map[string]any{}, nil
	}
	return s.Config, nil
}

// threadObjects makes the properties of thread, activity and definition under all their names.
func threadObjects() []spec {
	var out []spec
	thread := []struct {
		name, typ, doc string
		get            func(*ThreadInfo) any
	}{
		{"activityId", "int", "The number of the thread's activity.", func(t *ThreadInfo) any { return int64(t.Activity) }},
		{"domainId", "text", "The domain id of the thread.", func(t *ThreadInfo) any { return t.Domain }},
		{"status", "text", "The status of the thread.", func(t *ThreadInfo) any { return t.Status }},
		{"currentAction", "text", "The action the thread stands at.", func(t *ThreadInfo) any { return t.Action }},
		{"createdOn", "text", "When the thread was born, yyyy-MM-dd HH:mm:ss in the zone of dates.", nil},
	}
	for _, object := range []string{"thread", "activityThread"} {
		for _, p := range thread {
			call := createdOn(func(t *ThreadInfo) int64 { return t.CreatedAtMs })
			if p.get != nil {
				call = threadField(p.get)
			}
			out = append(out, spec{sig: object + "." + p.name + ": " + p.typ, doc: p.doc, ex: object + "." + p.name, ctx: inThread, call: call})
		}
	}
	objects := []struct {
		object string
		ctx    contextSet
	}{{"activity", inThread}, {"ACTIVITY", inBirth}}
	for _, o := range objects {
		out = append(out, spec{sig: o.object + ".id: int", doc: "The number of the activity.", ex: o.object + ".id", ctx: o.ctx, call: threadField(func(t *ThreadInfo) any { return int64(t.Activity) })})
		out = append(out, spec{sig: o.object + ".name: text", doc: "The unique name of the activity.", ex: o.object + ".name", ctx: o.ctx, call: threadField(func(t *ThreadInfo) any { return t.ActivityName })})
		out = append(out, spec{sig: o.object + ".displayName: text", doc: "The name of the activity for people.", ex: o.object + ".displayName", ctx: o.ctx, call: threadField(func(t *ThreadInfo) any { return t.ActivityDisplayName })})
		out = append(out, spec{sig: o.object + ".status: text", doc: "The status of the activity.", ex: o.object + ".status", ctx: o.ctx, call: threadField(func(t *ThreadInfo) any { return t.ActivityStatus })})
		out = append(out, spec{sig: o.object + ".createdOn: text", doc: "When the activity was created, yyyy-MM-dd HH:mm:ss in the zone of dates.", ex: o.object + ".createdOn", ctx: o.ctx, call: createdOn(func(t *ThreadInfo) int64 { return t.ActivityCreatedAtMs })})
		out = append(out, spec{sig: o.object + ".config: map", doc: "The config of the activity.", ex: o.object + `.config["limit"]`, ctx: o.ctx, call: configMap})
	}
	objects[0].object, objects[1].object = "definition", "DEFINITION"
	for _, o := range objects {
		out = append(out, spec{sig: o.object + ".name: text", doc: "The name of the definition.", ex: o.object + ".name", ctx: o.ctx, call: threadField(func(t *ThreadInfo) any { return t.Definition })})
		out = append(out, spec{sig: o.object + ".version: text", doc: "The version of the definition.", ex: o.object + ".version", ctx: o.ctx, call: threadField(func(t *ThreadInfo) any { return t.Version })})
		out = append(out, spec{sig: o.object + ".displayName: text", doc: "The name of the definition for people.", ex: o.object + ".displayName", ctx: o.ctx, call: threadField(func(t *ThreadInfo) any { return t.DefinitionDisplayName })})
		out = append(out, spec{sig: o.object + ".description: text", doc: "The description of the definition.", ex: o.object + ".description", ctx: o.ctx, call: threadField(func(t *ThreadInfo) any { return t.DefinitionDescription })})
		out = append(out, spec{sig: o.object + ".config: map", doc: "The config as the thread sees it.", ex: o.object + `.config["limit"]`, ctx: o.ctx, call: configMap})
	}
	return out
}

// gettersOf makes the Java getters of properties: thread.getDomainId() for thread.domainId. Those that stand in a table already are left out.
func gettersOf(tables ...[]spec) []spec {
	have := map[string]bool{}
	for _, table := range tables {
		for _, sp := range table {
			name, _, _ := parseSignature(strings.Split(sp.sig, " | ")[0])
			have[name] = true
		}
	}
	var out []spec
	for _, table := range tables {
		for _, sp := range table {
			name, property, sig := parseSignature(sp.sig)
			object, part, dotted := strings.Cut(name, ".")
			if !property || !dotted || sig.Result == "bool" {
				continue
			}
			getter := object + ".get" + upperFirst(part)
			if have[getter] {
				continue
			}
			have[getter] = true
			out = append(out, spec{sig: getter + "() " + sig.Result, doc: "The same as " + name + ".", ex: getter + "()", ctx: sp.ctx, call: sp.call})
		}
	}
	return out
}
