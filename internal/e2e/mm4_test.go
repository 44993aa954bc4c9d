package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/mm4"
	"github.com/heliograph/heliograph/internal/mm4/mm4test"
)

// mm4Hub is a hub whose answers go to whichever server runs now.
type mm4Hub struct {
	*mm4test.Hub
	server atomic.Pointer[string] // where it takes mail
}

func newMM4Hub(t *testing.T, knobs mm4test.Config) *mm4Hub {
	t.Helper()
	h := &mm4Hub{}
	knobs.Back = &mm4.ClientConfig{
		Address: "us.example:25", Name: "hub.example", RetryFirst: 10 * time.Millisecond, RetryMost: 100 * time.Millisecond,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			at := h.server.Load()
			if at == nil {
				return nil, errors.New("no server yet")
			}
			return new(net.Dialer).DialContext(ctx, network, *at)
		},
	}
	knobs.Record, knobs.Content, knobs.RetryDelay, knobs.Retries = 100, true, 10*time.Millisecond, 3000
	var err error
	if h.Hub, err = mm4test.New(knobs); err != nil {
		t.Fatal(err)
	}
	runBeside(t, h.Run)
	return h
}

// runBeside runs something until the test ends.
func runBeside(t *testing.T, what func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- what(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// serve starts a server before the hub.
func (h *mm4Hub) serve(t *testing.T, data, more string) (*process, *account) {
	t.Helper()
	server := serve(t, data, fmt.Sprintf(`carriers: [{name: hub, protocol: mm4, address: %q, system: mms@us.example, peer_domain: hub.example,
  listen: "127.0.0.1:0", peers: [127.0.0.0/8], %s}]`, h.Addr(), more))
	url, at := server.url(t), ""
	server.await(t, "the line that it takes mail", func(lines []string, _ string) bool {
		for _, text := range lines {
			var line struct{ Msg, Address string }
			if json.Unmarshal([]byte(text), &line) == nil && line.Msg == "listening for the peer's mail" {
				at = line.Address
			}
		}
		return at != ""
	})
	h.server.Store(&at)
	return server, newAccount(t, url)
}

// await waits until a condition holds for what the hub counted.
func (h *mm4Hub) await(t *testing.T, what string, condition func(mm4test.Counters) bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(h.Counters()); pause(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not come: %+v", what, h.Counters())
		}
	}
}

// upload keeps a picture for the account and gives its id.
func upload(t *testing.T, customer *account, name string, content []byte) string {
	t.Helper()
	body, contentType := form(t, name, content)
	made, err := customer.do(within(t), http.MethodPost, "/v1/Account/"+authID+"/Media/", contentType, body, asCustomer)
	if err != nil {
		t.Fatal(err)
	}
	var said struct{ Objects []clientMediumRow }
	if err := json.Unmarshal(made.body, &said); err != nil || len(said.Objects) != 1 || said.Objects[0].MediaID == "" {
		t.Fatalf("%d %s", made.status, made.body)
	}
	return said.Objects[0].MediaID
}

// clientMediumRow is a file as the API shows it.
type clientMediumRow struct {
	MediaID     string `json:"media_id"`
	MediaURL    string `json:"media_url"`
	ContentType string `json:"content_type"`
}

// TestMM4: an uploaded picture goes through a powerpack to the hub, whose response and report make the message delivered, and its account is told. What the
// hub forwards is there for the account, with its picture.
func TestMM4(t *testing.T) {
	hub := newMM4Hub(t, mm4test.Config{AckReports: true})
	_, customer := hub.serve(t, t.TempDir(), "")
	var told sync.Map
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { told.Store(r.FormValue("Status"), r.FormValue("Type")) }))
	t.Cleanup(sink.Close)
	_, gif := picture(t, "sun.gif", 1)
	pack := customer.powerpack(t, "pictures", "14155550101", "14155550102")
	to := destination(1)
	id := customer.call(t, http.MethodPost, "/Message/", map[string]any{
		"powerpack_uuid": pack, "dst": to, "text": "look", "type": "mms", "media_ids": []string{upload(t, customer, "sun.gif", gif)}, "url": sink.URL,
	}).messages(t)[0]
	record := customer.awaitState(t, id, "delivered")
	if record.text("message_type") != "mms" || record.fields["units"] != 1.0 || record.text("error_code") != "000" {
		t.Errorf("the record is %s", record.body)
	}
	for deadline := time.Now().Add(patience); ; pause(10 * time.Millisecond) {
		if kind, ok := told.Load("delivered"); ok {
			if kind != "mms" {
				t.Errorf("told with type %v", kind)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody was told")
		}
	}
	hub.await(t, "our response to the report", func(c mm4test.Counters) bool { return c.Responses == 1 })
	got := hub.Forwards()[0]
	if len(hub.Forwards()) != 1 || got.Message.MessageID != id || len(got.Parts) != 3 || string(got.Parts[1].Content) != "look" || got.Parts[2].Type != "image/gif" ||
		len(got.Parts[2].Content) == 0 || got.Message.To[0].User != "+"+to {
		t.Errorf("the hub got %+v", got)
	}

	from := forwardToUs(t, *hub.server.Load(), "in-1", "14155550102", "nice", gif)
	if from.Status != mm4.Accepted {
		t.Fatalf("%+v", from)
	}
	list := customer.call(t, http.MethodGet, "/Message/?message_direction=inbound", nil).want(t, http.StatusOK)
	objects, _ := list.fields["objects"].([]any)
	if len(objects) != 1 {
		t.Fatalf("inbound: %s", list.body)
	}
	arrived := objects[0].(map[string]any)
	if arrived["message_type"] != "mms" || arrived["from_number"] != "14152229999" || arrived["to_number"] != "14155550102" {
		t.Errorf("inbound: %v", arrived)
	}
	attached := customer.call(t, http.MethodGet, "/Message/"+arrived["message_uuid"].(string)+"/Media/", nil).want(t, http.StatusOK)
	var said struct{ Objects []clientMediumRow }
	if err := json.Unmarshal(attached.body, &said); err != nil || len(said.Objects) != 1 || said.Objects[0].ContentType != "image/gif" {
		t.Fatalf("its media: %s", attached.body)
	}
	if resp, body := follow(t, said.Objects[0].MediaURL); resp.StatusCode != http.StatusOK || !bytes.Equal(body, gif) {
		t.Errorf("the picture leads to %d, %d octets", resp.StatusCode, len(body))
	}
	hub.await(t, "our response to the forward", func(c mm4test.Counters) bool { return c.Responses == 2 })
	carriers := customer.operate(t, http.MethodGet, "/carriers", nil).want(t, http.StatusOK)
	if !bytes.Contains(carriers.body, []byte(`"name":"hub/to","state":"up"`)) || !bytes.Contains(carriers.body, []byte(`"name":"hub/from","state":"listening"`)) {
		t.Errorf("%s", carriers.body)
	}
	metrics, err := customer.do(within(t), http.MethodGet, "/metrics", "", nil, func(*http.Request) {})
	if err != nil || !bytes.Contains(metrics.body, []byte(`heliograph_carrier_inbound_total{carrier="hub",outcome="taken"} 1`)) {
		t.Errorf("the metrics do not tell of the inbound message: %v", err)
	}
}

