package mt

import (
	"context"
	"slices"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// optOuts are the sources that persons have opted out of, as the store had it before senders were chosen.
type optOuts map[gateway.Addressee][]string

// optOuts reads what the batch's destinations have opted out of. Messages that reach even who has opted out need not be looked up.
func (s *Service) optOuts(ctx context.Context, batch []*submission) (optOuts, error) {
	var keys []gateway.Addressee
	for _, sub := range batch {
		if sub.request.Exempt {
			continue
		}
		for _, m := range sub.Messages {
			keys = append(keys, gateway.Addressee{Account: m.Account, Person: m.To})
		}
	}
	return s.optOutsOf(ctx, keys)
}

func (s *Service) optOutsOf(ctx context.Context, keys []gateway.Addressee) (optOuts, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	sources, err := s.Store.OptOutSources(ctx, keys)
	if err != nil {
		return nil, err
	}
	var out optOuts
	for i, list := range sources {
		if len(list) == 0 {
			continue
		}
		if out == nil {
			out = optOuts{}
		}
		out[keys[i]] = list
	}
	return out, nil
}

// of tells whether a person has opted out of a number of an account, or of its campaign; r knows which that is. A number that nobody owns any more
// counts with what was said to itself.
func (o optOuts) of(account gateway.AccountID, person, number string, r *roster) bool {
	sources := o[gateway.Addressee{Account: account, Person: person}] // nearly always none
	if len(sources) == 0 || number == "" {
		return false
	}
	if slices.Contains(sources, number) {
		return true
	}
	n := r.numbers[number]
	return n != nil && n.Campaign != "" && slices.Contains(sources, n.Campaign)
}

// pairKey is a person and what they have opted out of.
type pairKey struct {
	account        gateway.AccountID
	source, person string
}

// mostPairs bounds what is remembered of late opt-outs. It is more than people say in the longest time that a message waits; an import of more than that
// ends no queued messages of those that were imported first.
const mostPairs = 500_000

// OptedOut hears of changes that were just committed. Messages that were accepted before, and still wait, are not sent any more: what is said now holds
// for them, too. Messages that are accepted from now on find it in the store.
func (d *Dispatcher) OptedOut(changes []gateway.OptOutChange) {
	now := d.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range changes {
		c := &changes[i]
		d.noteOptOut(&c.OptOut, c.In, now.UnixNano())
	}
}

// noteOptOut remembers an opt-out as of a time, or forgets it when the person is in again. Guarded by mu.
func (d *Dispatcher) noteOptOut(o *gateway.OptOut, in bool, at int64) {
	key := pairKey{o.Account, o.Source, o.Person}
	if in {
		delete(d.optedOut, key)
		return
	}
	if len(d.optedOut) >= mostPairs {
		return
	}
	if d.optedOut == nil {
		d.optedOut = map[pairKey]int64{}
	}
	d.optedOut[key] = at
}

// recordedWithin is how long it may take from the time of a change that an account or the operator makes until it is committed: an import may be long.
const recordedWithin = 5 * time.Minute

// recallOptOuts remembers, after a start, what was said in the longest time that a message waits. Its time is that of the request: what was accepted between that
// and the commit did not see it in the store, so what others than persons said counts for some time more. What comes after it fails at its acceptance; only answers
// to keywords do not, and those follow what persons say.
func (d *Dispatcher) recallOptOuts(ctx context.Context) error {
	recent, err := d.Store.RecentOptOuts(ctx, d.Now().Add(-gateway.DefaultExpiry))
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range recent {
		at := recent[i].At
		if recent[i].Origin != gateway.ByKeyword {
			at = at.Add(recordedWithin)
		}
		d.noteOptOut(&recent[i], false, at.UnixNano())
	}
	return nil
}

// pruneOptOuts forgets what was said so long ago that no message accepted before can still wait. Guarded by mu.
func (d *Dispatcher) pruneOptOuts(now time.Time) {
	if now.Before(d.pruneAt) {
		return
	}
	d.pruneAt = now.Add(time.Minute)
	before := now.Add(-gateway.DefaultExpiry - time.Minute).UnixNano()
	for key, at := range d.optedOut {
		if at < before {
			delete(d.optedOut, key)
		}
	}
}

// unwanted tells whether the person that a message is for has opted out of its sender, or of the sender's campaign, since it was accepted. Guarded by mu.
func (d *Dispatcher) unwanted(s *sender, m *gateway.Message) bool {
	if len(d.optedOut) == 0 {
		return false
	}
	accepted := m.AcceptedAt.UnixNano()
	if at, out := d.optedOut[pairKey{m.Account, m.From, m.To}]; out && accepted < at {
		return true
	}
	if s.campaign == nil {
		return false
	}
	at, out := d.optedOut[pairKey{m.Account, s.campaign.name, m.To}]
	return out && accepted < at
}
