package mt

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Bounds of the work on media: how many accounts are worked for at once, how many sets of files of one account are waited for at once, and how many
// messages are read together.
const (
	prepareAccounts = 64
	prepareSets     = 16
	prepareBatch    = 200
)

// prepareEvery is how often messages are looked for whose media are to be looked for again. The wake-up at acceptance is a hint, this is the truth.
const prepareEvery = time.Second

// preparer looks for the media of messages. An account has one worker at a time.
type preparer struct {
	service *Service
	wake    chan struct{} // of capacity 1
	finding trouble       // of the loop

	mu      sync.Mutex
	working map[gateway.AccountID]struct{}
	last    gateway.AccountID // who got a worker last: those after it come first
	writing trouble
	workers sync.WaitGroup
}

func newPreparer(s *Service) *preparer {
	return &preparer{service: s, wake: make(chan struct{}, 1), working: map[gateway.AccountID]struct{}{}}
}

func (p *preparer) nudge() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// run gives accounts with messages to prepare their workers, until ctx ends and all workers have.
func (p *preparer) run(ctx context.Context) {
	defer p.workers.Wait()
	if p.service.Prepare == nil {
		return
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		case <-timer.C:
		}
		p.assign(ctx)
		timer.Reset(prepareEvery)
	}
}

// assign starts workers, in turns where there are more accounts than may have one.
func (p *preparer) assign(ctx context.Context) {
	s := p.service
	accounts, err := s.Store.UnpreparedAccounts(ctx, s.Now())
	if ctx.Err() == nil {
		p.finding.note(s.Dispatcher.Log, "messages that wait for media cannot be read", err)
	}
	if err != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(accounts, p.last); i >= 0 {
		accounts = append(accounts[i+1:], accounts[:i+1]...)
	}
	for _, account := range accounts {
		if len(p.working) >= prepareAccounts {
			return
		}
		if _, busy := p.working[account]; busy {
			continue
		}
		p.working[account] = struct{}{}
		p.last = account
		p.workers.Go(func() {
			p.workFor(ctx, account)
			p.mu.Lock()
			delete(p.working, account)
			p.mu.Unlock()
			p.nudge()
		})
	}
}

// workFor prepares what is due of one account. While some of it takes long it goes on with what has come since, as long as no other account waits for
// a worker: a server that hangs does not hold up what others have sent already.
func (p *preparer) workFor(ctx context.Context, account gateway.AccountID) {
	work := &accountWork{preparer: p, account: account, places: make(chan struct{}, prepareSets), ended: make(chan struct{}, 1), inHand: map[int64]struct{}{}}
	defer work.sets.Wait()
	for more := true; more; more = work.goesOn(ctx) {
		if !work.take(ctx) {
			return
		}
	}
}

// accountWork is what is being prepared of an account.
type accountWork struct {
	preparer *preparer
	account  gateway.AccountID
	places   chan struct{} // one for each set in hand
	sets     sync.WaitGroup
	ended    chan struct{} // of capacity 1: a set is in hand no more

	mu     sync.Mutex
	inHand map[int64]struct{} // messages by their number: the store still gives them as unprepared
}

// take begins with some of what is due, as places become free; false: the worker is to end.
func (w *accountWork) take(ctx context.Context) bool {
	s := w.preparer.service
	list, err := s.Store.UnpreparedMessages(ctx, w.account, s.Now(), prepareBatch+w.count())
	if err != nil {
		sleepFor(ctx, storePause)
		return false
	}
	for _, set := range setsOf(w.claim(list)) {
		select {
		case w.places <- struct{}{}:
		case <-ctx.Done():
			return false
		}
		w.sets.Go(func() {
			w.preparer.prepare(ctx, set)
			w.release(set)
			<-w.places
		})
	}
	return true
}

