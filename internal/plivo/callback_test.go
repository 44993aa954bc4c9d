package plivo

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/heliograph/heliograph/internal/gateway"
)

// event is one of a message of the main account.
func (s *server) event(change func(*gateway.Event)) *gateway.Event {
	m := s.giveMessage(func(m *gateway.Message) {
		m.Powerpack, _ = gateway.ParseID(aPowerpack)
		m.Callback = gateway.Callback{URL: "https://app.example.com/plivo/status", Method: "POST"}
	})
	e := &gateway.Event{
		Message: m, Sequence: 3, State: gateway.Delivered, SentAt: start.Add(time.Second), ReportedAt: start.Add(2 * time.Second).In(time.FixedZone("x", -3600)),
	}
	if change != nil {
		change(e)
	}
	return e
}

func (s *server) render(e *gateway.Event) (*http.Request, string) {
	s.t.Helper()
	req, err := NewCallbacks(s.accounts, "Heliograph/test").Render(s.t.Context(), e)
	if err != nil {
		s.t.Fatal(err)
	}
	if req.Body == nil {
		return req, ""
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return req, string(body)
}

// TestCallback holds a callback to the letter.
func TestCallback(t *testing.T) {
	s := newServer(t)
	e := s.event(nil)
	id := e.Message.ID.String()
	req, body := s.render(e)
	want := "DeliveryReportTime=2026-03-04+05%3A06%3A09.123456&ErrorCode=000&From=14155550100&MCC=&MNC=&MessageTime=2026-03-04+05%3A06%3A07.123456" +
		"&MessageUUID=" + id + "&ParentMessageUUID=" + id + "&PartInfo=1+of+1&PowerpackUUID=" + aPowerpack + "&QueuedTime=2026-03-04+05%3A06%3A07.123456" +
		"&SentTime=2026-03-04+05%3A06%3A08.123456&Sequence=3&Status=delivered&To=14152223333&TotalAmount=0.00000&TotalRate=0.00000&Type=sms&Units=1" +
		"&requester_ip=203.0.113.7"
	if body != want {
		t.Errorf("got  %s\nwant %s", body, want)
	}
	if req.Method != "POST" || req.URL.String() != e.Message.Callback.URL || req.ContentLength != int64(len(body)) {
		t.Errorf("%s %s, length %d", req.Method, req.URL, req.ContentLength)
	}
	if req.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || req.Header.Get("User-Agent") != "Heliograph/test" {
		t.Errorf("header %v", req.Header)
	}
	form, _ := url.ParseQuery(body)
	if !Verify(req.Method, e.Message.Callback.URL, form, req.Header, tokenOf(mainID)) {
		t.Error("not signed with the account's token")
	}
	for _, pair := range [][2]string{{headerV2, headerMainV2}, {headerV3, headerMainV3}, {headerNonceV2, headerNonceV3}} {
		if a, b := req.Header.Get(pair[0]), req.Header.Get(pair[1]); a != b || a == "" {
			t.Errorf("%s %q, %s %q", pair[0], a, pair[1], b)
		}
	}
	if nonce := req.Header.Get(headerNonceV3); len(nonce) != 20 || strings.Trim(nonce, "0123456789") != "" {
		t.Errorf("nonce %q", nonce)
	}
	again, _ := s.render(e)
	if again.Header.Get(headerNonceV3) == req.Header.Get(headerNonceV3) {
		t.Error("the nonce came twice")
	}
	form.Set("Status", "failed")
	if Verify(req.Method, e.Message.Callback.URL, form, req.Header, tokenOf(mainID)) {
		t.Error("another status has the same signature")
	}
	if Verify(req.Method, e.Message.Callback.URL+"x", nil, req.Header, tokenOf(mainID)) || Verify("POST", "%", nil, req.Header, "") {
		t.Error("another address has the same signature")
	}
}

func TestCallbackStates(t *testing.T) {
	s := newServer(t)
	for _, test := range []struct {
		change func(*gateway.Event)
		want   map[string]string
	}{
		{func(e *gateway.Event) {
			e.State, e.SentAt, e.ReportedAt, e.Sequence = gateway.Queued, time.Time{}, time.Time{}, 1
		}, map[string]string{
			"Status": "queued", "ErrorCode": "", "SentTime": "", "DeliveryReportTime": "", "Sequence": "1",
		}},
		{func(e *gateway.Event) { e.State, e.ReportedAt = gateway.Sent, time.Time{} }, map[string]string{"Status": "sent", "ErrorCode": "", "DeliveryReportTime": ""}},
		{func(e *gateway.Event) { e.State, e.Reason = gateway.Failed, gateway.Expired }, map[string]string{"Status": "failed", "ErrorCode": "420"}},
		{func(e *gateway.Event) { e.State, e.Reason = gateway.Undelivered, gateway.DestinationAway }, map[string]string{"Status": "undelivered", "ErrorCode": "80"}},
		{func(e *gateway.Event) { e.Message.Log = gateway.LogNothing }, map[string]string{"To": "14152223***", "From": "14155550100"}},
		{func(e *gateway.Event) { e.Message.Log = gateway.LogContentOnly }, map[string]string{"To": "14152223***"}},
		{func(e *gateway.Event) { e.Message.Log = gateway.LogNumberOnly }, map[string]string{"To": "14152223333"}},
		{func(e *gateway.Event) { e.Message.Powerpack = gateway.ID{} }, map[string]string{"PowerpackUUID": ""}},
		{func(e *gateway.Event) { e.Message.Service, e.Message.Units = gateway.MMS, 7 }, map[string]string{"Type": "mms", "Units": "7"}},
	} {
		_, body := s.render(s.event(test.change))
		form, err := url.ParseQuery(body)
		if err != nil || len(form) != parameters {
			t.Fatalf("%v: %s", err, body)
		}
		for name, want := range test.want {
			if got := form.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	}
}

func TestCallbackAddresses(t *testing.T) {
	s := newServer(t)
	for _, test := range []struct {
		address, sent string
		get           bool
	}{
		{"https://a.example", "https://a.example", false},
		{"https://a.example/x?tenant=4%202&a=b+c&a=a", "https://a.example/x?tenant=4%202&a=b+c&a=a", false},
		{"http://a.example:8080/x#fragment", "http://a.example:8080/x", false},
		{"http://u:p@[::1]:8080/x%20y?", "http://u:p@[::1]:8080/x%20y?", false},
		{"https://a.example/é?k=é&<x>=\"", "https://a.example/%C3%A9?k=%C3%A9&%3Cx%3E=%22", false},
		{"https://a.example", "https://a.example?", true},
		{"https://a.example/x?", "https://a.example/x?", true},
		{"https://a.example:443/x?a=b", "https://a.example:443/x?a=b&", true},
		{"https://a.example/x?a=b&", "https://a.example/x?a=b&", true},
		{"https://a.example/x?Status=mine#f", "https://a.example/x?Status=mine&", true},
	} {
		e := s.event(func(e *gateway.Event) {
			e.Message.Callback = gateway.Callback{URL: test.address, Method: "POST"}
			if test.get {
				e.Message.Callback.Method = "GET"
			}
		})
		req, body := s.render(e)
		form, _ := url.ParseQuery(body)
		sent := req.URL.String()
		if test.get {
			bare, added, _ := strings.Cut(sent, "DeliveryReportTime=")
			if bare != test.sent || req.Header.Get("Content-Type") != "" || body != "" || !strings.Contains(added, "&PartInfo=1%20of%201&") {
				t.Errorf("%s: sent %s", test.address, sent)
			}
		} else if sent != test.sent {
			t.Errorf("%s: sent %s, want %s", test.address, sent, test.sent)
		}
		if !Verify(req.Method, sent, form, req.Header, tokenOf(mainID)) {
			t.Errorf("%s: the signature does not fit", test.address)
		}
		ports := strings.Contains(test.address, ":8080") || strings.Contains(test.address, ":443")
		if got := strings.Count(req.Header.Get(headerV3), ","); (got == 1) != ports || strings.Contains(req.Header.Get(headerV2), ",") {
			t.Errorf("%s: V3 %q", test.address, req.Header.Get(headerV3))
		}
	}
	e := s.event(func(e *gateway.Event) { e.Message.Callback.URL = "http://a.example/%zz?secret" })
	if _, err := NewCallbacks(s.accounts, "x").Request(t.Context(), e); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("error %v", err)
	}
}

func TestCallbackOfSubaccount(t *testing.T) {
	s := newServer(t)
	e := s.event(func(e *gateway.Event) { e.Message.Account = subID })
	req, body := s.render(e)
	form, _ := url.ParseQuery(body)
	if !Verify("POST", e.Message.Callback.URL, form, req.Header, tokenOf(subID)) {
		t.Error("not signed with the subaccount's token")
	}
	header := req.Header.Clone()
	header.Set(headerV2, header.Get(headerMainV2))
	header.Set(headerV3, header.Get(headerMainV3))
	if !Verify("POST", e.Message.Callback.URL, form, header, tokenOf(mainID)) || header.Get(headerV2) == req.Header.Get(headerV2) {
		t.Error("the second pair is not signed with the main account's token")
	}
}

func TestCallbackWithoutAccount(t *testing.T) {
	s := newServer(t)
	delete(s.store.accounts, mainID)
	for _, account := range []gateway.AccountID{mainID, subID} {
		var refused *gateway.Error
		e := s.event(func(e *gateway.Event) { e.Message.Account = account })
		if _, err := NewCallbacks(s.accounts, "x").Request(t.Context(), e); !errors.As(err, &refused) || refused.Code != gateway.NotFound {
			t.Errorf("%s: %v", account, err)
		}
	}
	broken := NewAccounts(func(context.Context, gateway.AccountID) (gateway.Account, error) {
		return gateway.Account{}, io.ErrUnexpectedEOF
	}, s.clock)
	var passing *gateway.Error
	_, err := NewCallbacks(broken, "x").Request(t.Context(), s.event(nil))
	if !errors.Is(err, io.ErrUnexpectedEOF) || !errors.As(err, &passing) || passing.Code != gateway.Unavailable {
		t.Errorf("error %v", err)
	}
}

// TestTokenChange: callbacks follow a new token within the lifetime of a kept account.
func TestTokenChange(t *testing.T) {
	s := newServer(t)
	e := s.event(nil)
	s.render(e)
	s.changeAccount(mainID, func(a *gateway.Account) { a.Token = "another" })
	req, body := s.render(e)
	form, _ := url.ParseQuery(body)
	if !Verify("POST", e.Message.Callback.URL, form, req.Header, "another") {
		t.Error("still signed with the old token")
	}
}

// TestFormsRoundTrip: whatever the values are, the form and the query say them.
func TestFormsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		params := []pair{{"From", rapid.String().Draw(t, "from")}, {"To", rapid.String().Draw(t, "to")}}
		for _, blank := range []string{"+", "%20"} {
			got, err := url.ParseQuery(string(appendForm(nil, params, blank)))
			want := url.Values{"From": {params[0].value}, "To": {params[1].value}}
			if err != nil || !cmp.Equal(got, want) {
				t.Fatalf("%v, %v, want %v", got, err, want)
			}
		}
	})
}

func BenchmarkCallback(b *testing.B) {
	for _, test := range []struct{ name, url, method string }{
		{"post", "https://app.example.com/plivo/status", "POST"},
		{"post with a port and a query", "https://app.example.com:8443/plivo/status?tenant=42", "POST"},
		{"get", "https://app.example.com/plivo/status", "GET"},
	} {
		b.Run(test.name, func(b *testing.B) {
			s := newServer(b)
			e := s.event(func(e *gateway.Event) { e.Message.Callback = gateway.Callback{URL: test.url, Method: test.method} })
			callbacks := NewCallbacks(s.accounts, "Heliograph/test")
			b.ReportAllocs()
			for b.Loop() {
				if _, err := callbacks.Request(b.Context(), e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
