package plivo

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Arguments of what is registered, complete and in JSON.
const (
	profileArguments = `"profile_alias":"main","customer_type":"direct","entity_type":"PRIVATE","company_name":"Example Ltd","vertical":"TECHNOLOGY","ein":"12-3456789",
		"ein_issuing_country":"US","address":{"street":"1 Main St","city":"Springfield","state":"NY","postal_code":12345,"country":"US"},
		"authorized_contact":{"first_name":"Jo","last_name":"Doe","email":"jo@example.com","phone":"14155550100"}`
	campaignArguments = `"usecase":"2FA","vertical":"TECHNOLOGY","sample1":"Your code is 123456, thank you.","description":"Codes that prove who somebody is, nothing else."`
	verifyArguments   = `"usecase_summary":"codes","message_sample":"Your code is 1","optin_image_url":"https://a.example/a.png","optin_type":"web_form","volume":"1,000"`
	// registrationArguments are good for any of them.
	registrationArguments = profileArguments + "," + campaignArguments + "," + verifyArguments +
		`,"profile_uuid":"x","brand_alias":"x","brand_id":"x","campaign_id":"CABCDEF","numbers":["1"]`
)

// register makes something by a call, and gives the id that is answered under a name.
func (s *server) register(path, body, id string) string {
	s.t.Helper()
	r := s.do(ask{method: "POST", path: mainPath + path, body: "{" + body + "}"})
	if r.status >= 300 {
		s.t.Fatalf("%s: %d %s", path, r.status, r.text)
	}
	return r.string(id)
}

func (s *server) get(path string) map[string]any {
	s.t.Helper()
	r := s.ok(s.do(ask{method: "GET", path: mainPath + path}), 200)
	delete(r.body, "api_id")
	return r.body
}

// same compares an answer with JSON.
func (s *server) same(got any, want string) {
	s.t.Helper()
	var value any
	if err := json.Unmarshal([]byte(want), &value); err != nil {
		s.t.Fatalf("%v in %s", err, want)
	}
	if diff := cmp.Diff(value, got); diff != "" {
		s.t.Errorf("(-want +got):\n%s", diff)
	}
}

const businessShown = `"entity_type":"PRIVATE","company_name":"Example Ltd","ein":"12-3456789","ein_issuing_country":"US","stock_symbol":"","stock_exchange":"",
	"alt_business_id":"","alt_business_id_type":"","website":"","vertical":"TECHNOLOGY",
	"address":{"street":"1 Main St","city":"Springfield","state":"NY","postal_code":"12345","country":"US"},
	"authorized_contact":{"first_name":"Jo","last_name":"Doe","email":"jo@example.com","phone":"14155550100","title":"","seniority":""}`

