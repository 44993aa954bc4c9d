package relay

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mm4"
)

var picture = []byte("\xFF\xD8\xFF\xE0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")

func part(mediaType, name string, octets []byte) mm4.Part {
	return mm4.Part{Type: mediaType, Location: name, Name: name, Size: int64(len(octets)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(octets)), nil
	}}
}

func at(user string) mm4.Address { return mm4.PLMN(user, "us.example") }

// fromHandset is a forward to some recipients.
func fromHandset(id string, to ...mm4.Address) *mm4.Forward {
	return &mm4.Forward{
		Head: mm4.Head{TransactionID: "t-" + id, MessageID: id, Sender: theirSystem, Date: time.Unix(1e9, 0)},
		From: mm4.PLMN("+"+theirs, "hub.example"), To: to, Subject: "Hello", AckRequest: true,
		Parts: []mm4.Part{
			part("application/smil", "a.smil", []byte("<smil/>")), part("text/plain", "a.txt", []byte("one\r\ntwo\r\n")),
			part("image/jpeg", "a.jpg", picture), part("text/plain", "b.txt", []byte("three")), part("text/html", "c.html", []byte("<html>")),
		},
	}
}

// TestInbound: each recipient of ours gets a message from a handset, with its text in one piece and files of its own; the peer hears who is nobody here.
func TestInbound(t *testing.T) {
	p := withPeer(t)
	f := fromHandset("m1", at("+14155550100"), at("4155550101"), at("55500"), at("+14159990000"))
	f.DeliveryReport = true
	if out := p.mail(f, append(f.To, at("+14155550100"))...); out.Status != mm4.Accepted {
		t.Fatalf("%+v", out)
	}
	responses := p.answered(2)
	slices.SortFunc(responses, func(a, b *mm4.Response) int { return strings.Compare(string(b.Status), string(a.Status)) })
	ok, nobody := responses[0], responses[1]
	if ok.Status != mm4.Ok || ok.TransactionID != "t-m1" || ok.MessageID != "m1" || len(ok.Recipients) != 3 || ok.To != theirSystem {
		t.Errorf("%+v", ok)
	}
	if nobody.Status != mm4.ErrorPermanentAddress || len(nobody.Recipients) != 1 || nobody.Recipients[0].User != "+14159990000" {
		t.Errorf("%+v", nobody)
	}
	_, parts := p.taken()
	if len(parts) != 3 {
		t.Fatalf("%+v", parts)
	}
	for i, to := range []string{"14155550100", "14155550101", "55500"} {
		got := parts[i]
		if got.Carrier != "hub" || got.Service != gateway.MMS || got.From != theirs || got.To != to || got.Subject != "Hello" ||
			got.Text != "one\ntwo\nthree" || len(got.Media) != 1 || got.Identity.IsZero() {
			t.Errorf("%+v", got)
		}
		if i > 0 && (got.Media[0] == parts[0].Media[0] || got.Identity == parts[0].Identity) {
			t.Errorf("%s shares what is another's", to)
		}
	}
	if kept := p.kept[0]; kept.Name != "a.jpg" || kept.Type != "image/jpeg" || kept.Size != int64(len(picture)) {
		t.Errorf("%+v", kept)
	}
	p.await("the reports", func() bool { p.got.Lock(); defer p.got.Unlock(); return len(p.reports) == 3 })
	if r := p.reports[0]; r.Status != mm4.Retrieved || r.MessageID != "m1" || r.To.User != "+"+theirs || !r.ForwardToOriginator {
		t.Errorf("%+v", r)
	}
	s := p.Stats()
	if s.Inbound != 1 || s.InboundTaken != 3 || s.InboundUnowned != 1 || s.FilesTaken != 3 || s.FilesDropped != 1 {
		t.Errorf("%+v", s)
	}
	if said := p.said(); strings.Contains(said, "415555") || strings.Contains(said, "4159990000") || strings.Contains(said, theirs) {
		t.Errorf("the log has a number: %s", p.said())
	}
}

