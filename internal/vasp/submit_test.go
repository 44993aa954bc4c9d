package vasp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mm7"
	"github.com/heliograph/heliograph/internal/mm7/mm7test"
)

func recording(c *mm7test.Config) { c.Record, c.KeepContent = 100, true }

// TestSubmit: what arrives at the MMSC, down to the parts.
func TestSubmit(t *testing.T) {
	mmsc := mm7test.New(t, recording, func(c *mm7test.Config) { c.Username, c.Password, c.VASPID, c.VASID = "user", "secret", "vasp", "vas" })
	r := newRig(t, mmsc.URL(), func(c *Config) {
		c.Username, c.Password, c.ServiceCode, c.ValidityPeriod, c.Adaptations = "user", "secret", "gold", true, mm7.Yes
	}).up()
	m := message("grüße <&>", "one", "two")
	m.ExpiresAt = time.Now().Add(time.Hour + 500*time.Millisecond)
	if got := r.send(m); got.Status != gateway.Accepted || got.CarrierID == "" || got.Detail != "" {
		t.Fatalf("the outcome is %+v", got)
	}
	short := message("only text")
	short.From = "72727"
	if got := r.send(short); got.Status != gateway.Accepted {
		t.Fatalf("the outcome is %+v", got)
	}
	submits := mmsc.Submits()
	if len(submits) != 2 {
		t.Fatalf("%d submits", len(submits))
	}
	s := submits[0]
	if len(s.Violations) > 0 || s.Sender != "+"+ours || !slices.Equal(s.Recipients, []string{"+" + theirs}) || !s.Report || s.ServiceCode != "gold" || s.Expiry != "PT3600S" || len(s.Parts) != 4 {
		t.Fatalf("submitted: %+v", s)
	}
	smil := string(s.Parts[0].Data)
	if !strings.Contains(smil, "text.txt") || !strings.Contains(smil, "file1.jpg") || !strings.Contains(smil, "file2.jpg") {
		t.Errorf("SMIL: %s", smil)
	}
	if string(s.Parts[1].Data) != m.Text || string(s.Parts[2].Data) != "one" || string(s.Parts[3].Data) != "two" {
		t.Errorf("parts: %+v", s.Parts)
	}
	if s := submits[1]; s.Sender != "72727" || len(s.Parts) != 2 {
		t.Errorf("from a short code: %+v", s)
	}
	if got := r.Stats(); got.Accepted != 2 {
		t.Errorf("stats: %+v", got)
	}
}

// TestTLS: over https the MMSC's certificate is verified, by the probe too.
func TestTLS(t *testing.T) {
	model := httptest.NewTLSServer(nil)
	defer model.Close()
	mmsc := mm7test.New(t, func(c *mm7test.Config) { c.TLS = &tls.Config{Certificates: model.TLS.Certificates} })
	roots := x509.NewCertPool()
	roots.AddCert(model.Certificate())
	r := newRig(t, mmsc.URL(), func(c *Config) { c.TLS = &tls.Config{RootCAs: roots, ServerName: "example.com"} }).up()
	if got := r.send(message("x", "y")); got.Status != gateway.Accepted {
		t.Errorf("the outcome is %+v", got)
	}
	stranger := newRig(t, mmsc.URL()).start()
	stranger.await("a word about the certificate", func() bool { return strings.Contains(stranger.said(), "certificate") })
	if stranger.Places() != 0 {
		t.Error("an MMSC with a strange certificate has places")
	}
}

// TestSubmitRefused: what is no MMS, or has no files, never leaves.
func TestSubmitRefused(t *testing.T) {
	mmsc := mm7test.New(t)
	r := newRig(t, mmsc.URL())
	if got := r.send(message("x")); got.Status != gateway.NotSent {
		t.Errorf("before Run: %+v", got)
	}
	r.up()
	sms := message("x")
	sms.Service = gateway.SMS
	for _, test := range []struct {
		m    *gateway.Message
		want gateway.Outcome
	}{
		{sms, gateway.Outcome{Status: gateway.Rejected, Reason: gateway.Prohibited, Detail: "MM7 carries no SMS"}},
		{message("x", "gone"), gateway.Outcome{Status: gateway.Rejected, Reason: gateway.InvalidMessage, Detail: "a file is gone"}},
		{message("x", "away"), gateway.Outcome{Status: gateway.Deferred, Detail: "its files cannot be read"}},
	} {
		if got := r.send(test.m); got != test.want {
			t.Errorf("%v: %+v", test.m.MediaIDs, got)
		}
	}
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	if got := r.send(message("x")); got.Status != gateway.NotSent || r.Places() != 0 {
		t.Errorf("after Run: %+v", got)
	}
	if got := mmsc.Counters(); got.Submits != 0 {
		t.Errorf("the MMSC got %+v", got)
	}
}

