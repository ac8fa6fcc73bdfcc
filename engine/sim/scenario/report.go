package scenario

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/weftbox/weftbox/definitions"
)

// Report is what became of several files.
type Report struct {
	Files []FileReport
}

// FileReport is what became of one file: its problems, or the results of its scenarios.
type FileReport struct {
	Path     string
	Name     string
	Problems []definitions.Problem
	Results  []Result
	Took     time.Duration
}

// Find returns the scenario files of the paths, sorted: a file as it is, of a folder all *_test.yaml below it. A path without any is an
// error.
func Find(paths []string) ([]string, error) {
	var all []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			all = append(all, path)
			continue
		}
		before := len(all)
		err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && strings.HasSuffix(p, "_test.yaml") {
				all = append(all, p)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		if len(all) == before {
			return nil, fmt.Errorf("%s holds no scenario file (*_test.yaml)", path)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// RunFiles reads and runs files, each scenario on a node of its own, and calls done after each file. The error is that of a file that can
// not be read at all.
func RunFiles(paths []string, o Options, done func(FileReport)) (Report, error) {
	var r Report
	for _, path := range paths {
		begin := time.Now()
		f, problems, err := Load(path)
		if err != nil {
			return r, err
		}
		fr := FileReport{Path: path, Problems: problems}
		if f != nil {
			fr.Name, fr.Results = f.Name, f.Run(o)
		}
		fr.Took = time.Since(begin)
		r.Files = append(r.Files, fr)
		if done != nil {
			done(fr)
		}
	}
	return r, nil
}

// Failed counts the scenarios that failed, and the files that could not be understood.
func (r Report) Failed() (n int) {
	for _, f := range r.Files {
		n += f.failed()
		if len(f.Problems) > 0 {
			n++
		}
	}
	return n
}

// Ran counts the scenarios that were run.
func (r Report) Ran() (n int) {
	for _, f := range r.Files {
		n += len(f.Results)
	}
	return n
}

func (f FileReport) failed() (n int) {
	for _, r := range f.Results {
		if r.Failure != nil {
			n++
		}
	}
	return n
}

// WriteText writes one file's part of the report; verbose adds every scenario and its story. Nothing is written of a file none of whose
// scenarios was to be run.
func (f FileReport) WriteText(w io.Writer, verbose bool) {
	for _, p := range f.Problems {
		fmt.Fprintf(w, "%s:%d:%d: %s %s\n", f.Path, p.Line, p.Column, p.Code, p.Message)
		if p.Hint != "" {
			fmt.Fprintf(w, "    %s\n", p.Hint)
		}
	}
	if len(f.Problems) > 0 {
		fmt.Fprintf(w, "FAIL %s  %s\n", f.Path, count(len(f.Problems), "problem"))
		return
	}
	if len(f.Results) == 0 {
		return
	}
	for _, r := range f.Results {
		r.writeText(w, verbose)
	}
	if n := f.failed(); n > 0 {
		fmt.Fprintf(w, "FAIL %s  %d of %s failed (%.1f s)\n", f.Name, n, count(len(f.Results), "scenario"), f.Took.Seconds())
		return
	}
	fmt.Fprintf(w, "ok   %s  %s (%.1f s)\n", f.Name, count(len(f.Results), "scenario"), f.Took.Seconds())
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func (r Result) writeText(w io.Writer, verbose bool) {
	switch {
	case r.Failure != nil:
		fmt.Fprintf(w, "--- FAIL %s\n", r.Name)
		fmt.Fprintf(w, "%s:%d:%d: %s\n", r.File, r.Failure.Line, r.Failure.Column, r.Failure.Step)
		for _, m := range r.Failure.Messages {
			fmt.Fprintf(w, "    %s\n", m)
		}
	case verbose:
		fmt.Fprintf(w, "--- ok   %s (%.2f s)\n", r.Name, r.Took.Seconds())
	default:
		return
	}
	if len(r.Story) == 0 {
		return
	}
	fmt.Fprintln(w, "  what happened:")
	for _, line := range r.Story {
		fmt.Fprintf(w, "    %s\n", line)
	}
}

type jsonFile struct {
	Path      string                `json:"path"`
	Problems  []definitions.Problem `json:"problems,omitempty"`
	Scenarios []jsonScenario        `json:"scenarios"`
}

type jsonScenario struct {
	Name    string       `json:"name"`
	Line    int          `json:"line"`
	OK      bool         `json:"ok"`
	Failure *jsonFailure `json:"failure,omitempty"`
	Story   []string     `json:"story,omitempty"`
	TookMs  int64        `json:"took_ms"`
}

type jsonFailure struct {
	Line     int      `json:"line"`
	Column   int      `json:"column"`
	Step     string   `json:"step"`
	Messages []string `json:"messages"`
}

// WriteJSON writes the report as one object: {"ok":…,"scenarios":n,"failed":n,"files":[…]}. Stories come with failures, verbose with all.
func (r Report) WriteJSON(w io.Writer, verbose bool) error {
	out := struct {
		OK        bool       `json:"ok"`
		Scenarios int        `json:"scenarios"`
		Failed    int        `json:"failed"`
		Files     []jsonFile `json:"files"`
	}{r.Failed() == 0, r.Ran(), r.Failed(), []jsonFile{}}
	for _, f := range r.Files {
		jf := jsonFile{Path: f.Path, Problems: f.Problems, Scenarios: []jsonScenario{}}
		for _, s := range f.Results {
			js := jsonScenario{Name: s.Name, Line: s.Line, OK: s.Failure == nil, TookMs: s.Took.Milliseconds()}
			if s.Failure != nil {
				js.Failure = &jsonFailure{s.Failure.Line, s.Failure.Column, s.Failure.Step, s.Failure.Messages}
			}
			if s.Failure != nil || verbose {
				js.Story = s.Story
			}
			jf.Scenarios = append(jf.Scenarios, js)
		}
		out.Files = append(out.Files, jf)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name      string     `xml:"name,attr"`
	ClassName string     `xml:"classname,attr"`
	File      string     `xml:"file,attr"`
	Line      int        `xml:"line,attr"`
	Time      string     `xml:"time,attr"`
	Failure   *junitText `xml:"failure,omitempty"`
	Error     *junitText `xml:"error,omitempty"`
}

type junitText struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes the report in the XML form that build servers read.
func (r Report) WriteJUnit(w io.Writer) error {
	var out junitSuites
	for _, f := range r.Files {
		suite := junitSuite{Name: f.Path, Tests: len(f.Results), Failures: f.failed(), Errors: len(f.Problems), Time: fmt.Sprintf("%.3f", f.Took.Seconds())}
		for _, p := range f.Problems {
			suite.Tests++
			suite.Cases = append(suite.Cases, junitCase{Name: p.Code, ClassName: f.Path, File: f.Path, Line: p.Line, Time: "0.000", Error: &junitText{Message: p.Message, Text: p.Hint}})
		}
		for _, s := range f.Results {
			c := junitCase{Name: s.Name, ClassName: f.Name, File: f.Path, Line: s.Line, Time: fmt.Sprintf("%.3f", s.Took.Seconds())}
			if s.Failure != nil {
				c.Line = s.Failure.Line
				c.Failure = &junitText{Message: strings.Join(s.Failure.Messages, "; "), Text: strings.Join(s.Story, "\n")}
			}
			suite.Cases = append(suite.Cases, c)
		}
		out.Suites = append(out.Suites, suite)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	return errors.Join(e.Encode(out), writeNewline(w))
}

func writeNewline(w io.Writer) error {
	_, err := io.WriteString(w, "\n")
	return err
}
