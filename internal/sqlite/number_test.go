package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/heliograph/heliograph/internal/gateway"
)

// stepNames are the names of the schema's files.
func stepNames(t testing.TB) []string {
	t.Helper()
	names, err := fs.Glob(schemaFiles, "schema/*.sql")
	must(t, err)
	return names
}

// TestNumbersOfFirstSchema opens a store whose numbers were written before they had an alias and an application.
func TestNumbersOfFirstSchema(t *testing.T) {
	const first = "schema/0001_start.sql"
	dir := t.TempDir()
	script, err := fs.ReadFile(schemaFiles, first)
	must(t, err)
	conn, err := sqlite.OpenConn(filepath.Join(dir, FileName), sqlite.OpenReadWrite, sqlite.OpenCreate, sqlite.OpenWAL)
	must(t, err)
	must(t, migrate(conn, fstest.MapFS{first: {Data: script}}))
	must(t, sqlitex.ExecuteScript(conn, `
		INSERT INTO accounts (id, parent, name, token, enabled, created_at) VALUES ('MAONEONEONEONEONEONE', '', 'One', x'00', 1, 1);
		INSERT INTO powerpacks (id, account, name, pool, sticky, local_connect, application_type, application_id, priorities, created_at)
			VALUES (x'01010101010101010101010101010101', 'MAONEONEONEONEONEONE', 'p', x'02020202020202020202020202020202', 1, 1, '', '', '[]', 1);
		INSERT INTO numbers (number, type, country, region, area_code, services, carrier, rate, daily_cap, account, pool, service, added_at, rented_at, place)
			VALUES ('14155550101', 1, 'US', 'CA', '415', 2, 'main', -1, 0, 'MAONEONEONEONEONEONE', x'02020202020202020202020202020202', 1, 2000000, 1000000, 2),
				('14155550102', 1, 'US', 'CA', '415', 2, 'main', -1, 0, NULL, NULL, 0, 3000000, 3000000, 1);`, nil))
	must(t, conn.Close())

	const account = "MAONEONEONEONEONEONE"
	ctx := context.Background()
	s := openIn(t, dir, slog.New(slog.DiscardHandler))
	rented, spare := time.UnixMicro(1000000).UTC(), time.UnixMicro(3000000).UTC()
	n := gateway.Number{
		Number: "14155550101", Type: gateway.LongCode, Country: "US", Region: "CA", AreaCode: "415", Services: gateway.Services(gateway.SMS),
		Carrier: "main", Rate: -1, Account: account, Pool: gateway.ID(slices.Repeat([]byte{2}, 16)), Service: gateway.SMS,
		AddedAt: time.UnixMicro(2000000).UTC(), RentedAt: rented,
	}
	m := n
	m.Number, m.Account, m.Pool, m.Service, m.AddedAt, m.RentedAt = "14155550102", "", gateway.ID{}, 0, spare, time.Time{}
	list, _, err := s.Numbers(ctx, gateway.NumberFilter{})
	must(t, err)
	if diff := cmp.Diff([]gateway.Number{m, n}, list); diff != "" {
		t.Fatal(diff)
	}
	alias := "front desk"
	must(t, s.ChangeNumber(ctx, account, n.Number, gateway.NumberChange{Alias: &alias}))
	must(t, s.CreateApplication(ctx, gateway.Application{ID: "77", Account: account, CreatedAt: spare}))
	must(t, s.RentNumber(ctx, account, m.Number, "77", spare))
	must(t, s.Close())

	s = openIn(t, dir, slog.New(slog.DiscardHandler)) // the step is not done twice
	defer s.Close()
	n.Alias, m.Account, m.Application, m.RentedAt = alias, account, "77", spare
	if list, _, err = s.Numbers(ctx, gateway.NumberFilter{Account: account}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]gateway.Number{n, m}, list); diff != "" {
		t.Fatal(diff)
	}
}

// TestNumbersAreFound looks at how searches are read: by the beginning of the number, not by walking over all that an account, a pool or
// the inventory has.
func TestNumbersAreFound(t *testing.T) {
	const ofAccount = "SEARCH numbers USING INDEX numbers_by_account_number (account=? AND number>? AND number<?)"
	s := openTest(t)
	for name, test := range map[string]struct {
		filter gateway.NumberFilter
		want   string
	}{
		"of an account":    {gateway.NumberFilter{Account: benchAccount, Prefixes: []string{"1415"}}, ofAccount},
		"of the inventory": {gateway.NumberFilter{Inventory: true, Country: "US", Pattern: "1415*55"}, ofAccount},
		"of a pool": {
			gateway.NumberFilter{Account: benchAccount, Pool: gateway.ID{1}, Prefixes: []string{"1415"}},
			"SEARCH numbers USING INDEX numbers_by_pool_number (pool=? AND number>? AND number<?)",
		},
		"of all": {gateway.NumberFilter{Prefixes: []string{"1415"}}, "SEARCH numbers USING PRIMARY KEY (number>? AND number<?)"},
	} {
		for _, head := range []string{"SELECT count(*) FROM numbers", "SELECT " + numberColumns + " FROM numbers"} {
			must(t, s.read(context.Background(), func(conn *sqlite.Conn) error {
				c := numberConditions(test.filter)
				q := c.prepare(conn, "EXPLAIN QUERY PLAN "+head, " ORDER BY place LIMIT 20")
				defer q.finalize()
				if !q.next() {
					return errors.Join(q.err, errors.New("no plan"))
				}
				if plan := q.stmt.ColumnText(3); plan != test.want {
					t.Errorf("%s: read by %q, want %q", name, plan, test.want)
				}
				return nil
			}))
		}
	}
}
