// Package slots owns an example.
//
// Room: pure.
package slots

var (
	count int
	cache = map[string]int{}
	last  struct{ n [2]int }
	list  []int
	held  *int
)

func init() { count = 1 }

func remember(name string) {
	count++
	count = 2
	cache[name] = 3
	last.n[0] += 4
	delete(cache, name)
	clear(cache)
	copy(list[1:], list)
	*held = 5
	for count = range list {
	}
	held = &count
	other = 6
	func() { (count) = 7 }()
}

func fine(count int) {
	count = 1
	cache := map[string]int{}
	cache["a"] = count
	if other := 1; other > 0 {
		other = 2
	}
}
