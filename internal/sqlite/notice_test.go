package sqlite

import (
	"context"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

// TestNoticed: what was committed is handed over, and nothing else; in time it leaves the table.
func TestNoticed(t *testing.T) {
	ctx, s, now := context.Background(), openTest(t), time.Now()
	var told []gateway.Event
	s.Noticed = func(events []gateway.Event) { told = append(told, events...) }
	r := gateway.Registration{
		ID: "C000001", Kind: gateway.RegisteredCampaign, Account: benchAccount, Details: []byte("{}"), CreatedAt: now,
		Callback: gateway.Callback{URL: "https://example.com/", Method: "POST"},
	}
	must(t, s.CreateRegistration(ctx, r))
	for _, state := range []gateway.RegistrationState{gateway.Approved, gateway.Refused} {
		_, err := s.DecideRegistration(ctx, benchAccount, r.ID, gateway.Decision{State: state, DecidedAt: now})
		must(t, err)
	}
	if _, err := s.DecideRegistration(ctx, benchAccount, "C000002", gateway.Decision{DecidedAt: now}); err == nil {
		t.Error("what is not there was decided on")
	}
	if len(told) != 2 || told[0].ID == 0 || told[1].ID != told[0].ID+1 || told[1].Notice.State != gateway.Refused {
		t.Fatalf("told of %+v", told)
	}
	must(t, s.RecordAttempts(ctx, []gateway.Attempt{{Event: told[0].ID, Number: 1, AtMicro: now.UnixMicro(), Done: true}}))
	for _, step := range []struct {
		retention gateway.Retention
		left      int64
	}{
		{gateway.Retention{}, 2},
		{gateway.Retention{Told: now, Records: now.Add(-time.Second)}, 2},
		{gateway.Retention{Told: now.Add(time.Second)}, 1},
		{gateway.Retention{Records: now.Add(time.Second)}, 0},
	} {
		if _, err := s.Purge(ctx, step.retention); err != nil {
			t.Fatal(err)
		}
		if left := noticesIn(t, s); left != step.left {
			t.Errorf("%d notices are left, want %d", left, step.left)
		}
	}
}

func noticesIn(t *testing.T, s *Store) (n int64) {
	t.Helper()
	must(t, s.read(context.Background(), func(conn *sqlite.Conn) error {
		q := prepare(conn, "SELECT count(*) FROM notices")
		for q.next() {
			n = q.readInt()
		}
		return q.err
	}))
	return n
}
