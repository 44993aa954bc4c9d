package plivo

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mo"
	"github.com/heliograph/heliograph/internal/mt"
)

// outbox accepts replies as the message path does, idempotency included.
type outbox struct {
	sent   []*mt.Request
	before map[string]*mt.Request
	err    func(*mt.Request) error // nil: none
}

func (o *outbox) accept(_ context.Context, req *mt.Request) (gateway.Acceptance, error) {
	if o.err != nil {
		if err := o.err(req); err != nil {
			return gateway.Acceptance{}, err
		}
	}
	if before := o.before[req.Key]; before != nil {
		if before.BodyHash != req.BodyHash {
			return gateway.Acceptance{}, gateway.Errorf(gateway.Conflict, "this Idempotency-Key was used with a different request")
		}
		return gateway.Acceptance{RequestID: before.ID}, nil
	}
	if o.before == nil {
		o.before = map[string]*mt.Request{}
	}
	o.before[req.Key] = req
	o.sent = append(o.sent, req)
	return gateway.Acceptance{RequestID: req.ID}, nil
}

// replying makes what answers are given to; the main account has the numbers 14155550100 and 14155550101, and the short code 444444.
func (s *server) replying() (*Replies, *outbox) {
	for _, number := range []string{"14155550100", "14155550101", "444444"} {
		s.store.numbers = append(s.store.numbers, s.number(number, mainID))
	}
	s.store.numbers = append(s.store.numbers, s.number("14155550109", strangerID))
	o := &outbox{}
	return &Replies{
		Accounts: s.accounts, Accept: o.accept, NumbersOf: s.store.NumbersOf, Loops: mo.DefaultLoops(), IDs: s.handler.(*API).ids, Now: s.clock,
	}, o
}

// answered gives an answer and tells its note.
func (s *server) answered(r *Replies, e *gateway.Event, body string) string {
	s.t.Helper()
	note, err := r.Answered(s.t.Context(), e, "application/xml", []byte("<Response>"+body+"</Response>"))
	if err != nil {
		s.t.Fatal(err)
	}
	return note
}

// briefly is what a request says: who sends what to whom, and where that is told.
func briefly(req *mt.Request) string {
	var to []string
	for _, dst := range req.To {
		to = append(to, dst.Number)
	}
	return fmt.Sprintf("%s>%s:%s %s %s", req.Source, strings.Join(to, ","), req.Text, req.Callback.Method, req.Callback.URL)
}

