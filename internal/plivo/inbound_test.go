package plivo

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/heliograph/heliograph/internal/gateway"
)

// inbound is the event of a message from a handset to the main account.
func (s *server) inbound(change func(*gateway.Message)) *gateway.Event {
	m := s.giveMessage(func(m *gateway.Message) {
		m.Direction, m.From, m.To, m.Text = gateway.Inbound, "14152223333", "14155550100", "When do you open?"
		m.Callback = gateway.Callback{URL: "https://app.example.com/in", Method: "POST"}
		m.Price, m.Requester = gateway.Price{Rate: 350}, ""
		m.Progress, m.ExpiresAt = gateway.Progress{}, m.AcceptedAt
		m.Arrive(m.AcceptedAt)
	})
	if change != nil {
		change(m)
	}
	return &gateway.Event{Message: m, Sequence: 1, State: gateway.Received}
}

func bodyOf(t testing.TB, req *http.Request) string {
	t.Helper()
	body, err := io.ReadAll(req.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// webhook renders an event as it is told, and checks its signatures and what the document says of it.
func (s *server) webhook(callbacks *Callbacks, e *gateway.Event) (*http.Request, url.Values) {
	s.t.Helper()
	req, err := callbacks.Render(s.t.Context(), e)
	if err != nil {
		s.t.Fatal(err)
	}
	form := req.URL.Query()
	if req.Method == http.MethodPost {
		if form, err = url.ParseQuery(bodyOf(s.t, req)); err != nil {
			s.t.Fatal(err)
		}
	}
	if !Verify(req.Method, req.URL.String(), form, req.Header, tokenOf(e.Message.Account)) {
		s.t.Error("the signatures do not fit")
	}
	parameters := map[string]string{}
	for name, values := range form {
		if parameters[name] = values[0]; len(values) > 1 {
			s.t.Errorf("%s is there %d times", name, len(values))
		}
	}
	if own, err := url.Parse(e.Message.Callback.URL); err == nil {
		for name := range own.Query() {
			delete(parameters, name)
		}
	}
	if err := s.document.CheckCallback(req.Method, parameters); err != nil {
		s.t.Errorf("%v is not what openapi.yaml says: %v", parameters, err)
	}
	return req, form
}

// TestInboundWebhook holds a webhook of an SMS to the letter.
func TestInboundWebhook(t *testing.T) {
	s := newServer(t)
	e := s.inbound(nil)
	req, body := s.render(e)
	want := "From=14152223333&MessageIntent=&MessageUUID=" + e.Message.ID.String() + "&PowerpackUUID=&Text=When+do+you+open%3F&To=14155550100" +
		"&TotalAmount=0.00350&TotalRate=0.00350&Type=sms&Units=1"
	if body != want || req.Method != "POST" || req.URL.String() != "https://app.example.com/in" || req.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		t.Errorf("%s %s, got  %s\nwant %s", req.Method, req.URL, body, want)
	}
}

func TestInboundWebhooks(t *testing.T) {
	s := newServer(t)
	callbacks := NewCallbacks(s.accounts, "Heliograph/test")
	for _, test := range []struct {
		change func(*gateway.Message)
		want   map[string]string
	}{
		{func(m *gateway.Message) { m.Powerpack, _ = gateway.ParseID(aPowerpack) }, map[string]string{"PowerpackUUID": aPowerpack}},
		{func(m *gateway.Message) { m.Units = 3 }, map[string]string{"Units": "3", "TotalRate": "0.00350", "TotalAmount": "0.01050"}},
		{func(m *gateway.Message) { m.Text, m.Intent = "STOP", gateway.OptOutIntent }, map[string]string{"MessageIntent": "optout", "Text": "STOP"}},
		{func(m *gateway.Message) { m.Intent = gateway.OptInIntent }, map[string]string{"MessageIntent": "optin"}},
		{func(m *gateway.Message) { m.Intent = gateway.HelpIntent }, map[string]string{"MessageIntent": "help"}},
		{func(m *gateway.Message) { m.Log = gateway.LogNothing }, map[string]string{"From": "14152223333", "Text": "When do you open?"}},
		{func(m *gateway.Message) { m.Text = "" }, map[string]string{"Text": ""}},
		{func(m *gateway.Message) { m.Text = "50% off & more = ½ + 👍\nline" }, map[string]string{"Text": "50% off & more = ½ + 👍\nline"}},
		{func(m *gateway.Message) { m.Account = subID }, nil},
		{func(m *gateway.Message) { m.Callback.URL = "http://a.example:8080/in?x=1" }, nil},
	} {
		for _, method := range []string{"POST", "GET"} {
			_, form := s.webhook(callbacks, s.inbound(func(m *gateway.Message) { m.Callback.Method = method; test.change(m) }))
			for name, want := range test.want {
				if got := form.Get(name); got != want {
					t.Errorf("%s %s: %q, want %q", method, name, got, want)
				}
			}
			if form.Has("Body") || form.Has("MediaCount") {
				t.Errorf("%s of an SMS: %v", method, form)
			}
		}
	}
}

// TestInboundMMS: an MMS comes with links to its files that anybody may follow.
func TestInboundMMS(t *testing.T) {
	s := newServer(t)
	callbacks := NewCallbacks(s.accounts, "Heliograph/test")
	links := &MediaLinks{Read: s.store.MediaByID, Library: s.library, Base: "https://api.example.com", Now: s.clock}
	callbacks.Links = links.Of
	first, gone, second := s.giveMedium(mainID, "a.png"), s.giveMedium(mainID, "gone.png"), s.giveMedium(mainID, "ä b.png")
	s.store.media = slices.DeleteFunc(s.store.media, func(m gateway.Medium) bool { return m.ID == gone.ID })
	for _, method := range []string{"POST", "GET"} {
		_, form := s.webhook(callbacks, s.inbound(func(m *gateway.Message) {
			m.Service, m.Subject, m.Callback.Method = gateway.MMS, "Photos", method
			m.MediaIDs = []string{first.ID.String(), gone.ID.String(), second.ID.String()}
		}))
		for name, want := range map[string]string{
			"Type": "mms", "Text": "When do you open?", "Body": "When do you open?", "Subject": "Photos", "MediaCount": "2", "ErrorCode": "", "Units": "1",
		} {
			if got := form.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		for i, m := range []*gateway.Medium{&first, &second} {
			if got, want := form.Get("Media"+strconv.Itoa(i)), "https://api.example.com"+s.library.Link(m); got != want {
				t.Errorf("Media%d: %s, want %s", i, got, want)
			}
		}
		if form.Has("Media2") {
			t.Error("there is a link too many")
		}
	}
	_, form := s.webhook(callbacks, s.inbound(func(m *gateway.Message) { m.Service = gateway.MMS }))
	if form.Get("MediaCount") != "0" || form.Has("Media0") {
		t.Errorf("without files: %v", form)
	}
	links.Read = func(context.Context, gateway.AccountID, []gateway.ID, time.Time) ([]gateway.Medium, error) {
		return nil, errors.New("disk")
	}
	var passing *gateway.Error
	e := s.inbound(func(m *gateway.Message) { m.Service, m.MediaIDs = gateway.MMS, []string{first.ID.String()} })
	if _, err := callbacks.Render(t.Context(), e); !errors.As(err, &passing) || passing.Code != gateway.Unavailable {
		t.Errorf("error %v", err)
	}
}

// TestInboundRecord holds the record of a message from a handset to the letter, and what it says of how that went.
func TestInboundRecord(t *testing.T) {
	s := newServer(t)
	e := s.inbound(func(m *gateway.Message) { m.Units, m.Powerpack = 2, s.handler.(*API).ids.Next(s.now) })
	m := e.Message
	get := func() *reply { return s.ok(s.do(ask{method: "GET", path: messagePath + m.ID.String() + "/"}), 200) }
	r := get()
	for name, want := range map[string]any{
		"message_direction": "inbound", "message_state": "received", "from_number": "14152223333", "to_number": "14155550100", "units": 2.0, "total_rate": "0.00350", "total_amount": "0.00700",
		"error_code": nil, "error_message": "", "powerpack_id": m.Powerpack.String(), "requester_ip": "", "is_domestic": true, "destination_country_iso2": "US", "log": "true",
		"message_expiry": 0.0, "message_sent_time": nil, "message_updated_time": "2026-03-04 05:06:07.123456+00:00", "estimated_send_time": nil, "tendlc_campaign_id": "",
	} {
		if diff := cmp.Diff(want, r.body[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for _, test := range []struct {
		state  gateway.State
		detail string
		code   any
		text   string
	}{
		{gateway.Received, "2 of the message's 3 segments came", nil, "2 of the message's 3 segments came"},
		{gateway.Delivered, "", "000", ""},
		{gateway.Delivered, "Message 1 was not sent: it has no text", "000", "Message 1 was not sent: it has no text"},
		{gateway.Undelivered, "", nil, "The application could not be told of the message"},
		{gateway.Undelivered, "x", nil, "The application could not be told of the message; x"},
	} {
		m.State, m.Detail = test.state, test.detail
		if r := get(); r.body["error_code"] != test.code || r.string("error_message") != test.text {
			t.Errorf("%s, %q: %s", test.state, test.detail, r.text)
		}
	}
	m.Log = gateway.LogNothing
	if r := get(); r.string("from_number") != "14152223***" || r.string("to_number") != "14155550100" || r.string("log") != "false" {
		t.Errorf("not to be logged: %s", r.text)
	}
}

// TestInboundMedia: the files of an inbound MMS are listed as those of any message, unless nothing of it is to be shown.
func TestInboundMedia(t *testing.T) {
	s := newServer(t)
	medium := s.giveMedium(mainID, "a.png")
	m := s.inbound(func(m *gateway.Message) { m.Service, m.MediaIDs = gateway.MMS, []string{medium.ID.String()} }).Message
	path := messagePath + m.ID.String() + "/Media/"
	if r := s.ok(s.do(ask{method: "GET", path: path}), 200); len(r.objects()) != 1 || r.objects()[0]["media_id"] != medium.ID.String() {
		t.Errorf("%s", r.text)
	}
	m.Log = gateway.LogNothing
	if r := s.ok(s.do(ask{method: "GET", path: path}), 200); len(r.objects()) != 0 {
		t.Errorf("%s", r.text)
	}
}

// TestInboundRoundTrip: whatever a handset sends, the application reads it, and the signatures fit.
func TestInboundRoundTrip(t *testing.T) {
	s := newServer(t)
	callbacks := NewCallbacks(s.accounts, "Heliograph/test")
	rapid.Check(t, func(t *rapid.T) {
		text, from := rapid.String().Draw(t, "text"), rapid.StringMatching(`[0-9]{7,15}|[A-Za-z0-9]{1,11}`).Draw(t, "from")
		e := s.inbound(func(m *gateway.Message) {
			m.Text, m.From = text, from
			m.Callback.Method = rapid.SampledFrom([]string{"GET", "POST"}).Draw(t, "method")
			m.Callback.URL = rapid.SampledFrom([]string{"https://a.example/in", "http://a.example:8080/in?tenant=1", "https://a.example"}).Draw(t, "url")
		})
		_, form := s.webhook(callbacks, e)
		if form.Get("Text") != text || form.Get("From") != from {
			t.Fatalf("%q from %q: %v", text, from, form)
		}
	})
}
