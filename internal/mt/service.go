package mt

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/groupcommit"
	"github.com/heliograph/heliograph/internal/tpdu"
)

// Bounds of a batch of submissions and of the callers waiting for one; beyond the second, callers are asked to come again.
const (
	acceptBatch   = 500
	acceptWaiting = 5000
)

// Service accepts messages. Make it with NewService; Load must have succeeded before Accept and before its Dispatcher runs.
type Service struct {
	Store      Store
	Dispatcher *Dispatcher
	IDs        *gateway.IDSource
	Routes     gateway.Routes
	Now        func() time.Time
	// Told hears of the events of a commit: a hint, the store is the truth.
	Told func([]gateway.Event)
	// Countries are those that accounts send to about which nothing else is said; none: all. Set before Load.
	Countries []string
	// Breached hears of each threshold that is passed, once within its hour.
	Breached func(gateway.Breach)

	watch watch
	// Prepare gets the media of a message ready for its carrier: there (Media), not yet (Due), or never (Failure). It is called from several goroutines, for
	// one of the messages that carry the same. nil: messages need no preparation.
	Prepare func(ctx context.Context, m *gateway.Message) gateway.Preparation
	// Price tells what a unit of a message costs that leaves from a number. It is asked once, when the sender is chosen, with the dispatcher's lock held.
	Price func(m *gateway.Message, from *gateway.Number) gateway.Price

	group    *groupcommit.Group[*submission, gateway.Acceptance]
	preparer *preparer
	roster   atomic.Pointer[roster]
	readings readings
	accepted atomic.Int64
	replaced atomic.Int64
}

// NewService makes a service.
func NewService(store Store, dispatcher *Dispatcher, ids *gateway.IDSource, now func() time.Time) *Service {
	s := &Service{Store: store, Dispatcher: dispatcher, IDs: ids, Now: now, Told: func([]gateway.Event) {}, Breached: func(gateway.Breach) {}}
	s.watch.counts = map[gateway.AccountID]*gateway.HourlyCounts{}
	s.Price = func(*gateway.Message, *gateway.Number) gateway.Price { return gateway.Price{} }
	s.group = groupcommit.New(groupcommit.Config{MaxBatch: acceptBatch, MaxWaiting: acceptWaiting}, s.commit)
	s.preparer = newPreparer(s)
	s.roster.Store(&roster{})
	return s
}

// Load makes memory anew from the store: the lanes, then the roster with the senders' limits.
func (s *Service) Load(ctx context.Context) error {
	if err := s.Dispatcher.rebuild(ctx); err != nil {
		return err
	}
	if err := s.Dispatcher.recallOptOuts(ctx); err != nil {
		return err
	}
	return s.Refresh(ctx)
}

// Run stores what Accept is given until ctx ends and everything waiting is stored. Beside that it gives messages whose sender has left
// their pool another one, and watches the senders' health.
func (s *Service) Run(ctx context.Context) error {
	var beside sync.WaitGroup
	beside.Go(func() { s.preparer.run(ctx) })
	beside.Go(func() { s.repickLoop(ctx) })
	beside.Go(func() { s.healthLoop(ctx) })
	defer beside.Wait()
	return s.group.Run(ctx)
}

// submission is a request on its way to the disk.
type submission struct {
	gateway.Submission
	request *Request

	senders []*sender   // of each message, where units were set aside in its queue; nil: none
	sendAt  []time.Time // of each message, as its sender's free time said when it was chosen
}

// Accept makes a request into messages. When it returns without an error they are on disk. What cannot be sent is
// accepted all the same and fails with its reason, as the account learns by callback.
func (s *Service) Accept(ctx context.Context, req *Request) (gateway.Acceptance, error) {
	sub := &submission{request: req}
	if !req.Powerpack.IsZero() {
		if _, err := s.poolOf(req.Account, req.Powerpack); err != nil {
			return s.answered(ctx, req, err)
		}
	} else if err := s.carriesMMS(req); err != nil {
		return gateway.Acceptance{}, err
	}
	if err := s.permitted(req); err != nil {
		return s.answered(ctx, req, err)
	}
	sub.Account, sub.At = req.Account, req.ReceivedAt
	sub.Messages = req.messages()
	acceptance, err := s.group.Do(ctx, sub)
	switch {
	case errors.Is(err, groupcommit.ErrBusy):
		return acceptance, gateway.Errorf(gateway.Unavailable, "too many requests are waiting to be stored; try again shortly")
	case errors.Is(err, groupcommit.ErrClosed):
		return acceptance, gateway.Errorf(gateway.Unavailable, "the server is stopping")
	}
	return acceptance, err
}

