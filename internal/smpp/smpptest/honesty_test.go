package smpptest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/heliograph/heliograph/internal/smpp"
)

// What a session says of a request must agree with what the SMSC saw, whenever the connection is lost: an answered one was taken once, one
// that was not sent was never seen. Of an unanswered one nothing is known, and that must be few: those that were outstanding.
func TestOutcomesAgreeWithTheSMSC(t *testing.T) {
	const (
		window      = 20
		connections = 30
		each        = 400 // submits tried on a connection, of which it takes some
	)
	var mu sync.Mutex
	seen := make(map[string]int)
	s := New(t, func(c *Config) {
		c.DisconnectEvery, c.Refused = 150, 0.1
		c.OnSubmit = func(s Submit) {
			mu.Lock()
			seen[s.PDU.ShortMessage]++
			mu.Unlock()
		}
	})
	answered, unanswered, notSent := 0, 0, 0
	for connection := range connections {
		session, err := connect(t, s, smpp.Transceiver, smpp.Config{Window: window, Handler: func(r *smpp.Request) { _ = r.Respond(smpp.ESME_ROK, nil) }})
		if err != nil {
			t.Fatal(err)
		}
		outcomes := make([]error, each)
		var outstanding sync.WaitGroup
		places := make(chan struct{}, window)
		for i := range each {
			m := message(0)
			m.ShortMessage = fmt.Sprintf("%d/%d", connection, i)
			places <- struct{}{}
			outstanding.Add(1)
			session.Submit(m, func(_ smpp.Response, err error) {
				outcomes[i] = err
				<-places
				outstanding.Done()
			})
		}
		outstanding.Wait()
		session.Close(nil)
		<-session.Done()
		lost := 0
		mu.Lock()
		for i, err := range outcomes {
			key := fmt.Sprintf("%d/%d", connection, i)
			switch times := seen[key]; {
			case err == nil:
				answered++
				if times != 1 {
					t.Errorf("%s was answered, and seen %d times", key, times)
				}
			case errors.Is(err, smpp.ErrNotSent) && !errors.Is(err, smpp.ErrUnanswered):
				notSent++
				if times != 0 {
					t.Errorf("%s was not sent, and seen %d times", key, times)
				}
			case errors.Is(err, smpp.ErrUnanswered) && !errors.Is(err, smpp.ErrNotSent):
				lost++
				if times > 1 {
					t.Errorf("%s was seen %d times", key, times)
				}
			default:
				t.Errorf("%s: %v", key, err)
			}
		}
		mu.Unlock()
		if unanswered += lost; lost > window {
			t.Errorf("connection %d: %d unanswered with a window of %d", connection, lost, window)
		}
	}
	if answered == 0 || unanswered == 0 || notSent == 0 || answered+unanswered+notSent != connections*each {
		t.Errorf("%d answered, %d unanswered, %d not sent of %d", answered, unanswered, notSent, connections*each)
	}
}
