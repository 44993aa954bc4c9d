package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestConversionFeedback: feedback on trackable messages, in both spellings of the path, becomes rates by carrier, sender and country and a metric,
// over a restart.
func TestConversionFeedback(t *testing.T) {
	data := t.TempDir()
	server := serve(t, data, "")
	customer := newAccount(t, server.url(t))
	pack := customer.powerpack(t, "conversion", "14155550190")
	send := func(n int, trackable any) string {
		id := customer.call(t, http.MethodPost, "/Message/", map[string]any{"powerpack_uuid": pack, "dst": destination(n), "text": "x", "trackable": trackable}).messages(t)[0]
		customer.awaitState(t, id, "delivered")
		return id
	}
	first, second, plain := send(1, true), send(2, "true"), send(3, false)
	send(4, true) // nobody says anything about it
	say := func(path, id, status string) *reply {
		path = strings.NewReplacer("{id}", id).Replace(path)
		return customer.json(t, http.MethodPost, path, map[string]string{"status": status, "timestamp": "2024-05-06T07:09:00.511Z"}, asCustomer)
	}
	lower, upper := "/v1/account/"+authID+"/message/{id}/conversion/", "/v1/Account/"+authID+"/Message/{id}/Conversion"
	said := say(lower, first, "CONVERTED_WITH_OTHERS").want(t, http.StatusOK)
	if said.text("conversion_uuid") != "conv-"+first || said.text("message_uuid") != first || said.text("message") != "successfully recorded." {
		t.Errorf("feedback was answered %s", said.body)
	}
	say(upper, first, "CONVERTED").want(t, http.StatusOK) // the last word holds
	say(upper, second, "NOT_CONVERTED").want(t, http.StatusOK)
	say(lower, plain, "CONVERTED").want(t, http.StatusBadRequest)
	say(lower, first, "BOUGHT").want(t, http.StatusBadRequest)
	say(lower, "019cb73d-0000-7000-8000-00000000dead", "CONVERTED").want(t, http.StatusNotFound)

	check := func() {
		t.Helper()
		for by, name := range map[string]string{"carrier": "loopback", "sender": "14155550190", "country": "US"} {
			r := customer.operate(t, http.MethodGet, "/conversions?by="+by+"&auth_id="+authID, nil).want(t, http.StatusOK)
			groups, _ := r.fields["conversions"].([]any)
			if len(groups) != 1 || !strings.Contains(string(r.body), name) {
				t.Fatalf("by %s: %s", by, r.body)
			}
			group := groups[0].(map[string]any)
			for field, want := range map[string]any{
				"messages": 3.0, "converted": 1.0, "converted_with_others": 0.0, "not_converted": 1.0, "pending": 1.0, "rate": 0.5,
			} {
				if group[field] != want {
					t.Errorf("by %s: %s is %v, want %v", by, field, group[field], want)
				}
			}
		}
		metrics, err := customer.do(within(t), http.MethodGet, "/metrics", "", nil, func(*http.Request) {})
		if err != nil || !strings.Contains(string(metrics.body), `heliograph_conversions{carrier="loopback",outcome="converted"} 1`) {
			t.Errorf("the metrics lack the conversions: %v", err)
		}
		tomorrow := time.Now().UTC().AddDate(0, 0, 1).Format(time.DateOnly)
		if r := customer.operate(t, http.MethodGet, "/conversions?from="+tomorrow, nil).want(t, http.StatusOK); len(r.fields["conversions"].([]any)) != 0 {
			t.Errorf("tomorrow's are %s", r.body)
		}
	}
	check()
	server.kill()
	customer.url = serve(t, data, "").url(t)
	check()
}
