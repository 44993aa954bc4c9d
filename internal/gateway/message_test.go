package gateway

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestTransitions is the whole table: every pair of state and trigger, and where it leads ("" stays).
func TestTransitions(t *testing.T) {
	table := map[State][triggerCount]string{
		//           AllSubmitted GaveUp AllDelivered OneUndelivered Handed Unhanded
		Queued:      {"sent", "failed", "", "", "", ""},
		Sent:        {"", "", "delivered", "undelivered", "", ""},
		Delivered:   {"", "", "", "", "", ""},
		Undelivered: {"", "", "", "", "", ""},
		Failed:      {"", "", "", "", "", ""},
		Received:    {"", "", "", "", "delivered", "undelivered"},
	}
	if len(table) != int(stateCount) {
		t.Fatalf("the table has %d states of %d", len(table), stateCount)
	}
	for state, row := range table {
		for trigger, want := range row {
			got := ""
			if next, ok := state.Next(Trigger(trigger)); ok {
				got = next.String()
			}
			if got != want {
				t.Errorf("%s, trigger %d: got %q, want %q", state, trigger, got, want)
			}
		}
	}
}

var at = time.UnixMilli(1_700_000_000_000)

func accepted(part int) PartResult {
	return PartResult{Number: part, Outcome: Outcome{Status: Accepted, CarrierID: "x"}, At: at}
}

func rejected(part int, reason Reason) PartResult {
	return PartResult{Number: part, Outcome: Outcome{Status: Rejected, Reason: reason, Detail: "ESME_RX"}, At: at}
}

func states(steps []Step) string {
	out := ""
	for _, s := range steps {
		out += s.State.String() + " "
	}
	return out
}

