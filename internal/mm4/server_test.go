package mm4_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/mm4"
	"github.com/heliograph/heliograph/internal/mm4/mm4test"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// inbox is a handler that keeps what it takes.
type inbox struct {
	mu        sync.Mutex
	err       error // returned by all functions
	forwards  []*mm4.Forward
	octets    []int
	envelopes []mm4.Envelope
	responses []*mm4.Response
	reports   []*mm4.DeliveryReport
	reads     []*mm4.ReadReply
}

func (i *inbox) handler() mm4.Handler {
	return mm4.Handler{
		Forward: func(_ context.Context, e mm4.Envelope, f *mm4.Forward, body *mm4.Body) error {
			octets := 0
			for {
				part, err := body.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					return err
				}
				n, err := io.Copy(io.Discard, part.Body)
				if err != nil {
					return err
				}
				octets += int(n)
			}
			return i.keep(e, func() { i.forwards, i.octets = append(i.forwards, f), append(i.octets, octets) })
		},
		Response: func(_ context.Context, e mm4.Envelope, r *mm4.Response) error {
			return i.keep(e, func() { i.responses = append(i.responses, r) })
		},
		DeliveryReport: func(_ context.Context, e mm4.Envelope, r *mm4.DeliveryReport) error {
			return i.keep(e, func() { i.reports = append(i.reports, r) })
		},
		ReadReply: func(_ context.Context, e mm4.Envelope, r *mm4.ReadReply) error {
			return i.keep(e, func() { i.reads = append(i.reads, r) })
		},
	}
}

func (i *inbox) keep(e mm4.Envelope, add func()) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.err != nil {
		return i.err
	}
	i.envelopes = append(i.envelopes, e)
	add()
	return nil
}

func (i *inbox) fail(err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.err = err
}

func (i *inbox) counts() [4]int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return [4]int{len(i.forwards), len(i.responses), len(i.reports), len(i.reads)}
}

// newServer runs a server, and gives its address.
func newServer(t *testing.T, cfg mm4.ServerConfig) (address string, stop func()) {
	t.Helper()
	if cfg.Name == "" {
		cfg.Name = "mms.us.example"
	}
	cfg.Domains = []string{"us.example", "mms.us.example"}
	if cfg.Networks == nil && cfg.User == "" {
		cfg.Networks = loopback
	}
	server, err := mm4.NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stop = run(t, func(ctx context.Context) error { return server.Serve(ctx, listener) })
	return listener.Addr().String(), stop
}

// talk sends what a dialogue says after "C:", and expects the beginnings of lines that it says after "S:".
type talk struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

func dial(t *testing.T, address string) *talk {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &talk{t, conn, bufio.NewReader(conn)}
}

func (d *talk) say(dialogue string) {
	d.t.Helper()
	for line := range strings.SplitSeq(strings.TrimSpace(dialogue), "\n") {
		side, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		if side == "" {
			continue
		}
		if side == "C:" {
			if _, err := io.WriteString(d.conn, text+"\r\n"); err != nil {
				d.t.Fatalf("%q: %v", text, err)
			}
			continue
		}
		if got := d.reply(); !strings.HasPrefix(got, text) {
			d.t.Fatalf("instead of %q came %q", text, got)
		}
	}
}

// reply is the last line of the next answer.
func (d *talk) reply() string {
	for {
		line, err := d.r.ReadString('\n')
		if err != nil {
			return "(" + err.Error() + ")"
		}
		if len(line) < 4 || line[3] != '-' {
			return strings.TrimSpace(line)
		}
	}
}

const hello = `
	S: 220
	C: EHLO hub.example
	S: 250
`

const envelope = `
	C: MAIL FROM:<mms@hub.example>
	S: 250
	C: RCPT TO:<+14155550123/TYPE=PLMN@us.example>
	S: 250
	C: DATA
	S: 354
`

const report = `
	C: X-Mms-Message-Type: MM4_delivery_report.REQ
	C: X-Mms-Transaction-ID: "t2"
	C: X-Mms-Message-ID: "m1"
	C: X-Mms-MM-Status-Code: Retrieved
	C: From: +14155550124/TYPE=PLMN@hub.example
	C:
	C: .
`

