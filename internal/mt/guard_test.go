package mt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
)

const testSub = gateway.AccountID("SATESTSUBTESTSUBTEST")

// guards sets what guards the test's account, and makes the process follow.
func (w *world) guard(t *testing.T, guards ...gateway.Guard) {
	t.Helper()
	w.store.mu.Lock()
	w.store.guards = guards
	w.store.mu.Unlock()
	if w.process != nil {
		if err := w.process.service.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// abroad are destinations in the test's countries.
var abroad = map[string]gateway.Destination{
	"US": {Number: "12025550100", Country: "US"}, "NG": {Number: "2348012345678", Country: "NG"}, "NG7": {Number: "2347012345678", Country: "NG"},
	"DE": {Number: "4915112345678", Country: "DE"}, "FR": {Number: "33612345678", Country: "FR"}, "": {Number: "88123456789"},
}

// to sends one text to destinations and says what became of each message: "" when it is on its way.
func (w *world) to(t *testing.T, key string, destinations ...string) (became []string, err error) {
	t.Helper()
	req := &Request{
		Account: testAccount, Source: "4915100000000", Service: gateway.SMS, Text: "a", ReceivedAt: time.Now(), Key: key, BodyHash: [32]byte{byte(len(destinations))},
	}
	for _, d := range destinations {
		req.To = append(req.To, abroad[d])
	}
	a, err := w.process.service.Accept(t.Context(), req)
	if err != nil {
		return nil, err
	}
	for _, id := range a.Messages {
		m := w.store.message(id)
		if m.State == gateway.Failed {
			became = append(became, fmt.Sprint(m.Reason))
		} else {
			became = append(became, "")
		}
	}
	return became, nil
}

// everywhere starts a process whose carrier takes everything, with a sender that is nobody's.
func (w *world) everywhere() *process {
	p := w.start()
	p.service.Routes = gateway.Routes{{Carriers: []string{w.networks[0].name}}}
	return p
}

func forbidden(err error) bool {
	var refusal *gateway.Error
	return errors.As(err, &refusal) && refusal.Code == gateway.Forbidden && strings.Contains(refusal.Text, "geo-permission")
}

var (
	barred = fmt.Sprint(gateway.CountryBarred)
	over   = fmt.Sprint(gateway.ThresholdExceeded)
)

func TestGeoPermissions(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.everywhere()
		if _, err := w.to(t, "before", "NG"); err != nil {
			t.Fatal(err)
		}
		w.guard(t, gateway.Guard{Account: testAccount, Geo: gateway.GeoPermissions{Countries: map[string]bool{"NG": false}}})
		writes := w.store.called("InsertMessages")
		for _, destinations := range [][]string{{"NG"}, {"NG", "NG7"}} {
			if _, err := w.to(t, "", destinations...); !forbidden(err) {
				t.Errorf("to %v: %v", destinations, err)
			}
		}
		if w.store.called("InsertMessages") != writes {
			t.Error("what is refused was stored")
		}
		if became, err := w.to(t, "", "DE", "NG", "FR"); err != nil || !slices.Equal(became, []string{"", barred, ""}) {
			t.Errorf("to three countries: %v, %v", became, err)
		}
		if became, err := w.to(t, "before", "NG"); err != nil || len(became) != 1 {
			t.Errorf("a request that was answered before: %v, %v", became, err)
		}
		w.guard(t)
		if became, err := w.to(t, "", "NG"); err != nil || became[0] != "" {
			t.Errorf("switched on again: %v, %v", became, err)
		}
	}, net("net1", 100, time.Millisecond))
}

func TestCountriesOfTheInstallation(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := w.everywhere()
		p.service.Countries = []string{"US", "DE"}
		w.guard(t)
		if _, err := w.to(t, "", "US", "DE"); err != nil {
			t.Error(err)
		}
		for _, elsewhere := range []string{"NG", ""} {
			if _, err := w.to(t, "", elsewhere); !forbidden(err) {
				t.Errorf("to %q: %v", elsewhere, err)
			}
		}
	}, net("net1", 100, time.Millisecond))
}

