package e2e

import (
	"net/http"
	"strconv"
	"testing"
)

// TestRateLimit: a server with the contract's limit refuses the calls of an account beyond 300 in five seconds and says when to come again; it takes
// messages as fast as they come, and what others call.
func TestRateLimit(t *testing.T) {
	server := serve(t, t.TempDir(), "api_limit: {requests: 300}\n")
	customer := newAccount(t, server.url(t))
	pack := customer.powerpack(t, "limit", "14155550190")
	made := customer.operate(t, http.MethodPost, "/accounts", map[string]any{"name": "other"}).want(t, http.StatusCreated)
	for n := range 400 {
		customer.call(t, http.MethodPost, "/Message/", map[string]any{"powerpack_uuid": pack, "dst": destination(n), "text": "x"}).want(t, http.StatusAccepted)
	}
	var refusal *reply
	eventually(t, "calls are refused", func() bool { // all at once, so that they come within five seconds on any machine
		replies := make(chan *reply, 400)
		for range cap(replies) {
			go func() {
				r, err := customer.do(within(t), http.MethodGet, "/v1/Account/"+authID+"/", "", nil, asCustomer)
				if err != nil {
					r = &reply{}
				}
				replies <- r
			}()
		}
		for range cap(replies) {
			if r := <-replies; r.status == http.StatusTooManyRequests {
				refusal = r
			}
		}
		return refusal != nil
	})
	if wait, err := strconv.Atoi(refusal.header.Get("Retry-After")); err != nil || wait < 1 || wait > 5 || refusal.text("error") != "too many requests" {
		t.Errorf("refused with Retry-After %q and %s", refusal.header.Get("Retry-After"), refusal.body)
	}
	customer.call(t, http.MethodPost, "/Message/", map[string]any{"powerpack_uuid": pack, "dst": destination(0), "text": "x"}).want(t, http.StatusAccepted)
	customer.json(t, http.MethodGet, "/v1/Account/"+made.text("auth_id")+"/", nil, func(r *http.Request) {
		r.SetBasicAuth(made.text("auth_id"), made.text("auth_token"))
	}).want(t, http.StatusOK)
	eventually(t, "the limit is over", func() bool { return customer.call(t, http.MethodGet, "/", nil).status == http.StatusOK })
}

// TestFailedAuthentications: a source that guesses is slowed down; who is known from there goes on.
func TestFailedAuthentications(t *testing.T) {
	server := serve(t, t.TempDir(), "api_limit: {requests: 0}\n")
	customer := newAccount(t, server.url(t))
	path := "/v1/Account/" + authID + "/"
	guess := func() *reply {
		return customer.json(t, http.MethodGet, path, nil, func(r *http.Request) { r.SetBasicAuth(authID, "a guess") })
	}
	customer.json(t, http.MethodGet, path, nil, asCustomer).want(t, http.StatusOK)
	var refused *reply
	eventually(t, "guesses are refused unread", func() bool {
		refused = guess()
		return refused.status != http.StatusUnauthorized
	})
	if wait, err := strconv.Atoi(refused.want(t, http.StatusTooManyRequests).header.Get("Retry-After")); err != nil || wait < 1 || wait > 60 {
		t.Errorf("Retry-After %q", refused.header.Get("Retry-After"))
	}
	for range 400 { // without a limit
		customer.json(t, http.MethodGet, path, nil, asCustomer).want(t, http.StatusOK)
	}
}
