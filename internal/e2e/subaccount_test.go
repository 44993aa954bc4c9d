package e2e

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// reroutedClient is the official client with credentials of its own, whose calls for applications reach the server too.
func reroutedClient(t testing.TB, url, id, token string) officialClient {
	t.Helper()
	return officialClient{node(t, "rerouted.js", "SERVER_URL="+witnessed(t, url), "AUTH_ID="+id, "AUTH_TOKEN="+token)}
}

// fails makes a call that must be refused with a status.
func (c officialClient) fails(t testing.TB, status int, steps ...[]any) {
	t.Helper()
	if err := c.call(t, nil, steps...); err == nil || fmt.Sprint(err.Status) != fmt.Sprint(status) {
		t.Errorf("%v: %+v, want status %d", steps, err, status)
	}
}

// clientApplication is an application as the client shows it.
type clientApplication struct {
	AppID, AppName, MessageMethod, AnswerURL, AnswerMethod, HangupMethod, FallbackAnswerURL, FallbackMethod string
	ApplicationType, SIPURI, ResourceURI                                                                    string
	SubAccount                                                                                              *string
	DefaultApp, DefaultEndpointApp, Enabled, LogIncomingMessage                                             bool
}

type clientApplications struct {
	Meta struct {
		TotalCount, Limit, Offset int
		Next, Previous            *string
	}
	Objects []clientApplication
}

// TestAccountOfClient: the official client reads and changes its account.
func TestAccountOfClient(t *testing.T) {
	client := newOfficialClient(t, serve(t, t.TempDir(), "").url(t))
	var account struct {
		Name, AccountType, BillingMode, CashCredits, Address, City, State, Timezone, ResourceURI string
		AutoRecharge                                                                             bool
	}
	client.must(t, nil, list("accounts", "update", list(map[string]any{"name": "Example Ltd", "city": "Springfield", "address": "1 Main St", "timezone": "America/New_York"})))
	client.must(t, &account, list("accounts", "get", []any{}))
	if account.Name != "Example Ltd" || account.Address != "1 Main St" || account.City != "Springfield" || account.Timezone != "America/New_York" ||
		account.AccountType != "standard" || account.BillingMode != "postpaid" || account.CashCredits != "0.00000" ||
		account.ResourceURI != "/v1/Account/"+authID+"/" {
		t.Errorf("the client reads %+v", account)
	}
}

