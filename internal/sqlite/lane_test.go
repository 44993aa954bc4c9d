package sqlite

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/heliograph/heliograph/internal/gateway"
)

// TestLanesOfSecondSchema opens a store whose messages were queued when a lane was a sender's alone.
func TestLanesOfSecondSchema(t *testing.T) {
	const one, two, sender = gateway.AccountID("MAONEONEONEONEONEONE"), gateway.AccountID("MATWOTWOTWOTWOTWOTWO"), "14155550101"
	dir := t.TempDir()
	steps := fstest.MapFS{}
	for _, name := range stepNames(t)[:2] {
		script, err := fs.ReadFile(schemaFiles, name)
		must(t, err)
		steps[name] = &fstest.MapFile{Data: script}
	}
	conn, err := sqlite.OpenConn(filepath.Join(dir, FileName), sqlite.OpenReadWrite, sqlite.OpenCreate, sqlite.OpenWAL)
	must(t, err)
	must(t, migrate(conn, steps))
	must(t, sqlitex.ExecuteScript(conn, fmt.Sprintf(`
		INSERT INTO accounts (id, parent, name, token, enabled, created_at) VALUES ('%s', '', 'One', x'00', 1, 1), ('%s', '', 'Two', x'00', 1, 1);
		INSERT INTO carriers (name) VALUES ('main');
		INSERT INTO powerpacks (id, account, name, pool, sticky, local_connect, application_type, application_id, priorities, created_at)
			VALUES (x'01010101010101010101010101010101', '%[1]s', 'p', x'02020202020202020202020202020202', 1, 1, '', '', '[]', 1);
		INSERT INTO messages (seq, tail, account, state, reason, parts, taken, refused, delivered, attempt, sequence, sent_at, reported_at,
			updated_at, shard, sender, carrier, units, accepted_at, expires_at, direction, service, dst, alphabet, picked_by, log, trackable,
			mark, marked_at, due_at)
		SELECT column1, 0, column2, column3, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, %[3]d, '%[4]s', 1, column4, 1, 1, 0, 1, '14155552671', 0, 1, 0, 0,
			column5, column6, column7
		FROM (VALUES (11, 1, 0, 1, 0, NULL, NULL), (12, 2, 0, 2, 0, NULL, NULL), (13, 1, 0, 4, 0, NULL, NULL), (14, 1, 1, 8, 0, NULL, NULL),
			(15, 1, 0, 16, 1, 5, NULL), (16, 2, 0, 32, 0, NULL, 6), (17, 2, 0, 64, 0, NULL, NULL));`,
		one, two, gateway.ShardOf(sender), sender), nil))
	must(t, conn.Close())

	ctx := context.Background()
	s := openIn(t, dir, slog.New(slog.DiscardHandler))
	defer s.Close()
	ofOne := gateway.LaneKey{Account: one, Sender: sender, Carrier: "main"}
	ofTwo := gateway.LaneKey{Account: two, Sender: sender, Carrier: "main"}
	lanes, err := s.Lanes(ctx)
	must(t, err)
	want := []gateway.LaneCount{{LaneKey: ofOne, Messages: 2, Units: 5}, {LaneKey: ofTwo, Messages: 2, Units: 66}}
	if diff := cmp.Diff(want, lanes, cmpopts.SortSlices(func(a, b gateway.LaneCount) bool { return a.Account < b.Account })); diff != "" {
		t.Error(diff)
	}
	queued, err := s.QueuedMessages(ctx, []gateway.LaneCursor{{LaneKey: ofTwo, Limit: 9}})
	must(t, err)
	if len(queued[0]) != 2 || queued[0][0].ID.Seq() != 12 || queued[0][1].ID.Seq() != 17 {
		t.Errorf("lane of two is %v", queued[0])
	}
	units, err := s.UnitsBefore(ctx, []gateway.LanePosition{{LaneKey: ofTwo, Seq: 17}, {LaneKey: ofOne, Seq: 17}})
	must(t, err)
	if diff := cmp.Diff([]int{2, 5}, units); diff != "" {
		t.Error(diff)
	}
	roster, err := s.Roster(ctx)
	must(t, err)
	if p := roster.Powerpacks[0]; p.Patience != 0 || p.Refresh || len(roster.Rates) != 0 {
		t.Errorf("powerpack %+v and rates %v of before there were any settings of them", p, roster.Rates)
	}
}

// TestLanesAreCountedFromTheirIndex looks at what SQLite does to count lanes: it opens the table, and reads nothing of it.
func TestLanesAreCountedFromTheirIndex(t *testing.T) {
	s := openTest(t)
	table, err := pragma(s.writer.conn, "SELECT rootpage FROM sqlite_schema WHERE name = 'messages'")
	must(t, err)
	for _, sql := range []string{countLanes, countBefore} {
		must(t, s.read(context.Background(), func(conn *sqlite.Conn) error {
			q := prepare(conn, "EXPLAIN "+sql)
			cursor, opened := int64(-1), false
			for q.next() {
				op, p1, p2 := q.stmt.ColumnText(1), q.stmt.ColumnInt64(2), q.stmt.ColumnInt64(3)
				switch {
				case op == "OpenRead" && p2 == table:
					cursor, opened = p1, true
				case opened && p1 == cursor && (op == "Column" || op == "SeekRowid" || op == "NotExists" || op == "FinishSeek"):
					t.Errorf("%s: %s reads the table", sql, op)
				case op == "SorterOpen":
					t.Errorf("%s: sorts", sql)
				}
			}
			return q.err
		}))
	}
}

// TestUnitsBeforeAreBounded counts lanes that are deeper than the bound: each has its part of it, and what one leaves is the next one's.
func TestUnitsBeforeAreBounded(t *testing.T) {
	s, l, ctx := openTest(t), newLife(""), context.Background()
	s.counted = 100
	lane := func(sender string, depth int) []gateway.LanePosition {
		var places []gateway.LanePosition
		batch := l.submissions(depth)
		for _, sub := range batch {
			m := sub.Messages[0]
			m.From, m.Units = sender, 2
			places = append(places, gateway.LanePosition{LaneKey: m.Lane(), Seq: m.ID.Seq()})
		}
		_, err := s.InsertMessages(ctx, batch)
		must(t, err)
		return places
	}
	shallow, deep, deeper := lane("1", 11), lane("2", 150), lane("3", 150)
	for _, test := range []struct {
		places []gateway.LanePosition
		want   []int
	}{
		{[]gateway.LanePosition{deep[149], deep[20], deep[100], deep[101]}, []int{200, 40, 200, 200}},
		{[]gateway.LanePosition{deep[149], shallow[10]}, []int{180, 20}},
		{[]gateway.LanePosition{deeper[149], deep[149]}, []int{100, 100}},
		{[]gateway.LanePosition{deeper[149], shallow[10], deep[30]}, []int{120, 20, 60}},
	} {
		units, err := s.UnitsBefore(ctx, test.places)
		must(t, err)
		if diff := cmp.Diff(test.want, units); diff != "" {
			t.Error(diff)
		}
	}
}
