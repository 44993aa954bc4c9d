package relay

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/media"
	"github.com/heliograph/heliograph/internal/mm4"
	"github.com/heliograph/heliograph/internal/mm4/mm4test"
)

// TestForward: what the peer gets of a message, and what comes back.
func TestForward(t *testing.T) {
	r, hub := withHub(t, mm4test.Config{AckReports: true, Fate: func(mm4.Address) mm4test.Fate { return mm4test.Fate{Read: true} }}, // which is not asked for
		func(c *Config) { c.ValidityPeriod = true })
	m := message(1, "Grüße", "one", "two")
	m.ExpiresAt = time.Now().Add(time.Hour)
	if o := r.submit(m); o.Status != gateway.Accepted || o.CarrierID != m.ID.String() || o.Detail != "" {
		t.Fatalf("%+v", o)
	}
	f := hub.Forwards()[0]
	got := f.Message
	if got.MessageID != m.ID.String() || got.From.String() != "+14155550100/TYPE=PLMN@us.example" || len(got.To) != 1 ||
		got.To[0].String() != "+14152223333/TYPE=PLMN@hub.example" || got.OriginatorSystem.String() != "mms@us.example" {
		t.Errorf("%+v", got)
	}
	if !got.AckRequest || !got.DeliveryReport || got.ReadReply || got.HideSender || got.Expiry.After < 59*time.Minute || got.Expiry.After > time.Hour {
		t.Errorf("%+v", got)
	}
	var parts []string
	for _, p := range f.Parts {
		parts = append(parts, p.Type+" "+p.Location+" "+string(p.Content))
	}
	if len(parts) != 4 || !strings.HasPrefix(parts[0], "application/smil message.smil <smil>") || parts[1] != "text/plain text.txt Grüße" ||
		parts[2] != "image/jpeg file1.jpg one" || parts[3] != "image/jpeg file2.jpg two" || f.Parts[1].Charset != "utf-8" {
		t.Errorf("%q", parts)
	}
	for _, name := range []string{"text.txt", "file1.jpg", "file2.jpg"} {
		if !strings.Contains(parts[0], `src="`+name+`"`) {
			t.Errorf("the SMIL does not show %s: %s", name, parts[0])
		}
	}
	r.await("the responses to what the hub reports", func() bool { return hub.Counters().Responses == 1 && r.Stats().Replies == 1 })
	receipts, _ := r.taken()
	want := gateway.Receipt{
		Carrier: "hub", CarrierID: m.ID.String(), Outcome: gateway.ReceiptDelivered, Detail: "Retrieved", From: ours, To: theirs, At: receipts[0].At,
	}
	if len(receipts) != 1 || receipts[0] != want {
		t.Errorf("%+v", receipts)
	}
	if s := r.Stats(); s.Accepted != 1 || s.Responses != 1 || s.ResponsesLate != 0 || s.Receipts != 1 || s.ReceiptsKept != 1 || s.Reads != 0 {
		t.Errorf("%+v", s)
	}
}

// TestLess: nothing is asked for that is not wanted, and a short code stays one.
func TestLess(t *testing.T) {
	r, hub := withHub(t, mm4test.Config{}, func(c *Config) { c.NoReports, c.NoResponses, c.BareNumbers = true, true, true })
	m := message(1, "")
	m.From = "55500"
	if o := r.submit(m); o.Status != gateway.Accepted || o.CarrierID != m.ID.String() {
		t.Fatalf("%+v", o)
	}
	got := hub.Forwards()[0]
	if got.Message.AckRequest || got.Message.DeliveryReport || got.Message.From.User != "55500" || got.Message.To[0].User != theirs || len(got.Parts) != 1 {
		t.Errorf("%+v", got.Message)
	}
}

