package operator

import (
	"net/http"
	"strings"

	"github.com/heliograph/heliograph/internal/gateway"
)

// campaign is a campaign as the operator gives it and sees it.
type campaign struct {
	ID       string  `json:"id"`
	AuthID   string  `json:"auth_id"`
	Rate     float64 `json:"rate"`      // units a second over all its numbers; 0: unlimited
	DailyCap int     `json:"daily_cap"` // units a day over all its numbers; 0: unlimited
}

// Bounds of campaigns.
const (
	maxCampaigns  = 1000 // in one call
	maxCampaignID = 64
)

// putCampaigns adds campaigns, or replaces the settings of those that are there: all of them or none.
func (a *API) putCampaigns(r *http.Request) (int, any, error) {
	var args struct {
		Campaigns []campaign `json:"campaigns"`
	}
	if err := read(r, &args); err != nil {
		return 0, nil, err
	}
	if len(args.Campaigns) == 0 || len(args.Campaigns) > maxCampaigns {
		return 0, nil, gateway.Errorf(gateway.Invalid, "campaigns must have 1 to %d entries", maxCampaigns)
	}
	campaigns := make([]gateway.Campaign, len(args.Campaigns))
	ids := make([]string, len(args.Campaigns))
	seen := make(map[string]bool, len(args.Campaigns))
	for i := range args.Campaigns {
		c := &args.Campaigns[i]
		if err := c.check(); err != nil {
			return 0, nil, err
		}
		if seen[c.ID] {
			return 0, nil, gateway.Errorf(gateway.Invalid, "campaign %s is there twice", c.ID)
		}
		seen[c.ID], ids[i] = true, c.ID
		campaigns[i] = gateway.Campaign{ID: c.ID, Account: gateway.AccountID(c.AuthID), Rate: c.Rate, DailyCap: c.DailyCap}
	}
	if err := a.Store.PutCampaigns(r.Context(), campaigns); err != nil {
		return 0, nil, err
	}
	a.Log.Info("campaigns changed", "count", len(ids), "campaigns", logged(ids))
	if err := a.tellChange(r); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]any{"message": "changed", "campaigns": ids}, nil
}

func (c *campaign) check() error {
	switch {
	case !isCampaignID(c.ID):
		return gateway.Errorf(gateway.Invalid, "id of a campaign must have 1 to %d letters, digits, \"-\" and \"_\"", maxCampaignID)
	case !gateway.AccountID(c.AuthID).Valid():
		return gateway.Errorf(gateway.Invalid, "auth_id of %s has not the form of an auth id", c.ID)
	case c.Rate < 0:
		return gateway.Errorf(gateway.Invalid, "rate of %s must be units per second, 0 for unlimited", c.ID)
	case c.DailyCap < 0:
		return gateway.Errorf(gateway.Invalid, "daily_cap of %s must not be negative", c.ID)
	}
	return nil
}

func isCampaignID(id string) bool {
	return id != "" && len(id) <= maxCampaignID && !strings.ContainsFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	})
}

func (a *API) listCampaigns(r *http.Request) (int, any, error) {
	campaigns, err := a.Store.Campaigns(r.Context())
	if err != nil {
		return 0, nil, err
	}
	views := make([]campaign, len(campaigns))
	for i, c := range campaigns {
		views[i] = campaign{ID: c.ID, AuthID: string(c.Account), Rate: c.Rate, DailyCap: c.DailyCap}
	}
	return http.StatusOK, map[string]any{"campaigns": views}, nil
}

// deleteCampaign removes a campaign; its numbers then belong to none.
func (a *API) deleteCampaign(r *http.Request) (int, any, error) {
	id := r.PathValue("id")
	if err := a.Store.DeleteCampaign(r.Context(), id, a.Now()); err != nil {
		return 0, nil, err
	}
	a.Log.Info("campaign deleted", "campaign", id)
	if err := a.tellChange(r); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]string{"message": "deleted"}, nil
}