// TestInboundAgain: a message that is brought again is answered again, and neither kept nor reported again.
func TestInboundAgain(t *testing.T) {
	p := withPeer(t)
	for n := range 2 {
		f := fromHandset("m1", at("+14155550100"))
		f.TransactionID = f.TransactionID + strings.Repeat("x", n)
		f.DeliveryReport = true
		if out := p.mail(f, f.To...); out.Status != mm4.Accepted {
			t.Fatalf("%+v", out)
		}
	}
	for _, r := range p.answered(2) {
		if r.Status != mm4.Ok || len(r.Recipients) != 0 {
			t.Errorf("%+v", r)
		}
	}
	if _, parts := p.taken(); len(parts) != 1 || p.Stats().InboundRepeated != 1 || len(p.kept) != 1 {
		t.Errorf("%d parts, %+v", len(parts), p.Stats())
	}
	f := fromHandset("m2", at("+14155550100"))
	if out := p.mail(f, f.To...); out.Status != mm4.Accepted || p.Stats().InboundTaken != 2 {
		t.Errorf("another message: %+v", out)
	}
}

// TestInboundRefused: what is for nobody here, and what cannot be taken.
func TestInboundRefused(t *testing.T) {
	p := withPeer(t, func(c *Config) { c.MostFile = 1000 })
	nobody := fromHandset("m1", at("+14159990000"))
	if out := p.mail(nobody, nobody.To...); out.Status != mm4.Accepted {
		t.Errorf("nobody: %+v", out)
	}
	if r := p.answered(1)[0]; r.Status != mm4.ErrorPermanentAddress || len(r.Recipients) != 0 {
		t.Errorf("%+v", r)
	}
	nobody.AckRequest = false
	if out := p.mail(nobody, nobody.To...); out.Status != mm4.Refused {
		t.Errorf("nobody, without a response: %+v", out)
	}
	if out := p.mail(fromHandset("m1"), mm4.PLMN("+14155550100", "elsewhere.example")); out.Status != mm4.Refused {
		t.Errorf("for another host: %+v", out)
	}
	large := fromHandset("m2", at("+14155550100"))
	large.Parts = append(large.Parts, part("image/jpeg", "b.jpg", append(slices.Clone(picture), make([]byte, 1000)...)))
	if out := p.mail(large, large.To...); out.Status != mm4.Refused || out.Code != 552 {
		t.Errorf("too large: %+v", out)
	}
	if _, parts := p.taken(); len(parts) != 0 || p.Stats().InboundPutOff != 1 || p.Stats().InboundUnowned != 2 {
		t.Errorf("%d parts, %+v", len(parts), p.Stats())
	}
}

// TestInboundLater: what cannot be kept now is to come again; a number that was given back meanwhile is nobody's.
func TestInboundLater(t *testing.T) {
	p := withPeer(t)
	p.decideBy(func(done func(error)) { done(errors.New("disk full")) })
	f := fromHandset("m1", at("+14155550100"))
	if out := p.mail(f, f.To...); out.Status != mm4.NeverAccepted || out.Code != 451 {
		t.Errorf("%+v", out)
	}
	report := &mm4.DeliveryReport{
		Head: mm4.Head{TransactionID: "r", MessageID: gateway.ID{1}.String(), Sender: theirSystem, Date: time.Unix(1e9, 0)},
		From: mm4.PLMN("+"+theirs, "hub.example"), To: at("+14155550100"), Status: mm4.Retrieved,
	}
	if out := p.mail(report, mm4.Address{User: "mms", Host: "us.example"}); out.Status != mm4.NeverAccepted || p.Stats().ReceiptsPutOff != 1 {
		t.Errorf("a report: %+v", out)
	}
	p.decideBy(func(done func(error)) { done(gateway.Errorf(gateway.NotFound, "nobody's")) })
	if out := p.mail(f, f.To...); out.Status != mm4.Accepted {
		t.Errorf("%+v", out)
	}
	if r := p.answered(1)[0]; r.Status != mm4.ErrorPermanentAddress {
		t.Errorf("%+v", r)
	}
	if s := p.Stats(); s.InboundTaken != 0 || s.InboundPutOff != 1 || s.InboundUnowned != 1 {
		t.Errorf("%+v", s)
	}
}

