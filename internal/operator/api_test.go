package operator

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mt"
)

const token = "operator-token-of-the-tests"

var noon = time.Date(2026, 5, 6, 12, 0, 0, 0, time.UTC)

// fixture is an API over a store and a queue in memory.
type fixture struct {
	*API
	accounts      []gateway.Account
	campaigns     []gateway.Campaign
	numbers       []gateway.Number
	powerpacks    []gateway.Powerpack
	asked         mt.Question // what Explain was asked
	explained     mt.Explanation
	message       *gateway.Message
	held          []gateway.Held
	refusal       *gateway.Error // of PutNumbers
	registrations []gateway.Registration
	fail          error // of every store call
	counted       gateway.ConversionFilter
	countries     []gateway.ConversionCount            // nil: some of anything
	blocks        map[string][]gateway.ConversionCount // by country
	manyBlocks    bool                                 // more than are read together, unless it is within six hours
	listed        gateway.MessageFilter
	guard         gateway.Guard
	credits       []gateway.Credit
	optOuts       optOuts

	paused   map[string]bool
	queues   mt.QueueFilter // that were asked for
	returned []gateway.ID
	told     int
	changed  int
	change   error // what Changed answers
	log      bytes.Buffer
}

func newFixture() *fixture {
	f := &fixture{paused: map[string]bool{}}
	f.API = New(Config{
		Store: f, TokenHash: sha256.Sum256([]byte(token)), Queue: f,
		Binds: func(name string) []Bind {
			return []Bind{{Name: name + "/1", State: "bound", Since: noon, Window: 100, InUse: 3}}
		},
		Receipted: func(string) int64 { return 7 },
		Changed: func(ctx context.Context) error {
			f.changed++
			return errors.Join(ctx.Err(), f.change)
		},
		Explain: func(_ context.Context, q mt.Question) (mt.Explanation, error) {
			f.asked = q
			return f.explained, f.fail
		},
		Told:     func(events []gateway.Event) { f.told += len(events) },
		OptedOut: func(changes []gateway.OptOutChange) { f.optOuts.heard = append(f.optOuts.heard, changes...) },
		IDs:      &gateway.IDSource{Entropy: func() uint64 { return 1 }}, ConversionWindow: time.Hour,
		Random: func(b []byte) {
			for i := range b {
				b[i] = byte(i)
			}
		},
		Now: func() time.Time { return noon }, Log: slog.New(slog.NewTextHandler(&f.log, nil)),
	})
	return f
}

func (f *fixture) CreateAccount(_ context.Context, a gateway.Account) error {
	f.accounts = append(f.accounts, a)
	return f.fail
}

func (f *fixture) Accounts(context.Context) ([]gateway.Account, error) { return f.accounts, f.fail }

func (f *fixture) ChangeAccount(_ context.Context, id gateway.AccountID, change gateway.AccountChange) (gateway.Account, error) {
	for i := range f.accounts {
		a := &f.accounts[i]
		if a.ID != id || f.fail != nil {
			continue
		}
		if change.Name != nil {
			a.Name = *change.Name
		}
		if change.Enabled != nil {
			a.Enabled = *change.Enabled
		}
		if change.Rate != nil {
			a.Rate = *change.Rate
		}
		if change.Billing != nil {
			a.Wallet.Billing = *change.Billing
		}
		return *a, nil
	}
	return gateway.Account{}, cmp.Or[error](f.fail, gateway.Errorf(gateway.NotFound, "not found"))
}

func (f *fixture) AddCredit(_ context.Context, credit gateway.Credit) (gateway.Credit, error) {
	for i := range f.accounts {
		if f.accounts[i].ID == credit.Account && f.fail == nil {
			w := &f.accounts[i].Wallet
			w.Balance += credit.Amount
			credit.ID, credit.Balance = int64(len(f.credits)+1), w.Balance
			f.credits = append(f.credits, credit)
			return credit, nil
		}
	}
	return gateway.Credit{}, cmp.Or[error](f.fail, gateway.Errorf(gateway.NotFound, "not found"))
}