// TestResponses: every status of a response, and what the settings say of it.
func TestResponses(t *testing.T) {
	var status atomic.Value
	r, _ := withHub(t, mm4test.Config{Fate: func(mm4.Address) mm4test.Fate {
		return mm4test.Fate{Request: status.Load().(mm4.RequestStatus), NoReport: true}
	}}, func(c *Config) {
		c.Answers = map[mm4.RequestStatus]Answer{"Error-busy": {Status: gateway.Throttled}, "Error-spam": {Status: gateway.Rejected, Reason: gateway.Spam}}
	})
	n := byte(0)
	for s, want := range map[mm4.RequestStatus]gateway.Outcome{
		mm4.Ok:                       {Status: gateway.Accepted},
		mm4.ErrorUnspecified:         {Status: gateway.Deferred},
		mm4.ErrorServiceDenied:       {Status: gateway.Deferred},
		mm4.ErrorMessageFormat:       {Status: gateway.Rejected, Reason: gateway.InvalidMessage},
		mm4.ErrorAddressUnresolved:   {Status: gateway.Rejected, Reason: gateway.InvalidDestination},
		mm4.ErrorMessageNotFound:     {Status: gateway.Rejected, Reason: gateway.UnknownReason},
		mm4.ErrorNetworkProblem:      {Status: gateway.Deferred},
		mm4.ErrorContentNotAccepted:  {Status: gateway.Rejected, Reason: gateway.InvalidMessage},
		mm4.ErrorUnsupportedMessage:  {Status: gateway.Rejected, Reason: gateway.InvalidMessage},
		mm4.ErrorTransientFailure:    {Status: gateway.Deferred},
		mm4.ErrorTransientAddress:    {Status: gateway.Deferred},
		mm4.ErrorTransientNotFound:   {Status: gateway.Deferred},
		mm4.ErrorTransientNetwork:    {Status: gateway.Deferred},
		mm4.ErrorPermanentFailure:    {Status: gateway.Rejected, Reason: gateway.UnknownReason},
		mm4.ErrorPermanentDenied:     {Status: gateway.Rejected, Reason: gateway.Prohibited},
		mm4.ErrorPermanentFormat:     {Status: gateway.Rejected, Reason: gateway.InvalidMessage},
		mm4.ErrorPermanentAddress:    {Status: gateway.Rejected, Reason: gateway.InvalidDestination},
		mm4.ErrorPermanentNotFound:   {Status: gateway.Rejected, Reason: gateway.UnknownReason},
		mm4.ErrorPermanentNotAllowed: {Status: gateway.Rejected, Reason: gateway.InvalidMessage},
		"Error-transient-overload":   {Status: gateway.Deferred},
		"Error-of-ours":              {Status: gateway.Rejected, Reason: gateway.UnknownReason},
		"Error-busy":                 {Status: gateway.Throttled},
		"Error-spam":                 {Status: gateway.Rejected, Reason: gateway.Spam},
	} {
		n++
		status.Store(s)
		m := message(n, "x")
		if want.Detail = string(s); s == mm4.Ok {
			want.Detail, want.CarrierID = "", m.ID.String()
		}
		if o := r.submit(m); o != want {
			t.Errorf("%s: %+v instead of %+v", s, o, want)
		}
	}
	for _, said := range []string{"the peer throttles", "settings may be wrong", "takes no submits for the moment"} {
		if !strings.Contains(r.said(), said) {
			t.Errorf("the log does not say that %s", said)
		}
	}
}

// TestMailFails: what becomes of a message whose mail the peer does not take.
func TestMailFails(t *testing.T) {
	for name, c := range map[string]struct {
		knobs mm4test.Config
		want  gateway.OutcomeStatus
		why   gateway.Reason
	}{
		"no such number":        {mm4test.Config{RcptEvery: 1, RcptCode: 550}, gateway.Rejected, gateway.InvalidDestination},
		"not for us":            {mm4test.Config{RcptEvery: 1, RcptCode: 554}, gateway.Rejected, gateway.Prohibited},
		"number busy":           {mm4test.Config{RcptEvery: 1, RcptCode: 450}, gateway.Deferred, 0},
		"number full":           {mm4test.Config{RcptEvery: 1, RcptCode: 452}, gateway.Deferred, 0},
		"too fast":              {mm4test.Config{MailEvery: 1, MailCode: 421}, gateway.Throttled, 0},
		"no storage":            {mm4test.Config{MailEvery: 1, MailCode: 452}, gateway.Throttled, 0},
		"who are you":           {mm4test.Config{MailEvery: 1, MailCode: 550}, gateway.Deferred, 0},
		"too large":             {mm4test.Config{FinalEvery: 1, FinalCode: 552}, gateway.Rejected, gateway.MediaTooLarge},
		"too large, said early": {mm4test.Config{MailEvery: 1, MailCode: 552}, gateway.Rejected, gateway.MediaTooLarge},
		"not like this":         {mm4test.Config{FinalEvery: 1, FinalCode: 554}, gateway.Rejected, gateway.UnknownReason},
		"in trouble":            {mm4test.Config{FinalEvery: 1, FinalCode: 451}, gateway.Deferred, 0},
		"cut amid the content":  {mm4test.Config{CutEvery: 1, CutAfter: 50}, gateway.Deferred, 0},
		"authenticate":          {mm4test.Config{User: "u", Password: "p"}, gateway.Deferred, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := withHub(t, c.knobs)
			if o := r.submit(message(1, "x", strings.Repeat("large", 1<<18))); o.Status != c.want || o.Reason != c.why || o.Detail == "" {
				t.Errorf("%+v", o)
			}
		})
	}
}

