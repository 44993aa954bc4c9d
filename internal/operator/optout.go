package operator

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/numbering"
)

// maxOptOuts bounds one call that changes opt-outs, the lines of an import included: it is all or nothing.
const maxOptOuts = 200_000

// optOutView is an opt-out that stands. It holds the whole number: whoever has to show that somebody's word was kept needs it.
type optOutView struct {
	AuthID  string    `json:"auth_id"`
	Source  string    `json:"source"` // a sender, or a 10DLC campaign: all of its numbers
	Number  string    `json:"number"` // of the person
	At      time.Time `json:"opted_out_on"`
	Origin  string    `json:"origin"`  // keyword, account or operator
	Keyword string    `json:"keyword"` // that was sent; empty: none was
}

func viewOptOut(o *gateway.OptOut) optOutView {
	return optOutView{string(o.Account), o.Source, o.Person, o.At.UTC(), o.Origin.String(), o.Word}
}

// optOutChangeView is a line of the audit trail.
type optOutChangeView struct {
	ID      int64     `json:"id"`
	Change  string    `json:"change"` // opted out or opted in
	AuthID  string    `json:"auth_id"`
	Source  string    `json:"source"`
	Number  string    `json:"number"`
	At      time.Time `json:"changed_on"`
	Origin  string    `json:"origin"`
	Keyword string    `json:"keyword"`
	Message string    `json:"message_uuid"` // the message that asked for it; empty: none did
	Note    string    `json:"note"`         // of who made it
}

func viewOptOutChange(r *gateway.OptOutRecord) optOutChangeView {
	view := optOutChangeView{
		ID: r.ID, Change: "opted out", AuthID: string(r.Account), Source: r.Source, Number: r.Person, At: r.At.UTC(), Origin: r.Origin.String(),
		Keyword: r.Word, Note: r.Note,
	}
	if r.In {
		view.Change = "opted in"
	}
	if !r.Message.IsZero() {
		view.Message = r.Message.String()
	}
	return view
}

// listOptOuts shows opt-outs that stand, newest first.
func (a *API) listOptOuts(r *http.Request) (int, any, error) {
	query, err := params(r, "auth_id", "source", "number", "after", "before", "limit", "offset")
	if err != nil {
		return 0, nil, err
	}
	filter, err := optOutPage(query)
	if err != nil {
		return 0, nil, err
	}
	list, total, err := a.Store.OptOuts(r.Context(), filter)
	if err != nil {
		return 0, nil, err
	}
	views := make([]optOutView, len(list))
	for i := range list {
		views[i] = viewOptOut(&list[i])
	}
	return http.StatusOK, map[string]any{"opt_outs": views, "total": total}, nil
}

// listOptOutChanges shows the audit trail, newest first.
func (a *API) listOptOutChanges(r *http.Request) (int, any, error) {
	query, err := params(r, "auth_id", "source", "number", "after", "before", "limit", "offset")
	if err != nil {
		return 0, nil, err
	}
	filter, err := optOutPage(query)
	if err != nil {
		return 0, nil, err
	}
	list, total, err := a.Store.OptOutRecords(r.Context(), filter)
	if err != nil {
		return 0, nil, err
	}
	views := make([]optOutChangeView, len(list))
	for i := range list {
		views[i] = viewOptOutChange(&list[i])
	}
	return http.StatusOK, map[string]any{"changes": views, "total": total}, nil
}

// optOutPage reads which opt-outs are wanted, and which page of them.
func optOutPage(query url.Values) (filter gateway.OptOutFilter, err error) {
	if filter, err = optOutFilter(query); err != nil {
		return filter, err
	}
	if filter.Limit, err = intParam(query, "limit", defaultListed, 1, maxListed); err != nil {
		return filter, err
	}
	filter.Offset, err = intParam(query, "offset", 0, 0, maxOffset)
	return filter, err
}

// optOutFilter reads which opt-outs are wanted. What is searched for need not be a plausible number: handsets may have sent others.
func optOutFilter(query url.Values) (filter gateway.OptOutFilter, err error) {
	if filter.Account, err = accountParam(query); err != nil {
		return filter, err
	}
	filter.Source, filter.Person = tidySource(query.Get("source")), numbering.Sanitize(query.Get("number"))
	if filter.After, err = timeParam(query, "after", time.Time{}); err != nil {
		return filter, err
	}
	filter.Before, err = timeParam(query, "before", time.Time{})
	return filter, err
}

// optOutArgs is an opt-out as the operator gives it.
type optOutArgs struct {
	AuthID string `json:"auth_id"`
	Source string `json:"source"`
	Number string `json:"number"`
	Note   string `json:"note"`
}