func (f *fixture) Credits(_ context.Context, account gateway.AccountID, limit, offset int) ([]gateway.Credit, int, error) {
	newest := slices.Clone(f.credits)
	slices.Reverse(newest)
	from := min(offset, len(newest))
	return newest[from:min(from+limit, len(newest))], len(newest), f.fail
}

func (f *fixture) PutCampaigns(_ context.Context, campaigns []gateway.Campaign) error {
	for _, c := range campaigns {
		if f.fail == nil && !slices.ContainsFunc(f.accounts, func(a gateway.Account) bool { return a.ID == c.Account }) {
			return gateway.Errorf(gateway.Invalid, "there is no account %s", c.Account)
		}
	}
	if f.fail == nil {
		f.campaigns = append(f.campaigns, campaigns...)
	}
	return f.fail
}

func (f *fixture) Campaigns(context.Context) ([]gateway.Campaign, error) { return f.campaigns, f.fail }

func (f *fixture) DeleteCampaign(_ context.Context, id string, _ time.Time) error {
	before := len(f.campaigns)
	f.campaigns = slices.DeleteFunc(f.campaigns, func(c gateway.Campaign) bool { return c.ID == id })
	if f.fail == nil && len(f.campaigns) == before {
		return gateway.Errorf(gateway.NotFound, "not found")
	}
	return f.fail
}

func (f *fixture) PutNumbers(_ context.Context, numbers []gateway.Number) error {
	if f.fail != nil {
		return f.fail
	}
	if f.refusal != nil {
		return f.refusal
	}
	for _, n := range numbers {
		f.numbers = slices.DeleteFunc(f.numbers, func(other gateway.Number) bool { return other.Number == n.Number })
		f.numbers = append(f.numbers, n)
	}
	return nil
}

// Numbers finds them as stores do: by how they begin.
func (f *fixture) Numbers(_ context.Context, filter gateway.NumberFilter) ([]gateway.Number, int, error) {
	var found []gateway.Number
	for _, n := range f.numbers {
		begins := len(filter.Prefixes) == 0 || slices.ContainsFunc(filter.Prefixes, func(p string) bool { return strings.HasPrefix(n.Number, p) })
		if begins && (filter.Pool.IsZero() || filter.Pool == n.Pool) && (filter.Account == "" || filter.Account == n.Account) && (!filter.Inventory || n.Account == "") &&
			(len(filter.Types) == 0 || slices.Contains(filter.Types, n.Type)) && (filter.Country == "" || filter.Country == n.Country) {
			found = append(found, n)
		}
	}
	page := found[min(filter.Offset, len(found)):]
	return page[:min(filter.Limit, len(page))], len(found), f.fail
}

func (f *fixture) AllPowerpacks(_ context.Context, account gateway.AccountID, limit, offset int) ([]gateway.Powerpack, int, error) {
	var found []gateway.Powerpack
	for _, p := range f.powerpacks {
		if account == "" || p.Account == account {
			found = append(found, p)
		}
	}
	page := found[min(offset, len(found)):]
	return page[:min(limit, len(page))], len(found), f.fail
}

func (f *fixture) AnyPowerpack(_ context.Context, id gateway.ID) (gateway.Powerpack, error) {
	for _, p := range f.powerpacks {
		if p.ID == id {
			return p, f.fail
		}
	}
	return gateway.Powerpack{}, gateway.Errorf(gateway.NotFound, "not found")
}

func (f *fixture) Message(_ context.Context, account gateway.AccountID, id gateway.ID) (*gateway.Message, error) {
	if f.message == nil || f.message.ID != id || f.message.Account != account {
		return nil, gateway.Errorf(gateway.NotFound, "not found")
	}
	return f.message, f.fail
}

func (f *fixture) HeldMessages(_ context.Context, limit int) ([]gateway.Held, error) {
	return f.held[:min(limit, len(f.held))], f.fail
}