func TestReplies(t *testing.T) {
	long := strings.Repeat("x", 1601)
	for _, test := range []struct {
		name, body string
		want       []string
		note       string
	}{
		{"by default back to who wrote", `<Message>Hi</Message>`, []string{"14155550100>14152223333:Hi  "}, ""},
		{
			"all of it", `<Message src="+1 (415) 555-0101" dst="14152223334&lt;+14152223335" type="SMS" callbackUrl="https://a.example/?b=1" callbackMethod="get">Hi</Message>`,
			[]string{"14155550101>14152223334,14152223335:Hi GET https://a.example/?b=1"},
			"",
		},
		{"posted by default", `<Message callbackUrl="https://a.example/">Hi</Message>`, []string{"14155550100>14152223333:Hi POST https://a.example/"}, ""},
		{"from a short code", `<Message src="444444">Hi</Message>`, []string{"444444>14152223333:Hi  "}, ""},
		{"several", `<Message>A</Message><Message dst="14152223334">B</Message>`, []string{"14155550100>14152223333:A  ", "14155550100>14152223334:B  "}, ""},
		{
			"the good ones", `<Message/><Play>x</Play><Message type="mms">A</Message><Message>B</Message>`,
			[]string{"14155550100>14152223333:B  "},
			"an element Play was ignored: only Message is one of messages; Message 1 was not sent: it has no text; Message 2 was not sent: its type is not sms, and an answer can send nothing else",
		},
		{"one bad destination", `<Message dst="14152223334&lt;12">A</Message>`, []string{"14155550100>14152223334:A  "}, "Message 1 was not sent to all: 1 of its destinations are not valid phone numbers"},
		{"only bad destinations", `<Message dst="secret&lt;12">A</Message>`, nil, "Message 1 was not sent: it has no valid phone number in dst"},
		{
			"another's number", `<Message src="14155550109">A</Message><Message src="14155559999">A</Message><Message>B</Message>`,
			[]string{"14155550100>14152223333:B  "},
			"Message 1 was not sent: its src is not a number of the account; Message 2 was not sent: its src is not a number of the account",
		},
		{
			"no number at all", `<Message src="14155550100000000">A</Message>`, nil,
			"Message 1 was not sent: src must be a phone number of at most 14 digits, a short code, or at most 11 letters and digits",
		},
		{"to itself", `<Message dst="14155550100">A</Message>`, nil, "Message 1 was not sent: dst is identical to src"},
		{"no address", `<Message callbackUrl="ftp://a.example/">A</Message>`, nil, "Message 1 was not sent: its callbackUrl is not an absolute http or https URL"},
		{"no method", `<Message callbackMethod="PUT">A</Message>`, nil, "Message 1 was not sent: its callbackMethod is neither GET nor POST"},
		{"too long", `<Message>` + long + `</Message>`, nil, "Message 1 was not sent: text is too long: 1601 characters of the GSM alphabet, at most 1600 are allowed"},
		{
			"too many destinations", `<Message dst="` + strings.Repeat("14152223334&lt;", 600) + `14152223335">A</Message><Message dst="` + strings.Repeat("14152223334&lt;", 400) + `14152223335">A</Message><Message>B</Message>`,
			[]string{"601", "14155550100>14152223333:B  "},
			"Message 2 was not sent: an answer has at most 1000 destinations",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t)
			r, o := s.replying()
			r.Loops = &mo.Loops{}
			e := s.inbound(nil)
			note := s.answered(r, e, test.body)
			var got []string
			for _, req := range o.sent {
				if len(req.To) > 100 {
					got = append(got, fmt.Sprint(len(req.To)))
				} else {
					got = append(got, briefly(req))
				}
				if req.Account != mainID || req.Service != gateway.SMS || req.Failure != gateway.NoReason || req.Exempt || req.ID.IsZero() || !req.ReceivedAt.Equal(s.now) ||
					req.Log != gateway.LogAll || req.Key[0] >= ' ' || !strings.Contains(req.Key, e.Message.ID.String()) {
					t.Errorf("sent %+v", req)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" || note != test.note {
				t.Errorf("%s\nnote %q\nwant %q", diff, note, test.note)
			}
		})
	}
}

// TestRepliesAgain: a webhook that is posted again sends nothing twice, whatever it is answered then.
func TestRepliesAgain(t *testing.T) {
	s := newServer(t)
	r, o := s.replying()
	e := s.inbound(nil)
	const first = `<Message>A</Message><Message>A</Message>`
	s.answered(r, e, first)
	for _, body := range []string{first, `<Message>B</Message><Message dst="14152223334">A</Message>`, `<Message/><Message>A</Message>`} {
		s.answered(r, e, body)
		if len(o.sent) != 2 || briefly(o.sent[0]) != briefly(o.sent[1]) {
			t.Errorf("%s: %d messages were sent", body, len(o.sent))
		}
	}
	s.answered(r, s.inbound(nil), first) // to another message
	if len(o.sent) != 4 {
		t.Errorf("%d messages were sent", len(o.sent))
	}
	for _, req := range o.sent {
		if _, err := idempotencyKey(map[string][]string{"Idempotency-Key": {req.Key}}); err == nil {
			t.Errorf("a customer can have the key %q", req.Key)
		}
	}
}

