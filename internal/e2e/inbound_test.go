package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/heliograph/heliograph/docs/docstest"
	"github.com/heliograph/heliograph/internal/smpp/smpptest"
)

// application makes an application and links numbers to it.
func (a *account) application(t testing.TB, name, url string, numbers ...string) {
	t.Helper()
	id := a.call(t, http.MethodPost, "/Application/", map[string]any{"app_name": name, "message_url": url}).want(t, http.StatusCreated).text("app_id")
	for _, n := range numbers {
		a.call(t, http.MethodPost, "/Number/"+n+"/", map[string]any{"app_id": id}).want(t, http.StatusAccepted)
	}
}

// rents puts numbers without a rate limit.
func (a *account) rents(t testing.TB, settings map[string]any, numbers ...string) {
	t.Helper()
	var list []map[string]any
	for _, n := range numbers {
		number := map[string]any{"number": n, "rate": 0, "auth_id": authID, "services": []string{"sms", "mms"}}
		for name, value := range settings {
			number[name] = value
		}
		list = append(list, number)
	}
	a.operate(t, http.MethodPost, "/numbers", map[string]any{"numbers": list}).want(t, http.StatusOK)
}

// brings has the foreign SMSC bring a message, and waits for what it is answered.
func (n *nodeProgram) brings(t testing.TB, fields map[string]any) {
	t.Helper()
	line, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.stdin.Write(append(line, '\n')); err != nil {
		t.Fatal(err)
	}
	for {
		var said smscLine
		n.next(t, &said)
		if said.Delivered == nil {
			continue
		}
		if *said.Delivered != 0 {
			t.Errorf("the SMSC was answered status %d", *said.Delivered)
		}
		return
	}
}

// nextInbound reads the sink's next request, which tells of a message from a handset, and checks it as nextCallback does.
func nextInbound(t testing.TB, sink *nodeProgram) map[string]string {
	t.Helper()
	var line callbackLine
	sink.next(t, &line)
	c := &line.Callback
	if !c.V2 || !c.MaV2 || !c.V3 || !c.MaV3 || c.Forged {
		t.Errorf("signatures of %s %s: V2 %v, main V2 %v, V3 %v, main V3 %v, with a wrong token %v", c.Method, c.Path, c.V2, c.MaV2, c.V3, c.MaV3, c.Forged)
	}
	document, err := docstest.Load()
	if err != nil {
		t.Fatal(err)
	}
	if err := document.CheckCallback(c.Method, c.Form); err != nil {
		t.Errorf("the webhook %v is not what openapi.yaml says: %v", c.Form, err)
	}
	return c.Form
}

// TestInboundJourney is the way of a message from a handset with nothing of ours at its ends: an SMSC made by others brings two segments, the second first;
// the official client's validators check the webhook; its answer, XML, goes out to the SMSC and is reported.
func TestInboundJourney(t *testing.T) {
	smsc := node(t, "smsc.js")
	sink := node(t, "sink.js", "AUTH_TOKEN="+authToken,
		`ANSWER=<?xml version="1.0"?><Response><Message src="14155550100" dst="14155550123">Thanks &amp; bye</Message></Response>`)
	server := serve(t, t.TempDir(), smppConfig(fmt.Sprintf("127.0.0.1:%d", smsc.port(t)), ""))
	customer := newAccount(t, server.url(t))
	customer.rents(t, nil, "14155550100")
	customer.application(t, "journey", fmt.Sprintf("http://127.0.0.1:%d/in", sink.port(t)), "14155550100")
	awaitReceiver(t, smsc)

	first, second := strings.Repeat("Sunlight ", 15), "travels far."
	segment := func(number int, text string) map[string]any {
		return map[string]any{
			"source_addr": "14155550123", "source_addr_ton": 1, "source_addr_npi": 1, "destination_addr": "14155550100", "dest_addr_ton": 1, "dest_addr_npi": 1,
			"short_message": text, "esm_class": 0x40, "udh": fmt.Sprintf("0500032a02%02x", number),
		}
	}
	smsc.brings(t, segment(2, second))
	smsc.brings(t, segment(1, first))
	told := nextInbound(t, sink)
	for name, want := range map[string]string{"From": "14155550123", "To": "14155550100", "Text": first + second, "Type": "sms", "Units": "2", "MessageIntent": ""} {
		if told[name] != want {
			t.Errorf("%s is %q, want %q", name, told[name], want)
		}
	}
	reply := nextSubmit(t, smsc)
	if reply.From != "14155550100" || reply.To != "14155550123" || reply.Text != "Thanks & bye" {
		t.Errorf("the answer went out as %+v", reply)
	}
	r := customer.awaitState(t, told["MessageUUID"], "delivered")
	if r.text("message_direction") != "inbound" || r.text("from_number") != "14155550123" || r.fields["units"] != 2.0 {
		t.Errorf("the record is %s", r.body)
	}
	both := customer.call(t, http.MethodGet, "/Conversation/?number=14155550100&dst=14155550123", nil).want(t, http.StatusOK)
	if objects, _ := both.fields["objects"].([]any); len(objects) != 2 {
		t.Errorf("the conversation is %s", both.body)
	}
}

