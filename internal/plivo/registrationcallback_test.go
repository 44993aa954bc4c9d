package plivo

import (
	"net/url"
	"strings"
	"testing"

	"github.com/heliograph/heliograph/internal/gateway"
)

// TestRegistrationCallback holds a callback about a registration to the letter.
func TestRegistrationCallback(t *testing.T) {
	s := newServer(t)
	n := gateway.Notice{
		Kind: gateway.DecisionNotice, Account: mainID, Registration: "C0FFEE1", Of: gateway.RegisteredCampaign, Parent: "B0FFEE1", State: gateway.Refused,
		Reason: "no website", Code: "1001", Callback: gateway.Callback{URL: "https://app.example.com/tendlc?x=1", Method: "POST"},
	}
	e := n.Event(7, start)
	req, body := s.render(&e)
	want := "auth_id=" + string(mainID) + "&brand_id=B0FFEE1&campaign_id=C0FFEE1&endpoint=campaign&error_code=1001&error_reason=no+website&number=&profile_uuid=" +
		"&registration_status=FAILED&status=rejected&time=2026-03-04T05%3A06%3A07.123456Z&uuid="
	if body != want || req.Method != "POST" || req.URL.String() != n.Callback.URL {
		t.Errorf("%s %s\ngot  %s\nwant %s", req.Method, req.URL, body, want)
	}
	form, _ := url.ParseQuery(body)
	if !Verify("POST", n.Callback.URL, form, req.Header, tokenOf(mainID)) {
		t.Error("the POST is not signed with the account's token")
	}
	n.Callback.Method = "GET"
	req, body = s.render(&e)
	if body != "" || req.Method != "GET" || req.URL.RawQuery != "x=1&"+strings.ReplaceAll(want, "+", "%20") {
		t.Errorf("%s %s with body %q", req.Method, req.URL, body)
	}
	if !Verify("GET", req.URL.String(), nil, req.Header, tokenOf(mainID)) {
		t.Error("the GET is not signed with the account's token")
	}
}

// TestRegistrationNews: what happened, in the words of the contract.
func TestRegistrationNews(t *testing.T) {
	s := newServer(t)
	for _, test := range []struct {
		kind  gateway.NoticeKind
		of    gateway.RegistrationKind
		state gateway.RegistrationState
		want  string // what is not empty, but for the account and the time
	}{
		{gateway.DecisionNotice, gateway.Brand, gateway.Approved, "brand_id=ID&endpoint=brand&profile_uuid=PARENT&registration_status=COMPLETED&status=registered"},
		{gateway.DecisionNotice, gateway.Brand, gateway.Refused, "brand_id=ID&endpoint=brand&profile_uuid=PARENT&registration_status=FAILED&status=rejected"},
		{gateway.DecisionNotice, gateway.RegisteredCampaign, gateway.Approved, "brand_id=PARENT&campaign_id=ID&endpoint=campaign&registration_status=COMPLETED&status=registered"},
		{gateway.DecisionNotice, gateway.RegisteredCampaign, gateway.Incomplete, "brand_id=PARENT&campaign_id=ID&endpoint=campaign&registration_status=FAILED&status=rejected"},
		{gateway.LinkNotice, gateway.RegisteredCampaign, gateway.Approved, "brand_id=PARENT&campaign_id=ID&endpoint=number_linking&number=14155550100&registration_status=COMPLETED&status=success"},
		{gateway.LinkNotice, gateway.RegisteredCampaign, gateway.Pending, "brand_id=PARENT&campaign_id=ID&endpoint=number_linking&number=14155550100&registration_status=FAILED&status=failed"},
		{gateway.UnlinkNotice, gateway.RegisteredCampaign, gateway.Approved, "brand_id=PARENT&campaign_id=ID&endpoint=number_unlinking&number=14155550100&status=success"},
		{gateway.DecisionNotice, gateway.TollFreeVerification, gateway.Approved, "endpoint=tollfree_verification&number=14155550100&profile_uuid=PARENT&registration_status=APPROVED&status=APPROVED&uuid=ID"},
		{gateway.DecisionNotice, gateway.TollFreeVerification, gateway.Refused, "endpoint=tollfree_verification&number=14155550100&profile_uuid=PARENT&registration_status=REJECTED&status=REJECTED&uuid=ID"},
		{gateway.DecisionNotice, gateway.TollFreeVerification, gateway.Incomplete, "endpoint=tollfree_verification&number=14155550100&profile_uuid=PARENT&registration_status=UPDATE_REQUIRED&status=UPDATE_REQUIRED&uuid=ID"},
	} {
		n := gateway.Notice{
			Kind: test.kind, Account: mainID, Registration: "ID", Of: test.of, Parent: "PARENT", State: test.state,
			Callback: gateway.Callback{URL: "https://app.example.com/", Method: "POST"},
		}
		if test.kind != gateway.DecisionNotice || test.of == gateway.TollFreeVerification {
			n.Number = "14155550100"
		}
		e := n.Event(1, start)
		_, body := s.render(&e)
		form, err := url.ParseQuery(body)
		if err != nil || len(form) != noticeParameters {
			t.Errorf("%d parameters, %v", len(form), err)
		}
		for name, values := range form {
			if values[0] == "" || name == "auth_id" || name == "time" {
				delete(form, name)
			}
		}
		if form.Encode() != test.want {
			t.Errorf("got  %s\nwant %s", form.Encode(), test.want)
		}
	}
}

// TestRegistrationCallbackOfSubaccount is signed with both tokens; that of an account nobody knows is given up.
func TestRegistrationCallbackOfSubaccount(t *testing.T) {
	s := newServer(t)
	n := gateway.Notice{Account: subID, Registration: "B0FFEE1", Of: gateway.Brand, Callback: gateway.Callback{URL: "https://app.example.com/", Method: "POST"}}
	e := n.Event(1, start)
	req, _ := s.render(&e)
	if a, b := req.Header.Get(headerV3), req.Header.Get(headerMainV3); a == b || a == "" || b == "" {
		t.Errorf("signed %q and %q", a, b)
	}
	n.Account = "MANOBODYNOBODYNOBODY"
	if _, err := NewCallbacks(s.accounts, "").Render(t.Context(), &e); !isNotFound(err) {
		t.Errorf("the callback of nobody gives %v", err)
	}
	n.Account, n.Callback.URL = mainID, "https://app.example.com:port/?token=secret"
	if _, err := NewCallbacks(s.accounts, "").Render(t.Context(), &e); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("an address that cannot be gives %v", err)
	}
}
