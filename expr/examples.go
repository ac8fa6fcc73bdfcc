package expr

// SampleScope returns what the examples of the registry see: an event, a config, variables, a result and a thread.
func SampleScope() *Scope {
	item := func(sku string, qty int64) map[string]any { return map[string]any{"sku": sku, "qty": qty} }
	sample := func() map[string]any {
		return map[string]any{
			"count": int64(3), "vip": true, "price": &Decimal{Exponent: -2}, "name": "Sam", "id": "42", "none": nil,
			"counts": []any{int64(1), "2"}, "flags": []any{true, "false"}, "prices": []any{1.5, int64(2)}, "tags": []any{"a", "b"},
			"address": map[string]any{"city": "杭州"}, "items": []any{item("a", 2), item("b", 1)},
		}
	}
	attrs, config, data := sample(), sample(), sample()
	for _, m := range []map[string]any{attrs, config, data} {
		price := &Decimal{Exponent: -2}
		price.Coeff.SetInt64(1990)
		m["price"] = price
	}
	attrs["behavior"], attrs["goods_id"] = "view", "g1"
	config["limit"] = int64(10)
	vars := make(Vars, 0, len(data))
	for _, e := range sortedEntries(data) {
		vars = append(vars, Var{e.key.(string), e.value})
	}
	return &Scope{
		Event:  &Event{ID: "e1", Type: "user_behavior", Sender: "shop", Attrs: attrs, TimeMs: 1_577_836_800_000},
		Config: config,
		Vars:   vars,
		Result: &Result{Status: ResultOK, Data: data},
		Thread: &ThreadInfo{Activity: 1, ActivityName: "coupon", ActivityDisplayName: "Coupon", ActivityStatus: "common", ActivityCreatedAtMs: 1_577_750_400_000, Domain: "10001", Definition: "coupon",
			DefinitionDisplayName: "Coupon", DefinitionDescription: "Reminds of coupons.", Version: "1", Action: "push", Status: "running", CreatedAtMs: 1_577_836_800_000},
		NowMs: 1_577_880_000_000, // 2020-01-01 12:00:00 UTC
		Seed:  1,
	}
}

// ExampleResult evaluates the example in SampleScope and returns the text of its value, a text in quotes; "error: ..." when it fails.
func (f *Function) ExampleResult() string {
	p, problems := Compile(f.Example, f.Contexts[len(f.Contexts)-1])
	if p == nil {
		return "error: " + problems[0].Message
	}
	v, err := p.Eval(SampleScope())
	if err != nil {
		return "error: " + err.Error()
	}
	if text, ok := v.(string); ok {
		return `"` + text + `"`
	}
	return Text(v)
}

// String returns strategy, trigger, action or ctrl.
func (c Context) String() string { return [...]string{"strategy", "trigger", "action", "ctrl"}[c] }
