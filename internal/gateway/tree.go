package gateway

// A group's senders are a tree in the order of their Load.Free, so that at any time those whose pace is ready (Free is over) come before
// those whose pace is not. Of the former, the one with the least backlog would leave first; of the latter, the one whose Free and
// backlog together are least. Every node knows both of its subtree: one way down from the root finds the best of all, and no time that
// passes changes the tree.
//
// The tree is a treap: a node's priority is a hash of its index, which keeps it shallow whatever the order of changes. Nodes live in one
// slice and refer to each other by index, so changes allocate nothing.

// node is a sender's place in the tree of one of its groups.
type node struct {
	left, right int32
	ready       int32 // the sender of the subtree that comes first when all are ready
	busy        int32 // the one that comes first when none is
}

// senderOf is whose node it is.
func senderOf(n int32) int32 { return n / levels }

// priority is greater towards the root. It is the finalizer of MurmurHash3, which maps no two nodes to one.
func priority(n int32) uint32 {
	h := uint32(n)
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	return h ^ h>>16
}

// before is the order of the tree.
func (p *Pool) before(a, b int32) bool {
	i, j := senderOf(a), senderOf(b)
	return p.loads[i].Free < p.loads[j].Free || p.loads[i].Free == p.loads[j].Free && i < j
}

// precedes is the last rule of the choice: the sender that is free earlier comes first, of equals the one that was used longer ago, of
// equals the one that is earlier in the pool. So of two senders exactly one comes first.
func precedes(at, otherAt, used, otherUsed int64, i, j int32) bool {
	switch {
	case at != otherAt:
		return at < otherAt
	case used != otherUsed:
		return used < otherUsed
	}
	return i < j
}

// pull makes a node's knowledge of its subtree from that of its children.
func (p *Pool) pull(n int32) {
	at := &p.nodes[n]
	at.ready, at.busy = senderOf(n), senderOf(n)
	for _, child := range [2]int32{at.left, at.right} {
		if child == none {
			continue
		}
		below := &p.nodes[child]
		if a, b := &p.loads[below.ready], &p.loads[at.ready]; precedes(a.Backlog, b.Backlog, a.Used, b.Used, below.ready, at.ready) {
			at.ready = below.ready
		}
		if a, b := &p.loads[below.busy], &p.loads[at.busy]; precedes(a.Free+a.Backlog, b.Free+b.Backlog, a.Used, b.Used, below.busy, at.busy) {
			at.busy = below.busy
		}
	}
}

// insert puts a node into a tree and gives the tree's root.
func (p *Pool) insert(root, n int32) int32 {
	if root == none || priority(n) > priority(root) {
		at := &p.nodes[n]
		at.left, at.right = p.split(root, n)
		p.pull(n)
		return n
	}
	if at := &p.nodes[root]; p.before(n, root) {
		at.left = p.insert(at.left, n)
	} else {
		at.right = p.insert(at.right, n)
	}
	p.pull(root)
	return root
}

// split parts a tree into the nodes before n and those after it.
func (p *Pool) split(root, n int32) (left, right int32) {
	if root == none {
		return none, none
	}
	at := &p.nodes[root]
	if p.before(root, n) {
		at.right, right = p.split(at.right, n)
		left = root
	} else {
		left, at.left = p.split(at.left, n)
		right = root
	}
	p.pull(root)
	return left, right
}

// remove takes a node out of a tree and gives the tree's root.
func (p *Pool) remove(root, n int32) int32 {
	at := &p.nodes[root]
	switch {
	case root == n:
		return p.merge(at.left, at.right)
	case p.before(n, root):
		at.left = p.remove(at.left, n)
	default:
		at.right = p.remove(at.right, n)
	}
	p.pull(root)
	return root
}

// merge joins two trees, all of whose nodes are in order.
func (p *Pool) merge(left, right int32) int32 {
	switch {
	case left == none:
		return right
	case right == none:
		return left
	case priority(left) > priority(right):
		p.nodes[left].right = p.merge(p.nodes[left].right, right)
		p.pull(left)
		return left
	}
	p.nodes[right].left = p.merge(left, p.nodes[right].left)
	p.pull(right)
	return right
}

// refresh takes up a change of a node's load that leaves its place. It goes up as far as the change shows, and tells whether it does still.
func (p *Pool) refresh(root, n int32) bool {
	at, own := &p.nodes[root], senderOf(n)
	switch {
	case root == n:
	case p.before(n, root):
		if !p.refresh(at.left, n) {
			return false
		}
	case !p.refresh(at.right, n):
		return false
	}
	ready, busy := at.ready, at.busy
	p.pull(root)
	return at.ready != ready || at.busy != busy || ready == own || busy == own
}

// earliest is the sender of a tree that comes first at now, but for the one to be passed over; none when there is no other.
func (p *Pool) earliest(root int32, now int64, pass int32) int32 {
	best := none
	for root != none {
		at, own := &p.nodes[root], senderOf(root)
		switch { // where one of the two comes first whether others are ready or not, the way ends
		case at.ready != pass && p.loads[at.ready].Free <= now:
			return p.first(best, at.ready, now)
		case at.busy != pass && p.loads[at.busy].Free >= now:
			return p.first(best, at.busy, now)
		case own != pass:
			best = p.first(best, own, now)
		}
		if p.loads[own].Free <= now {
			best = p.first(best, p.firstReady(at.left, now, pass), now)
			root = at.right
		} else {
			best = p.first(best, p.firstBusy(at.right, now, pass), now)
			root = at.left
		}
	}
	return best
}

// first is that of two senders that comes first at now; either may be none.
func (p *Pool) first(i, j int32, now int64) int32 {
	switch {
	case i == none:
		return j
	case j == none:
		return i
	}
	if a, b := &p.loads[i], &p.loads[j]; precedes(a.FreeAt(now), b.FreeAt(now), a.Used, b.Used, i, j) {
		return i
	}
	return j
}

// firstReady is the sender of a subtree that comes first when all of it are ready at now, but for the one to be passed over. It goes down
// only where that one comes first.
func (p *Pool) firstReady(root int32, now int64, pass int32) int32 {
	if root == none {
		return none
	}
	at := &p.nodes[root]
	if at.ready != pass {
		return at.ready
	}
	best := p.first(p.firstReady(at.left, now, pass), p.firstReady(at.right, now, pass), now)
	if own := senderOf(root); own != pass {
		best = p.first(best, own, now)
	}
	return best
}

// firstBusy is the like when none of the subtree is ready.
func (p *Pool) firstBusy(root int32, now int64, pass int32) int32 {
	if root == none {
		return none
	}
	at := &p.nodes[root]
	if at.busy != pass {
		return at.busy
	}
	best := p.first(p.firstBusy(at.left, now, pass), p.firstBusy(at.right, now, pass), now)
	if own := senderOf(root); own != pass {
		best = p.first(best, own, now)
	}
	return best
}