// poolOf finds a powerpack of an account.
func (s *Service) poolOf(account gateway.AccountID, powerpack gateway.ID) (*pool, error) {
	p := s.roster.Load().pools[powerpack]
	if p == nil || p.powerpack.Account != account {
		return nil, gateway.Errorf(gateway.NotFound, "powerpack %s not found", powerpack)
	}
	return p, nil
}

// answered is for requests that cannot be taken now, such as those whose powerpack is gone: one that came before, with a key, when it still could,
// gets its answer.
func (s *Service) answered(ctx context.Context, req *Request, missing error) (gateway.Acceptance, error) {
	if req.Key != "" {
		if before, err := s.Store.Answered(ctx, req.Account, req.Key, req.BodyHash, req.ReceivedAt); err != nil {
			return gateway.Acceptance{}, err
		} else if before != nil {
			return *before, nil
		}
	}
	return gateway.Acceptance{}, missing
}

// carriesMMS refuses an MMS from a number of the account that carries none.
func (s *Service) carriesMMS(req *Request) error {
	n := s.roster.Load().numbers[req.Source]
	if req.Service == gateway.MMS && n != nil && n.Account == req.Account && !n.Services.Has(gateway.MMS) {
		return gateway.Errorf(gateway.Invalid, "src %s does not carry MMS", req.Source)
	}
	return nil
}

// messages makes a message for each destination; sender and ID come later.
func (r *Request) messages() []*gateway.Message {
	alphabet, units := gateway.GSM7, 1
	if r.Service == gateway.SMS {
		detected, n := tpdu.Count(r.Text)
		units = n
		if detected == tpdu.UCS2 {
			alphabet = gateway.UCS2
		}
	}
	expiry := r.Expiry
	if expiry == 0 {
		expiry = gateway.DefaultExpiry
	}
	stored := make([]gateway.Message, len(r.To))
	list := make([]*gateway.Message, len(r.To))
	for i, to := range r.To {
		stored[i] = gateway.Message{
			Account: r.Account, Service: r.Service, To: to.Number, Country: to.Country,
			Text: r.Text, Alphabet: alphabet, Units: units, MediaURLs: r.MediaURLs, MediaIDs: r.MediaIDs,
			Powerpack: r.Powerpack, Callback: r.Callback, Log: r.Log, Trackable: r.Trackable, DLT: r.DLT, Requester: r.Requester,
			AcceptedAt: r.ReceivedAt, ExpiresAt: r.ReceivedAt.Add(expiry),
		}
		list[i] = &stored[i]
	}
	return list
}

// commit chooses senders for a batch of submissions and stores them. It runs on one goroutine: choices see those before them, and
// messages enter their lanes in the order of their IDs.
func (s *Service) commit(ctx context.Context, batch []*submission) []groupcommit.Result[gateway.Acceptance] {
	results := make([]groupcommit.Result[gateway.Acceptance], len(batch))
	fail := func(err error) []groupcommit.Result[gateway.Acceptance] {
		for i := range results {
			results[i].Err = err
		}
		return results
	}
	habits, err := s.habits(ctx, batch)
	if err != nil {
		return fail(err)
	}
	out, err := s.optOuts(ctx, batch)
	if err != nil {
		return fail(err)
	}
	s.choose(batch, habits, out)
	s.tellBreaches()
	stored := make([]*gateway.Submission, len(batch))
	for i, sub := range batch {
		stored[i] = &sub.Submission
	}
	inserted, err := s.Store.InsertMessages(ctx, stored)
	if err != nil {
		s.giveBack(batch)
		s.Dispatcher.Offer(nil)
		return fail(err)
	}
	s.settle(batch, inserted, results)
	return results
}