// goesOn waits until there may be more to do for the account; false: nothing is in hand any more, or others want the place.
func (w *accountWork) goesOn(ctx context.Context) bool {
	timer := time.NewTimer(prepareEvery)
	defer timer.Stop()
	for w.count() > 0 {
		select {
		case <-w.ended:
		case <-timer.C:
			return !w.preparer.crowded()
		case <-ctx.Done():
			return false
		}
	}
	return false
}

func (w *accountWork) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.inHand)
}

// claim gives those messages that are not in hand yet, a batch at most, and takes them in hand.
func (w *accountWork) claim(list []*gateway.Message) (due []*gateway.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range list {
		if _, taken := w.inHand[m.ID.Seq()]; !taken && len(due) < prepareBatch {
			w.inHand[m.ID.Seq()] = struct{}{}
			due = append(due, m)
		}
	}
	return due
}

func (w *accountWork) release(set []*gateway.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range set {
		delete(w.inHand, m.ID.Seq())
	}
	select {
	case w.ended <- struct{}{}:
	default:
	}
}

// crowded tells that all workers have something to do, so that accounts may wait for one.
func (p *preparer) crowded() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.working) >= prepareAccounts
}

// setsOf groups messages that carry the same files to the same carrier, in the order of the first of each: they are prepared as one.
func setsOf(list []*gateway.Message) (sets [][]*gateway.Message) {
	places := map[string]int{}
	for _, m := range list {
		key := strings.Join(m.MediaURLs, "\x00") + "\x01" + strings.Join(m.MediaIDs, "\x00") + "\x01" + m.Carrier
		if m.Log.HidesContent() { // such files are not kept as long
			key += "\x01"
		}
		i, known := places[key]
		if !known {
			i = len(sets)
			places[key] = i
			sets = append(sets, nil)
		}
		sets[i] = append(sets[i], m)
	}
	return sets
}

// prepare looks for the media of messages that carry the same and records what became of them.
func (p *preparer) prepare(ctx context.Context, messages []*gateway.Message) {
	s, d := p.service, p.service.Dispatcher
	found := s.Prepare(ctx, messages[0])
	if ctx.Err() != nil { // it was cut off, and says nothing
		return
	}
	batch := d.claimPrepared(messages, &found)
	if len(batch) == 0 {
		return
	}
	applied, err := s.Store.RecordPreparations(ctx, batch)
	if ctx.Err() == nil {
		p.mu.Lock()
		p.writing.note(d.Log, "what became of media cannot be written", err)
		p.mu.Unlock()
	}
	d.prepared(batch, applied, err)
	if err != nil {
		sleepFor(ctx, storePause)
	}
}

// claimPrepared makes the records of messages whose media were looked for. Until these are written nobody else touches the messages.
func (d *Dispatcher) claimPrepared(messages []*gateway.Message, found *gateway.Preparation) (batch []*gateway.Preparation) {
	now := d.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, m := range messages {
		seq := m.ID.Seq()
		if _, flying := d.flying[seq]; flying { // just expired
			continue
		}
		d.flying[seq] = struct{}{}
		one := *found
		one.Message, one.At = m, now
		batch = append(batch, &one)
	}
	return batch
}

// prepared lets messages go on: those whose media are there, into their lanes.
func (d *Dispatcher) prepared(batch []*gateway.Preparation, applied []gateway.Applied, err error) {
	d.mu.Lock()
	for i, p := range batch {
		m := p.Message
		d.unfly(d.lanes[m.Lane()], m.ID.Seq())
		if err != nil || !applied[i].Moved || applied[i].State != gateway.Queued || !p.Due.IsZero() || d.lines[m.Carrier] == nil {
			continue
		}
		ready := *m
		ready.Unprepared, ready.DueAt, ready.MediaIDs = false, time.Time{}, gateway.IDTexts(p.Media)
		d.setAside(d.sender(m.From), m.Account, m.Units)
		d.join(&ready)
	}
	d.mu.Unlock()
	if err == nil {
		d.tell(applied)
	}
}

// sleepFor waits, or until ctx ends.
func sleepFor(ctx context.Context, pause time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(pause):
	}
}
