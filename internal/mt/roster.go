package mt

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/numbering"
)

// roster is what the message path knows of numbers and powerpacks: a copy in memory of what the API changes, replaced as a whole.
type roster struct {
	numbers map[string]*gateway.Number
	pools   map[gateway.ID]*pool // by powerpack
	codes   callingCodes
	guards  *gateway.Guards
}

// pool is a powerpack with its senders. The index is guarded by Dispatcher.mu.
type pool struct {
	powerpack gateway.Powerpack
	index     *gateway.Pool
}

// Whose tells which account rents a number, as of the last reading of the roster.
func (s *Service) Whose(number string) (account gateway.AccountID, ok bool) {
	n := s.roster.Load().numbers[number]
	if n == nil || n.Account == "" {
		return "", false
	}
	return n.Account, true
}

// readings are those of the roster: one at a time, so that an older one never replaces a newer one, and one for all who wait for it.
type readings struct {
	mu   sync.Mutex
	last *reading // that began; nil: none did
	next *reading // that has not begun; nil: nobody waits for one
}

// reading is one of them. What was changed before it began is in it.
type reading struct {
	after *reading      // which must be over first
	done  chan struct{} // closed when it is over
	err   error         // may be read then
}

// join gives the next reading to begin; first is whoever must see to it.
func (r *readings) join() (next *reading, first bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if first = r.next == nil; first {
		r.next = &reading{after: r.last, done: make(chan struct{})}
	}
	return r.next, first
}

// run does a reading when the one before is over. Whoever joins after it began gets another.
func (r *readings) run(next *reading, read func() error) {
	if next.after != nil {
		<-next.after.done
		next.after = nil
	}
	r.mu.Lock()
	r.last, r.next = next, nil
	r.mu.Unlock()
	defer close(next.done)
	next.err = errUnread // stays when the reading panics: nobody is to take that for success
	next.err = read()
}

var errUnread = errors.New("the roster could not be read")