// settle queues what was stored and can be paid, gives back what was set aside for the rest, and makes the answers.
func (s *Service) settle(batch []*submission, inserted []gateway.Inserted, results []groupcommit.Result[gateway.Acceptance]) {
	var queued []*gateway.Message
	var undone []*submission
	unprepared := false
	var events []gateway.Event
	for i, sub := range batch {
		switch in := &inserted[i]; {
		case in.Err != nil:
			results[i].Err = in.Err
			undone = append(undone, sub)
		case in.Replayed != nil:
			results[i].Value = *in.Replayed
			undone = append(undone, sub)
		default:
			results[i].Value = sub.acceptance()
			results[i].Value.SendAt = sub.sendAt
			s.accepted.Add(int64(len(sub.Messages)))
			events = append(events, in.Events...)
			s.forgo(sub, in.Unpaid)
			for i, m := range sub.Messages {
				switch {
				case m.State != gateway.Queued, slices.Contains(in.Unpaid, i):
				case m.Unprepared:
					unprepared = true
					s.Dispatcher.setBack(sub, i)
				default:
					queued = append(queued, m)
				}
			}
		}
	}
	s.giveBack(undone)
	s.Dispatcher.Offer(queued)
	if unprepared {
		s.preparer.nudge()
	}
	if len(events) > 0 {
		s.Told(events)
	}
}

func (sub *submission) acceptance() gateway.Acceptance {
	ids := make([]gateway.ID, len(sub.Messages))
	for i, m := range sub.Messages {
		ids[i] = m.ID
	}
	return gateway.Acceptance{RequestID: sub.request.ID, Messages: ids, Invalid: sub.request.Invalid}
}

// habit is the sender that a destination is used to.
type habit struct {
	from    string
	fresh   bool   // chosen in this batch: not stored yet
	instead string // of the number that it replaces
}

