package plivo

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
)

// TestRecord holds a record to the letter.
func TestRecord(t *testing.T) {
	s := newServer(t)
	powerpack, _ := gateway.ParseID(aPowerpack)
	m := s.giveMessage(func(m *gateway.Message) {
		m.Powerpack, m.Units, m.ExpiresAt = powerpack, 3, m.AcceptedAt.Add(time.Minute)
		m.DLT = gateway.DLT{EntityID: "e", TemplateID: "t", TemplateCategory: "promotional"}
		m.State, m.SentAt, m.UpdatedAt = gateway.Delivered, start.Add(time.Second), start.Add(2*time.Second).In(time.FixedZone("x", 3600))
	})
	r := s.ok(s.do(ask{method: "GET", path: messagePath + m.ID.String() + "/"}), 200)
	want := fmt.Sprintf(`{"api_id":%q,"message_uuid":%q,"message_time":"2026-03-04 05:06:07.123456+00:00","message_direction":"outbound",
		"message_state":"delivered","message_type":"sms","from_number":"14155550100","to_number":"14152223333","units":3,
		"total_rate":"0.00000","total_amount":"0.00000","carrier_fees_rate":"0.00000","carrier_fees":"0.00000","error_code":"000","error_message":"",
		"resource_uri":"/v1/Account/MAMAINMAINMAINMAINMA/Message/%s/","powerpack_id":%q,"requester_ip":"203.0.113.7","is_domestic":true,
		"replaced_sender":"","tendlc_campaign_id":"","tendlc_registration_status":"","destination_country_iso2":"US","destination_network":"",
		"conversation_id":"","conversation_origin":"","conversation_expiration_timestamp":"","dlt_entity_id":"e","dlt_template_id":"t",
		"dlt_template_category":"promotional","log":"true","message_expiry":60,"message_sent_time":"2026-03-04 05:06:08.123456+00:00",
		"message_updated_time":"2026-03-04 05:06:09.123456+00:00","estimated_send_time":null}`, r.string("api_id"), m.ID, m.ID, aPowerpack)
	var wanted map[string]any
	if err := json.Unmarshal([]byte(want), &wanted); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wanted, r.body); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(r.text, m.Text) {
		t.Error("a record shows the text")
	}
	for _, id := range []string{aPowerpack, "x", "00000000-0000-0000-0000-000000000000"} {
		s.refused(s.do(ask{method: "GET", path: messagePath + id + "/"}), 404, "not found")
	}
}

func TestRecordCodes(t *testing.T) {
	s := newServer(t)
	for _, test := range []struct {
		state  gateway.State
		reason gateway.Reason
		code   any
		text   string
	}{
		{gateway.Queued, 0, nil, ""},
		{gateway.Sent, 0, nil, ""},
		{gateway.Delivered, 0, "000", ""},
		{gateway.Failed, gateway.Expired, "420", "Message expired"},
		{gateway.Undelivered, gateway.Spam, "30", "Spam detected"},
		{gateway.Undelivered, gateway.NoReason, "1000", "Unknown error"},
	} {
		m := s.giveMessage(func(m *gateway.Message) { m.State, m.Reason = test.state, test.reason })
		r := s.ok(s.do(ask{method: "GET", path: messagePath + m.ID.String() + "/"}), 200)
		if r.body["error_code"] != test.code || r.string("error_message") != test.text {
			t.Errorf("%s, %d: %v, %q", test.state, test.reason, r.body["error_code"], r.string("error_message"))
		}
	}
	codes := map[string]gateway.Reason{}
	for _, reason := range gateway.Reasons() {
		named, ok := reasonCodes[reason]
		if other, twice := codes[named.code]; !ok || twice || named.text == "" {
			t.Errorf("reason %d has the code %q, as has %d", reason, named.code, other)
		}
		codes[named.code] = reason
	}
}

// TestRecordWithoutExpiry: a message that never waited to be sent shows no time for it.
func TestRecordWithoutExpiry(t *testing.T) {
	s := newServer(t)
	m := s.giveMessage(func(m *gateway.Message) {
		m.Direction, m.State, m.ExpiresAt = gateway.Inbound, gateway.Received, time.Time{}
	})
	r := s.ok(s.do(ask{method: "GET", path: mainPath + "/Message/" + m.ID.String()}), 200)
	if got := r.body["message_expiry"]; got != 0.0 {
		t.Errorf("message_expiry %v", got)
	}
}

