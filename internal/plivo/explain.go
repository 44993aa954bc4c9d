package plivo

import (
	"net/http"
	"strings"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mt"
	"github.com/heliograph/heliograph/internal/numbering"
)

// explainedSender is a sender of a powerpack, as an explanation shows it.
type explainedSender struct {
	Number            string `json:"number"`
	Type              string `json:"type"`
	Reason            string `json:"reason"` // why it is taken, or not
	EstimatedSendTime string `json:"estimated_send_time"`
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
	dst, err := args.text("dst")
	if err != nil {
		return answer{}, err
	}
	to, ok := numbering.Destination(numbering.Sanitize(dst))
	if !ok {
		return answer{}, gateway.Errorf(gateway.Invalid, "'%s' is not a valid phone number.", shortened(numbering.Sanitize(dst)))
	}
	name, err := args.text("type")
	if err != nil {
		return answer{}, err
	}
	service := gateway.SMS
	if name != "" {
		if service, ok = gateway.ParseService(strings.ToLower(name)); !ok {
			return answer{}, gateway.Errorf(gateway.Invalid, "type must be sms or mms")
		}
	}
	found, err := a.explain(c.context(), c.accountID(), pack.ID, to, service)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, showExplanation(c, to.Number, service, &found)}, nil
}

func showExplanation(c *call, to string, service gateway.Service, found *mt.Explanation) explanation {
	e := explanation{
		APIID: c.id.String(), Dst: to, Type: service.String(), Sticky: found.Habit, Senders: found.Senders,
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
	return &explainedSender{s.Number.Number, s.Number.Type.String(), reason, stamp(s.SendAt)}
}