func (f *fixture) ReleaseHeld(_ context.Context, id gateway.ID, _ time.Time) (*gateway.Message, error) {
	return &gateway.Message{ID: id}, f.unlessHeld(id)
}

func (f *fixture) FailHeld(_ context.Context, id gateway.ID, _ time.Time) (gateway.Applied, error) {
	return gateway.Applied{Events: make([]gateway.Event, 1)}, f.unlessHeld(id)
}

func (f *fixture) unlessHeld(id gateway.ID) error {
	for _, h := range f.held {
		if h.ID == id {
			return f.fail
		}
	}
	return gateway.Errorf(gateway.NotFound, "not found")
}

func (f *fixture) Carriers() []mt.CarrierState {
	return []mt.CarrierState{{Name: "main", Paused: f.paused["main"], Places: 100, InFlight: 3, LineStats: mt.LineStats{Submitted: 9, Accepted: 8}}}
}

func (f *fixture) Queues(filter mt.QueueFilter) []mt.QueueState {
	f.queues = filter
	return []mt.QueueState{
		{
			Account: anAccount, Sender: "14155550100", Carrier: "main", Messages: 5, Units: 6, FreeAt: noon, Rate: 1, DailyCap: 2000, SentToday: 30,
			Campaign: "C1",
		},
		{Account: anAccount, Sender: "14155550101", Carrier: "main", Messages: 1, Units: 1, Oldest: noon, Paused: true},
	}
}

func (f *fixture) Scopes() []mt.ScopeState {
	return []mt.ScopeState{
		{Kind: "account", Name: string(anAccount), Rate: 5, Units: 6, FreeAt: noon},
		{Kind: "campaign", Name: "C1", DailyCap: 2000, SentToday: 30},
	}
}

func (f *fixture) Pause(name string) error  { return f.setPaused(name, true) }
func (f *fixture) Resume(name string) error { return f.setPaused(name, false) }

func (f *fixture) setPaused(name string, paused bool) error {
	if name != "main" {
		return gateway.Errorf(gateway.NotFound, "there is no carrier %q", name)
	}
	f.paused[name] = paused
	return nil
}

func (f *fixture) PauseNumber(_ context.Context, number string, paused bool) error {
	for i := range f.numbers {
		if f.fail == nil && f.numbers[i].Number == number {
			f.numbers[i].Paused = paused
			return nil
		}
	}
	if f.fail != nil {
		return f.fail
	}
	return gateway.Errorf(gateway.NotFound, "number not found")
}

func (f *fixture) Return(m *gateway.Message) { f.returned = append(f.returned, m.ID) }

// call makes a request and gives the status and the decoded body.
func (f *fixture) call(t *testing.T, method, path, body, authorization string) (int, map[string]any) {
	t.Helper()
	return f.callWithKey(t, method, path, body, authorization, "")
}

// callWithKey makes a request with an Idempotency-Key; empty: none.
func (f *fixture) callWithKey(t *testing.T, method, path, body, authorization, key string) (int, map[string]any) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", authorization)
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	var fields map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &fields); err != nil {
		t.Fatalf("%s %s: %v in %q", method, path, err, w.Body)
	}
	checkDocumented(t, r, w)
	if id, ok := fields["api_id"].(string); !ok || len(id) != 36 || w.Header().Get("X-Request-ID") != id {
		t.Errorf("%s %s: api_id %v, X-Request-ID %q", method, path, fields["api_id"], w.Header().Get("X-Request-ID"))
	}
	if w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%s %s: Content-Type %q", method, path, w.Header().Get("Content-Type"))
	}
	delete(fields, "api_id")
	return w.Code, fields
}

const (
	bearer    = "Bearer " + token
	anAccount = gateway.AccountID("MAXXXXXXXXXXXXXXXXXX")
)