// TestNotForMM4: what no peer is asked.
func TestNotForMM4(t *testing.T) {
	r, hub := withHub(t, mm4test.Config{})
	sms, name, nowhere := message(1, "x"), message(2, "x"), message(3, "x")
	sms.Service, name.From, nowhere.To = gateway.SMS, "ACME", "nobody"
	for want, m := range map[gateway.Outcome]*gateway.Message{
		{Status: gateway.Rejected, Reason: gateway.Prohibited}:         sms,
		{Status: gateway.Rejected, Reason: gateway.InvalidSource}:      name,
		{Status: gateway.Rejected, Reason: gateway.InvalidDestination}: nowhere,
		{Status: gateway.Rejected, Reason: gateway.InvalidMessage}:     message(4, "x", "gone"),
		{Status: gateway.Deferred}:                                     message(5, "x", "away"),
	} {
		if o := r.submit(m); o.Status != want.Status || o.Reason != want.Reason {
			t.Errorf("%+v: %+v", want, o)
		}
	}
	if o := r.submit(message(6, "x", "closed")); o.Status != gateway.Deferred {
		t.Errorf("a file that cannot be read: %+v", o)
	}
	if n := hub.Counters().Forwards; n != 0 || strings.Contains(r.said(), "on fire\n") {
		t.Errorf("%d forwards", n)
	}
}

// TestCutAfterTheEnd: a mail whose answer was lost is the peer's, if its response says so; without responses nobody knows.
func TestCutAfterTheEnd(t *testing.T) {
	r, _ := withHub(t, mm4test.Config{CutFinalEvery: 1})
	if o := r.submit(message(1, "x")); o.Status != gateway.Accepted {
		t.Errorf("%+v", o)
	}
	r, _ = withHub(t, mm4test.Config{CutFinalEvery: 1}, func(c *Config) { c.NoResponses = true })
	if o := r.submit(message(1, "x")); o.Status != gateway.Unanswered {
		t.Errorf("without responses: %+v", o)
	}
}

// TestNoResponse: forwards without a response are unanswered in time; after some only one leaves at a time, until there is a response again. One that comes
// late is counted, and settles the message when it is in hand again.
func TestNoResponse(t *testing.T) {
	var silent atomic.Bool
	silent.Store(true)
	r, hub := withHub(t, mm4test.Config{Fate: func(mm4.Address) mm4test.Fate { return mm4test.Fate{NoAnswer: silent.Load()} }},
		func(c *Config) { c.ResponseTimeout, c.UnansweredLimit, c.Window = 20*time.Millisecond, 3, 5 })
	for n := range byte(3) {
		if places := r.Places(); places != 5 {
			t.Errorf("%d places after %d", places, n)
		}
		if o := r.submit(message(n, "x")); o.Status != gateway.Unanswered {
			t.Fatalf("%+v", o)
		}
	}
	if places, binds := r.Places(), r.Binds(); places != 1 || binds[0].State != "trying" || binds[0].Window != 1 {
		t.Errorf("%d places, %+v", places, binds)
	}
	r.patient()
	first, second := r.begin(message(10, "x")), r.begin(message(11, "x"))
	if o := <-second; o.Status != gateway.NotSent {
		t.Errorf("a second one leaves: %+v", o)
	}
	r.await("the forward", func() bool { return hub.Counters().Forwards == 4 })
	response := &mm4.Response{Head: mm4.Head{TransactionID: gateway.ID{10}.String()}, Of: mm4.ForwardReq, Status: mm4.Ok}
	if err := r.takeResponse(t.Context(), mm4.Envelope{}, response); err != nil {
		t.Error(err)
	}
	if o := <-first; o.Status != gateway.Accepted {
		t.Errorf("%+v", o)
	}
	late := &mm4.Response{Head: mm4.Head{TransactionID: "none", MessageID: "none"}, Of: mm4.ForwardReq, Status: mm4.Ok}
	if err := r.takeResponse(t.Context(), mm4.Envelope{}, late); err != nil || r.Stats().ResponsesLate != 1 || r.Places() != 5 {
		t.Errorf("%v, %+v, %d places", err, r.Stats(), r.Places())
	}
	silent.Store(false)
	if o := r.submit(message(10, "x")); o.Status != gateway.Accepted {
		t.Errorf("%+v", o)
	}
	if c := hub.Counters(); c.Duplicates != 1 {
		t.Errorf("the hub does not know the message again: %+v", c)
	}
}

