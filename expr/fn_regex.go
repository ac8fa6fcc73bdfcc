package expr

var regexFunctions = []spec{
	{sig: "regex.match(pattern: regex, text: any) bool", doc: "Whether the pattern is found somewhere in the text. Patterns are RE2.", ex: `regex.match("^\d+$", "42")`, flag: pure, call: regexMatch},
	{sig: "regex.group(pattern: regex, text: any, group: int) text", doc: "The group of the first place where the pattern is found; none is an error.", ex: `regex.group("^(\w+)@", "a@b", 1)`, flag: pure, call: regexGroup},
	{sig: "regex.groupAll(pattern: regex, text: any) list", doc: "All groups of the first place where the pattern is found, the whole match first; an empty list when there is none.", ex: `regex.groupAll("(\w)-(\w)", "a-b")`, flag: pure, call: regexGroupAll},
	{sig: "regex.replaceFirst(pattern: regex, text: any, replacement: any) text", doc: "The text with the first match replaced; $1 in the replacement stands for a group.", ex: `regex.replaceFirst("a", "banana", "o")`, flag: pure, call: regexReplace(1)},
	{sig: "regex.replaceAll(pattern: regex, text: any, replacement: any) text", doc: "The text with every match replaced; $1 in the replacement stands for a group.", ex: `regex.replaceAll("a", "banana", "o")`, flag: pure, call: regexReplace(-1)},
}

// subject returns the pattern and the text of a call, and charges one pass over the text.
func subject(s *Scope, a []any) (*pattern, string, error) {
	p, err := patternArg(s, a[0])
	if err != nil {
		return nil, "", err
	}
	if a[1] == nil {
		return nil, "", failf("a text is needed, not null")
	}
	text, err := stringParam(s, a[1])
	if err != nil {
		return nil, "", err
	}
	return p, text, p.charge(s, len(text))
}

func regexMatch(s *Scope, a []any) (any, error) {
	p, text, err := subject(s, a)
	if err != nil {
		return nil, err
	}
	return p.find.MatchString(text), nil
}

func regexGroup(s *Scope, a []any) (any, error) {
	p, text, err := subject(s, a)
	if err != nil {
		return nil, err
	}
	n, err := intArg(a[2])
	if err != nil {
		return nil, err
	}
	if n < 0 || n > int64(p.find.NumSubexp()) {
		return nil, failf("the pattern has no group %d", n)
	}
	m := p.find.FindStringSubmatchIndex(text)
	if m == nil {
		return nil, failf("the pattern is not found in %s", show(text))
	}
	group := groupText(text, m, int(n))
	if group == nil {
		return nil, failf("the group %d took no part in what was found", n)
	}
	return group, nil
}

// groupText returns a group of a match, null when it took no part in it.
func groupText(text string, m []int, i int) any {
	if m[2*i] < 0 {
		return nil
	}
	return text[m[2*i]:m[2*i+1]]
}

func regexGroupAll(s *Scope, a []any) (any, error) {
	p, text, err := subject(s, a)
	if err != nil {
		return nil, err
	}
	m := p.find.FindStringSubmatchIndex(text)
	out, err := s.newList(len(m) / 2)
	for i := 0; err == nil && i < len(m)/2; i++ {
		out = append(out, groupText(text, m, i))
	}
	return out, err
}

func regexReplace(most int) callFunc {
	return func(s *Scope, a []any) (any, error) {
		p, text, err := subject(s, a)
		if err != nil {
			return nil, err
		}
		with, err := stringParam(s, a[2])
		if err != nil {
			return nil, err
		}
		return replacePattern(s, p, text, with, most)
	}
}

// findAll returns at most so many matches (-1: all) and charges them; more than a list may hold are an error.
func findAll(s *Scope, p *pattern, text string, most int) ([][]int, error) {
	each := listBase + 16*(p.find.NumSubexp()+1)
	room := int(min(s.bytes/int64(each), MaxItems))
	limit := room + 1
	if most >= 0 {
		limit = min(limit, most)
	}
	found := p.find.FindAllStringSubmatchIndex(text, limit)
	if len(found) > room {
		s.bytes = 0
		return nil, errBytes
	}
	if err := s.grow(each * len(found)); err != nil {
		return nil, err
	}
	return found, s.tick(len(found) * (1 + p.cost>>6))
}

// replacePattern replaces at most so many matches (-1: all).
func replacePattern(s *Scope, p *pattern, text, with string, most int) (any, error) {
	parts, err := javaReplacement(p.find, with)
	if err != nil {
		return nil, err
	}
	found, err := findAll(s, p, text, most)
	if err != nil {
		return nil, err
	}
	out, last := s.newText(), 0
	for _, m := range found {
		out.str(text[last:m[0]])
		for _, part := range parts {
			switch x := part.(type) {
			case string:
				out.str(x)
			case int:
				if m[2*x] >= 0 {
					out.str(text[m[2*x]:m[2*x+1]])
				}
			}
		}
		last = m[1]
		if out.over {
			break
		}
	}
	out.str(text[last:])
	return out.done(s)
}