// TestApplicationsOfClient: the official client makes applications, finds them, links them to numbers and powerpacks, changes and deletes them.
func TestApplicationsOfClient(t *testing.T) {
	url := serve(t, t.TempDir(), "").url(t)
	client := reroutedClient(t, url, authID, authToken)
	customer := newAccount(t, url)
	var made struct{ AppID, Message string }
	client.must(t, &made, list("applications", "create", list("sms_in", map[string]any{
		"message_url": "https://app.example.com/in", "answerUrl": "https://app.example.com/answer", "default_number_app": true, "log_incoming_messages": false,
	})))
	if !regexp.MustCompile(`^\d{17}$`).MatchString(made.AppID) || made.Message != "created" {
		t.Fatalf("the client made %+v", made)
	}
	id := made.AppID
	client.must(t, nil, list("applications", "create", list("other", map[string]any{})))
	var app clientApplication
	client.must(t, &app, list("applications", "get", list(id)))
	want := clientApplication{
		AppID: id, AppName: "sms_in", MessageMethod: "POST", AnswerURL: "https://app.example.com/answer", AnswerMethod: "POST", HangupMethod: "POST",
		FallbackMethod: "POST", ApplicationType: "XML", SIPURI: "sip:" + id + "@app.plivo.com", DefaultApp: true, Enabled: true,
		ResourceURI: "/v1/Account/" + authID + "/Application/" + id + "/",
	}
	if app != want {
		t.Errorf("the client reads %+v, want %+v", app, want)
	}
	var found clientApplications
	client.must(t, &found, list("applications", "list", list(map[string]any{"limit": 1})))
	if len(found.Objects) != 1 || found.Objects[0].AppName != "other" || found.Meta.TotalCount != 2 || found.Meta.Next == nil || found.Meta.Previous != nil {
		t.Errorf("the client lists %+v", found)
	}

	// A number that is rented now is linked to the default application; a powerpack and another number are told to be.
	number := spareNumber(t, customer)
	client.must(t, nil, list("numbers", "buy", list(number)))
	linked := func(want string) {
		t.Helper()
		var n struct{ Application *string }
		client.must(t, &n, list("numbers", "get", list(number)))
		if got := n.Application; want == "" && got != nil || want != "" && (got == nil || *got != "/v1/Account/"+authID+"/Application/"+want+"/") {
			t.Errorf("the number is linked to %v, want %q", got, want)
		}
	}
	linked(id)
	var pack struct{ UUID, ApplicationID string }
	client.must(t, &pack, list("powerpacks", "create", list("linked", map[string]any{"application_id": id, "application_type": "xml"})))
	if pack.ApplicationID != id {
		t.Errorf("the powerpack is linked to %q", pack.ApplicationID)
	}
	client.fails(t, http.StatusBadRequest, list("numbers", "update", list(number, map[string]any{"app_id": "99999999999999999"})))
	client.fails(t, http.StatusBadRequest, list("powerpacks", "create", list("unlinked", map[string]any{"application_id": "99999999999999999"})))

	client.must(t, nil, list("applications", "update", list(id, map[string]any{"app_name": "sms_in_2", "message_method": "GET", "default_number_app": "false"})))
	client.must(t, &app, list("applications", "get", list(id)))
	if app.AppName != "sms_in_2" || app.MessageMethod != "GET" || app.DefaultApp || app.LogIncomingMessage {
		t.Errorf("after the change the client reads %+v", app)
	}
	client.must(t, nil, list("applications", "delete", list(id, map[string]any{"cascade": false})))
	client.fails(t, http.StatusNotFound, list("applications", "get", list(id)))
	client.fails(t, http.StatusBadRequest, list("applications", "create", list("two words", map[string]any{})))
	linked("")
	if got := customer.call(t, http.MethodGet, "/Powerpack/"+pack.UUID+"/", nil).want(t, http.StatusOK).fields["application_id"]; got != "" {
		t.Errorf("the powerpack is still linked to %v", got)
	}
}

// spareNumber is a number of the development install's inventory.
func spareNumber(t testing.TB, customer *account) string {
	t.Helper()
	r := customer.call(t, http.MethodGet, "/PhoneNumber/?country_iso=US&type=local&limit=1", nil).want(t, http.StatusOK)
	return r.fields["objects"].([]any)[0].(map[string]any)["number"].(string)
}

