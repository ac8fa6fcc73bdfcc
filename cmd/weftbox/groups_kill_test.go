package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	fullGroups  = 8 // three members pay: all get the goods
	shortGroups = 6 // two members pay: both get their money back
	groupDeaths = 10
)

// till is the three services of the group-buying story in one server: it answers each request in the body, now and then it takes a request and says
// that it failed, and it keeps each request by its id.
type till struct {
	steps atomic.Int64 // what has been asked, by the node and its clients
	mu    sync.Mutex
	draw  *rand.Rand
	got   map[string]map[string]string // by service and member: request id to what was asked
	wrong []string
}

func (s *till) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.steps.Add(1)
	var batch []request
	if err := json.NewDecoder(r.Body).Decode(&batch); err != nil {
		return // the node died while it wrote
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	answers := make([]string, len(batch))
	for i, q := range batch {
		place := strings.Trim(r.URL.Path, "/") + " " + q.Attr.Domain
		if s.got[place] == nil {
			s.got[place] = map[string]string{}
		}
		if first, again := s.got[place][q.Attr.RequestID]; again && first != string(q.Attr.Args) {
			s.wrong = append(s.wrong, fmt.Sprintf("%s: request %s came with %s and with %s", place, q.Attr.RequestID, first, q.Attr.Args))
		}
		s.got[place][q.Attr.RequestID] = string(q.Attr.Args)
		answers[i] = reply(q)
	}
	if s.draw.IntN(6) == 0 { // taken, but nobody hears of it: the same comes again
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	io.WriteString(w, "["+strings.Join(answers, ",")+"]")
}

// count returns how many requests of different ids a service has got for a member.
func (s *till) count(service, group, user string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.got[service+" "+group+"_"+user])
}

// town of groups: the node as its clients see it, who come again until it answers.
type groupTown struct {
	t    *testing.T
	till *till
	url  atomic.Pointer[string] // of the present life
	end  time.Time              // when the clients give up
}

// reaches sends until the node answers with the status.
func (g *groupTown) reaches(status int, method, path, body string) (text string, ok bool) {
	for time.Now().Before(g.end) {
		r, err := http.NewRequest(method, *g.url.Load()+path, strings.NewReader(body))
		if err != nil {
			g.t.Error(err)
			return "", false
		}
		response, err := http.DefaultClient.Do(r)
		if err == nil {
			all, err := io.ReadAll(response.Body)
			response.Body.Close()
			if err == nil && response.StatusCode == status {
				g.till.steps.Add(1)
				return string(all), true
			}
		}
		time.Sleep(2 * time.Millisecond) // between two tries: the node is dead, or not there yet
	}
	g.t.Errorf("expected %d of %s %s %s before the time was over", status, method, path, body)
	return "", false
}

// stands waits until a thread is where it should be.
func (g *groupTown) stands(activity, domain, status, action string, members int) bool {
	text, ok := "", false
	for time.Now().Before(g.end) {
		if text, ok = g.reaches(200, "GET", threadPath(activity, domain), ""); !ok {
			return false
		}
		var t struct {
			Status string `json:"status"`
			Action string `json:"action"`
			Vars   struct {
				Members []string `json:"members"`
			} `json:"vars"`
		}
		if err := json.Unmarshal([]byte(text), &t); err == nil && t.Status == status && t.Action == action && len(t.Vars.Members) == members {
			return true
		}
		time.Sleep(2 * time.Millisecond) // between two looks
	}
	g.t.Errorf("expected %s of %s to be %s at %s with %d members before the time was over, it is %s", domain, activity, status, action, members, text)
	return false
}

// lives through one group: the leader opens it, the others join when it is open; each event is sent until it was answered, and once more.
func (g *groupTown) lives(group string, size int) {
	for i := range size {
		event := fmt.Sprintf(`{"type":"group_buy","id":"%s-%d","attr":{"group_id":%q,"user_id":"u%d","amount":79,"opens":%v}}`, group, i, group, i, i == 0)
		for range 2 {
			if _, ok := g.reaches(202, "POST", "/v1/events", event); !ok {
				return
			}
		}
		if i == 0 && !(g.stands("members", group+"_u0", "waiting", "waiting", 0) && g.stands("groups", group, "waiting", "joining", 1)) {
			return
		}
	}
	for i := range size {
		if member := fmt.Sprintf("%s_u%d", group, i); size == 3 {
			g.stands("members", member, "finished", "ship", 0)
		} else {
			g.stands("members", member, "waiting", "waiting", 0)
		}
	}
	if size < 3 {
		g.stands("groups", group, "waiting", "joining", size)
	}
}

// turns the clock to a time. The node may die in it and stand anywhere before that time: it is looked at again.
func (g *groupTown) turns(to time.Time) {
	for time.Now().Before(g.end) {
		now, ok := g.now()
		if !ok || !now.Before(to) {
			return
		}
		r, err := http.Post(*g.url.Load()+"/v1/clock/advance", "application/json", strings.NewReader(fmt.Sprintf(`{"by":"%dms"}`, to.Sub(now).Milliseconds())))
		if err == nil {
			r.Body.Close()
			g.till.steps.Add(1)
		}
	}
}