// addOptOuts opts persons out: all of them or none.
func (a *API) addOptOuts(r *http.Request) (int, any, error) {
	var args struct {
		OptOuts []optOutArgs `json:"opt_outs"`
	}
	body, err := readBody(r, maxOptOutBody)
	if err != nil {
		return 0, nil, err
	}
	if err := decode(body, &args); err != nil {
		return 0, nil, err
	}
	if len(args.OptOuts) == 0 || len(args.OptOuts) > maxOptOuts {
		return 0, nil, gateway.Errorf(gateway.Invalid, "opt_outs must have 1 to %d entries", maxOptOuts)
	}
	changes, refused := make([]gateway.OptOutChange, len(args.OptOuts)), refusedNumbers{}
	now := a.Now()
	for i := range args.OptOuts {
		if changes[i], err = args.OptOuts[i].change(now); err != nil {
			refused.add(i, args.OptOuts[i].Number, err)
		}
	}
	if err := refused.verdict(); err != nil {
		return 0, nil, err
	}
	known, err := a.knownAccounts(r.Context())
	if err != nil {
		return 0, nil, err
	}
	for i := range changes {
		if err := known.check(changes[i].Account); err != nil {
			refused.add(i, changes[i].Person, err)
		}
	}
	if err := refused.verdict(); err != nil {
		return 0, nil, err
	}
	changed, err := a.changeOptOuts(r.Context(), changes)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]any{"message": "opted out", "opt_outs": len(changes), "changed": changed}, nil
}

// removeOptOut opts one person in again.
func (a *API) removeOptOut(r *http.Request) (int, any, error) {
	query, err := params(r, "auth_id", "source", "number", "note")
	if err != nil {
		return 0, nil, err
	}
	account, err := accountParam(query)
	if err != nil {
		return 0, nil, err
	}
	change := gateway.OptOutChange{
		OptOut: gateway.OptOut{
			Account: account, Source: tidySource(query.Get("source")), Person: numbering.Sanitize(query.Get("number")), At: a.Now(), Origin: gateway.ByOperator,
		},
		In: true, Note: query.Get("note"),
	}
	if account == "" || change.Source == "" || change.Person == "" {
		return 0, nil, gateway.Errorf(gateway.Invalid, "auth_id, source and number must be given")
	}
	if err := checkText("note", change.Note); err != nil {
		return 0, nil, err
	}
	changed, err := a.changeOptOuts(r.Context(), []gateway.OptOutChange{change})
	if err != nil {
		return 0, nil, err
	}
	if changed == 0 {
		return 0, nil, gateway.Errorf(gateway.NotFound, "the person has not opted out of this source")
	}
	return http.StatusOK, map[string]any{"message": "opted in"}, nil
}

// change checks an opt-out that the operator makes.
func (o *optOutArgs) change(now time.Time) (gateway.OptOutChange, error) {
	c := gateway.OptOutChange{
		OptOut: gateway.OptOut{Account: gateway.AccountID(o.AuthID), Source: tidySource(o.Source), At: now, Origin: gateway.ByOperator}, Note: o.Note,
	}
	if !c.Account.Valid() {
		return c, invalid("auth_id", "auth_id must be the auth id of an account")
	}
	if _, sender := numbering.Source(c.Source); !sender && !isCampaignID(c.Source) {
		return c, invalid("source", "source must be a sender or a campaign's id")
	}
	to, ok := numbering.Destination(numbering.Sanitize(o.Number))
	if !ok {
		return c, invalid("number", "number must be a phone number with its country code")
	}
	c.Person = to.Number
	if err := checkText("note", c.Note); err != nil {
		return c, invalid("note", "%s", err)
	}
	return c, nil
}

// tidySource takes out of a number what people write around its digits. What holds letters, as campaigns' ids do, stays as it is.
func tidySource(source string) string {
	source = strings.TrimSpace(source)
	if digits := numbering.Sanitize(source); strings.Trim(digits, "0123456789") == "" {
		return digits
	}
	return source
}

// accountSet are accounts that exist.
type accountSet map[gateway.AccountID]bool

func (a *API) knownAccounts(ctx context.Context) (accountSet, error) {
	accounts, err := a.Store.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	known := make(accountSet, len(accounts))
	for i := range accounts {
		known[accounts[i].ID] = true
	}
	return known, nil
}

func (s accountSet) check(id gateway.AccountID) error {
	if s[id] {
		return nil
	}
	return invalid("auth_id", "account %s does not exist", id)
}

// changeOptOuts makes changes, and tells how many changed something. The queue hears of those: what waits for the persons is not sent any more.
func (a *API) changeOptOuts(ctx context.Context, changes []gateway.OptOutChange) (count int, err error) {
	changed, err := a.Store.ChangeOptOuts(ctx, changes)
	if err != nil {
		return 0, err
	}
	made := make([]gateway.OptOutChange, 0, len(changes))
	for i := range changes {
		if changed[i] {
			made = append(made, changes[i])
		}
	}
	a.OptedOut(made)
	a.Log.Info("opt-outs changed", "given", len(changes), "changed", len(made), "opted_in", changes[0].In)
	return len(made), nil
}