// forwardToUs sends a message from a handset as the hub would.
func forwardToUs(t *testing.T, address, id, to, text string, gif []byte) mm4.Outcome {
	t.Helper()
	client, err := mm4.NewClient(mm4.ClientConfig{Address: address, Name: "hub.example", RetryFirst: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	runBeside(t, client.Run)
	for deadline := time.Now().Add(patience); client.Places() == 0; pause(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the server takes no mail")
		}
	}
	part := func(mediaType, name string, octets []byte) mm4.Part {
		return mm4.Part{Type: mediaType, Location: name, Name: name, Size: int64(len(octets)), Open: func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(octets)), nil
		}}
	}
	system := mm4.Address{User: "system", Host: "hub.example"}
	m := &mm4.Forward{
		Head: mm4.Head{TransactionID: id, MessageID: id, Sender: system, Date: time.Now()},
		From: mm4.PLMN("+14152229999", "hub.example"), To: []mm4.Address{mm4.PLMN("+"+to, "us.example")}, AckRequest: true,
		Parts: []mm4.Part{part("application/smil", "a.smil", []byte("<smil/>")), part("text/plain", "a.txt", []byte(text)), part("image/gif", "a.gif", gif)},
	}
	done := make(chan mm4.Outcome, 1)
	client.Submit(mm4.Mail{From: system, To: m.To, Message: m}, func(out mm4.Outcome) { done <- out })
	return <-done
}

// TestMM4Crash: the server is killed when the hub has a message and before its response. With `resend` the message goes again under the same identifier, so
// that the hub knows it; with `hold` it waits for the operator, and nothing goes out twice.
func TestMM4Crash(t *testing.T) {
	for _, mode := range []string{"resend", "hold"} {
		t.Run(mode, func(t *testing.T) {
			var answers atomic.Bool
			hub := newMM4Hub(t, mm4test.Config{Fate: func(mm4.Address) mm4test.Fate { return mm4test.Fate{NoAnswer: !answers.Load()} }})
			data := t.TempDir()
			server, customer := hub.serve(t, data, "unanswered: "+mode)
			pack := customer.powerpack(t, "crash", "14155550101")
			id := customer.call(t, http.MethodPost, "/Message/", map[string]any{"powerpack_uuid": pack, "dst": destination(1), "text": "x", "type": "mms"}).messages(t)[0]
			hub.await(t, "the forward", func(c mm4test.Counters) bool { return c.Forwards == 1 })
			server.kill()
			answers.Store(true)
			_, customer = hub.serve(t, data, "unanswered: "+mode)
			if mode == "hold" {
				if held := heldMessages(t, customer); !held[id] || len(held) != 1 || hub.Counters().Forwards != 1 {
					t.Fatalf("held: %v, %+v", held, hub.Counters())
				}
				customer.operate(t, http.MethodPost, "/held/"+id+"/resend", nil).want(t, http.StatusOK)
			}
			customer.awaitState(t, id, "delivered")
			if c := hub.Counters(); c.Forwards != 2 || c.Duplicates != 1 {
				t.Errorf("the hub does not know the message again: %+v", c)
			}
		})
	}
}
