package plivo

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// parentKinds are the kinds that others belong to.
var parentKinds = map[gateway.RegistrationKind]gateway.RegistrationKind{
	gateway.BusinessProfile: gateway.BusinessProfile, gateway.Brand: gateway.BusinessProfile, gateway.RegisteredCampaign: gateway.Brand,
	gateway.TollFreeVerification: gateway.BusinessProfile,
}

func (s *fakeStore) CreateRegistration(_ context.Context, r gateway.Registration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	if s.registration(r.Account, 0, r.ID) != nil {
		return gateway.Errorf(gateway.Conflict, "%s %s exists already", r.Kind, r.ID)
	}
	if err := s.hasParent(&r); err != nil {
		return err
	}
	if r.Kind == gateway.TollFreeVerification {
		n, err := s.ownNumber(r.Account, r.Number)
		if err != nil || n.Type != gateway.TollFree {
			return gateway.Errorf(gateway.Invalid, "number is not a toll-free number of the account")
		}
		if last, ok := s.verification(r.Account, r.Number); ok && last.State != gateway.Refused {
			return gateway.Errorf(gateway.Conflict, "the number has a verification already")
		}
	}
	s.registered = append(s.registered, r)
	return nil
}

func (s *fakeStore) hasParent(r *gateway.Registration) error {
	if r.Parent != "" && s.registration(r.Account, parentKinds[r.Kind], r.Parent) == nil {
		return gateway.Errorf(gateway.Invalid, "there is no such %s", parentKinds[r.Kind])
	}
	return nil
}

func (s *fakeStore) registration(account gateway.AccountID, kind gateway.RegistrationKind, id string) *gateway.Registration {
	for i := range s.registered {
		if r := &s.registered[i]; r.Account == account && r.ID == id && (kind == 0 || r.Kind == kind) {
			return r
		}
	}
	return nil
}

func (s *fakeStore) Registration(_ context.Context, account gateway.AccountID, kind gateway.RegistrationKind, id string) (gateway.Registration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return gateway.Registration{}, s.err
	}
	if r := s.registration(account, kind, id); r != nil {
		return *r, nil
	}
	return gateway.Registration{}, gateway.Errorf(gateway.NotFound, "registration not found")
}

func (s *fakeStore) Registrations(_ context.Context, f gateway.RegistrationFilter) ([]gateway.Registration, int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []gateway.Registration
	for _, r := range slices.Backward(s.registered) {
		if (f.Account == "" || f.Account == r.Account) && (f.Kind == 0 || f.Kind == r.Kind) && (len(f.States) == 0 || slices.Contains(f.States, r.State)) &&
			(f.Parent == "" || f.Parent == r.Parent) && (f.Number == "" || f.Number == r.Number) && !r.CreatedAt.Before(f.After) &&
			(f.Before.IsZero() || r.CreatedAt.Before(f.Before)) && fitsDetails(&r, f.Details) {
			found = append(found, r)
		}
	}
	return cut(found, f.Limit, f.Offset), len(found), s.err
}

func fitsDetails(r *gateway.Registration, wanted map[string]string) bool {
	var told map[string]any
	_ = json.Unmarshal(r.Details, &told)
	for name, value := range wanted {
		if !slices.Contains(strings.Split(fmt.Sprint(told[name]), ","), value) {
			return false
		}
	}
	return true
}

func (s *fakeStore) ChangeRegistration(_ context.Context, account gateway.AccountID, kind gateway.RegistrationKind, id string, change func(*gateway.Registration) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.registration(account, kind, id)
	if r == nil || s.err != nil {
		return s.missing("registration")
	}
	changed := *r
	if err := change(&changed); err != nil {
		return err
	}
	if err := s.hasParent(&changed); err != nil {
		return err
	}
	*r = changed
	return nil
}

// missing is the error about what is not there, or the one that every method fails with.
func (s *fakeStore) missing(what string) error {
	if s.err != nil {
		return s.err
	}
	return gateway.Errorf(gateway.NotFound, "%s not found", what)
}

