package operator

import (
	"net/http"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mt"
	"github.com/heliograph/heliograph/internal/numbering"
)

// queueView is a lane: what an account sends from a sender to a carrier.
type queueView struct {
	AuthID    string     `json:"auth_id"`
	Sender    string     `json:"sender"`
	Carrier   string     `json:"carrier"`
	Messages  int        `json:"messages"`
	Units     int        `json:"queued_units"`
	FreeAt    *time.Time `json:"free_at"` // when a message queued now would leave; null: not before something is changed
	Oldest    *time.Time `json:"oldest"`  // when the message at the head was accepted; null: it waits in the store
	Rate      float64    `json:"rate"`
	DailyCap  int        `json:"daily_cap"`
	SentToday int        `json:"sent_today"` // units of the sender that count against its cap
	Campaign  string     `json:"campaign"`
	Paused    bool       `json:"paused"`
}

// scopeView is a rate or a cap that several senders share.
type scopeView struct {
	Kind      string     `json:"kind"` // account, campaign
	Name      string     `json:"name"`
	Rate      float64    `json:"rate"`
	DailyCap  int        `json:"daily_cap"`
	SentToday int        `json:"sent_today"`
	Units     int        `json:"queued_units"`
	FreeAt    *time.Time `json:"free_at"` // when it would let a message queued now leave; null: not before something is changed
}

// listQueues shows the longest queues first, and what they share.
func (a *API) listQueues(r *http.Request) (int, any, error) {
	query, err := params(r, "limit", "auth_id", "sender")
	if err != nil {
		return 0, nil, err
	}
	filter := mt.QueueFilter{Sender: numbering.SanitizeSource(query.Get("sender"))}
	if filter.Sender == "" && query.Get("sender") != "" {
		return 0, nil, gateway.Errorf(gateway.Invalid, "sender is no number, short code or alphanumeric sender")
	}
	if filter.Limit, err = intParam(query, "limit", 100, 1, 10_000); err != nil {
		return 0, nil, err
	}
	if filter.Account, err = accountParam(query); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]any{"queues": viewQueues(a.Queue.Queues(filter)), "scopes": viewScopes(a.Queue.Scopes())}, nil
}

func viewQueues(states []mt.QueueState) []queueView {
	views := make([]queueView, len(states))
	for i, s := range states {
		views[i] = queueView{
			AuthID: string(s.Account), Sender: s.Sender, Carrier: s.Carrier, Messages: s.Messages, Units: s.Units, FreeAt: moment(s.FreeAt),
			Oldest: moment(s.Oldest), Rate: s.Rate, DailyCap: s.DailyCap, SentToday: s.SentToday, Campaign: s.Campaign, Paused: s.Paused,
		}
	}
	return views
}

func viewScopes(states []mt.ScopeState) []scopeView {
	views := make([]scopeView, len(states))
	for i, s := range states {
		views[i] = scopeView{
			Kind: s.Kind, Name: s.Name, Rate: s.Rate, DailyCap: s.DailyCap, SentToday: s.SentToday, Units: s.Units, FreeAt: moment(s.FreeAt),
		}
	}
	return views
}
