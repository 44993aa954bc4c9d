package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/storetest"
)

var testKey = [32]byte{1, 2, 3}

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashFolder); dir != "" {
		if err := keepCommitting(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func TestStore(t *testing.T) {
	// Making the schema takes a quarter of a second under the race detector: it is made once, and copied for each test.
	empty := t.TempDir()
	must(t, openIn(t, empty, slog.New(slog.DiscardHandler)).Close())
	storetest.Run(t, func(t *testing.T) func() storetest.Store {
		dir := filepath.Join(t.TempDir(), "store")
		must(t, os.CopyFS(dir, os.DirFS(empty)))
		return func() storetest.Store { return openIn(t, dir, slog.New(slog.DiscardHandler)) }
	})
}

func openIn(t testing.TB, dir string, log *slog.Logger) *Store {
	t.Helper()
	s, err := Open(context.Background(), Options{Dir: dir, Key: testKey, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// openTest opens a store with one account that is closed with the test.
func openTest(t testing.TB) *Store {
	t.Helper()
	s := openIn(t, t.TempDir(), slog.New(slog.DiscardHandler))
	t.Cleanup(func() { _ = s.Close() })
	must(t, s.CreateAccount(context.Background(), gateway.Account{ID: benchAccount, Token: secretToken, CreatedAt: time.Now()}))
	return s
}

const secretToken = "abcdefghijklmnopqrstuvwxyz0123456789-_AB"

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused fails the test unless the error is a refusal with that code.
func refused(t testing.TB, err error, code gateway.ErrorCode) {
	t.Helper()
	var refusal *gateway.Error
	if !errors.As(err, &refusal) || refusal.Code != code {
		t.Fatalf("got error %v, want a refusal with code %d", err, code)
	}
}

func TestOneProcessAFolder(t *testing.T) {
	dir := t.TempDir()
	first := openIn(t, dir, slog.New(slog.DiscardHandler))
	_, err := Open(context.Background(), Options{Dir: dir, Key: testKey, Log: slog.New(slog.DiscardHandler)})
	if want := "data folder " + dir + " is in use by another process"; err == nil || err.Error() != want {
		t.Fatalf("got error %v, want %q", err, want)
	}
	must(t, first.Check(context.Background()))
	must(t, first.Close())
	must(t, openIn(t, dir, slog.New(slog.DiscardHandler)).Close())
}

func TestOpenRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		spoil string
		key   [32]byte
		want  string
	}{
		"a newer schema": {
			"PRAGMA user_version = 99", testKey,
			fmt.Sprintf("the database was written by a newer version of heliograph (schema 99, this one knows up to %d): start that version again or a later one",
				len(stepNames(t))),
		},
		"a file of another program": {"PRAGMA application_id = 7", testKey, "the database file is not one of heliograph's"},
		"another key":               {"", [32]byte{9}, errUnseal.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := openIn(t, dir, slog.New(slog.DiscardHandler))
			must(t, sqlitex.ExecuteScript(s.writer.conn, test.spoil, nil))
			must(t, s.Close())
			for range 2 { // the refusal leaves no lock behind
				_, err := Open(context.Background(), Options{Dir: dir, Key: test.key, Log: slog.New(slog.DiscardHandler)})
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Fatalf("got error %v, want one that says %q", err, test.want)
				}
			}
		})
	}
}

func TestSchemaStepIsWhole(t *testing.T) {
	conn, err := sqlite.OpenConn(":memory:", sqlite.OpenReadWrite, sqlite.OpenMemory)
	must(t, err)
	defer conn.Close()
	files := fstest.MapFS{
		"schema/0001_a.sql": {Data: []byte("CREATE TABLE a (x);")},
		"schema/0002_b.sql": {Data: []byte("CREATE TABLE b (x); CREATE TABLE a (x);")},
	}
	if err := migrate(conn, files); err == nil || !strings.Contains(err.Error(), "schema/0002_b.sql") {
		t.Fatalf("got error %v, want one that names the step", err)
	}
	version, err := pragma(conn, "PRAGMA user_version")
	must(t, err)
	tables, err := pragma(conn, "SELECT count(*) FROM sqlite_schema")
	must(t, err)
	if version != 1 || tables != 1 {
		t.Fatalf("after a failed second step: version %d, %d tables", version, tables)
	}
	files["schema/0002_b.sql"] = &fstest.MapFile{Data: []byte("CREATE TABLE b (x);")}
	must(t, migrate(conn, files))
	must(t, migrate(conn, files))
	if version, err = pragma(conn, "PRAGMA user_version"); err != nil || version != 2 {
		t.Fatalf("version %d, %v", version, err)
	}
}

func TestCommitsAreFlushed(t *testing.T) {
	s := openTest(t)
	conns := []*sqlite.Conn{s.writer.conn}
	for range readerCount {
		conns = append(conns, <-s.readers)
	}
	for range listerCount {
		conns = append(conns, <-s.listers)
	}
	for i, conn := range conns {
		for sql, want := range map[string]int64{"PRAGMA synchronous": 2, "PRAGMA query_only": int64(min(i, 1)), "PRAGMA wal_autocheckpoint": checkpointPages} {
			if got, err := pragma(conn, sql); err != nil || got != want {
				t.Errorf("connection %d: %s is %d (%v), want %d", i, sql, got, err, want)
			}
		}
		var mode string
		must(t, sqlitex.ExecuteTransient(conn, "PRAGMA journal_mode", &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
			mode = stmt.ColumnText(0)
			return nil
		}}))
		if mode != "wal" {
			t.Errorf("connection %d: journal mode %s", i, mode)
		}
		switch {
		case i > readerCount:
			s.listers <- conn
		case i > 0:
			s.readers <- conn
		}
	}
}