// TestAnswers: what the MMSC answers, and what becomes of the message.
func TestAnswers(t *testing.T) {
	for _, test := range []struct {
		name string
		set  func(*mm7test.Config)
		want gateway.Outcome
	}{
		{"address", answering(2002), gateway.Outcome{Status: gateway.Rejected, Reason: gateway.InvalidDestination, Detail: "2002 Address Error"}},
		{"content", answering(2004), gateway.Outcome{Status: gateway.Rejected, Reason: gateway.InvalidMessage, Detail: "2004 Multimedia content refused"}},
		{"restricted", answering(2001), gateway.Outcome{Status: gateway.Rejected, Reason: gateway.Prohibited, Detail: "2001 Operation restricted"}},
		{"trouble", answering(3000), gateway.Outcome{Status: gateway.Deferred, Detail: "3000 Server Error"}},
		{"identity", answering(4001), gateway.Outcome{Status: gateway.Deferred, Detail: "4001 Improper identification"}},
		{"busy", answering(4006), gateway.Outcome{Status: gateway.Throttled, Detail: "4006 Service unavailable"}},
		{"own 2", answering(2987), gateway.Outcome{Status: gateway.Rejected, Reason: gateway.UnknownReason, Detail: "2987"}},
		{"own 3", answering(3987), gateway.Outcome{Status: gateway.Deferred, Detail: "3987"}},
		{"set", answering(2999), gateway.Outcome{Status: gateway.Rejected, Reason: gateway.Spam, Detail: "2999"}},
		{"partly", answering(1100), gateway.Outcome{Status: gateway.Accepted, CarrierID: "1000000001"}},
		{"unavailable", func(c *mm7test.Config) { c.UnavailableEvery = 1 }, gateway.Outcome{Status: gateway.Throttled, Detail: "HTTP 503"}},
		{"fault", func(c *mm7test.Config) { c.FaultEvery = 1 }, gateway.Outcome{Status: gateway.Deferred, Detail: "3000 Server Error"}},
		{"stranger", func(c *mm7test.Config) { c.Username = "user" }, gateway.Outcome{Status: gateway.Deferred, Detail: "HTTP 401"}},
		{"garbage", func(c *mm7test.Config) { c.GarbageEvery = 1 }, gateway.Outcome{Status: gateway.Unanswered, Detail: "no answer"}},
		{"cut answer", func(c *mm7test.Config) { c.CutAnswerEvery = 1 }, gateway.Outcome{Status: gateway.Unanswered, Detail: "no answer"}},
		{"no answer", func(c *mm7test.Config) { c.Unanswered = 1 }, gateway.Outcome{Status: gateway.Unanswered, Detail: "no answer"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			mmsc := mm7test.New(t, test.set)
			r := newRig(t, mmsc.URL(), func(c *Config) {
				c.Answers = map[mm7.StatusCode]Answer{2999: {Status: gateway.Rejected, Reason: gateway.Spam}}
			}).up()
			if got := r.send(message("x", "y")); got != test.want {
				t.Errorf("the outcome is %+v", got)
			}
			if said := r.said(); strings.Contains(said, theirs) || strings.Contains(said, ours) {
				t.Errorf("the log says a number: %s", said)
			}
		})
	}
}

func answering(code mm7.StatusCode) func(*mm7test.Config) {
	return func(c *mm7test.Config) { c.StatusOf = map[string]mm7.StatusCode{theirs: code} }
}

// TestNotSent: what surely did not arrive goes again at once only when there was no connection: else the message may be why there is none.
func TestNotSent(t *testing.T) {
	for _, test := range []struct {
		err  error
		want gateway.Outcome
		then heard
	}{
		{refused(), gateway.Outcome{Status: gateway.NotSent, Detail: "the MMSC cannot be reached"}, noConnection},
		{errors.New("connection reset by peer"), gateway.Outcome{Status: gateway.Deferred, Detail: "the connection broke while it was sent"}, noAnswer},
		{context.DeadlineExceeded, gateway.Outcome{Status: gateway.Deferred, Detail: "the connection broke while it was sent"}, noAnswer},
		{context.Canceled, gateway.Outcome{Status: gateway.NotSent, Detail: "the carrier has stopped"}, notAsked},
		{fmt.Errorf("mm7: read a part: %w", &fs.PathError{Op: "read", Path: "x", Err: errors.New("input/output error")}), gateway.Outcome{Status: gateway.Deferred, Detail: "its files cannot be read"}, notAsked},
		{mm7.ErrSize, gateway.Outcome{Status: gateway.Deferred, Detail: "its files cannot be read"}, notAsked},
	} {
		got, _, then := new(Config).outcome(nil, &mm7.Error{Outcome: mm7.NotSent, Err: test.err})
		if got != test.want || then != test.then {
			t.Errorf("%v: %+v, %d", test.err, got, then)
		}
	}
}

// TestWindow: as many requests run at once as the window has places, and no more.
func TestWindow(t *testing.T) {
	mmsc := mm7test.New(t, func(c *mm7test.Config) { c.AcceptDelay = 200 * time.Millisecond })
	r := newRig(t, mmsc.URL(), func(c *Config) { c.Window = 3 }).up()
	var outcomes []<-chan gateway.Outcome
	for range 4 {
		outcomes = append(outcomes, r.begin(message("x", "y")))
	}
	if got := <-outcomes[3]; got.Status != gateway.NotSent {
		t.Errorf("the fourth: %+v", got)
	}
	if got := r.Binds()[0]; got.InUse != 3 || got.Window != 3 || got.State != "up" {
		t.Errorf("state: %+v", got)
	}
	for _, outcome := range outcomes[:3] {
		if got := <-outcome; got.Status != gateway.Accepted {
			t.Errorf("the outcome is %+v", got)
		}
	}
}

// TestStop: what is in hand at the end is waited for, and no longer than StopTimeout.
func TestStop(t *testing.T) {
	mmsc := mm7test.New(t, func(c *mm7test.Config) { c.AcceptDelay = time.Hour })
	r := newRig(t, mmsc.URL(), func(c *Config) { c.StopTimeout = 10 * time.Millisecond }).up()
	outcome := r.begin(message("x", "y"))
	r.await("the submit", func() bool { return mmsc.Counters().Submits == 1 })
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	select {
	case got := <-outcome:
		if got.Status != gateway.Unanswered {
			t.Errorf("the outcome is %+v", got)
		}
	default:
		t.Error("the carrier has ended with a submit in hand")
	}
}
