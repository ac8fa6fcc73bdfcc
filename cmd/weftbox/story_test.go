package main

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
)

// curlLine does what curl does for a line of the block: -X, -d, -H, --data-binary @coupon.yaml.
func curlLine(t *testing.T, c *child, line, yaml string) (status int, body string) {
	t.Helper()
	method, data, url := "GET", "", ""
	header := http.Header{}
	words := shellWords(line)
	for i := 1; i < len(words); i++ {
		switch words[i] {
		case "-X":
			i++
			method = words[i]
		case "-d":
			i++
			data = words[i]
			if header.Get("Content-Type") == "" {
				header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
		case "-H":
			i++
			key, value, _ := strings.Cut(words[i], ": ")
			header.Set(key, value)
		case "--data-binary":
			i++
			if words[i] != "@coupon.yaml" {
				t.Fatalf("which file is %s?", words[i])
			}
			data = yaml
		default:
			url = words[i]
		}
	}
	address := strings.TrimPrefix(c.url, "http://127.0.0.1")
	r, err := http.NewRequest(method, "http://"+strings.Replace(url, ":8420", address, 1), strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	return c.send(r)
}

// shellWords splits a line as a shell does, up to a comment.
func shellWords(line string) []string {
	var words []string
	for line = strings.TrimSpace(line); line != "" && line[0] != '#'; line = strings.TrimLeft(line, " ") {
		if line[0] == '\'' {
			end := strings.IndexByte(line[1:], '\'') + 1
			words = append(words, line[1:end])
			line = line[end+1:]
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		words = append(words, word)
		line = rest
	}
	return words
}

// TestCurlBlock runs the published lines, word for word but for the ports, and tells the story to its end: with the definition as it
// should be, and as it was published.
func TestCurlBlock(t *testing.T) {
	block, err := os.ReadFile("testdata/curl.txt")
	if err != nil {
		t.Fatal(err)
	}
	for name, faulty := range map[string]bool{"quoted": false, "as published": true} {
		t.Run(name, func(t *testing.T) {
			coupon, push := newService(t, atOnce(2)), newService(t, silent)
			c := serveChild(t, nil, "--data", t.TempDir(), "--clock", "manual", "--random-ports")
			text := strings.NewReplacer("http://127.0.0.1:9001/", coupon.url, "http://127.0.0.1:9002/", push.url).Replace(string(block))
			lines := strings.Split(strings.TrimSpace(text), "\n")
			want := []int{201, 201, 201, 201, 201, 202, 200, 200}
			if len(lines) != len(want) {
				t.Fatalf("expected %d lines, have %d", len(want), len(lines))
			}
			run := func(i, status int) string {
				t.Helper()
				got, body := curlLine(t, c, lines[i], couponText(t, faulty))
				if got != status {
					t.Fatalf("%s: expected %d, got %d %s", lines[i], status, got, body)
				}
				return body
			}
			for i := range 7 {
				body := run(i, want[i])
				if i == 3 && strings.Contains(body, "WB2001") != faulty {
					t.Errorf("expected a warning about the unquoted value only where there is one, got %s", body)
				}
			}
			for i := range 5 {
				run(i, 200) // the same again changes nothing
			}
			run(5, 202)
			run(5, 202)
			if q := coupon.next(); q.Receiver != "coupon" || q.Attr.Domain != "10010_2002" || q.Attr.Action != "coupon" || q.Attr.Activity != 1 || string(q.Attr.Args) != `{"goods_id":2002,"user_id":10010}` {
				t.Errorf("expected the coupon's request after the third view, got %+v %s", q, q.Attr.Args)
			}
			thread := c.thread("autumn", "10010_2002", "waiting", "waiting_buy")
			if !strings.Contains(string(thread.Vars), `"visit_count":3,"coupon_expire_time":"2027-01-01"`) {
				t.Errorf("expected the answer among the variables, got %s", thread.Vars)
			}
			run(7, 200)
			q := push.next()
			if !strings.Contains(string(q.Attr.Args), "Sony PS5") || !strings.Contains(string(q.Attr.Args), "2027-01-01") || !*q.Attr.IgnoreResult {
				t.Errorf("expected a push with title and expiry whose answer nobody awaits, got %s", q.Attr.Args)
			}
			c.must(202, "POST", "/v1/events", `{"type":"user_behavior","attr":{"behavior":"购买商品","user_id":10010,"goods_id":2002}}`)
			body := run(6, 200)
			for _, part := range []string{`"status":"finished"`, `"action":"waiting_buy"`, `"bought":true`, `"notified":true`, `"version":"1"`, `"run":`} {
				if !strings.Contains(body, part) {
					t.Errorf("expected %s in the ended thread, got %s", part, body)
				}
			}
			if late := c.must(200, "GET", "/metrics", ""); !strings.Contains(late, "weftbox_late_total 1\n") {
				t.Error("expected the doubled reply of the coupon service to be counted as late, once")
			}
			if code := c.signal(syscall.SIGTERM); code != 0 {
				t.Errorf("expected exit code 0 after SIGTERM, got %d: %s", code, c.stderr)
			}
		})
	}
}

// prepare posts strategy, services and definition.
func prepare(c *child, coupon, push *service) {
	c.t.Helper()
	c.must(201, "POST", "/v1/strategies", `{"name":"user_id_goods_id","when":"eventAttr(\"user_id\",null) != null AND eventAttr(\"goods_id\",null) != null","domain_id":"str(\"%s_%s\", eventAttr(\"user_id\"), eventAttr(\"goods_id\"))"}`)
	c.must(201, "POST", "/v1/services", `{"name":"coupon","url":"`+coupon.url+`"}`)
	c.must(201, "POST", "/v1/services", `{"name":"push","url":"`+push.url+`"}`)
	c.must(201, "POST", "/v1/definitions?version=1", couponText(c.t, false))
}

func TestTwoActivitiesCountForThemselves(t *testing.T) {
	coupon, push := newService(t, silent), newService(t, silent)
	c := serveChild(t, nil, "--data", t.TempDir(), "--clock", "manual", "--random-ports")
	prepare(c, coupon, push)
	c.must(201, "POST", "/v1/activities", `{"name":"patient","definition":"coupon","config":{"max_visit_count":5}}`)
	c.must(201, "POST", "/v1/activities", `{"name":"eager","definition":"coupon","config":{"max_visit_count":3}}`)
	want := map[int][2]string{3: {"waiting_visit_event", "coupon"}, 5: {"coupon", "coupon"}}
	for view := 1; view <= 5; view++ {
		c.view("10010", "2002")
		actions, ok := want[view]
		if !ok {
			continue
		}
		c.thread("patient", "10010_2002", "waiting", actions[0])
		c.thread("eager", "10010_2002", "waiting", actions[1])
		if q := coupon.next(); q.Attr.Activity != map[int]int{3: 2, 5: 1}[view] {
			t.Errorf("view %d: expected the other activity to ask, got %d", view, q.Attr.Activity)
		}
	}
	select {
	case q := <-coupon.asked:
		t.Errorf("expected two requests in all, got one more: %+v", q)
	default:
	}
}

func TestLaterRepliesAndRepeats(t *testing.T) {
	coupon, push := newService(t, silent), newService(t, silent)
	dir := t.TempDir()
	c := serveChild(t, nil, "--data", dir, "--clock", "manual", "--random-ports")
	prepare(c, coupon, push)
	c.must(201, "POST", "/v1/activities", `{"name":"autumn","definition":"coupon","config":{"max_visit_count":2}}`)
	c.view("1", "1")
	c.view("1", "1")
	q := coupon.next()
	c.signal(syscall.SIGKILL)
	c = serveChild(t, nil, "--data", dir, "--clock", "manual", "--random-ports")
	c.thread("autumn", "1_1", "waiting", "coupon")
	answer := reply(q)
	for i, verdict := range []string{"taken", "late", "late"} {
		body := answer
		if i == 2 {
			body = "[" + answer + "]"
		}
		if text := c.must(202, "POST", "/v1/buses/default?wait=processed", body); !strings.Contains(text, `"verdict":"`+verdict+`"`) {
			t.Errorf("reply %d: expected %s, got %s", i+1, verdict, text)
		}
	}
	c.thread("autumn", "1_1", "waiting", "waiting_buy")
	if status, text := c.ask("POST", "/v1/events", answer); status != 400 || !strings.Contains(text, "not_an_event") {
		t.Errorf("expected a reply to be refused among the events, got %d %s", status, text)
	}
	event := `{"type":"user_behavior","id":"e-7","attr":{"behavior":"查看商品详情","user_id":2,"goods_id":2,"goods_title":"t"}}`
	c.must(202, "POST", "/v1/events", event)
	if text := c.must(202, "POST", "/v1/events", event); !strings.Contains(text, `"duplicates":1`) {
		t.Errorf("expected the repeat to be known, got %s", text)
	}
	if thread := c.thread("autumn", "2_2", "waiting", "waiting_visit_event"); !strings.Contains(string(thread.Vars), `"visit_count":1`) {
		t.Errorf("expected the repeat to change nothing, got %s", thread.Vars)
	}
}

func TestPublishedEvents(t *testing.T) {
	coupon, push := newService(t, silent), newService(t, silent)
	c := serveChild(t, nil, "--data", t.TempDir(), "--random-ports")
	prepare(c, coupon, push)
	c.must(201, "POST", "/v1/activities", `{"definition":"coupon"}`)
	events, err := os.ReadFile("testdata/published-events.json")
	if err != nil {
		t.Fatal(err)
	}
	var a sendAnswer
	if err := json.Unmarshal([]byte(c.must(202, "POST", "/v1/events?wait=processed", string(events))), &a); err != nil {
		t.Fatal(err)
	}
	want := [][2]string{{"10010_2002", "spawned"}, {"小明_PS4", "dead_letter"}, {"小明_PS4", "no_trigger"}, {"小明_XBox", "dead_letter"}, {"小明_XBox", "no_trigger"}}
	if len(a.Results) != len(want) {
		t.Fatalf("expected %d results, got %+v", len(want), a)
	}
	for i, w := range want {
		v := a.Results[i].Verdicts
		if len(v) != 1 || v[0].DomainID != w[0] || v[0].Verdict != w[1] {
			t.Errorf("event %d: expected it to be led to %s, verdict %s, got %+v", i, w[0], w[1], v)
		}
	}
	var dead struct {
		Items []struct {
			Reason   string         `json:"reason"`
			Error    string         `json:"error"`
			DomainID string         `json:"domain_id"`
			Message  map[string]any `json:"message"`
		} `json:"items"`
	}
	if err := json.Unmarshal([]byte(c.must(200, "GET", "/v1/dead-letters", "")), &dead); err != nil {
		t.Fatal(err)
	}
	if len(dead.Items) != 2 {
		t.Fatalf("expected two dead letters, got %+v", dead)
	}
	for _, d := range dead.Items {
		if d.Reason != "trigger" || !strings.Contains(d.Error, "goods_title") || !strings.HasPrefix(d.DomainID, "小明_") || d.Message["type"] != "user_behavior" {
			t.Errorf("expected a dead letter that names goods_title, got %+v", d)
		}
	}
}
