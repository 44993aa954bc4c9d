package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestGeoPermissions: a country that an operator switches off is refused with 403 at once, and inherited by subaccounts, over a restart.
func TestGeoPermissions(t *testing.T) {
	data := t.TempDir()
	server := serve(t, data, "")
	customer, callbacks := newAccount(t, server.url(t)), newTold(t)
	customer.powerpack(t, "geo", "14155550190")
	send := func(dst string) *reply {
		return customer.call(t, http.MethodPost, "/Message/", map[string]any{"src": "14155550190", "dst": dst, "text": "x", "url": callbacks.url})
	}
	made := customer.call(t, http.MethodPost, "/Subaccount/", map[string]any{"name": "sub", "enabled": true}).want(t, http.StatusCreated)
	sub := made.text("auth_id")
	const ours, barred = "12125550123", "2348012345678"
	send(barred).want(t, http.StatusAccepted) // by default everything is on
	guard := "/accounts/" + authID + "/guard"
	customer.operate(t, http.MethodPost, guard, map[string]any{"geo": map[string]any{"countries": map[string]any{"NG": false}}}).want(t, http.StatusOK)
	refused := func(r *reply) {
		t.Helper()
		if r.want(t, http.StatusForbidden); r.text("error") != "geo-permission: the account does not send to NG" || r.text("api_id") == "" {
			t.Errorf("refused with %s", r.body)
		}
	}
	refused(send(barred))
	send(ours).want(t, http.StatusAccepted)
	ids := send(ours + "<" + barred).messages(t)
	if len(ids) != 2 || callbacks.await(t, ids[1], "failed").Get("ErrorCode") != "450" {
		t.Errorf("of two destinations: %v", ids)
	}
	fromSub := func() *reply {
		return customer.json(t, http.MethodPost, "/v1/Account/"+sub+"/Message/", map[string]any{"src": "447700900123", "dst": barred, "text": "x"}, asCustomer)
	}
	refused(fromSub())
	customer.operate(t, http.MethodPost, "/accounts/"+sub+"/guard", map[string]any{"geo": map[string]any{"countries": map[string]any{"NG": true}}}).want(t, http.StatusOK)
	fromSub().want(t, http.StatusAccepted)
	server.kill()
	customer.url = serve(t, data, "").url(t)
	refused(send(barred))
	fromSub().want(t, http.StatusAccepted)
}

// TestThreshold: messages beyond an account's threshold fail with 451 and a callback, its alert is told, and a crash in between forgets nothing.
func TestThreshold(t *testing.T) {
	alerts := make(chan map[string]any, 10)
	listener := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var alert map[string]any
		if json.NewDecoder(r.Body).Decode(&alert) == nil {
			alerts <- alert
		}
	}))
	t.Cleanup(listener.Close)
	data := t.TempDir()
	server := serve(t, data, "")
	customer, callbacks := newAccount(t, server.url(t)), newTold(t)
	pack := customer.powerpack(t, "threshold", "14155550190")
	if left := time.Until(time.Now().Truncate(time.Hour).Add(time.Hour)); left < time.Minute { // the hour must not end under way
		pause(left)
	}
	customer.operate(t, http.MethodPost, "/accounts/"+authID+"/guard", map[string]any{
		"thresholds": []map[string]any{{"country_iso2": "US", "per_hour": 5}}, "alert_url": listener.URL,
	}).want(t, http.StatusOK)
	send := func(n int) string {
		return customer.call(t, http.MethodPost, "/Message/", map[string]any{"powerpack_uuid": pack, "dst": destination(n), "text": "x", "url": callbacks.url}).messages(t)[0]
	}
	for n := range 3 {
		customer.awaitState(t, send(n), "delivered")
	}
	server.kill()
	customer.url = serve(t, data, "").url(t)
	for n := range 2 {
		customer.awaitState(t, send(10+n), "delivered")
	}
	select {
	case early := <-alerts:
		t.Fatalf("alerted before the threshold was passed: %v", early)
	default:
	}
	for n := range 2 {
		id := send(20 + n)
		record := customer.awaitState(t, id, "failed")
		if form := callbacks.await(t, id, "failed"); form.Get("ErrorCode") != "451" || record.text("error_code") != "451" {
			t.Errorf("failed with %s, %s in the record", form.Get("ErrorCode"), record.text("error_code"))
		}
	}
	select {
	case alert := <-alerts:
		message, _ := alert["message"].(string)
		if alert["auth_id"] != authID || alert["destination_country"] != "US" || alert["block"] != true || alert["alert_type"] != "sms_threshold_breach" || message == "" {
			t.Errorf("the alert says %v", alert)
		}
	case <-time.After(patience):
		t.Fatal("nobody was alerted")
	}
}