func TestOnlyTheOperator(t *testing.T) {
	f := newFixture()
	for _, authorization := range []string{"", "Bearer", "Bearer wrong", "Basic " + token, token} {
		for _, path := range []string{"/admin/v1/accounts", "/admin/v1/nothing"} {
			if status, fields := f.call(t, "GET", path, "", authorization); status != http.StatusUnauthorized || fields["error"] == "" {
				t.Errorf("%q on %s: %d %v", authorization, path, status, fields)
			}
		}
	}
	if status, _ := f.call(t, "GET", "/admin/v1/accounts", "", "bearer "+token); status != http.StatusOK {
		t.Errorf("the scheme's case matters: %d", status)
	}
}

func TestAccounts(t *testing.T) {
	f := newFixture()
	status, fields := f.call(t, "POST", "/admin/v1/accounts/", `{"name":"acme"}`, bearer)
	id, _ := fields["auth_id"].(string)
	secret, _ := fields["auth_token"].(string)
	if status != http.StatusCreated || !gateway.AccountID(id).Valid() || !gateway.ValidToken(secret) {
		t.Fatalf("%d %v", status, fields)
	}
	status, fields = f.call(t, "GET", "/admin/v1/accounts", "", bearer)
	want := map[string]any{"accounts": []any{map[string]any{
		"auth_id": id, "name": "acme", "enabled": true, "rate": 0.0, "created_on": "2026-05-06T12:00:00Z",
		"billing_mode": "postpaid", "balance": "0.00000", "held": "0.00000", "available": "0.00000",
	}}}
	if diff := gocmp.Diff(want, fields); status != http.StatusOK || diff != "" {
		t.Errorf("status %d, body differs (-want +got):\n%s", status, diff)
	}
}

func TestPutNumbers(t *testing.T) {
	sms, both := gateway.Services(gateway.SMS), gateway.Services(gateway.SMS, gateway.MMS)
	cases := []struct {
		body string
		want gateway.Number
	}{
		{
			`{"number":"+1 (415) 555-0100","auth_id":"MAXXXXXXXXXXXXXXXXXX","services":["SMS","mms"],"rate":2.5,"carrier":"main"}`,
			gateway.Number{Number: "14155550100", Type: gateway.LongCode, Country: "US", Region: "CA", AreaCode: "415", Services: both, Carrier: "main", Rate: 2.5, Account: "MAXXXXXXXXXXXXXXXXXX", AddedAt: noon},
		},
		{`{"number":"14165550100","rate":0}`, gateway.Number{Number: "14165550100", Type: gateway.LongCode, Country: "CA", Region: "ON", AreaCode: "416", Services: sms, AddedAt: noon}}, // a rate of its own: no cap
		{`{"number":"18005550100"}`, gateway.Number{Number: "18005550100", Type: gateway.TollFree, Country: "US", Services: sms, Rate: -1, DailyCap: -1, AddedAt: noon}},
		{`{"number":"555444","daily_cap":9}`, gateway.Number{Number: "555444", Type: gateway.ShortCode, Country: "US", Services: sms, Rate: -1, DailyCap: 9, AddedAt: noon}},
		{`{"number":"555333","country_iso2":"ca"}`, gateway.Number{Number: "555333", Type: gateway.ShortCode, Country: "CA", Services: sms, Rate: -1, DailyCap: -1, AddedAt: noon}},
		{
			`{"number":"14155550101","rate":3,"daily_cap":40,"campaign":"C-1_a","paused":true,"auth_id":"MAXXXXXXXXXXXXXXXXXX"}`,
			gateway.Number{Number: "14155550101", Type: gateway.LongCode, Country: "US", Region: "CA", AreaCode: "415", Services: sms, Rate: 3, DailyCap: 40, Campaign: "C-1_a", Paused: true, Account: anAccount, AddedAt: noon},
		},
		{
			`{"number":"14155550102","rate":null,"daily_cap":0}`,
			gateway.Number{Number: "14155550102", Type: gateway.LongCode, Country: "US", Region: "CA", AreaCode: "415", Services: sms, Rate: -1, AddedAt: noon},
		},
		{`{"number":"HELIO","country_iso2":"GB"}`, gateway.Number{Number: "HELIO", Type: gateway.Alphanumeric, Country: "GB", Services: sms, Rate: -1, DailyCap: -1, AddedAt: noon}},
	}
	for _, c := range cases {
		f := newFixture()
		status, fields := f.call(t, "POST", "/admin/v1/numbers", `{"numbers":[`+c.body+`]}`, bearer)
		if status != http.StatusOK || len(f.numbers) != 1 || f.changed != 1 {
			t.Errorf("%s: %d %v", c.body, status, fields)
			continue
		}
		got := f.numbers[0]
		if got.Type == gateway.TollFree { // toll-free numbers are at home in no area
			got.AreaCode = ""
		}
		if diff := gocmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.body, diff)
		}
	}
}

