package definitions

import (
	"strings"

	"github.com/weftbox/weftbox/expr"
)

// Code is one kind of Problem: its number, what it means, and what to do about it.
type Code struct {
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	Text     string   `json:"text"`
	Fix      string   `json:"fix,omitempty"`
	TextZh   string   `json:"text_zh,omitempty"`
	FixZh    string   `json:"fix_zh,omitempty"`
	Example  string   `json:"example,omitempty"` // a part of a definition, or an expression, that has the problem
	Better   string   `json:"better,omitempty"`  // the same without it
}

// ownCode is one entry of the table below.
type ownCode struct {
	code      string
	severity  Severity
	text, fix string
}

// Codes returns every code that a Problem may carry, those of the expression language among them, in ascending order.
// WB10 is YAML, WB11 structure, WB12 references, WB13 to WB15 the language, WB20 YAML warnings, WB21 flow warnings, WB25
// warnings of the language.
func Codes() []Code {
	out := make([]Code, 0, len(ownCodes)+len(expr.Codes))
	rest := expr.Codes
	for _, c := range ownCodes {
		for len(rest) > 0 && rest[0].Code < c.code {
			out = append(out, ofExpr(rest[0]))
			rest = rest[1:]
		}
		out = append(out, Code{Code: c.code, Severity: c.severity, Text: c.text, Fix: c.fix})
	}
	for _, c := range rest {
		out = append(out, ofExpr(c))
	}
	for i := range out {
		more := chineseCodes[out[i].Code]
		out[i].TextZh, out[i].FixZh = more.text, more.fix
		shown := examples[out[i].Code]
		out[i].Example, out[i].Better = shown.example, shown.better
	}
	return out
}

func ofExpr(c expr.Code) Code {
	out := Code{Code: c.Code, Severity: SeverityError, Text: c.Text}
	if strings.HasPrefix(c.Code, "WB2") {
		out.Severity = SeverityWarning
	}
	return out
}

// Explain returns the meaning of a code, in any case of letters.
func Explain(code string) (Code, bool) {
	for _, c := range Codes() {
		if strings.EqualFold(c.Code, code) {
			return c, true
		}
	}
	return Code{}, false
}