// TestRepliesLater: what cannot be taken now is asked for again, and what was taken of it is not sent twice; what is refused for good is said.
func TestRepliesLater(t *testing.T) {
	s := newServer(t)
	r, o := s.replying()
	e := s.inbound(nil)
	const body = `<Response><Message>A</Message><Message>B</Message></Response>`
	for _, err := range []error{gateway.Errorf(gateway.Unavailable, "too many"), gateway.Errorf(gateway.TooMany, "too fast"), context.DeadlineExceeded} {
		o.err = func(req *mt.Request) error {
			if req.Text == "B" {
				return err
			}
			return nil
		}
		if note, got := r.Answered(t.Context(), e, "text/xml", []byte(body)); got != err || note != "" {
			t.Errorf("%q, %v, want %v", note, got, err)
		}
	}
	o.err = func(req *mt.Request) error {
		if req.Text == "B" {
			return gateway.Errorf(gateway.Forbidden, "geo-permission: no")
		}
		return nil
	}
	if note, err := r.Answered(t.Context(), e, "text/xml", []byte(body)); err != nil || note != "Message 2 was not sent: geo-permission: no" || len(o.sent) != 1 {
		t.Errorf("%q, %v, %d sent", note, err, len(o.sent))
	}
	broken := fmt.Errorf("disk")
	r.NumbersOf = func(context.Context, gateway.AccountID, []string) (map[string]gateway.Number, error) {
		return nil, broken
	}
	if _, err := r.Answered(t.Context(), e, "text/xml", []byte(body)); err != broken {
		t.Errorf("error %v", err)
	}
	if note, err := r.Answered(t.Context(), e, "text/plain", []byte("OK")); err != nil || note != "" { // which asks nobody
		t.Errorf("%q, %v", note, err)
	}
}

// TestReplyLoops: two automatic answerers stop after a while; others' messages in the same answer go on, and nothing of it is sent twice.
func TestReplyLoops(t *testing.T) {
	s := newServer(t)
	r, o := s.replying()
	r.Loops = &mo.Loops{Most: 2, Window: time.Minute}
	for range 2 {
		s.answered(r, s.inbound(nil), `<Message>A</Message>`)
	}
	e := s.inbound(nil)
	for range 2 {
		if note := s.answered(r, e, `<Message>A</Message><Message dst="14152223334&lt;14152223333">B</Message><Message src="14155550101">C</Message>`); note != "" {
			t.Errorf("note %q", note)
		}
	}
	var got []string
	for _, req := range o.sent {
		got = append(got, fmt.Sprint(briefly(req), req.Failure == gateway.Loop))
	}
	want := []string{
		"14155550100>14152223333:A  false", "14155550100>14152223333:A  false",
		"14155550100>14152223333:A  true", "14155550100>14152223334:B  false", "14155550100>14152223333:B  true", "14155550101>14152223333:C  false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	s.now = s.now.Add(10 * time.Minute)
	s.answered(r, s.inbound(nil), `<Message>A</Message>`)
	if last := o.sent[len(o.sent)-1]; last.Failure != gateway.NoReason {
		t.Error("the loop is cut for ever")
	}
}

func TestRepliesOfDisabledAccounts(t *testing.T) {
	s := newServer(t)
	r, o := s.replying()
	s.store.numbers = append(s.store.numbers, s.number("14155550102", subID))
	e := s.inbound(func(m *gateway.Message) { m.Account, m.To = subID, "14155550102" })
	s.answered(r, e, `<Message>A</Message>`)
	if len(o.sent) != 1 || o.sent[0].Account != subID {
		t.Fatalf("%d sent", len(o.sent))
	}
	s.changeAccount(mainID, func(a *gateway.Account) { a.Enabled = false })
	if note := s.answered(r, s.inbound(func(m *gateway.Message) { m.Account, m.To = subID, "14155550102" }), `<Message>A</Message>`); note != "nothing was sent: the account is disabled" || len(o.sent) != 1 {
		t.Errorf("%q, %d sent", note, len(o.sent))
	}
}

// TestRepliesAndLog: what answers a message that is not to be logged is not logged either, and a note keeps what is known of how the message came.
func TestRepliesAndLog(t *testing.T) {
	s := newServer(t)
	r, o := s.replying()
	e := s.inbound(func(m *gateway.Message) { m.Log, m.Detail = gateway.LogNothing, "2 of the message's 3 segments came" })
	if note := s.answered(r, e, `<Message>A</Message>`); note != "" || o.sent[0].Log != gateway.LogNothing {
		t.Errorf("%q, %+v", note, o.sent[0])
	}
	if note := s.answered(r, e, `<Play/>`); note != "2 of the message's 3 segments came; an element Play was ignored: only Message is one of messages" {
		t.Errorf("%q", note)
	}
}
