package mm4_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/heliograph/heliograph/internal/mm4"
	"github.com/heliograph/heliograph/internal/mm4/mm4test"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds what a test waits for; it is only waited for in full when something is wrong.
const patience = 10 * time.Second

// run runs something until the test ends, and checks that it ends then.
func run(t *testing.T, what func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- what(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(patience):
			t.Error("Run does not return")
		}
	})
	t.Cleanup(stop)
	return stop
}

func newHub(t *testing.T, cfg mm4test.Config) *mm4test.Hub {
	t.Helper()
	cfg.Record, cfg.Content = 100, true
	hub, err := mm4test.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	run(t, hub.Run)
	return hub
}

// newClient makes a client that runs and has reached its peer.
func newClient(t *testing.T, cfg mm4.ClientConfig) *mm4.Client {
	t.Helper()
	cfg.Name, cfg.RetryFirst, cfg.RetryMost = "us.example", 5*time.Millisecond, 50*time.Millisecond
	up := make(chan struct{}, 1)
	cfg.OnChange = func() {
		select {
		case up <- struct{}{}:
		default:
		}
	}
	client, err := mm4.NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	run(t, client.Run)
	for client.Places() == 0 {
		select {
		case <-up:
		case <-time.After(patience):
			_, _, err := client.State()
			t.Fatalf("the peer is not reached: %v", err)
		}
	}
	return client
}

func submit(t *testing.T, client *mm4.Client, mail mm4.Mail) mm4.Outcome {
	t.Helper()
	done := make(chan mm4.Outcome, 1)
	client.Submit(mail, func(out mm4.Outcome) { done <- out })
	select {
	case out := <-done:
		return out
	case <-time.After(patience):
		t.Fatal("no outcome")
	}
	return mm4.Outcome{}
}

func opened(content []byte) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
}

var us = mm4.Address{User: "mms", Host: "us.example"}

// forward is a message with a picture to some numbers.
func forward(id string, to ...string) mm4.Mail {
	m := &mm4.Forward{
		Head: mm4.Head{TransactionID: "t-" + id, MessageID: "m-" + id, Sender: us, Date: time.Unix(1e9, 0)},
		From: mm4.PLMN("+14155550123", "us.example"), AckRequest: true, DeliveryReport: true, OriginatorSystem: us,
		Parts: []mm4.Part{
			{Type: "application/smil", ID: "smil", Size: 7, Open: opened([]byte("<smil/>"))},
			{Type: "text/plain", Charset: "utf-8", Location: "a.txt", Size: 12, Open: opened([]byte(".\r\n..\r\n.é\r\n"))},
			{Type: "image/gif", Name: "a.gif", Size: 3000, Open: opened(bytes.Repeat([]byte("\r\n.\r\n\x00"), 500))},
		},
	}
	for _, number := range to {
		m.To = append(m.To, mm4.PLMN(number, "hub.example"))
	}
	return mm4.Mail{To: m.To, Message: m}
}

func TestForwardArrives(t *testing.T) {
	for _, plain := range []bool{false, true} {
		t.Run(fmt.Sprintf("plain=%v", plain), func(t *testing.T) {
			hub := newHub(t, mm4test.Config{Plain: plain})
			client := newClient(t, mm4.ClientConfig{Address: hub.Addr()})
			if out := submit(t, client, forward("1", "+14155550124", "+14155550125")); out.Status != mm4.Accepted || out.Code != 250 {
				t.Fatalf("%+v", out)
			}
			got := hub.Forwards()
			if len(got) != 1 || len(got[0].Envelope) != 2 || len(got[0].Parts) != 3 {
				t.Fatalf("%+v", got)
			}
			if text := string(got[0].Parts[1].Content); text != ".\r\n..\r\n.é\r\n" {
				t.Errorf("the text is %q", text)
			}
			if picture := got[0].Parts[2].Content; !bytes.Equal(picture, bytes.Repeat([]byte("\r\n.\r\n\x00"), 500)) {
				t.Errorf("the picture has %d octets", len(picture))
			}
			if m := got[0].Message; m.MessageID != "m-1" || m.From != mm4.PLMN("+14155550123", "us.example") || !m.AckRequest {
				t.Errorf("%+v", m)
			}
		})
	}
}

