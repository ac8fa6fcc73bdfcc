package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weftbox/weftbox/examples/coupon"
)

// demoOptions are what a run of the demo can be told to do otherwise.
type demoOptions struct {
	dir           string
	maxVisitCount int
	title         string
	couponFails   bool
	shoppers      int
}

// demo is one run: a node as a child process, two services, and what was heard of them.
type demo struct {
	o            demoOptions
	out          io.Writer
	node         *demoNode
	coupon, push *demoService
}

// demoMarker is the file by which the demo knows a folder of its own.
const demoMarker = ".weftbox-demo"

const demoActivity = "autumn"

func newDemoCommand() *cobra.Command {
	o := demoOptions{}
	c := &cobra.Command{
		Use:   "demo",
		Short: "Tell the coupon story on a node of its own, killed with -9 on the way, then drive 20,000 shoppers through it",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return runDemo(c.Context(), o, c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&o.dir, "dir", "weftbox-demo", "folder of the demo's node; an earlier run's is replaced")
	c.Flags().IntVar(&o.maxVisitCount, "max-visit-count", 5, "views after which a shopper gets a coupon (at least 3)")
	c.Flags().StringVar(&o.title, "title", "Sony PS5", "what the shopper looks at")
	c.Flags().BoolVar(&o.couponFails, "coupon-fails", false, "let the coupon service answer that it failed")
	c.Flags().IntVar(&o.shoppers, "shoppers", 20000, "shoppers of the second part")
	return c
}

func runDemo(ctx context.Context, o demoOptions, out io.Writer) (err error) {
	if o.maxVisitCount < 3 {
		return fmt.Errorf("--max-visit-count %d is too small: write 3 or more", o.maxVisitCount)
	}
	if o.shoppers < 1 {
		return fmt.Errorf("--shoppers %d is too small: write 1 or more", o.shoppers)
	}
	if err := demoFolder(o.dir); err != nil {
		return err
	}
	d := &demo{o: o, out: out}
	for _, s := range []**demoService{&d.coupon, &d.push} {
		if *s, err = startDemoService(); err != nil {
			return err
		}
		defer (*s).close()
	}
	if d.node, err = newDemoNode(o.dir); err != nil {
		return err
	}
	defer d.node.stop()
	took, err := d.node.start()
	if err != nil {
		return err
	}
	d.say("node       %s, process %d, on an empty folder %s, ready after %d ms; its clock is turned by hand", d.node.url, d.node.process.Process.Pid, o.dir, took.Milliseconds())
	if err := d.story(ctx); err != nil {
		return err
	}
	if err := d.crowd(ctx); err != nil {
		return err
	}
	d.say("\nnext       start a node:   weftbox serve --data shop")
	d.say("           load the story: weftbox apply -f examples/coupon")
	d.say("           send a view:    weftbox events send user_behavior behavior=查看商品详情 user_id=10010 goods_id=2002 goods_title=%q", o.title)
	d.say("           look at it:     weftbox threads get autumn 10010_2002")
	return nil
}

// demoFolder makes an empty folder for the demo. A folder that is not the demo's own is left alone.
func demoFolder(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return err
	case len(entries) > 0:
		if _, err := os.Stat(filepath.Join(dir, demoMarker)); err != nil {
			return fmt.Errorf("%s is not empty and no folder of an earlier demo: choose another with --dir", dir)
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, demoMarker), []byte("weftbox demo made this folder and replaces it at its next run\n"), 0o644)
}

func (d *demo) say(format string, args ...any) { fmt.Fprintf(d.out, format+"\n", args...) }

// setUp tells the node the strategy, the two services, the definition and the activity, as the README's curl lines do.
func (d *demo) setUp(ctx context.Context) error {
	steps := []struct {
		path string
		body any
	}{
		{"/v1/strategies", map[string]any{"name": "user_id_goods_id",
			"when":      `eventAttr("user_id",null) != null AND eventAttr("goods_id",null) != null`,
			"domain_id": `str("%s_%s", eventAttr("user_id"), eventAttr("goods_id"))`}},
		{"/v1/services", map[string]any{"name": "coupon", "url": d.coupon.url}},
		{"/v1/services", map[string]any{"name": "push", "url": d.push.url}},
		{"/v1/definitions?version=1", coupon.Definition},
		{"/v1/activities", map[string]any{"name": demoActivity, "definition": "coupon", "config": map[string]any{"max_visit_count": d.o.maxVisitCount}}},
	}
	for _, s := range steps {
		if err := d.node.call(ctx, "POST", s.path, s.body, nil); err != nil {
			return err
		}
	}
	return nil
}

// demoThread is a thread as the node shows it.
type demoThread struct {
	Domain  string         `json:"domain_id"`
	Version string         `json:"version"`
	Status  string         `json:"status"`
	Action  string         `json:"action"`
	Reason  string         `json:"reason"`
	Vars    map[string]any `json:"vars"`
	Run     json.Number    `json:"run"`
	EndedAt *string        `json:"ended_at"`
}

func (d *demo) thread(ctx context.Context, domain string) (t demoThread, err error) {
	err = d.node.call(ctx, "GET", "/v1/activities/"+demoActivity+"/threads/"+domain, nil, &t)
	return t, err
}

func (t demoThread) String() string {
	text := t.Status + " at " + t.Action
	if t.Status == "failed" {
		text += " because " + t.Reason
	}
	return text
}

// demoAnswer is the node's answer to posted messages.
type demoAnswer struct {
	Accepted   int `json:"accepted"`
	Duplicates int `json:"duplicates"`
	Results    []struct {
		Duplicate bool            `json:"duplicate"`
		Error     json.RawMessage `json:"error"`
		Verdicts  []demoVerdict   `json:"verdicts"`
	} `json:"results"`
}

type demoVerdict struct {
	Domain  string `json:"domain_id"`
	Verdict string `json:"verdict"`
	Action  string `json:"action"`
	Status  string `json:"status"`
}

// first returns the first verdict of an answer to one message.
func (a demoAnswer) first() (demoVerdict, error) {
	if len(a.Results) != 1 || len(a.Results[0].Verdicts) == 0 {
		return demoVerdict{}, fmt.Errorf("the node's answer has no verdict")
	}
	return a.Results[0].Verdicts[0], nil
}

// await waits until a service was asked for something that ok accepts.
func (s *demoService) await(ctx context.Context, ok func(demoRequest) bool) (demoRequest, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for {
		for _, q := range s.requests() {
			if ok(q) {
				return q, nil
			}
		}
		select {
		case <-s.came:
		case <-ctx.Done():
			return demoRequest{}, fmt.Errorf("the service was not asked within 20 s")
		}
	}
}

func oneLine(raw json.RawMessage) string { return strings.TrimSpace(string(raw)) }
