package slots

import (
	"cmp"
	"slices"
)

// Node is the number of a node of the cluster, from 1; 0 is no node.
type Node uint32

// Weight says how much of the slots a node shall have, relative to the others. 0 takes no new slots and keeps none.
type Weight struct {
	Node   Node
	Weight uint32
}

// Owner is who serves a slot, and since which epoch. The zero value is nobody's slot.
type Owner struct {
	Node  Node
	Epoch Epoch
}

// Move is one slot that changes hands; From is 0 for a slot without an owner, To is 0 for one that loses it.
type Move struct {
	Slot     Slot
	From, To Node
}

// Shares divides n slots by weight: each share is the exact one rounded down or up, and they sum to n (or to 0 when no weight is above
// 0). The slots left over go to the largest remainders, among equal ones to the smaller node number, so the result does not depend on
// the order of weights. Nodes must differ from each other.
func Shares(n uint16, weights []Weight) []uint16 {
	shares := make([]uint16, len(weights))
	var total uint64
	for _, w := range weights {
		total += uint64(w.Weight)
	}
	if total == 0 {
		return shares
	}
	order := make([]int, len(weights))
	remainders := make([]uint64, len(weights))
	left := n
	for i, w := range weights {
		exact := uint64(n) * uint64(w.Weight)
		shares[i], remainders[i], order[i] = uint16(exact/total), exact%total, i
		left -= shares[i]
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(remainders[b], remainders[a]), cmp.Compare(weights[a].Node, weights[b].Node))
	})
	for _, i := range order[:left] {
		shares[i]++
	}
	return shares
}

// Assign returns who shall own each slot of current, by the weights and with the fewest possible moves. Every node gets its exact share
// rounded down or up; which nodes are rounded up follows from who has that many already, then from the largest remainder, then from the
// node number. With equal weights a new node is the only one that gets slots; with unequal ones rounding may move a few more. A slot that moves gets the next epoch, others keep theirs. With no weight above 0 nobody owns anything.
// current has one element a slot, at most MaxSlots; it is not changed. Nodes must differ from each other.
func Assign(current []Owner, weights []Weight) []Owner {
	targets := targets(current, weights)
	next := slices.Clone(current)
	free := make([]Slot, 0, len(current))
	for slot, o := range current {
		if targets[o.Node] > 0 {
			targets[o.Node]--
			continue
		}
		free = append(free, Slot(slot))
	}
	takers := make([]Node, 0, len(targets))
	for node, more := range targets {
		if more > 0 {
			takers = append(takers, node)
		}
	}
	slices.Sort(takers)
	for at, i := 0, 0; i < len(free); i++ {
		slot := free[i]
		to := Node(0)
		if at < len(takers) {
			to = takers[at]
			if targets[to]--; targets[to] == 0 {
				at++
			}
		}
		if next[slot].Node != to {
			next[slot] = Owner{to, current[slot].Epoch + 1}
		}
	}
	return next
}

// targets returns how many slots each node shall have: its share rounded down, or up in the order of rank.
func targets(current []Owner, weights []Weight) map[Node]int {
	owned := map[Node]int{}
	for _, o := range current {
		owned[o.Node]++
	}
	n := uint64(len(current))
	var total uint64
	for _, w := range weights {
		total += uint64(w.Weight)
	}
	out := make(map[Node]int, len(weights))
	if total == 0 {
		return out
	}
	type upper struct {
		node      Node
		rank      int
		remainder uint64
	}
	var uppers []upper
	left := int(n)
	for _, w := range weights {
		exact := n * uint64(w.Weight)
		share := int(exact / total)
		out[w.Node], left = share, left-share
		if exact%total > 0 {
			uppers = append(uppers, upper{w.Node, rank(owned[w.Node], share), exact % total})
		}
	}
	slices.SortFunc(uppers, func(a, b upper) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(b.remainder, a.remainder), cmp.Compare(a.node, b.node))
	})
	for _, u := range uppers[:left] {
		out[u.node]++
	}
	return out
}

// rank says who is rounded up first: who has more than its share rounded down (a move is saved), then who gets slots anyway (a new
// node), then who would otherwise be left alone.
func rank(owned, share int) int {
	switch {
	case owned > share:
		return 0
	case owned < share || owned == 0:
		return 1
	}
	return 2
}

// Moves lists the slots whose owner differs between from and to, ascending. Both have one element a slot.
func Moves(from, to []Owner) []Move {
	var out []Move
	for slot := range from {
		if from[slot].Node != to[slot].Node {
			out = append(out, Move{Slot(slot), from[slot].Node, to[slot].Node})
		}
	}
	return out
}