// TestThresholds: what is beyond fails, each breach is told once, a restart and a change of settings forget nothing, and the next hour begins anew.
func TestThresholds(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var breaches []gateway.Breach
		begin := func() {
			w.everywhere().service.Breached = func(b gateway.Breach) { breaches = append(breaches, b) }
		}
		expect := func(what string, want []string, destinations ...string) {
			t.Helper()
			if became, err := w.to(t, "", destinations...); err != nil || !slices.Equal(became, want) {
				t.Errorf("%s: %q, %v, want %q", what, became, err, want)
			}
		}
		begin()
		noon := time.Now()
		expect("before there is a threshold", []string{"", ""}, "NG", "FR")
		settings := gateway.Guard{Account: testAccount, AlertURL: "https://alerts.example", Thresholds: []gateway.Threshold{
			{Country: "NG", PerHour: 4}, {Prefix: "23480", PerHour: 2},
		}}
		w.guard(t, settings)
		expect("what was sent before counts", []string{"", over, ""}, "NG", "NG", "NG7")
		expect("others do not", []string{"", ""}, "FR", "DE")
		if calls := w.store.called("SentSince"); calls != 1 {
			t.Errorf("the store was asked %d times", calls)
		}
		w.guard(t, settings)
		if calls := w.store.called("SentSince"); calls != 1 {
			t.Error("the store was asked though nothing changed")
		}
		w.process.stop()
		begin()
		expect("after a restart", []string{over, ""}, "NG", "NG7")
		expect("up to the country's", []string{over, over}, "NG7", "NG")
		want := []gateway.Breach{
			{Account: testAccount, Threshold: settings.Thresholds[1], Country: "NG", Until: noon.Add(time.Hour), AlertURL: "https://alerts.example"},
			{Account: testAccount, Threshold: settings.Thresholds[1], Country: "NG", Until: noon.Add(time.Hour), AlertURL: "https://alerts.example"}, // told anew after a restart
			{Account: testAccount, Threshold: settings.Thresholds[0], Country: "NG", Until: noon.Add(time.Hour), AlertURL: "https://alerts.example"},
		}
		if diff := cmp.Diff(want, breaches); diff != "" {
			t.Errorf("breaches (-want +got):\n%s", diff)
		}
		time.Sleep(time.Until(noon.Add(time.Hour)))
		expect("the next hour", []string{"", "", over}, "NG", "NG", "NG")
		w.guard(t)
		expect("without thresholds", []string{""}, "NG")
	}, net("net1", 100, time.Millisecond))
}

// TestWhatIsNotSentDoesNotCount: neither what fails at once, nor what could not be stored, nor what a key answers.
func TestWhatIsNotSentDoesNotCount(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := w.everywhere()
		w.guard(t, gateway.Guard{Account: testAccount, Thresholds: []gateway.Threshold{{Country: gateway.AnyCountry, PerHour: 2}}})
		if became, err := w.to(t, "", "US"); err != nil || became[0] == "" { // no number of the account
			t.Fatalf("%v, %v", became, err)
		}
		w.store.setFull(true)
		for range 3 {
			if _, err := w.to(t, "", "DE"); err == nil {
				t.Fatal("taken on a full disk")
			}
		}
		w.store.setFull(false)
		for range 3 {
			if became, err := w.to(t, "again", "DE"); err != nil || became[0] != "" {
				t.Fatalf("%v, %v", became, err)
			}
		}
		for i, want := range []string{"", over} {
			if became, err := w.to(t, "", "DE"); err != nil || became[0] != want {
				t.Errorf("message %d: %v, %v", i, became, err)
			}
		}
		p.stop()
	}, net("net1", 100, time.Millisecond))
}

// TestSubaccountsInheritThresholds, and count for themselves.
func TestSubaccountsInheritThresholds(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.store.parents = map[gateway.AccountID]gateway.AccountID{testSub: testAccount}
		p := w.everywhere()
		w.guard(t, gateway.Guard{Account: testAccount, Thresholds: []gateway.Threshold{{Country: "DE", PerHour: 1}}})
		for _, account := range []gateway.AccountID{testAccount, testSub} {
			for i, want := range []gateway.State{gateway.Queued, gateway.Failed} {
				a, err := p.service.Accept(context.Background(), &Request{
					Account: account, Source: "4915100000000", Service: gateway.SMS, Text: "a", ReceivedAt: time.Now(), To: []gateway.Destination{abroad["DE"]},
				})
				if err != nil {
					t.Fatal(err)
				}
				if m := w.store.message(a.Messages[0]); (m.State == gateway.Failed) != (want == gateway.Failed) {
					t.Errorf("message %d of %s is %s", i, account, m.State)
				}
			}
		}
	}, net("net1", 100, time.Millisecond))
}
