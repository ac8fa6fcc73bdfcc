package expr

import (
	"sort"
	"strings"

	"github.com/expr-lang/expr/builtin"
)

// contextSet is a set of Contexts, one bit each.
type contextSet uint8

const (
	inAll    contextSet = 1<<ContextStrategy | 1<<ContextTrigger | 1<<ContextAction | 1<<ContextCtrl
	inEvent  contextSet = 1<<ContextStrategy | 1<<ContextTrigger | 1<<ContextAction
	inConfig contextSet = 1<<ContextTrigger | 1<<ContextAction | 1<<ContextCtrl
	inThread contextSet = 1<<ContextAction | 1<<ContextCtrl
	inResult contextSet = 1 << ContextCtrl
	inBirth  contextSet = 1 << ContextTrigger
)

func (c contextSet) has(ctx Context) bool { return c&(1<<ctx) != 0 }

// Param is one parameter of a Function.
type Param struct {
	Name     string
	Type     string // any text string int number bool list map regex control datePattern format dateTime localDate localTime; with ? behind it null is welcome too
	Optional bool
	Variadic bool // may be given any number of times, none included
}

// Signature is one way to call a Function.
type Signature struct {
	Text   string // as documentation prints it: "list.get(list: list?, index: int, [default: any]) any"
	Params []Param
	Result string // the type of the answer, with ? where it may be null
}

// Function is one entry of the language: a function, a method, or a property read without parentheses.
type Function struct {
	Name       string // without the namespace: "add"
	Namespace  string // "list", "event", ...; "" for plain functions; for methods the receiver's type: "string", "list", "map", "number", "bool", "dateTime", "localDate", "localTime"
	Method     bool   // called on a value: value.name(..)
	Property   bool   // read without parentheses
	Contexts   []Context
	Signatures []Signature
	Doc        string
	DocZh      string // the same in Chinese
	Example    string

	contexts contextSet
	pure     bool // the same arguments give the same answer in every Scope
	call     callFunc
	check    func(a []any) error // may be nil
}

// callFunc computes a function. The arguments are only good during the call: a list that is kept is copied.
type callFunc func(s *Scope, a []any) (any, error)

// QualifiedName is the name as it is written: "eventAttr", "list.add"; for a method ".startsWith".
func (f *Function) QualifiedName() string {
	switch {
	case f.Method:
		return "." + f.Name
	case f.Namespace != "":
		return f.Namespace + "." + f.Name
	}
	return f.Name
}

// spec is how the tables of functions write an entry: one or more signatures, joined by " | ", then what they mean.
type spec struct {
	sig  string
	doc  string
	zh   string // the doc in Chinese
	ex   string
	ctx  contextSet // 0: inAll
	flag flags
	call callFunc
	// check looks at the arguments at post time when all are constants; its error is a problem.
	check func(a []any) error
}

type flags uint8

const (
	pure     flags = 1 << iota
	isMethod       // the namespace is the type of the receiver
)

var (
	registry  = map[string]*Function{} // by QualifiedName; methods by ".type.name", plain properties by "#name"
	methods   = map[string][]*Function{}
	spaces    = map[string]bool{} // the namespaces and objects
	compiled  = map[string]*builtin.Function{}
	listing   []*Function
	operators = map[string]*operator{}
)

// operator is an internal function that a sign of the language is compiled to.
type operator struct {
	name string
	pure bool
	typ  string
	call callFunc
}

func init() {
	for _, table := range [][]spec{
		commonFunctions, randomFunctions, dateFunctions, controlFunctions, eventFunctions, stateFunctions, resultFunctions, objectFunctions, threadObjects(),
		listFunctions, mapFunctions, counterFunctions, regexFunctions, mathFunctions, accessorFunctions(),
		stringMethods, moreStringMethods, listMethods, mapMethods, otherMethods, moreNumberMethods, dateMethods(),
	} {
		for _, sp := range table {
			register(sp)
		}
	}
	for _, sp := range gettersOf(objectFunctions, threadObjects()) {
		register(sp)
	}
	for _, op := range operatorTable {
		operators[op.name] = &op
		compiled["$"+op.name] = compiledOperator(&op)
	}
	for name := range methods {
		compiled["."+name] = compiledMethod(name)
	}
	sort.SliceStable(listing, func(i, j int) bool { return listing[i].QualifiedName() < listing[j].QualifiedName() })
}

