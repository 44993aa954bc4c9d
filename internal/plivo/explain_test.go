package plivo

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mt"
)

func TestExplain(t *testing.T) {
	s := newServer(t)
	_, pack := s.givePowerpack("main")
	path := mainPath + "/Powerpack/" + pack + "/Explain/"
	near := &gateway.Number{Number: "14155550100", Type: gateway.LongCode}
	short := &gateway.Number{Number: "555444", Type: gateway.ShortCode}
	var asked gateway.Destination
	s.explain = func(to gateway.Destination, service gateway.Service) (mt.Explanation, error) {
		asked = to
		return mt.Explanation{
			Taken: mt.Candidate{Number: near, SendAt: start}, Rule: gateway.BySameArea, Habit: "14155550100", Senders: 2,
			Others: []mt.Candidate{{Number: short, Verdict: gateway.LacksService, SendAt: start}},
		}, nil
	}
	r := s.ok(s.do(ask{method: "GET", path: path + "?dst=%2B1+(415)+555-0123&type=MMS"}), 200)
	if asked.Number != "14155550123" || asked.AreaCode != "415" {
		t.Errorf("asked for %+v", asked)
	}
	delete(r.body, "api_id")
	want := map[string]any{
		"dst": "14155550123", "type": "mms", "error_code": nil, "error_message": "", "sticky_sender": "14155550100", "senders": 2.0,
		"sender": map[string]any{
			"number": "14155550100", "type": "longcode", "reason": "local connect, same area code", "estimated_send_time": stamp(start),
		},
		"others": []any{map[string]any{
			"number": "555444", "type": "shortcode", "reason": "it does not carry the service", "estimated_send_time": stamp(start),
		}},
	}
	if diff := cmp.Diff(want, r.body); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
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
	s.refused(s.do(ask{method: "GET", path: strings.Replace(path, pack, aPowerpack, 1) + "?dst=14155550123"}), 404, "not found")
}