func TestSecretsAreSealed(t *testing.T) {
	s := openTest(t)
	account, err := s.Account(context.Background(), benchAccount)
	if err != nil || account.Token != secretToken {
		t.Fatalf("token %q, %v", account.Token, err)
	}
	files, err := filepath.Glob(filepath.Join(s.dir, "*"))
	must(t, err)
	for _, file := range files {
		content, err := os.ReadFile(file)
		must(t, err)
		if bytes.Contains(content, []byte(secretToken)) {
			t.Errorf("%s holds a token in clear", file)
		}
		info, err := os.Stat(file)
		must(t, err)
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s may be read by others: %s", file, info.Mode())
		}
	}
}

func TestSealedTokenStaysInItsRow(t *testing.T) {
	s := openTest(t)
	other := gateway.AccountID("MAOTHEROTHEROTHER000")
	must(t, s.CreateAccount(context.Background(), gateway.Account{ID: other, Token: "another token"}))
	must(t, sqlitex.ExecuteTransient(s.writer.conn, "UPDATE accounts SET token = (SELECT token FROM accounts WHERE id = ?1)",
		&sqlitex.ExecOptions{Args: []any{string(benchAccount)}}))
	if _, err := s.Account(context.Background(), other); !errors.Is(err, errUnseal) {
		t.Fatalf("got error %v for a token of another row", err)
	}
}

// logLines gathers what is logged.
type logLines struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *logLines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(line)
}

// A full disk is stood in for by a bound on the database's pages: SQLite answers it with the same code, SQLITE_FULL.
func TestFullDisk(t *testing.T) {
	ctx, lines := context.Background(), &logLines{}
	s := openIn(t, t.TempDir(), slog.New(slog.NewTextHandler(lines, nil)))
	defer func() { must(t, s.Close()) }()
	must(t, s.CreateAccount(ctx, gateway.Account{ID: benchAccount, CreatedAt: time.Now()}))
	l := newLife("http://127.0.0.1:9000/status")
	kept := l.submissions(10)
	_, err := s.InsertMessages(ctx, kept)
	must(t, err)
	pages, err := pragma(s.writer.conn, "PRAGMA page_count")
	must(t, err)
	bound(t, s, pages+2)

	var lost []*gateway.Submission
	for range 3 {
		lost = l.submissions(500)
		_, err := s.InsertMessages(ctx, lost)
		refused(t, err, gateway.Unavailable)
		must(t, s.Check(ctx)) // what is small may find room
	}
	for _, sub := range lost {
		_, err := s.Message(ctx, benchAccount, sub.Messages[0].ID)
		refused(t, err, gateway.NotFound)
	}
	_, total, err := s.Messages(ctx, gateway.MessageFilter{Account: benchAccount})
	if err != nil || total != 10 {
		t.Fatalf("%d messages after refused batches (%v), want 10", total, err)
	}

	bound(t, s, 1<<30)
	inserted, err := s.InsertMessages(ctx, lost)
	must(t, err)
	if last, next := s.writer.lastEvent, inserted[0].Events[0].ID; next != 11 || last != 510 {
		t.Errorf("events after refused batches have ids %d to %d, want 11 to 510", next, last)
	}
	for range calm {
		must(t, s.Check(ctx))
	}
	if errs, infos := strings.Count(lines.String(), "level=ERROR"), strings.Count(lines.String(), "level=INFO"); errs != 1 || infos != 1 {
		t.Errorf("the log has %d errors and %d all-clears, want one of each:\n%s", errs, infos, lines.String())
	}
	if strings.Contains(lines.String(), kept[0].Messages[0].To) || strings.Contains(lines.String(), kept[0].Messages[0].Text) {
		t.Errorf("the log has what is a customer's: %s", lines.String())
	}
}

