package operator

import (
	"net/http"
	"time"
)

// Bind is one connection to a carrier, as the operator sees it.
type Bind struct {
	Name      string    `json:"name"`
	State     string    `json:"state"` // what it is doing: bound, connecting, …
	Since     time.Time `json:"since"`
	Window    int       `json:"window"`
	InUse     int       `json:"window_in_use"`
	LastError string    `json:"last_error,omitempty"`
}

type carrierView struct {
	Name       string  `json:"name"`
	Paused     bool    `json:"paused"`
	Places     int     `json:"places"` // parts that may be outstanding at once; 0: down
	InFlight   int     `json:"in_flight"`
	Unrecorded int     `json:"unrecorded"`
	Lanes      int     `json:"lanes"`
	SlowedTo   float64 `json:"slowed_to"` // parts a second, 0: not slowed
	Submitted  int64   `json:"submitted"`
	Accepted   int64   `json:"accepted"`
	Rejected   int64   `json:"rejected"`
	Throttled  int64   `json:"throttled"`
	Deferred   int64   `json:"deferred"`
	Unanswered int64   `json:"unanswered"`
	NotSent    int64   `json:"not_sent"`
	Receipted  int64   `json:"receipted"`
	Binds      []Bind  `json:"binds"`
}

// listCarriers shows every carrier: its line in the queue and its connections.
func (a *API) listCarriers(*http.Request) (int, any, error) {
	states := a.Queue.Carriers()
	views := make([]carrierView, len(states))
	for i, s := range states {
		views[i] = carrierView{
			Name: s.Name, Paused: s.Paused, Places: s.Places, InFlight: s.InFlight, Unrecorded: s.Unrecorded, Lanes: s.Lanes,
			SlowedTo: s.Brake, Submitted: s.Submitted, Accepted: s.Accepted, Rejected: s.Rejected, Throttled: s.Throttled,
			Deferred: s.Deferred, Unanswered: s.Unanswered, NotSent: s.NotSent, Receipted: a.Receipted(s.Name), Binds: a.Binds(s.Name),
		}
		if views[i].Binds == nil {
			views[i].Binds = []Bind{}
		}
	}
	return http.StatusOK, map[string]any{"carriers": views}, nil
}

func (a *API) pauseCarrier(r *http.Request) (int, any, error) {
	name := r.PathValue("name")
	if err := a.Queue.Pause(name); err != nil {
		return 0, nil, err
	}
	a.Log.Info("carrier paused", "carrier", name)
	return http.StatusOK, map[string]string{"message": "paused"}, nil
}

func (a *API) resumeCarrier(r *http.Request) (int, any, error) {
	name := r.PathValue("name")
	if err := a.Queue.Resume(name); err != nil {
		return 0, nil, err
	}
	a.Log.Info("carrier resumed", "carrier", name)
	return http.StatusOK, map[string]string{"message": "resumed"}, nil
}
