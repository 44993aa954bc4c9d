package plivo

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
)

const optOutPath = mainPath + "/OptOut/"

// TestOptOuts: opting out and in, one by one and many at once, is told once and leaves a trail.
func TestOptOuts(t *testing.T) {
	var told []gateway.OptOutChange
	s := newServer(t, func(cfg *Config) {
		cfg.OptedOut = func(changes []gateway.OptOutChange) { told = append(told, changes...) }
	})
	s.store.numbers = append(s.store.numbers, s.number("14155550100", mainID), s.number("444444", mainID))
	change := func(person string, in bool) gateway.OptOutChange {
		return gateway.OptOutChange{OptOut: gateway.OptOut{Account: mainID, Source: "14155550100", Person: person, At: s.now, Origin: gateway.ByAccount}, In: in, Note: "192.0.2.1"}
	}
	var want []gateway.OptOutChange
	for i, step := range []struct {
		method, query, body, message string
		changes                      []gateway.OptOutChange
	}{
		{"POST", "", `{"number":"+1 415-222-3333","source":"+14155550100"}`, "opted out", []gateway.OptOutChange{change("14152223333", false)}},
		{"POST", "", `{"number":"14152223333","source":"14155550100"}`, "opted out", nil},
		{"POST", "", `{"numbers":["14152223333",14152223334,"14152223335","14152223335"],"source":14155550100}`, "opted out", []gateway.OptOutChange{change("14152223334", false), change("14152223335", false)}},
		{"DELETE", "?number=14152223334&source=14155550100", "", "opted in", []gateway.OptOutChange{change("14152223334", true)}},
		{"DELETE", "", `{"number":"14152223334,14152223335","source":"14155550100"}`, "opted in", []gateway.OptOutChange{change("14152223335", true)}},
		{"DELETE", "", `{"number":"14152223335","source":"14155559999"}`, "opted in", nil}, // a number that it has not any more
	} {
		r := s.ok(s.do(ask{method: step.method, path: optOutPath + step.query, body: step.body}), 200)
		if r.string("message") != step.message || r.body["changed"] != float64(len(step.changes)) {
			t.Errorf("step %d: %s", i, r.text)
		}
		want = append(want, step.changes...)
		if diff := cmp.Diff(want, told); diff != "" {
			t.Errorf("step %d: %s", i, diff)
		}
	}
	if diff := cmp.Diff(want, s.store.trail); diff != "" {
		t.Error(diff)
	}
	if s.changes != 0 {
		t.Error("the senders were read anew")
	}
}

// TestOptOutSources: one opts out of numbers of the account, and of campaigns that it registered or that its numbers are in.
func TestOptOutSources(t *testing.T) {
	s := newServer(t)
	s.store.numbers = append(s.store.numbers, s.number("14155550100", mainID), s.number("14155550109", strangerID))
	s.store.numbers[0].Campaign, s.store.numbers[1].Campaign = "operators-own_1", "theirs"
	s.store.registered = append(s.store.registered,
		gateway.Registration{ID: "CMINE12", Kind: gateway.RegisteredCampaign, Account: mainID}, gateway.Registration{ID: "CTHEIRS", Kind: gateway.RegisteredCampaign, Account: strangerID},
		gateway.Registration{ID: "BBRAND1", Kind: gateway.Brand, Account: mainID})
	for source, ok := range map[string]bool{
		"14155550100": true, "(415) 555-0100": false, "+1 (415) 555-0100": true, "operators-own_1": true, "CMINE12": true, " CMINE12 ": true,
		"14155550109": false, "theirs": false, "CTHEIRS": false, "BBRAND1": false, "cmine12": false, "nobody": false,
	} {
		r := s.do(ask{method: "POST", path: optOutPath, body: fmt.Sprintf(`{"number":"14152223333","source":%q}`, source)})
		if ok {
			s.ok(r, 200)
		} else {
			s.refused(r, 400, "source is neither a number of the account nor a campaign of its numbers")
		}
	}
	if len(s.store.optOuts) != 3 {
		t.Errorf("%+v", s.store.optOuts)
	}
}

