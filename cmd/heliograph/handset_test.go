package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heliograph/heliograph/internal/smpp/smpptest"
)

// takesTexts is a pretend SMSC that keeps what it should deliver.
type takesTexts struct {
	mu    sync.Mutex
	texts []smpptest.Text
	at    []time.Time
	fail  error
}

func (s *takesTexts) DeliverText(_ context.Context, t smpptest.Text) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.texts, s.at = append(s.texts, t), append(s.at, time.Now())
	return s.fail
}

// TestHandsetTraffic: messages leave at their pace, from and to their numbers in turn, each with its count.
func TestHandsetTraffic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		traffic := handsetTraffic{Rate: 10, Count: 25, From: "12122000000", To: []string{"14155550100", "14155550101"}, Text: "number %d", Segments: 1}
		smsc, begin, answered := &takesTexts{}, time.Now(), 0
		var mu sync.Mutex
		traffic.deliver(t.Context(), smsc, func(n int, _ time.Time, err error) {
			mu.Lock()
			defer mu.Unlock()
			answered++
			if err != nil || n < 0 || n >= 25 {
				t.Errorf("message %d: %v", n, err)
			}
		})
		if len(smsc.texts) != 25 || answered != 25 || time.Since(begin) != 2400*time.Millisecond {
			t.Errorf("%d messages, %d answers, in %s", len(smsc.texts), answered, time.Since(begin))
		}
		last := smsc.texts[24]
		if last.From != "12122000024" || last.To != "14155550100" || last.Text != "number 25" || smsc.texts[1].To != "14155550101" {
			t.Errorf("the last is %+v", last)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		endless := traffic
		endless.Count, smsc.texts = 0, nil
		if endless.deliver(ctx, smsc, nil); len(smsc.texts) != 10 && len(smsc.texts) != 11 {
			t.Errorf("%d messages in a second", len(smsc.texts))
		}
	})
	for segments := 2; segments <= maxHandsetSegments; segments++ {
		traffic := handsetTraffic{From: "12122000000", To: []string{"1"}, Text: "a text, number %d", Segments: segments}
		if n := len(traffic.message(0).Text); n <= (segments-1)*septetsPerSegment || n > segments*septetsPerSegment {
			t.Errorf("%d septets for %d segments", n, segments)
		}
	}
}

func TestHandsetTrafficIsChecked(t *testing.T) {
	good := handsetTraffic{From: "12122000000", To: []string{"14155550100"}, Text: "x", Segments: 1}
	if err := good.check(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*handsetTraffic){
		"rate": func(h *handsetTraffic) { h.Rate = -1 }, "count": func(h *handsetTraffic) { h.Count = -1 }, "segments": func(h *handsetTraffic) { h.Segments = 0 },
		"too many segments": func(h *handsetTraffic) { h.Segments = 11 }, "to": func(h *handsetTraffic) { h.To = nil }, "from": func(h *handsetTraffic) { h.From = "me" },
	} {
		bad := good
		if spoil(&bad); bad.check() == nil {
			t.Errorf("%s is taken", name)
		}
	}
	for _, c := range []inboundBench{{Inbound: -1, InboundRate: 1}, {Inbound: 1}, {Inbound: 1, InboundRate: 1, InboundSlow: -1}} {
		if c.check(true) == nil {
			t.Errorf("%+v is taken", c)
		}
	}
	own := inboundBench{Inbound: 1, InboundRate: 1}
	if own.check(true) != nil || own.check(false) == nil {
		t.Error("messages from handsets need a server of our own")
	}
}

// TestHandsetsOnDemand: POST /inbound sends, and says what became of it.
func TestHandsetsOnDemand(t *testing.T) {
	smsc := &takesTexts{}
	serve := (&handsetTraffic{Rate: 5, From: "12122000000", To: []string{"14155550100"}, Text: "Hello", Segments: 1}).serve(smsc)
	post := func(body string) (int, string) {
		w := httptest.NewRecorder()
		serve(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/inbound", strings.NewReader(body)))
		return w.Code, strings.TrimSpace(w.Body.String())
	}
	if status, body := post(`{"to":["14155550101"],"text":"STOP","count":2}`); status != http.StatusOK || body != `{"taken":2,"failed":0}` {
		t.Errorf("%d %s", status, body)
	}
	if got := smsc.texts[0]; len(smsc.texts) != 2 || got.To != "14155550101" || got.Text != "STOP" {
		t.Errorf("sent %+v", smsc.texts)
	}
	smsc.fail = errors.New("nobody is bound")
	if status, body := post(`{}`); status != http.StatusOK || body != `{"taken":0,"failed":1,"error":"nobody is bound"}` {
		t.Errorf("%d %s", status, body)
	}
	for _, body := range []string{``, `[]`, `{"tо":1}`, `{"count":0}`, `{"segments":99}`, `{"to":[]}`} {
		if status, said := post(body); status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", body, status, said)
		}
	}
}
