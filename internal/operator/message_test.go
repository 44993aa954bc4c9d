package operator

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
)

func (f *fixture) Messages(_ context.Context, filter gateway.MessageFilter) ([]*gateway.Message, int, error) {
	f.listed = filter
	if f.message == nil {
		return nil, 0, f.fail
	}
	return []*gateway.Message{f.message}, 7, f.fail
}

func TestListMessages(t *testing.T) {
	f := newFixture()
	f.message = &gateway.Message{
		ID: f.IDs.Next(noon), Account: anAccount, From: "14155550100", To: "14155550123", Text: "the secret text", Country: "US", Service: gateway.SMS, Units: 2,
		Price: gateway.Price{Rate: 550, Fee: 300}, Log: gateway.LogNumberOnly, AcceptedAt: noon, ExpiresAt: noon.Add(time.Hour),
		Progress: gateway.Progress{State: gateway.Undelivered, Reason: gateway.Spam},
	}
	_, fields := f.call(t, "GET", "/admin/v1/messages", "", bearer)
	if fields["total"] != 7.0 || (f.listed.Limit != defaultListed) {
		t.Errorf("%v, asked for %+v", fields, f.listed)
	}
	shown := fields["messages"].([]any)[0].(map[string]any)
	for name, want := range map[string]any{
		"auth_id": string(anAccount), "direction": "outbound", "type": "sms", "state": "undelivered", "reason": "stopped by a filter of the carrier",
		"cost": "0.01700", "log": "number_only",
	} {
		if shown[name] != want {
			t.Errorf("%s is %v, want %v", name, shown[name], want)
		}
	}
	for _, value := range shown {
		if text, _ := value.(string); strings.Contains(text, "secret") || strings.Contains(text, "14155550123") {
			t.Errorf("it shows %q", text)
		}
	}
	f.message.State = gateway.Failed
	_, fields = f.call(t, "GET", "/admin/v1/messages", "", bearer)
	if cost := fields["messages"].([]any)[0].(map[string]any)["cost"]; cost != "0.00000" {
		t.Errorf("a failed message costs %v", cost)
	}
}

func TestMessageFilters(t *testing.T) {
	f := newFixture()
	queued, inbound, pack := gateway.Queued, gateway.Inbound, f.IDs.Next(noon)
	for query, want := range map[string]gateway.MessageFilter{
		"state=queued": {State: &queued, Limit: 100}, "direction=Inbound": {Direction: &inbound, Limit: 100}, "type=MMS": {Service: gateway.MMS, Limit: 100},
		"sender=%2B1+415+555+0100&limit=5&offset=10":                                      {From: "14155550100", Limit: 5, Offset: 10},
		"country_iso2=ca&campaign=C1&auth_id=" + string(anAccount):                        {Country: "CA", Campaign: "C1", Account: anAccount, Limit: 100},
		"powerpack_uuid=" + pack.String() + "&from=2026-05-06&until=2026-05-06T12:00:00Z": {Powerpack: pack, After: noon.Add(-12 * time.Hour), Before: noon, Limit: 100},
	} {
		if status, fields := f.call(t, "GET", "/admin/v1/messages?"+query, "", bearer); status != http.StatusOK {
			t.Errorf("%s: %d %v", query, status, fields)
		}
		if diff := gocmp.Diff(want, f.listed); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	for _, query := range []string{
		"state=lost", "direction=up", "type=fax", "sender=%2B", "country_iso2=ZZ", "powerpack_uuid=1", "from=noon", "until=1", "limit=1001", "offset=-1", "auth_id=me", "dst=1",
	} {
		if status, fields := f.call(t, "GET", "/admin/v1/messages?"+query, "", bearer); status != http.StatusBadRequest || fields["error"] == "" {
			t.Errorf("%s: %d %v", query, status, fields)
		}
	}
}

// TestReasonsInWords: every reason that a message can have is said.
func TestReasonsInWords(t *testing.T) {
	for _, reason := range gateway.Reasons() {
		if reasons[reason] == "" {
			t.Errorf("reason %d is not said", reason)
		}
	}
}
