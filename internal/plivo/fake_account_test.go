package plivo

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// fakeAccounts is what the fake store knows of accounts besides their credentials. Those of the methods below hold to what Store's comments
// say.
type fakeAccounts struct {
	applications []gateway.Application
	profiles     map[gateway.AccountID]gateway.Profile
	modified     map[gateway.AccountID]time.Time
	made         []gateway.AccountID // subaccounts, in the order in which the API made them
}

func (s *fakeStore) Profile(_ context.Context, id gateway.AccountID) (gateway.Profile, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.profiles[id]
	p.Name = s.accounts[id].Name
	return p, s.err
}

func (s *fakeStore) ChangeProfile(_ context.Context, id gateway.AccountID, change gateway.ProfileChange) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	p, account := s.profiles[id], s.accounts[id]
	for _, field := range [...]struct{ to, from *string }{
		{&account.Name, change.Name}, {&p.Address, change.Address}, {&p.City, change.City}, {&p.State, change.State}, {&p.Timezone, change.Timezone},
	} {
		if field.from != nil {
			*field.to = *field.from
		}
	}
	if s.profiles == nil {
		s.profiles = map[gateway.AccountID]gateway.Profile{}
	}
	s.profiles[id], s.accounts[id] = p, account
	return nil
}

func (s *fakeStore) Wallet(_ context.Context, id gateway.AccountID) (gateway.Wallet, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accounts[id].Wallet, s.err
}

func (s *fakeStore) CreateAccount(_ context.Context, account gateway.Account) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	s.accounts[account.ID] = account
	s.made = append(s.made, account.ID)
	return nil
}

func (s *fakeStore) Subaccounts(_ context.Context, parent gateway.AccountID, limit, offset int) ([]gateway.Subaccount, int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []gateway.Subaccount
	for _, id := range slices.Backward(s.made) {
		if sub, err := s.subaccount(parent, id); err == nil {
			found = append(found, sub)
		}
	}
	return cut(found, limit, offset), len(found), s.err
}

func (s *fakeStore) Subaccount(_ context.Context, parent, id gateway.AccountID) (gateway.Subaccount, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.subaccount(parent, id)
}

func (s *fakeStore) subaccount(parent, id gateway.AccountID) (gateway.Subaccount, error) {
	account, ok := s.accounts[id]
	switch {
	case s.err != nil:
		return gateway.Subaccount{}, s.err
	case !ok || account.Parent != parent || !account.RemovedAt.IsZero():
		return gateway.Subaccount{}, gateway.Errorf(gateway.NotFound, "subaccount %s not found", id)
	}
	return gateway.Subaccount{Account: account, ModifiedAt: s.modified[id]}, nil
}

func (s *fakeStore) ChangeSubaccount(_ context.Context, parent, id gateway.AccountID, change gateway.SubaccountChange, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub, err := s.subaccount(parent, id)
	if err != nil {
		return err
	}
	if change.Name != nil {
		sub.Name = *change.Name
	}
	if change.Enabled != nil {
		sub.Enabled = *change.Enabled
	}
	if s.modified == nil {
		s.modified = map[gateway.AccountID]time.Time{}
	}
	s.accounts[id], s.modified[id] = sub.Account, at
	return nil
}

func (s *fakeStore) RemoveSubaccount(_ context.Context, parent, id gateway.AccountID, cascade bool, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub, err := s.subaccount(parent, id)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(s.messages, func(m *gateway.Message) bool { return m.Account == id && m.State == gateway.Queued }) {
		return gateway.Errorf(gateway.Conflict, "the subaccount has messages that have not left yet")
	}
	for i := range s.numbers {
		switch n := &s.numbers[i]; {
		case n.Account != id:
		case cascade:
			leave(n, true)
		default:
			n.Account = parent
		}
	}
	for i := range s.powerpacks {
		if s.powerpacks[i].Account == id && !cascade {
			s.powerpacks[i].Account = parent
		}
	}
	for i := range s.applications {
		if app := &s.applications[i]; app.Account == id && !cascade {
			app.Account, app.DefaultNumber, app.DefaultEndpoint = parent, false, false
		}
	}
	for i := range s.media {
		if s.media[i].Account == id && !cascade {
			s.media[i].Account = parent
		}
	}
	s.media = slices.DeleteFunc(s.media, func(m gateway.Medium) bool { return m.Account == id })
	s.powerpacks = slices.DeleteFunc(s.powerpacks, func(p gateway.Powerpack) bool { return p.Account == id })
	s.applications = slices.DeleteFunc(s.applications, func(app gateway.Application) bool { return app.Account == id })
	sub.RemovedAt = at
	s.accounts[id] = sub.Account
	return nil
}