func TestServerDialogues(t *testing.T) {
	secret := base64.StdEncoding.EncodeToString([]byte("\x00hub\x00s3cret"))
	wrong := base64.StdEncoding.EncodeToString([]byte("\x00hub\x00secret"))
	coded := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	server, _ := certificate(t)
	password := mm4.ServerConfig{User: "hub", Password: "s3cret", AuthInClear: true}
	for name, c := range map[string]struct {
		cfg      mm4.ServerConfig
		err      error
		dialogue string
		reports  int
	}{
		"a report":                    {dialogue: hello + envelope + report + "S: 250", reports: 1},
		"two on one connection":       {dialogue: hello + envelope + report + "S: 250\n" + envelope + report + "S: 250\nC: QUIT\nS: 221", reports: 2},
		"not kept now":                {err: errors.New("disk full"), dialogue: hello + envelope + report + "S: 451 4.3.0 not taken now"},
		"refused for good":            {err: fmt.Errorf("it is %w", mm4.Refuse("unknown message")), dialogue: hello + envelope + report + "S: 554 5.6.0 unknown message"},
		"another's recipient":         {dialogue: hello + "C: MAIL FROM:<a@hub.example>\nS: 250\nC: RCPT TO:<+14155550123/TYPE=PLMN@else.example>\nS: 550 5.7.1\nC: DATA\nS: 502"},
		"a percent relay":             {dialogue: hello + "C: MAIL FROM:<a@hub.example>\nS: 250\nC: RCPT TO:<a%us.example@else.example>\nS: 550 5.7.1"},
		"no MM4":                      {dialogue: hello + envelope + "C: Subject: an ordinary mail\nC:\nC: hello\nC: .\nS: 554 5.6.0 mm4: malformed"},
		"no sender":                   {dialogue: hello + "C: MAIL FROM:<>\nS: 250\nC: RCPT TO:<+14155550123/TYPE=PLMN@us.example>\nS: 250\nC: DATA\nS: 354\n" + report + "S: 250", reports: 1},
		"other networks":              {cfg: mm4.ServerConfig{Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}, dialogue: "S: 554 5.7.1\nS: (EOF)"},
		"no password":                 {cfg: password, dialogue: hello + "C: MAIL FROM:<a@hub.example>\nS: 530 5.7.0"},
		"PLAIN":                       {cfg: password, dialogue: hello + "C: AUTH PLAIN " + secret + "\nS: 235\n" + envelope + report + "S: 250", reports: 1},
		"LOGIN":                       {cfg: password, dialogue: hello + "C: AUTH LOGIN\nS: 334\nC: " + coded("hub") + "\nS: 334\nC: " + coded("s3cret") + "\nS: 235\n" + envelope + report + "S: 250", reports: 1},
		"LOGIN with the user at once": {cfg: password, dialogue: hello + "C: AUTH LOGIN " + coded("hub") + "\nS: 334\nC: " + coded("s3cret") + "\nS: 235"},
		"guessing":                    {cfg: password, dialogue: hello + strings.Repeat("C: AUTH PLAIN "+wrong+"\nS: 535\n", 2) + "C: AUTH PLAIN " + wrong + "\nS: (EOF)"},
		"STARTTLS first":              {cfg: mm4.ServerConfig{TLS: server, Mode: mm4.TLSStart, Networks: loopback}, dialogue: hello + "C: MAIL FROM:<a@hub.example>\nS: 530 5.7.0 STARTTLS"},
		"no password in clear":        {cfg: mm4.ServerConfig{TLS: server, User: "hub", Password: "s3cret"}, dialogue: hello + "C: AUTH PLAIN " + secret + "\nS: 523"},
		"too many recipients":         {cfg: mm4.ServerConfig{Recipients: 1}, dialogue: hello + "C: MAIL FROM:<a@hub.example>\nS: 250\nC: RCPT TO:<1@us.example>\nS: 250\nC: RCPT TO:<2@us.example>\nS: 452"},
		"too large, announced":        {cfg: mm4.ServerConfig{MaxOctets: 1000}, dialogue: hello + "C: MAIL FROM:<a@hub.example> SIZE=1001\nS: 552"},
		"too large":                   {cfg: mm4.ServerConfig{MaxOctets: 1000}, dialogue: hello + envelope + strings.Repeat("C: X: yyyyyyyyyyyyy\n", 60) + report + "S: 552 5.3.4\nC: NOOP\nS: 250"},
		"an endless command":          {dialogue: hello + "C: " + strings.Repeat("NOOP", 40_000) + "\nS: 4"},
	} {
		t.Run(name, func(t *testing.T) {
			in := &inbox{err: c.err}
			c.cfg.Handler = in.handler()
			address, _ := newServer(t, c.cfg)
			dial(t, address).say(c.dialogue)
			if got := in.counts(); got != [4]int{2: c.reports} {
				t.Errorf("it took %v", got)
			}
		})
	}
}