func TestRefusals(t *testing.T) {
	cases := []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/admin/v1/nothing", "", 404},
		{"GET", "/admin/", "", 404},
		{"POST", "/admin/v1/accounts", ``, 400},
		{"POST", "/admin/v1/accounts", `[]`, 400},
		{"POST", "/admin/v1/accounts", `{"name":""}`, 400},
		{"POST", "/admin/v1/accounts", `{"name":"a\u0000b"}`, 400},
		{"POST", "/admin/v1/accounts", `{"nom":"x"}`, 400},
		{"POST", "/admin/v1/accounts", `{"name":"x"}{}`, 400},
		{"POST", "/admin/v1/accounts", `{"name":"` + strings.Repeat("x", maxBody) + `"}`, 400},
		{"POST", "/admin/v1/numbers", `{"numbers":[]}`, 400},
		{"POST", "/admin/v1/numbers", `{"numbers":[{"number":""}]}`, 400},
		{"POST", "/admin/v1/numbers", `{"numbers":[{"number":"14155550100","type":"pager"}]}`, 400},
		{"POST", "/admin/v1/numbers", `{"numbers":[{"number":"14155550100","rate":-1}]}`, 400},
		{"POST", "/admin/v1/numbers", `{"numbers":[{"number":"14155550100","daily_cap":-1}]}`, 400},
		{"POST", "/admin/v1/numbers", `{"numbers":[{"number":"14155550100","services":["fax"]}]}`, 400},
		{"POST", "/admin/v1/numbers", `{"numbers":[{"number":"14155550100","carrier":"none"}]}`, 400},
		{"POST", "/admin/v1/numbers", `{"numbers":[{"number":"14155550100","auth_id":"me"}]}`, 400},
		{"POST", "/admin/v1/numbers", `{"numbers":[{"number":"14155550100","rte":1}]}`, 400},
		{"POST", "/admin/v1/accounts", `{"name":"x","rate":-1}`, 400},
		{"POST", "/admin/v1/accounts", `{"name":"x","rate":1e999}`, 400},
		{"POST", "/admin/v1/accounts/MAXXXXXXXXXXXXXXXXXX", `{"name":"x"}`, 404},
		{"POST", "/admin/v1/accounts/MAXXXXXXXXXXXXXXXXXX", `{"name":""}`, 400},
		{"POST", "/admin/v1/accounts/MAXXXXXXXXXXXXXXXXXX", `{"rate":-0.1}`, 400},
		{"POST", "/admin/v1/accounts/MAXXXXXXXXXXXXXXXXXX", `{"rate":"1"}`, 400},
		{"POST", "/admin/v1/accounts/MAXXXXXXXXXXXXXXXXXX", `{"auth_token":"x"}`, 400},
		{"GET", "/admin/v1/accounts/MAXXXXXXXXXXXXXXXXXX", "", 404},
		{"POST", "/admin/v1/campaigns", `{"campaigns":[]}`, 400},
		{"POST", "/admin/v1/campaigns", `{"campaigns":[{"id":"","auth_id":"MAXXXXXXXXXXXXXXXXXX"}]}`, 400},
		{"POST", "/admin/v1/campaigns", `{"campaigns":[{"id":"a b","auth_id":"MAXXXXXXXXXXXXXXXXXX"}]}`, 400},
		{"POST", "/admin/v1/campaigns", `{"campaigns":[{"id":"é","auth_id":"MAXXXXXXXXXXXXXXXXXX"}]}`, 400},
		{"POST", "/admin/v1/campaigns", `{"campaigns":[{"id":"` + strings.Repeat("x", 65) + `","auth_id":"MAXXXXXXXXXXXXXXXXXX"}]}`, 400},
		{"POST", "/admin/v1/campaigns", `{"campaigns":[{"id":"C1"}]}`, 400},
		{"POST", "/admin/v1/campaigns", `{"campaigns":[{"id":"C1","auth_id":"MAXXXXXXXXXXXXXXXXXX","rate":-1}]}`, 400},
		{"POST", "/admin/v1/campaigns", `{"campaigns":[{"id":"C1","auth_id":"MAXXXXXXXXXXXXXXXXXX","daily_cap":-1}]}`, 400},
		{"POST", "/admin/v1/campaigns", `{"campaigns":[{"id":"C1","auth_id":"MAXXXXXXXXXXXXXXXXXX"}]}`, 400}, // no such account
		{"POST", "/admin/v1/campaigns", `{"campaigns":[{"id":"C1","auth_id":"MAXXXXXXXXXXXXXXXXXX"},{"id":"C1","auth_id":"MAXXXXXXXXXXXXXXXXXX"}]}`, 400},
		{"DELETE", "/admin/v1/campaigns/C1", "", 404},
		{"POST", "/admin/v1/numbers", `{"numbers":[{"number":"14155550100","daily_cap":1.5}]}`, 400},
		{"POST", "/admin/v1/numbers", `{"numbers":[{"number":"14155550100","campaign":"C1"}]}`, 400},
		{"POST", "/admin/v1/numbers", `{"numbers":[{"number":"14155550100","campaign":"C 1","auth_id":"MAXXXXXXXXXXXXXXXXXX"}]}`, 400},
		{"POST", "/admin/v1/numbers", `{"numbers":[{"number":"14155550100","paused":"yes"}]}`, 400},
		{"POST", "/admin/v1/numbers/14155550100/pause", "", 404},
		{"POST", "/admin/v1/numbers/-/resume", "", 404},
		{"GET", "/admin/v1/numbers?limit=1001", "", 400},
		{"GET", "/admin/v1/numbers?offset=-1", "", 400},
		{"GET", "/admin/v1/numbers?auth_id=me", "", 400},
		{"GET", "/admin/v1/numbers?auth_id=MAXXXXXXXXXXXXXXXXXX&inventory=true", "", 400},
		{"GET", "/admin/v1/numbers?inventory=perhaps", "", 400},
		{"GET", "/admin/v1/numbers?type=pager", "", 400},
		{"GET", "/admin/v1/numbers?country_iso2=USA", "", 400},
		{"GET", "/admin/v1/numbers?prefix=%2B", "", 400},
		{"GET", "/admin/v1/numbers?numer=1", "", 400},
		{"GET", "/admin/v1/numbers?limit=%zz", "", 400},
		{"POST", "/admin/v1/carriers/none/pause", "", 404},
		{"GET", "/admin/v1/queues?limit=0", "", 400},
		{"GET", "/admin/v1/queues?auth_id=me", "", 400},
		{"GET", "/admin/v1/queues?sender=%2B", "", 400},
		{"GET", "/admin/v1/queues?account=MAXXXXXXXXXXXXXXXXXX", "", 400},
		{"GET", "/admin/v1/held?limit=many", "", 400},
		{"POST", "/admin/v1/held/x/resend", "", 404},
		{"POST", "/admin/v1/held/018f0000-0000-7000-8000-000000000000/fail", "", 404},
		{"GET", "/admin/v1/accounts/MAXXXXXXXXXXXXXXXXXX/messages/018f0000-0000-7000-8000-000000000000", "", 404},
	}
	f := newFixture()
	for _, c := range cases {
		status, fields := f.call(t, c.method, c.path, c.body, bearer)
		if text, _ := fields["error"].(string); status != c.status || text == "" {
			t.Errorf("%s %s %.80s: got %d %v, want %d", c.method, c.path, c.body, status, fields, c.status)
		}
	}
	if len(f.accounts)+len(f.numbers)+len(f.campaigns)+f.changed != 0 {
		t.Errorf("a refused request changed something: %+v", f)
	}
}