func (s *fakeStore) CreateApplication(_ context.Context, app gateway.Application) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	s.applications = append(s.applications, app)
	s.onlyDefault(&app)
	return nil
}

func (s *fakeStore) onlyDefault(app *gateway.Application) {
	for i := range s.applications {
		if other := &s.applications[i]; other.Account == app.Account && other.ID != app.ID {
			other.DefaultNumber = other.DefaultNumber && !app.DefaultNumber
			other.DefaultEndpoint = other.DefaultEndpoint && !app.DefaultEndpoint
		}
	}
}

func (s *fakeStore) Application(_ context.Context, account gateway.AccountID, id string) (gateway.Application, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	app, err := s.application(account, id)
	if err != nil {
		return gateway.Application{}, err
	}
	return *app, nil
}

func (s *fakeStore) application(account gateway.AccountID, id string) (*gateway.Application, error) {
	if s.err != nil {
		return nil, s.err
	}
	for i := range s.applications {
		app := &s.applications[i]
		if app.ID == id && (app.Account == account || s.accounts[app.Account].Parent == account) {
			return app, nil
		}
	}
	return nil, gateway.Errorf(gateway.NotFound, "application %s not found", id)
}

func (s *fakeStore) Applications(_ context.Context, f gateway.ApplicationFilter) ([]gateway.Application, int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []gateway.Application
	for _, app := range slices.Backward(s.applications) {
		if app.Account == f.Account && strings.HasPrefix(app.Name, f.Name) {
			found = append(found, app)
		}
	}
	return cut(found, f.Limit, f.Offset), len(found), s.err
}

func (s *fakeStore) DefaultApplication(_ context.Context, account gateway.AccountID) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, app := range s.applications {
		if app.Account == account && app.DefaultNumber {
			return app.ID, s.err
		}
	}
	return "", s.err
}

func (s *fakeStore) ChangeApplication(_ context.Context, account gateway.AccountID, id string, change func(*gateway.Application) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	app, err := s.application(account, id)
	if err != nil {
		return err
	}
	changed := *app
	if err := change(&changed); err != nil {
		return err
	}
	if changed.Account != app.Account {
		s.unlink(id)
	}
	*app = changed
	s.onlyDefault(&changed)
	return nil
}

func (s *fakeStore) DeleteApplication(_ context.Context, account gateway.AccountID, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.application(account, id); err != nil {
		return err
	}
	s.applications = slices.DeleteFunc(s.applications, func(app gateway.Application) bool { return app.ID == id })
	s.unlink(id)
	return nil
}

func (s *fakeStore) unlink(id string) {
	for i := range s.numbers {
		if s.numbers[i].Application == id {
			s.numbers[i].Application = ""
		}
	}
	for i := range s.powerpacks {
		if s.powerpacks[i].ApplicationID == id {
			s.powerpacks[i].ApplicationType, s.powerpacks[i].ApplicationID = "", ""
		}
	}
}

// linkable refuses to link an application that the account has not.
func (s *fakeStore) linkable(account gateway.AccountID, id string) error {
	if id == "" || slices.ContainsFunc(s.applications, func(app gateway.Application) bool { return app.ID == id && app.Account == account }) {
		return nil
	}
	return gateway.Errorf(gateway.Invalid, "there is no such application")
}

// giveApplications gives an account applications of which only the ids are known.
func (s *server) giveApplications(account gateway.AccountID, ids ...string) {
	post := gateway.Callback{Method: "POST"}
	for _, id := range ids {
		s.store.applications = append(s.store.applications, gateway.Application{
			ID: id, Account: account, Name: "app-" + id, Message: post, Answer: post, Hangup: post, Fallback: post, LogIncoming: true,
		})
	}
}
