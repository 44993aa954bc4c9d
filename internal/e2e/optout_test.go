package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// handset writes to a number of the account through the pretend network, and gives the message's id.
func (a *account) handset(t testing.TB, from, to, text string) string {
	t.Helper()
	return a.operate(t, http.MethodPost, "/loopback/inbound", map[string]any{"from": from, "to": to, "text": text}).want(t, http.StatusCreated).text("message_uuid")
}

// awaitOutbound waits until at least so many messages have gone from a number to a person, and gives them.
func (a *account) awaitOutbound(t testing.TB, from, to string, count int) []string {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		r := a.call(t, http.MethodGet, "/Conversation/?number="+from+"&dst="+to, nil).want(t, http.StatusOK)
		var ids []string
		for _, object := range r.fields["objects"].([]any) {
			if m := object.(map[string]any); m["message_direction"] == "outbound" {
				ids = append(ids, m["message_uuid"].(string))
			}
		}
		if len(ids) >= count {
			return ids
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d messages went out, not %d: %s", len(ids), count, r.body)
		}
		pause(20 * time.Millisecond)
	}
}

// wantOptedOut checks that a message failed because its destination has opted out, and costs nothing.
func (a *account) wantOptedOut(t testing.TB, id string) {
	t.Helper()
	r := a.record(t, id)
	if r.text("message_state") != "failed" || r.text("error_code") != "200" || r.text("total_amount") != "0.00000" {
		t.Errorf("message %s: %s, code %s, costs %s", id, r.text("message_state"), r.text("error_code"), r.text("total_amount"))
	}
}

const person = "14155550123"

// TestOptOut: who sends STOP is answered once and written to no more, by no road; who sends START is again.
func TestOptOut(t *testing.T) {
	sink := node(t, "sink.js", "AUTH_TOKEN="+authToken)
	statusURL := fmt.Sprintf("http://127.0.0.1:%d/status", sink.port(t))
	data, config := t.TempDir(), writePrices(t, priceList)
	server := serve(t, data, config)
	customer := newAccount(t, server.url(t))
	pack := customer.powerpack(t, "opted", "14155550190", "14155550191")
	send := func(arguments map[string]any) string {
		arguments["dst"], arguments["text"] = person, "x"
		return customer.call(t, http.MethodPost, "/Message/", arguments).messages(t)[0]
	}
	first := send(map[string]any{"powerpack_uuid": pack})
	sticky := customer.awaitState(t, first, "delivered").text("from_number")
	other := map[string]string{"14155550190": "14155550191", "14155550191": "14155550190"}[sticky]

	customer.handset(t, person, sticky, "Stop ")
	answer := customer.awaitOutbound(t, sticky, person, 2)
	for _, id := range answer {
		customer.awaitState(t, id, "delivered")
	}
	id := send(map[string]any{"src": sticky, "url": statusURL})
	customer.wantOptedOut(t, id)
	for {
		f := nextCallback(t, sink).Callback.Form
		if f["MessageUUID"] == id && f["Status"] == "failed" {
			if f["ErrorCode"] != "200" || f["TotalAmount"] != "0.00000" {
				t.Errorf("the callback is %v", f)
			}
			break
		}
	}
	customer.wantOptedOut(t, send(map[string]any{"powerpack_uuid": pack}))  // another number of the pool does not evade it
	customer.awaitState(t, send(map[string]any{"src": other}), "delivered") // of which nothing was said

	server.kill()
	server = serve(t, data, config)
	customer = newAccount(t, server.url(t))
	customer.wantOptedOut(t, send(map[string]any{"src": sticky}))
	customer.handset(t, person, sticky, "stop")
	customer.handset(t, person, sticky, "START")
	customer.awaitOutbound(t, sticky, person, 5) // the first, STOP's answer, two that failed, START's answer
	customer.awaitState(t, send(map[string]any{"src": sticky}), "delivered")
	customer.awaitState(t, send(map[string]any{"powerpack_uuid": pack}), "delivered")

	trail := customer.operate(t, http.MethodGet, "/opt-outs/audit?number="+person, nil).want(t, http.StatusOK)
	if trail.fields["total"] != 2.0 {
		t.Errorf("the audit trail is %s", trail.body)
	}
}

// TestOptOutOfCampaign: a word to one number of a campaign holds for all of its numbers, and only those; the operator takes it back.
func TestOptOutOfCampaign(t *testing.T) {
	server := serve(t, t.TempDir(), "")
	customer := newAccount(t, server.url(t))
	customer.operate(t, http.MethodPost, "/campaigns", map[string]any{"campaigns": []map[string]any{{"id": "C1", "auth_id": authID}}}).want(t, http.StatusOK)
	customer.rents(t, map[string]any{"campaign": "C1"}, "14155550190", "14155550191")
	customer.rents(t, nil, "14155550192")
	customer.handset(t, person, "14155550190", "unsubscribe")
	customer.awaitOutbound(t, "14155550190", person, 1)
	send := func(src string) string {
		return customer.call(t, http.MethodPost, "/Message/", map[string]any{"src": src, "dst": person, "text": "x"}).messages(t)[0]
	}
	customer.wantOptedOut(t, send("14155550190"))
	customer.wantOptedOut(t, send("14155550191"))
	customer.awaitState(t, send("14155550192"), "delivered")

	list := customer.operate(t, http.MethodGet, "/opt-outs?number="+person, nil).want(t, http.StatusOK)
	for _, object := range list.fields["opt_outs"].([]any) {
		source := object.(map[string]any)["source"].(string)
		customer.operate(t, http.MethodDelete, "/opt-outs?auth_id="+authID+"&number="+person+"&source="+source+"&note=asked+by+phone", nil).want(t, http.StatusOK)
	}
	customer.awaitState(t, send("14155550191"), "delivered")
}

// TestOptOutOfWhatWaits: what was accepted before the person's word and still waits does not leave either.
func TestOptOutOfWhatWaits(t *testing.T) {
	data := t.TempDir()
	server := serve(t, data, "")
	customer := newAccount(t, server.url(t))
	customer.rents(t, nil, "14155550190", "14155550191")
	customer.operate(t, http.MethodPost, "/carriers/loopback/pause", nil).want(t, http.StatusOK)
	var waiting []string
	for _, src := range []string{"14155550190", "14155550191"} {
		waiting = append(waiting, customer.call(t, http.MethodPost, "/Message/", map[string]any{"src": src, "dst": person, "text": "x"}).messages(t)[0])
	}
	file := fmt.Appendf(nil, "number,source\n%s,14155550190\n", person)
	imported, err := customer.do(within(t), http.MethodPost, "/admin/v1/opt-outs/import?auth_id="+authID+"&note=list", "text/csv", file, asOperator)
	if err != nil || imported.status != http.StatusOK || imported.fields["changed"] != 1.0 {
		t.Fatalf("%+v, %v", imported, err)
	}
	server.kill()
	server = serve(t, data, "") // what was said is not forgotten, and a restart resumes carriers
	customer = newAccount(t, server.url(t))
	customer.awaitState(t, waiting[0], "failed")
	customer.wantOptedOut(t, waiting[0])
	customer.awaitState(t, waiting[1], "delivered")
}
