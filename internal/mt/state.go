package mt

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// CarrierState is what an operator sees of a carrier's line.
type CarrierState struct {
	Name       string
	Paused     bool
	Places     int
	InFlight   int
	Unrecorded int
	Lanes      int     // with messages to send
	Brake      float64 // parts a second that the carrier is slowed to; 0: not slowed
	LineStats
}

// Carriers gives the state of every carrier, by name.
func (d *Dispatcher) Carriers() []CarrierState {
	states := make([]CarrierState, 0, len(d.lines))
	for _, l := range d.lines {
		places := l.carrier.Places()
		d.mu.Lock()
		states = append(states, CarrierState{
			Name: l.name, Paused: l.paused, Places: places, InFlight: l.inflight, Unrecorded: l.unrecorded,
			Lanes: l.readyLanes(), Brake: l.pace.brake, LineStats: l.LineStats,
		})
		d.mu.Unlock()
	}
	sort.Slice(states, func(i, j int) bool { return states[i].Name < states[j].Name })
	return states
}

// QueueState is what an operator sees of a lane.
type QueueState struct {
	Account         gateway.AccountID
	Sender, Carrier string
	Messages        int
	Units           int       // of all lanes of the sender
	FreeAt          time.Time // when a message queued now would leave
	Oldest          time.Time // when the message at the head was accepted; zero: it waits in the store
	Rate            float64   // units a second; 0: unlimited
	DailyCap        int       // units a day of the sender; 0: unlimited
	SentToday       int       // units of the sender that count against its cap
	Campaign        string    // that the sender belongs to; empty: none
	Paused          bool      // the sender, by the operator
}

// QueueFilter narrows a list of lanes; zero fields do not.
type QueueFilter struct {
	Account gateway.AccountID
	Sender  string
	Limit   int
}

// ScopeState is what an operator sees of a rate or a cap that several senders share.
type ScopeState struct {
	Kind      string // "account" or "campaign"
	Name      string
	Rate      float64 // units a second; 0: unlimited
	DailyCap  int     // units a day; 0: unlimited
	SentToday int
	Units     int       // queued by all its senders
	FreeAt    time.Time // from when on it lets its senders send again
}

// SenderHealth is how well what a sender sends arrives.
type SenderHealth struct {
	Ended, Delivered int       // messages that receipts ended in the window, and those of them that were delivered
	Standing         string    // "well", "resting" or "probing"; empty: well
	RestsUntil       time.Time // while it rests
}

// Question asks which sender a powerpack would take for a message.
type Question struct {
	Account   gateway.AccountID
	Powerpack gateway.ID
	To        gateway.Destination
	Service   gateway.Service
	Expiry    time.Duration // zero: gateway.DefaultExpiry
	Units     int           // of the message; 0: one
}

// Queues gives the lanes with waiting messages that fit, the longest first.
func (d *Dispatcher) Queues(filter QueueFilter) []QueueState {
	now := d.Now().UnixNano()
	d.mu.Lock()
	states := make([]QueueState, 0, len(d.lanes))
	for _, l := range d.lanes {
		if l.waiting == 0 || filter.Account != "" && l.key.Account != filter.Account || filter.Sender != "" && l.key.Sender != filter.Sender {
			continue
		}
		states = append(states, l.state(now))
	}
	d.mu.Unlock()
	slices.SortFunc(states, func(a, b QueueState) int {
		return cmp.Or(cmp.Compare(b.Messages, a.Messages), cmp.Compare(a.Sender, b.Sender), cmp.Compare(a.Carrier, b.Carrier), cmp.Compare(a.Account, b.Account))
	})
	return states[:min(filter.Limit, len(states))]
}

// state is what an operator sees of the lane.
func (l *lane) state(now int64) QueueState {
	s := l.sender
	q := QueueState{
		Account: l.key.Account, Sender: l.key.Sender, Carrier: l.key.Carrier, Messages: l.waiting, Units: s.queued,
		FreeAt: moment(l.freeFor(now, 1)), Rate: s.Limit.Rate, DailyCap: s.Cap, SentToday: s.Used, Paused: s.Paused,
	}
	if s.campaign != nil {
		q.Campaign = s.campaign.name
	}
	if l.held() > 0 {
		q.Oldest = l.rows[l.head].AcceptedAt
	}
	return q
}

// moment makes a time of Unix nanoseconds; zero when it never comes.
func moment(at int64) time.Time {
	if at == gateway.Never {
		return time.Time{}
	}
	return time.Unix(0, at)
}

// Scopes gives the rates and caps that several senders share: those of accounts, then those of campaigns, by name.
func (d *Dispatcher) Scopes() []ScopeState {
	now := d.Now().UnixNano()
	d.mu.Lock()
	defer d.mu.Unlock()
	var states []ScopeState
	for s := range d.scopes() {
		if s.kind == gateway.SenderScope || s.kind == gateway.AccountScope && !s.Limited() {
			continue
		}
		states = append(states, ScopeState{
			Kind: s.kind.String(), Name: s.name, Rate: s.Limit.Rate, DailyCap: s.Cap, SentToday: s.Used, Units: s.queued,
			FreeAt: moment(s.freeFor(now, 1)),
		})
	}
	slices.SortFunc(states, func(a, b ScopeState) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name)) })
	return states
}

// Totals sums up the queue.
type Totals struct{ Lanes, Messages, Buffered, Flying int }

// Totals gives the size of the queue.
func (d *Dispatcher) Totals() Totals {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := Totals{Lanes: len(d.lanes), Flying: len(d.flying)}
	for _, l := range d.lines {
		t.Buffered += l.buffered
	}
	for _, l := range d.lanes {
		t.Messages += l.waiting
	}
	return t
}

// Accepted counts the messages accepted since the start.
func (s *Service) Accepted() int64 { return s.accepted.Load() }
