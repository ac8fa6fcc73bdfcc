package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weftbox/weftbox/definitions"
)

// languages are those in which problems are told.
var languages = []string{"en", "zh"}

func newLintCommand() *cobra.Command {
	var l linter
	c := &cobra.Command{
		Use:   "lint PATH…",
		Short: "Check definitions without a node: every problem with its line and column, errors and what is hardly meant",
		Long: `Check definitions without a node: every problem with its line and column, errors and what is hardly meant.

A path is a definition or a folder, of which all definitions are checked: YAML files with the top key "activity". The strategies and services
of a weftbox.yaml beside a file are known to it; --strategy and --service name more, and --server asks a node for its own.
Exit code 0: no error; 1: errors, with --strict also warnings; 2: a path that cannot be read (the others are checked all the same); 3: the
server does not answer. With --format json stdout has the report in each of these cases; what could not be read stands under "failures".`,
		Example: "  weftbox lint examples/coupon\n  weftbox lint --fix --strategy user_id --service push flow.yaml\n  weftbox lint --format json --lang zh flows",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, paths []string) error {
			return l.run(c, paths)
		},
	}
	f := c.Flags()
	f.StringVar(&l.format, "format", "text", "form of the report: text or json")
	f.StringVar(&l.lang, "lang", "en", "language of the messages: en or zh")
	f.BoolVar(&l.strict, "strict", false, "fail on warnings, too")
	f.BoolVar(&l.fix, "fix", false, "write quotes around the values that YAML cannot read without them (WB2001)")
	f.StringArrayVar(&l.services, "service", nil, "a service that is registered; may be repeated")
	f.StringArrayVar(&l.strategies, "strategy", nil, "a strategy that exists; may be repeated")
	return c
}

// linter is one run of lint.
type linter struct {
	format, lang string
	strict, fix  bool
	services     []string
	strategies   []string

	known surroundings // what the flags and the server say
}

// finding is a problem and the file it is in. Its JSON is that of the report.
type finding struct {
	File      string               `json:"file"`
	Code      string               `json:"code"`
	Severity  definitions.Severity `json:"severity"`
	Path      string               `json:"path"`
	Line      int                  `json:"line"`
	Column    int                  `json:"column"`
	EndColumn int                  `json:"end_column"`
	Message   string               `json:"message"`
	Hint      string               `json:"hint"`
}

// findings are what was found in how many files.
type findings struct {
	Problems []finding `json:"problems"`
	Failures []unread  `json:"failures,omitempty"`

	files, errors int
	sources       map[string][]string // lines, by file
	unknown       bool                // a name was unknown where no names were known at all
	failed        []*failure          // those of Failures
}

// unread is what could not be looked at. Its JSON is that of the report.
type unread struct {
	Path  string `json:"path"` // of a file or folder, or the URL of the server
	Error string `json:"error"`
}

// fail notes that something could not be looked at.
func (r *findings) fail(path string, err error) {
	f := &failure{code: exitFailed, text: err.Error()}
	errors.As(err, &f)
	r.failed = append(r.failed, f)
	r.Failures = append(r.Failures, unread{Path: path, Error: f.text})
}

// failure returns what could not be looked at as one error, nil if there is nothing.
func (r *findings) failure() error {
	if len(r.failed) == 0 {
		return nil
	}
	all := *r.failed[0]
	for _, f := range r.failed[1:] {
		all.text += "\nerror: " + f.text
	}
	return &all
}

func (l *linter) run(c *cobra.Command, paths []string) error {
	if !slices.Contains([]string{"text", "json"}, l.format) {
		return fail(exitUsage, "", "there is no format %q: choose text or json", l.format)
	}
	if !slices.Contains(languages, l.lang) {
		return fail(exitUsage, "", "there is no language %q: choose %s", l.lang, strings.Join(languages, " or "))
	}
	r := findings{Problems: []finding{}, sources: map[string][]string{}}
	var files []string
	for _, path := range paths {
		found, err := definitionFiles([]string{path})
		if err != nil {
			r.fail(path, err)
		}
		files = append(files, found...)
	}
	var err error
	if l.known, err = l.given(c); err != nil {
		server, _ := c.Flags().GetString("server")
		r.fail(server, err)
		files = nil // what they name would be unknown
	}
	slices.Sort(files)
	besides, broken := map[string]surroundings{}, map[string]bool{}
	for _, file := range slices.Compact(files) {
		dir := filepath.Dir(file)
		beside, read := besides[dir]
		if !read {
			if beside, err = l.beside(dir, &r); err != nil {
				r.fail(dir, err)
				broken[dir] = true
			}
			besides[dir] = beside
		}
		if broken[dir] {
			continue // what its weftbox.yaml names would be unknown
		}
		if base := filepath.Base(file); base == "weftbox.yaml" || base == "weftbox.yml" {
			r.files++
			continue
		}
		if err := l.file(c, file, beside, &r); err != nil {
			r.fail(file, err)
		}
	}
	return l.tell(c, &r)
}

