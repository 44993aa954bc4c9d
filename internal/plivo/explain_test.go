package plivo

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mt"
)

func TestExplain(t *testing.T) {
	s := newServer(t)
	_, pack := s.givePowerpack("main")
	path := mainPath + "/Powerpack/" + pack + "/Explain/"
	near := &gateway.Number{Number: "14155550100", Type: gateway.LongCode, Campaign: "C1"}
	short := &gateway.Number{Number: "555444", Type: gateway.ShortCode}
	never := &gateway.Number{Number: "18005550100", Type: gateway.TollFree, Paused: true}
	var asked mt.Question
	s.explain = func(q mt.Question) (mt.Explanation, error) {
		asked = q
		return mt.Explanation{
			Taken: mt.Candidate{Number: near, SendAt: start, QueuedUnits: 7, Health: mt.SenderHealth{Ended: 3, Delivered: 2, Standing: "probing"}},
			Rule:  gateway.BySameArea, Habit: "14155550100", Senders: 3,
			Others: []mt.Candidate{{Number: short, Verdict: gateway.LacksService, SendAt: start}, {Number: never, Verdict: gateway.NotBeforeExpiry}},
		}, nil
	}
	r := s.ok(s.do(ask{method: "GET", path: path + "?dst=%2B1+(415)+555-0123&type=MMS&message_expiry=60"}), 200)
	id, _ := gateway.ParseID(pack)
	question := mt.Question{
		Account: mainID, Powerpack: id, To: gateway.Destination{Number: "14155550123", Country: "US", Region: "CA", AreaCode: "415"},
		Service: gateway.MMS, Expiry: time.Minute,
	}
	if diff := cmp.Diff(question, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	s.ok(s.do(ask{method: "GET", path: path + "?dst=14155550123&text=" + strings.Repeat("a", 400)}), 200)
	if asked.Units != 3 {
		t.Errorf("asked for %d units", asked.Units)
	}
	delete(r.body, "api_id")
	want := map[string]any{
		"dst": "14155550123", "type": "mms", "error_code": nil, "error_message": "", "sticky_sender": "14155550100", "senders": 3.0,
		"sender": map[string]any{
			"number": "14155550100", "type": "longcode", "reason": "local connect, same area code", "estimated_send_time": stamp(start),
			"queued_units": 7.0, "campaign_id": "C1", "delivery_rate": 0.6667, "delivery_samples": 3.0, "health": "probing", "rests_until": nil,
		},
		"others": []any{map[string]any{
			"number": "555444", "type": "shortcode", "reason": "it does not carry the service", "estimated_send_time": stamp(start),
			"queued_units": 0.0, "campaign_id": "", "delivery_rate": nil, "delivery_samples": 0.0, "health": "well", "rests_until": nil,
		}, map[string]any{
			"number": "18005550100", "type": "tollfree", "reason": "it is not free before the message expires", "estimated_send_time": nil,
			"queued_units": 0.0, "campaign_id": "", "delivery_rate": nil, "delivery_samples": 0.0, "health": "well", "rests_until": nil,
		}},
	}
	if diff := cmp.Diff(want, r.body); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestExplainHealth(t *testing.T) {
	c := &mt.Candidate{Number: &gateway.Number{}}
	rest := start.Add(time.Hour).In(time.FixedZone("x", 3600))
	for _, test := range []struct {
		health mt.SenderHealth
		rate   any
		state  string
		until  any
	}{
		{mt.SenderHealth{}, nil, "well", nil},
		{mt.SenderHealth{Ended: 10, Standing: "well"}, 0.0, "well", nil},
		{mt.SenderHealth{Ended: 10, Delivered: 10, Standing: "probing"}, 1.0, "probing", nil},
		{mt.SenderHealth{Ended: 7, Delivered: 1, Standing: "resting", RestsUntil: rest}, 0.1429, "resting", stamp(start.Add(time.Hour))},
	} {
		c.Health = test.health
		shown := showSender(c, "")
		var rate, until any
		if shown.DeliveryRate != nil {
			rate = *shown.DeliveryRate
		}
		if shown.RestsUntil != nil {
			until = *shown.RestsUntil
		}
		if rate != test.rate || shown.Health != test.state || until != test.until || shown.DeliverySamples != test.health.Ended {
			t.Errorf("%+v became %v, %d, %s, %v", test.health, rate, shown.DeliverySamples, shown.Health, until)
		}
	}
}

func TestExplainNobody(t *testing.T) {
	s := newServer(t)
	_, pack := s.givePowerpack("main")
	path := mainPath + "/Powerpack/" + pack + "/Explain/"
	r := s.ok(s.do(ask{method: "GET", path: path + "?dst=14155550123"}), 200)
	if r.body["sender"] != nil || r.body["error_code"] != "40" || r.body["error_message"] == "" {
		t.Errorf("got %v", r.body)
	}
	s.refused(s.do(ask{method: "GET", path: path}), 400, "'' is not a valid phone number.")
	s.refused(s.do(ask{method: "GET", path: path + "?dst=1111111"}), 400, "'1111111' is not a valid phone number.")
	s.refused(s.do(ask{method: "GET", path: path + "?dst=14155550123&type=fax"}), 400, "type must be sms or mms")
	for _, expiry := range []string{"4", "10800", "soon"} {
		r := s.do(ask{method: "GET", path: path + "?dst=14155550123&message_expiry=" + expiry})
		s.refused(r, 400, "message_expiry must be a whole number from 5 to 10799")
	}
	s.refused(s.do(ask{method: "GET", path: strings.Replace(path, pack, aPowerpack, 1) + "?dst=14155550123"}), 404, "not found")
}
