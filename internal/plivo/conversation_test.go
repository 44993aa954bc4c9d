package plivo

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
)

const conversationPath = mainPath + "/Conversation/"

// TestConversation: both directions of a pair in order, with the texts that may be shown.
func TestConversation(t *testing.T) {
	s := newServer(t)
	say := func(after time.Duration, change func(*gateway.Message)) string {
		return s.giveMessage(func(m *gateway.Message) {
			m.AcceptedAt = s.now.Add(after)
			change(m)
		}).ID.String()
	}
	in := func(m *gateway.Message) {
		m.Direction, m.From, m.To, m.Text, m.State = gateway.Inbound, "14152223333", "14155550100", "Hello?", gateway.Received
	}
	first := say(0, in)
	second := say(time.Second, func(m *gateway.Message) { m.Text = "Hello!" })
	third := say(2*time.Second, func(m *gateway.Message) { m.From, m.Text, m.Log = "14155550101", "secret", gateway.LogNumberOnly })
	fourth := say(3*time.Second, func(m *gateway.Message) { m.Text = "" }) // not kept any more
	say(4*time.Second, func(m *gateway.Message) { m.To = "14152223334" })
	say(5*time.Second, func(m *gateway.Message) { in(m); m.Log = gateway.LogNothing })
	say(6*time.Second, func(m *gateway.Message) { m.Account = strangerID })

	type told struct{ ID, Direction, Text any }
	for _, test := range []struct {
		query string
		want  []told
	}{
		{"?dst=14152223333", []told{{first, "inbound", "Hello?"}, {second, "outbound", "Hello!"}, {third, "outbound", redactedText}, {fourth, "outbound", nil}}},
		{"?dst=%2B1-415-222-3333&order=DESC&limit=2", []told{{fourth, "outbound", nil}, {third, "outbound", redactedText}}},
		{"?dst=14152223333&number=14155550100", []told{{first, "inbound", "Hello?"}, {second, "outbound", "Hello!"}, {fourth, "outbound", nil}}},
		{"?dst=14152223333&number=14155550101", []told{{third, "outbound", redactedText}}},
		{"?dst=14152223333&offset=3&order=asc", []told{{fourth, "outbound", nil}}},
		{"?dst=14152229999", nil},
	} {
		r := s.ok(s.do(ask{method: "GET", path: conversationPath + test.query}), 200)
		var got []told
		for _, m := range r.objects() {
			got = append(got, told{m["message_uuid"], m["message_direction"], m["text"]})
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", test.query, diff)
		}
	}
	s.ok(s.do(ask{method: "GET", path: conversationPath + "?dst=VERIFY&message_time__gte=2026-03-04&message_time__lt=2026-03-05"}), 200)
	want := gateway.ConversationFilter{
		Account: mainID, Person: "VERIFY", After: start.Truncate(24 * time.Hour), Before: start.Truncate(24 * time.Hour).Add(24 * time.Hour), OldestFirst: true, Limit: 20,
	}
	if diff := cmp.Diff(want, s.store.talk); diff != "" {
		t.Error(diff)
	}
	for query, text := range map[string]string{
		"":                                    "dst parameter not present",
		"?dst=%2B":                            "dst is not a number",
		"?dst=14152223333&number=-":           "number is not a number",
		"?dst=14152223333&order=new":          "order must be asc or desc",
		"?dst=14152223333&message_time__lt=x": "message_time__lt must be a time in the form YYYY-MM-DD HH:MM[:SS[.ffffff]]",
		"?dst=14152223333&limit=0":            "limit must be a whole number from 1 to 20",
	} {
		s.refused(s.do(ask{method: "GET", path: conversationPath + query}), 400, text)
	}
}