// A handler that is not there refuses its kind of message.
func TestServerWithoutHandler(t *testing.T) {
	address, _ := newServer(t, mm4.ServerConfig{})
	d := dial(t, address)
	d.say(hello + envelope + report + "S: 554 5.6.0 this kind")
	d.say(envelope + "C: X-Mms-Message-Type: MM4_forward.REQ\nC: X-Mms-Transaction-ID: t\nC: X-Mms-Message-ID: m\nC: From: +1/TYPE=PLMN\nC:\nC: .\nS: 554 5.6.0 this kind")
}

// What is cut before its end is not taken, whatever it is.
func TestServerSeesCuts(t *testing.T) {
	in := &inbox{}
	address, stop := newServer(t, mm4.ServerConfig{Handler: in.handler()})
	d := dial(t, address)
	d.say(hello + envelope + strings.TrimSuffix(strings.TrimSpace(report), "C: ."))
	_ = d.conn.Close()
	d = dial(t, address)
	d.say(hello + envelope + `
		C: X-Mms-Message-Type: MM4_forward.REQ
		C: X-Mms-Transaction-ID: t
		C: X-Mms-Message-ID: m
		C: From: +14155550124/TYPE=PLMN@hub.example
		C: Content-Type: multipart/mixed; boundary=b
		C:
		C: --b
		C:
		C: hello
		C: --b--`)
	_ = d.conn.Close()
	stop() // waits for both
	if got := in.counts(); got != [4]int{} {
		t.Errorf("it took %v", got)
	}
}

// Connections beyond the limit are told to come again, and places are given back.
func TestServerSessions(t *testing.T) {
	address, _ := newServer(t, mm4.ServerConfig{Sessions: 2})
	first, second := dial(t, address), dial(t, address)
	first.say(hello)
	second.say(hello)
	dial(t, address).say("S: 421 4.3.2\nS: (EOF)")
	first.say("C: QUIT\nS: 221\nS: (EOF)")
	waitUntil(t, func() bool { return strings.HasPrefix(dial(t, address).reply(), "220") })
}

// A peer that sends slowly gains no time by it: not with commands, not with content.
func TestServerTimeouts(t *testing.T) {
	for name, c := range map[string]struct {
		cfg   mm4.ServerConfig
		start string
		drip  string
	}{
		"silence":          {mm4.ServerConfig{Command: 50 * time.Millisecond}, "S: 220", ""},
		"slow command":     {mm4.ServerConfig{Command: 50 * time.Millisecond}, "S: 220", "N"},
		"silent content":   {mm4.ServerConfig{Data: 50 * time.Millisecond}, hello + envelope, ""},
		"slow content":     {mm4.ServerConfig{Whole: 50 * time.Millisecond}, hello + envelope, "X"},
		"silent TLS hello": {mm4.ServerConfig{Command: 50 * time.Millisecond, Mode: mm4.TLSImplicit}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if c.cfg.Mode == mm4.TLSImplicit {
				c.cfg.TLS, _ = certificate(t)
			}
			address, _ := newServer(t, c.cfg)
			d := dial(t, address)
			if c.start != "" {
				d.say(c.start)
			}
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				_, _ = io.Copy(io.Discard, d.r) // until the server closes
			}()
			for {
				select {
				case <-ended:
					return
				case <-time.After(5 * time.Millisecond):
					if _, err := io.WriteString(d.conn, c.drip); err != nil {
						<-ended
						return
					}
				}
			}
		})
	}
}

// A message is taken in any transfer, while a hundred more come, and everything is back where it was at the end.
func TestServerTakesForwards(t *testing.T) {
	in := &inbox{}
	address, _ := newServer(t, mm4.ServerConfig{Handler: in.handler()})
	for _, noBinary := range []bool{false, true} {
		client := newClient(t, mm4.ClientConfig{Address: address, NoBinary: noBinary})
		for i := range 20 {
			mail := forward(fmt.Sprint(i), "+14155550124")
			mail.From, mail.To = mm4.Address{User: "mms", Host: "hub.example"}, []mm4.Address{mm4.PLMN("+14155550124", "us.example")}
			if out := submit(t, client, mail); out.Status != mm4.Accepted {
				t.Fatalf("%+v", out)
			}
		}
	}
	if got := in.counts(); got != [4]int{0: 40} {
		t.Fatalf("it took %v", got)
	}
	for i, octets := range in.octets {
		if want := 7 + 12 + 3000; octets != want {
			t.Errorf("message %d has %d octets, not %d", i, octets, want)
		}
		if e := in.envelopes[i]; e.From.User != "mms" || e.To[0] != mm4.PLMN("+14155550124", "us.example") || !e.Peer.IsLoopback() {
			t.Errorf("%+v", e)
		}
	}
}