func TestOptOutRefusals(t *testing.T) {
	s := newServer(t)
	s.store.numbers = append(s.store.numbers, s.number("14155550100", mainID))
	for body, text := range map[string]string{
		`{"source":"14155550100"}`:                           "number parameter not present",
		`{"number":"14152223333"}`:                           "source parameter not present",
		`{"number":"14152223333","source":" "}`:              "source parameter not present",
		`{"number":"14152223333,12","source":"14155550100"}`: "'12' is not a valid phone number.",
		`{"number":{},"source":"14155550100"}`:               "number must be a list of strings",
		`{"number":"14152223333","source":[]}`:               "source parameter not present",
		`{"number":"1","source":{}}`:                         "'1' is not a valid phone number.",

		`{"numbers":"` + strings.Repeat("14152223333,", 1001) + `","source":"14155550100"}`: "at most 1000 numbers are changed at once",
	} {
		for _, method := range []string{"POST", "DELETE"} {
			s.refused(s.do(ask{method: method, path: optOutPath, body: body}), 400, text)
		}
	}
	if len(s.store.trail) != 0 {
		t.Error("something was changed")
	}
}

// TestListOptOuts: each opt-out to the letter, and each filter.
func TestListOptOuts(t *testing.T) {
	s := newServer(t)
	for i, o := range []gateway.OptOut{
		{Source: "14155550100", Person: "14152223333", Origin: gateway.ByKeyword, Word: "STOP"},
		{Source: "CMINE12", Person: "14152223333", Origin: gateway.ByOperator},
		{Source: "14155550100", Person: "14152223334", Origin: gateway.ByAccount},
		{Source: "444444", Person: "447400123456", Origin: gateway.ByAccount, Account: strangerID},
	} {
		if o.Account == "" {
			o.Account = mainID
		}
		o.At = s.now.Add(time.Duration(i) * time.Minute)
		s.store.optOuts = append(s.store.optOuts, o)
	}
	r := s.ok(s.do(ask{method: "GET", path: optOutPath}), 200)
	want := []map[string]any{
		{"number": "14152223334", "source": "14155550100", "opted_out_at": "2026-03-04 05:08:07.123456+00:00", "origin": "account", "keyword": ""},
		{"number": "14152223333", "source": "CMINE12", "opted_out_at": "2026-03-04 05:07:07.123456+00:00", "origin": "operator", "keyword": ""},
		{"number": "14152223333", "source": "14155550100", "opted_out_at": "2026-03-04 05:06:07.123456+00:00", "origin": "keyword", "keyword": "STOP"},
	}
	if diff := cmp.Diff(want, r.objects()); diff != "" {
		t.Error(diff)
	}
	for query, n := range map[string]int{
		"?number=14152223333": 2, "?number=%2B1-415-222-3333": 2, "?number=447400123456": 0, "?source=14155550100": 2, "?source=%2B14155550100": 2, "?source=CMINE12": 1,
		"?source=cmine12": 0, "?opted_out_at__gte=2026-03-04 05:07:07.123456": 2, "?opted_out_at__gt=2026-03-04 05:07:07.123456": 1, "?opted_out_at__lt=2026-03-04 05:07": 1,
		"?opted_out_at=2026-03-04 05:07": 1, "?number=14152223333&source=CMINE12": 1, "?limit=1&offset=1": 1, "?offset=3": 0,
	} {
		r := s.ok(s.do(ask{method: "GET", path: optOutPath + strings.ReplaceAll(query, " ", "%20")}), 200)
		if len(r.objects()) != n {
			t.Errorf("%s: %s", query, r.text)
		}
	}
	r = s.ok(s.do(ask{method: "GET", path: optOutPath + "?limit=1&offset=1&source=14155550100"}), 200)
	if meta := r.body["meta"].(map[string]any); meta["previous"] != "/v1/Account/MAMAINMAINMAINMAINMA/OptOut/?limit=1&offset=0&source=14155550100" || meta["total_count"] != 2.0 {
		t.Errorf("%v", meta)
	}
	for query, text := range map[string]string{
		"?limit=21":          "limit must be a whole number from 1 to 20",
		"?number=%2B":        "number is not a number",
		"?opted_out_at=soon": "opted_out_at must be a time in the form YYYY-MM-DD HH:MM[:SS[.ffffff]]",
	} {
		s.refused(s.do(ask{method: "GET", path: optOutPath + query}), 400, text)
	}
}
