package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// uncalled are methods of the official client that are not driven, with the reason.
var uncalled = map[string]string{
	"accounts.Account.get":             "the client hands out no such object; AccountInterface.get makes the same call",
	"brand.BrandInterface.trigger_otp": "no one-time passwords for starter brands are made here; it is answered with 404, see docs/plivo-divergences.md",
}

// walk is the official client on its way through everything that it can do.
type walk struct {
	officialClient
	t        *testing.T
	customer *account
}

// does makes a call that must succeed, and gives what came back as the client shows it.
func (w *walk) does(steps ...[]any) map[string]any {
	w.t.Helper()
	var shown any
	w.must(w.t, &shown, steps...)
	object, _ := shown.(map[string]any)
	return object
}

// shows checks fields of what the client shows.
func (w *walk) shows(shown map[string]any, want map[string]any) {
	w.t.Helper()
	for name, value := range want {
		if fmt.Sprint(shown[name]) != fmt.Sprint(value) {
			w.t.Errorf("%s is %v, want %v, in %v", name, shown[name], value, shown)
		}
	}
}

// lists makes a call that lists, and checks how many objects there are.
func (w *walk) lists(count int, steps ...[]any) []any {
	w.t.Helper()
	shown := w.does(steps...)
	for _, key := range []string{"objects", "brands", "campaigns", "profiles", "phoneNumbers"} {
		if list, ok := shown[key].([]any); ok {
			if len(list) != count {
				w.t.Errorf("%v lists %d, want %d: %v", steps, len(list), count, shown)
			}
			return list
		}
	}
	w.t.Errorf("%v lists nothing: %v", steps, shown)
	return nil
}

// TestEveryMethodOfClient: the official client does all that it can with what belongs to messaging. Each answer on the way is held against
// openapi.yaml, as everywhere; here it is seen that the client understands them.
func TestEveryMethodOfClient(t *testing.T) {
	url := serve(t, t.TempDir(), "").url(t)
	w := &walk{registrationClient(t, url), t, newAccount(t, url)}
	w.walkMessages()
	w.walkNumbers()
	w.walkPowerpack()
	w.walkPool()
	w.walkAccounts()
	w.walkApplications()
	w.walkRegistrations()
	w.walkRest()

	var names struct{ Objects []string }
	var count int
	w.must(t, &names, list("methods", "uncalled", []any{}))
	left := names.Objects
	w.must(t, &count, list("methods", "count", []any{}))
	if count < 80 {
		t.Errorf("the client has %d methods", count)
	}
	for _, name := range left {
		if uncalled[name] == "" {
			t.Errorf("the client's %s is not driven", name)
		}
	}
	for name := range uncalled {
		if !slices.Contains(left, name) {
			t.Errorf("the client's %s is driven", name)
		}
	}
	w.fails(t, http.StatusNotFound, list("brand", "trigger_otp", list("BEXAMPL")))
}

func (w *walk) walkMessages() {
	sent := w.does(list("messages", "send", list("14155550100", "14155550123", "one", map[string]any{"log": "content_only"})))
	id := sent["messageUuid"].([]any)[0].(string)
	w.customer.awaitState(w.t, id, "delivered")
	got := w.does(list("messages", "get", list(id)))
	w.shows(got, map[string]any{
		"messageUuid": id, "messageState": "delivered", "messageType": "sms", "messageDirection": "outbound", "fromNumber": "14155550100",
		"toNumber": "14155550***", "units": 1, "errorCode": "000", "log": "content_only", "destinationCountryIso2": "US", "isDomestic": true,
	})
	time := strings.TrimSuffix(got["messageTime"].(string), "+00:00")
	pack := w.lists(1, list("powerpacks", "list", list(map[string]any{})))[0].(map[string]any)["uuid"].(string)
	for _, filter := range []map[string]any{
		{},
		{"limit": 1, "offset": 0},
		{"message_direction": "outbound"},
		{"message_state": "delivered"},
		{"message_type": "sms"},
		{"message_time": time},
		{"message_time__gte": time, "message_time__lte": time},
		{"error_code": "000"},
		{"from_number": "+14155550100"},
		{"destination_country_iso2": "US"},
	} {
		w.lists(1, list("messages", "list", list(filter)))
	}
	for _, filter := range []map[string]any{
		{"offset": 1},
		{"message_direction": "inbound"},
		{"message_state": "failed"},
		{"message_type": "mms"},
		{"message_time__gt": time},
		{"message_time__lt": time},
		{"error_code": "200"},
		{"from_number": "14155550101"},
		{"to_number": "14155550124"},
		{"destination_country_iso2": "CA"},
		{"powerpack_id": pack},
		{"tendlc_campaign_id": "CEXAMPL"},
		{"tendlc_registration_status": "registered"},
		{"conversation_id": "x"},
		{"conversation_origin": "service"},
	} {
		w.lists(0, list("messages", "list", list(filter)))
	}
	w.lists(0, list("messages", "listMedia", list(id)))
}