// The whole exchange with a hub: forward, response, delivery report, read reply, their responses.
func TestExchange(t *testing.T) {
	in := &inbox{}
	address, _ := newServer(t, mm4.ServerConfig{Handler: in.handler()})
	hub := newHub(t, mm4test.Config{
		Back: &mm4.ClientConfig{Address: address, Name: "hub.example", RetryFirst: time.Millisecond}, RetryDelay: time.Millisecond, Retries: 10_000,
		AckReports: true, DuplicateEvery: 5, UnknownEvery: 2,
		Fate: func(to mm4.Address) mm4test.Fate {
			switch to.User {
			case "+14155550125":
				return mm4test.Fate{Request: mm4.ErrorServiceDenied, Text: "no MMS here"}
			case "+14155550126":
				return mm4test.Fate{MM: mm4.Expired}
			}
			return mm4test.Fate{Read: true}
		},
	})
	client := newClient(t, mm4.ClientConfig{Address: hub.Addr()})
	mail := forward("1", "+14155550124", "+14155550125", "+14155550126")
	mail.Message.(*mm4.Forward).ReadReply = true
	in.fail(errors.New("not yet")) // the hub has to come again
	if out := submit(t, client, mail); out.Status != mm4.Accepted {
		t.Fatalf("%+v", out)
	}
	in.fail(nil)
	waitUntil(t, func() bool {
		c := hub.Counters()
		return c.ResponsesSent == 2 && c.ReportsSent >= 2 && c.ReadsSent >= 1 && in.counts()[2] >= 3
	})
	in.mu.Lock()
	defer in.mu.Unlock()
	byStatus := map[mm4.RequestStatus]*mm4.Response{}
	for _, r := range in.responses {
		byStatus[r.Status] = r
		if r.Of != mm4.ForwardReq || r.TransactionID != "t-1" || r.MessageID != "m-1" || r.To != us {
			t.Errorf("%+v", r)
		}
	}
	if denied := byStatus[mm4.ErrorServiceDenied]; len(denied.Recipients) != 1 || denied.Text != "no MMS here" {
		t.Errorf("%+v", denied)
	}
	if ok := byStatus[mm4.Ok]; len(ok.Recipients) != 2 {
		t.Errorf("%+v", ok)
	}
	answers := map[mm4.MMStatus]mm4.Address{}
	for i, r := range in.reports {
		if r.MessageID == "m-1" {
			answers[r.Status] = r.From
		}
		reply, ok := in.envelopes[0].Reply(r.Respond(mm4.Ok, ""), us, time.Unix(1e9, 0))
		if !ok || !r.AckRequest {
			t.Fatalf("report %d: %+v", i, r)
		}
		if out := submit(t, client, reply); out.Status != mm4.Accepted {
			t.Errorf("%+v", out)
		}
	}
	if answers[mm4.Retrieved].User != "+14155550124" || answers[mm4.Expired].User != "+14155550126" {
		t.Errorf("%v", answers)
	}
	if got := hub.Counters().Responses; got != len(in.reports) {
		t.Errorf("the hub has %d responses to %d reports", got, len(in.reports))
	}
}

// Where a request names nobody, its answer goes where it came from; where that is nobody either, nowhere.
func TestReply(t *testing.T) {
	from := mm4.Address{User: "mms", Host: "hub.example"}
	named := &mm4.Forward{Head: mm4.Head{TransactionID: "t", MessageID: "m", Bare: true, Sender: mm4.Address{User: "s", Host: "hub.example"}}, OriginatorSystem: us}
	for name, c := range map[string]struct {
		envelope mm4.Envelope
		change   func(*mm4.Forward)
		want     mm4.Address
	}{
		"originator system": {mm4.Envelope{From: from}, func(*mm4.Forward) {}, us},
		"sender":            {mm4.Envelope{From: from}, func(f *mm4.Forward) { f.OriginatorSystem = mm4.Address{} }, named.Sender},
		"envelope":          {mm4.Envelope{From: from}, func(f *mm4.Forward) { f.OriginatorSystem, f.Sender = mm4.Address{}, mm4.Address{} }, from},
		"nobody":            {mm4.Envelope{}, func(f *mm4.Forward) { f.OriginatorSystem, f.Sender = mm4.Address{}, mm4.Address{} }, mm4.Address{}},
	} {
		f := *named
		c.change(&f)
		mail, ok := c.envelope.Reply(f.Respond(mm4.Ok, ""), us, time.Unix(1e9, 0))
		if ok != (c.want != mm4.Address{}) || ok && mail.To[0] != c.want {
			t.Errorf("%s: %v, %+v", name, ok, mail)
		}
		var text bytes.Buffer
		if err := mm4.Encode(&text, mail.Message, mm4.Transfer{}); ok && (err != nil || !strings.Contains(text.String(), "X-Mms-Transaction-ID: t\r\n")) {
			t.Errorf("%s: %v\n%s", name, err, text.String())
		}
	}
}

