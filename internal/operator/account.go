package operator

import (
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/heliograph/heliograph/internal/gateway"
)

type accountView struct {
	AuthID    string    `json:"auth_id"`
	Parent    string    `json:"parent_auth_id,omitempty"`
	Name      string    `json:"name"`
	Enabled   bool      `json:"enabled"`
	CreatedAt time.Time `json:"created_on"`
}

// createAccount makes a main account with new credentials. They are shown once.
func (a *API) createAccount(r *http.Request) (int, any, error) {
	var args struct {
		Name string `json:"name"`
	}
	if err := read(r, &args); err != nil {
		return 0, nil, err
	}
	const longest = 100
	if args.Name == "" || len(args.Name) > longest || strings.ContainsFunc(args.Name, unicode.IsControl) {
		return 0, nil, gateway.Errorf(gateway.Invalid, "name must have 1 to %d bytes and no control characters", longest)
	}
	account := NewAccount(args.Name, a.Random, a.Now())
	if err := a.Store.CreateAccount(r.Context(), account); err != nil {
		return 0, nil, err
	}
	a.Log.Info("account created", "account", account.ID)
	return http.StatusCreated, map[string]string{"auth_id": string(account.ID), "auth_token": account.Token, "name": account.Name}, nil
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
	for i, account := range accounts {
		views[i] = accountView{
			AuthID: string(account.ID), Parent: string(account.Parent), Name: account.Name,
			Enabled: account.Enabled, CreatedAt: account.CreatedAt.UTC(),
		}
	}
	return http.StatusOK, map[string]any{"accounts": views}, nil
}