// TestStoreFails: a refusal of the store is told, its inner trouble is not.
func TestStoreFails(t *testing.T) {
	f := newFixture()
	f.fail = gateway.Errorf(gateway.Unavailable, "no room")
	if status, fields := f.call(t, "GET", "/admin/v1/accounts", "", bearer); status != http.StatusServiceUnavailable || fields["error"] != "no room" {
		t.Errorf("%d %v", status, fields)
	}
	f.fail = errors.New("secret of the database")
	if status, fields := f.call(t, "GET", "/admin/v1/accounts", "", bearer); status != http.StatusInternalServerError || strings.Contains(fields["error"].(string), "secret") {
		t.Errorf("%d %v", status, fields)
	}
}

func TestCarriers(t *testing.T) {
	f := newFixture()
	if status, _ := f.call(t, "POST", "/admin/v1/carriers/main/pause", "", bearer); status != http.StatusOK || !f.paused["main"] {
		t.Errorf("pause: %d", status)
	}
	_, fields := f.call(t, "GET", "/admin/v1/carriers", "", bearer)
	carrier := fields["carriers"].([]any)[0].(map[string]any)
	want := map[string]any{"name": "main", "paused": true, "places": 100.0, "in_flight": 3.0, "submitted": 9.0, "accepted": 8.0, "receipted": 7.0}
	for key, value := range want {
		if carrier[key] != value {
			t.Errorf("%s is %v, want %v", key, carrier[key], value)
		}
	}
	if bind := carrier["binds"].([]any)[0].(map[string]any); bind["state"] != "bound" || bind["window_in_use"] != 3.0 {
		t.Errorf("bind %v", bind)
	}
	if status, _ := f.call(t, "POST", "/admin/v1/carriers/main/resume", "", bearer); status != http.StatusOK || f.paused["main"] {
		t.Errorf("resume: %d", status)
	}
}