// TestReports: what each status says, and what is asked back. A report counts when it is on disk.
func TestReports(t *testing.T) {
	p := withPeer(t, func(c *Config) {
		c.MMStates = map[mm4.MMStatus]Report{"indeterminate": {Outcome: gateway.ReceiptDelivered}}
	})
	us := mm4.Address{User: "mms", Host: "us.example"}
	n := 0
	for status, want := range map[mm4.MMStatus]Report{
		mm4.Retrieved:     {Outcome: gateway.ReceiptDelivered},
		mm4.Expired:       {gateway.ReceiptUndelivered, gateway.DestinationAway},
		mm4.Rejected:      {gateway.ReceiptUndelivered, gateway.Prohibited},
		mm4.Deferred:      {Outcome: gateway.InTransit},
		mm4.Forwarded:     {Outcome: gateway.InTransit},
		mm4.Indeterminate: {Outcome: gateway.ReceiptDelivered},
		mm4.Unrecognised:  {gateway.ReceiptUndelivered, gateway.InvalidDestination},
		mm4.Unreachable:   {gateway.ReceiptUndelivered, gateway.DestinationAway},
		"Eaten":           {Outcome: gateway.InTransit},
	} {
		n++
		id := gateway.ID{byte(n)}.String()
		report := &mm4.DeliveryReport{
			Head: mm4.Head{TransactionID: id, MessageID: strings.ToUpper(id), Sender: theirSystem, Date: time.Unix(1e9, 0)},
			From: mm4.PLMN("+"+theirs, "hub.example"), To: at("4155550100"), Status: status, Text: "a sentence", AckRequest: true,
		}
		if out := p.mail(report, us); out.Status != mm4.Accepted {
			t.Fatalf("%s: %+v", status, out)
		}
		receipts, _ := p.taken()
		got := receipts[len(receipts)-1]
		if got.Outcome != want.Outcome || got.Reason != want.Reason || got.CarrierID != id || got.Detail != string(status) || got.From != ours || got.To != theirs {
			t.Errorf("%s: %+v", status, got)
		}
	}
	for _, r := range p.answered(n) {
		if r.Status != mm4.Ok || r.Of != mm4.DeliveryReportReq || r.TransactionID == "" {
			t.Errorf("%+v", r)
		}
	}
	foreign := &mm4.DeliveryReport{
		Head: mm4.Head{TransactionID: "x", MessageID: "not-ours", Sender: theirSystem, Date: time.Unix(1e9, 0)},
		From: mm4.PLMN("+"+theirs, "hub.example"), To: at("+14155550100"), Status: mm4.Retrieved, Extension: mm4.RejectedByRecipient, AckRequest: true,
	}
	if out := p.mail(foreign, us); out.Status != mm4.Accepted {
		t.Fatalf("%+v", out)
	}
	if r := p.answered(n + 1)[n]; r.Status != mm4.ErrorMessageNotFound {
		t.Errorf("%+v", r)
	}
	read := &mm4.ReadReply{
		Head: mm4.Head{TransactionID: "y", MessageID: "m", Sender: theirSystem, Date: time.Unix(1e9, 0)},
		From: foreign.From, To: foreign.To, Status: mm4.Read, AckRequest: true,
	}
	if out := p.mail(read, us); out.Status != mm4.Accepted {
		t.Fatalf("%+v", out)
	}
	if r := p.answered(n + 2)[n+1]; r.Status != mm4.Ok || r.Of != mm4.ReadReplyReportReq {
		t.Errorf("%+v", r)
	}
	if s := p.Stats(); s.Receipts != int64(n)+1 || s.ReceiptsKept != int64(n) || s.ReceiptsUseless != 1 || s.Reads != 1 || p.Receipts() != int64(n)+1 {
		t.Errorf("%+v", s)
	}
}

// TestAddresses: whom an address names.
func TestAddresses(t *testing.T) {
	for _, c := range []struct {
		address mm4.Address
		want    string
	}{
		{mm4.PLMN("+14155550100", "x.example"), "14155550100"},
		{mm4.PLMN("14155550100", "x.example"), "14155550100"},
		{mm4.PLMN("4155550100", "x.example"), "14155550100"},
		{mm4.PLMN("+6591234567", "x.example"), "6591234567"},
		{mm4.PLMN("55500", "x.example"), "55500"},
		{mm4.Address{User: "ann", Host: "x.example"}, "ann@x.example"},
		{mm4.Address{User: "+1-415-555-0100", Host: "x.example"}, "14155550100"},
		{mm4.PLMN("ACME", "x.example"), "ACME"},
		{mm4.Address{}, "anonymous"},
	} {
		if got := party(c.address); got != c.want {
			t.Errorf("%s: %s instead of %s", c.address, got, c.want)
		}
	}
}