func TestRecordRedaction(t *testing.T) {
	s := newServer(t)
	for _, test := range []struct {
		mode          gateway.LogMode
		direction     gateway.Direction
		from, to, log string
	}{
		{gateway.LogAll, gateway.Outbound, "14155550100", "14152223333", "true"},
		{gateway.LogNumberOnly, gateway.Outbound, "14155550100", "14152223333", "number_only"},
		{gateway.LogNothing, gateway.Outbound, "14155550100", "14152223***", "false"},
		{gateway.LogContentOnly, gateway.Outbound, "14155550100", "14152223***", "content_only"},
		{gateway.LogNothing, gateway.Inbound, "14155550***", "14152223333", "false"},
	} {
		m := s.giveMessage(func(m *gateway.Message) { m.Log, m.Direction = test.mode, test.direction })
		r := s.ok(s.do(ask{method: "GET", path: messagePath + m.ID.String() + "/"}), 200)
		if r.string("from_number") != test.from || r.string("to_number") != test.to || r.string("log") != test.log {
			t.Errorf("%v: %s", test, r.text)
		}
	}
	if got := masked("12"); got != "***" {
		t.Errorf("masked: %s", got)
	}
}

// TestEstimates: when messages leave is asked for once a page, for those that wait; what is not known is null.
func TestEstimates(t *testing.T) {
	s := newServer(t)
	var asked [][]gateway.ID
	times := map[gateway.ID]time.Time{}
	s.estimate = func(messages []*gateway.Message) ([]time.Time, error) {
		var ids []gateway.ID
		var found []time.Time
		for _, m := range messages {
			ids, found = append(ids, m.ID), append(found, times[m.ID])
		}
		asked = append(asked, ids)
		return found, nil
	}
	soon := s.giveMessage(nil)
	s.giveMessage(func(m *gateway.Message) { m.State = gateway.Sent })
	unknown := s.giveMessage(nil)
	s.giveMessage(func(m *gateway.Message) { m.Direction = gateway.Inbound })
	late := s.giveMessage(nil)
	times[soon.ID], times[late.ID] = start.Add(time.Second), start.Add(time.Hour).In(time.FixedZone("x", 3600))
	shown := func() (all []any) {
		for _, object := range s.ok(s.do(ask{method: "GET", path: messagePath}), 200).body["objects"].([]any) {
			all = append(all, object.(map[string]any)["estimated_send_time"])
		}
		return all
	}
	want := []any{"2026-03-04 06:06:07.123456+00:00", nil, nil, nil, "2026-03-04 05:06:08.123456+00:00"}
	if diff := cmp.Diff(want, shown()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([][]gateway.ID{{late.ID, unknown.ID, soon.ID}}, asked); diff != "" {
		t.Errorf("asked for %v", asked)
	}
	r := s.ok(s.do(ask{method: "GET", path: messagePath + soon.ID.String()}), 200)
	if r.string("estimated_send_time") != want[4] || len(asked) != 2 {
		t.Errorf("alone: %s", r.text)
	}
	s.estimate = func([]*gateway.Message) ([]time.Time, error) { return nil, errors.New("the store went away") }
	if diff := cmp.Diff([]any{nil, nil, nil, nil, nil}, shown()); diff != "" || !strings.Contains(s.log.String(), "the store went away") {
		t.Errorf("without estimates: %s, the log says %s", diff, s.log)
	}
}

// TestNoEstimator: an API that nobody tells is none the worse.
func TestNoEstimator(t *testing.T) {
	s := newServer(t, func(cfg *Config) { cfg.Estimate = nil })
	m := s.giveMessage(nil)
	if r := s.ok(s.do(ask{method: "GET", path: messagePath + m.ID.String()}), 200); r.body["estimated_send_time"] != nil {
		t.Error(r.text)
	}
}

func TestIsDomestic(t *testing.T) {
	s := newServer(t)
	for _, test := range []struct {
		from, country string
		want          any
	}{{"14155550100", "US", true}, {"14155550100", "GB", false}, {"444444", "US", nil}, {"HELLO", "GB", nil}, {"14155550100", "", nil}, {"", "US", nil}} {
		m := s.giveMessage(func(m *gateway.Message) { m.From, m.Country = test.from, test.country })
		r := s.ok(s.do(ask{method: "GET", path: messagePath + m.ID.String() + "/"}), 200)
		if r.body["is_domestic"] != test.want {
			t.Errorf("%v: %v", test, r.body["is_domestic"])
		}
	}
}

func TestListPages(t *testing.T) {
	s := newServer(t)
	for range 45 {
		s.giveMessage(nil)
	}
	type page struct {
		next, previous any
		objects        int
	}
	filter := "&message_state=queued&to_number=%2B14152223333&unknown=a%26b"
	uri := func(limit, offset int) string {
		return fmt.Sprintf("%s?limit=%d&offset=%d", messagePath, limit, offset) + "&message_state=queued&to_number=%2B14152223333&unknown=a%26b"
	}
	for query, want := range map[string]page{
		"":                    {uri(20, 20), nil, 20},
		"&limit=20&offset=20": {uri(20, 40), uri(20, 0), 20},
		"&offset=40":          {nil, uri(20, 20), 5},
		"&limit=7&offset=3":   {uri(7, 10), uri(7, 0), 7},
		"&offset=45":          {nil, uri(20, 25), 0},
		"&limit=1&offset=44":  {nil, uri(1, 43), 1},
	} {
		r := s.ok(s.do(ask{method: "GET", path: messagePath + "?" + filter[1:] + query, body: "{}"}), 200)
		m := r.body["meta"].(map[string]any)
		got := page{m["next"], m["previous"], len(r.body["objects"].([]any))}
		if got != want || m["total_count"] != 45.0 {
			t.Errorf("%s: %v, want %v", query, m, want)
		}
	}
	// Following next from the first page shows every message once, newest first.
	seen := map[string]bool{}
	last := ""
	for path := messagePath + "?limit=10"; path != ""; {
		r := s.ok(s.do(ask{method: "GET", path: path}), 200)
		for _, object := range r.body["objects"].([]any) {
			id := object.(map[string]any)["message_uuid"].(string)
			if seen[id] || last != "" && id >= last {
				t.Fatalf("%s after %s", id, last)
			}
			seen[id], last = true, id
		}
		path, _ = r.body["meta"].(map[string]any)["next"].(string)
	}
	if len(seen) != 45 {
		t.Errorf("%d messages seen", len(seen))
	}
}

func TestListFilters(t *testing.T) {
	powerpack, _ := gateway.ParseID(aPowerpack)
	direction := func(d gateway.Direction) *gateway.Direction { return &d }
	state := func(s gateway.State) *gateway.State { return &s }
	day := start.Add(-24 * time.Hour)
	at := time.Date(2026, 3, 1, 7, 8, 9, 0, time.UTC)
	for query, want := range map[string]gateway.MessageFilter{
		"":                                   {After: day},
		"message_direction=Inbound":          {After: day, Direction: direction(gateway.Inbound)},
		"message_state=SENT":                 {After: day, State: state(gateway.Sent)},
		"message_type=mms":                   {After: day, Service: gateway.MMS},
		"error_code=000":                     {After: day, State: state(gateway.Delivered)},
		"error_code=030":                     {After: day, Reasons: []gateway.Reason{gateway.Spam}},
		"powerpack_id=" + aPowerpack:         {After: day, Powerpack: powerpack},
		"from_number=%2B1415555-0100":        {After: day, From: "14155550100"},
		"from=HELLO&to=+14152223333":         {After: day, From: "HELLO", To: "14152223333"},
		"to_number=1&to=2":                   {After: day, To: "1"},
		"destination_country_iso2=ca":        {After: day, Country: "CA"},
		"subaccount=" + string(subID):        {Account: subID, After: day},
		"subaccount=" + string(mainID):       {After: day},
		"limit=3&offset=9":                   {After: day, Limit: 3, Offset: 9},
		"message_time=2026-03-01+07:08:09.5": {After: at.Add(500 * time.Millisecond), Before: at.Add(500*time.Millisecond + time.Microsecond)},
		"message_time=2026-03-01 07:08:09":   {After: at, Before: at.Add(time.Second)},
		"message_time=2026-03-01T07:08Z":     {After: at.Add(-9 * time.Second), Before: at.Add(51 * time.Second)},
		"message_time__gt=2026-03-01 07:08:09&message_time__lt=2026-03-01 07:08:09.000010": {
			After: at.Add(time.Microsecond), Before: at.Add(10 * time.Microsecond),
		},
		"message_time__gte=2026-03-01 07:08:09&message_time__lte=2026-03-02+07:08:09+00:00": {After: at, Before: at.Add(24*time.Hour + time.Microsecond)},
		"message_time__gte=2026-03-01 07:08:09&message_time__gt=2026-03-01 07:08":           {After: at},
		"message_time__lt=2026-03-01 07:08:09":                                              {After: start.Add(-longestWindow), Before: at},
		"message_time__gt=2020-01-01":                                                       {After: start.Add(-longestWindow)},
	} {
		s := newServer(t)
		want.Limit = max(want.Limit, 3)
		if want.Offset == 0 {
			want.Limit = 20
		}
		if want.Account == "" {
			want.Account = mainID
		}
		s.ok(s.do(ask{method: "GET", path: messagePath + "?" + strings.ReplaceAll(query, " ", "%20")}), 200)
		if diff := cmp.Diff(want, s.store.filter); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
}

func TestListNothingFits(t *testing.T) {
	s := newServer(t)
	s.giveMessage(nil)
	for _, query := range []string{
		"message_state=read", "message_state=rejected", "message_type=whatsapp", "error_code=77", "error_code=000&message_state=failed",
		"tendlc_registration_status=else", "conversation_id=1", "conversation_origin=service", "message_time__gt=2030-01-01&message_time__lt=2020-01-01",
	} {
		r := s.ok(s.do(ask{method: "GET", path: messagePath + "?" + query}), 200)
		if len(r.body["objects"].([]any)) != 0 || s.store.filter.Account != "" {
			t.Errorf("%s: %s", query, r.text)
		}
	}
}

func TestListRefusals(t *testing.T) {
	s := newServer(t)
	const timeForm = " must be a time in the form YYYY-MM-DD HH:MM[:SS[.ffffff]]"
	for query, text := range map[string]string{
		"limit=0":                          "limit must be a whole number from 1 to 20",
		"limit=21":                         "limit must be a whole number from 1 to 20",
		"limit=x":                          "limit must be a whole number from 1 to 20",
		"offset=-1":                        "offset must be a whole number from 0 to 100000000",
		"offset=1e30":                      "offset must be a whole number from 0 to 100000000",
		"message_direction=up":             "message_direction must be inbound or outbound",
		"message_state=gone":               "message_state is not a state of messages",
		"message_type=fax":                 "message_type must be sms, mms or whatsapp",
		"powerpack_id=x":                   "powerpack_id must be a UUID",
		"from_number=%3F":                  "from_number is not a number",
		"destination_country_iso2=USA":     "destination_country_iso2 must be a country code of two letters",
		"subaccount=x":                     "subaccount is not a subaccount of this account",
		"subaccount=" + string(strangerID): "subaccount is not a subaccount of this account",
		"message_time=yesterday":           "message_time" + timeForm,
		"message_time__gt=2026-02-30":      "message_time__gt" + timeForm,
		"message_time__lte=" + url.QueryEscape("2026-02-03 04:05+01:00"): "message_time__lte" + timeForm,
		"a=%ff": "invalid query string: not UTF-8",
	} {
		s.refused(s.do(ask{method: "GET", path: messagePath + "?" + query}), 400, text)
	}
}

// TestSpecification: openapi.yaml has the routes that are served, and no others.
func TestSpecification(t *testing.T) {
	s := newServer(t)
	served, described := map[string]bool{}, map[string]bool{}
	for _, route := range s.handler.(*API).routes {
		for _, method := range strings.Split(route.allow(), ", ") {
			served[method+" "+route.pattern] = true
		}
	}
	for operation := range s.document.Operations() {
		if strings.Contains(operation, " /v1/") {
			described[operation] = true
		}
	}
	if diff := cmp.Diff(served, described); diff != "" {
		t.Error(diff)
	}
}

// TestDestinationNetwork: the network is told where the number tells it, and not where the record hides the number.
func TestDestinationNetwork(t *testing.T) {
	s := newServer(t)
	const guinea = "224601123456" // numbers stay in their network there
	for name, test := range map[string]struct {
		change func(*gateway.Message)
		want   string
	}{
		"shown":     {func(*gateway.Message) {}, "Sotelgui"},
		"no text":   {func(m *gateway.Message) { m.Log = gateway.LogNumberOnly }, "Sotelgui"},
		"no number": {func(m *gateway.Message) { m.Log = gateway.LogContentOnly }, ""},
		"neither":   {func(m *gateway.Message) { m.Log = gateway.LogNothing }, ""},
		"portable":  {func(m *gateway.Message) { m.To, m.Country = "14152223333", "US" }, ""},
		"inbound":   {func(m *gateway.Message) { m.Direction = gateway.Inbound }, ""},
	} {
		m := s.giveMessage(func(m *gateway.Message) {
			m.To, m.Country = guinea, "GN"
			test.change(m)
		})
		if got := s.ok(s.do(ask{method: "GET", path: messagePath + m.ID.String() + "/"}), 200).string("destination_network"); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