// Serve lets the mail in hand come to its end, tells other peers to come again, and cuts a handler off that takes too long.
func TestServerStops(t *testing.T) {
	entered, release := make(chan struct{}, 1), make(chan struct{})
	handler := mm4.Handler{DeliveryReport: func(ctx context.Context, _ mm4.Envelope, _ *mm4.DeliveryReport) error {
		entered <- struct{}{}
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
	for _, patient := range []bool{true, false} {
		drain := map[bool]time.Duration{true: patience, false: 20 * time.Millisecond}[patient]
		address, stop := newServer(t, mm4.ServerConfig{Handler: handler, Drain: drain})
		d := dial(t, address)
		d.say(hello + envelope + report)
		<-entered
		if patient {
			stopped := make(chan struct{})
			go func() { stop(); close(stopped) }()
			release <- struct{}{}
			d.say("S: 250")
			<-stopped
			continue
		}
		stop()
	}
}

// Serve ends while mail keeps coming in chunks: what was accepted is in the handler's hands, and nothing else in those of the peer.
func TestServerStopsAmidMail(t *testing.T) {
	for range 20 {
		in := &inbox{}
		address, stop := newServer(t, mm4.ServerConfig{Handler: in.handler(), Drain: patience})
		client := newClient(t, mm4.ClientConfig{Address: address})
		mail := forward("1", "+14155550124")
		mail.To = []mm4.Address{mm4.PLMN("+14155550124", "us.example")}
		begun := make(chan struct{}, 1)
		var accepted atomic.Int64
		var sending sync.WaitGroup
		for range client.Places() {
			sending.Go(func() {
				for submit(t, client, mail).Status == mm4.Accepted {
					accepted.Add(1)
					select {
					case begun <- struct{}{}:
					default:
					}
				}
			})
		}
		<-begun
		stop()
		sending.Wait()
		if took := int64(in.counts()[0]); accepted.Load() > took {
			t.Errorf("%d accepted, %d taken", accepted.Load(), took)
		}
	}
}

// The log says what was refused, and no number.
func TestServerLog(t *testing.T) {
	var text bytes.Buffer
	var mu sync.Mutex
	in := &inbox{err: errors.New("row of +14155550124 is locked")}
	log := slog.New(slog.NewTextHandler(locked{&text, &mu}, nil))
	address, stop := newServer(t, mm4.ServerConfig{Handler: in.handler(), Logger: log})
	dial(t, address).say(hello + envelope + report + "S: 451")
	stop()
	if got := text.String(); !strings.Contains(got, "code=451") || !strings.Contains(got, "MM4_delivery_report.REQ") || strings.Contains(got, "4155550124") {
		t.Errorf("%s", got)
	}
}

type locked struct {
	w  io.Writer
	mu *sync.Mutex
}

func (l locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func TestServerConfig(t *testing.T) {
	server, _ := certificate(t)
	good := mm4.ServerConfig{Name: "us.example", Domains: []string{"us.example"}, Networks: loopback}
	if _, err := mm4.NewServer(good); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*mm4.ServerConfig){
		"name":             func(c *mm4.ServerConfig) { c.Name = "" },
		"domain":           func(c *mm4.ServerConfig) { c.Domains = nil },
		"anybody":          func(c *mm4.ServerConfig) { c.Networks = nil },
		"half a password":  func(c *mm4.ServerConfig) { c.User = "u" },
		"TLS without keys": func(c *mm4.ServerConfig) { c.Mode = mm4.TLSStart },
		"clear":            func(c *mm4.ServerConfig) { c.User, c.Password = "u", "p" },
	} {
		cfg := good
		change(&cfg)
		if _, err := mm4.NewServer(cfg); err == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
	good.User, good.Password, good.TLS = "u", "p", server
	if _, err := mm4.NewServer(good); err != nil {
		t.Error(err)
	}
}
