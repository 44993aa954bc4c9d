package media

import (
	"context"
	"slices"
	"sync"
)

// gate lets callers in while there is room for what they claim. Its zero value is ready.
type gate struct {
	// inOrder: nobody passes one who came before. Where it is false, whoever waits for something that is taken holds up only those who want the same;
	// where it is true, one who claims much is not passed for ever by those who claim little.
	inOrder bool

	mu      sync.Mutex
	taken   map[any]int64
	waiting []*entrant
}

// claim is an amount of something of which there is no more than most. The amount must not be larger.
type claim struct {
	of           any
	amount, most int64
}

type entrant struct {
	claims []claim
	in     chan struct{} // closed when it is let in
}

// enter waits until there is room for all claims together, and holds them until leave is called.
func (g *gate) enter(ctx context.Context, claims ...claim) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e := &entrant{claims, make(chan struct{})}
	leave = func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.give(e)
	}
	g.mu.Lock()
	if (!g.inOrder || len(g.waiting) == 0) && g.take(e) {
		g.mu.Unlock()
		return leave, nil
	}
	g.waiting = append(g.waiting, e)
	g.mu.Unlock()
	select {
	case <-e.in:
		return leave, nil
	case <-ctx.Done():
		g.abandon(e)
		return nil, ctx.Err()
	}
}

// abandon takes back one that waits, or that was let in at this moment.
func (g *gate) abandon(e *entrant) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.waiting, e); i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
		g.admit()
		return
	}
	g.give(e)
}

// take lets one in if there is room. It is called with mu held, as give and admit are.
func (g *gate) take(e *entrant) bool {
	for _, c := range e.claims {
		if g.taken[c.of]+c.amount > c.most {
			return false
		}
	}
	if g.taken == nil {
		g.taken = map[any]int64{}
	}
	for _, c := range e.claims {
		g.taken[c.of] += c.amount
	}
	close(e.in)
	return true
}

func (g *gate) give(e *entrant) {
	for _, c := range e.claims {
		if g.taken[c.of] -= c.amount; g.taken[c.of] == 0 {
			delete(g.taken, c.of)
		}
	}
	g.admit()
}

func (g *gate) admit() {
	if g.inOrder {
		for len(g.waiting) > 0 && g.take(g.waiting[0]) {
			g.waiting = slices.Delete(g.waiting, 0, 1)
		}
		return
	}
	g.waiting = slices.DeleteFunc(g.waiting, g.take)
}
