package plivo

import (
	"cmp"
	"context"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// fakeStore keeps everything in memory. It holds to what Store's comments say.
type fakeStore struct {
	mu         sync.Mutex
	accounts   map[gateway.AccountID]gateway.Account
	messages   []*gateway.Message
	powerpacks []gateway.Powerpack
	numbers    []gateway.Number
	registered []gateway.Registration // in the order in which they were made
	hooks      []gateway.Callback     // of linkings and unlinkings
	feedback   map[gateway.ID]gateway.Conversion
	optOuts    []gateway.OptOut // newest last
	trail      []gateway.OptOutChange
	talk       gateway.ConversationFilter // that was asked for last
	fakeAccounts
	fakeMedia

	reads  int   // of accounts
	err    error // every method fails with it
	filter gateway.MessageFilter
}

func (s *fakeStore) Account(_ context.Context, id gateway.AccountID) (gateway.Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	a, ok := s.accounts[id]
	if !ok {
		return gateway.Account{}, gateway.Errorf(gateway.NotFound, "not found")
	}
	return a, nil
}

func (s *fakeStore) Message(_ context.Context, account gateway.AccountID, id gateway.ID) (*gateway.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	for _, m := range s.messages {
		if m.ID == id && (m.Account == account || s.accounts[m.Account].Parent == account) {
			return m, nil
		}
	}
	return nil, gateway.Errorf(gateway.NotFound, "message %s not found", id)
}

func (s *fakeStore) Messages(_ context.Context, f gateway.MessageFilter) ([]*gateway.Message, int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.filter = f
	var found []*gateway.Message
	for _, m := range s.messages {
		n, err := s.ownNumber(m.Account, m.From)
		if f.Campaign != "" && (err != nil || n.Campaign != f.Campaign) || f.Registered != nil && (err != nil || !n.Linkable() || (n.Campaign != "") != *f.Registered) {
			continue
		}
		if fitsMessage(m, f) {
			found = append(found, m)
		}
	}
	slices.SortFunc(found, func(a, b *gateway.Message) int { return cmp.Compare(b.ID.Seq(), a.ID.Seq()) })
	return cut(found, f.Limit, f.Offset), len(found), s.err
}

func fitsMessage(m *gateway.Message, f gateway.MessageFilter) bool {
	return m.Account == f.Account && !m.AcceptedAt.Before(f.After) && (f.Before.IsZero() || m.AcceptedAt.Before(f.Before)) &&
		(f.Direction == nil || *f.Direction == m.Direction) && (f.State == nil || *f.State == m.State) &&
		(f.Service == 0 || f.Service == m.Service) && (len(f.Reasons) == 0 || slices.Contains(f.Reasons, m.Reason)) &&
		(f.Powerpack.IsZero() || f.Powerpack == m.Powerpack) && (f.From == "" || f.From == m.From) && (f.To == "" || f.To == m.To) &&
		(f.Country == "" || f.Country == m.Country)
}

func (s *fakeStore) Conversation(_ context.Context, f gateway.ConversationFilter) ([]*gateway.Message, int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.talk = f
	var found []*gateway.Message
	for _, m := range s.messages {
		number, person := m.From, m.To
		if m.Direction == gateway.Inbound {
			number, person = m.To, m.From
		}
		if m.Account == f.Account && person == f.Person && (f.Number == "" || f.Number == number) && m.Log != gateway.LogNothing && m.Log != gateway.LogContentOnly {
			found = append(found, m)
		}
	}
	slices.SortFunc(found, func(a, b *gateway.Message) int { return cmp.Compare(a.ID.Seq(), b.ID.Seq()) })
	if !f.OldestFirst {
		slices.Reverse(found)
	}
	return cut(found, f.Limit, f.Offset), len(found), s.err
}

func (s *fakeStore) OptOuts(_ context.Context, f gateway.OptOutFilter) ([]gateway.OptOut, int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []gateway.OptOut
	for _, o := range slices.Backward(s.optOuts) {
		if o.Account == f.Account && (f.Person == "" || f.Person == o.Person) && (f.Source == "" || f.Source == o.Source) &&
			!o.At.Before(f.After) && (f.Before.IsZero() || o.At.Before(f.Before)) {
			found = append(found, o)
		}
	}
	return cut(found, f.Limit, f.Offset), len(found), s.err
}

func (s *fakeStore) ChangeOptOuts(_ context.Context, changes []gateway.OptOutChange) ([]bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	changed := make([]bool, len(changes))
	for i, c := range changes {
		at := slices.IndexFunc(s.optOuts, func(o gateway.OptOut) bool {
			return o.Account == c.Account && o.Source == c.Source && o.Person == c.Person
		})
		if changed[i] = (at >= 0) == c.In; !changed[i] {
			continue
		}
		s.trail = append(s.trail, c)
		if c.In {
			s.optOuts = slices.Delete(s.optOuts, at, at+1)
		} else {
			s.optOuts = append(s.optOuts, c.OptOut)
		}
	}
	return changed, nil
}

func cut[T any](all []T, limit, offset int) []T {
	all = all[min(offset, len(all)):]
	return all[:min(limit, len(all))]
}

func (s *fakeStore) RecordConversions(ctx context.Context, batch []gateway.Conversion) ([]error, error) {
	results := make([]error, len(batch))
	for i, c := range batch {
		m, err := s.Message(ctx, c.Account, c.Message)
		if err == nil && !m.Trackable {
			err = gateway.Errorf(gateway.Invalid, "the message is not trackable")
		}
		if results[i] = err; err != nil {
			continue
		}
		if s.feedback == nil {
			s.feedback = map[gateway.ID]gateway.Conversion{}
		}
		s.feedback[c.Message] = c
	}
	return results, s.err
}

func (s *fakeStore) CreatePowerpack(_ context.Context, p gateway.Powerpack) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, other := range s.powerpacks {
		if other.Account == p.Account && other.Name == p.Name {
			return gateway.Errorf(gateway.Conflict, "there is a powerpack of that name")
		}
	}
	if err := s.linkable(p.Account, p.ApplicationID); err != nil {
		return err
	}
	s.powerpacks = append(s.powerpacks, p)
	return s.err
}

