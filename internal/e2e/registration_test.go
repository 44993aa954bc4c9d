package e2e

import (
	"fmt"
	"net/http"
	"regexp"
	"testing"
	"time"
)

// registrationClient is the official client, whose lookups reach the server too.
func registrationClient(t testing.TB, url string) officialClient {
	t.Helper()
	return officialClient{node(t, "registrations.js", "SERVER_URL="+witnessed(t, url), "AUTH_ID="+authID, "AUTH_TOKEN="+authToken)}
}

// clientProfile makes a profile with the client and gives its id.
func clientProfile(t testing.TB, client officialClient) string {
	t.Helper()
	var made struct{ ProfileUUID, Message string }
	client.must(t, &made, list("profile", "create", list("main", nil, "DIRECT", "PRIVATE", "Example Ltd", "12-3456789", "TECHNOLOGY", "US", nil, nil, nil,
		"example.com", map[string]any{"street": "1 Main St", "city": "Springfield", "state": "NY", "postal_code": "12345", "country": "US"},
		map[string]any{"first_name": "Jo", "last_name": "Doe", "email": "jo@example.com", "phone": "14155550100"}, "jo@example.com", nil)))
	if made.ProfileUUID == "" || made.Message != "Profile created successfully." {
		t.Fatalf("the client made %+v", made)
	}
	return made.ProfileUUID
}

// decide approves or rejects what the account registered.
func (a *account) decide(t testing.TB, id, verb string, body map[string]any) *reply {
	t.Helper()
	return a.operate(t, http.MethodPost, "/accounts/"+authID+"/registrations/"+id+"/"+verb, body).want(t, http.StatusOK)
}

