package main

import (
	"context"
	"encoding/json"
	"fmt"
)

// The shopper of the story.
const (
	demoUser   = 10010
	demoGoods  = 2002
	demoDomain = "10010_2002"
)

func (d *demo) event(behavior string) map[string]any {
	return map[string]any{"type": "user_behavior", "attr": map[string]any{"behavior": behavior, "user_id": demoUser, "goods_id": demoGoods, "goods_title": d.o.title}}
}

// send posts one event and returns what became of it.
func (d *demo) send(ctx context.Context, behavior string) (demoVerdict, error) {
	var a demoAnswer
	if err := d.node.call(ctx, "POST", "/v1/events?wait=processed", d.event(behavior), &a); err != nil {
		return demoVerdict{}, err
	}
	return a.first()
}

// story tells the life of one thread. Every line is what the node or a service says.
func (d *demo) story(ctx context.Context) error {
	if err := d.setUp(ctx); err != nil {
		return err
	}
	if err := d.views(ctx); err != nil {
		return err
	}
	request, err := d.coupon.await(ctx, func(q demoRequest) bool { return q.Attr.Domain == demoDomain })
	if err != nil {
		return err
	}
	d.say("coupon     is asked %s, request %s", oneLine(request.Attr.Args), request.Attr.RequestID)
	if err := d.die(ctx); err != nil {
		return err
	}
	after, err := d.answer(ctx, request)
	if err != nil || after.Status != "waiting" {
		return err
	}
	return d.reminder(ctx)
}

// views looks at the product until the thread leaves its first action.
func (d *demo) views(ctx context.Context) error {
	for n := 1; ; n++ {
		v, err := d.send(ctx, "查看商品详情")
		if err != nil {
			return err
		}
		t, err := d.thread(ctx, v.Domain)
		if err != nil {
			return err
		}
		d.say("view %-5d %s %s: %s, visit_count %v", n, v.Domain, v.Verdict, t, t.Vars["visit_count"])
		if t.Action == "coupon" {
			return nil
		}
		if n > d.o.maxVisitCount+5 {
			return fmt.Errorf("no coupon is asked for after %d views", n)
		}
	}
}

// die kills the node before the service has answered and starts it again.
func (d *demo) die(ctx context.Context) error {
	pid := d.node.process.Process.Pid
	d.node.kill()
	took, err := d.node.start()
	if err != nil {
		return err
	}
	t, err := d.thread(ctx, demoDomain)
	if err != nil {
		return err
	}
	d.say("kill -9    process %d is gone; process %d is ready after %d ms and has on disk: %s, visit_count %v", pid, d.node.process.Process.Pid, took.Milliseconds(), t, t.Vars["visit_count"])
	return nil
}

// answer lets the coupon service answer, and then once more.
func (d *demo) answer(ctx context.Context, q demoRequest) (demoThread, error) {
	status, code, data := "ok", "", map[string]any{"expire_time": "48 小时后"}
	if d.o.couponFails {
		status, code, data = "fail", "sold_out", nil
	}
	var t demoThread
	for _, times := range []string{"answers", "answers again"} {
		var a demoAnswer
		if err := d.node.call(ctx, "POST", "/v1/buses/default?wait=processed", demoReply(q, status, code, data), &a); err != nil {
			return t, err
		}
		v, err := a.first()
		if err != nil {
			return t, err
		}
		if t, err = d.thread(ctx, demoDomain); err != nil {
			return t, err
		}
		d.say("coupon     %s %s: %s; %s is %s", times, status, v.Verdict, demoDomain, t)
	}
	return t, nil
}

// reminder turns the clock two days forward, shows the push, and lets the shopper buy.
func (d *demo) reminder(ctx context.Context) error {
	var moved struct {
		Now   json.RawMessage `json:"now"`
		Fired int             `json:"fired"`
	}
	if err := d.node.call(ctx, "POST", "/v1/clock/advance", map[string]any{"by": "48h"}, &moved); err != nil {
		return err
	}
	d.say("+2 days    it is %s, alarms fired: %d", oneLine(moved.Now), moved.Fired)
	q, err := d.push.await(ctx, func(q demoRequest) bool { return q.Attr.Domain == demoDomain })
	if err != nil {
		return err
	}
	d.say("push       is asked %s", oneLine(q.Attr.Args))
	if _, err := d.send(ctx, "购买商品"); err != nil {
		return err
	}
	t, err := d.thread(ctx, demoDomain)
	if err != nil {
		return err
	}
	ended := "still open"
	if t.EndedAt != nil {
		ended = "ended at " + *t.EndedAt
	}
	d.say("purchase   %s is %s, bought %v, notified %v, %s", demoDomain, t, t.Vars["bought"], t.Vars["notified"], ended)
	return nil
}
