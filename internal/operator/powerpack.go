package operator

import (
	"cmp"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mt"
	"github.com/heliograph/heliograph/internal/numbering"
)

// powerpackView is a powerpack with its settings, under the names that its account knows them by.
type powerpackView struct {
	UUID            string         `json:"uuid"`
	AuthID          string         `json:"auth_id"`
	Name            string         `json:"name"`
	Sticky          bool           `json:"sticky_sender"`
	LocalConnect    bool           `json:"local_connect"`
	Priorities      []priorityView `json:"number_priority"` // empty: the default order everywhere
	Patience        int            `json:"patience"`        // in seconds, as it applies
	Refresh         bool           `json:"number_pool_refresh"`
	ApplicationType string         `json:"application_type"`
	ApplicationID   string         `json:"application_id"`
	Pool            string         `json:"number_pool_uuid"`
	Senders         int            `json:"senders"` // in the pool
	CreatedAt       time.Time      `json:"created_on"`
}

// priorityView is an order of sender types for a service and a country.
type priorityView struct {
	Service string   `json:"service_type"`
	Country string   `json:"country_iso2"`
	Order   []string `json:"order"` // types that are not named are not used
}

func viewPowerpack(p *gateway.Powerpack, senders int) powerpackView {
	view := powerpackView{
		UUID: p.ID.String(), AuthID: string(p.Account), Name: p.Name, Sticky: p.Sticky, LocalConnect: p.LocalConnect,
		Priorities: make([]priorityView, len(p.Priorities)), Patience: int(cmp.Or(p.Patience, gateway.DefaultPatience) / time.Second), Refresh: p.Refresh,
		ApplicationType: p.ApplicationType, ApplicationID: p.ApplicationID, Pool: p.Pool.String(), Senders: senders, CreatedAt: p.CreatedAt.UTC(),
	}
	for i, priority := range p.Priorities {
		view.Priorities[i] = priorityView{Service: priority.Service.String(), Country: priority.Country, Order: []string{}}
		for _, t := range priority.Order {
			if t != 0 {
				view.Priorities[i].Order = append(view.Priorities[i].Order, t.String())
			}
		}
	}
	return view
}

// listPowerpacks shows powerpacks, the newest first.
func (a *API) listPowerpacks(r *http.Request) (int, any, error) {
	query, err := params(r, "auth_id", "limit", "offset")
	if err != nil {
		return 0, nil, err
	}
	account, err := accountParam(query)
	if err != nil {
		return 0, nil, err
	}
	limit, offset, err := pageParams(query)
	if err != nil {
		return 0, nil, err
	}
	packs, total, err := a.Store.AllPowerpacks(r.Context(), account, limit, offset)
	if err != nil {
		return 0, nil, err
	}
	views := make([]powerpackView, len(packs))
	for i := range packs {
		_, senders, err := a.Store.Numbers(r.Context(), gateway.NumberFilter{Pool: packs[i].Pool, Limit: 1})
		if err != nil {
			return 0, nil, err
		}
		views[i] = viewPowerpack(&packs[i], senders)
	}
	return http.StatusOK, map[string]any{"powerpacks": views, "total": total}, nil
}

// senderView is a sender of a powerpack as it is now: what it may send, and how it does.
type senderView struct {
	Number      string     `json:"number"`
	Type        string     `json:"type"`
	Country     string     `json:"country_iso2"`
	Carrier     string     `json:"carrier"`
	Campaign    string     `json:"campaign"`
	RateApplied float64    `json:"effective_rate"`      // units a second; 0: unlimited
	CapApplied  int        `json:"effective_daily_cap"` // units a day; 0: none
	Paused      bool       `json:"paused"`
	Units       int        `json:"queued_units"` // that wait for it
	FreeAt      *time.Time `json:"free_at"`      // when a message queued now would leave; null: not before something is changed
	healthView
}

// healthView is how well what a sender sends to a country arrives.
type healthView struct {
	Health     string     `json:"health"`           // well, resting or probing
	Delivered  *float64   `json:"delivery_rate"`    // of the last messages, from 0 to 1; null: there are none
	Samples    int        `json:"delivery_samples"` // how many these are
	RestsUntil *time.Time `json:"rests_until"`
}

func viewSender(c *mt.Candidate) senderView {
	n := c.Number
	return senderView{
		Number: n.Number, Type: n.Type.String(), Country: n.Country, Carrier: n.Carrier, Campaign: n.Campaign, RateApplied: n.Limit().Rate,
		CapApplied: n.Cap(), Paused: n.Paused, Units: c.QueuedUnits, FreeAt: moment(c.SendAt), healthView: viewHealth(&c.Health),
	}
}

func viewHealth(h *mt.SenderHealth) healthView {
	view := healthView{Health: cmp.Or(h.Standing, gateway.Well.String()), Samples: h.Ended, RestsUntil: moment(h.RestsUntil)}
	if h.Ended > 0 {
		rate := math.Round(float64(h.Delivered)/float64(h.Ended)*1e4) / 1e4
		view.Delivered = &rate
	}
	return view
}

// fallbackCountry is the destination where nothing says which: that of an empty pool, or of one whose senders are at home nowhere.
const fallbackCountry = "US"