// file checks one definition, and mends it first if asked to.
func (l *linter) file(c *cobra.Command, file string, beside surroundings, r *findings) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fail(exitUsage, "", "%v", err)
	}
	r.files++
	if l.fix {
		fixed, places := definitions.Mend(text)
		if len(places) > 0 {
			if err := rewrite(file, fixed); err != nil {
				return err
			}
			text = fixed
			fmt.Fprintf(c.ErrOrStderr(), "%s: %s\n", file, counted(len(places), "value", "quoted"))
		}
	}
	env := l.known.with(beside).env()
	_, problems := definitions.Check(text, env)
	r.add(file, text, problems, l.lang)
	for _, p := range problems {
		r.unknown = r.unknown || p.Code == "WB1202" && len(env.Strategies) == 0 || (p.Code == "WB1201" || p.Code == "WB1204") && len(env.Services) == 0
	}
	return nil
}

func (r *findings) add(file string, text []byte, problems []definitions.Problem, lang string) {
	if len(problems) > 0 {
		r.sources[file] = sourceLines(string(text))
	}
	for _, p := range problems {
		if p.Severity == definitions.SeverityError {
			r.errors++
		}
		f := finding{File: file, Code: p.Code, Severity: p.Severity, Path: p.Path, Line: p.Line, Column: p.Column, EndColumn: p.EndColumn, Message: p.Message, Hint: p.Hint}
		if lang == "zh" && p.MessageZh != "" {
			f.Message, f.Hint = p.MessageZh, p.HintZh
		}
		r.Problems = append(r.Problems, f)
	}
}

// tell prints the report and chooses the exit code.
func (l *linter) tell(c *cobra.Command, r *findings) error {
	out := newOutput(c)
	bad := r.errors > 0 || l.strict && len(r.Problems) > 0
	if l.format == "json" {
		if err := (output{to: out.to}).value(r); err != nil {
			return err
		}
	} else if r.files > 0 {
		if err := l.text(out, r, bad); err != nil {
			return err
		}
	}
	if err := r.failure(); err != nil {
		return err
	}
	if bad {
		return &failure{code: exitFailed}
	}
	return nil
}

// definitionFiles lists the definitions that paths name: a file itself, of a folder those with the top key "activity".
func definitionFiles(paths []string) ([]string, error) {
	var files []string
	for _, root := range paths {
		info, err := os.Stat(root)
		if err != nil {
			return nil, fail(exitUsage, "", "%v", err)
		}
		if !info.IsDir() {
			files = append(files, root)
			continue
		}
		before := len(files)
		folder := root + string(filepath.Separator) // a link to a folder is followed
		err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.IsDir() && path != folder && strings.HasPrefix(entry.Name(), ".") {
				return fs.SkipDir
			}
			if ext := filepath.Ext(path); entry.IsDir() || ext != ".yaml" && ext != ".yml" {
				return nil
			}
			text, err := os.ReadFile(path)
			if err == nil && topActivity.Match(text) {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			return nil, fail(exitUsage, "", "%v", err)
		}
		if len(files) == before {
			return nil, fail(exitUsage, "", `%s holds no definition: no YAML file in it has the top key "activity"`, root)
		}
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

// rewrite replaces a file by another text, all at once, and keeps its mode.
func rewrite(file string, text []byte) error {
	info, err := os.Stat(file)
	if err != nil {
		return fail(exitUsage, "", "%v", err)
	}
	if file, err = filepath.EvalSymlinks(file); err != nil {
		return fail(exitUsage, "", "%v", err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(file), ".weftbox-*")
	if err != nil {
		return fail(exitFailed, "", "%v", err)
	}
	_, err = temporary.Write(text)
	err = errors.Join(err, temporary.Chmod(info.Mode().Perm()), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), file)
	}
	if err != nil {
		os.Remove(temporary.Name())
		return fail(exitFailed, "", "%s could not be written: %v", file, err)
	}
	return nil
}
