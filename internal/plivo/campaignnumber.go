package plivo

import (
	"net/http"
	"strings"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/numbering"
)

// campaignNumbers are the numbers of a campaign as the contract shows them.
type campaignNumbers struct {
	APIID          string           `json:"api_id"`
	CampaignID     string           `json:"campaign_id"`
	CampaignAlias  string           `json:"campaign_alias"`
	UseCase        string           `json:"usecase"`
	Meta           *meta            `json:"meta,omitempty"` // of a list
	PhoneNumbers   []campaignNumber `json:"phone_numbers"`
	Summary        map[string]int   `json:"phone_numbers_summary"` // of all of them, by status
	NumberPoolSize int              `json:"number_pool_limit"`
}

type campaignNumber struct {
	Number string `json:"number"`
	Status string `json:"status"`
}

// What is said of a number's way into a campaign.
const (
	linkedStatus     = "COMPLETED"
	linkingStatus    = "PROCESSING"
	unlinkableStatus = "FAILED" // in callbacks only: such a number is not in the campaign
)

// linkStatus says how far a number is on its way into its campaign; "" when it goes into none.
func linkStatus(n *gateway.Number) string {
	switch {
	case n.Campaign != "":
		return linkedStatus
	case n.Linking != "":
		return linkingStatus
	}
	return ""
}

func (a *API) linkNumbers(c *call) (answer, error) {
	r, err := a.theCampaign(c)
	if err != nil {
		return answer{}, err
	}
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	numbers, err := args.texts("numbers", cutCommas)
	if err != nil {
		return answer{}, err
	}
	if len(numbers) == 0 {
		return answer{}, missing("numbers")
	}
	for i, number := range numbers {
		numbers[i] = numbering.SanitizeSource(number)
	}
	var hook gateway.Callback
	if err := readStatusHook(args, "url", "method", &hook); err != nil {
		return answer{}, err
	}
	if err := a.store.LinkNumbers(c.context(), c.accountID(), r.ID, numbers, hook, c.at); err != nil {
		return answer{}, asInvalid(err)
	}
	if err := a.tellChange(c); err != nil {
		return answer{}, err
	}
	text := "Request to link " + strings.Join(numbers, ", ") + " to campaign " + r.ID + " was received and is being processed"
	return answer{http.StatusAccepted, changed{c.id.String(), text}}, nil
}

func (a *API) unlinkNumber(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	var hook gateway.Callback
	if err := readStatusHook(args, "url", "method", &hook); err != nil {
		return answer{}, err
	}
	id, number := c.param(paramRegistered), numbering.SanitizeSource(c.param(paramLinked))
	if err := a.store.UnlinkNumber(c.context(), c.accountID(), id, number, hook, c.at); err != nil {
		return answer{}, err
	}
	if err := a.tellChange(c); err != nil {
		return answer{}, err
	}
	text := "Request to unlink " + number + " from campaign " + id + " was received and is being processed"
	return answer{http.StatusOK, changed{c.id.String(), text}}, nil
}

func (a *API) listCampaignNumbers(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	p, err := readPage(args)
	if err != nil {
		return answer{}, err
	}
	body, err := a.numbersOfCampaign(c)
	if err != nil {
		return answer{}, err
	}
	filter := gateway.NumberFilter{Account: c.accountID(), Campaign: body.CampaignID, Limit: p.limit, Offset: p.offset}
	found, total, err := a.store.Numbers(c.context(), filter)
	if err != nil {
		return answer{}, err
	}
	for i := range found {
		body.PhoneNumbers = append(body.PhoneNumbers, campaignNumber{found[i].Number, linkStatus(&found[i])})
	}
	m := newMeta(c.resource("/10dlc/Campaign/"+body.CampaignID+"/Number/"), args, p, total)
	body.Meta = &m
	return answer{http.StatusOK, body}, nil
}

// numbersOfCampaign is what is shown with numbers of the campaign that the path names.
func (a *API) numbersOfCampaign(c *call) (body campaignNumbers, err error) {
	r, err := a.theCampaign(c)
	if err != nil {
		return body, err
	}
	told, err := details[campaignDetails](&r)
	if err != nil {
		return body, err
	}
	body = campaignNumbers{
		APIID: c.id.String(), CampaignID: r.ID, CampaignAlias: told.CampaignAlias, UseCase: told.UseCase,
		PhoneNumbers: []campaignNumber{}, Summary: map[string]int{}, NumberPoolSize: gateway.MaxLinked,
	}
	for status, linked := range map[string]bool{linkedStatus: true, linkingStatus: false} {
		_, count, err := a.store.Numbers(c.context(), gateway.NumberFilter{Account: c.accountID(), Campaign: r.ID, Linked: &linked, Limit: 1})
		if err != nil {
			return body, err
		}
		if count > 0 {
			body.Summary[status] = count
		}
	}
	return body, nil
}

func (a *API) getCampaignNumber(c *call) (answer, error) {
	body, err := a.numbersOfCampaign(c)
	if err != nil {
		return answer{}, err
	}
	n, err := a.store.Number(c.context(), c.accountID(), numbering.SanitizeSource(c.param(paramLinked)))
	if err != nil {
		return answer{}, err
	}
	if n.Campaign != body.CampaignID && n.Linking != body.CampaignID {
		return answer{}, errNotFound
	}
	body.PhoneNumbers = append(body.PhoneNumbers, campaignNumber{n.Number, linkStatus(&n)})
	return answer{http.StatusOK, body}, nil
}