// What each fault of the peer means for the mail.
func TestOutcomes(t *testing.T) {
	const never, accepted, unknown, refused = mm4.NeverAccepted, mm4.Accepted, mm4.Unknown, mm4.Refused
	for name, c := range map[string]struct {
		cfg    mm4test.Config
		status mm4.Status
		phase  mm4.Phase
		code   int
	}{
		"well":                  {mm4test.Config{}, accepted, mm4.PhaseFinished, 250},
		"451 at MAIL":           {mm4test.Config{MailCode: 451, MailEvery: 1}, never, mm4.PhaseMail, 451},
		"550 at MAIL":           {mm4test.Config{MailCode: 550, MailEvery: 1}, refused, mm4.PhaseMail, 550},
		"450 at RCPT":           {mm4test.Config{RcptCode: 450, RcptEvery: 1}, never, mm4.PhaseRcpt, 450},
		"550 at RCPT":           {mm4test.Config{RcptCode: 550, RcptEvery: 1}, refused, mm4.PhaseRcpt, 550},
		"452 at the end":        {mm4test.Config{FinalCode: 452, FinalEvery: 1}, never, mm4.PhaseFinal, 452},
		"421 at the end":        {mm4test.Config{FinalCode: 421, FinalEvery: 1}, never, mm4.PhaseFinal, 421},
		"554 at the end":        {mm4test.Config{FinalCode: 554, FinalEvery: 1}, refused, mm4.PhaseFinal, 554},
		"cut after the end":     {mm4test.Config{CutFinalEvery: 1}, unknown, mm4.PhaseFinal, 0},
		"too large":             {mm4test.Config{MaxOctets: 2000}, refused, mm4.PhaseMail, 552},
		"too large, and base64": {mm4test.Config{MaxOctets: 2000, Plain: true}, refused, mm4.PhaseMail, 552},
	} {
		for _, plain := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, plain=%v", name, plain), func(t *testing.T) {
				c.cfg.Plain = plain
				hub := newHub(t, c.cfg)
				client := newClient(t, mm4.ClientConfig{Address: hub.Addr(), Connections: 1})
				for range 2 { // the second on the same connection, where there still is one
					out := submit(t, client, forward("1", "+14155550124"))
					if out.Status != c.status || out.Phase != c.phase || out.Code != c.code {
						t.Errorf("%+v", out)
					}
					if (out.Err == nil) != (out.Status == accepted) {
						t.Errorf("error %v", out.Err)
					}
				}
				want := map[bool]int{true: 2, false: 0}[c.status == accepted || c.status == unknown]
				if got := hub.Counters().Forwards; got != want {
					t.Errorf("the hub took %d", got)
				}
			})
		}
	}
}