func TestQueues(t *testing.T) {
	f := newFixture()
	_, fields := f.call(t, "GET", "/admin/v1/queues?limit=1&sender=%2B1+415+555+0100&auth_id="+string(anAccount), "", bearer)
	if want := (mt.QueueFilter{Account: anAccount, Sender: "14155550100", Limit: 1}); f.queues != want {
		t.Errorf("asked for %+v, want %+v", f.queues, want)
	}
	want := map[string]any{
		"queues": []any{map[string]any{
			"auth_id": string(anAccount), "sender": "14155550100", "carrier": "main", "messages": 5.0, "queued_units": 6.0, "free_at": "2026-05-06T12:00:00Z",
			"oldest": nil, "rate": 1.0, "daily_cap": 2000.0, "sent_today": 30.0, "campaign": "C1", "paused": false,
		}, map[string]any{
			"auth_id": string(anAccount), "sender": "14155550101", "carrier": "main", "messages": 1.0, "queued_units": 1.0, "free_at": nil,
			"oldest": "2026-05-06T12:00:00Z", "rate": 0.0, "daily_cap": 0.0, "sent_today": 0.0, "campaign": "", "paused": true,
		}},
		"scopes": []any{
			map[string]any{
				"kind": "account", "name": string(anAccount), "rate": 5.0, "daily_cap": 0.0, "sent_today": 0.0, "queued_units": 6.0,
				"free_at": "2026-05-06T12:00:00Z",
			},
			map[string]any{"kind": "campaign", "name": "C1", "rate": 0.0, "daily_cap": 2000.0, "sent_today": 30.0, "queued_units": 0.0, "free_at": nil},
		},
	}
	if diff := gocmp.Diff(want, fields); diff != "" {
		t.Errorf("queues (-want +got):\n%s", diff)
	}
	if f.call(t, "GET", "/admin/v1/queues", "", bearer); f.queues != (mt.QueueFilter{Limit: 100}) {
		t.Errorf("without a filter %+v", f.queues)
	}
}

