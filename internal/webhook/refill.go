package webhook

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"sort"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

const (
	// pageEvents is how many new events one read brings at most.
	pageEvents = 1024
	// mostSettled bounds what is remembered during a read; beyond it the read does not count.
	mostSettled = 4096
	// recountEvery is how often memory is held against the store, give or take a quarter.
	recountEvery = time.Minute
	// recountSoon is how soon that is done again while the store holds retries whose times memory does not know: those that an
	// earlier process set. After lookBack there are none.
	recountSoon = 5 * time.Second
	lookBack    = 5 * time.Minute
)

// wantsFresh tells whether to read on events that were never tried.
func (w *Worker) wantsFresh(ep *endpoint) bool { return ep.more && ep.fresh.len() < (w.room(ep)+1)/2 }

// wantsRetries tells whether to read retries that are due.
func (w *Worker) wantsRetries(ep *endpoint) bool {
	return ep.retryDue && ep.retries.len() < (w.room(ep)+1)/2
}

// readLoop reads endpoints on, one after the other, until ctx ends. At the start, and now and then, it looks for what memory does not
// know.
func (w *Worker) readLoop(ctx context.Context) {
	started := w.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.readWake:
		case <-timer.C:
			timer.Reset(w.recount(ctx, w.Now().Sub(started) < lookBack))
		}
		for ctx.Err() == nil && w.readNext(ctx) {
		}
		if w.takeRefused() {
			timer.Reset(recountSoon)
		}
	}
}

// recount makes memory know every endpoint that has something in the store, and looks through them from the beginning. What memory was
// told, and how far it read, is a hint; this is the truth: where IDs become visible out of their order, reading on may have passed one by,
// and here it is found. It says when to do it again.
func (w *Worker) recount(ctx context.Context, early bool) time.Duration {
	began := w.Now()
	counts, err := w.Store.Endpoints(ctx)
	if w.readTrouble(ctx, err); err != nil {
		return storePause
	}
	took := w.Now().Sub(began)
	slices.SortFunc(counts, func(a, b gateway.EndpointCount) int { return cmp.Compare(a.Endpoint, b.Endpoint) })
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.Now().UnixMicro()
	overflow, unknown := false, false // endpoints that memory has no place for; retries whose times it does not know
	from := sort.Search(len(counts), func(i int) bool { return counts[i].Endpoint >= w.recountFrom })
	for i := range counts {
		c := &counts[(from+i)%len(counts)]
		ep := w.stranger(c.Endpoint)
		if ep == nil {
			if !overflow { // so that each finds a place in time
				overflow, w.recountFrom = true, c.Endpoint
			}
			continue
		}
		if c.Fresh > 0 {
			ep.behind()
		}
		switch {
		case c.Retries > 0 && c.DueAt <= now:
			ep.retryDue = true
		case c.Retries > 0:
			ep.addDue(c.DueAt)
		}
		unknown = unknown || c.Retries > 1
		w.place(ep)
	}
	w.rouse()
	if overflow || early && unknown {
		return max(recountSoon, 20*took)
	}
	return recountEvery*3/4 + rand.N(recountEvery/2)
}

// page is one read of an endpoint.
type page struct {
	ep                       *endpoint
	after                    int64
	freshLimit, retriesLimit int // 0: not read
	fresh, retries           []gateway.Event
}

// readNext reads one endpoint on; more tells whether others wait.
func (w *Worker) readNext(ctx context.Context) (more bool) {
	p, ok := w.beginRead()
	if !ok {
		return false
	}
	var err error
	if p.retriesLimit > 0 {
		p.retries, err = w.Store.RetryEvents(ctx, p.ep.id, w.Now(), p.retriesLimit)
	}
	if p.freshLimit > 0 && err == nil {
		p.fresh, err = w.Store.FreshEvents(ctx, p.ep.id, p.after, p.freshLimit)
	}
	w.readTrouble(ctx, err)
	if err != nil {
		p.fresh, p.retries = nil, nil
		sleep(ctx, storePause)
	}
	w.endRead(&p, err == nil)
	return true
}