// TestCampaignOfClient: the official client registers a business, its brand and its campaign; the operator approves them; the queue obeys the
// campaign of the numbers that were linked to it, and follows when they leave it.
func TestCampaignOfClient(t *testing.T) {
	data := t.TempDir()
	server := serve(t, data, "")
	url := server.url(t)
	client, customer := registrationClient(t, url), newAccount(t, url)
	profile := clientProfile(t, client)
	client.must(t, nil, list("profile", "update", list(profile, map[string]any{"company_name": "Example Inc"})))
	var profiles struct {
		Profiles []struct{ CompanyName, ProfileType string }
		Meta     struct{ TotalCount int }
	}
	client.must(t, &profiles, list("profile", "list", list(map[string]any{"limit": 5})))
	if len(profiles.Profiles) != 1 || profiles.Profiles[0].CompanyName != "Example Inc" || profiles.Profiles[0].ProfileType != "PRIMARY" {
		t.Errorf("the client lists %+v", profiles)
	}

	var brand struct {
		ID string `json:"brand_id"`
	}
	client.must(t, &brand, list("brand", "create", list("main", profile, "STANDARD", false, map[string]any{"url": "https://app.example.com/brand", "method": "POST"})))
	if !regexp.MustCompile(`^B[A-Z0-9]{6}$`).MatchString(brand.ID) {
		t.Fatalf("the client made %+v", brand)
	}
	var campaign struct{ CampaignID, Message string }
	client.must(t, &campaign, list("campaign", "create", list(brand.ID, "otp", "TECHNOLOGY", "2FA", []string{}, "Codes that prove who somebody is, nothing else.",
		false, false, false, false, true, true, true, false, "Your code is 123456, thank you.", "Another code is 123456, thanks.", nil, nil, nil,
		"on the web", "Reply STOP", "You are out", nil, nil, map[string]any{"url": "https://app.example.com/campaign"})))
	id := campaign.CampaignID
	if !regexp.MustCompile(`^C[A-Z0-9]{6}$`).MatchString(id) {
		t.Fatalf("the client made %+v", campaign)
	}

	number := spareNumber(t, customer)
	client.must(t, nil, list("numbers", "buy", list(number)))
	client.must(t, nil, list("campaign", "linkNumber", list(id, []string{number})))
	status := func(want string) {
		t.Helper()
		var linked struct {
			PhoneNumbers []struct{ Number, Status string }
		}
		client.must(t, &linked, list("campaign", "getNumber", list(id, number)))
		if len(linked.PhoneNumbers) != 1 || linked.PhoneNumbers[0].Status != want {
			t.Errorf("the number is %+v, want %s", linked, want)
		}
	}
	status("PROCESSING")
	waiting := customer.operate(t, http.MethodGet, "/registrations", nil).want(t, http.StatusOK)
	if fmt.Sprint(waiting.fields["total"]) != "2" {
		t.Errorf("what waits is %s", waiting.body)
	}
	customer.decide(t, brand.ID, "approve", map[string]any{"vetting_score": 80})
	customer.decide(t, id, "approve", map[string]any{"rate": 75, "daily_cap": 2, "brand_tier": "TOP"})
	status("COMPLETED")
	var shown struct {
		Campaign struct {
			RegistrationStatus, CampaignAlias string
			MnoMetadata                       map[string]struct {
				Tpm       int
				BrandTier string
			}
		}
	}
	client.must(t, &shown, list("campaign", "get", list(id)))
	if c := shown.Campaign; c.RegistrationStatus != "COMPLETED" || c.CampaignAlias != "otp" || len(c.MnoMetadata) != 4 {
		t.Errorf("the client reads %+v", shown)
	}

	// The third message of the day waits for the next one, until the number leaves the campaign.
	send := func(text string) string {
		t.Helper()
		var sent struct{ MessageUUID []string }
		client.must(t, &sent, list("messages", "create", list(map[string]any{"src": number, "dst": "14155550123", "text": text})))
		return sent.MessageUUID[0]
	}
	first := send("one")
	for _, uuid := range []string{first, send("two")} {
		r := customer.awaitState(t, uuid, "delivered")
		if r.text("tendlc_campaign_id") != id || r.text("tendlc_registration_status") != "registered" {
			t.Errorf("the record says %s", r.body)
		}
	}
	third := send("three")
	if r := customer.record(t, third); r.text("message_state") != "queued" && r.text("message_state") != "failed" {
		t.Errorf("the cap of the campaign does not hold: %s", r.body)
	}
	if r := customer.call(t, http.MethodGet, "/Message/?tendlc_campaign_id="+id, nil).want(t, http.StatusOK); len(r.fields["objects"].([]any)) != 3 {
		t.Errorf("the campaign's messages are %s", r.body)
	}
	client.must(t, nil, list("campaign", "unlinkNumber", list(id, number)))
	fourth := send("four")
	r := customer.awaitState(t, fourth, "delivered")
	if r.text("tendlc_registration_status") != "unregistered" {
		t.Errorf("the record says %s", r.body)
	}

	// All of it is there after a restart; then it goes away from its leaves to its root.
	if status, _ := server.terminate(t); status != 0 {
		t.Errorf("the server ended with status %d", status)
	}
	url = serve(t, data, "").url(t)
	client, customer = registrationClient(t, url), newAccount(t, url)
	var found struct {
		Brands []struct {
			BrandID, RegistrationStatus string
			VettingScore                int
		}
	}
	client.must(t, &found, list("brand", "list", list(map[string]any{"type": "STANDARD"})))
	if len(found.Brands) != 1 || found.Brands[0].RegistrationStatus != "COMPLETED" || found.Brands[0].VettingScore != 80 {
		t.Errorf("the client lists %+v", found)
	}
	var cases struct{ UseCases []struct{ Code string } }
	client.must(t, &cases, list("brand", "get_usecases", list(brand.ID)))
	if len(cases.UseCases) == 0 {
		t.Error("the client reads no use cases")
	}
	client.fails(t, http.StatusBadRequest, list("brand", "deleteBrand", list(brand.ID)))
	client.must(t, nil, list("campaign", "deleteCampaign", list(id)))
	client.must(t, nil, list("brand", "deleteBrand", list(brand.ID)))
	client.must(t, nil, list("profile", "delete", list(profile)))
	client.fails(t, http.StatusNotFound, list("profile", "get", list(profile)))
	client.must(t, nil, list("campaign", "import_campaign", list("CABC123", "theirs")))
	customer.decide(t, "CABC123", "reject", map[string]any{"reason": "not shared with us", "code": "1001"})
	var rejected struct {
		Campaigns []struct{ ErrorReason, CampaignSource, RegistrationStatus string }
	}
	client.must(t, &rejected, list("campaign", "list", list(map[string]any{"registration_status": "FAILED"})))
	if len(rejected.Campaigns) != 1 || rejected.Campaigns[0].ErrorReason != "not shared with us" || rejected.Campaigns[0].CampaignSource != "shared" {
		t.Errorf("the client lists %+v", rejected)
	}
}

