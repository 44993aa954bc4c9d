package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

// TestRegistrationCallbacks: what an account registered and linked is told to it when the operator has decided, signed as the official client verifies it.
func TestRegistrationCallbacks(t *testing.T) {
	server := serve(t, t.TempDir(), "").url(t)
	sink := node(t, "sink.js", "AUTH_TOKEN="+authToken)
	client, customer, port := registrationClient(t, server), newAccount(t, server), sink.port(t)
	at := func(path string) map[string]any {
		return map[string]any{"url": fmt.Sprintf("http://127.0.0.1:%d/%s", port, path), "method": "POST"}
	}
	told := func(path, want string) {
		t.Helper()
		c := nextCallback(t, sink).Callback
		f := c.Form
		if got := f["endpoint"] + " " + f["status"] + " " + f["registration_status"] + " " + f["number"] + " " + f["error_reason"]; c.Path != path || got != want {
			t.Errorf("%s was told %q, want %q at %s", c.Path, got, want, path)
		}
	}
	profile := clientProfile(t, client)
	var brand struct {
		BrandID string `json:"brand_id"` // the client writes it so
	}
	client.must(t, &brand, list("brand", "create", list("main", profile, "STANDARD", false, at("brand"))))
	var campaign struct{ CampaignID string }
	client.must(t, &campaign, list("campaign", "create", list(brand.BrandID, "otp", "TECHNOLOGY", "2FA", []string{}, "Codes that prove who somebody is, nothing else.",
		false, false, false, false, true, true, true, false, "Your code is 123456, thank you.", "Another code is 123456, thanks.", nil, nil, nil,
		"on the web", "Reply STOP", "You are out", nil, nil, at("campaign"))))
	number := spareNumber(t, customer)
	client.must(t, nil, list("numbers", "buy", list(number)))
	client.must(t, nil, list("campaign", "linkNumber", list(campaign.CampaignID, []string{number}, at("number"))))

	customer.decide(t, brand.BrandID, "approve", map[string]any{})
	told("/brand", "brand registered COMPLETED  ")
	customer.decide(t, campaign.CampaignID, "reject", map[string]any{"reason": "no website"})
	got := map[string]string{}
	for range 2 { // from two endpoints: in either order
		c := nextCallback(t, sink).Callback
		got[c.Path] = c.Form["endpoint"] + " " + c.Form["status"] + " " + c.Form["number"] + " " + c.Form["error_reason"]
	}
	if want := map[string]string{"/campaign": "campaign rejected  no website", "/number": "number_linking failed " + number + " no website"}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("told %v, want %v", got, want)
	}
	customer.decide(t, campaign.CampaignID, "approve", map[string]any{"rate": 1})
	told("/campaign", "campaign registered COMPLETED  ")
	client.must(t, nil, list("campaign", "linkNumber", list(campaign.CampaignID, []string{number}, at("again"))))
	told("/again", "number_linking success COMPLETED "+number+" ")
	client.must(t, nil, list("campaign", "unlinkNumber", list(campaign.CampaignID, number, at("gone"))))
	told("/gone", "number_unlinking success  "+number+" ")

	tollFree := customer.call(t, http.MethodGet, "/Number/?type=tollfree", nil).want(t, http.StatusOK).fields["objects"].([]any)[0].(map[string]any)["number"].(string)
	var made struct{ UUID string }
	client.must(t, &made, list("tollfreeVerification", "create", list(map[string]any{
		"profile_uuid": profile, "number": tollFree, "usecase": "2FA", "usecase_summary": "codes", "message_sample": "Your code is 123456",
		"optin_image_url": "https://a.example/a.png", "optin_type": "WEB_FORM", "volume": "1,000", "callback_url": at("verification")["url"],
	})))
	customer.decide(t, made.UUID, "reject", map[string]any{"reason": "show the form", "update_required": true})
	told("/verification", "tollfree_verification UPDATE_REQUIRED UPDATE_REQUIRED "+tollFree+" show the form")
}

// TestRegistrationCallbackAfterACrash: the process dies between the decision and the answer to its callback; the next one tells it.
func TestRegistrationCallbackAfterACrash(t *testing.T) {
	arrived, release := make(chan url.Values, 8), make(chan struct{})
	first := make(chan struct{}, 1)
	first <- struct{}{}
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		arrived <- r.PostForm
		select {
		case <-first: // keeps the first one waiting
			<-release
		default:
		}
	}))
	defer receiver.Close()
	defer close(release)
	data := t.TempDir()
	server := serve(t, data, "")
	client, customer := registrationClient(t, server.url(t)), newAccount(t, server.url(t))
	var brand struct {
		BrandID string `json:"brand_id"` // the client writes it so
	}
	client.must(t, &brand, list("brand", "create", list("main", clientProfile(t, client), "STANDARD", false, map[string]any{"url": receiver.URL, "method": "POST"})))
	customer.decide(t, brand.BrandID, "approve", map[string]any{})
	await := func() url.Values {
		t.Helper()
		select {
		case form := <-arrived:
			return form
		case <-within(t).Done():
			t.Fatal("no callback came")
			return nil
		}
	}
	before := await()
	server.kill()
	_ = serve(t, data, "").url(t)
	if after := await(); after.Encode() != before.Encode() || after.Get("brand_id") != brand.BrandID {
		t.Errorf("after the crash %v was told, before it %v", after, before)
	}
}
