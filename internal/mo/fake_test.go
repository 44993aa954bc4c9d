package mo

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

var errDisk = errors.New("disk full")

// fakeStore keeps parts as mo.Store says, in memory.
type fakeStore struct {
	recipients map[string]gateway.Recipient

	mu      sync.Mutex
	full    bool // nothing can be written
	seen    map[gateway.PartIdentity]bool
	waiting map[string][]gateway.InboundPart // by sender and reference
	stored  []*gateway.Message
	out     map[gateway.OptOut]bool // account, source and person only
	owed    []gateway.OwedAnswer
	settled map[uint64]time.Time
	batches int
}

func newFakeStore() *fakeStore {
	return &fakeStore{
		recipients: map[string]gateway.Recipient{}, seen: map[gateway.PartIdentity]bool{}, waiting: map[string][]gateway.InboundPart{},
		out: map[gateway.OptOut]bool{}, settled: map[uint64]time.Time{},
	}
}

func (f *fakeStore) setFull(full bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.full = full
}

func (f *fakeStore) AddInboundParts(_ context.Context, parts []gateway.InboundPart, receive gateway.Receive) ([]gateway.InboundResult, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.batches++
	if f.full {
		return nil, errDisk
	}
	results := make([]gateway.InboundResult, len(parts))
	for i := range parts {
		results[i] = f.add(&parts[i], receive)
	}
	return results, nil
}

func (f *fakeStore) add(p *gateway.InboundPart, receive gateway.Receive) gateway.InboundResult {
	if _, owned := f.recipients[p.To]; !owned {
		return gateway.InboundResult{Status: gateway.InboundUnowned}
	}
	if f.seen[p.Identity] && !p.Identity.IsZero() {
		return gateway.InboundResult{Status: gateway.InboundRepeated}
	}
	f.seen[p.Identity] = true
	key := p.From
	f.waiting[key] = append(f.waiting[key], *p)
	if len(f.waiting[key]) < p.Total {
		return gateway.InboundResult{Status: gateway.InboundWaits}
	}
	return f.complete(key, receive)
}

func (f *fakeStore) complete(key string, receive gateway.Receive) gateway.InboundResult {
	parts := f.waiting[key]
	delete(f.waiting, key)
	to := f.recipients[parts[0].To]
	a := receive(parts, &to)
	f.stored = append(f.stored, a.Message)
	r := gateway.InboundResult{Status: gateway.InboundStored, Message: a.Message}
	if a.Message.Callback.URL != "" {
		r.Events = []gateway.Event{{ID: int64(len(f.stored)), Message: a.Message, State: gateway.Received}}
	}
	for _, c := range a.OptOuts {
		pair := gateway.OptOut{Account: c.Account, Source: c.Source, Person: c.Person}
		if f.out[pair] == c.In {
			f.out[pair] = !c.In
			r.Changed = append(r.Changed, c)
		}
	}
	if a.Answer != "" && (!a.OnlyIfChanged || len(r.Changed) > 0) {
		r.Answer = a.Answer
		f.owed = append(f.owed, gateway.OwedAnswer{Message: a.Message, Text: a.Answer})
	}
	return r
}

func (f *fakeStore) CompleteInbound(_ context.Context, before time.Time, limit int, receive gateway.Receive) ([]gateway.InboundResult, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var results []gateway.InboundResult
	for key, parts := range f.waiting {
		if len(results) < limit && !parts[0].At.After(before) {
			results = append(results, f.complete(key, receive))
		}
	}
	return results, nil
}

func (f *fakeStore) NextIncomplete(context.Context) (first time.Time, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, parts := range f.waiting {
		if first.IsZero() || parts[0].At.Before(first) {
			first = parts[0].At
		}
	}
	return first, nil
}

func (f *fakeStore) SettleSessions(_ context.Context, until map[uint64]time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for session, at := range until {
		f.settled[session] = at
	}
	return nil
}

func (f *fakeStore) OwedAnswers(_ context.Context, after int64, limit int) ([]gateway.OwedAnswer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []gateway.OwedAnswer
	for _, o := range f.owed {
		if o.Message.ID.Seq() > after && len(list) < limit {
			list = append(list, o)
		}
	}
	return list, nil
}

func (f *fakeStore) AnswersGiven(_ context.Context, ids []gateway.ID) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.owed = slices.DeleteFunc(f.owed, func(o gateway.OwedAnswer) bool { return slices.Contains(ids, o.Message.ID) })
	return nil
}

// owing is how many answers are owed.
func (f *fakeStore) owing() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.owed)
}

// texts are those of the messages that are stored.
func (f *fakeStore) texts() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []string
	for _, m := range f.stored {
		list = append(list, m.Text)
	}
	return list
}
