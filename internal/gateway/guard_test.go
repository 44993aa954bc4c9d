package gateway

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const (
	guarded    AccountID = "MAGUARDEDGUARDEDGUAR"
	guardedSub AccountID = "SAGUARDEDGUARDEDGUAR"
	unguarded  AccountID = "MAOTHEROTHEROTHEROTH"
)

func TestGeoPermissions(t *testing.T) {
	on, off := true, false
	for _, test := range []struct {
		name      string
		main, sub GeoPermissions
		countries []string
		allowed   map[AccountID]string // what of US, NG, DE and "" is allowed
	}{
		{"nothing is said", GeoPermissions{}, GeoPermissions{}, nil, map[AccountID]string{guarded: "US NG DE -", guardedSub: "US NG DE -", unguarded: "US NG DE -"}},
		{"the installation's countries", GeoPermissions{}, GeoPermissions{}, []string{"US", "DE"}, map[AccountID]string{guarded: "US DE", guardedSub: "US DE", unguarded: "US DE"}},
		{"one off, inherited", GeoPermissions{Countries: map[string]bool{"NG": false}}, GeoPermissions{}, nil, map[AccountID]string{guarded: "US DE -", guardedSub: "US DE -", unguarded: "US NG DE -"}},
		{"one off, a subaccount overrides", GeoPermissions{Countries: map[string]bool{"NG": false}}, GeoPermissions{Countries: map[string]bool{"NG": true, "DE": false}}, nil, map[AccountID]string{guarded: "US DE -", guardedSub: "US NG -"}},
		{"all others off", GeoPermissions{Others: &off, Countries: map[string]bool{"US": true}}, GeoPermissions{}, nil, map[AccountID]string{guarded: "US", guardedSub: "US"}},
		{"a subaccount's others beat the main account's countries", GeoPermissions{Countries: map[string]bool{"NG": false}}, GeoPermissions{Others: &on}, nil, map[AccountID]string{guarded: "US DE -", guardedSub: "US NG DE -"}},
		{"more than the installation", GeoPermissions{Countries: map[string]bool{"NG": true}}, GeoPermissions{Others: &on}, []string{"US"}, map[AccountID]string{guarded: "US NG", guardedSub: "US NG DE -", unguarded: "US"}},
	} {
		guards := NewGuards([]Guard{{Account: guarded, Geo: test.main}, {Account: guardedSub, Geo: test.sub}}, map[AccountID]AccountID{guardedSub: guarded}, test.countries)
		for account, want := range test.allowed {
			var got []string
			for _, country := range []string{"US", "NG", "DE", ""} {
				if guards.Allows(account, country) {
					got = append(got, country)
				}
			}
			want := strings.ReplaceAll(want, "-", "")
			if strings.Join(got, " ") != want {
				t.Errorf("%s: %s sends to %q, want %q", test.name, account, got, want)
			}
		}
	}
	var none *Guards
	if !none.None() || !none.Allows(guarded, "NG") || none.Thresholds(guarded) != nil {
		t.Error("no guards guard something")
	}
}

func TestThresholdsAreInherited(t *testing.T) {
	mains, subs := []Threshold{{Country: "NG", PerHour: 1}}, []Threshold{{Country: "DE", PerHour: 2}}
	parents := map[AccountID]AccountID{guardedSub: guarded}
	guards := NewGuards([]Guard{{Account: guarded, Thresholds: mains, AlertURL: "https://main.example"}}, parents, nil)
	if diff := cmp.Diff(map[AccountID][]Threshold{guarded: mains, guardedSub: mains}, guards.Limited()); diff != "" {
		t.Error(diff)
	}
	if got := guards.AlertURL(guardedSub); got != "https://main.example" {
		t.Errorf("alerts go to %s", got)
	}
	guards = NewGuards([]Guard{{Account: guarded, Thresholds: mains}, {Account: guardedSub, Thresholds: subs, AlertURL: "https://sub.example"}, {Account: unguarded}}, parents, nil)
	if diff := cmp.Diff(map[AccountID][]Threshold{guarded: mains, guardedSub: subs}, guards.Limited()); diff != "" {
		t.Error(diff)
	}
	if guards.AlertURL(guardedSub) != "https://sub.example" || guards.AlertURL(guarded) != "" || guards.AlertURL(unguarded) != "" {
		t.Error("alerts go elsewhere")
	}
}

