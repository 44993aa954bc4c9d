package operator

import (
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/heliograph/heliograph/internal/gateway"
)

// accountView is an account as the operator sees it: without its token.
type accountView struct {
	AuthID      string    `json:"auth_id"`
	Parent      string    `json:"parent_auth_id,omitempty"`
	Name        string    `json:"name"`
	Enabled     bool      `json:"enabled"`
	Rate        float64   `json:"rate"` // units a second over all its senders; 0: unlimited
	CreatedAt   time.Time `json:"created_on"`
	*walletView           // of a main account
}

func viewAccount(account *gateway.Account) accountView {
	view := accountView{
		AuthID: string(account.ID), Parent: string(account.Parent), Name: account.Name, Enabled: account.Enabled, Rate: account.Rate,
		CreatedAt: account.CreatedAt.UTC(),
	}
	if account.Parent == "" {
		view.walletView = viewWallet(&account.Wallet)
	}
	return view
}

// readBilling reads a billing_mode; nil when none was given.
func readBilling(text *string) (*gateway.Billing, error) {
	if text == nil {
		return nil, nil
	}
	billing, ok := gateway.ParseBilling(*text)
	if !ok {
		return nil, gateway.Errorf(gateway.Invalid, "billing_mode must be prepaid or postpaid")
	}
	return &billing, nil
}

// createAccount makes a main account with new credentials. They are shown once.
func (a *API) createAccount(r *http.Request) (int, any, error) {
	var args struct {
		Name    string  `json:"name"`
		Rate    float64 `json:"rate"`
		Billing *string `json:"billing_mode"`
	}
	if err := read(r, &args); err != nil {
		return 0, nil, err
	}
	billing, err := readBilling(args.Billing)
	if err != nil {
		return 0, nil, err
	}
	account := NewAccount(args.Name, a.Random, a.Now())
	account.Rate = args.Rate
	if billing != nil {
		account.Wallet.Billing = *billing
	}
	if err := checkAccount(gateway.AccountChange{Name: &account.Name, Rate: &account.Rate}); err != nil {
		return 0, nil, err
	}
	if err := a.Store.CreateAccount(r.Context(), account); err != nil {
		return 0, nil, err
	}
	a.Log.Info("account created", "account", account.ID)
	answer := createdAccount{AuthID: string(account.ID), Token: account.Token, Name: account.Name, Rate: account.Rate, Billing: account.Wallet.Billing.String()}
	if err := a.tellChange(r); err != nil { // the token is not shown again, so this is no refusal
		answer.Warning = err.Error()
	}
	return http.StatusCreated, answer, nil
}

// createdAccount is a new account with its credentials.
type createdAccount struct {
	AuthID  string  `json:"auth_id"`
	Token   string  `json:"auth_token"`
	Name    string  `json:"name"`
	Rate    float64 `json:"rate"`
	Billing string  `json:"billing_mode"`
	Warning string  `json:"warning,omitempty"`
}

// checkAccount checks what is to be set of an account.
func checkAccount(change gateway.AccountChange) error {
	const longest = 100
	if name := change.Name; name != nil && (*name == "" || len(*name) > longest || strings.ContainsFunc(*name, unicode.IsControl)) {
		return gateway.Errorf(gateway.Invalid, "name must have 1 to %d bytes and no control characters", longest)
	}
	if change.Rate != nil && *change.Rate < 0 {
		return gateway.Errorf(gateway.Invalid, "rate must be units per second, 0 for unlimited")
	}
	return nil
}

// NewAccount makes a main account with random credentials.
func NewAccount(name string, random func([]byte), now time.Time) gateway.Account {
	var id [18]byte
	var token [gateway.TokenLength]byte
	random(id[:])
	random(token[:])
	return gateway.Account{ID: gateway.NewAccountID(id), Name: name, Token: gateway.NewToken(token), Enabled: true, CreatedAt: now}
}

func (a *API) listAccounts(r *http.Request) (int, any, error) {
	accounts, err := a.Store.Accounts(r.Context())
	if err != nil {
		return 0, nil, err
	}
	views := make([]accountView, len(accounts))
	for i := range accounts {
		views[i] = viewAccount(&accounts[i])
	}
	return http.StatusOK, map[string]any{"accounts": views}, nil
}

func (a *API) showAccount(r *http.Request) (int, any, error) {
	accounts, err := a.Store.Accounts(r.Context())
	if err != nil {
		return 0, nil, err
	}
	id := gateway.AccountID(r.PathValue("auth_id"))
	for i := range accounts {
		if accounts[i].ID == id {
			return http.StatusOK, viewAccount(&accounts[i]), nil
		}
	}
	return 0, nil, gateway.Errorf(gateway.NotFound, "not found")
}

// changeAccount changes what is given of an account.
func (a *API) changeAccount(r *http.Request) (int, any, error) {
	var args struct {
		Name    *string  `json:"name"`
		Enabled *bool    `json:"enabled"`
		Rate    *float64 `json:"rate"`
		Billing *string  `json:"billing_mode"`
	}
	if err := read(r, &args); err != nil {
		return 0, nil, err
	}
	billing, err := readBilling(args.Billing)
	if err != nil {
		return 0, nil, err
	}
	change := gateway.AccountChange{Name: args.Name, Enabled: args.Enabled, Rate: args.Rate, Billing: billing}
	if err := checkAccount(change); err != nil {
		return 0, nil, err
	}
	account, err := a.Store.ChangeAccount(r.Context(), gateway.AccountID(r.PathValue("auth_id")), change)
	if err != nil {
		return 0, nil, err
	}
	a.Log.Info("account changed", "account", account.ID)
	if err := a.tellChange(r); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, viewAccount(&account), nil
}
