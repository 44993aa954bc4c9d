package plivo

import (
	"net/http"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// subaccount is a subaccount as the contract shows it to its main account, in lists.
type subaccount struct {
	AuthID       string  `json:"auth_id"`
	AuthToken    string  `json:"auth_token"`
	NewAuthToken string  `json:"new_auth_token"`
	Name         string  `json:"name"`
	Enabled      bool    `json:"enabled"`
	Account      string  `json:"account"`
	Created      string  `json:"created"`
	Modified     *string `json:"modified"`
	ResourceURI  string  `json:"resource_uri"`
}

// singleSubaccount is a subaccount as the contract shows it alone.
type singleSubaccount struct {
	APIID string `json:"api_id"`
	subaccount
}

// createdSubaccount is the answer to a creation.
type createdSubaccount struct {
	APIID     string `json:"api_id"`
	AuthID    string `json:"auth_id"`
	AuthToken string `json:"auth_token"`
	Message   string `json:"message"`
}

func showSubaccount(c *call, sub *gateway.Subaccount) subaccount {
	shown := subaccount{
		AuthID: string(sub.ID), AuthToken: sub.Token, NewAuthToken: sub.Token, Name: sub.Name, Enabled: sub.Enabled,
		Account: c.resource("/"), Created: day(sub.CreatedAt), ResourceURI: c.resource("/Subaccount/" + string(sub.ID) + "/"),
	}
	if !sub.ModifiedAt.IsZero() {
		modified := day(sub.ModifiedAt)
		shown.Modified = &modified
	}
	return shown
}

// day is a date as subaccounts have it.
func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func (a *API) createSubaccount(c *call) (answer, error) {
	if c.account.Parent != "" {
		return answer{}, gateway.Errorf(gateway.Invalid, "a subaccount has no subaccounts")
	}
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	change, err := readSubaccountChange(args)
	if err != nil {
		return answer{}, err
	}
	if change.Name == nil {
		return answer{}, gateway.Errorf(gateway.Invalid, "name parameter not present")
	}
	sub := a.newSubaccount(c, *change.Name)
	if change.Enabled != nil {
		sub.Enabled = *change.Enabled
	}
	if err := a.store.CreateAccount(c.context(), sub); err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, createdSubaccount{c.id.String(), string(sub.ID), sub.Token, "created"}}, nil
}

// newSubaccount makes a subaccount of the account with random credentials, switched off.
func (a *API) newSubaccount(c *call, name string) gateway.Account {
	var id [18]byte
	var token [gateway.TokenLength]byte
	a.random(id[:])
	a.random(token[:])
	return gateway.Account{
		ID: gateway.NewSubaccountID(id), Parent: c.accountID(), Name: name, Token: gateway.NewToken(token), CreatedAt: c.at,
	}
}

// readSubaccountChange reads what is to change: only what is given does.
func readSubaccountChange(args arguments) (change gateway.SubaccountChange, err error) {
	name, err := args.text("name")
	if err != nil {
		return change, err
	}
	if name = strings.TrimSpace(name); name != "" {
		if !isName(name) {
			return change, gateway.Errorf(gateway.Invalid, "name must have 1 to %d characters and no control characters", maxName)
		}
		change.Name = &name
	}
	if _, given := args.find("enabled"); given {
		enabled, err := args.boolean("enabled", false)
		if err != nil {
			return change, err
		}
		change.Enabled = &enabled
	}
	return change, nil
}

func (a *API) listSubaccounts(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	p, err := readPage(args)
	if err != nil {
		return answer{}, err
	}
	found, total, err := a.store.Subaccounts(c.context(), c.accountID(), p.limit, p.offset)
	if err != nil {
		return answer{}, err
	}
	body := list[subaccount]{c.id.String(), newMeta(c.resource("/Subaccount/"), args, p, total), make([]subaccount, len(found))}
	for i := range found {
		body.Objects[i] = showSubaccount(c, &found[i])
	}
	return answer{http.StatusOK, body}, nil
}

// subaccountID is the subaccount that the path names.
func subaccountID(c *call) gateway.AccountID { return gateway.AccountID(c.param(paramID)) }

func (a *API) getSubaccount(c *call) (answer, error) {
	sub, err := a.store.Subaccount(c.context(), c.accountID(), subaccountID(c))
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, singleSubaccount{c.id.String(), showSubaccount(c, &sub)}}, nil
}

func (a *API) updateSubaccount(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	change, err := readSubaccountChange(args)
	if err != nil {
		return answer{}, err
	}
	if err := a.store.ChangeSubaccount(c.context(), c.accountID(), subaccountID(c), change, c.at); err != nil {
		return answer{}, err
	}
	a.accounts.forget(subaccountID(c))
	return answer{http.StatusAccepted, changed{c.id.String(), "changed"}}, nil
}

func (a *API) deleteSubaccount(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	cascade, err := args.boolean("cascade", false)
	if err != nil {
		return answer{}, err
	}
	if err := a.store.RemoveSubaccount(c.context(), c.accountID(), subaccountID(c), cascade, c.at); err != nil {
		return answer{}, asInvalid(err)
	}
	a.accounts.forget(subaccountID(c))
	if err := a.tellChange(c); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}
