package api

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"

	"github.com/weftbox/weftbox/definitions"
	bushttp "github.com/weftbox/weftbox/messagebus/http"
	"github.com/weftbox/weftbox/metadata"
)

// versionSummary is one version in a list; definitionVersion is the whole.
type versionSummary struct {
	Version   string `json:"version"`
	Enabled   bool   `json:"enabled"`
	Runnable  bool   `json:"runnable"` // it compiles with the strategies and services that there are now
	SHA256    string `json:"sha256"`
	CreatedAt stamp  `json:"created_at"`
	UpdatedAt stamp  `json:"updated_at"`
}

type definitionView struct {
	Name          string           `json:"name"`
	LatestVersion string           `json:"latest_version"` // the newest enabled one: its trigger gives birth
	Versions      []versionSummary `json:"versions"`       // oldest first
}

type definitionVersion struct {
	Name string `json:"name"`
	versionSummary
	Strategy string                 `json:"strategy,omitempty"`
	Actions  []actionView           `json:"actions,omitempty"`
	Text     string                 `json:"text,omitempty"`
	Errors   []bushttp.ProblemError `json:"errors,omitempty"`
	Warnings []bushttp.ProblemError `json:"warnings"`
}

type actionView struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Line int    `json:"line"`
}

func hash(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func summarize(v *metadata.Version) versionSummary {
	return versionSummary{Version: v.Version, Enabled: v.Enabled, Runnable: v.Compiled != nil, SHA256: hash(v.Text), CreatedAt: stamp(v.CreatedMs),
		UpdatedAt: stamp(max(v.CreatedMs, v.UpdatedMs))}
}

func viewVersion(v *metadata.Version) definitionVersion {
	out := definitionVersion{Name: v.Name, versionSummary: summarize(v), Warnings: items(v.Problems, definitions.SeverityWarning)}
	out.describe(v.Compiled)
	return out
}

func (v *definitionVersion) describe(d *definitions.Definition) {
	if d == nil {
		return
	}
	v.Strategy = d.Strategy
	for _, a := range d.Actions {
		v.Actions = append(v.Actions, actionView{a.Name, a.Type, a.Line})
	}
}

func viewDefinition(name string, versions []*metadata.Version) definitionView {
	out := definitionView{Name: name, Versions: []versionSummary{}}
	for _, v := range versions {
		out.Versions = append(out.Versions, summarize(v))
		if v.Enabled && v.Compiled != nil {
			out.LatestVersion = v.Version
		}
	}
	return out
}

func (s *Server) postDefinition(c *call) (*reply, error) {
	dry, err := c.flag("dry_run")
	if err != nil {
		return nil, err
	}
	text, err := c.body()
	if err != nil {
		return nil, err
	}
	if len(text) == 0 {
		return nil, badBody("the body is empty: send the definition's YAML, such as curl --data-binary @coupon.yaml")
	}
	if dry {
		return s.checkDefinition(text, c.query("version"))
	}
	v, outcome, problems, err := s.o.Metadata.PutDefinition(c.r.Context(), text, c.query("version"))
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

func (s *Server) versionReply(outcome metadata.Outcome, v *metadata.Version, problems []definitions.Problem) *reply {
	view := viewVersion(v)
	view.Warnings = items(problems, definitions.SeverityWarning)
	return s.putReply(outcome, "/v1/definitions/"+url.PathEscape(v.Name)+"/versions/", v.Version, v.Revision, view)
}

func versionConflict(v *metadata.Version, text []byte) error {
	return conflict("definition", v.Name+" version "+v.Version, "post it with another version, or without one to get the next number",
		difference{"sha256", hash(v.Text), hash(text)})
}

// checkDefinition answers ?dry_run=true: everything but the write.
func (s *Server) checkDefinition(text []byte, version string) (*reply, error) {
	d, problems := s.o.Metadata.CheckDefinition(text)
	if err := checked("definition", problems); err != nil {
		return nil, err
	}
	if d == nil {
		return nil, &bushttp.Problem{Status: http.StatusUnprocessableEntity, Code: "definition_invalid", Title: "The definition has errors"}
	}
	for _, v := range s.o.Metadata.Load().Definitions[d.Name] {
		if v.Version == version && version != "" && hash(v.Text) != hash(text) {
			return nil, versionConflict(v, text)
		}
	}
	view := definitionVersion{Name: d.Name, versionSummary: versionSummary{Version: version, Runnable: true, SHA256: hash(text)}, Warnings: items(problems, definitions.SeverityWarning)}
	view.describe(d)
	return ok(view), nil
}

func (s *Server) listDefinitions(*call) (*reply, error) {
	snap := s.o.Metadata.Load()
	out := list[definitionView]{Items: []definitionView{}}
	for _, name := range sortedKeys(snap.Definitions) {
		out.Items = append(out.Items, viewDefinition(name, snap.Definitions[name]))
	}
	return ok(out), nil
}

func (s *Server) versions(c *call) (string, []*metadata.Version, error) {
	name := c.path("name")
	all := s.o.Metadata.Load().Definitions
	if len(all[name]) == 0 {
		return "", nil, notFound("definition", name, suggestion(name, sortedKeys(all)))
	}
	return name, all[name], nil
}

func (s *Server) getDefinition(c *call) (*reply, error) {
	name, versions, err := s.versions(c)
	if err != nil {
		return nil, err
	}
	return ok(viewDefinition(name, versions)), nil
}

func (s *Server) getVersion(c *call) (*reply, error) {
	name, versions, err := s.versions(c)
	if err != nil {
		return nil, err
	}
	want := c.path("version")
	var known []string
	for _, v := range versions {
		if v.Version == want {
			view := viewVersion(v)
			view.Text = string(v.Text)
			view.Errors = items(v.Problems, definitions.SeverityError)
			return &reply{status: http.StatusOK, body: view, etag: etag(v.Revision)}, nil
		}
		known = append(known, v.Version)
	}
	return nil, noVersion(name, want, suggestion(want, known))
}
