package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/heliograph/heliograph/internal/smpp/smpptest"
)

// handsetTraffic is what handsets send through a pretend SMSC: flags of the command, and the body of POST /inbound.
type handsetTraffic struct {
	Rate     float64  `help:"Messages from handsets per second; 0: none." json:"rate"`
	Count    int      `help:"Stop after so many; 0: go on." placeholder:"N" json:"count"`
	From     string   `help:"Who sends the first; each further one is from the next of 10,000 numbers." default:"12122000000" placeholder:"NUMBER" json:"from"`
	To       []string `help:"Numbers that get them, in turn." placeholder:"NUMBER" json:"to"`
	Text     string   `help:"What they say; %d stands for a count." default:"Hello from handset, number %d" json:"text"`
	Segments int      `help:"Repeat the text until it needs so many segments." default:"1" json:"segments"`
}

// Bounds of the traffic.
const (
	maxHandsetSegments = 10
	maxHandsetCount    = 1_000_000
	handsetsAtOnce     = 200    // messages that are not answered yet
	handsetNumbers     = 10_000 // from which they come
	septetsPerSegment  = 153
)

func (h *handsetTraffic) check() error {
	switch {
	case !(h.Rate >= 0) || h.Count < 0 || h.Count > maxHandsetCount:
		return fmt.Errorf("inbound: rate and count must not be negative, nor count above %d", maxHandsetCount)
	case h.Segments < 1 || h.Segments > maxHandsetSegments:
		return fmt.Errorf("inbound: segments must be 1 to %d", maxHandsetSegments)
	case len(h.To) == 0:
		return errors.New("inbound: to must name a number")
	case strings.Trim(h.From, "0123456789") != "" || len(h.From) < 7 || len(h.From) > 15:
		return errors.New("inbound: from must be a number's digits")
	}
	return nil
}

// message is the n-th, from 0.
func (h *handsetTraffic) message(n int) smpptest.Text {
	text := strings.ReplaceAll(h.Text, "%d", fmt.Sprint(n+1))
	for least := (h.Segments-1)*septetsPerSegment + 1; h.Segments > 1 && len(text) < least && text != ""; {
		text += " " + text
		if most := h.Segments * septetsPerSegment; len(text) > most {
			text = text[:most]
		}
	}
	var first int64
	_, _ = fmt.Sscan(h.From, &first) // check has seen it
	return smpptest.Text{From: fmt.Sprint(first + int64(n%handsetNumbers)), To: h.To[n%len(h.To)], Text: text}
}

// deliverer is where messages from handsets go: a pretend SMSC, or something before it.
type deliverer interface {
	DeliverText(ctx context.Context, t smpptest.Text) error
}

// deliver sends the messages at their pace, until ctx ends or the last was answered. each is called with every answer, from many goroutines; nil: nobody is.
func (h *handsetTraffic) deliver(ctx context.Context, smsc deliverer, each func(n int, begin time.Time, err error)) {
	var sending sync.WaitGroup
	defer sending.Wait()
	places := make(chan struct{}, handsetsAtOnce)
	begin := time.Now()
	for n := 0; h.Count == 0 || n < h.Count; n++ {
		if h.Rate > 0 && !sleepUntil(ctx, begin.Add(time.Duration(float64(n)/h.Rate*float64(time.Second)))) {
			return
		}
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return
		}
		sending.Go(func() {
			defer func() { <-places }()
			begin := time.Now()
			err := smsc.DeliverText(ctx, h.message(n))
			if each != nil {
				each(n, begin, err)
			}
		})
	}
}

// run is deliver as a service: what cannot be delivered now, while nobody has bound, is lost, as the counters show.
func (h *handsetTraffic) run(ctx context.Context, smsc deliverer) error {
	h.deliver(ctx, smsc, nil)
	<-ctx.Done()
	return nil
}

// serve sends what a request asks for and answers when all was answered.
func (h *handsetTraffic) serve(smsc deliverer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		traffic := *h // what the request leaves out is as the flags have it
		traffic.Rate, traffic.Count = 0, 1
		decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10))
		decoder.DisallowUnknownFields()
		err := decoder.Decode(&traffic)
		if err == nil {
			err = traffic.check()
		}
		if err == nil && traffic.Count == 0 {
			err = errors.New("inbound: count must be 1 or more")
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		var mu sync.Mutex
		var answer struct {
			Taken  int    `json:"taken"`
			Failed int    `json:"failed"`
			Error  string `json:"error,omitempty"` // the first
		}
		traffic.deliver(r.Context(), smsc, func(_ int, _ time.Time, err error) {
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				answer.Taken++
				return
			}
			if answer.Failed++; answer.Error == "" {
				answer.Error = err.Error()
			}
		})
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer) // a client that is gone needs no answer
	}
}