// TestSubaccountsOfClient: the official client makes subaccounts; each sends with its own credentials, is seen by its main account and sees
// nothing of it or of the other; one that is switched off or deleted is out at once, and its records stay over a restart.
func TestSubaccountsOfClient(t *testing.T) {
	data := t.TempDir()
	server := serve(t, data, "")
	url := server.url(t)
	main, customer := reroutedClient(t, url, authID, authToken), newAccount(t, url)
	type credentials struct{ AuthID, AuthToken, Message string }
	var marketing, sales credentials
	main.must(t, &marketing, list("subaccounts", "create", list("marketing", true)))
	main.must(t, &sales, list("subaccounts", "create", list("sales")))
	if !regexp.MustCompile(`^SA[A-Z0-9]{18}$`).MatchString(marketing.AuthID) || len(marketing.AuthToken) != 40 || marketing.Message != "created" {
		t.Fatalf("the client made %+v", marketing)
	}
	var sub struct {
		AuthID, AuthToken, Name, Account, Created, ResourceURI string
		Modified                                               *string
		Enabled                                                bool
	}
	main.must(t, &sub, list("subaccounts", "get", list(sales.AuthID)))
	if sub.Name != "sales" || sub.Enabled || sub.AuthToken != sales.AuthToken || sub.Account != "/v1/Account/"+authID+"/" || sub.Modified != nil ||
		!regexp.MustCompile(`^\d{4}-\d\d-\d\d$`).MatchString(sub.Created) {
		t.Errorf("the client reads %+v", sub)
	}
	asSales := reroutedClient(t, url, sales.AuthID, sales.AuthToken)
	asSales.fails(t, http.StatusUnauthorized, list("accounts", "get", []any{}))
	main.must(t, nil, list("subaccounts", "update", list(sales.AuthID, "sales", true)))
	asSales.must(t, nil, list("accounts", "get", []any{}))

	// The main account gives one of them a number and an application; the subaccount sends, the main account sees it.
	number := spareNumber(t, customer)
	main.must(t, nil, list("numbers", "buy", list(number)))
	main.must(t, nil, list("numbers", "update", list(number, map[string]any{"subaccount": marketing.AuthID})))
	var app struct{ AppID string }
	main.must(t, &app, list("applications", "create", list("theirs", map[string]any{"subaccount": marketing.AuthID})))
	asMarketing := reroutedClient(t, url, marketing.AuthID, marketing.AuthToken)
	asMarketing.must(t, nil, list("applications", "get", list(app.AppID)))
	asSales.fails(t, http.StatusNotFound, list("applications", "get", list(app.AppID)))
	asSales.fails(t, http.StatusNotFound, list("numbers", "get", list(number)))

	var sent struct{ MessageUUID []string }
	asMarketing.must(t, &sent, list("messages", "create", list(map[string]any{"src": number, "dst": "14155550123", "text": "from a subaccount"})))
	uuid := sent.MessageUUID[0]
	below := "/v1/Account/" + marketing.AuthID
	delivered := func() bool {
		r := customer.json(t, http.MethodGet, below+"/Message/"+uuid+"/", nil, asCustomer)
		return r.want(t, http.StatusOK).text("message_state") == "delivered"
	}
	eventually(t, "the subaccount's message is delivered", delivered)
	asSales.fails(t, http.StatusNotFound, list("messages", "get", list(uuid)))
	var packs struct{ Objects []struct{ UUID string } }
	main.must(t, &packs, list("powerpacks", "list", list(map[string]any{})))
	for _, pack := range []string{packs.Objects[0].UUID, "019cb73d-0000-7000-8000-00000000beef"} { // its main account's, and nobody's
		asSales.fails(t, http.StatusNotFound, list("messages", "create", list(map[string]any{"powerpackUUID": pack, "dst": "14155550123", "text": "x"})))
	}
	seen := func(query string) bool {
		t.Helper()
		return strings.Contains(string(customer.call(t, http.MethodGet, "/Message/"+query, nil).want(t, http.StatusOK).body), uuid)
	}
	if seen("") || !seen("?subaccount="+marketing.AuthID) || seen("?subaccount="+sales.AuthID) {
		t.Error("the main account does not see its subaccount's messages as it should")
	}

	main.must(t, nil, list("subaccounts", "update", list(marketing.AuthID, "marketing", false)))
	asMarketing.fails(t, http.StatusUnauthorized, list("messages", "create", list(map[string]any{"src": number, "dst": "14155550123", "text": "x"})))
	main.must(t, nil, list("subaccounts", "delete", list(marketing.AuthID)))
	asMarketing.fails(t, http.StatusUnauthorized, list("accounts", "get", []any{}))
	main.fails(t, http.StatusNotFound, list("subaccounts", "get", list(marketing.AuthID)))
	main.must(t, nil, list("numbers", "get", list(number))) // what it had is the main account's now
	main.must(t, nil, list("applications", "get", list(app.AppID)))

	if status, _ := server.terminate(t); status != 0 {
		t.Errorf("the server ended with status %d", status)
	}
	url = serve(t, data, "").url(t)
	customer = newAccount(t, url)
	if !seen("?subaccount=" + marketing.AuthID) {
		t.Error("the records of a deleted subaccount are gone")
	}
	r := customer.call(t, http.MethodGet, "/Subaccount/", nil).want(t, http.StatusOK)
	if fmt.Sprint(r.fields["meta"].(map[string]any)["total_count"]) != "1" {
		t.Errorf("after a restart the subaccounts are %s", r.body)
	}
}

// eventually asks again until the answer is yes.
func eventually(t testing.TB, what string, yes func() bool) {
	t.Helper()
	for ctx := within(t); !yes(); pause(20 * time.Millisecond) {
		if ctx.Err() != nil {
			t.Fatalf("it does not come to pass that %s", what)
		}
	}
}