func TestProfiles(t *testing.T) {
	s := newServer(t)
	r := s.ok(s.do(ask{method: "POST", path: mainPath + "/Profile/", body: "{" + profileArguments + "}"}), 202)
	if r.string("message") != "Profile created successfully." {
		t.Error(r.text)
	}
	id := r.string("profile_uuid")
	s.same(s.get("/Profile/"+id), `{"profile":{"profile_uuid":"`+id+`","profile_alias":"main","profile_type":"PRIMARY","primary_profile":"","customer_type":"DIRECT",
		"plivo_subaccount":"","business_contact_email":"","doing_business_as":"",`+businessShown+`,"created_at":"2026-03-04T05:06:07.123456Z"}}`)
	form := "profile_alias=two&customer_type=RESELLER&entity_type=non_profit&company_name=Else&vertical=NGO&plivo_subaccount=" + string(subID) +
		"&address=%7B%22street%22%3A%22x%22%7D&authorized_contact=%7B%22title%22%3A%22x%22%7D"
	two := s.ok(s.do(ask{method: "POST", path: mainPath + "/Profile", body: form}), 202).string("profile_uuid")
	second := s.get("/Profile/" + two)["profile"].(map[string]any)
	if second["profile_type"] != "SECONDARY" || second["primary_profile"] != id || second["entity_type"] != "NON_PROFIT" || second["plivo_subaccount"] != string(subID) {
		t.Errorf("%v", second)
	}
	r = s.ok(s.do(ask{method: "POST", path: mainPath + "/Profile/" + id, body: `{"company_name":"New Ltd","address":{"city":"Shelbyville"},"website":null}`}), 202)
	changed := r.body["profile"].(map[string]any)
	if changed["company_name"] != "New Ltd" || changed["address"].(map[string]any)["city"] != "Shelbyville" || changed["address"].(map[string]any)["street"] != "1 Main St" {
		t.Errorf("%v", changed)
	}
	for query, want := range map[string]string{
		"": two + " " + id, "?type=Primary": id, "?type=x": "", "?entity_type=non_profit": two, "?vertical=technology": "", "?vertical=TECHNOLOGY": id, "?limit=1": two, "?limit=1&offset=1": id,
	} {
		s.inList("/Profile/"+query, "profiles", "profile_uuid", want)
	}
	s.refused(s.do(ask{method: "DELETE", path: mainPath + "/Profile/" + id}), 400, "a profile belongs to it; delete that first")
	s.ok(s.do(ask{method: "DELETE", path: mainPath + "/Profile/" + two}), 200)
	s.ok(s.do(ask{method: "DELETE", path: mainPath + "/Profile/" + id}), 200)
	for _, method := range []string{"GET", "POST", "DELETE"} {
		s.refused(s.do(ask{method: method, path: mainPath + "/Profile/" + id, body: "{}"}), 404, "Profile not found.")
	}
}