// patient makes the carrier wait as long as it takes.
func (r *rig) patient() {
	r.Carrier.mu.Lock()
	defer r.Carrier.mu.Unlock()
	r.ResponseTimeout = time.Hour
}

// TestResponseComesFirst: the response to an earlier forward of the same message settles the one that has not left yet, without sending it again.
func TestResponseComesFirst(t *testing.T) {
	leave := make(chan struct{})
	var opened atomic.Int32
	r, hub := withHub(t, mm4test.Config{}, func(c *Config) {
		open := c.Files
		c.Connections = 1
		c.Files = func(ctx context.Context, m *gateway.Message) (files []*media.File, err error) {
			opened.Add(1)
			<-leave
			return open(ctx, m)
		}
	})
	a, b := r.begin(message(1, "x")), r.begin(message(2, "x"))
	r.await("both workers", func() bool { return opened.Load() == 2 })
	c := r.begin(message(3, "x"))
	id := gateway.ID{3}.String()
	if err := r.takeResponse(t.Context(), mm4.Envelope{}, &mm4.Response{Head: mm4.Head{MessageID: id}, Of: mm4.ForwardReq, Status: mm4.Ok}); err != nil {
		t.Fatal(err)
	}
	close(leave)
	for i, outcome := range []<-chan gateway.Outcome{a, b, c} {
		if o := <-outcome; o.Status != gateway.Accepted {
			t.Errorf("%d: %+v", i, o)
		}
	}
	if n := hub.Counters().Forwards; n != 2 {
		t.Errorf("%d forwards", n)
	}
}

// TestWindow: no more is in hand than there are places, and each place is given back.
func TestWindow(t *testing.T) {
	r, _ := withHub(t, mm4test.Config{}, func(c *Config) { c.Window = 3 })
	for round := range 5 {
		var outcomes []<-chan gateway.Outcome
		for n := range 20 {
			outcomes = append(outcomes, r.begin(message(byte(20*round+n), "x", "file")))
		}
		accepted := 0
		for _, outcome := range outcomes {
			switch o := <-outcome; o.Status {
			case gateway.Accepted:
				accepted++
			case gateway.NotSent:
			default:
				t.Errorf("%+v", o)
			}
		}
		if accepted < 3 {
			t.Errorf("%d accepted", accepted)
		}
		if in := r.Binds()[0].InUse; in != 0 {
			t.Errorf("%d are in hand", in)
		}
	}
}

// TestStop: at the end every submit is answered: those that did not leave, those whose response does not come.
func TestStop(t *testing.T) {
	r, hub := withHub(t, mm4test.Config{Fate: func(mm4.Address) mm4test.Fate { return mm4test.Fate{NoAnswer: true} }},
		func(c *Config) { c.StopTimeout = 10 * time.Millisecond })
	outcome := r.begin(message(1, "x"))
	r.await("the forward", func() bool { return hub.Counters().Forwards == 1 })
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if o := <-outcome; o.Status != gateway.Unanswered {
		t.Errorf("%+v", o)
	}
	if o := r.submit(message(2, "x")); o.Status != gateway.NotSent || r.Places() != 0 || r.Addr() != nil {
		t.Errorf("%+v after the end", o)
	}
	for _, b := range r.Binds() {
		if b.State != "stopped" {
			t.Errorf("%+v", b)
		}
	}
}

// shutDoor lets nobody in until it is open.
type shutDoor struct {
	net.Listener
	open atomic.Bool
}

// Accept gives the next connection, once the door is open.
func (d *shutDoor) Accept() (net.Conn, error) {
	for {
		conn, err := d.Listener.Accept()
		if err != nil || d.open.Load() {
			return conn, err
		}
		_ = conn.Close() // it is to fail
	}
}