// awaitReceiver reads the foreign SMSC's lines until a bind that takes messages stands.
func awaitReceiver(t testing.TB, smsc *nodeProgram) {
	t.Helper()
	for {
		var line smscLine
		smsc.next(t, &line)
		if line.Bind != "" && line.Bind != "bind_transmitter" {
			return
		}
	}
}

// inbox is an application that keeps what it is told: which messages, by their texts.
type inbox struct {
	*ledger
	ids map[string]map[string]int // by text: how often it came, by MessageUUID
}

func newInbox() *inbox { return &inbox{ledger: newLedger(), ids: map[string]map[string]int{}} }

func (b *inbox) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	id, text := r.FormValue("MessageUUID"), r.FormValue("Text")
	b.note(func() {
		if b.ids[text] == nil {
			b.ids[text] = map[string]int{}
		}
		b.ids[text][id]++
	})
}

// TestInboundCrash kills the server at random moments while messages arrive, of one segment and of two. The SMSC sends again what was not acknowledged.
// In the end the application has been told of every one of them, however often it was sent and told, under one MessageUUID.
func TestInboundCrash(t *testing.T) {
	const messages, rounds = 1000, 5
	smsc := smpptest.New(t)
	box := newInbox()
	app := httptest.NewServer(box)
	t.Cleanup(app.Close)
	data, config := t.TempDir(), smppConfig(smsc.Addr(), "binds: 2")
	random := rand.New(rand.NewPCG(3, 4))
	text := func(n int) string {
		if n%10 == 9 {
			return fmt.Sprintf("message %d %s", n, strings.Repeat("and on ", 25))
		}
		return fmt.Sprintf("message %d", n)
	}
	posted := 0
	for round := range rounds {
		server := serve(t, data, config)
		customer := newAccount(t, server.url(t))
		if round == 0 {
			customer.rents(t, nil, "14155550100", "14155550101")
			customer.application(t, "crash", app.URL, "14155550100", "14155550101")
		}
		binds := int64(2 * (round + 1))
		if err := smsc.Wait(within(t), func(c smpptest.Counters) bool { return c.Binds >= binds }); err != nil {
			t.Fatal(err)
		}
		taken := smsc.Counters().InboundAcked + random.Int64N(messages/rounds)
		for range messages / rounds {
			from, to := destination(posted%50), fmt.Sprintf("1415555010%d", posted%2)
			if err := smsc.PostText("e2e", smpptest.Text{From: from, To: to, Text: text(posted)}); err != nil {
				t.Fatal(err)
			}
			posted++
		}
		if err := smsc.Wait(within(t), func(c smpptest.Counters) bool { return c.InboundAcked >= taken }); err != nil {
			t.Fatalf("%v: %+v", err, smsc.Counters())
		}
		server.kill()
	}
	serve(t, data, config).url(t)
	box.await(t, "the webhook of every message", func() (bool, string) {
		for n := range messages {
			if len(box.ids[text(n)]) == 0 {
				return false, text(n)
			}
		}
		return true, ""
	})
	if err := smsc.Wait(within(t), func(c smpptest.Counters) bool { return c.InboundPending == 0 }); err != nil {
		t.Fatal(err)
	}
	box.note(func() {
		for text, ids := range box.ids {
			if len(ids) != 1 {
				t.Errorf("%.20q came as %d messages", text, len(ids))
			}
		}
		if len(box.ids) != messages {
			t.Errorf("%d texts came of %d", len(box.ids), messages)
		}
	})
}

// TestInboundIsolation: while the application of one number answers nothing, that of another is told of everything, and carriers are answered.
func TestInboundIsolation(t *testing.T) {
	release := make(chan struct{})
	var asked atomic.Int64
	hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked.Add(1)
		<-release
	}))
	t.Cleanup(hanging.Close)
	t.Cleanup(func() { close(release) })
	box := newInbox()
	good := httptest.NewServer(box)
	t.Cleanup(good.Close)
	smsc := smpptest.New(t)
	server := serve(t, t.TempDir(), smppConfig(smsc.Addr(), ""))
	customer := newAccount(t, server.url(t))
	customer.rents(t, nil, "14155550100", "14155550101")
	customer.application(t, "hanging", hanging.URL, "14155550100")
	customer.application(t, "good", good.URL, "14155550101")
	if err := smsc.WaitBinds(within(t), 1); err != nil {
		t.Fatal(err)
	}
	var bringing sync.WaitGroup
	for n := range 300 {
		bringing.Go(func() {
			to := fmt.Sprintf("1415555010%d", min(1, n%3))
			if err := smsc.DeliverText(context.Background(), smpptest.Text{From: destination(n), To: to, Text: fmt.Sprint("message ", n)}); err != nil {
				t.Error(err)
			}
		})
	}
	bringing.Wait()
	box.await(t, "every webhook to the application that answers", func() (bool, string) {
		for n := range 300 {
			if text := fmt.Sprint("message ", n); n%3 > 0 && len(box.ids[text]) == 0 {
				return false, text
			}
		}
		return true, ""
	})
	if asked.Load() == 0 {
		t.Error("the hanging application was never asked")
	}
}