// TestUpdatesOfTheGoClient: they have fields that were not set, and these are empty.
func TestUpdatesOfTheGoClient(t *testing.T) {
	s := newServer(t)
	id := s.register("/Profile/", strings.ReplaceAll(profileArguments, `"US"`, `"us"`)+`,"website":"https://a.example","stock_symbol":"EX","alt_business_id_type":"DUNS"`, "profile_uuid")
	want := s.get("/Profile/" + id)["profile"].(map[string]any)
	if want["ein_issuing_country"] != "US" || want["address"].(map[string]any)["country"] != "US" {
		t.Errorf("countries are %v and %v", want["ein_issuing_country"], want["address"])
	}
	s.ok(s.do(ask{method: "POST", path: mainPath + "/Profile/" + id, body: `{"entity_type":"","company_name":"New Ltd","vertical":" ","website":"","address":null,
		"authorized_contact":{"first_name":"","last_name":"Roe","email":"","phone":"","title":"","seniority":""},"alt_business_id_type":"","stock_symbol":""}`}), 202)
	want["company_name"], want["stock_symbol"] = "New Ltd", "" // which a business may have no more
	want["authorized_contact"].(map[string]any)["last_name"] = "Roe"
	if diff := cmp.Diff(want, s.get("/Profile/" + id)["profile"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.refused(s.do(ask{method: "POST", path: mainPath + "/Profile/", body: `{"profile_alias":""}`}), 400, "profile_alias parameter not present")
	brand := s.register("/10dlc/Brand/", `"profile_uuid":"`+id+`","brand_alias":"x"`, "brand_id")
	campaign := s.register("/10dlc/Campaign/", `"brand_id":"`+brand+`",`+campaignArguments, "campaign_id")
	s.ok(s.do(ask{method: "POST", path: mainPath + "/10dlc/Campaign/" + campaign, body: `{"sample1":"","message_flow":"on the web"}`}), 202)
	shown := s.get("/10dlc/Campaign/" + campaign)["campaign"].(map[string]any)
	if shown["sample1"] != "Your code is 123456, thank you." || shown["message_flow"] != "on the web" {
		t.Errorf("the campaign is %v", shown)
	}
}

// inList checks what a list holds, and gives its meta.
func (s *server) inList(path, key, id, want string) map[string]any {
	s.t.Helper()
	r := s.ok(s.do(ask{method: "GET", path: mainPath + path}), 200)
	var got []string
	for _, object := range r.body[key].([]any) {
		got = append(got, object.(map[string]any)[id].(string))
	}
	if strings.Join(got, " ") != want {
		s.t.Errorf("%s: %v, want %s", path, got, want)
	}
	return r.body["meta"].(map[string]any)
}

func TestRegistrationRefusals(t *testing.T) {
	s := newServer(t)
	for _, test := range []struct{ path, body, text string }{
		{"/Profile/", `{}`, "profile_alias parameter not present"},
		{"/Profile/", `{` + profileArguments + `,"entity_type":"x"}`, "entity_type must be one of PRIVATE, PUBLIC, NON_PROFIT, GOVERNMENT, INDIVIDUAL"},
		{"/Profile/", `{` + profileArguments + `,"address":""}`, "address parameter not present"},
		{"/Profile/", `{` + profileArguments + `,"address":"x"}`, "address must be an object"},
		{"/Profile/", `{` + profileArguments + `,"authorized_contact":[]}`, "authorized_contact parameter not present"},
		{"/Profile/", `{` + profileArguments + `,"plivo_subaccount":"` + string(strangerID) + `"}`, "plivo_subaccount is not a subaccount of this account"},
		{"/Profile/", `{` + profileArguments + `,"ein_issuing_country":"USA"}`, "ein_issuing_country must have at most 2 characters"},
		{"/10dlc/Brand/", `{"brand_alias":"x","profile_uuid":"x"}`, "there is no such profile"},
		{"/10dlc/Brand/", `{"brand_alias":"x"}`, "profile_uuid parameter not present"},
		{"/10dlc/Campaign/", `{"brand_id":"B000000",` + campaignArguments + `}`, "there is no such brand"},
		{"/10dlc/Campaign/", `{"brand_id":"B","usecase":"2FA"}`, "sample1 parameter not present"},
		{"/10dlc/Campaign/", `{"brand_id":"B",` + campaignArguments + `,"sample2":"short"}`, "sample2 must have at least 20 characters"},
		{"/10dlc/Campaign/", `{"brand_id":"B",` + campaignArguments + `,"age_gated":"maybe"}`, "age_gated must be true or false"},
		{"/10dlc/Campaign/", `{"brand_id":"B",` + campaignArguments + `,"url":"ftp://x"}`, "url must be an absolute http or https URL"},
		{"/10dlc/Campaign/Import/", `{}`, "campaign_id parameter not present"},
		{"/10dlc/Campaign/Import/", `{"campaign_id":"B123456"}`, "campaign_id must be the letter C and six letters and digits"},
		{"/TollfreeVerification/", `{}`, "number parameter not present"},
		{"/TollfreeVerification/", `{"number":"18005550100"}`, "usecase parameter not present"},
	} {
		s.refused(s.do(ask{method: "POST", path: mainPath + test.path, body: test.body}), 400, test.text)
	}
	if len(s.store.registered) != 0 {
		t.Errorf("%d were made", len(s.store.registered))
	}
}

func TestBrands(t *testing.T) {
	s := newServer(t)
	profile := s.register("/Profile/", profileArguments, "profile_uuid")
	r := s.ok(s.do(ask{method: "POST", path: mainPath + "/10dlc/Brand/", body: `{"profile_uuid":"` + profile + `","brand_alias":"main","brand_type":"standard",
		"secondary_vetting":"true","url":"https://a.example/brand","method":"get"}`}), 202)
	id := r.string("brand_id")
	if r.string("message") != "Request to create brand was received and is being processed." || s.store.registered[1].Callback != (gateway.Callback{URL: "https://a.example/brand", Method: "GET"}) {
		t.Errorf("%s %+v", r.text, s.store.registered[1])
	}
	shown := func(status, vetting, declined string) {
		t.Helper()
		s.same(s.get("/10dlc/Brand/"+id), `{"brand":{"brand_id":"`+id+`","profile_uuid":"`+profile+`","brand_alias":"main","brand_type":"STANDARD","secondary_vetting":true,`+
			businessShown+`,"registration_status":"`+status+`",`+vetting+`,"declined_reasons":`+declined+`,"created_at":"2026-03-04T05:06:07.123456Z"}}`)
	}
	shown("PROCESSING", `"vetting_status":"","vetting_score":0`, `[]`)
	s.inList("/10dlc/Brand/?registration_status=processing", "brands", "brand_id", id)
	s.store.decide(mainID, id, gateway.Decision{State: gateway.Approved, Grant: gateway.Grant{VettingStatus: "ACTIVE", VettingScore: 80}})
	shown("COMPLETED", `"vetting_status":"ACTIVE","vetting_score":80`, `[]`)
	s.store.decide(mainID, id, gateway.Decision{State: gateway.Refused, Reason: "no such business", Code: "7"})
	shown("FAILED", `"vetting_status":"","vetting_score":0`, `[{"code":"7","message":"no such business"}]`)
	starter := s.register("/10dlc/Brand/", `"profile_uuid":"`+profile+`","brand_alias":"two"`, "brand_id")
	if len(s.get("/10dlc/Brand/" + starter + "/usecases/")["use_cases"].([]any)) != 1 || len(s.get("/10dlc/brand/" + id + "/usecases")["use_cases"].([]any)) < 10 {
		t.Error("use cases do not follow from the brand's type")
	}
	for query, want := range map[string]string{
		"": starter + " " + id, "?type=starter": starter, "?status=FAILED": id, "?registration_status=COMPLETED": "", "?registration_status=x": "", "?limit=1&offset=1": id,
	} {
		s.inList("/10dlc/Brand/"+query, "brands", "brand_id", want)
	}
	meta := s.inList("/10dlc/Brand/?limit=1&type=STANDARD", "brands", "brand_id", id)
	s.same(meta, `{"limit":1,"offset":0,"next":null,"previous":null,"total_count":1}`)
	s.refused(s.do(ask{method: "DELETE", path: mainPath + "/Profile/" + profile}), 400, "a brand belongs to it; delete that first")
	r = s.ok(s.do(ask{method: "DELETE", path: mainPath + "/10dlc/Brand/" + id}), 200)
	if r.string("message") != "Brand Deactivated" || r.string("brand_id") != id {
		t.Error(r.text)
	}
}

func TestCampaigns(t *testing.T) {
	s := newServer(t)
	profile := s.register("/Profile/", profileArguments, "profile_uuid")
	brand := s.register("/10dlc/Brand/", `"profile_uuid":"`+profile+`","brand_alias":"main"`, "brand_id")
	r := s.ok(s.do(ask{method: "POST", path: mainPath + "/10dlc/Campaign//", body: `{"brand_id":"` + brand + `","campaign_alias":"otp",` + campaignArguments +
		`,"sub_usecases":["A","B"]," reseller_id":"R1","embedded_link":"True","subscriber_optin":1,"help_message":"Reply STOP"}`}), 202)
	id := r.string("campaign_id")
	if r.string("message") != "Request to create campaign was received and is being processed." {
		t.Error(r.text)
	}
	shown := func(status, mno, code, reason string) {
		t.Helper()
		s.same(s.get("/10dlc/Campaign/"+id), `{"campaign":{"campaign_id":"`+id+`","brand_id":"`+brand+`","campaign_alias":"otp","campaign_source":"plivo","vertical":"TECHNOLOGY",
			"usecase":"2FA","sub_usecase":"A,B","reseller_id":"R1","description":"Codes that prove who somebody is, nothing else.","sample1":"Your code is 123456, thank you.",
			"sample2":"","sample3":"","sample4":"","sample5":"","campaign_attributes":{"embedded_link":true,"embedded_phone":false,"age_gated":false,"direct_lending":false,
			"subscriber_optin":true,"subscriber_optout":false,"subscriber_help":false,"affiliate_marketing":false},"message_flow":"","help_message":"Reply STOP",
			"optin_keywords":"","optin_message":"","optout_keywords":"","optout_message":"","help_keywords":"","terms_and_conditions_link":"","privacy_policy_link":"",
			"registration_status":"`+status+`","mno_metadata":`+mno+`,"error_code":"`+code+`","error_reason":"`+reason+`","error_description":"`+reason+`",
			"created_at":"2026-03-04T05:06:07.123456Z"}}`)
	}
	shown("PROCESSING", `{}`, "", "")
	s.store.decide(mainID, id, gateway.Decision{State: gateway.Approved, Grant: gateway.Grant{Rate: 75, PerMinute: 4500, Tier: "TOP"}})
	shown("COMPLETED", `{"AT&T":{"tpm":4500},"T-Mobile":{"brand_tier":"TOP"},"Verizon Wireless":{"tpm":4500},"US Cellular":{"tpm":4500}}`, "", "")
	s.store.decide(mainID, id, gateway.Decision{State: gateway.Refused, Reason: "no opt-in", Code: "1001", DecidedAt: s.now})
	shown("FAILED", `{}`, "1001", "no opt-in")
	shared := s.register("/10dlc/Campaign/Import/", `"campaign_id":"cabc123","campaign_alias":"theirs"`, "campaign_id")
	s.refused(s.do(ask{method: "POST", path: mainPath + "/10dlc/Campaign/Import/", body: `{"campaign_id":"CABC123"}`}), 400, "campaign CABC123 exists already")
	for query, want := range map[string]string{
		"": shared + " " + id, "?campaign_source=SHARED": shared, "?usecase=2FA": id, "?brand_id=" + brand: id, "?registration_status=PROCESSING": shared,
		"?registration_status=FAILED&limit=1": id, "?registration_status=x": "",
	} {
		s.inList("/10dlc/Campaign/"+query, "campaigns", "campaign_id", want)
	}
	r = s.ok(s.do(ask{method: "POST", path: mainPath + "/10dlc/Campaign/" + id, body: `{"message_flow":"on the web","sample1":"Another code is 123456, thanks."}`}), 202)
	if c := r.body["campaign"].(map[string]any); c["message_flow"] != "on the web" || c["registration_status"] != "PROCESSING" || c["campaign_alias"] != "otp" {
		t.Error(r.text)
	}
	s.refused(s.do(ask{method: "DELETE", path: mainPath + "/10dlc/Brand/" + brand}), 400, "a campaign belongs to it; delete that first")
	r = s.ok(s.do(ask{method: "DELETE", path: mainPath + "/10dlc/Campaign/" + id}), 200)
	if r.string("message") != "Campaign Deactivated" || r.string("campaign_id") != id || s.changes != 1 {
		t.Errorf("%s, %d changes", r.text, s.changes)
	}
	s.refused(s.do(ask{method: "GET", path: mainPath + "/10dlc/Campaign/Import/"}), 405, "method not allowed")
}

func TestCampaignNumbers(t *testing.T) {
	s := newServer(t)
	s.givePowerpack("main", "14155550100", "14155550101", "18005550100")
	profile := s.register("/Profile/", profileArguments, "profile_uuid")
	brand := s.register("/10dlc/Brand/", `"profile_uuid":"`+profile+`","brand_alias":"main"`, "brand_id")
	id := s.register("/10dlc/Campaign/", `"brand_id":"`+brand+`","campaign_alias":"otp",`+campaignArguments, "campaign_id")
	path := mainPath + "/10dlc/Campaign/" + id + "/Number/"
	link := func(body string) *reply { return s.do(ask{method: "POST", path: path, body: body}) }
	before := s.changes
	r := s.ok(link(`{"numbers":["+1 415-555-0100"],"url":"https://a.example/"}`), 202)
	if r.string("message") != "Request to link 14155550100 to campaign "+id+" was received and is being processed" || s.changes != before+1 {
		t.Errorf("%s, %d changes", r.text, s.changes-before)
	}
	s.refused(link(`{}`), 400, "numbers parameter not present")
	s.refused(link(`{"numbers":"14155550101,14155550100"}`), 400, "The number 14155550100 is already requested for linking")
	s.refused(link(`{"numbers":["18005550100"]}`), 400, "The number 18005550100 is not a valid number")
	s.refused(link(`{"numbers":["14155559999"]}`), 400, "The number 14155559999 is not a valid number")
	head := `{"campaign_id":"` + id + `","campaign_alias":"otp","usecase":"2FA","number_pool_limit":49,`
	s.same(s.get("/10dlc/Campaign/"+id+"/Number/14155550100"), head+`"phone_numbers":[{"number":"14155550100","status":"PROCESSING"}],"phone_numbers_summary":{"PROCESSING":1}}`)
	s.store.decide(mainID, id, gateway.Decision{State: gateway.Approved})
	s.ok(link("numbers=14155550101"), 202)
	s.same(s.get("/10dlc/Campaign/"+id+"/Number/?limit=1"), head+`"phone_numbers":[{"number":"14155550100","status":"COMPLETED"}],"phone_numbers_summary":{"COMPLETED":2},
		"meta":{"limit":1,"offset":0,"next":"/v1/Account/MAMAINMAINMAINMAINMA/10dlc/Campaign/`+id+`/Number/?limit=1&offset=1","previous":null,"total_count":2}}`)
	s.refused(s.do(ask{method: "GET", path: path + "18005550100"}), 404, "not found")

	// What numbers and messages show of it, and how they are found by it.
	m := s.giveMessage(nil)
	s.giveMessage(func(m *gateway.Message) { m.From = "18005550100" })
	bare := s.number("14155550102", mainID)
	s.store.numbers = append(s.store.numbers, bare)
	unregistered := s.giveMessage(func(m *gateway.Message) { m.From = bare.Number })
	n := s.get("/Number/14155550100/")
	if n["tendlc_campaign_id"] != id || n["tendlc_registration_status"] != "COMPLETED" || n["toll_free_sms_verification"] != nil {
		t.Errorf("%v", n)
	}
	for query, want := range map[string]string{
		"tendlc_campaign_id=" + id: m.ID.String(), "tendlc_registration_status=Registered": m.ID.String(), "tendlc_registration_status=unregistered": unregistered.ID.String(),
		"tendlc_campaign_id=CNOBODY": "",
	} {
		s.inList("/Message/?"+query, "objects", "message_uuid", want)
	}
	for id, want := range map[gateway.ID][2]any{m.ID: {id, "registered"}, unregistered.ID: {"", "unregistered"}, s.store.messages[1].ID: {"", ""}} {
		if r := s.get("/Message/" + id.String()); r["tendlc_campaign_id"] != want[0] || r["tendlc_registration_status"] != want[1] {
			t.Errorf("%v, want %v", r, want)
		}
	}
	for query, want := range map[string]string{
		"tendlc_campaign_id=" + id: "14155550100 14155550101", "tendlc_registration_status=completed": "14155550100 14155550101",
		"tendlc_registration_status=PROCESSING": "", "tendlc_registration_status=FAILED": "",
	} {
		s.inList("/Number/?"+query, "objects", "number", want)
	}
	changes := s.changes
	r = s.ok(s.do(ask{method: "DELETE", path: path + "14155550100/", body: `{"url":"https://a.example/"}`}), 200)
	if r.string("message") != "Request to unlink 14155550100 from campaign "+id+" was received and is being processed" || s.changes != changes+1 {
		t.Error(r.text)
	}
	s.refused(s.do(ask{method: "DELETE", path: path + "14155550100/"}), 400, "The number 14155550100 is not linked to this campaign")
}

func TestTollfreeVerification(t *testing.T) {
	s := newServer(t)
	s.givePowerpack("main", "14155550100", "18005550100")
	profile := s.register("/Profile/", profileArguments, "profile_uuid")
	numberShows := func(word, id, status any) {
		t.Helper()
		n := s.get("/Number/18005550100")
		if n["toll_free_sms_verification"] != word || n["toll_free_sms_verification_id"] != id || n["toll_free_sms_verification_order_status"] != status {
			t.Errorf("%v, want %v %v %v", n, word, id, status)
		}
	}
	numberShows("unverified", nil, nil)
	arguments := `"profile_uuid":"` + profile + `","usecase":["2FA"," ALERTS"],` + verifyArguments + `,"callback_url":"https://a.example/tf"`
	s.refused(s.do(ask{method: "POST", path: mainPath + "/TollfreeVerification/", body: `{"number":"14155550100",` + arguments + `}`}), 400, "number is not a toll-free number of the account")
	r := s.ok(s.do(ask{method: "POST", path: mainPath + "/TollfreeVerification/", body: `{"number":"+18005550100",` + arguments + `}`}), 201)
	id := r.string("uuid")
	if r.string("message") != "created" {
		t.Error(r.text)
	}
	s.refused(s.do(ask{method: "POST", path: mainPath + "/TollfreeVerification/", body: `{"number":"18005550100",` + arguments + `}`}), 400, "the number has a verification already")
	shown := func(status, reason, summary, modified string) {
		t.Helper()
		const created = "2026-03-04T05:06:07.123456Z"
		s.same(s.get("/TollfreeVerification/"+id), `{"uuid":"`+id+`","profile_uuid":"`+profile+`","number":"18005550100","usecase":"2FA,ALERTS","usecase_summary":"`+summary+`",
			"message_sample":"Your code is 1","optin_image_url":"https://a.example/a.png","optin_type":"WEB_FORM","volume":"1,000","additional_information":"","extra_data":"",
			"callback_url":"https://a.example/tf","callback_method":"POST","status":"`+status+`","error_message":"`+reason+`","rejection_reason":"`+reason+`",
			"created":"`+created+`","created_at":"`+created+`","last_modified":"`+modified+`","updated_at":"`+modified+`"}`)
	}
	shown("SUBMITTED", "", "codes", "2026-03-04T05:06:07.123456Z")
	numberShows("pending", id, "SUBMITTED")
	s.store.decide(mainID, id, gateway.Decision{State: gateway.Incomplete, Reason: "say more", DecidedAt: s.now.Add(time.Hour)})
	shown("UPDATE_REQUIRED", "say more", "codes", "2026-03-04T06:06:07.123456Z")
	numberShows("unverified", id, "UPDATE_REQUIRED")
	s.now = s.now.Add(2 * time.Hour)
	s.ok(s.do(ask{method: "POST", path: mainPath + "/TollfreeVerification/" + id, body: `{"usecase_summary":"one-time codes"}`}), 202)
	shown("SUBMITTED", "", "one-time codes", "2026-03-04T07:06:07.123456Z")
	s.store.decide(mainID, id, gateway.Decision{State: gateway.Approved, DecidedAt: s.now})
	numberShows("verified", id, "APPROVED")
	for query, want := range map[string]string{
		"": id, "?number=18005550100": id, "?number=18005550199": "", "?status=approved": id, "?status=SUBMITTED": "", "?usecase=ALERTS": id, "?profile_uuid=" + profile: id,
		"?created=2026-03-04": id, "?created__gt=2026-03-04": "", "?created__gte=2026-03-04": id, "?created__lt=2026-03-04": "", "?created_lte=2026-03-04": id,
	} {
		s.inList("/TollfreeVerification/"+query, "objects", "uuid", want)
	}
	for query, want := range map[string]string{
		"toll_free_sms_verification=verified": "18005550100", "toll_free_sms_verification=unverified": "", "toll_free_sms_verification=x": "",
		"toll_free_sms_verification_order_status=APPROVED": "18005550100", "toll_free_sms_verification_order_status=x": "",
		"toll_free_sms_verification=pending&toll_free_sms_verification_order_status=APPROVED": "",
	} {
		s.inList("/Number/?"+query, "objects", "number", want)
	}
	s.refused(s.do(ask{method: "GET", path: mainPath + "/TollfreeVerification/?created=soon"}), 400, "created must be a day in the form YYYY-MM-DD")
	meta := s.inList("/TollfreeVerification/", "objects", "uuid", id)
	if meta["count"] != 1.0 || meta["total_count"] != 1.0 {
		t.Errorf("%v", meta)
	}
	s.now = s.now.Add(7 * 24 * time.Hour) // out of the window of a list that names no day
	s.inList("/TollfreeVerification/", "objects", "uuid", "")
	s.inList("/TollfreeVerification/?created__gte=2026-01-01", "objects", "uuid", id)
	s.now = s.now.Add(30 * 24 * time.Hour)
	s.inList("/TollfreeVerification/?created__gte=2026-01-01", "objects", "uuid", "")
	s.ok(s.do(ask{method: "DELETE", path: mainPath + "/TollfreeVerification/" + id}), 204)
	numberShows("unverified", nil, nil)
}

func TestLookup(t *testing.T) {
	s := newServer(t)
	for number, want := range map[string]string{
		"+14155550123": `"country":{"iso2":"US","iso3":"USA","name":"United States"},
			"format":{"e164":"+14155550123","international":"+1 415-555-0123","national":"(415) 555-0123","rfc3966":"tel:+1-415-555-0123"},
			"carrier":{"mobile_country_code":null,"mobile_network_code":null,"name":null,"type":null,"ported":null}`,
		"447400123456": `"country":{"iso2":"GB","iso3":"GBR","name":"United Kingdom"},
			"format":{"e164":"+447400123456","international":"+44 7400 123456","national":"07400 123456","rfc3966":"tel:+44-7400-123456"},
			"carrier":{"mobile_country_code":null,"mobile_network_code":null,"name":null,"type":"mobile","ported":null}`,
	} {
		for _, as := range []gateway.AccountID{mainID, subID} {
			r := s.ok(s.do(ask{method: "GET", path: "/v1/Number/" + number + "?type=carrier", as: as}), 200)
			delete(r.body, "api_id")
			e164 := "+" + strings.TrimPrefix(number, "+")
			s.same(r.body, `{"phone_number":"`+e164+`","resource_uri":"/v1/Number/`+e164+`?type=carrier",`+want+`}`)
		}
	}
	for _, number := range []string{"1", "+999", "14155", "hello"} {
		r := s.do(ask{method: "GET", path: "/v1/Number/" + number + "/"})
		delete(r.body, "api_id")
		s.same(r.body, `{"error":"Phone number is invalid or does not exist.","error_code":404,"message":"Phone number is invalid or does not exist."}`)
		if r.status != http.StatusNotFound {
			t.Errorf("%s: %d", number, r.status)
		}
	}
	s.refused(s.do(ask{method: "GET", path: "/v1/Number/14155550123?type=caller"}), 400, "type must be carrier")
	s.refused(s.do(ask{method: "GET", path: "/v1/Number/14155550123", anonymous: true}), 401, "authentication credentials were not provided")
	s.refused(s.do(ask{method: "GET", path: "/v1/Number/14155550123", as: disabledID}), 401, "the account is disabled")
}

// TestCountryCodes: every country that has a name has three letters too.
func TestCountryCodes(t *testing.T) {
	for country := range countryNames {
		if code := iso3(country); len(code) != 3 {
			t.Errorf("%s: %q", country, code)
		}
	}
	if iso3("ZZ") != "" || iso3("") != "" {
		t.Error("what is no country has a code")
	}
}