// habits reads which senders the batch's destinations are used to.
func (s *Service) habits(ctx context.Context, batch []*submission) (map[gateway.StickyKey]habit, error) {
	var keys []gateway.StickyKey
	r := s.roster.Load()
	for _, sub := range batch {
		if p := r.pools[sub.request.Powerpack]; p == nil || !p.powerpack.Sticky {
			continue
		}
		for _, m := range sub.Messages {
			keys = append(keys, gateway.StickyKey{Powerpack: m.Powerpack, To: m.To})
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	senders, err := s.Store.StickySenders(ctx, keys)
	if err != nil {
		return nil, err
	}
	habits := make(map[gateway.StickyKey]habit, len(keys))
	for i, key := range keys {
		habits[key] = habit{from: senders[i]}
	}
	return habits, nil
}

// choose gives every message of the batch its ID, its sender and its carrier, or the reason why it fails. Units are set aside in the
// senders' queues, so that the next choice sees this one. The lock is not held over the whole batch: submits must not wait for that.
func (s *Service) choose(batch []*submission, habits map[gateway.StickyKey]habit, out optOuts) {
	now := s.Now()
	for _, sub := range batch {
		sub.Steps = make([][]gateway.Step, len(sub.Messages))
		sub.senders = make([]*sender, len(sub.Messages))
		sub.sendAt = make([]time.Time, len(sub.Messages))
		s.chooseAll(sub, now, habits, out)
		if req := sub.request; req.Key != "" {
			sub.Idempotency = &gateway.Idempotency{Key: req.Key, BodyHash: req.BodyHash, Acceptance: sub.acceptance()}
		}
	}
}

func (s *Service) chooseAll(sub *submission, now time.Time, habits map[gateway.StickyKey]habit, out optOuts) {
	d := s.Dispatcher
	d.mu.Lock()
	defer d.mu.Unlock()
	r := s.roster.Load() // under the lock: no pool but this roster's is told how busy its senders are
	for i, m := range sub.Messages {
		m.ID = s.IDs.Next(now)
		d.storing = min(d.storing, m.ID.Seq())
		steps := []gateway.Step{m.Start(m.AcceptedAt)}
		if reason := s.chooseFor(sub, i, r, now, habits, out); reason != gateway.NoReason {
			steps = append(steps, m.Fail(reason, now)...)
		}
		sub.Steps[i] = steps
	}
}

// chooseFor finds the sender and carrier of one message. Guarded by Dispatcher.mu.
func (s *Service) chooseFor(sub *submission, i int, r *roster, now time.Time, habits map[gateway.StickyKey]habit, out optOuts) gateway.Reason {
	m := sub.Messages[i]
	if sub.request.Failure != gateway.NoReason {
		m.From = sub.request.Source
		return sub.request.Failure
	}
	if !r.guards.Allows(m.Account, m.Country) {
		return gateway.CountryBarred
	}
	req := gateway.Request{
		To: sub.request.To[i], Service: m.Service, Now: now.UnixNano(), Deadline: m.ExpiresAt.UnixNano(),
	}
	d := s.Dispatcher
	req.Earliest = d.accountScope(m.Account).freeFor(req.Now, m.Units)
	byPool := !sub.request.Powerpack.IsZero()
	if habit := habits[gateway.StickyKey{Powerpack: m.Powerpack, To: m.To}].from; byPool && out.of(m.Account, m.To, habit, r) {
		m.From = habit // whoever would be taken in its place: no other sender evades what was said to it
		return gateway.OptedOut
	}
	var number *gateway.Number
	var reason gateway.Reason
	if byPool {
		number, reason = s.pickWhole(r.pools[m.Powerpack], m, req, habits)
	} else {
		m.From, m.PickedBy = sub.request.Source, gateway.BySource
		number, reason = ownSender(r, m, req)
	}
	if reason != gateway.NoReason {
		if byPool { // one may have been looked at before
			m.From, m.PickedBy = "", gateway.NoRule
		}
		return reason
	}
	if !sub.request.Exempt && out.of(m.Account, m.To, m.From, r) {
		return gateway.OptedOut
	}
	carrier := s.carrierFor(m, number)
	if carrier == "" {
		return gateway.NoRoute
	}
	set := d.sender(m.From)
	at := max(set.freeToSend(req.Now, m.Units), req.Earliest)
	if at >= req.Deadline && !set.Paused { // known now, so it need not wait for that; how long a pause lasts is not
		return gateway.Expired
	}
	if !s.withinThresholds(r, m, req.To, now) {
		return gateway.ThresholdExceeded
	}
	m.Carrier, sub.senders[i], sub.sendAt[i] = carrier, set, moment(at)
	if s.Prepare != nil && len(m.MediaURLs)+len(m.MediaIDs) > 0 {
		m.Unprepared, m.DueAt = true, now
	}
	m.Price = s.Price(m, number)
	if byPool {
		d.turn++
		set.used = d.turn
		sub.remember(r.pools[m.Powerpack], m, habits)
	}
	d.setAside(set, m.Account, m.Units)
	return gateway.NoReason
}

// pickWhole lets the powerpack choose a sender that can take all units of the message in time. Pools know when senders are free for one unit; what is
// left of a daily cap may have room for that and not for several. Guarded by Dispatcher.mu.
func (s *Service) pickWhole(p *pool, m *gateway.Message, req gateway.Request, habits map[gateway.StickyKey]habit) (*gateway.Number, gateway.Reason) {
	const most = 8 // such senders; with more of them nearly all caps are used up
	var passed [most]*sender
	n := 0
	defer func() {
		for _, set := range passed[:n] {
			set.tell()
		}
	}()
	for {
		number, reason := s.pickFor(p, m, req, habits)
		if reason != gateway.NoReason || m.Units == 1 || n == most {
			return number, reason
		}
		set := s.Dispatcher.sender(number.Number)
		if set.Cap == 0 || set.pool == nil || set.freeToSend(req.Now, m.Units) < req.Deadline {
			return number, reason
		}
		set.pool.Set(set.index, gateway.Load{Free: gateway.Never, Used: set.used})
		passed[n] = set
		n++
	}
}

// ownSender checks a sender that the caller named. One that the account has from elsewhere is the route's affair.
func ownSender(r *roster, m *gateway.Message, req gateway.Request) (*gateway.Number, gateway.Reason) {
	n := r.numbers[m.From]
	if n == nil || n.Account != m.Account {
		if !r.codes.fromElsewhere(m) {
			return nil, gateway.InvalidSource
		}
		return &gateway.Number{Number: m.From, Type: gateway.LongCode}, gateway.NoReason
	}
	switch {
	case n.Type == gateway.TollFree && n.Country == "US" && m.Country == "CA":
		return nil, gateway.TollFreeToCanada
	case !n.Carries(req):
		return nil, gateway.InvalidSource
	}
	return n, gateway.NoReason
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// pickFor lets the powerpack choose; p is nil when it was removed since the request came. Guarded by Dispatcher.mu.
func (s *Service) pickFor(p *pool, m *gateway.Message, req gateway.Request, habits map[gateway.StickyKey]habit) (*gateway.Number, gateway.Reason) {
	if p == nil {
		return nil, gateway.InvalidSource
	}
	req.Sticky = habits[gateway.StickyKey{Powerpack: m.Powerpack, To: m.To}].from
	choice, ok := p.powerpack.Pick(p.index, req, s.Dispatcher.outside(req.Now, m.Units, m.Service))
	switch {
	case ok:
		number := p.index.Number(choice.Index)
		m.From, m.PickedBy = number.Number, choice.Rule
		s.Dispatcher.health.Picked(p.index, choice.Index, gateway.Market(req.To.Country), req.Now)
		return number, gateway.NoReason
	case p.powerpack.Suits(p.index, req):
		return nil, gateway.Expired // there are senders, but none is free before the message's time is over
	}
	return nil, gateway.InvalidSource
}

// remember makes a choice that is new the destination's habit. An old habit stays while its number is in the pool and carries the service, though this
// message goes another way: the store would not replace it either. A fresh one is stored with every submission that follows it, for the one that made
// it may not be stored. Guarded by Dispatcher.mu.
func (sub *submission) remember(p *pool, m *gateway.Message, habits map[gateway.StickyKey]habit) {
	key := gateway.StickyKey{Powerpack: m.Powerpack, To: m.To}
	old, asked := habits[key] // not asked: the powerpack has become sticky since
	now := old
	switch {
	case !p.powerpack.Sticky || !asked:
		return
	case !p.index.Has(old.from):
		now = habit{from: m.From, fresh: true}
	case !p.index.Serves(old.from, m.Service):
		now = habit{from: m.From, fresh: true, instead: old.from}
	case !old.fresh || old.from != m.From:
		return
	}
	habits[key] = now
	sub.Remember = append(sub.Remember, gateway.Sticky{Powerpack: m.Powerpack, To: m.To, From: now.from, Instead: now.instead})
}

// carrierFor is the carrier that hosts the number, else the first of the route that is up, else the route's first; of those that carry the message's service.
// Guarded by Dispatcher.mu.
func (s *Service) carrierFor(m *gateway.Message, n *gateway.Number) string {
	lines := s.Dispatcher.lines
	if n.Carrier != "" {
		host := s.Dispatcher.host(n.Carrier, m.Service)
		if l := lines[host]; l == nil || !l.carries(m.Service) {
			return ""
		}
		return host
	}
	first := ""
	for _, name := range s.Routes.Carriers(m.To, n.Type, m.Account, m.Service) {
		l := lines[name]
		switch {
		case l == nil, !l.carries(m.Service):
			continue
		case !l.paused && l.carrier.Places() > 0:
			return name
		case first == "":
			first = name
		}
	}
	return first
}

// host is the carrier by which messages of a service go from a number that is bound to a carrier. Guarded by mu.
func (d *Dispatcher) host(carrier string, service gateway.Service) string {
	if l := d.lines[carrier]; l != nil && service == gateway.MMS && l.MMS != "" {
		return l.MMS
	}
	return carrier
}

// giveBack takes what was set aside for submissions that were not stored out of the queues again.
func (s *Service) giveBack(batch []*submission) {
	if len(batch) == 0 {
		return
	}
	d := s.Dispatcher
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, sub := range batch {
		for i, m := range sub.Messages {
			if sub.senders[i] != nil {
				s.uncount(m)
			}
			d.giveBack(sub, i)
		}
	}
}

// forgo takes what was set aside for messages that cannot be paid out of the queues again: the store has them as failed.
func (s *Service) forgo(sub *submission, unpaid []int) {
	if len(unpaid) == 0 {
		return
	}
	d := s.Dispatcher
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, i := range unpaid {
		s.uncount(sub.Messages[i])
		d.giveBack(sub, i)
		sub.sendAt[i] = time.Time{}
	}
}

// setBack takes what was set aside for a message out of its sender's queue until its media are there: it waits in no lane.
func (d *Dispatcher) setBack(sub *submission, i int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.giveBack(sub, i)
}

// giveBack takes what was set aside for one message out of its sender's queue again. Guarded by mu.
func (d *Dispatcher) giveBack(sub *submission, i int) {
	if set := sub.senders[i]; set != nil {
		d.setAside(set, sub.Messages[i].Account, -sub.Messages[i].Units)
		d.forget(set)
	}
}