// TestPeerAway: while the peer cannot be reached there are no places, and the nudge comes when it can.
func TestPeerAway(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	away := &shutDoor{Listener: listener}
	hub, err := mm4test.New(mm4test.Config{Listener: away})
	if err != nil {
		t.Fatal(err)
	}
	run(t, hub.Run)
	address := hub.Addr()
	r := newRig(t, address, func(c *Config) { c.Steady = 50 * time.Millisecond })
	if o := r.submit(message(1, "x")); o.Status != gateway.NotSent {
		t.Errorf("before Run: %+v", o)
	}
	r.start()
	r.await("the word that nobody is there", func() bool { return strings.Contains(r.said(), "cannot be reached") })
	if b := r.Binds(); r.Places() != 0 || b[0].State != "connecting" || b[0].LastError == "" || b[1].State != "listening" {
		t.Errorf("%d places, %+v", r.Places(), b)
	}
	if strings.Contains(r.said(), address) {
		t.Errorf("the reason changes with the address: %s", r.said())
	}
	away.open.Store(true)
	r.await("the nudge", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.nudged > 0 })
	if r.Places() == 0 || r.Binds()[0].State != "up" {
		t.Errorf("%+v", r.Binds())
	}
	r.await("the word that it is over", func() bool { return strings.Contains(r.said(), "over: the peer cannot be reached") })
}

// TestListenTaken: without a place for responses nothing begins.
func TestListenTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	r := newRig(t, "127.0.0.1:1", func(c *Config) { c.Listen = taken.Addr().String() })
	if err := r.Run(t.Context()); err == nil {
		t.Error("it runs")
	}
}

// TestConfig: what is wrong is said.
func TestConfig(t *testing.T) {
	r := newRig(t, "127.0.0.1:1")
	good := r.Config
	for want, spoil := range map[string]func(*Config){
		"name":        func(c *Config) { c.Name = "" },
		"address":     func(c *Config) { c.Address = "" },
		"system":      func(c *Config) { c.System.Host = "" },
		"peer domain": func(c *Config) { c.PeerDomain = "" },
		"listen":      func(c *Config) { c.Listen = "2525" },
		"OnReceipt":   func(c *Config) { c.OnReceipt = nil },
		"Whose":       func(c *Config) { c.Whose = nil },
		"window":      func(c *Config) { c.Window = -1 },
		"connections": func(c *Config) { c.Connections = 101 },
		"unanswered":  func(c *Config) { c.UnansweredLimit = -1 },
		"reconnect":   func(c *Config) { c.Reconnect.Most = c.Reconnect.First - 1 },
		"duration":    func(c *Config) { c.StopTimeout = -1 },
		"answers":     func(c *Config) { c.Answers = map[mm4.RequestStatus]Answer{"x": {Status: gateway.Rejected}} },
		"states":      func(c *Config) { c.MMStates = map[mm4.MMStatus]Report{"x": {}} },
		"password":    func(c *Config) { c.Password = "x" },
		"know":        func(c *Config) { c.Networks = nil },
	} {
		cfg := good
		spoil(&cfg)
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// TestCredentials: both sides say who they are; without that nothing is taken.
func TestCredentials(t *testing.T) {
	knobs := mm4test.Config{User: "us", Password: "secret", Back: &mm4.ClientConfig{User: "hub", Password: "other", AuthInClear: true}}
	asks := func(c *Config) {
		c.User, c.Password, c.AuthInClear = "us", "secret", true
		c.Networks, c.InboundUser, c.InboundPassword, c.InboundAuthInClear = nil, "hub", "other", true
	}
	r, _ := withHub(t, knobs, asks)
	if o := r.submit(message(1, "x")); o.Status != gateway.Accepted {
		t.Errorf("%+v", o)
	}
	wrong, err := mm4.NewClient(mm4.ClientConfig{
		Address: r.Addr().String(), Name: "hub.example", User: "hub", Password: "wrong", AuthInClear: true, RetryFirst: time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	run(t, wrong.Run)
	r.await("the refusal", func() bool { _, _, err := wrong.State(); return err != nil })
	if wrong.Places() != 0 || strings.Contains(r.said(), "wrong\"") {
		t.Errorf("let in; log:\n%s", r.said())
	}
}
