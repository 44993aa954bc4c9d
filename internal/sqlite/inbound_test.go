package sqlite

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

// planOf is how a list of messages is read.
func planOf(t *testing.T, s *Store, filters []gateway.MessageFilter) (plan []string) {
	t.Helper()
	must(t, s.read(context.Background(), func(conn *sqlite.Conn) error {
		arms, err := s.messageFilters(conn, filters)
		if err != nil {
			return err
		}
		q := arms[len(arms)-1].prepare(conn, "EXPLAIN QUERY PLAN "+selectArms(arms), " ORDER BY 1 DESC LIMIT ? OFFSET ?")
		defer q.finalize()
		for q.int(20).int(0); q.next(); {
			plan = append(plan, q.stmt.ColumnText(3))
		}
		return q.err
	}))
	return plan
}

// Searches by a number read two indexes in the order of the list, and sort nothing.
func TestNumbersAreFoundByIndexes(t *testing.T) {
	s := openTest(t)
	for name, test := range map[string]struct {
		filter gateway.MessageFilter
		want   []string
	}{
		"to a number":   {gateway.MessageFilter{Account: benchAccount, To: "14155552671"}, []string{"messages_by_account (account=?)", "messages_received_at (account=? AND dst=?)"}},
		"from a number": {gateway.MessageFilter{Account: benchAccount, From: "14155552671"}, []string{"messages_by_account (account=?)", "messages_received_from (account=? AND sender=?)"}},
		"from and to": {
			gateway.MessageFilter{Account: benchAccount, From: "14155552671", To: "14155550101", After: time.Now()},
			[]string{"messages_by_account (account=? AND seq>?)", "messages_received_from (account=? AND sender=? AND seq>?)"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			plan := planOf(t, s, messageArms(&test.filter))
			text := strings.Join(plan, "\n")
			for _, want := range test.want {
				if !strings.Contains(text, "SEARCH m USING INDEX "+want) {
					t.Errorf("%s is not used by\n%s", want, text)
				}
			}
			if !strings.Contains(text, "MERGE") || strings.Contains(text, "TEMP B-TREE") {
				t.Errorf("the list is sorted:\n%s", text)
			}
		})
	}
}

// TestReceivedContentsAreGoneFromTheFiles: what must not be kept is in no file any more when it was handed over, or, where nobody is told, at once.
func TestReceivedContentsAreGoneFromTheFiles(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	s := openIn(t, dir, slog.New(slog.DiscardHandler))
	defer func() { must(t, s.Close()) }()
	must(t, s.CreateAccount(ctx, gateway.Account{ID: benchAccount, Token: secretToken}))
	must(t, s.CreateApplication(ctx, gateway.Application{ID: "1", Account: benchAccount, Message: gateway.Callback{URL: "http://127.0.0.1:9000/in", Method: "POST"}}))
	must(t, s.PutNumbers(ctx, benchNumbers(2)))
	application := "1"
	must(t, s.ChangeNumber(ctx, benchAccount, benchSender(1), gateway.NumberChange{Application: &application}))
	l := newLife("")
	receive := func(parts []gateway.InboundPart, to *gateway.Recipient) gateway.Arrival {
		arrival := l.receive(parts, to)
		arrival.Message.Log, arrival.Message.Text = gateway.LogNothing, ""
		for i := range parts {
			arrival.Message.Text += string(parts[i].Data.Octets)
		}
		arrival.Message.Subject = arrival.Message.Text
		return arrival
	}
	var attempts []gateway.Attempt
	for i := range 60 {
		part := gateway.InboundPart{
			Carrier: "main", Service: gateway.SMS, From: benchPerson(i), To: benchSender(i % 2), At: time.Now(), Reference: uint32(i), Total: 2,
			Data: gateway.UserData{Octets: []byte(strings.Repeat(secret, 3))},
		}
		for part.Number = 1; part.Number <= 2; part.Number++ {
			results, err := s.AddInboundParts(ctx, []gateway.InboundPart{part}, receive)
			must(t, err)
			for _, e := range results[0].Events {
				attempts = append(attempts, gateway.Attempt{Event: e.ID, Number: 1, AtMicro: 1, Done: i%4 == 1, GaveUp: i%4 != 1, Inbound: e.Message.ID})
			}
		}
	}
	scrubbed(t, s)
	if n := remains(t, dir, secret); n < len(attempts) || len(attempts) != 30 {
		t.Fatalf("%d copies of the contents are in the files while %d messages wait to be handed over", n, len(attempts))
	}
	for _, a := range attempts {
		must(t, s.RecordAttempts(ctx, []gateway.Attempt{a}))
	}
	if remains(t, dir, secret) == 0 {
		t.Error("nothing is left for Scrub to do")
	}
	scrubbed(t, s)
	if n := remains(t, dir, secret); n != 0 {
		t.Errorf("%d copies of the contents are left", n)
	}
}