func TestHeld(t *testing.T) {
	f := newFixture()
	id := f.IDs.Next(noon)
	f.held = []gateway.Held{{ID: id, Account: "MAXXXXXXXXXXXXXXXXXX", Carrier: "main", MarkedAt: noon}}
	_, fields := f.call(t, "GET", "/admin/v1/held", "", bearer)
	if held := fields["held"].([]any)[0].(map[string]any); held["message_uuid"] != id.String() || held["carrier"] != "main" {
		t.Errorf("held %v", held)
	}
	if fields["more"] != false {
		t.Errorf("more: %v", fields["more"])
	}
	f.held = append(f.held, f.held[0])
	if _, fields = f.call(t, "GET", "/admin/v1/held?limit=1", "", bearer); fields["more"] != true || len(fields["held"].([]any)) != 1 {
		t.Errorf("one of two: %v", fields)
	}
	if status, _ := f.call(t, "POST", "/admin/v1/held/"+id.String()+"/resend", "", bearer); status != http.StatusOK || len(f.returned) != 1 || f.returned[0] != id {
		t.Errorf("resend: %d, returned %v", status, f.returned)
	}
	if status, _ := f.call(t, "POST", "/admin/v1/held/"+id.String()+"/fail", "", bearer); status != http.StatusOK || f.told != 1 {
		t.Errorf("fail: %d, told %d events", status, f.told)
	}
}

func TestMessageShowsNoSecrets(t *testing.T) {
	f := newFixture()
	f.message = &gateway.Message{
		ID: f.IDs.Next(noon), Account: "MAXXXXXXXXXXXXXXXXXX", From: "14155550100", To: "14155550123", Text: "the secret text", Country: "US", Service: gateway.SMS,
		PickedBy: gateway.BySameArea, Carrier: "main", Units: 2, AcceptedAt: noon, ExpiresAt: noon.Add(time.Hour),
		Progress: gateway.Progress{State: gateway.Sent, Parts: 2, Taken: gateway.AllParts(2), Delivered: gateway.PartMask(0).With(2), SentAt: noon},
	}
	status, fields := f.call(t, "GET", "/admin/v1/accounts/MAXXXXXXXXXXXXXXXXXX/messages/"+f.message.ID.String(), "", bearer)
	if status != http.StatusOK {
		t.Fatalf("%d %v", status, fields)
	}
	text, _ := json.Marshal(fields)
	if strings.Contains(string(text), "secret") || strings.Contains(string(text), "14155550123") {
		t.Errorf("it shows %s", text)
	}
	want := map[string]any{
		"state": "sent", "sender": "14155550100", "sender_chosen_by": "local connect, same area code", "parts_taken": []any{1.0, 2.0},
		"parts_delivered": []any{2.0}, "parts_refused": []any{}, "due_at": nil, "sent_at": "2026-05-06T12:00:00Z",
	}
	for key, value := range want {
		if diff := gocmp.Diff(value, fields[key]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", key, diff)
		}
	}
	f.message.Direction, f.message.From = gateway.Inbound, "14155550123"
	if _, fields := f.call(t, "GET", "/admin/v1/accounts/MAXXXXXXXXXXXXXXXXXX/messages/"+f.message.ID.String(), "", bearer); fields["sender"] != "14155550***" {
		t.Errorf("an inbound message came from %v", fields["sender"])
	}
}