func register(sp spec) {
	f := &Function{Doc: sp.doc, DocZh: sp.zh, Example: sp.ex, check: sp.check, contexts: sp.ctx, pure: sp.flag&pure != 0, Method: sp.flag&isMethod != 0, call: sp.call}
	if f.DocZh == "" {
		f.DocZh = docZh(f.Doc)
	}
	if f.contexts == 0 {
		f.contexts = inAll
	}
	for c := ContextStrategy; c <= ContextCtrl; c++ {
		if f.contexts.has(c) {
			f.Contexts = append(f.Contexts, c)
		}
	}
	for _, text := range strings.Split(sp.sig, " | ") {
		name, property, sig := parseSignature(text)
		f.Namespace, f.Name = "", name
		if i := strings.IndexByte(name, '.'); i >= 0 {
			f.Namespace, f.Name = name[:i], name[i+1:]
		}
		f.Property = property
		f.Signatures = append(f.Signatures, sig)
	}
	key := f.Name
	if f.Namespace != "" {
		key = f.Namespace + "." + f.Name
	}
	switch {
	case f.Method:
		key = "." + key
	case f.Property && f.Namespace == "": // all is a constant and a function
		key = "#" + key
	}
	if registry[key] != nil {
		panic("expr: registered twice: " + key)
	}
	registry[key] = f
	listing = append(listing, f)
	switch {
	case f.Method:
		methods[f.Name] = append(methods[f.Name], f)
		return
	case f.Namespace != "":
		spaces[f.Namespace] = true
	}
	compiled[key] = compiledFunction(key, f)
}

// parseSignature reads "ns.name(a: type, [b: type], c...: type) result" and, for a property, "ns.name: type".
func parseSignature(text string) (name string, property bool, sig Signature) {
	sig.Text = text
	open := strings.IndexByte(text, '(')
	if open < 0 {
		name, sig.Result, _ = strings.Cut(text, ": ")
		return name, true, sig
	}
	end := strings.LastIndexByte(text, ')')
	name, sig.Result = text[:open], strings.TrimSpace(text[end+1:])
	for _, part := range strings.Split(text[open+1:end], ", ") {
		if part == "" {
			continue
		}
		p := Param{}
		if strings.HasPrefix(part, "[") {
			p.Optional = true
			part = strings.Trim(part, "[]")
		}
		p.Name, p.Type, _ = strings.Cut(part, ": ")
		if strings.HasSuffix(p.Name, "...") {
			p.Name, p.Variadic = strings.TrimSuffix(p.Name, "..."), true
		}
		sig.Params = append(sig.Params, p)
	}
	return name, false, sig
}

// accepts tells whether n arguments fit.
func (sig *Signature) accepts(n int) bool {
	least, most := 0, len(sig.Params)
	for _, p := range sig.Params {
		switch {
		case p.Variadic:
			most = 1 << 30
		case !p.Optional:
			least++
		}
	}
	return n >= least && n <= most
}

// param returns the parameter that argument i is given to.
func (sig *Signature) param(i int) Param {
	if i >= len(sig.Params) {
		return sig.Params[len(sig.Params)-1]
	}
	return sig.Params[i]
}

// signature returns the signature that n arguments fit, nil when there is none.
func (f *Function) signature(n int) *Signature {
	for i := range f.Signatures {
		if f.Signatures[i].accepts(n) {
			return &f.Signatures[i]
		}
	}
	return nil
}

// Functions returns every function, method and property of the language, by name, for documentation and tools. The entries are
// shared: nobody writes into them.
func Functions() []*Function { return listing }

// counts says how many arguments a function takes, by its signatures.
func (f *Function) counts() words {
	out := say("%s", f.Signatures[0].Text)
	for _, sig := range f.Signatures[1:] {
		out = say("%s or %s", out, sig.Text)
	}
	return out
}