// showPowerpack shows a powerpack with its senders, in the order in which they would be taken for a message to a country.
func (a *API) showPowerpack(r *http.Request) (int, any, error) {
	query, err := params(r, "country_iso2", "type")
	if err != nil {
		return 0, nil, err
	}
	pack, err := a.findPowerpack(r)
	if err != nil {
		return 0, nil, err
	}
	first, senders, err := a.Store.Numbers(r.Context(), gateway.NumberFilter{Pool: pack.Pool, Limit: 1})
	if err != nil {
		return 0, nil, err
	}
	q := mt.Question{Account: pack.Account, Powerpack: pack.ID}
	if q.Service, err = serviceParam(query); err != nil {
		return 0, nil, err
	}
	q.To.Country = strings.ToUpper(query.Get("country_iso2"))
	if q.To.Country == "" && len(first) > 0 {
		q.To.Country = first[0].Country
	}
	q.To.Country = cmp.Or(q.To.Country, fallbackCountry)
	if len(q.To.Country) != 2 {
		return 0, nil, gateway.Errorf(gateway.Invalid, "country_iso2 must be a country's two letters")
	}
	found, err := a.Explain(r.Context(), q)
	if err != nil {
		return 0, nil, err
	}
	numbers := make([]senderView, 0, len(found.Others)+1)
	if found.Rule != gateway.NoRule {
		numbers = append(numbers, viewSender(&found.Taken))
	}
	for i := range found.Others {
		numbers = append(numbers, viewSender(&found.Others[i]))
	}
	answer := struct {
		powerpackView
		ToCountry string       `json:"destination_country_iso2"`
		Service   string       `json:"type"`
		Numbers   []senderView `json:"numbers"`
	}{viewPowerpack(&pack, senders), q.To.Country, q.Service.String(), numbers}
	return http.StatusOK, answer, nil
}

// candidateView is a sender of a powerpack, and why it is taken or not.
type candidateView struct {
	Reason string `json:"reason"`
	senderView
}

// failures are why nobody would be taken.
var failures = map[gateway.Reason]string{
	gateway.Expired:       "no sender is free before the message expires",
	gateway.InvalidSource: "no sender of the powerpack can carry the message",
	gateway.OptedOut:      "the person has opted out of the sender",
}

// explainPowerpack tells which sender would be taken for a destination now, and why not the others. It changes nothing.
func (a *API) explainPowerpack(r *http.Request) (int, any, error) {
	query, err := params(r, "dst", "type", "message_expiry")
	if err != nil {
		return 0, nil, err
	}
	pack, err := a.findPowerpack(r)
	if err != nil {
		return 0, nil, err
	}
	q := mt.Question{Account: pack.Account, Powerpack: pack.ID}
	var ok bool
	if q.To, ok = numbering.Destination(numbering.Sanitize(query.Get("dst"))); !ok {
		return 0, nil, gateway.Errorf(gateway.Invalid, "dst must be a phone number with its country code")
	}
	if q.Service, err = serviceParam(query); err != nil {
		return 0, nil, err
	}
	seconds, err := intParam(query, "message_expiry", int(gateway.DefaultExpiry/time.Second), int(gateway.MinExpiry/time.Second), int(gateway.DefaultExpiry/time.Second))
	if err != nil {
		return 0, nil, err
	}
	q.Expiry = time.Duration(seconds) * time.Second
	found, err := a.Explain(r.Context(), q)
	if err != nil {
		return 0, nil, err
	}
	answer := struct {
		Dst     string          `json:"dst"`
		Country string          `json:"destination_country_iso2"`
		Service string          `json:"type"`
		Taken   *candidateView  `json:"sender"`        // null: nobody would be taken, and failure says why
		Failure string          `json:"failure"`       // empty while somebody is
		Sticky  string          `json:"sticky_sender"` // the sender that the destination is used to
		Senders int             `json:"senders"`       // in the pool
		Others  []candidateView `json:"others"`        // in the order in which they would be taken, at most 100
	}{
		Dst: q.To.Number, Country: q.To.Country, Service: q.Service.String(), Sticky: found.Habit, Senders: found.Senders,
		Others: make([]candidateView, len(found.Others)), Failure: failures[found.Reason],
	}
	if found.Rule != gateway.NoRule {
		answer.Taken = &candidateView{found.Rule.String(), viewSender(&found.Taken)}
	}
	for i := range found.Others {
		answer.Others[i] = candidateView{found.Others[i].Verdict.String(), viewSender(&found.Others[i])}
	}
	return http.StatusOK, answer, nil
}

func (a *API) findPowerpack(r *http.Request) (gateway.Powerpack, error) {
	id, err := pathID(r)
	if err != nil {
		return gateway.Powerpack{}, err
	}
	return a.Store.AnyPowerpack(r.Context(), id)
}

// serviceParam reads what a message is carried as; an SMS when nothing is said.
func serviceParam(query url.Values) (gateway.Service, error) {
	name := strings.ToLower(query.Get("type"))
	s, ok := gateway.ParseService(cmp.Or(name, gateway.SMS.String()))
	if !ok {
		return 0, gateway.Errorf(gateway.Invalid, "type must be sms or mms")
	}
	return s, nil
}
