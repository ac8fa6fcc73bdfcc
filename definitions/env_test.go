package definitions

// testEnv has the built-in types of the first engine, two services and two strategies.
func testEnv() Env {
	when := func(source string) *Expr {
		x, _ := CompileWhen(source, "/when")
		return x
	}
	spec := func(s Spec) *Spec { return &s }
	return Env{
		Specs: map[string]*Spec{
			"case":    spec(Spec{Type: "case", Shape: ShapeClauses, Heads: []Head{HeadWhen, HeadDefault}, Required: true}),
			"receive": spec(Spec{Type: "receive", Shape: ShapeClauses, Heads: []Head{HeadWhen, HeadAfter}, Required: true, Waits: true}),
			"sleep":   spec(Spec{Type: "sleep", Shape: ShapeKeys, Keys: []Key{{Name: "time", Required: true, Doc: `add "time: minutes(5)"`}}, Required: true, Waits: true}),
			"compute": spec(Spec{Type: "compute", Shape: ShapeAssignments, Required: true}),
			"stdout":  spec(Spec{Type: "stdout", Shape: ShapeAny, Required: true}),
		},
		Services: map[string]bool{"coupon": true, "push": true},
		Service: spec(Spec{Type: "service", Shape: ShapeKeys, Required: true, Waits: true, Service: true,
			Keys: []Key{{Name: "request", Required: true, Doc: `add "request: …"`}, {Name: "timeout"}}}),
		Strategies: map[string]bool{"user_id": true, "user_id_goods_id": true, "order_id": true, "visitors": true},
		When: map[string]*Expr{
			"user_id":  when(`containsAttr("user_id")`),
			"order_id": when(`eventTypeIs("order_created") OR eventTypeIs("payment") AND eventAttr("source") == "shop"`),
			"visitors": when(`eventTypeIs("visit") AND (eventAttr("source") == "shop" OR eventAttr("source") == "app")`),
		},
	}
}