// A peer that cuts the connection amid the content did not take the message, however much of it was sent.
func TestCutAmidContent(t *testing.T) {
	for _, plain := range []bool{false, true} {
		t.Run(fmt.Sprintf("plain=%v", plain), func(t *testing.T) {
			hub := newHub(t, mm4test.Config{CutEvery: 2, CutAfter: 1000, Plain: plain, MaxOctets: 1 << 30})
			client := newClient(t, mm4.ClientConfig{Address: hub.Addr(), Connections: 1})
			mail := forward("1", "+14155550124")
			if out := submit(t, client, mail); out.Status != mm4.Accepted {
				t.Fatalf("%+v", out)
			}
			mail.Message.(*mm4.Forward).Parts = []mm4.Part{{Type: "video/mp4", Open: func() (io.ReadCloser, error) {
				return io.NopCloser(io.LimitReader(zeros{}, 32<<20)), nil // more than sockets hold
			}}}
			out := submit(t, client, mail)
			if out.Status != mm4.NeverAccepted || out.Phase != mm4.PhaseData || out.Err == nil {
				t.Errorf("%+v", out)
			}
			if c := hub.Counters(); c.Forwards != 1 || c.Cut != 1 {
				t.Errorf("%+v", c)
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// When the content cannot be read to its end, the peer must not take what was sent for the whole.
func TestBrokenSource(t *testing.T) {
	for _, plain := range []bool{false, true} {
		hub := newHub(t, mm4test.Config{Plain: plain})
		client := newClient(t, mm4.ClientConfig{Address: hub.Addr()})
		broken := errors.New("the disk is gone")
		mail := forward("1", "+14155550124")
		mail.Message.(*mm4.Forward).Parts = []mm4.Part{{Type: "video/mp4", Open: func() (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(io.LimitReader(zeros{}, 1<<20), failing{broken})), nil
		}}}
		if out := submit(t, client, mail); out.Status != mm4.NeverAccepted || !errors.Is(out.Err, broken) {
			t.Errorf("%+v", out)
		}
		if out := submit(t, client, forward("2", "+14155550124")); out.Status != mm4.Accepted {
			t.Errorf("the next one: %+v", out)
		}
		if got := hub.Forwards(); len(got) != 1 || got[0].Message.MessageID != "m-2" {
			t.Errorf("the hub took %+v", got)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// A message that cannot be written costs no connection.
func TestUnwritableMail(t *testing.T) {
	hub := newHub(t, mm4test.Config{})
	client := newClient(t, mm4.ClientConfig{Address: hub.Addr()})
	for name, change := range map[string]func(*mm4.Mail){
		"subject":      func(m *mm4.Mail) { m.Message.(*mm4.Forward).Subject = "a\r\nb" },
		"envelope":     func(m *mm4.Mail) { m.To[0].User = "a>\r\nRSET" },
		"no host":      func(m *mm4.Mail) { m.To[0].Host = "" },
		"no recipient": func(m *mm4.Mail) { m.To = nil },
		"no message":   func(m *mm4.Mail) { m.Message = nil },
		"sender":       func(m *mm4.Mail) { m.From = mm4.Address{User: "a b", Host: "c"} },
	} {
		mail := forward("1", "+14155550124")
		change(&mail)
		if out := submit(t, client, mail); out.Status != mm4.Refused || out.Phase != mm4.PhaseNothing || out.Err == nil {
			t.Errorf("%s: %+v", name, out)
		}
	}
}

func TestSomeRecipientsRefused(t *testing.T) {
	hub := newHub(t, mm4test.Config{Fate: func(to mm4.Address) mm4test.Fate {
		switch to.User {
		case "+14155550125":
			return mm4test.Fate{RcptCode: 550}
		case "+14155550126":
			return mm4test.Fate{RcptCode: 450}
		}
		return mm4test.Fate{}
	}})
	client := newClient(t, mm4.ClientConfig{Address: hub.Addr()})
	out := submit(t, client, forward("1", "+14155550124", "+14155550125", "+14155550126"))
	if out.Status != mm4.Accepted || len(out.Refusals) != 2 {
		t.Fatalf("%+v", out)
	}
	for i, want := range []struct {
		user      string
		code      int
		temporary bool
	}{{"+14155550125", 550, false}, {"+14155550126", 450, true}} {
		if got := out.Refusals[i]; got.Address.User != want.user || got.Code != want.code || got.Temporary != want.temporary {
			t.Errorf("%+v", got)
		}
	}
	if got := hub.Forwards(); len(got[0].Envelope) != 1 {
		t.Errorf("%+v", got)
	}
	if out := submit(t, client, forward("2", "+14155550125", "+14155550126")); out.Status != mm4.NeverAccepted || out.Code != 450 {
		t.Errorf("one may be taken later: %+v", out)
	}
}

// Connections are used again, and replaced when they have carried enough or the peer closed them.
func TestConnectionsAreReused(t *testing.T) {
	hub := newHub(t, mm4test.Config{})
	client := newClient(t, mm4.ClientConfig{Address: hub.Addr(), Connections: 1, PerConnection: 10})
	for i := range 25 {
		if out := submit(t, client, forward(fmt.Sprint(i), "+14155550124")); out.Status != mm4.Accepted {
			t.Fatalf("%+v", out)
		}
	}
	if c := hub.Counters(); c.Connections != 1+3 || c.Forwards != 25 || c.Duplicates != 0 { // one to see that the peer is there
		t.Errorf("%+v", c)
	}
}

func TestPeerClosesIdleConnection(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	kept := &closer{Listener: listener}
	hub := newHub(t, mm4test.Config{Listener: kept})
	client := newClient(t, mm4.ClientConfig{Address: hub.Addr(), Connections: 1})
	for i := range 3 {
		if out := submit(t, client, forward(fmt.Sprint(i), "+14155550124")); out.Status != mm4.Accepted {
			t.Fatalf("after the peer closed %d times: %+v", i, out)
		}
		kept.closeAll()
	}
	if c := hub.Counters(); c.Forwards != 3 || c.Duplicates != 0 {
		t.Errorf("%+v", c)
	}
}

// closer is a listener whose connections can be closed all at once.
type closer struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
}

func (c *closer) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.conns = append(c.conns, conn)
	}
	return conn, err
}

func (c *closer) closeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.conns = nil
}

func TestManyAtOnce(t *testing.T) {
	const mails = 200
	hub := newHub(t, mm4test.Config{})
	client := newClient(t, mm4.ClientConfig{Address: hub.Addr(), Connections: 4})
	var accepted, full atomic.Int64
	ended := make(chan struct{}, mails)
	next := make(chan struct{}, client.Places())
	for range client.Places() {
		next <- struct{}{}
	}
	for i := range mails {
		<-next
		client.Submit(forward(fmt.Sprint(i), "+14155550124"), func(out mm4.Outcome) {
			switch {
			case out.Status == mm4.Accepted:
				accepted.Add(1)
			case errors.Is(out.Err, mm4.ErrFull):
				full.Add(1)
			}
			next <- struct{}{}
			ended <- struct{}{}
		})
	}
	for range mails {
		<-ended
	}
	if accepted.Load() != mails || full.Load() != 0 {
		t.Errorf("%d accepted, %d found no place", accepted.Load(), full.Load())
	}
	if c := hub.Counters(); c.Forwards != mails || c.Duplicates != 0 || c.Connections > 5 {
		t.Errorf("%+v", c)
	}
}

func TestEncryptionAndPassword(t *testing.T) {
	server, trust := certificate(t)
	for name, c := range map[string]struct {
		hub    mm4test.Config
		client mm4.ClientConfig
		fails  string
	}{
		"STARTTLS":          {hub: mm4test.Config{TLS: server}, client: mm4.ClientConfig{TLS: mm4.TLSStart, Config: trust}},
		"TLS":               {hub: mm4test.Config{TLS: server, Implicit: true}, client: mm4.ClientConfig{TLS: mm4.TLSImplicit, Config: trust}},
		"password":          {hub: mm4test.Config{TLS: server, User: "u", Password: "p"}, client: mm4.ClientConfig{TLS: mm4.TLSStart, Config: trust, User: "u", Password: "p"}},
		"password in clear": {hub: mm4test.Config{User: "u", Password: "p"}, client: mm4.ClientConfig{User: "u", Password: "p", AuthInClear: true}},
		"wrong password":    {hub: mm4test.Config{User: "u", Password: "p"}, client: mm4.ClientConfig{User: "u", Password: "q", AuthInClear: true}, fails: "535"},
		"no STARTTLS":       {client: mm4.ClientConfig{TLS: mm4.TLSStart, Config: trust}, fails: "no STARTTLS"},
		"unknown authority": {hub: mm4test.Config{TLS: server}, client: mm4.ClientConfig{TLS: mm4.TLSStart}, fails: "certificate"},
		"another host":      {hub: mm4test.Config{TLS: server}, client: mm4.ClientConfig{TLS: mm4.TLSStart, Config: named(trust, "other.example")}, fails: "certificate"},
		"no AUTH":           {client: mm4.ClientConfig{User: "u", AuthInClear: true}, fails: "no AUTH"},
		"554 to all":        {hub: mm4test.Config{GreetingCode: 554}, fails: "554"},
		"421 to EHLO":       {hub: mm4test.Config{EhloCode: 421}, fails: "421"},
	} {
		t.Run(name, func(t *testing.T) {
			hub := newHub(t, c.hub)
			c.client.Address = hub.Addr()
			if c.fails == "" {
				if out := submit(t, newClient(t, c.client), forward("1", "+14155550124")); out.Status != mm4.Accepted {
					t.Errorf("%+v", out)
				}
				return
			}
			c.client.Name = "us.example"
			client, err := mm4.NewClient(c.client)
			if err != nil {
				t.Fatal(err)
			}
			run(t, client.Run)
			waitUntil(t, func() bool { _, _, err := client.State(); return err != nil && strings.Contains(err.Error(), c.fails) })
			if client.Places() != 0 {
				t.Error("it has places")
			}
			if out := submit(t, client, forward("1", "+14155550124")); out.Status != mm4.NeverAccepted || !errors.Is(out.Err, mm4.ErrDown) {
				t.Errorf("%+v", out)
			}
		})
	}
}

func named(cfg *tls.Config, host string) *tls.Config {
	cfg = cfg.Clone()
	cfg.ServerName = host
	return cfg
}

// waitUntil asks again and again; only what has no signal of its own is waited for like this.
func waitUntil(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not happen")
		}
	}
}

// A peer that comes back is found by the client itself.
func TestPeerComesBack(t *testing.T) {
	hub, err := mm4test.New(mm4test.Config{})
	if err != nil {
		t.Fatal(err)
	}
	address := hub.Addr()
	stop := run(t, hub.Run)
	client := newClient(t, mm4.ClientConfig{Address: address, Connections: 1})
	stop()
	waitUntil(t, func() bool { return submit(t, client, forward("1", "+14155550124")).Phase == mm4.PhaseConnect })
	if client.Places() != 0 {
		t.Error("there are places at a peer that is down")
	}
	again, err := mm4test.New(mm4test.Config{Address: address})
	if err != nil {
		t.Fatal(err)
	}
	run(t, again.Run)
	waitUntil(t, func() bool { return client.Places() > 0 })
	if out := submit(t, client, forward("2", "+14155550124")); out.Status != mm4.Accepted {
		t.Errorf("%+v", out)
	}
}

// When the client stops, every mail is told what became of it: the one that is sent comes to its end, those that wait were not sent.
func TestStop(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	hub := newHub(t, mm4test.Config{OnForward: func(mm4test.Forward) {
		arrived <- struct{}{}
		<-release
	}})
	client, err := mm4.NewClient(mm4.ClientConfig{Address: hub.Addr(), Name: "us.example", Connections: 1, Drain: patience})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- client.Run(ctx) }()
	waitUntil(t, func() bool { return client.Places() > 0 })
	outcomes := make(chan mm4.Outcome, 2)
	for i := range 2 {
		client.Submit(forward(fmt.Sprint(i), "+14155550124"), func(out mm4.Outcome) { outcomes <- out })
	}
	<-arrived
	cancel()
	waitUntil(t, func() bool { return client.Places() == 0 })
	if out := submit(t, client, forward("3", "+14155550124")); !errors.Is(out.Err, mm4.ErrNotRunning) {
		t.Errorf("%+v", out)
	}
	close(release)
	first, second := <-outcomes, <-outcomes
	if first.Status != mm4.Accepted || second.Status != mm4.NeverAccepted || !errors.Is(second.Err, mm4.ErrNotRunning) {
		t.Errorf("%+v, %+v", first, second)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A peer that does not answer costs its time and no more, and the mail's outcome says how far it came.
func TestTimeouts(t *testing.T) {
	for name, c := range map[string]struct {
		answers []string // to each line until DATA; then one to the content
		status  mm4.Status
		phase   mm4.Phase
	}{
		"MAIL":  {[]string{"250 us"}, mm4.NeverAccepted, mm4.PhaseMail},
		"RCPT":  {[]string{"250 us", "250 ok"}, mm4.NeverAccepted, mm4.PhaseRcpt},
		"DATA":  {[]string{"250 us", "250 ok", "250 ok"}, mm4.NeverAccepted, mm4.PhaseData},
		"final": {[]string{"250 us", "250 ok", "250 ok", "354 go"}, mm4.Unknown, mm4.PhaseFinal},
	} {
		t.Run(name, func(t *testing.T) {
			address := script(t, c.answers, nil)
			client := newClient(t, mm4.ClientConfig{Address: address, Connections: 1, Timeouts: mm4.Timeouts{Command: 300 * time.Millisecond, Final: 50 * time.Millisecond}})
			out := submit(t, client, forward("1", "+14155550124"))
			if out.Status != c.status || out.Phase != c.phase {
				t.Errorf("%+v", out)
			}
			if timeout := net.Error(nil); !errors.As(out.Err, &timeout) || !timeout.Timeout() {
				t.Errorf("no timeout: %v", out.Err)
			}
		})
	}
}

// script is a peer that gives these answers to the lines that come, and then none. It closes when the other side does. heard, if any, gets the lines.
func script(t *testing.T, answers []string, heard chan<- string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	run(t, func(ctx context.Context) error {
		var conns sync.WaitGroup
		defer conns.Wait()
		defer context.AfterFunc(ctx, func() { _ = listener.Close() })()
		for {
			conn, err := listener.Accept()
			if err != nil {
				return nil
			}
			conns.Go(func() {
				defer func() { _ = conn.Close() }()
				defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
				_, _ = io.WriteString(conn, "220 hub\r\n")
				lines := bufio.NewScanner(conn)
				for n := 0; lines.Scan() && lines.Text() != "QUIT"; n++ {
					if heard != nil {
						heard <- lines.Text()
					}
					if n < len(answers) {
						_, _ = io.WriteString(conn, answers[n]+"\r\n")
					}
				}
			})
		}
	})
	return listener.Addr().String()
}

// AUTH LOGIN, for peers that offer no better.
func TestLogin(t *testing.T) {
	heard := make(chan string, 100)
	address := script(t, []string{"250-hub\r\n250 AUTH CRAM-MD5 LOGIN", "334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 welcome"}, heard)
	newClient(t, mm4.ClientConfig{Address: address, User: "user", Password: "secret", AuthInClear: true})
	for _, want := range []string{"EHLO us.example", "AUTH LOGIN", "dXNlcg==", "c2VjcmV0"} {
		if got := <-heard; got != want {
			t.Errorf("%q instead of %q", got, want)
		}
	}
}

// A peer whose answer has no end is given up, not listened to.
func TestEndlessAnswer(t *testing.T) {
	address := script(t, []string{strings.Repeat("250-more\r\n", 20_000)}, nil)
	client, err := mm4.NewClient(mm4.ClientConfig{Address: address, Name: "us.example"})
	if err != nil {
		t.Fatal(err)
	}
	run(t, client.Run)
	waitUntil(t, func() bool {
		_, _, err := client.State()
		return err != nil && strings.Contains(err.Error(), "talks too much")
	})
}

// A peer's words reach errors without numbers, and without lines of their own.
func TestReplyIsMasked(t *testing.T) {
	address := script(t, []string{"250 us", "550 5.1.1 <+14155550123/TYPE=PLMN@us.example>: unknown"}, nil)
	client := newClient(t, mm4.ClientConfig{Address: address})
	out := submit(t, client, forward("1", "+14155550124"))
	if out.Status != mm4.Refused || out.Code != 550 || strings.Contains(out.Err.Error(), "4155550123") || !strings.Contains(out.Text, "unknown") {
		t.Errorf("%+v", out)
	}
}

func TestClientConfig(t *testing.T) {
	good := mm4.ClientConfig{Address: "hub.example:25", Name: "us.example"}
	if _, err := mm4.NewClient(good); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*mm4.ClientConfig){
		"address":  func(c *mm4.ClientConfig) { c.Address = "hub.example" },
		"name":     func(c *mm4.ClientConfig) { c.Name = "us example\r\n" },
		"clear":    func(c *mm4.ClientConfig) { c.User, c.Password = "u", "p" },
		"password": func(c *mm4.ClientConfig) { c.Password = "p" },
		"mode":     func(c *mm4.ClientConfig) { c.TLS = 7 },
	} {
		cfg := good
		change(&cfg)
		if _, err := mm4.NewClient(cfg); err == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
}