// ownCodes are the codes of this package, in ascending order.
var ownCodes = []ownCode{
	{"WB1001", SeverityError, "The text is not valid YAML at this place.", "Most often a value needs quotes, or a line another indentation."},
	{"WB1002", SeverityError, "The text holds no definition.", `Begin with "activity:".`},
	{"WB1003", SeverityError, "The text is longer than 256 KiB.", "Split it into several definitions."},
	{"WB1004", SeverityError, "The text holds bytes that are not UTF-8.", "Save the file as UTF-8."},
	{"WB1005", SeverityError, "The text holds an invisible control character, or a line separator that editors do not count as a line.", "Delete it, or write it as an escape in double quotes."},
	{"WB1006", SeverityError, "A key stands twice in one map; one of the values would be lost.", "Delete or rename one of them."},
	{"WB1007", SeverityError, "A definition is one YAML document.", `Delete "---", or move the rest to a file of its own.`},
	{"WB1008", SeverityError, `Merge keys ("<<") are not supported.`, "Write the keys out."},
	{"WB1009", SeverityError, "Tags other than those of YAML's simple types are not supported.", "Delete the tag."},
	{"WB1010", SeverityError, "Lists and maps are nested more than 32 deep.", "Make the definition flatter."},
	{"WB1011", SeverityError, "The definition has more than 20,000 values, counted with all aliases written out.", "Split it, or use fewer aliases."},
	{"WB1012", SeverityError, "A map has more than 1,000 keys.", "Split the map."},
	{"WB1013", SeverityError, "A value is longer than 64 KiB.", "Move the data to where the events come from."},
	{"WB1014", SeverityError, "A key is a list, a map or empty.", "Use a text, a number or a boolean."},
	{"WB1015", SeverityError, "An alias repeats the value it stands in.", "Write the value out."},
	{"WB1016", SeverityError, "Too many unquoted values hold \" ? \" before \" : \"; only 50 are read as if they were quoted.", "Put the values in single quotes."},
	{"WB1017", SeverityError, "A number does not fit into 64 bits, or a tag does not fit its text.", "Put it in quotes to keep it as text."},

	{"WB1101", SeverityError, "A key that is not known here.", "Correct its name or its indentation; the hint lists what is known."},
	{"WB1102", SeverityError, "A key that must be there is missing.", "Add it."},
	{"WB1103", SeverityError, "A value has another shape than the grammar wants: map, list, text or expression.", "Write it as the hint says."},
	{"WB1104", SeverityError, "A value is empty where an expression is needed.", "Write an expression; 'null' in quotes is the value null."},
	{"WB1105", SeverityError, "A list is empty where it must have entries.", "Add an entry or delete the key."},
	{"WB1106", SeverityError, "A name has a form that is not allowed.", "Use letters, digits and _, in parts joined by dots; no part begins with a digit."},
	{"WB1107", SeverityError, "Two actions have the same name.", "Rename one of them."},
	{"WB1108", SeverityError, "A clause has no head: when, after or default.", "Add it; without one the clause would never be taken."},
	{"WB1109", SeverityError, "A clause has several heads.", `Begin each clause with "- ".`},
	{"WB1110", SeverityError, "A default carries its control itself and has no then.", `Write "default: <control>".`},
	{"WB1111", SeverityError, "A list of clauses has two defaults.", "Keep one of them."},
	{"WB1112", SeverityError, "An entry of compute sets several variables, or none; their order would be unknown.", `Begin each variable with "- ".`},
	{"WB1113", SeverityError, "await is neither true nor false.", "Write true or false without quotes."},
	{"WB1114", SeverityError, "A trigger type that does not exist.", `Write "type: event".`},
	{"WB1115", SeverityError, `A config item that begins with "$" is a setting of the engine, and there is none of this name.`, "Correct the name; items of your own do not begin with $."},
	{"WB1116", SeverityError, "A setting has a value that it cannot have.", "Write it as the hint says."},
	{"WB1117", SeverityError, "A date without quotes stands where an expression is needed; as an expression it would be a subtraction.", `Write '"2024-01-01"' for the text.`},
	{"WB1118", SeverityError, "await: false stands on an action that waits for nothing.", "Delete the key."},
	{"WB1119", SeverityError, "An expression always has the same value, and it is of a kind that cannot be used here.", "A condition must be true or false, a then a control such as call(\"action\"), an after a number of milliseconds."},

	{"WB1120", SeverityError, "A variable gets a name that begins with $; those are the engine's.", "Give it another name."},
	{"WB1121", SeverityError, "A default does not stand last in its list of clauses. It is taken when no other clause is, wherever it stands, and is to be read so.", "Move it to the end."},
	{"WB1130", SeverityError, "A key stands twice under two of its spellings.", "Keep one of them."},
	{"WB1131", SeverityError, "An action that is run beside others waits for something that only one action can wait for.", "Name actions of services, sleep or clock."},

	{"WB1201", SeverityError, "There is no action type and no registered service of this name.", "Correct the name, or register the service."},
	{"WB1202", SeverityError, "There is no domain id strategy of this name.", "Correct the name, or add the strategy."},
	{"WB1203", SeverityError, "A call leads to an action that the definition does not have.", "Correct the name, or add the action."},
	{"WB1204", SeverityError, "A monitor, or a send, names a service that is not registered.", "Correct the name, or register the service."},

	{"WB1205", SeverityError, "A variable is read that nothing in the definition sets, without a default: the thread would fail here.", "Correct the name, set the variable in context_vars, or give a default. Only a foreach sets names that begin with $: $NAME.ele and $NAME.idx, where NAME is its own name."},
	{"WB1206", SeverityError, "The name of an action stands without quotes.", "Put it in quotes: call(\"wait\")."},

	{"WB2001", SeverityWarning, `A plain value holds " ? " before " : ", which YAML does not allow. It is read as if it stood in quotes.`, "Put the value in single quotes."},
	{"WB2002", SeverityWarning, `A list entry "a ? b : c" without quotes is a map with the key "a ? b" to YAML.`, "Put the whole value in single quotes if a conditional is meant."},
	{"WB2003", SeverityWarning, "A plain value that YAML 1.1 reads in another way than YAML 1.2, and so than this program: yes and no, 017, 1:30, dates.", "Write true or false for Booleans; quote what is text."},
	{"WB2004", SeverityWarning, "A comment \"# lint: ok\" silences nothing, or gives no reason.", "Delete it, or write the code and a reason: # lint: ok WB2101 devices never leave."},

	{"WB2101", SeverityWarning, "A receive has no after, or a concurrent that starts a service without a timeout: threads may wait there for ever.", `Add "- after: days(10)" with "then: finish()".`},
	{"WB2102", SeverityWarning, "No call leads to this action.", "Call it, or delete it."},
	{"WB2103", SeverityWarning, "A service is awaited without a timeout: if it never answers, threads wait for ever.", `Add "timeout: minutes(1)" to its args.`},
	{codeTriggerUnindexed, SeverityWarning, "A trigger requires neither a type nor an attribute of the event, so that every event of its strategy is tried against it. A part that fails where an attribute is missing (eventAttr without a default) requires nothing, as its error must be told.", `Begin it with eventTypeIs("…") AND, or with containsAttr("…") AND.`},
	{codeStrategyUnindexed, SeverityWarning, "The condition of a strategy requires neither a type nor an attribute of the event, so that every event is tried against it.", `Begin it with eventTypeIs("…") AND, or with containsAttr("…") AND.`},
	{"WB2106", SeverityWarning, "From this action on no way leads to an end: threads live until somebody kills them.", "Add a clause that ends with finish(), fail() or failBecause(…)."},
	{"WB2107", SeverityWarning, "A clause that is never taken, because one before it takes all that it could.", "Delete it, or put it before the other."},
	{"WB2108", SeverityWarning, "A condition that is never true.", "Correct it, or delete the clause."},
	{"WB2109", SeverityWarning, "A round of actions that none leaves and in which none waits: threads would run for ever, a turn after the other.", "Put a receive or a sleep into the round, or a way out of it."},
	{"WB2110", SeverityWarning, "An event is awaited whose type the definition's strategy does not let through: it never comes.", "Let the strategy's condition take this type too, or correct the type."},
	{"WB2111", SeverityWarning, "A variable is read that is not set on every way to here: a thread that comes without it fails.", "Set it on every way, or give a default: var(\"x\", 0)."},
	{"WB2112", SeverityWarning, "A variable is read, with a default or where a condition before has found it, that nothing in the definition sets: the default is always taken, what depends on it never done.", "Correct the name, or set the variable in context_vars."},
	{"WB2113", SeverityWarning, "A ctrl looks at the result of a service that is called with await: false; nothing is waited for, so the result is always ok and empty.", "Delete await: false, or the condition."},
	{"WB2114", SeverityWarning, "Something is tried again at once and without a sensible limit; a retry has no pause.", "Write retry(3, …), or go over a sleep."},
	{"WB2115", SeverityWarning, "Chance decides in a trigger. It is drawn anew for each event, so whoever is left out is drawn again with the next.", "Decide once, in a case behind the trigger, or by the domain id."},
	{"WB2116", SeverityWarning, "A sum of money is read as a binary fraction, in which 0.1 has no exact form.", "Use the getter for decimals."},
	{"WB2117", SeverityWarning, "A constant of more than 4 KiB is put into a variable: each thread carries it.", "Keep it in config."},
	{"WB2118", SeverityWarning, "A config value is read, without a default, that the definition's config does not have. Only activities that add it can run.", "Correct the name, add it to config, or give a default."},
	{"WB2119", SeverityWarning, "An action has no ctrl, and nothing else says where threads go from it: they fail with no_ctrl.", "Add \"ctrl: call(…)\" or \"ctrl: finish()\"."},
	{"WB2120", SeverityWarning, "A then reads a variable that its own clause sets. It sees the value from before.", "Write the new value in then, too, or decide in a case behind this action."},
}
