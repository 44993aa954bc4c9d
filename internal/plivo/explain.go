package plivo

import (
	"cmp"
	"math"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mt"
	"github.com/heliograph/heliograph/internal/numbering"
	"github.com/heliograph/heliograph/internal/tpdu"
)

// explainedSender is a sender of a powerpack, as an explanation shows it.
type explainedSender struct {
	Number            string   `json:"number"`
	Type              string   `json:"type"`
	Reason            string   `json:"reason"`              // why it is taken, or not
	EstimatedSendTime *string  `json:"estimated_send_time"` // null: not before something is changed
	QueuedUnits       int      `json:"queued_units"`        // that wait for it
	CampaignID        string   `json:"campaign_id"`         // whose rate and cap it shares; empty: none
	DeliveryRate      *float64 `json:"delivery_rate"`       // of the last messages, from 0 to 1; null: there are none
	DeliverySamples   int      `json:"delivery_samples"`    // how many these are
	Health            string   `json:"health"`              // well, resting or probing
	RestsUntil        *string  `json:"rests_until"`
}

// explanation says which sender a powerpack would take now, and why not the others. It is an addition of ours to the contract.
type explanation struct {
	APIID   string            `json:"api_id"`
	Dst     string            `json:"dst"`
	Type    string            `json:"type"`
	Taken   *explainedSender  `json:"sender"`        // null: none, and error_code says how a message would fail
	Code    *string           `json:"error_code"`    // null while there is a sender
	Text    string            `json:"error_message"` //
	Sticky  string            `json:"sticky_sender"` // the sender that the destination is used to
	Senders int               `json:"senders"`       // in the pool
	Others  []explainedSender `json:"others"`        // nearest first, at most 100
}

// explainPowerpack answers which sender would be taken for a destination. It changes nothing.
func (a *API) explainPowerpack(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	pack, err := a.powerpackOf(c)
	if err != nil {
		return answer{}, err
	}
	q, err := readQuestion(args)
	if err != nil {
		return answer{}, err
	}
	q.Account, q.Powerpack = c.accountID(), pack.ID
	found, err := a.explain(c.context(), q)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, showExplanation(c, &q, &found)}, nil
}

// readQuestion reads what message a sender is wanted for.
func readQuestion(args arguments) (q mt.Question, err error) {
	dst, err := args.text("dst")
	if err != nil {
		return q, err
	}
	var ok bool
	if q.To, ok = numbering.Destination(numbering.Sanitize(dst)); !ok {
		return q, gateway.Errorf(gateway.Invalid, "'%s' is not a valid phone number.", shortened(numbering.Sanitize(dst)))
	}
	name, err := args.text("type")
	if err != nil {
		return q, err
	}
	q.Service = gateway.SMS
	if name != "" {
		if q.Service, ok = gateway.ParseService(strings.ToLower(name)); !ok {
			return q, gateway.Errorf(gateway.Invalid, "type must be sms or mms")
		}
	}
	text, err := args.text("text")
	if err != nil {
		return q, err
	}
	if q.Service == gateway.SMS && text != "" {
		if !utf8.ValidString(text) {
			return q, gateway.Errorf(gateway.Invalid, "text is not UTF-8")
		}
		_, q.Units = tpdu.Count(text)
	}
	q.Expiry, err = readExpiry(args)
	return q, err
}

func showExplanation(c *call, q *mt.Question, found *mt.Explanation) explanation {
	e := explanation{
		APIID: c.id.String(), Dst: q.To.Number, Type: q.Service.String(), Sticky: found.Habit, Senders: found.Senders,
		Others: make([]explainedSender, len(found.Others)),
	}
	if found.Rule == gateway.NoRule {
		code := codeOf(gateway.Failed, found.Reason)
		e.Code, e.Text = &code.code, code.text
	} else {
		e.Taken = showSender(&found.Taken, found.Rule.String())
	}
	for i := range found.Others {
		e.Others[i] = *showSender(&found.Others[i], found.Others[i].Verdict.String())
	}
	return e
}

func showSender(s *mt.Candidate, reason string) *explainedSender {
	shown := &explainedSender{
		Number: s.Number.Number, Type: s.Number.Type.String(), Reason: reason, EstimatedSendTime: stampOrNull(s.SendAt), QueuedUnits: s.QueuedUnits,
		CampaignID: s.Number.Campaign, DeliverySamples: s.Health.Ended, Health: cmp.Or(s.Health.Standing, "well"),
		RestsUntil: stampOrNull(s.Health.RestsUntil),
	}
	if s.Health.Ended > 0 {
		rate := math.Round(float64(s.Health.Delivered)/float64(s.Health.Ended)*1e4) / 1e4
		shown.DeliveryRate = &rate
	}
	return shown
}

func stampOrNull(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := stamp(t)
	return &text
}