func (w *walk) walkNumbers() {
	found := w.lists(2, list("numbers", "search", list("US", map[string]any{"type": "local", "services": "sms", "limit": 2})))
	number := found[0].(map[string]any)["id"]
	if number == nil {
		number = found[0].(map[string]any)["number"]
	}
	bought := w.does(list("numbers", "buy", list(number)))
	w.shows(bought, map[string]any{"status": "fulfilled", "message": "created"})
	w.does(list("numbers", "update", list(number, map[string]any{"alias": "support"})))
	w.shows(w.does(list("numbers", "get", list(number))), map[string]any{"number": number, "alias": "support", "numberType": "local", "active": true})
	w.lists(1, list("numbers", "list", list(map[string]any{"alias": "support", "type": "local", "services": "sms", "number_startswith": "1", "cnam_lookup": "disabled"})))
	w.lists(0, list("numbers", "list", list(map[string]any{"alias": "support", "subAccount": "", "tendlcRegistrationStatus": "COMPLETED", "tendlcCampaignId": "CEXAMPL"})))
	w.does(list("numbers", "unrent", list(number)))
	w.fails(w.t, http.StatusNotFound, list("numbers", "get", list(number)))
	w.shows(w.does(list("numbers", "addOwnNumber", list("14155550999", "x", "y"))), map[string]any{"message": "changed"})
	w.shows(w.does(list("numbers", "get", list("14155550999"))), map[string]any{"number": "14155550999", "region": "California, UNITED STATES", "numberType": "local"})
	w.fails(w.t, http.StatusBadRequest, list("numbers", "addOwnNumber", list(number, "x", "y"))) // which is in the inventory again
}

func (w *walk) walkPowerpack() {
	made := w.does(list("powerpacks", "create", list("walk", map[string]any{"sticky_sender": false})))
	get := list("powerpacks", "get", list(made["uuid"]))
	const number, tollfree, shortcode = "14155550191", "18005550191", "555191"
	w.customer.operate(w.t, http.MethodPost, "/numbers", map[string]any{"numbers": []map[string]any{
		{"number": number, "auth_id": authID}, {"number": tollfree, "auth_id": authID}, {"number": shortcode, "auth_id": authID},
	}}).want(w.t, http.StatusOK)
	w.shows(w.does(get, list("update", list(map[string]any{"name": "walked", "local_connect": false}))), map[string]any{"name": "walked", "localConnect": false, "stickySender": false})
	w.shows(w.does(list("powerpacks", "update", list(made["uuid"], map[string]any{"name": "walked on"}))), map[string]any{"name": "walked on"})
	w.shows(w.does(get, list("add_number", list(number))), map[string]any{"number": number, "type": "fixed", "service": "sms", "countryIso2": "US"})
	w.shows(w.does(get, list("add_tollfree", list(tollfree, "sms"))), map[string]any{"number": tollfree, "type": "tollfree"})
	pool := strings.TrimPrefix(made["numberPool"].(string), "/v1/Account/"+authID)
	w.customer.call(w.t, http.MethodPost, pool+"Shortcode/"+shortcode+"/", map[string]any{}).want(w.t, http.StatusOK)
	w.lists(1, get, list("list_numbers", list(map[string]any{"type": "fixed", "country_iso2": "US", "starts_with": "415", "limit": 5, "offset": 0, "service": "sms"})))
	w.lists(1, get, list("list_tollfree", []any{}))
	w.lists(1, get, list("list_shortcodes", []any{}))
	w.shows(w.does(get, list("find_number", list(number))), map[string]any{"number": number})
	w.shows(w.does(get, list("find_tollfree", list(tollfree, "sms"))), map[string]any{"number": tollfree})
	w.shows(w.does(get, list("find_shortcode", list(shortcode, "sms"))), map[string]any{"shortCode": shortcode})
	var count int
	if w.must(w.t, &count, get, list("count_numbers", []any{})); count != 1 {
		w.t.Errorf("the powerpack counts %d numbers", count)
	}
	w.does(get, list("buy_add_number", list(map[string]any{"country_iso2": "US", "type": "tollfree"})))
	for _, step := range [][]any{list("remove_number", list(number)), list("remove_tollfree", list(tollfree)), list("remove_shortcode", list(shortcode))} {
		w.shows(w.does(get, step), map[string]any{"response": "success"})
	}
	w.shows(w.does(get, list("delete", list(true))), map[string]any{"response": "success"})
	w.fails(w.t, http.StatusNotFound, get)
}