func bound(t *testing.T, s *Store, pages int64) {
	t.Helper()
	_, err := pragma(s.writer.conn, fmt.Sprintf("PRAGMA max_page_count = %d", pages))
	must(t, err)
}

func TestUnavailable(t *testing.T) {
	for code, want := range map[sqlite.ResultCode]bool{
		sqlite.ResultFull: true, sqlite.ResultIOErrWrite: true, sqlite.ResultIOErrFsync: true, sqlite.ResultIOErrSHMSize: true,
		sqlite.ResultBusy: true, sqlite.ResultBusySnapshot: true, sqlite.ResultCantOpen: true,
		sqlite.ResultCorrupt: false, sqlite.ResultConstraintUnique: false, sqlite.ResultError: false, sqlite.ResultMisuse: false,
	} {
		if got := unavailable(fmt.Errorf("wrapped: %w", code.ToError())); got != want {
			t.Errorf("%s: unavailable is %t", code, got)
		}
	}
	if unavailable(errors.New("disk full")) || unavailable(nil) {
		t.Error("what is not an error of SQLite counts as one")
	}
}

func TestPanicRollsBack(t *testing.T) {
	s, ctx := openTest(t), context.Background()
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = s.write(ctx, func(tx *tx) error {
			must(t, execute(tx.conn, "DELETE FROM accounts"))
			panic("a bug")
		})
	}()
	must(t, s.Check(ctx))
	if _, err := s.Account(ctx, benchAccount); err != nil {
		t.Fatalf("the account is gone: %v", err)
	}
}

