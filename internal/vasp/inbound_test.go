package vasp

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mm7"
)

// served gives a client that posts to the carrier as its MMSC does.
func (r *rig) served() *mm7.Client {
	server := httptest.NewServer(r)
	r.t.Cleanup(server.Close)
	return &mm7.Client{URL: server.URL}
}

// codeOf is the StatusCode of a refusal, or the HTTP status; 0: none.
func codeOf(err error) int {
	var failed *mm7.Error
	switch {
	case !errors.As(err, &failed):
		return 0
	case failed.Status.Code != 0:
		return int(failed.Status.Code)
	}
	return failed.HTTPStatus
}

func report(id, status string) *mm7.DeliveryReportReq {
	return &mm7.DeliveryReportReq{MessageID: id, MMStatus: status, Sender: mm7.Address{Value: "+" + ours}, Recipient: mm7.Address{Value: "+" + theirs}, Date: time.Now()}
}

// TestReports: what reports mean, and that they are answered when they are kept.
func TestReports(t *testing.T) {
	r := newRig(t, "http://mmsc.example.net", func(c *Config) {
		c.MMStates = map[string]Report{"Forwarded": {Outcome: gateway.ReceiptDelivered}, "Vendor": {gateway.ReceiptUndelivered, gateway.Spam}}
	})
	mmsc := r.served()
	for _, test := range []struct {
		status, extension string
		outcome           gateway.ReceiptOutcome
		reason            gateway.Reason
		detail            string
	}{
		{"Retrieved", "", gateway.ReceiptDelivered, gateway.NoReason, "Retrieved"},
		{"Expired", "", gateway.ReceiptUndelivered, gateway.DestinationAway, "Expired"},
		{"Rejected", "RejectionByMMSRecipient", gateway.ReceiptUndelivered, gateway.Prohibited, "Rejected RejectionByMMSRecipient"},
		{"Indeterminate", "", gateway.InTransit, gateway.NoReason, "Indeterminate"},
		{"Deferred", "", gateway.InTransit, gateway.NoReason, "Deferred"},
		{"Unrecognised", "", gateway.ReceiptUndelivered, gateway.InvalidDestination, "Unrecognised"},
		{"RETRIEVED", "", gateway.ReceiptDelivered, gateway.NoReason, "RETRIEVED"},
		{"forwarded", "", gateway.ReceiptDelivered, gateway.NoReason, "forwarded"},
		{"Vendor", "", gateway.ReceiptUndelivered, gateway.Spam, "Vendor"},
		{"Etwas", "", gateway.InTransit, gateway.NoReason, "Etwas"},
		{strings.Repeat("x", 100), "", gateway.InTransit, gateway.NoReason, "?"},
	} {
		request := report("7", test.status)
		request.MMStatusExtension = test.extension
		if _, err := mmsc.DeliveryReport(t.Context(), request); err != nil {
			t.Fatalf("%s: %v", test.status, err)
		}
		got := r.receipts[len(r.receipts)-1]
		want := gateway.Receipt{
			Carrier: "mmsc", CarrierID: "7", Outcome: test.outcome, Reason: test.reason, Detail: test.detail, At: got.At, From: ours, To: theirs,
		}
		if got != want || got.At.IsZero() {
			t.Errorf("%s: %+v", test.status, got)
		}
	}
	if _, err := mmsc.ReadReply(t.Context(), &mm7.ReadReplyReq{MessageID: "7", MMStatus: mm7.MMRead}); err != nil {
		t.Error(err)
	}
	r.decideBy(func(done func(error)) { done(errors.New("disk full")) })
	if _, err := mmsc.DeliveryReport(t.Context(), report("7", "Retrieved")); codeOf(err) != 4006 {
		t.Errorf("what cannot be kept is answered %v", err)
	}
	if got := r.Stats(); got.Receipts != 12 || got.ReceiptsKept != 11 || got.ReceiptsPutOff != 1 || got.Reads != 1 {
		t.Errorf("%+v", got)
	}
}

