package plivo

import (
	"net/http"
	"strings"

	"github.com/heliograph/heliograph/internal/gateway"
)

// accountDetails is an account as the contract shows it.
type accountDetails struct {
	APIID        string `json:"api_id"`
	AuthID       string `json:"auth_id"`
	Name         string `json:"name"`
	AccountType  string `json:"account_type"`
	BillingMode  string `json:"billing_mode"`
	AutoRecharge bool   `json:"auto_recharge"`
	CashCredits  string `json:"cash_credits"`
	Address      string `json:"address"`
	City         string `json:"city"`
	State        string `json:"state"`
	Timezone     string `json:"timezone"`
	ResourceURI  string `json:"resource_uri"`
}

// defaultTimezone is that of accounts which never said theirs: all times of the API are in it.
const defaultTimezone = "UTC"

func (a *API) getAccount(c *call) (answer, error) {
	p, err := a.store.Profile(c.context(), c.accountID())
	if err != nil {
		return answer{}, err
	}
	wallet, err := a.store.Wallet(c.context(), c.accountID())
	if err != nil {
		return answer{}, err
	}
	if p.Timezone == "" {
		p.Timezone = defaultTimezone
	}
	return answer{http.StatusOK, accountDetails{
		APIID: c.id.String(), AuthID: string(c.accountID()), Name: p.Name,
		AccountType: "standard", BillingMode: wallet.Billing.String(), CashCredits: wallet.Available().String(),
		Address: p.Address, City: p.City, State: p.State, Timezone: p.Timezone, ResourceURI: c.resource("/"),
	}}, nil
}

func (a *API) updateAccount(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	var change gateway.ProfileChange
	for _, field := range [...]struct {
		name string
		to   **string
	}{
		{"name", &change.Name}, {"address", &change.Address}, {"city", &change.City}, {"state", &change.State}, {"timezone", &change.Timezone},
	} {
		if *field.to, err = readProfileText(args, field.name); err != nil {
			return answer{}, err
		}
	}
	if change.Name != nil && *change.Name == "" {
		return answer{}, gateway.Errorf(gateway.Invalid, "name must not be empty")
	}
	if err := a.store.ChangeProfile(c.context(), c.accountID(), change); err != nil {
		return answer{}, err
	}
	a.accounts.forget(c.accountID())
	return answer{http.StatusAccepted, changed{c.id.String(), "changed"}}, nil
}

// readProfileText reads one text of a profile: nil when it is not to change.
func readProfileText(args arguments, name string) (*string, error) {
	text, err := args.given(name)
	if err != nil || text == nil {
		return nil, err
	}
	if *text = strings.TrimSpace(*text); *text != "" && !isName(*text) {
		return nil, gateway.Errorf(gateway.Invalid, "%s must have at most %d characters and no control characters", name, maxName)
	}
	return text, nil
}