func (s *fakeStore) UpdatePowerpack(_ context.Context, p gateway.Powerpack) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.linkable(p.Account, p.ApplicationID); err != nil {
		return err
	}
	for i, other := range s.powerpacks {
		if other.Account == p.Account && other.Name == p.Name && other.ID != p.ID {
			return gateway.Errorf(gateway.Conflict, "there is a powerpack of that name")
		}
		if other.ID == p.ID {
			s.powerpacks[i] = p
		}
	}
	return s.err
}

func (s *fakeStore) find(match func(*gateway.Powerpack) bool) (gateway.Powerpack, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return gateway.Powerpack{}, s.err
	}
	for i := range s.powerpacks {
		if match(&s.powerpacks[i]) {
			return s.powerpacks[i], nil
		}
	}
	return gateway.Powerpack{}, gateway.Errorf(gateway.NotFound, "powerpack not found")
}

func (s *fakeStore) Powerpack(_ context.Context, account gateway.AccountID, id gateway.ID) (gateway.Powerpack, error) {
	return s.find(func(p *gateway.Powerpack) bool { return p.Account == account && p.ID == id })
}

func (s *fakeStore) PowerpackOfPool(_ context.Context, account gateway.AccountID, pool gateway.ID) (gateway.Powerpack, error) {
	return s.find(func(p *gateway.Powerpack) bool { return p.Account == account && p.Pool == pool })
}

func (s *fakeStore) Powerpacks(_ context.Context, account gateway.AccountID, limit, offset int) ([]gateway.Powerpack, int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []gateway.Powerpack
	for _, p := range slices.Backward(s.powerpacks) {
		if p.Account == account {
			found = append(found, p)
		}
	}
	return cut(found, limit, offset), len(found), s.err
}

func (s *fakeStore) DeletePowerpack(_ context.Context, account gateway.AccountID, id gateway.ID, unrent bool) error {
	p, err := s.Powerpack(context.Background(), account, id)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.powerpacks = slices.DeleteFunc(s.powerpacks, func(other gateway.Powerpack) bool { return other.ID == id })
	for i := range s.numbers {
		if s.numbers[i].Pool == p.Pool {
			leave(&s.numbers[i], unrent)
		}
	}
	return nil
}

func leave(n *gateway.Number, unrent bool) {
	n.Pool, n.Service, n.AddedAt = gateway.ID{}, 0, n.RentedAt
	if unrent {
		n.Campaign, n.Linking = "", ""
		n.Account, n.Alias, n.Application, n.RentedAt, n.AddedAt = "", "", "", time.Time{}, time.Time{}
	}
}

func (s *fakeStore) Number(_ context.Context, account gateway.AccountID, number string) (gateway.Number, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.ownNumber(account, number)
	if err != nil {
		return gateway.Number{}, err
	}
	return *n, nil
}

func (s *fakeStore) ownNumber(account gateway.AccountID, number string) (*gateway.Number, error) {
	if s.err != nil {
		return nil, s.err
	}
	for i := range s.numbers {
		if n := &s.numbers[i]; n.Number == number && n.Account == account {
			return n, nil
		}
	}
	return nil, gateway.Errorf(gateway.NotFound, "number not found")
}

func (s *fakeStore) NumberOwner(_ context.Context, account gateway.AccountID, number string) (gateway.AccountID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.numbers {
		if n.Number == number && n.Account != "" && (n.Account == account || s.accounts[n.Account].Parent == account) && s.err == nil {
			return n.Account, nil
		}
	}
	return "", s.missing("number")
}

