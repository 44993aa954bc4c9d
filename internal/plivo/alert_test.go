package plivo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
)

// exchange answers requests in the place of a network.
type exchange func(*http.Request) (*http.Response, error)

func (e exchange) RoundTrip(r *http.Request) (*http.Response, error) { return e(r) }

func answered(status int) *http.Response {
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(""))}
}

// alerting runs alerts over a network until the test ends.
func alerting(t *testing.T, network exchange) (a *Alerts, log *bytes.Buffer) {
	log = &bytes.Buffer{}
	a = NewAlerts(&http.Client{Transport: network}, "agent", slog.New(slog.NewTextHandler(log, nil)))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return a, log
}

var aBreach = gateway.Breach{
	Account: mainID, Threshold: gateway.Threshold{Country: "NG", PerHour: 100}, Country: "NG", Until: time.Date(2026, 5, 6, 13, 0, 0, 0, time.UTC),
	AlertURL: "https://alerts.example/secret",
}

func TestAlert(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var body string
		a, log := alerting(t, func(r *http.Request) (*http.Response, error) {
			text, _ := io.ReadAll(r.Body)
			body = r.Method + " " + r.URL.String() + " " + r.Header.Get("Content-Type") + " " + r.Header.Get("User-Agent") + " " + string(text)
			return answered(204), nil
		})
		a.Tell(aBreach)
		synctest.Wait()
		want := `POST https://alerts.example/secret application/json agent {"auth_id":"` + string(mainID) + `","destination_country":"NG","block":true,` +
			`"alert_type":"sms_threshold_breach","message":"More than 100 messages within an hour to NG: further ones fail with code 451 until 2026-05-06 13:00 UTC."}`
		if diff := cmp.Diff(want, body); diff != "" {
			t.Error(diff)
		}
		body = ""
		silent := aBreach
		silent.AlertURL = ""
		a.Tell(silent)
		synctest.Wait()
		if body != "" || strings.Count(log.String(), "a threshold was passed") != 2 {
			t.Errorf("told %q, logged %s", body, log)
		}
	})
}

func TestAlertTexts(t *testing.T) {
	for want, change := range map[string]func(*gateway.Breach){
		"to numbers that begin with 23480:":     func(b *gateway.Breach) { b.Threshold = gateway.Threshold{Prefix: "23480", PerHour: 1} },
		"to DE:":                                func(b *gateway.Breach) { b.Threshold.Country, b.Country = gateway.AnyCountry, "DE" },
		"to numbers that belong to no country:": func(b *gateway.Breach) { b.Threshold.Country, b.Country = gateway.AnyCountry, "" },
	} {
		b := aBreach
		change(&b)
		if got := newAlert(&b); !strings.Contains(got.Message, want) || got.DestinationCountry != b.Country {
			t.Errorf("%+v does not say %q", got, want)
		}
	}
}

// TestAlertIsTriedAgain: on the schedule of callbacks, and then given up; the log does not name the address.
func TestAlertIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var at []time.Duration
		a, log := alerting(t, func(*http.Request) (*http.Response, error) {
			if at = append(at, time.Since(begin)); len(at)%2 == 0 {
				return nil, errors.New("dial secret: refused")
			}
			return answered(500), nil
		})
		a.Tell(aBreach)
		time.Sleep(time.Hour)
		synctest.Wait()
		if diff := cmp.Diff([]time.Duration{0, time.Minute, 3 * time.Minute, 7 * time.Minute}, at); diff != "" {
			t.Error(diff)
		}
		if !strings.Contains(log.String(), "an alert was not taken") || strings.Contains(log.String(), "secret") {
			t.Errorf("logged %s", log)
		}
	})
}

// TestAlertsAreBounded: addresses that do not answer hold up nobody, and a stop does not wait for them.
func TestAlertsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		a, log := alerting(t, func(r *http.Request) (*http.Response, error) {
			asked++
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		for range 3 * alertsWaiting {
			a.Tell(aBreach)
			synctest.Wait()
		}
		if asked != alertsWaiting || !strings.Contains(log.String(), "one is not told") {
			t.Errorf("%d were begun", asked)
		}
	})
}
