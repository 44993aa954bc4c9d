package plivo

import (
	"context"
	"fmt"
	"net/http"

	"github.com/heliograph/heliograph/internal/gateway"
)

// noticeParameters is how many a callback about a registration has.
const noticeParameters = 12

// Render makes the request that tells an event, whatever it is about. Each attempt is rendered and signed afresh: the nonce is never used twice. An error
// of code Unavailable passes; any other is final.
func (c *Callbacks) Render(ctx context.Context, e *gateway.Event) (*http.Request, error) {
	if e.Notice == nil {
		return c.Request(ctx, e)
	}
	owner, main, err := c.owners(ctx, e.Notice.Account)
	if err != nil {
		return nil, err
	}
	params := noticeForm(e)
	req, err := newCallback(ctx, e.Notice.Callback)
	if err != nil {
		return nil, fmt.Errorf("plivo: the callback of registration %s cannot be addressed", e.Notice.Registration) // the address may hold secrets
	}
	c.sign(req, params[:], owner, main)
	addParameters(req, params[:])
	return req, nil
}

// noticeForm are the parameters of a notice, in the order of their names. All of them are always there; what does not apply is empty.
func noticeForm(e *gateway.Event) [noticeParameters]pair {
	n := e.Notice
	var brand, campaign, profile, uuid string
	switch n.Of {
	case gateway.Brand:
		brand, profile = n.Registration, n.Parent
	case gateway.RegisteredCampaign:
		campaign, brand = n.Registration, n.Parent
	case gateway.TollFreeVerification:
		uuid, profile = n.Registration, n.Parent
	}
	told := newsOf(n)
	return [noticeParameters]pair{
		{"auth_id", string(n.Account)},
		{"brand_id", brand},
		{"campaign_id", campaign},
		{"endpoint", told.endpoint},
		{"error_code", n.Code},
		{"error_reason", n.Reason},
		{"number", n.Number},
		{"profile_uuid", profile},
		{"registration_status", told.registration},
		{"status", told.status},
		{"time", instant(e.At)},
		{"uuid", uuid},
	}
}

// registrationNews is what a callback says, in the contract's words.
type registrationNews struct {
	endpoint     string // which request of the account it is about
	status       string // what became of that
	registration string // the status that the resource shows
}

func newsOf(n *gateway.Notice) registrationNews {
	approved := n.State == gateway.Approved
	switch {
	case n.Kind == gateway.UnlinkNotice:
		return registrationNews{"number_unlinking", "success", ""}
	case n.Kind == gateway.LinkNotice && approved:
		return registrationNews{"number_linking", "success", linkedStatus}
	case n.Kind == gateway.LinkNotice:
		return registrationNews{"number_linking", "failed", unlinkableStatus}
	case n.Of == gateway.TollFreeVerification:
		status := verificationStatuses[n.State]
		return registrationNews{"tollfree_verification", status, status}
	}
	status := "rejected"
	if approved {
		status = "registered"
	}
	return registrationNews{n.Of.String(), status, registrationStatuses[n.State]}
}
