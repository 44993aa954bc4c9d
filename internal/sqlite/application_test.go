package sqlite

import (
	"context"
	"io/fs"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/fstest"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/heliograph/heliograph/internal/gateway"
)

// TestLinksBeforeApplications opens a store in which numbers and powerpacks were linked to applications before there were any: they are linked to
// none, and can be changed.
func TestLinksBeforeApplications(t *testing.T) {
	const account = gateway.AccountID("MAONEONEONEONEONEONE")
	dir, before := t.TempDir(), fstest.MapFS{}
	for _, name := range stepNames(t) {
		if name < "schema/0004_accounts.sql" {
			script, err := fs.ReadFile(schemaFiles, name)
			must(t, err)
			before[name] = &fstest.MapFile{Data: script}
		}
	}
	conn, err := sqlite.OpenConn(filepath.Join(dir, FileName), sqlite.OpenReadWrite, sqlite.OpenCreate, sqlite.OpenWAL)
	must(t, err)
	must(t, migrate(conn, before))
	must(t, sqlitex.ExecuteScript(conn, `
		INSERT INTO accounts (id, parent, name, token, enabled, created_at) VALUES ('MAONEONEONEONEONEONE', '', 'One', x'00', 1, 1);
		INSERT INTO powerpacks (id, account, name, pool, sticky, local_connect, application_type, application_id, priorities, created_at)
			VALUES (x'01010101010101010101010101010101', 'MAONEONEONEONEONEONE', 'p', x'02020202020202020202020202020202', 1, 1, 'xml', 'x', '[]', 1);
		INSERT INTO numbers (number, type, country, region, area_code, services, carrier, rate, daily_cap, account, pool, service, added_at, rented_at,
			place, application) VALUES ('14155550101', 1, 'US', 'CA', '415', 2, 'main', -1, 0, 'MAONEONEONEONEONEONE', NULL, 0, 1, 1, 1, '77')`, nil))
	must(t, conn.Close())

	ctx := context.Background()
	s := openIn(t, dir, slog.New(slog.DiscardHandler))
	defer s.Close()
	n, err := s.Number(ctx, account, "14155550101")
	must(t, err)
	packs, _, err := s.Powerpacks(ctx, account, 1, 0)
	must(t, err)
	if n.Application != "" || packs[0].ApplicationID != "" || packs[0].ApplicationType != "" {
		t.Errorf("still linked: %+v, %+v", n, packs[0])
	}
	packs[0].Name = "renamed"
	must(t, s.UpdatePowerpack(ctx, packs[0]))
	profile, err := s.Profile(ctx, account)
	if want := (gateway.Profile{Name: "One"}); err != nil || profile != want {
		t.Errorf("profile %+v, %v", profile, err)
	}
}