// Refresh reads the roster anew. It is called at start and after every change to numbers or powerpacks; when it returns, new
// messages follow the change. Many changes at the same time wait for one reading: with a hundred thousand numbers it takes a while.
func (s *Service) Refresh(ctx context.Context) error {
	next, first := s.readings.join()
	if first { // others wait for it, so it does not end with this caller
		s.readings.run(next, func() error { return s.reread(context.WithoutCancel(ctx)) })
		return next.err
	}
	select {
	case <-next.done:
		return next.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Service) reread(ctx context.Context) error {
	read, err := s.Store.Roster(ctx)
	if err != nil {
		return err
	}
	d := s.Dispatcher
	r := newRoster(&read, d.loads())
	r.guards = gateway.NewGuards(read.Guards, read.Parents, s.Countries)
	if err := s.recount(ctx, r.guards); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.enlist(&read, r)
	s.roster.Store(r) // with the lock held: who chooses with it finds its pools told of every change of load
	return nil
}

// loads gives how busy all senders are. What changes after that, enlist puts right; so most of the work on large pools is done without the lock.
func (d *Dispatcher) loads() map[string]gateway.Load {
	d.mu.Lock()
	defer d.mu.Unlock()
	loads := make(map[string]gateway.Load, len(d.senders))
	for number, s := range d.senders {
		loads[number] = s.load(1)
	}
	return loads
}

// newRoster indexes numbers and powerpacks.
func newRoster(read *gateway.Roster, loads map[string]gateway.Load) *roster {
	r := &roster{numbers: make(map[string]*gateway.Number, len(read.Numbers)), pools: make(map[gateway.ID]*pool, len(read.Powerpacks))}
	members := make(map[gateway.ID][]gateway.Number, len(read.Powerpacks))
	for i := range read.Numbers {
		n := &read.Numbers[i]
		r.numbers[n.Number] = n
		r.codes = r.codes.with(n.Number)
		if !n.Pool.IsZero() {
			members[n.Pool] = append(members[n.Pool], *n)
		}
	}
	for _, p := range read.Powerpacks {
		index := gateway.NewPool(members[p.Pool])
		for i := range index.Len() {
			index.Set(i, loads[index.Number(i).Number])
		}
		r.pools[p.ID] = &pool{powerpack: p, index: index}
	}
	return r
}

// callingCodes are those of the numbers that are rented here, but for 1, which is always among them.
type callingCodes []string

// with adds the calling code of a number, if it is new.
func (c callingCodes) with(number string) callingCodes {
	if len(number) < leastDigits || !c.lack(number) {
		return c
	}
	country, _, _ := numbering.Place(number)
	code, ok := numbering.CallingCode(country)
	if !ok || !strings.HasPrefix(number, code) { // of no country, or of no plan: no calling code has more than three digits
		code = number[:3]
	}
	return append(c, code)
}

// lack tells whether the text is a telephone number with a calling code that is not among them.
func (c callingCodes) lack(number string) bool {
	return len(number) >= leastDigits && isDigits(number) && number[0] != '1' &&
		!slices.ContainsFunc(c, func(code string) bool { return strings.HasPrefix(number, code) })
}

// leastDigits is how many a telephone number has; fewer are a short code.
const leastDigits = 7

// fromElsewhere tells whether a message may have a sender that its account has from somewhere else. That is never so to the United States and Canada, nor
// where the sender is of a kind that is rented here, such as short codes and numbers of North America: of those, senders are only what the account has
// rented, whoever has the others. So nobody sends from another account's number, and cannot find out by trying whether it is one.
func (c callingCodes) fromElsewhere(m *gateway.Message) bool {
	return m.Country != "US" && m.Country != "CA" && c.lack(m.From)
}

// enlist sets the rates and caps of senders, campaigns and accounts, and brings the senders' loads into the roster's pools. Lanes whose sender
// has left its pool are looked through. Guarded by mu.
func (d *Dispatcher) enlist(read *gateway.Roster, r *roster) {
	type past struct {
		powerpack gateway.ID
		owner     gateway.AccountID
	}
	former := make(map[*sender]past, len(d.senders))
	for _, s := range d.senders {
		former[s] = past{s.powerpack, s.owner}
		s.listed, s.owner = false, ""
		s.join(gateway.ID{}, nil, 0)
	}
	d.enlistShared(read)
	for i := range read.Numbers {
		n := &read.Numbers[i]
		s := d.sender(n.Number)
		s.listed, s.owner = true, n.Account
		s.share(d.campaigns[n.Campaign])
		d.limit(&s.scope, n.Limit(), n.Cap(), n.Paused)
	}
	d.codes = r.codes
	d.last = nil // who is limited from now on sent nothing before the start
	d.pools = make(map[gateway.ID]*gateway.Pool, len(r.pools))
	for id, p := range r.pools {
		d.pools[id] = p.index
		if d.health.Count(gateway.Resting)+d.health.Count(gateway.Probing) > 0 {
			d.health.Judge(p.index, d.Now().UnixNano())
		}
		for i := range p.index.Len() {
			d.sender(p.index.Number(i).Number).join(id, p.index, i)
		}
	}
	for _, s := range d.senders {
		if len(s.lanes) == 0 {
			d.forget(s)
			continue
		}
		for _, l := range s.lanes {
			l.enter()
		}
		d.reorder(s)
		if was := former[s]; !was.powerpack.IsZero() && was.powerpack != s.powerpack || was.owner != "" && was.owner != s.owner {
			for _, l := range s.lanes {
				d.strand(l)
			}
		}
	}
	d.settleAll()
}

// enlistShared sets the rates and caps of what several senders share.
func (d *Dispatcher) enlistShared(read *gateway.Roster) {
	gone := maps.Clone(d.campaigns)
	for _, c := range read.Campaigns {
		delete(gone, c.ID)
		s := d.campaigns[c.ID]
		if s == nil {
			s = &scope{kind: gateway.CampaignScope, name: c.ID}
			d.campaigns[c.ID] = s
		}
		d.limit(s, gateway.Limit{Rate: c.Rate}, c.DailyCap, false)
	}
	for id := range gone {
		delete(d.campaigns, id)
	}
	for id, rate := range read.Rates {
		d.limit(d.accountScope(id), gateway.Limit{Rate: rate}, 0, false)
	}
	for id, s := range d.accounts {
		if _, limited := read.Rates[id]; !limited {
			d.limit(s, gateway.Limit{}, 0, false)
		}
	}
}

// settleAll puts all gates where they belong after what their lanes share has changed.
func (d *Dispatcher) settleAll() {
	for _, l := range d.lines {
		for _, g := range l.gates {
			g.settle()
		}
	}
}