func TestContextEndsWaiting(t *testing.T) {
	s := openTest(t)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	s.writing <- struct{}{}
	if err := s.Check(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v from a write that waited with an ended context", err)
	}
	<-s.writing
	reading, cancelReading := context.WithCancel(context.Background())
	err := s.read(reading, func(conn *sqlite.Conn) error {
		cancelReading()
		return sqlitex.ExecuteTransient(conn, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n", nil)
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v from a statement whose context ended", err)
	}
	for range 2 * readerCount { // the connection is as good as new
		if _, err := s.Lanes(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestListTakesItsOwnTime(t *testing.T) {
	s, ctx := openTest(t), context.Background()
	var searching sync.WaitGroup
	found := make(chan struct{})
	for range listerCount { // searches that do not end by themselves
		searching.Go(func() {
			must(t, s.list(ctx, func(*sqlite.Conn) error { <-found; return nil }))
		})
	}
	for range 2 * readerCount {
		_, err := s.Lanes(ctx)
		must(t, err)
	}
	close(found)
	searching.Wait()
	s.patience = time.Nanosecond
	_, _, err := s.Messages(ctx, gateway.MessageFilter{Account: benchAccount})
	refused(t, err, gateway.Invalid)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, _, err := s.Messages(ended, gateway.MessageFilter{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v from a list whose context ended", err)
	}
}

// Many write and read at once; then the store closes under them. Whoever comes too late is told so, and nobody hangs.
func TestTogether(t *testing.T) {
	s, ctx := openTest(t), context.Background()
	var done, all sync.WaitGroup
	for worker := range 4 {
		l := newLife("http://127.0.0.1:9000/status")
		l.ids.Resume(int64(worker+1) << 58) // places in the order that no other worker has
		done.Go(func() {
			for range 20 {
				batch := l.submissions(5)
				if _, err := s.InsertMessages(ctx, batch); err != nil {
					t.Error(err)
				}
				list, receipts := records(batch)
				if _, err := s.RecordSubmits(ctx, list); err != nil {
					t.Error(err)
				}
				if _, err := s.ApplyReceipts(ctx, receipts); err != nil {
					t.Error(err)
				}
			}
		})
		all.Go(func() {
			var err error
			for err == nil {
				_, _, err = s.Messages(ctx, gateway.MessageFilter{Account: benchAccount, Limit: 20})
				if err == nil {
					_, err = s.Endpoints(ctx)
				}
				if err == nil {
					err = s.Check(ctx)
				}
			}
			var refusal *gateway.Error
			if !errors.As(err, &refusal) || refusal.Code != gateway.Unavailable {
				t.Errorf("a reader ended with %v", err)
			}
		})
	}
	done.Wait()
	must(t, s.Close())
	all.Wait()
}

func TestListUsesItsIndex(t *testing.T) {
	s := openTest(t)
	state := gateway.Sent
	filter := gateway.MessageFilter{Account: benchAccount, State: &state, After: time.Now(), To: "14155552671", Limit: 20}
	must(t, s.read(context.Background(), func(conn *sqlite.Conn) error {
		c, ok, err := s.messageConditions(conn, &filter, nil)
		if err != nil || !ok {
			return fmt.Errorf("no conditions: %w", err)
		}
		q := c.prepare(conn, "EXPLAIN QUERY PLAN SELECT seq FROM messages m", " ORDER BY seq DESC LIMIT ? OFFSET ?")
		defer q.finalize()
		q.int(20).int(0)
		var plan []string
		for q.next() {
			plan = append(plan, q.stmt.ColumnText(3))
		}
		if len(plan) != 1 || !strings.HasPrefix(plan[0], "SEARCH m USING INDEX messages_by_account (account=? AND seq>?)") {
			t.Errorf("the list is read by %q", plan)
		}
		return q.err
	}))
}

func TestPurgeLeavesNothingBehind(t *testing.T) {
	s, l, ctx := openTest(t), newLife("http://127.0.0.1:9000/status"), context.Background()
	batch := l.submissions(20)
	_, err := s.InsertMessages(ctx, batch)
	must(t, err)
	list, receipts := records(batch)
	for i, r := range list[:10] { // of two parts
		r.Total = 2
		r.Results = append(r.Results, gateway.PartResult{Number: 2, Outcome: gateway.Outcome{Status: gateway.Accepted, CarrierID: fmt.Sprint("second", i)}, At: r.At})
	}
	_, err = s.RecordSubmits(ctx, list)
	must(t, err)
	_, err = s.ApplyReceipts(ctx, append(receipts, gateway.Receipt{Carrier: "main", CarrierID: "nobody's", Outcome: gateway.ReceiptDelivered, At: time.Now()}))
	must(t, err)
	later := time.Now().Add(time.Hour)
	for more := true; more; {
		more, err = s.Purge(ctx, gateway.Retention{Texts: later, Records: later, Keys: later, Parked: later, Told: later})
		must(t, err)
	}
	for _, table := range []string{"messages", "parts", "events", "parked"} {
		if n, err := pragma(s.writer.conn, "SELECT count(*) FROM "+table); err != nil || n != 0 {
			t.Errorf("%d rows are left in %s (%v)", n, table, err)
		}
	}
	if s.writer.parked != 0 {
		t.Errorf("%d receipts count as parked", s.writer.parked)
	}
}

func TestStats(t *testing.T) {
	s := openTest(t)
	stats, err := s.Stats()
	if err != nil || stats.Database == 0 || stats.Log == 0 {
		t.Errorf("sizes %+v, %v", stats, err)
	}
}

func TestIDRoundTrip(t *testing.T) {
	l := newLife("")
	for i := range 1000 {
		id := l.ids.Next(time.UnixMilli(int64(i) * 7_777_777_777))
		if got := idOf(id.Seq(), tailOf(id)); got != id {
			t.Fatalf("%s came back as %s", id, got)
		}
	}
}