func (s *fakeStore) DeleteRegistration(_ context.Context, account gateway.AccountID, kind gateway.RegistrationKind, id string, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.registration(account, kind, id) == nil || s.err != nil {
		return s.missing("registration")
	}
	for _, r := range s.registered {
		if r.Account == account && r.Parent == id {
			return gateway.Errorf(gateway.Conflict, "a %s belongs to it; delete that first", r.Kind)
		}
	}
	for i := range s.numbers {
		if n := &s.numbers[i]; n.Account == account && (n.Campaign == id || n.Linking == id) {
			n.Campaign, n.Linking = "", ""
		}
	}
	s.registered = slices.DeleteFunc(s.registered, func(r gateway.Registration) bool { return r.Account == account && r.ID == id })
	return nil
}

func (s *fakeStore) LinkNumbers(_ context.Context, account gateway.AccountID, campaign string, numbers []string, to gateway.Callback, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.registration(account, gateway.RegisteredCampaign, campaign)
	if r == nil || s.err != nil {
		return s.missing("campaign")
	}
	for _, number := range numbers {
		n, err := s.ownNumber(account, number)
		switch {
		case err != nil || !n.Linkable():
			return gateway.Errorf(gateway.Invalid, "The number %s is not a valid number", number)
		case n.Campaign != "" || n.Linking != "":
			return gateway.Errorf(gateway.Conflict, "The number %s is already requested for linking", number)
		}
	}
	for _, number := range numbers {
		n, _ := s.ownNumber(account, number)
		if r.State == gateway.Approved {
			n.Campaign = campaign
		} else {
			n.Linking = campaign
		}
	}
	s.hooks = append(s.hooks, to)
	return nil
}

func (s *fakeStore) UnlinkNumber(_ context.Context, account gateway.AccountID, campaign, number string, to gateway.Callback, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.registration(account, gateway.RegisteredCampaign, campaign) == nil || s.err != nil {
		return s.missing("campaign")
	}
	n, err := s.ownNumber(account, number)
	if err != nil || n.Campaign != campaign && n.Linking != campaign {
		return gateway.Errorf(gateway.Invalid, "The number %s is not linked to this campaign", number)
	}
	n.Campaign, n.Linking = "", ""
	s.hooks = append(s.hooks, to)
	return nil
}

func (s *fakeStore) verification(account gateway.AccountID, number string) (gateway.Registration, bool) {
	for _, r := range slices.Backward(s.registered) {
		if r.Account == account && r.Number == number {
			return r, true
		}
	}
	return gateway.Registration{}, false
}

func (s *fakeStore) Verifications(_ context.Context, account gateway.AccountID, numbers []string) (map[string]gateway.Registration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[string]gateway.Registration{}
	for _, number := range numbers {
		if r, ok := s.verification(account, number); ok {
			found[number] = r
		}
	}
	return found, s.err
}

func (s *fakeStore) NumbersOf(_ context.Context, account gateway.AccountID, numbers []string) (map[string]gateway.Number, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[string]gateway.Number{}
	for _, n := range s.numbers {
		if n.Account == account && slices.Contains(numbers, n.Number) {
			found[n.Number] = n
		}
	}
	return found, s.err
}

// registeredFits are the parts of a filter of numbers that are about registrations.
func (s *fakeStore) registeredFits(n *gateway.Number, f gateway.NumberFilter) bool {
	r, verified := s.verification(n.Account, n.Number)
	unverified := n.Type == gateway.TollFree && (!verified || r.State == gateway.Refused || r.State == gateway.Incomplete)
	return (f.Campaign == "" || f.Campaign == n.Campaign || f.Campaign == n.Linking) &&
		(f.Linked == nil || *f.Linked && n.Campaign != "" || !*f.Linked && n.Linking != "") &&
		(f.Verified == nil || verified && r.State == *f.Verified) && (!f.Unverified || unverified)
}

// decide does what an operator does.
func (s *fakeStore) decide(account gateway.AccountID, id string, d gateway.Decision) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.registration(account, 0, id).Decision = d
	for i := range s.numbers {
		if n := &s.numbers[i]; n.Linking == id && d.State == gateway.Approved {
			n.Campaign, n.Linking = id, ""
		}
	}
}
