package plivo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// alertsWaiting bounds the alerts that are being told at once, those between two attempts included.
const alertsWaiting = 256

// alertTimeout is for a whole answer.
const alertTimeout = 8 * time.Second

// Alerts tells accounts that a threshold was passed. An alert is tried on the schedule of status callbacks. It is kept in memory only: the messages
// that fail have callbacks, which are kept.
type Alerts struct {
	client    *http.Client
	userAgent string
	log       *slog.Logger
	queue     chan gateway.Breach
	places    chan struct{}
}

// NewAlerts makes one. The client must be guarded: addresses come from outside.
func NewAlerts(client *http.Client, userAgent string, log *slog.Logger) *Alerts {
	return &Alerts{
		client: client, userAgent: userAgent, log: log, queue: make(chan gateway.Breach, alertsWaiting), places: make(chan struct{}, alertsWaiting),
	}
}

// Tell takes an alert and returns at once.
func (a *Alerts) Tell(breach gateway.Breach) {
	a.log.Warn("a threshold was passed; further messages fail until the hour is over", "account", breach.Account, "country", breach.Country)
	if breach.AlertURL == "" {
		return
	}
	select {
	case a.queue <- breach:
	default:
		a.log.Warn("too many alerts are waiting; one is not told", "account", breach.Account)
	}
}

// Run tells alerts until ctx ends. Those that were not taken by then are given up.
func (a *Alerts) Run(ctx context.Context) error {
	var telling sync.WaitGroup
	defer telling.Wait()
	for {
		select {
		case <-ctx.Done():
			return nil
		case breach := <-a.queue:
			select {
			case a.places <- struct{}{}:
			default: // they are all taken by addresses that do not answer
				a.log.Warn("too many alerts are waiting; one is not told", "account", breach.Account)
				continue
			}
			telling.Go(func() {
				defer func() { <-a.places }()
				a.tell(ctx, breach)
			})
		}
	}
}

// tell tries until the alert is taken, given up, or ctx ends.
func (a *Alerts) tell(ctx context.Context, breach gateway.Breach) {
	for attempt := 1; ; attempt++ {
		err := a.post(ctx, breach)
		if err == nil || ctx.Err() != nil {
			return
		}
		now := time.Now()
		next, again := gateway.NextCallback(attempt, now)
		if !again {
			a.log.Warn("an alert was not taken", "account", breach.Account, "err", err)
			return
		}
		timer := time.NewTimer(next.Sub(now))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// alert is what an account is told, in the contract's words.
type alert struct {
	AuthID             string `json:"auth_id"`
	DestinationCountry string `json:"destination_country"`
	Block              bool   `json:"block"`
	AlertType          string `json:"alert_type"`
	Message            string `json:"message"`
}

func newAlert(b *gateway.Breach) alert {
	to := b.Country
	switch {
	case b.Threshold.Prefix != "":
		to = "numbers that begin with " + b.Threshold.Prefix
	case to == "":
		to = "numbers that belong to no country"
	}
	return alert{
		AuthID: string(b.Account), DestinationCountry: b.Country, Block: true, AlertType: "sms_threshold_breach",
		Message: fmt.Sprintf("More than %d messages within an hour to %s: further ones fail with code %s until %s UTC.",
			b.Threshold.PerHour, to, reasonCodes[gateway.ThresholdExceeded].code, b.Until.UTC().Format("2006-01-02 15:04")),
	}
}

// post makes one attempt. Its error does not name the address, which may hold secrets.
func (a *Alerts) post(ctx context.Context, breach gateway.Breach) error {
	body, err := json.Marshal(newAlert(&breach))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, alertTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, breach.AlertURL, bytes.NewReader(body))
	if err != nil {
		return errAlertAddress
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", a.userAgent)
	res, err := a.client.Do(req)
	if err != nil {
		return errAlertAddress
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, 16<<10) // to use the connection again; what it says does not matter
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("plivo: the alert was answered with status %d", res.StatusCode)
	}
	return nil
}

var errAlertAddress = gateway.Errorf(gateway.Unavailable, "the alert's address cannot be reached")
