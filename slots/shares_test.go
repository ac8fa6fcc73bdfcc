package slots

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSharesVectors(t *testing.T) {
	for _, c := range []struct {
		n       uint16
		weights []Weight
		want    []uint16
	}{
		{256, nil, []uint16{}},
		{256, []Weight{{1, 0}}, []uint16{0}},
		{256, []Weight{{1, 5}}, []uint16{256}},
		{256, []Weight{{1, 1}, {2, 1}, {3, 1}}, []uint16{86, 85, 85}},
		{256, []Weight{{3, 1}, {2, 1}, {1, 1}}, []uint16{85, 85, 86}}, // the smaller number, not the first place
		{10, []Weight{{1, 1}, {2, 2}, {3, 4}}, []uint16{1, 3, 6}},     // 1.43, 2.86, 5.71
		{1, []Weight{{1, 1}, {2, 1<<32 - 1}}, []uint16{0, 1}},
		{65535, []Weight{{1, 1<<32 - 1}, {2, 1<<32 - 1}}, []uint16{32768, 32767}},
	} {
		if got := Shares(c.n, c.weights); !slices.Equal(got, c.want) {
			t.Errorf("Shares(%d, %v) = %v, want %v", c.n, c.weights, got, c.want)
		}
	}
}

func randomWeights(rng *rand.Rand, nodes int, equal bool) []Weight {
	out := make([]Weight, nodes)
	for i := range out {
		out[i] = Weight{Node(i + 1), 1}
		if !equal {
			out[i].Weight = uint32(rng.IntN(1 << rng.IntN(20)))
		}
	}
	rng.Shuffle(nodes, func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// checkShares checks that counts sum to n and are the exact shares rounded down or up.
func checkShares(t *testing.T, n int, weights []Weight, counts []int) {
	t.Helper()
	total, sum := uint64(0), 0
	for i, w := range weights {
		total += uint64(w.Weight)
		sum += counts[i]
	}
	if total == 0 {
		n = 0
	}
	if sum != n {
		t.Fatalf("shares of %v are %v, sum %d, want %d", weights, counts, sum, n)
	}
	for i, w := range weights {
		down, up := 0, 0
		if total > 0 {
			exact := uint64(n) * uint64(w.Weight)
			down, up = int(exact/total), int((exact+total-1)/total)
		}
		if counts[i] < down || counts[i] > up {
			t.Fatalf("node %d of %v has %d of %d slots, want %d or %d", w.Node, weights, counts[i], n, down, up)
		}
	}
}

func count(owners []Owner, weights []Weight) []int {
	out := make([]int, len(weights))
	for i, w := range weights {
		for _, o := range owners {
			if o.Node == w.Node {
				out[i]++
			}
		}
	}
	return out
}

func TestShareProperties(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 3000 {
		n := uint16(1 + rng.IntN(MaxSlots))
		weights := randomWeights(rng, 1+rng.IntN(12), false)
		shares := Shares(n, weights)
		counts := make([]int, len(shares))
		for i, s := range shares {
			counts[i] = int(s)
		}
		checkShares(t, int(n), weights, counts)
	}
}

// fewest finds by trying all roundings how few slots must move.
func fewest(current []Owner, weights []Weight) int {
	owned := count(current, weights)
	n, total := uint64(len(current)), uint64(0)
	for _, w := range weights {
		total += uint64(w.Weight)
	}
	best := len(current) + 1
	for mask := range 1 << len(weights) {
		sum, gains := 0, 0
		for i, w := range weights {
			share := int(n * uint64(w.Weight) / total)
			if mask>>i&1 == 1 {
				if n*uint64(w.Weight)%total == 0 {
					sum = -1 << 20
				}
				share++
			}
			sum += share
			gains += max(0, share-owned[i])
		}
		if sum == len(current) {
			best = min(best, gains)
		}
	}
	return best
}

func TestAssignProperties(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for round := range 2000 {
		current := make([]Owner, 1+rng.IntN(200))
		for step := range 4 {
			weights := randomWeights(rng, 1+rng.IntN(7), round%2 == 0)
			if step == 3 {
				for i := range current { // any state, also with nobody's slots and nodes that are gone
					current[i].Node = Node(rng.IntN(10))
				}
			}
			before := slices.Clone(current)
			next := Assign(current, weights)
			if !slices.Equal(current, before) {
				t.Fatal("Assign changed its argument")
			}
			checkShares(t, len(current), weights, count(next, weights))
			moves := Moves(current, next)
			total := 0
			for _, w := range weights {
				total += int(w.Weight)
			}
			if total > 0 {
				if want := fewest(current, weights); len(moves) != want {
					t.Fatalf("Assign(%v, %v) moves %d slots, want %d", current, weights, len(moves), want)
				}
			}
			moved := map[Slot]bool{}
			for _, m := range moves {
				moved[m.Slot] = true
			}
			for i := range next {
				want := current[i].Epoch
				if moved[Slot(i)] {
					want++
				}
				if next[i].Epoch != want {
					t.Fatalf("slot %d, moved %v: epoch %d, want %d", i, moved[Slot(i)], next[i].Epoch, want)
				}
			}
			if again := Moves(next, Assign(next, weights)); len(again) != 0 {
				t.Fatalf("a second Assign moves %v, want nothing", again)
			}
			rng.Shuffle(len(weights), func(i, j int) { weights[i], weights[j] = weights[j], weights[i] })
			if other := Assign(before, weights); !slices.Equal(other, next) {
				t.Fatal("Assign depends on the order of the weights, want the same owners")
			}
			current = next
		}
	}
}

// A node that joins is the only one that gets slots, a node that leaves the only one that loses them.
func TestJoinAndLeave(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for range 2000 {
		nodes := 1 + rng.IntN(12)
		weights := randomWeights(rng, nodes, true)
		current := Assign(make([]Owner, 1+rng.IntN(1000)), weights)
		for range rng.IntN(4) { // a history, so that not only fresh states are seen
			current = Assign(current, weights[:1+rng.IntN(nodes)])
		}
		current = Assign(current, weights)
		joined := Assign(current, append(slices.Clone(weights), Weight{99, 1}))
		for _, m := range Moves(current, joined) {
			if m.To != 99 {
				t.Fatalf("node 99 joins %d nodes with %d slots: slot %d moves to %d, want moves to 99 only", nodes, len(current), m.Slot, m.To)
			}
		}
		for _, m := range Moves(joined, Assign(joined, weights)) {
			if m.From != 99 {
				t.Fatalf("node 99 leaves: slot %d moves from %d, want moves from 99 only", m.Slot, m.From)
			}
		}
	}
}
