package expr

// SiteKind is what a Site looks at outside its arguments.
type SiteKind uint8

// The kinds of Site.
const (
	SitePlain  SiteKind = iota // nothing, or something of the thread other than its variables
	SiteEvent                  // the event in hand
	SiteConfig                 // the config of the activity
	SiteVar                    // one variable of the thread
	SiteResult                 // the result of the action
	SiteRandom                 // a draw
)

// Site is one place in a source that calls a function or reads a property, so that a definition can check what is looked at.
type Site struct {
	Name       string // as Function.QualifiedName: "eventAttr", "list.add"
	Kind       SiteKind
	Args       int  // how many arguments
	First      any  // the first argument, where Known
	Known      bool // the first argument is the same every time
	Strict     bool // what is looked for and missing is an error: there is no default
	Always     bool // it is evaluated whenever the expression is, unless an error comes first
	Guarded    bool // SiteVar, Strict: it is evaluated only where the variable is there, as a condition before it looks
	Start, End int  // of the first argument where Known, of the name otherwise; in runes
}

// Sites returns the functions that the source calls and the properties that it reads, arguments before the call that takes them. Methods of values
// and signs are not among them. The list is shared: nobody writes into it.
func (p *Program) Sites() []Site { return p.sites }

// site notes the call of a function of the registry.
func (l *lowerer) site(at *node, key string, f *Function, kids []*node, args []lowered) {
	s := Site{Name: f.QualifiedName(), Kind: kindOf(key, f), Args: len(args), Always: l.maybe == 0, Start: at.start, End: at.end}
	if len(args) > 0 && args[0].known {
		s.First, s.Known, s.Start, s.End = args[0].val, true, kids[0].start, kids[0].end
	}
	s.Strict = strictReads[key] && len(args) == 1
	if name, isText := s.First.(string); isText && s.Strict && s.Kind == SiteVar {
		s.Guarded = l.guarded(name)
	}
	l.sites = append(l.sites, s)
}

// strictReads are the functions of one name that fail where it is missing.
var strictReads = map[string]bool{"eventAttr": true, "config": true, "var": true, "$": true, "resultVar": true}

// draws are the functions whose answer is a matter of chance.
var draws = map[string]bool{"random": true, "randInt": true, "randomBoolean": true, "list.randomChoice": true, "list.shuffle": true}

func kindOf(key string, f *Function) SiteKind {
	switch {
	case draws[key]:
		return SiteRandom
	case f.contexts == inEvent:
		return SiteEvent
	case f.contexts == inConfig:
		return SiteConfig
	case f.contexts == inResult:
		return SiteResult
	case f.contexts == inThread && f.Namespace == "" && !f.Property && f.Signatures[0].Params != nil && f.Signatures[0].Params[0].Name == "name":
		return SiteVar
	}
	return SitePlain
}