// TestReportIsKeptFirst: the MMSC hears nothing until the report is on disk.
func TestReportIsKeptFirst(t *testing.T) {
	r := newRig(t, "http://mmsc.example.net")
	mmsc := r.served()
	waiting := make(chan func(error), 1)
	r.decideBy(func(done func(error)) { waiting <- done })
	answered := make(chan error, 1)
	go func() { _, err := mmsc.DeliveryReport(context.Background(), report("7", "Retrieved")); answered <- err }()
	done := <-waiting
	select {
	case err := <-answered:
		t.Errorf("answered before it was kept: %v", err)
	default:
	}
	done(nil)
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

// TestCredentials: who does not know them posts nothing.
func TestCredentials(t *testing.T) {
	r := newRig(t, "http://mmsc.example.net", func(c *Config) { c.InboundUsername, c.InboundPassword = "hub", "secret" })
	mmsc := r.served()
	for _, authorize := range []func(*http.Request){nil, mm7.BasicAuth("hub", "Secret"), mm7.BasicAuth("", ""), mm7.BasicAuth("secret", "hub")} {
		mmsc.Authorize = authorize
		if _, err := mmsc.DeliveryReport(t.Context(), report("7", "Retrieved")); codeOf(err) != http.StatusUnauthorized {
			t.Errorf("answered %v", err)
		}
	}
	mmsc.Authorize = mm7.BasicAuth("hub", "secret")
	if _, err := mmsc.DeliveryReport(t.Context(), report("7", "Retrieved")); err != nil || len(r.receipts) != 1 || r.Stats().Intruders != 4 {
		t.Errorf("%v, %d receipts, %+v", err, len(r.receipts), r.Stats())
	}
}

const picture = "\xff\xd8\xff\xe0\x00\x10JFIF and so on"

func delivery(to ...string) *mm7.DeliverReq {
	request := &mm7.DeliverReq{LinkedID: "link", Sender: mm7.Address{Value: "+1 (415) 222-3333"}, Subject: "hello", TimeStamp: begin}
	for _, number := range to {
		request.Recipients.To = append(request.Recipients.To, mm7.Address{Value: number})
	}
	return request
}

var begin = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func parts(list ...mm7.Part) *mm7.Content { return &mm7.Content{Parts: list} }

func bytesOf(kind, name, content string) mm7.Part { return mm7.BytesPart(kind, name, []byte(content)) }

// TestInbound: texts are joined, SMIL is dropped, files are kept for who rents the number, what is not taken is left out.
func TestInbound(t *testing.T) {
	r := newRig(t, "http://mmsc.example.net")
	mmsc := r.served()
	content := parts(
		bytesOf("application/smil", "a.smil", "<smil/>"), bytesOf("text/plain; charset=iso-8859-1", "a.txt", "gr\xfc\xdfe"),
		bytesOf("image/jpeg", "sun.jpg", picture), bytesOf("text/plain", "b.txt", "two"), bytesOf("text/html", "c.html", "<html><script></script></html>"),
		bytesOf("image/png", "lie.png", picture), bytesOf("image/gif", "empty.gif", ""), bytesOf("text/plain", "long.txt", strings.Repeat("long ", 10_000)),
	)
	if _, err := mmsc.Deliver(t.Context(), delivery("+19998887777", "+"+ours, ours), content); err != nil {
		t.Fatal(err)
	}
	if len(r.parts) != 1 {
		t.Fatalf("%d parts", len(r.parts))
	}
	part := r.parts[0]
	if part.Carrier != "mmsc" || part.Service != gateway.MMS || part.From != theirs || part.To != ours || part.Subject != "hello" || part.Text != "grüße\ntwo" ||
		part.Identity.IsZero() || part.At.IsZero() || len(part.Media) != 2 {
		t.Errorf("%+v", part)
	}
	if len(r.kept) != 2 || r.kept[0].Name != "sun.jpg" || r.kept[0].Type != "image/jpeg" || string(r.kept[0].Head) != picture || r.kept[1].Size != 50_000 ||
		!slices.Equal(part.Media, []gateway.ID{r.kept[0].ID, r.kept[1].ID}) {
		t.Errorf("kept: %+v", r.kept)
	}
	if got := r.Stats(); got.Inbound != 1 || got.InboundTaken != 1 || got.FilesTaken != 2 || got.FilesDropped != 3 {
		t.Errorf("%+v", got)
	}
	if said := r.said(); strings.Contains(said, theirs) || strings.Contains(said, "grüße") {
		t.Errorf("the log says %s", said)
	}
}

// TestInboundAgain: what is brought again changes nothing; what says the same at another time is another message.
func TestInboundAgain(t *testing.T) {
	r := newRig(t, "http://mmsc.example.net")
	mmsc := r.served()
	bring := func(change func(*mm7.DeliverReq), file string) {
		t.Helper()
		request := delivery(ours)
		if change != nil {
			change(request)
		}
		if _, err := mmsc.Deliver(t.Context(), request, parts(bytesOf("image/jpeg", "sun.jpg", picture+file))); err != nil {
			t.Fatal(err)
		}
	}
	r.decideBy(func(done func(error)) { done(errors.New("disk full")) })
	if _, err := mmsc.Deliver(t.Context(), delivery(ours), parts(bytesOf("text/plain", "", "x"))); codeOf(err) != 4006 {
		t.Errorf("what cannot be kept is answered %v", err)
	}
	r.decideBy(nil)
	r.parts, r.kept = nil, nil
	bring(nil, "")
	bring(nil, "") // with another TransactionID
	if len(r.parts) != 1 || len(r.kept) != 1 {
		t.Errorf("%d parts, %d files", len(r.parts), len(r.kept))
	}
	bring(func(q *mm7.DeliverReq) { q.LinkedID = "other" }, "")
	bring(func(q *mm7.DeliverReq) { q.TimeStamp = begin.Add(time.Second) }, "")
	bring(nil, "other")
	bare := func(q *mm7.DeliverReq) { q.LinkedID, q.TimeStamp = "", time.Time{} }
	bring(bare, "")
	bring(bare, "")
	if len(r.parts) != 6 || r.Stats().InboundRepeated != 1 {
		t.Errorf("%d parts, %+v", len(r.parts), r.Stats())
	}
}

// TestInboundRefused: for good where nobody will ever want it, for the moment otherwise.
func TestInboundRefused(t *testing.T) {
	r := newRig(t, "http://mmsc.example.net")
	mmsc := r.served()
	text := parts(bytesOf("text/plain", "", "x"))
	for _, test := range []struct {
		name    string
		request *mm7.DeliverReq
		content *mm7.Content
		keep    error
		want    int
	}{
		{"nobody's number", delivery("+19998887777"), text, nil, 2003},
		{"nobody's number any more", delivery(ours), text, gateway.Errorf(gateway.NotFound, "no account"), 2003},
		{"full disk", delivery(ours), text, errors.New("disk full"), 4006},
		{"no room", delivery(ours), parts(bytesOf("image/jpeg", "", picture+"no room")), nil, 4006},
		{"too large", delivery(ours), parts(bytesOf("image/jpeg", "", picture+strings.Repeat("x", 9<<20))), nil, 2004},
		{"national form", delivery(ours[1:]), text, nil, 0},
	} {
		r.decideBy(func(done func(error)) { done(test.keep) })
		if _, err := mmsc.Deliver(t.Context(), test.request, test.content); codeOf(err) != test.want {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	if got := r.parts[len(r.parts)-1]; got.To != ours {
		t.Errorf("the national form leads to %s", got.To)
	}
}

// TestParties: who a message is from. A number that came whole keeps its country code, though it has as many digits as one of ours without.
func TestParties(t *testing.T) {
	r := newRig(t, "http://mmsc.example.net")
	mmsc := r.served()
	for _, test := range []struct {
		sender mm7.Address
		want   string
	}{
		{mm7.Address{Value: "+14152223333"}, theirs},
		{mm7.Address{Value: "415-222-3333"}, theirs},
		{mm7.Address{Value: "+6591234567"}, "6591234567"},
		{mm7.Address{Kind: mm7.ShortCode, Value: "72727"}, "72727"},
		{mm7.Address{Kind: mm7.RFC2822, Value: "ann@example.net"}, "ann@example.net"},
	} {
		request := delivery("+" + ours)
		request.Sender = test.sender
		if _, err := mmsc.Deliver(t.Context(), request, parts(bytesOf("text/plain", "", "x"))); err != nil {
			t.Fatal(err)
		}
		if got := r.parts[len(r.parts)-1].From; got != test.want {
			t.Errorf("%+v is %s", test.sender, got)
		}
	}
}

// TestConfig: what is wrong is said, all at once.
func TestConfig(t *testing.T) {
	_, err := New(Config{Name: "", URL: "ftp://x", Window: -1, UnansweredLimit: -1, Answers: map[mm7.StatusCode]Answer{2001: {}}, MMStates: map[string]Report{"x": {}}})
	for _, part := range []string{"name:", "url:", "Now must", "Whose", "window:", "unanswered limit", "answers: 2001", "states: x"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in %v", part, err)
		}
	}
	if !bytes.Contains([]byte(err.Error()), []byte("\n")) {
		t.Error("only one thing is said")
	}
}
