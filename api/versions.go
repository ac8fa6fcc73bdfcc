package api

import (
	"net/http"

	"github.com/weftbox/weftbox/metadata"
)

func (s *Server) listVersions(c *call) (*reply, error) {
	_, versions, err := s.versions(c)
	if err != nil {
		return nil, err
	}
	out := list[versionSummary]{Items: []versionSummary{}}
	for _, v := range versions {
		out.Items = append(out.Items, summarize(v))
	}
	return ok(out), nil
}

// putVersion stores the text in the body as that version. One that is there with another text is left alone, unless If-Match says that it is to be
// modified in place.
func (s *Server) putVersion(c *call) (*reply, error) {
	expect, err := c.expected()
	if err != nil {
		return nil, err
	}
	text, err := c.body()
	if err != nil {
		return nil, err
	}
	if len(text) == 0 {
		return nil, badBody("the body is empty: send the definition's YAML")
	}
	name, version := c.path("name"), c.path("version")
	if c.r.Header.Get("If-Match") != "" {
		return s.modifyVersion(c, name, version, text, nil, expect)
	}
	if d, problems := s.o.Metadata.CheckDefinition(text); d != nil && d.Name != name {
		return nil, badBody("the text is that of definition " + quote(d.Name) + ", the path names " + quote(name))
	} else if err := checked("definition", problems); err != nil {
		return nil, err
	}
	v, outcome, problems, err := s.o.Metadata.PutDefinition(c.r.Context(), text, version)
	if err == nil {
		err = checked("definition", problems)
	}
	if err != nil {
		return nil, err
	}
	if outcome == metadata.Conflict {
		return nil, versionConflict(v, text)
	}
	return s.versionReply(outcome, v, problems), nil
}

func (s *Server) modifyVersion(c *call, name, version string, text []byte, enabled *bool, expect uint64) (*reply, error) {
	v, outcome, problems, err := s.o.Metadata.ModifyDefinition(c.r.Context(), name, version, text, enabled, expect)
	if err == nil {
		err = checked("definition", problems)
	}
	switch {
	case err != nil:
		return nil, err
	case outcome == metadata.Missing:
		return nil, s.noVersion(name, version)
	case outcome == metadata.Conflict:
		return nil, preconditionFailed("definition", name+" version "+version)
	}
	return s.versionReply(outcome, v, problems), nil
}

func (s *Server) noVersion(name, version string) error {
	all := s.o.Metadata.Load().Definitions
	if len(all[name]) == 0 {
		return notFound("definition", name, suggestion(name, sortedKeys(all)))
	}
	var known []string
	for _, v := range all[name] {
		known = append(known, v.Version)
	}
	return noVersion(name, version, suggestion(version, known))
}

// enable returns the handler that enables or disables a version. To do it twice changes nothing.
func enable(on bool) func(*Server, *call) (*reply, error) {
	return func(s *Server, c *call) (*reply, error) {
		expect, err := c.expected()
		if err != nil {
			return nil, err
		}
		o, err := c.object(true)
		if err == nil {
			err = o.done()
		}
		if err != nil {
			return nil, err
		}
		rep, err := s.modifyVersion(c, c.path("name"), c.path("version"), nil, &on, expect)
		if rep != nil {
			rep.status, rep.location = http.StatusOK, ""
		}
		return rep, err
	}
}

// deleteVersion deletes a version that no thread lives by and that is not the last one an activity could run, or any with ?force=true.
func (s *Server) deleteVersion(c *call) (*reply, error) {
	expect, force, err := c.writing()
	if err != nil {
		return nil, err
	}
	name, version := c.path("name"), c.path("version")
	if s.o.Metadata.Load().Version(name, version) == nil {
		return nil, s.noVersion(name, version)
	}
	outcome, err := s.o.Metadata.DeleteDefinition(c.r.Context(), name, version, expect, force, func(number uint32) (n int64, err error) {
		counters, err := s.o.Engine.Counters(number)
		for _, c := range counters {
			if c.Version == version && c.Status.Live() {
				n += c.N
			}
		}
		return n, err
	})
	return s.removedReply("definition", removedView{Name: name, Version: version}, "", outcome, err)
}
