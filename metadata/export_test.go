package metadata

import "github.com/weftbox/weftbox/definitions"

// CountCompilations counts the definitions that snapshots compile from here on (the check of a put itself is not among them).
func (c *Cache) CountCompilations() *int {
	n, check := new(int), c.compiler.check
	c.compiler.check = func(text []byte, env definitions.Env) (*definitions.Definition, []definitions.Problem) {
		*n++
		return check(text, env)
	}
	return n
}