// readTrouble logs when reading begins to fail and when it works again. Only the reading goroutine calls it.
func (w *Worker) readTrouble(ctx context.Context, err error) {
	if failed := err != nil; failed != w.readFailed && ctx.Err() == nil {
		w.readFailed = failed
		if failed {
			w.Log.Error("events cannot be read; trying again", "err", err)
		} else {
			w.Log.Info("events are read again")
		}
	}
}

// beginRead picks the endpoint whose turn it is, and how much to read; accounts take turns. What memory holds the store still gives, until it is recorded:
// it is asked for that much more.
func (w *Worker) beginRead() (p page, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.toRead.len() > 0 {
		a := w.toRead.pop()
		a.listed = false
		ep := a.toRead.pop()
		w.listAccount(a)
		ep.listed = false
		p = page{ep: ep, after: ep.after}
		if w.wantsRetries(ep) {
			p.retriesLimit = ep.heldRetries + min(pageEvents, w.room(ep))
		}
		if w.wantsFresh(ep) {
			p.freshLimit = ep.heldFresh + min(pageEvents, w.room(ep))
		}
		if p.freshLimit+p.retriesLimit > 0 {
			ep.reading, ep.missed = true, false
			return p, true
		}
		w.place(ep)
	}
	return p, false
}

// endRead takes up what was read. An event may have been read and then recorded before this: those are in settled. Events that were
// told of during the read may have been committed after it: they are added now, if the page was the last.
func (w *Worker) endRead(p *page, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	ep := p.ep
	seen := ep.seen
	ok = ok && len(ep.settled) < mostSettled
	ep.reading = false
	if ok {
		w.takeUp(p)
	}
	if ep.missed {
		ep.behind()
	}
	for i := range ep.arrived {
		if !ep.more {
			w.admit(ep, &ep.arrived[i], seen)
		}
	}
	ep.arrived, ep.settled, ep.missed = nil, nil, false
	w.place(ep)
	w.rouse()
}

func (w *Worker) takeUp(p *page) {
	ep := p.ep
	if ep.host == nil && !w.meet(p) {
		return
	}
	for i := range p.retries {
		if e := &p.retries[i]; w.unknown(ep, e) {
			w.addRetry(ep, e)
		}
	}
	for i := range p.fresh {
		e := &p.fresh[i]
		ep.seen, ep.after = max(ep.seen, e.ID), e.ID
		if w.unknown(ep, e) {
			w.addFresh(ep, e)
		}
	}
	if p.retriesLimit > 0 {
		ep.retryDue = len(p.retries) >= p.retriesLimit
	}
	if p.freshLimit > 0 {
		ep.more = len(p.fresh) >= p.freshLimit
	}
}

// unknown tells whether an event that was read is neither in memory nor was recorded since the read began.
func (w *Worker) unknown(ep *endpoint, e *gateway.Event) bool {
	_, settled := ep.settled[e.ID]
	return !settled && w.held[e.ID] == nil
}

// meet learns from what was read who a stranger is. If its account has no place for it, it is let go, for a recount to find again.
func (w *Worker) meet(p *page) bool {
	read := p.retries
	if len(read) == 0 {
		read = p.fresh
	}
	switch {
	case len(read) == 0: // nothing to learn, and nothing to take up
		return true
	case w.hasPlace(read[0].Account()):
		w.introduce(p.ep, &read[0])
		return true
	}
	p.ep.more, p.ep.retryDue, p.ep.missed = false, false, false
	p.ep.dues, p.ep.arrived = nil, nil
	w.refused = true
	return false
}

// takeRefused tells whether an endpoint found no place since it was asked last.
func (w *Worker) takeRefused() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	refused := w.refused
	w.refused = false
	return refused
}

// settle remembers during a read that an event was recorded: what the read brings may be older than that.
func (w *Worker) settle(ep *endpoint, id int64) {
	if ep.settled == nil {
		ep.settled = map[int64]struct{}{}
	}
	if len(ep.settled) < mostSettled {
		ep.settled[id] = struct{}{}
	}
}
