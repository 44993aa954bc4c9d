package operator

import (
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/heliograph/heliograph/internal/gateway"
)

// walletView is what a main account pays from. Amounts are texts, as in the account API: no decimal is lost on the way.
type walletView struct {
	Billing   string `json:"billing_mode"`
	Balance   string `json:"balance"`
	Held      string `json:"held"`      // by queued messages
	Available string `json:"available"` // the rest
}

func viewWallet(w *gateway.Wallet) *walletView {
	return &walletView{Billing: w.Billing.String(), Balance: w.Balance.String(), Held: w.Held.String(), Available: w.Available().String()}
}

// creditView is an entry of a ledger.
type creditView struct {
	ID      int64     `json:"id"`
	AuthID  string    `json:"auth_id"`
	Amount  string    `json:"amount"`
	Balance string    `json:"balance"` // then
	Note    string    `json:"note"`
	Key     string    `json:"idempotency_key,omitempty"`
	At      time.Time `json:"entered_on"`
}

func viewCredit(c *gateway.Credit) creditView {
	return creditView{
		ID: c.ID, AuthID: string(c.Account), Amount: c.Amount.String(), Balance: c.Balance.String(), Note: c.Note, Key: c.Key, At: c.At.UTC(),
	}
}

// addCredit pays into an account, or corrects its balance. With an Idempotency-Key, the same payment is made once, however often it is sent.
func (a *API) addCredit(r *http.Request) (int, any, error) {
	var args struct {
		Amount string `json:"amount"`
		Note   string `json:"note"`
	}
	if err := read(r, &args); err != nil {
		return 0, nil, err
	}
	credit := gateway.Credit{
		Account: gateway.AccountID(r.PathValue("auth_id")), Note: args.Note, Key: r.Header.Get("Idempotency-Key"), At: a.Now(),
	}
	var ok bool
	if credit.Amount, ok = gateway.ParseMoney(args.Amount); !ok || credit.Amount == 0 {
		return 0, nil, gateway.Errorf(gateway.Invalid, `amount must be a decimal in a text, such as "10.00" or "-2.5", with at most five decimals, and not zero`)
	}
	if err := errors.Join(checkText("note", credit.Note), checkText("Idempotency-Key", credit.Key)); err != nil {
		return 0, nil, err
	}
	entered, err := a.Store.AddCredit(r.Context(), credit)
	if err != nil {
		return 0, nil, err
	}
	a.Log.Info("credit entered", "account", entered.Account, "credit", entered.ID, "amount", entered.Amount.String())
	return http.StatusCreated, viewCredit(&entered), nil
}

// checkText checks what is kept in the ledger beside an amount.
func checkText(name, text string) error {
	const longest = 200
	if len(text) > longest || strings.ContainsFunc(text, unicode.IsControl) {
		return gateway.Errorf(gateway.Invalid, "%s must have at most %d bytes and no control characters", name, longest)
	}
	return nil
}

// listCredits shows an account's ledger, newest first.
func (a *API) listCredits(r *http.Request) (int, any, error) {
	query, err := params(r, "limit", "offset")
	if err != nil {
		return 0, nil, err
	}
	limit, offset, err := pageParams(query)
	if err != nil {
		return 0, nil, err
	}
	credits, total, err := a.Store.Credits(r.Context(), gateway.AccountID(r.PathValue("auth_id")), limit, offset)
	if err != nil {
		return 0, nil, err
	}
	views := make([]creditView, len(credits))
	for i := range credits {
		views[i] = viewCredit(&credits[i])
	}
	return http.StatusOK, map[string]any{"credits": views, "total": total}, nil
}