// walkPool is what the client can do with the parts of a number pool.
func (w *walk) walkPool() {
	made := w.does(list("powerpacks", "create", list("pool", map[string]any{})))
	get, pool := list("powerpacks", "get", list(made["uuid"])), list("number_pool")
	numbers, tollfrees, shortcodes := list("numbers"), list("tollfree"), list("shortcodes")
	const number, tollfree, shortcode = "14155550191", "18005550191", "555191"
	w.shows(w.does(get, pool, numbers, list("add", list(number, "sms"))), map[string]any{"number": number})
	w.lists(1, get, pool, numbers, list("list", list(map[string]any{"service": "sms"})))
	w.shows(w.does(get, pool, numbers, list("find", list(number))), map[string]any{"number": number})
	var count int
	if w.must(w.t, &count, get, pool, numbers, list("count", []any{})); count != 1 {
		w.t.Errorf("the pool counts %d numbers", count)
	}
	w.does(get, pool, numbers, list("buy_add_number", list(map[string]any{"country_iso2": "US", "type": "local"})))
	w.does(get, pool, numbers, list("remove", list(number, false)))
	w.shows(w.does(get, pool, tollfrees, list("add", list(tollfree))), map[string]any{"number": tollfree})
	w.lists(1, get, pool, tollfrees, list("list", []any{}))
	w.does(get, pool, tollfrees, list("find", list(tollfree)))
	w.does(get, pool, tollfrees, list("remove", list(tollfree, true)))
	w.customer.call(w.t, http.MethodPost, strings.TrimPrefix(made["numberPool"].(string), "/v1/Account/"+authID)+"Shortcode/"+shortcode+"/", map[string]any{}).want(w.t, http.StatusOK)
	w.lists(1, get, pool, shortcodes, list("list", []any{}))
	w.shows(w.does(get, pool, shortcodes, list("find", list(shortcode))), map[string]any{"shortcode": shortcode})
	w.does(get, pool, shortcodes, list("remove", list(shortcode)))
}

func (w *walk) walkAccounts() {
	w.does(list("accounts", "update", list(map[string]any{"name": "Example Ltd"})))
	w.shows(w.does(list("accounts", "get", []any{})), map[string]any{"name": "Example Ltd", "accountType": "standard"})
	made := w.does(list("subaccounts", "create", list("marketing", true)))
	id := made["authId"]
	w.shows(w.does(list("subaccounts", "get", list(id))), map[string]any{"name": "marketing", "enabled": true, "authId": id})
	w.does(list("subaccounts", "update", list(id, "sales", false)))
	listed := w.lists(1, list("subaccounts", "list", list(map[string]any{"limit": 1})))
	w.shows(listed[0].(map[string]any), map[string]any{"name": "sales", "enabled": false})
	w.lists(0, list("messages", "list", list(map[string]any{"subaccount": id})))
	w.does(list("subaccounts", "delete", list(id, true)))
}

func (w *walk) walkApplications() {
	id := w.does(list("applications", "create", list("walk", map[string]any{"message_url": "https://app.example.com/in"})))["appId"]
	w.shows(w.does(list("applications", "get", list(id))), map[string]any{"appName": "walk", "appId": id})
	w.lists(1, list("applications", "list", list(map[string]any{"app_name": "wal"})))
	w.does(list("applications", "update", list(id, map[string]any{"app_name": "walked"})))
	w.does(list("applications", "delete", list(id)))
}