// What an account waits for is counted as it is.
func TestRoomIsCounted(t *testing.T) {
	s, l, ctx := openTest(t), newLife(""), context.Background()
	must(t, s.PutNumbers(ctx, benchNumbers(3)))
	s.room = 5 * (segmentOverhead + 10)
	for i := range 200 {
		part := gateway.InboundPart{
			Carrier: "main", Service: gateway.SMS, From: benchPerson(i * i % 7), To: benchSender(i % 3), At: time.UnixMilli(int64(1_000_000 + i)),
			Reference: uint32(i % 2), Number: 1 + i%5%3, Total: 3, Data: gateway.UserData{Octets: []byte(fmt.Sprintf("%010d", i%4))},
		}
		_, err := s.AddInboundParts(ctx, []gateway.InboundPart{part}, l.receive)
		must(t, err)
		if i%9 == 0 {
			_, err := s.CompleteInbound(ctx, part.At.Add(-5*time.Millisecond), 3, l.receive)
			must(t, err)
		}
		for sql, most := range map[string]int64{
			"SELECT ifnull(sum(size), 0) FROM inbound_rooms": int64(s.room),
			"SELECT abs((SELECT ifnull(sum(size), 0) FROM inbound_rooms) - (SELECT ifnull(sum(size), 0) FROM inbound_waiting WHERE since > 1))": 0,
			"SELECT abs((SELECT ifnull(sum(came), 0) FROM inbound_waiting) - (SELECT count(*) FROM inbound_segments))":                          0,
		} {
			if n, err := pragma(s.writer.conn, sql); err != nil || n > most {
				t.Fatalf("after %d parts: %s is %d (%v), at most %d", i+1, sql, n, err, most)
			}
		}
	}
	_, err := s.CompleteInbound(ctx, time.UnixMilli(2_000_000), 1000, l.receive)
	must(t, err)
	for _, table := range []string{"inbound_waiting", "inbound_segments", "inbound_rooms WHERE size <> 0"} {
		if n, err := pragma(s.writer.conn, "SELECT count(*) FROM "+table); err != nil || n != 0 {
			t.Errorf("%d rows are left in %s (%v)", n, table, err)
		}
	}
}

// What sessions have acknowledged leaves no rows, and a purge removes what is known no longer.
func TestSeenIsForgotten(t *testing.T) {
	s, l, ctx := openTest(t), newLife(""), context.Background()
	must(t, s.PutNumbers(ctx, benchNumbers(400)))
	seen := func(want int64) {
		t.Helper()
		if n, err := pragma(s.writer.conn, "SELECT count(*) FROM inbound_seen"); err != nil || n != want {
			t.Fatalf("%d parts are known (%v), want %d", n, err, want)
		}
	}
	start := time.Now()
	bring := func(n int, session uint64, at time.Time) {
		parts := l.inbound(n)
		for i := range parts {
			parts[i].Identity.Session, parts[i].At = session, at
		}
		_, err := s.AddInboundParts(ctx, parts, l.receive)
		must(t, err)
	}
	bring(30, 1, start)
	bring(20, 2, start)
	must(t, s.SettleSessions(ctx, map[uint64]time.Time{1: start}))
	seen(20)
	bring(2*seenBatch, 0, start)
	bring(7, 0, start.Add(gateway.RepeatWindow))
	steps := 0
	for more := true; more; steps++ {
		var err error
		more, err = s.Purge(ctx, gateway.Retention{})
		must(t, err)
	}
	seen(7)
	if steps < 3 {
		t.Errorf("all was removed in %d steps", steps)
	}
}