func (s *fakeStore) RentNumber(_ context.Context, account gateway.AccountID, number, application string, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.ownNumber(account, number); err == nil {
		return gateway.Errorf(gateway.Conflict, "the account rents this number already")
	}
	n, err := s.ownNumber("", number)
	if err == nil {
		err = s.linkable(account, application)
	}
	if err != nil {
		return err
	}
	n.Account, n.Application, n.AddedAt, n.RentedAt = account, application, at, at
	return nil
}

func (s *fakeStore) AddNumbers(_ context.Context, numbers []gateway.Number) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var fresh []gateway.Number
	for _, n := range numbers {
		if _, err := s.ownNumber(n.Account, n.Number); err == nil {
			continue
		}
		if slices.ContainsFunc(s.numbers, func(other gateway.Number) bool { return other.Number == n.Number }) {
			return gateway.Errorf(gateway.Conflict, "%s cannot be added", n.Number)
		}
		if err := s.linkable(n.Account, n.Application); err != nil {
			return err
		}
		n.RentedAt = n.AddedAt
		fresh = append(fresh, n)
	}
	s.numbers = append(s.numbers, fresh...)
	return nil
}

func (s *fakeStore) ChangeNumber(_ context.Context, account gateway.AccountID, number string, change gateway.NumberChange) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.ownNumber(account, number)
	if err != nil {
		return err
	}
	if change.Account != "" && change.Account != account {
		leave(n, false)
		n.Account, n.Application = change.Account, ""
	}
	if change.Alias != nil {
		n.Alias = *change.Alias
	}
	if change.Application != nil {
		if err := s.linkable(n.Account, *change.Application); err != nil {
			return err
		}
		n.Application = *change.Application
	}
	return nil
}

func (s *fakeStore) UnrentNumber(_ context.Context, account gateway.AccountID, number string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.ownNumber(account, number)
	if err == nil {
		leave(n, true)
	}
	return err
}

func (s *fakeStore) Numbers(_ context.Context, f gateway.NumberFilter) ([]gateway.Number, int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []gateway.Number
	for _, n := range s.numbers {
		prefixed := len(f.Prefixes) == 0 || slices.ContainsFunc(f.Prefixes, func(p string) bool { return strings.HasPrefix(n.Number, p) })
		if prefixed && (f.Account == "" || f.Account == n.Account) && (f.Pool.IsZero() || f.Pool == n.Pool) &&
			(len(f.Types) == 0 || slices.Contains(f.Types, n.Type)) && (f.Country == "" || f.Country == n.Country) &&
			(f.Service == 0 || f.Service == n.Service) && (!f.Inventory || n.Account == "") && (f.Region == "" || f.Region == n.Region) &&
			n.Services&f.Carries == f.Carries && s.registeredFits(&n, f) && (f.Alias == "" || f.Alias == n.Alias) && begins(n.Number, f.Pattern) {
			found = append(found, n)
		}
	}
	slices.SortStableFunc(found, func(a, b gateway.Number) int { return a.AddedAt.Compare(b.AddedAt) })
	return cut(found, f.Limit, f.Offset), len(found), s.err
}

// begins tells whether a number begins with a pattern.
func begins(number, pattern string) bool {
	fits, err := path.Match(pattern+"*", number)
	return fits && err == nil
}

func (s *fakeStore) AddToPool(_ context.Context, account gateway.AccountID, pool gateway.ID, number string, service gateway.Service, rent bool, at time.Time) (gateway.Number, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.numbers {
		n := &s.numbers[i]
		switch {
		case n.Number != number || n.Account != account && (n.Account != "" || !rent):
			continue
		case !n.Pool.IsZero() && n.Pool != pool:
			return gateway.Number{}, gateway.Errorf(gateway.Conflict, "the number is in another number pool")
		case n.Type == gateway.ShortCode && slices.ContainsFunc(s.numbers, func(other gateway.Number) bool {
			return other.Pool == pool && other.Type == n.Type && other.Country == n.Country && other.Number != number
		}):
			return gateway.Number{}, gateway.Errorf(gateway.Conflict, "the powerpack has a short code for %s already", n.Country)
		case !n.Services.Has(service):
			return gateway.Number{}, gateway.Errorf(gateway.Invalid, "the number cannot carry %s", service)
		}
		if n.Account == "" {
			n.Account, n.RentedAt = account, at
		}
		if n.Service = service; n.Pool != pool {
			n.Pool, n.AddedAt = pool, at
		}
		return *n, s.err
	}
	return gateway.Number{}, gateway.Errorf(gateway.NotFound, "number %s not found", number)
}

func (s *fakeStore) RemoveFromPool(_ context.Context, account gateway.AccountID, pool gateway.ID, number string, unrent bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.numbers {
		if n := &s.numbers[i]; n.Number == number && n.Account == account && n.Pool == pool {
			leave(n, unrent)
			return nil
		}
	}
	return gateway.Errorf(gateway.NotFound, "not found")
}
