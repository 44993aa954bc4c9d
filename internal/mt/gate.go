package mt

import (
	"container/heap"
	"math"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// gate is the lanes of a line whose senders share the same limited campaign and account. They wait for these together: when an account may
// send again, one gate is looked at, however many senders the account has. All fields are guarded by Dispatcher.mu.
type gate struct {
	gateKey
	line  *line
	ready laneHeap // those with a message to send, as far as is known; not those being filled
	lanes int      // all that belong to it

	at    int64 // heap key: when the first of them may send
	turn  int64 // second key
	place int   // in the heap, -1: not in it
}

// gateKey is what the lanes of a gate share; nil: nothing that is limited.
type gateKey struct{ account, campaign *scope }

// gateFor finds or makes the gate of a lane.
func (l *line) gateFor(ln *lane) *gate {
	var key gateKey
	if ln.account.Limited() {
		key.account = ln.account
	}
	if c := ln.sender.campaign; c != nil && c.Limited() {
		key.campaign = c
	}
	g := l.gates[key]
	if g == nil {
		g = &gate{gateKey: key, line: l, place: -1}
		l.gates[key] = g
		for _, shared := range [...]*scope{key.account, key.campaign} {
			if shared != nil {
				shared.gates = append(shared.gates, g)
			}
		}
	}
	return g
}

// enter makes a lane belong to the gate that its sender's campaign and its account say.
func (ln *lane) enter() {
	g := ln.line.gateFor(ln)
	if g == ln.gate {
		return
	}
	waiting := ln.place >= 0
	ln.leave()
	ln.gate = g
	g.lanes++
	if waiting {
		g.ready.push(ln)
		g.settle()
	}
}

// leave takes a lane out of its gate, and the gate out of memory with its last lane.
func (ln *lane) leave() {
	g := ln.gate
	if g == nil {
		return
	}
	ln.gate = nil
	if ln.place >= 0 {
		g.ready.remove(ln)
		g.settle()
	}
	if g.lanes--; g.lanes > 0 {
		return
	}
	delete(g.line.gates, g.gateKey)
	for _, shared := range [...]*scope{g.account, g.campaign} {
		if shared != nil {
			shared.forgetGate(g)
		}
	}
}

func (s *scope) forgetGate(g *gate) {
	if s.last == g {
		s.last = nil
	}
	for i := range s.gates {
		if last := len(s.gates) - 1; s.gates[i] == g {
			s.gates[i] = s.gates[last]
			s.gates[last] = nil
			s.gates = s.gates[:last]
			return
		}
	}
}

// givePrecedence is for how long, in nanoseconds, a line lets the others go first that wait for the same rate, when it had the last turn.
const givePrecedence = int64(2 * time.Millisecond)

// othersWait tells whether the gate had the last turn at a shared rate, and lanes of other lines wait for that and could go.
func (s *scope) othersWait(g *gate) bool {
	if s == nil || s.last != g {
		return false
	}
	for _, other := range s.gates {
		if l := other.line; l != g.line && len(other.ready) > 0 && !l.paused && l.carrier.Places() > 0 {
			return true
		}
	}
	return false
}

// settle puts the gate where it belongs after its first lane, or what its lanes share, has changed.
func (g *gate) settle() {
	h := &g.line.queue
	if len(g.ready) == 0 {
		if g.place >= 0 {
			heap.Remove(h, g.place)
		}
		return
	}
	first := g.ready[0]
	units := first.nextUnits()
	shared := max(g.account.freeAt(units), g.campaign.freeAt(units))
	if shared < math.MaxInt64 && (g.account.othersWait(g) || g.campaign.othersWait(g)) {
		shared += givePrecedence
	}
	g.at, g.turn = max(first.at, shared), first.turn
	if g.place < 0 {
		heap.Push(h, g)
	} else {
		heap.Fix(h, g.place)
	}
	if g.place == 0 {
		g.line.nudge()
	}
}

// settleGates does so for all gates at which lanes wait for a shared scope.
func (s *scope) settleGates() {
	for _, g := range s.gates {
		g.settle()
	}
}

// gateHeap orders gates by when their first lane may send, then by turn.
type gateHeap []*gate

func (h gateHeap) Len() int { return len(h) }

func (h gateHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].turn < h[j].turn
}

func (h gateHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

// Push implements heap.Interface.
func (h *gateHeap) Push(x any) {
	g := x.(*gate)
	g.place = len(*h)
	*h = append(*h, g)
}

// Pop implements heap.Interface.
func (h *gateHeap) Pop() any {
	last := len(*h) - 1
	g := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	g.place = -1
	return g
}

// accountScope finds or makes the scope of an account. Accounts are few and stay.
func (d *Dispatcher) accountScope(id gateway.AccountID) *scope {
	s := d.accounts[id]
	if s == nil {
		s = &scope{kind: gateway.AccountScope, name: string(id)}
		d.accounts[id] = s
	}
	return s
}

// readyLanes counts the lanes with a message to send, as far as is known. Guarded by Dispatcher.mu.
func (l *line) readyLanes() (n int) {
	for _, g := range l.queue {
		n += len(g.ready)
	}
	return n
}