func TestProgress(t *testing.T) {
	delivered := Receipt{Outcome: ReceiptDelivered, At: at.Add(time.Second)}
	undelivered := Receipt{Outcome: ReceiptUndelivered, Reason: DestinationGone, Detail: "err:001", At: at.Add(time.Second)}
	cases := []struct {
		name  string
		total int
		do    func(p *Progress) []Step
		want  string
		final State
		why   Reason
	}{
		{"one part taken", 1, func(p *Progress) []Step { return p.Submitted(1, []PartResult{accepted(1)}) }, "sent ", Sent, 0},
		{"one part refused", 1, func(p *Progress) []Step { return p.Submitted(1, []PartResult{rejected(1, InvalidDestination)}) }, "failed ", Failed, InvalidDestination},
		{"first of two taken", 2, func(p *Progress) []Step { return p.Submitted(2, []PartResult{accepted(1)}) }, "", Queued, 0},
		{"two in two records", 2, func(p *Progress) []Step {
			return append(p.Submitted(2, []PartResult{accepted(1)}), p.Submitted(2, []PartResult{accepted(2)})...)
		}, "sent ", Sent, 0},
		{"second of two refused", 2, func(p *Progress) []Step {
			return p.Submitted(2, []PartResult{accepted(1), rejected(2, Spam)})
		}, "sent undelivered ", Undelivered, Spam},
		{"recorded twice", 1, func(p *Progress) []Step {
			p.Submitted(1, []PartResult{accepted(1)})
			return p.Submitted(1, []PartResult{accepted(1)})
		}, "", Sent, 0},
		{"delivered", 1, func(p *Progress) []Step {
			p.Submitted(1, []PartResult{accepted(1)})
			return p.Receipted(1, delivered)
		}, "delivered ", Delivered, 0},
		{"undelivered", 1, func(p *Progress) []Step {
			p.Submitted(1, []PartResult{accepted(1)})
			return p.Receipted(1, undelivered)
		}, "undelivered ", Undelivered, DestinationGone},
		{"delivered after undelivered", 1, func(p *Progress) []Step {
			p.Submitted(1, []PartResult{accepted(1)})
			p.Receipted(1, undelivered)
			return p.Receipted(1, delivered)
		}, "", Undelivered, DestinationGone},
		{"nothing final", 1, func(p *Progress) []Step {
			p.Submitted(1, []PartResult{accepted(1)})
			return p.Receipted(1, Receipt{Outcome: InTransit, At: at})
		}, "", Sent, 0},
		{"one of two delivered", 2, func(p *Progress) []Step {
			p.Submitted(2, []PartResult{accepted(1), accepted(2)})
			return p.Receipted(2, delivered)
		}, "", Sent, 0},
		{"same part delivered twice", 2, func(p *Progress) []Step {
			p.Submitted(2, []PartResult{accepted(1), accepted(2)})
			p.Receipted(2, delivered)
			return p.Receipted(2, delivered)
		}, "", Sent, 0},
		{"both delivered", 2, func(p *Progress) []Step {
			p.Submitted(2, []PartResult{accepted(1), accepted(2)})
			p.Receipted(2, delivered)
			return p.Receipted(1, delivered)
		}, "delivered ", Delivered, 0},
		{"receipt proves an unanswered submit", 1, func(p *Progress) []Step { return p.Receipted(1, delivered) }, "sent delivered ", Delivered, 0},
		{"receipt for the first of two, second still to go", 2, func(p *Progress) []Step {
			p.Submitted(2, []PartResult{accepted(1)})
			p.Receipted(1, delivered)
			return p.Submitted(2, []PartResult{accepted(2)})
		}, "sent ", Sent, 0},
		{"first of two undelivered, second still to go", 2, func(p *Progress) []Step {
			p.Submitted(2, []PartResult{accepted(1)})
			return p.Receipted(1, undelivered)
		}, "sent undelivered ", Undelivered, DestinationGone},
		{"expired", 1, func(p *Progress) []Step { return p.Fail(Expired, at) }, "failed ", Failed, Expired},
		{"expired after it was sent", 1, func(p *Progress) []Step {
			p.Submitted(1, []PartResult{accepted(1)})
			return p.Fail(Expired, at)
		}, "", Sent, 0},
		{"receipt after expiry", 1, func(p *Progress) []Step {
			p.Fail(Expired, at)
			return p.Receipted(1, delivered)
		}, "", Failed, Expired},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var p Progress
			p.Start(at)
			got := states(c.do(&p))
			if got != c.want || p.State != c.final || p.Reason != c.why {
				t.Errorf("steps %q, state %s, reason %d; want %q, %s, %d", got, p.State, p.Reason, c.want, c.final, c.why)
			}
		})
	}
}

// TestProgressOnlyMovesForward feeds any mixture of answers and receipts: a final state never changes, sequences count without
// a gap, and a message that is delivered has every part delivered.
func TestProgressOnlyMovesForward(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.IntRange(1, 5).Draw(t, "parts")
		var p Progress
		last := p.Start(at)
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			before := p
			part := rapid.IntRange(1, total).Draw(t, "part")
			var steps []Step
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0, 1:
				steps = p.Submitted(total, []PartResult{accepted(part)})
			case 2:
				steps = p.Submitted(total, []PartResult{rejected(part, Spam)})
			case 3:
				steps = p.Receipted(part, Receipt{Outcome: ReceiptDelivered, At: at})
			case 4:
				steps = p.Receipted(part, Receipt{Outcome: ReceiptUndelivered, Reason: NetworkError, At: at})
			case 5:
				steps = p.Fail(Expired, at)
			}
			if before.State.Final() && p.State != before.State {
				t.Fatalf("%s became %s", before.State, p.State)
			}
			for _, s := range steps {
				if s.Sequence != last.Sequence+1 {
					t.Fatalf("sequence %d after %d", s.Sequence, last.Sequence)
				}
				last = s
			}
			if last.State != p.State {
				t.Fatalf("the last step told %s, the message is %s", last.State, p.State)
			}
		}
		if p.State == Delivered && p.Delivered != AllParts(p.Parts) {
			t.Fatalf("delivered with parts %b of %d", p.Delivered, p.Parts)
		}
		if (p.State == Failed || p.State == Undelivered) && p.Reason == NoReason {
			t.Fatalf("%s without a reason", p.State)
		}
	})
}
