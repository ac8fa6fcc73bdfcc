package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/weftbox/weftbox/expr"
)

func newExprFunctionsCommand() *cobra.Command {
	var lang string
	c := &cobra.Command{
		Use:   "functions [NAME]",
		Short: "List the functions, methods and properties of the language, or explain one",
		Long: `List every function, method and property of the language. NAME explains those of that name: eventAttr, list.add, .startsWith; a part of
a name that ends with a dot, such as list., lists a namespace.`,
		Example: "  weftbox expr functions\n  weftbox expr functions list.add\n  weftbox expr functions --lang zh dateTime",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if lang != "en" && lang != "zh" {
				return fail(exitUsage, c.CommandPath()+" --help", "--lang %s: write en or zh", lang)
			}
			name := ""
			if len(args) == 1 {
				name = strings.TrimSuffix(args[0], "()")
			}
			return printFunctions(c, name, lang)
		},
	}
	c.Flags().StringVar(&lang, "lang", "en", "language of the explanations: en or zh")
	return c
}

// functionRow is an entry of the registry as JSON.
type functionRow struct {
	Name       string   `json:"name"`
	Kind       string   `json:"kind"` // function, method or property
	Signatures []string `json:"signatures"`
	Contexts   []string `json:"contexts"`
	Doc        string   `json:"doc"`
	Example    string   `json:"example"`
	Result     string   `json:"result"`
}

func rowOf(f *expr.Function, lang string) functionRow {
	row := functionRow{Name: f.QualifiedName(), Kind: "function", Doc: f.Doc, Example: f.Example, Result: f.ExampleResult()}
	if lang == "zh" {
		row.Doc = f.DocZh
	}
	switch {
	case f.Method:
		row.Name, row.Kind = f.Namespace+"."+f.Name, "method"
	case f.Property:
		row.Kind = "property"
	}
	for _, sig := range f.Signatures {
		row.Signatures = append(row.Signatures, sig.Text)
	}
	for _, ctx := range f.Contexts {
		row.Contexts = append(row.Contexts, ctx.String())
	}
	return row
}

func printFunctions(c *cobra.Command, name, lang string) error {
	var rows []functionRow
	exact := false
	for _, f := range expr.Functions() {
		full := f.QualifiedName()
		if f.Method {
			full = f.Namespace + full
		}
		switch {
		case name == "" || strings.HasSuffix(name, ".") && strings.HasPrefix(full, name):
		case name == full || name == f.QualifiedName() || name == f.Name:
			exact = true
		default:
			continue
		}
		rows = append(rows, rowOf(f, lang))
	}
	if len(rows) == 0 {
		return fail(exitNotFound, c.CommandPath(), "there is no function %s%s", name, meantFunction(name))
	}
	out := newOutput(c)
	if out.json {
		for _, row := range rows {
			if err := out.value(row); err != nil {
				return err
			}
		}
		return nil
	}
	if exact {
		return explainFunctions(out, rows)
	}
	table := [][]string{{"NAME", "RESULT", "CONTEXTS", "WHAT"}}
	for _, row := range rows {
		sig := row.Signatures[0]
		table = append(table, []string{row.Name, sig[strings.LastIndexAny(sig, " ")+1:], strings.Join(row.Contexts, " "), cell(row.Doc, 100)})
	}
	return out.table(table)
}

func meantFunction(name string) string {
	var names []string
	for _, f := range expr.Functions() {
		names = append(names, f.QualifiedName(), f.Name)
	}
	if best := expr.Nearest(name, names); best != "" {
		return "; did you mean " + best + "?"
	}
	return ""
}

func explainFunctions(out output, rows []functionRow) error {
	for _, row := range rows {
		for _, sig := range row.Signatures {
			if err := out.line("%s", sig); err != nil {
				return err
			}
		}
		if err := out.line("    %s\n    %s  =>  %s\n    in: %s\n", row.Doc, row.Example, row.Result, strings.Join(row.Contexts, ", ")); err != nil {
			return err
		}
	}
	return nil
}
