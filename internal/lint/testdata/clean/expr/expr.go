// Package expr owns an example.
//
// Room: pure.
package expr

import "time"

// A group of constants has one comment.
const (
	One = 1
	Two = 2
)

var table = map[string]int{}

// Register fills the table; init calls it.
func Register(name string, n int) { table[name] = n }

func init() {
	Register("one", One)
	count = Two
}

var count int

// Value is an example.
type Value struct{ n int }

func (v Value) String() string { return "value" }

type hidden struct{}

func (hidden) Exported() {}

// Local writes to variables of its own, one of which has the name of a package variable.
func Local(now time.Time) int {
	table := map[string]int{}
	table["one"] = 1
	delete(table, "one")
	count, other := 1, 2
	count += other
	v := &Value{}
	v.n = count
	return v.n + int(now.Unix())
}