func TestHourlyCounts(t *testing.T) {
	hour := time.Date(2026, 5, 6, 12, 0, 0, 0, time.UTC)
	thresholds := []Threshold{{Country: "NG", PerHour: 3}, {Prefix: "23480", PerHour: 2}, {Country: AnyCountry, PerHour: 1}}
	ng80, ng70, de, fr := Destination{Number: "2348012345678", Country: "NG"}, Destination{Number: "2347012345678", Country: "NG"},
		Destination{Number: "4915112345678", Country: "DE"}, Destination{Number: "33612345678", Country: "FR"}
	var h HourlyCounts
	for i, step := range []struct {
		to     Destination
		after  time.Duration
		passed string
		first  bool
	}{
		{ng80, 0, "", false},
		{ng80, time.Minute, "", false},
		{ng80, time.Minute, "23480 2", true}, // and it is not counted for the country
		{ng80, time.Minute, "23480 2", false},
		{ng70, time.Minute, "", false},
		{ng70, time.Minute, "NG 3", true},
		{ng80, time.Minute, "NG 3", false},
		{de, time.Minute, "", false},
		{fr, time.Minute, "", false}, // each country for itself
		{de, 2 * time.Minute, "* 1", true},
		{fr, 2 * time.Minute, "* 1", true},
		{de, 59*time.Minute + 59*time.Second, "* 1", false},
		{de, time.Hour, "", false}, // a new hour
		{de, time.Hour, "* 1", true},
		{ng80, time.Hour, "", false},
	} {
		passed, first := h.Spend(thresholds, step.to, hour.Add(step.after))
		got := ""
		if passed != nil {
			got = fmt.Sprintf("%s%s %d", passed.Country, passed.Prefix, passed.PerHour)
		}
		if got != step.passed || first != step.first {
			t.Fatalf("step %d: passed %q, first %v, want %q, %v", i, got, first, step.passed, step.first)
		}
	}
	h.Return(thresholds, de, hour) // of an hour that is over: nothing
	if passed, _ := h.Spend(thresholds, de, hour.Add(time.Hour)); passed == nil {
		t.Error("a message of the last hour made room in this one")
	}
	h.Return(thresholds, de, hour.Add(time.Hour))
	if passed, _ := h.Spend(thresholds, de, hour.Add(time.Hour)); passed != nil {
		t.Error("what was given back makes no room")
	}
	h.Restore(map[string]int{"NG": 3, "DE": 0}, hour.Add(time.Hour))
	if passed, _ := h.Spend(thresholds, ng70, hour.Add(time.Hour)); passed == nil {
		t.Error("what was restored does not count")
	}
	if passed, _ := h.Spend(thresholds, de, hour.Add(time.Hour)); passed == nil {
		t.Error("restoring took something away")
	}
}

// TestHourlyCountsNeverPassAThreshold: whatever comes, no more than a threshold's messages pass within an hour, and each that is refused is refused by
// a threshold that is used up.
func TestHourlyCountsNeverPassAThreshold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		thresholds := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) Threshold {
			target := rapid.SampledFrom([]string{"NG", "DE", "*", "234", "23480", "49"}).Draw(t, "target")
			threshold := Threshold{PerHour: rapid.IntRange(1, 4).Draw(t, "per hour")}
			if strings.Trim(target, "0123456789") == "" {
				threshold.Prefix = target
			} else {
				threshold.Country = target
			}
			return threshold
		}), 1, 4, func(t Threshold) string { return t.Country + t.Prefix }).Draw(t, "thresholds")
		destinations := []Destination{{Number: "2348012345678", Country: "NG"}, {Number: "2347012345678", Country: "NG"}, {Number: "4915112345678", Country: "DE"}, {Number: "33612345678", Country: "FR"}}
		var h HourlyCounts
		var sent []Destination
		begin := time.Unix(1_800_000, 0)
		for range rapid.IntRange(1, 40).Draw(t, "messages") {
			to := rapid.SampledFrom(destinations).Draw(t, "to")
			used := func(threshold Threshold) (n int) {
				key, bound := threshold.key(thresholds, to)
				for _, other := range sent {
					if k, b := threshold.key(thresholds, other); bound && b && k == key {
						n++
					}
				}
				return n
			}
			passed, _ := h.Spend(thresholds, to, begin)
			full := slices.ContainsFunc(thresholds, func(threshold Threshold) bool { return used(threshold) >= threshold.PerHour })
			if full != (passed != nil) {
				t.Fatalf("to %v after %v: passed %v", to, sent, passed)
			}
			if passed == nil {
				sent = append(sent, to)
			}
		}
	})
}
