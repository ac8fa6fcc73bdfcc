package api

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	bushttp "github.com/weftbox/weftbox/messagebus/http"
	"github.com/weftbox/weftbox/metadata"
)

// etag names the revision of something stored, as the header ETag shows it and If-Match repeats it.
func etag(revision uint64) string { return `"` + strconv.FormatUint(revision, 10) + `"` }

// noRevision is one that nothing stored ever has.
const noRevision = metadata.AnyRevision - 1

// oneETag is what RFC 9110 calls an entity-tag, W/ in front of a weak one.
var oneETag = regexp.MustCompile("^(W/)?\"[\\x21\\x23-\\x7e\\x80-\\xff]*\"$")

// expected reads If-Match: the revision that what is to be changed must have. Without the header, and with "*", any will do. A tag that no
// answer had, and a weak one, is that of no revision: the change is refused by 412, as for one that is outdated.
func (c *call) expected() (uint64, error) {
	text := strings.TrimSpace(strings.Join(c.r.Header.Values("If-Match"), ", "))
	if text == "" || text == "*" {
		return metadata.AnyRevision, nil
	}
	if !oneETag.MatchString(text) {
		return 0, &bushttp.Problem{Status: http.StatusBadRequest, Code: "invalid_header", Title: "If-Match is not one ETag",
			Detail: "If-Match is " + quote(text) + ": send the ETag of the last answer as it was, with its quotes"}
	}
	n, err := strconv.ParseUint(strings.Trim(text, `"`), 10, 64)
	if err != nil || n >= noRevision || text != etag(n) {
		return noRevision, nil
	}
	return n, nil
}

// writing reads what requests that change or delete something have in common: If-Match and ?force.
func (c *call) writing() (expect uint64, force bool, err error) {
	if expect, err = c.expected(); err == nil {
		force, err = c.flag("force")
	}
	return expect, force, err
}

// preconditionFailed says that something was changed since the caller looked.
func preconditionFailed(kind, name string) error {
	return &bushttp.Problem{Status: http.StatusPreconditionFailed, Code: "precondition_failed", Title: "The " + kind + " was changed meanwhile",
		Detail: kind + " " + quote(name) + " has another ETag than If-Match says, and nothing was changed: read it again"}
}

// refusedChange makes a problem of why the metadata refused a change.
func refusedChange(kind string, err error) error {
	var used *metadata.InUse
	var state *metadata.InvalidState
	switch {
	case errors.As(err, &used):
		p := &bushttp.Problem{Status: http.StatusConflict, Code: "in_use", Title: "The " + kind + " is in use",
			Detail: used.Error() + ": nothing was deleted; ?force=true deletes it all the same, and what lives by it stands still until it is back"}
		return p
	case errors.As(err, &state):
		return &bushttp.Problem{Status: http.StatusConflict, Code: "invalid_status", Title: "The " + kind + " is " + state.State.String(), Detail: state.Error()}
	}
	return err
}

// removedView is the answer to a delete.
type removedView struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	Deleted bool   `json:"deleted"`
}

// removedReply answers a delete by its outcome; hint is for a name that is not there.
func (s *Server) removedReply(kind string, view removedView, hint string, outcome metadata.Outcome, err error) (*reply, error) {
	switch {
	case err != nil:
		return nil, refusedChange(kind, err)
	case outcome == metadata.Missing && view.Version != "":
		return nil, noVersion(view.Name, view.Version, hint)
	case outcome == metadata.Missing:
		return nil, notFound(kind, view.Name, hint)
	case outcome == metadata.Conflict:
		return nil, preconditionFailed(kind, view.Name)
	}
	s.o.Engine.MetadataChanged()
	view.Deleted = true
	return ok(view), nil
}

// putReply answers a put of a name: 201 with its address when it was not there, else 200; tagged with its revision.
func (s *Server) putReply(outcome metadata.Outcome, path, name string, revision uint64, view any) *reply {
	s.o.Engine.MetadataChanged()
	rep := created(outcome, path+url.PathEscape(name), view)
	rep.etag = etag(revision)
	return rep
}