// TestVerificationOfClient: the official client asks to verify a toll-free number, and reads what is known of numbers.
func TestVerificationOfClient(t *testing.T) {
	url := serve(t, t.TempDir(), "").url(t)
	client, customer := registrationClient(t, url), newAccount(t, url)
	profile := clientProfile(t, client)
	owned := customer.call(t, http.MethodGet, "/Number/?type=tollfree&toll_free_sms_verification=unverified", nil).want(t, http.StatusOK).fields["objects"].([]any)
	number := owned[0].(map[string]any)["number"].(string)
	var made struct{ UUID, Message string }
	client.must(t, &made, list("tollfreeVerification", "create", list(map[string]any{
		"profile_uuid": profile, "number": number, "usecase": "2FA", "usecase_summary": "codes", "message_sample": "Your code is 123456",
		"optin_image_url": "https://a.example/a.png", "optin_type": "WEB_FORM", "volume": "1,000",
	})))
	if made.UUID == "" {
		t.Fatalf("the client made %+v", made)
	}
	verified := func(word string) {
		t.Helper()
		if got := customer.call(t, http.MethodGet, "/Number/"+number+"/", nil).want(t, http.StatusOK).text("toll_free_sms_verification"); got != word {
			t.Errorf("the number is %q, want %q", got, word)
		}
	}
	verified("pending")
	client.must(t, nil, list("tollfreeVerification", "update", list(made.UUID, map[string]any{"usecase_summary": "one-time codes"})))
	customer.decide(t, made.UUID, "approve", map[string]any{})
	verified("verified")
	var shown struct {
		UUID, Status   string
		UsecaseSummary string `json:"usecase_summary"` // the client writes it so
		Created        time.Time
	}
	client.must(t, &shown, list("tollfreeVerification", "get", list(made.UUID)))
	if shown.Status != "APPROVED" || shown.UsecaseSummary != "one-time codes" {
		t.Errorf("the client reads %+v", shown)
	}
	var found struct{ Objects []struct{ UUID string } }
	client.must(t, &found, list("tollfreeVerification", "list", list(map[string]any{"status": "APPROVED", "number": number})))
	if len(found.Objects) != 1 {
		t.Errorf("the client lists %+v", found)
	}
	client.must(t, nil, list("tollfreeVerification", "delete", list(made.UUID)))
	client.fails(t, http.StatusNotFound, list("tollfreeVerification", "get", list(made.UUID)))
	verified("unverified")

	var known struct {
		PhoneNumber string
		Country     struct{ Iso2, Iso3, Name string }
		Format      struct{ E164, National string }
		Carrier     struct{ Name, Type *string }
	}
	client.must(t, &known, list("lookup", "get", list("+447400123456")))
	if known.PhoneNumber != "+447400123456" || known.Country.Iso3 != "GBR" || known.Format.National != "07400 123456" || known.Carrier.Type == nil || *known.Carrier.Type != "mobile" {
		t.Errorf("the client reads %+v", known)
	}
	client.fails(t, http.StatusNotFound, list("lookup", "get", list("+999")))
}