func (g *groupTown) now() (time.Time, bool) {
	text, ok := g.reaches(200, "GET", "/v1/clock", "")
	var v struct {
		Now time.Time `json:"now"`
	}
	if err := json.Unmarshal([]byte(text), &v); ok && err != nil {
		g.t.Error(err)
		return v.Now, false
	}
	return v.Now, ok
}

// rest waits until no member's thread lives.
func (g *groupTown) rest() {
	text := "domain_id"
	for ok := true; ok && strings.Contains(text, "domain_id"); {
		text, ok = g.reaches(200, "GET", threadPath("members"), "")
	}
}

// start begins a life of the node.
func (g *groupTown) start(dir string) *child {
	c := serveChild(g.t, nil, "--data", dir, "--clock", "manual", "--random-ports")
	g.url.Store(&c.url)
	return c
}

// killed kills the node after each few steps of what goes on, fewer than apart, at most n times, and starts it again; it returns the last life once all is done.
func (g *groupTown) killed(c *child, dir string, n int, apart int64, done <-chan struct{}) (*child, int) {
	deaths := 0
	for deaths < n {
		g.till.mu.Lock()
		at := g.till.steps.Load() + 1 + g.till.draw.Int64N(apart)
		g.till.mu.Unlock()
		for g.till.steps.Load() < at {
			select {
			case <-done:
				return c, deaths
			case <-time.After(time.Millisecond): // looks again
			}
		}
		c.signal(syscall.SIGKILL)
		deaths++
		c = g.start(dir)
	}
	<-done
	return c, deaths
}

// prepared posts what the story stands on.
func (g *groupTown) prepared(c *child, services string) {
	for _, s := range []string{
		`{"name":"group","when":"eventTypeIs(\"paid\") AND eventAttr(\"group_id\", null) != null","domain_id":"eventAttr(\"group_id\")"}`,
		`{"name":"member","when":"eventTypeIs(\"outcome\") OR eventTypeIs(\"group_buy\")","domain_id":"eventTypeIs(\"outcome\") ? eventAttr(\"member\") : str(\"%s_%s\", eventAttr(\"group_id\"), eventAttr(\"user_id\"))"}`,
	} {
		c.must(201, "POST", "/v1/strategies", s)
	}
	for _, s := range []string{"pay", "ship", "refund"} {
		c.must(201, "POST", "/v1/services", `{"name":"`+s+`","url":"`+services+"/"+s+`"}`)
	}
	for _, name := range []string{"group", "member"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "examples", "group-buying", name+".yaml"))
		if err != nil {
			g.t.Fatal(err)
		}
		c.must(201, "POST", "/v1/definitions?version=1", string(text))
		c.must(201, "POST", "/v1/activities", `{"name":"`+name+`s","definition":"`+name+`"}`)
	}
}

// TestGroupBuyingUnderKill lives through groups of examples/group-buying while their node is killed again and again: each member of a full group is sent
// the goods once, each of a group that did not fill in time gets the money back once, and nobody both, by the ids of the requests.
func TestGroupBuyingUnderKill(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	s := &till{draw: rand.New(rand.NewPCG(seed, 0)), got: map[string]map[string]string{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	g := &groupTown{t: t, till: s, end: time.Now().Add(2 * patience)}
	dir := t.TempDir()
	c := g.start(dir)
	g.prepared(c, server.URL)

	joined := make(chan struct{})
	var wg sync.WaitGroup
	for i := range fullGroups + shortGroups {
		size := 3
		if i >= fullGroups {
			size = 2
		}
		wg.Go(func() { g.lives(fmt.Sprint("g", i), size) })
	}
	go func() { wg.Wait(); close(joined) }()
	c, early := g.killed(c, dir, groupDeaths-3, 12, joined)
	if t.Failed() {
		t.Fatalf("seed %d: the groups did not come together; the node's log: %s", seed, c.stderr)
	}

	opened, _ := g.now()
	refunded := make(chan struct{})
	go func() {
		defer close(refunded)
		g.turns(opened.Add(24 * time.Hour))
		g.rest()
	}()
	c, late := g.killed(c, dir, groupDeaths-early, 3, refunded)
	g.turns(opened.Add(72 * time.Hour)) // what is left of the threads' time
	g.rest()
	t.Logf("seed %d: %d deaths while they joined, %d while they were paid back, %d steps", seed, early, late, s.steps.Load())
	if early+late < groupDeaths/2 {
		t.Errorf("seed %d: expected at least %d deaths, there were %d", seed, groupDeaths/2, early+late)
	}
	s.check(t, seed)
}

// check counts the requests of each member by their ids.
func (s *till) check(t *testing.T, seed uint64) {
	t.Helper()
	for i := range fullGroups + shortGroups {
		group, size, want := fmt.Sprint("g", i), 3, [3]int{1, 1, 0}
		if i >= fullGroups {
			size, want = 2, [3]int{1, 0, 1}
		}
		for user := range size {
			u := fmt.Sprint("u", user)
			if got := [3]int{s.count("pay", group, u), s.count("ship", group, u), s.count("refund", group, u)}; got != want {
				t.Errorf("seed %d: %s of %s paid, was sent the goods and got the money back %v times, want %v", seed, u, group, got, want)
			}
		}
	}
	for _, w := range s.wrong {
		t.Errorf("seed %d: %s", seed, w)
	}
}