func (w *walk) walkRegistrations() {
	profile := clientProfile(w.t, w.officialClient)
	w.shows(w.does(list("profile", "get", list(profile)))["profile"].(map[string]any), map[string]any{"profileUuid": profile, "entityType": "PRIVATE"})
	w.lists(1, list("profile", "list", list(map[string]any{"entity_type": "PRIVATE", "type": "PRIMARY", "vertical": "TECHNOLOGY", "limit": 1})))
	w.does(list("profile", "update", list(profile, map[string]any{"company_name": "Example Inc"})))

	brand := w.does(list("brand", "create", list("main", profile, "STANDARD", false)))["brand_id"]
	w.shows(w.does(list("brand", "get", list(brand)))["brand"].(map[string]any), map[string]any{"brandId": brand, "registrationStatus": "PROCESSING"})
	w.lists(1, list("brand", "list", list(map[string]any{"type": "STANDARD", "registration_status": "PROCESSING"})))
	w.does(list("brand", "get_usecases", list(brand)))

	campaign := w.does(list("campaign", "create", list(brand, "otp", "TECHNOLOGY", "2FA", []string{}, "Codes that prove who somebody is, nothing else.",
		false, false, false, false, true, true, true, false, "Your code is 123456, thank you.", "Another code is 123456, thanks.", nil, nil, nil,
		"on the web", "Reply STOP", "You are out", nil, nil)))["campaignId"]
	w.does(list("campaign", "update", list(campaign, nil, "Codes that prove who somebody is, and no more than that.")))
	w.shows(w.does(list("campaign", "get", list(campaign)))["campaign"].(map[string]any), map[string]any{
		"campaignId": campaign, "description": "Codes that prove who somebody is, and no more than that.", "usecase": "2FA",
	})
	w.lists(1, list("campaign", "list", list(map[string]any{"brand_id": brand, "usecase": "2FA", "registration_status": "PROCESSING", "campaign_source": "plivo"})))
	const number = "14155550100"
	w.does(list("campaign", "linkNumber", list(campaign, []string{number})))
	w.lists(1, list("campaign", "listNumber", list(campaign, map[string]any{"limit": 5})))
	w.lists(1, list("campaign", "getNumber", list(campaign, number)))
	w.does(list("campaign", "unlinkNumber", list(campaign, number)))
	w.does(list("campaign", "import_campaign", list("CABC124", "theirs")))
	for _, id := range []any{campaign, "CABC124"} {
		w.does(list("campaign", "deleteCampaign", list(id)))
	}
	w.does(list("brand", "deleteBrand", list(brand)))

	tollfree := w.lists(1, list("numbers", "list", list(map[string]any{"type": "tollfree", "limit": 1})))[0].(map[string]any)["number"]
	verification := w.does(list("tollfreeVerification", "create", list(map[string]any{
		"profile_uuid": profile, "number": tollfree, "usecase": "2FA", "usecase_summary": "codes", "message_sample": "Your code is 123456",
		"optin_image_url": "https://a.example/a.png", "optin_type": "WEB_FORM", "volume": "1,000",
	})))["uuid"]
	w.shows(w.does(list("tollfreeVerification", "get", list(verification))), map[string]any{"uuid": verification, "status": "SUBMITTED", "number": tollfree})
	w.lists(1, list("tollfreeVerification", "list", list(map[string]any{"profile_uuid": profile, "usecase": "2FA"})))
	w.does(list("tollfreeVerification", "update", list(verification, map[string]any{"volume": "10,000"})))
	w.does(list("tollfreeVerification", "delete", list(verification)))
	w.does(list("profile", "delete", list(profile)))
}

// walkRest is media, prices and lookups.
func (w *walk) walkRest() {
	gif, content := picture(w.t, "walk.gif", 1)
	medium := w.does(list("media", "upload", list(list(gif))))["objects"].([]any)[0].(map[string]any)["mediaId"]
	w.shows(w.does(list("media", "get", list(medium))), map[string]any{"mediaId": medium, "size": len(content), "contentType": "image/gif"})
	w.lists(1, list("media", "list", list(map[string]any{"limit": 1})))
	w.shows(w.does(list("pricings", "get", list("US"))), map[string]any{"countryIso": "US", "countryCode": 1, "country": "United States"})
	w.shows(w.does(list("lookup", "get", list("+14155550123"))), map[string]any{"phoneNumber": "+14155550123"})
}

// TestCallbacksOfClient: both signatures of callbacks by POST and by GET, and those with the main account's token, are good to both validators of
// the official client; nextCallback asks them.
func TestCallbacksOfClient(t *testing.T) {
	sink := node(t, "sink.js", "AUTH_TOKEN="+authToken)
	url := serve(t, t.TempDir(), "").url(t)
	client := newOfficialClient(t, url)
	statusURL := fmt.Sprintf("http://127.0.0.1:%d/sms status/?who=e2e&who=%%20me&empty=", sink.port(t))
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		for i := range 2 {
			var sent struct{ MessageUUID []string }
			client.must(t, &sent, list("messages", "create", list(map[string]any{
				"src": "14155550100", "dst": destination(i), "text": "signed", "url": strings.ReplaceAll(statusURL, " ", "%20"), "method": method,
			})))
			for _, state := range []string{"queued", "sent", "delivered"} {
				c := nextCallback(t, sink).Callback
				parameters := c.Form
				if method == http.MethodGet {
					parameters = c.Query
				}
				if c.Method != method || parameters["Status"] != state || parameters["MessageUUID"] != sent.MessageUUID[0] || !strings.HasPrefix(c.Path, "/sms%20status/?who=") {
					t.Errorf("the callback of %s is %+v", state, c)
				}
			}
		}
	}
}
