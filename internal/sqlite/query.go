package sqlite

import (
	"encoding/json"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
)

// query is a prepared statement at work: values are bound in the order of its parameters and read in the order of its columns. The first
// error stays and is given at the end, so that the lines between need not ask.
type query struct {
	stmt   *sqlite.Stmt
	bound  int // parameters so far
	column int // columns read of the current row
	err    error
}

// prepare takes a statement of the connection's cache, or makes it. SQL given here is constant text.
func prepare(conn *sqlite.Conn, sql string) query {
	stmt, err := conn.Prepare(sql)
	return query{stmt: stmt, err: err}
}

// execute runs a statement without parameters and rows.
func execute(conn *sqlite.Conn, sql string) error {
	q := prepare(conn, sql)
	return q.run()
}

func (q *query) int(v int64) *query {
	if q.err == nil {
		q.bound++
		q.stmt.BindInt64(q.bound, v)
	}
	return q
}

func (q *query) bool(v bool) *query {
	if v {
		return q.int(1)
	}
	return q.int(0)
}

func (q *query) null() *query {
	if q.err == nil {
		q.bound++
		q.stmt.BindNull(q.bound)
	}
	return q
}

func (q *query) text(v string) *query {
	if q.err == nil {
		q.bound++
		q.stmt.BindText(q.bound, v)
	}
	return q
}

// textOrNull binds the empty text as NULL.
func (q *query) textOrNull(v string) *query {
	if v == "" {
		return q.null()
	}
	return q.text(v)
}

func (q *query) float(v float64) *query {
	if q.err == nil {
		q.bound++
		q.stmt.BindFloat(q.bound, v)
	}
	return q
}

func (q *query) blob(v []byte) *query {
	if q.err == nil {
		q.bound++
		q.stmt.BindBytes(q.bound, v)
	}
	return q
}

// optional binds a value, or NULL when there is none.
func optional[T any](q *query, bind func(*query, T) *query, v *T) {
	if v == nil {
		q.null()
		return
	}
	bind(q, *v)
}

// time binds the zero time as 0.
func (q *query) time(t time.Time) *query { return q.int(micros(t)) }

// timeOrNull binds the zero time as NULL.
func (q *query) timeOrNull(t time.Time) *query {
	if t.IsZero() {
		return q.null()
	}
	return q.int(t.UnixMicro())
}

// json binds a value as JSON; an empty list and a zero value are the caller's to bind as NULL.
func (q *query) json(v any) *query {
	text, err := json.Marshal(v)
	if err != nil && q.err == nil {
		q.err = err
	}
	return q.text(string(text))
}

// list binds a list of texts as JSON, an empty one as NULL.
func (q *query) list(v []string) *query {
	if len(v) == 0 {
		return q.null()
	}
	return q.json(v)
}

// next steps to the next row. After the last one, or an error, the statement holds nothing any more.
func (q *query) next() bool {
	if q.err != nil {
		return false
	}
	row, err := q.stmt.Step()
	q.column, q.err = 0, err
	return row
}

// run steps a statement that gives no rows.
func (q *query) run() error {
	for q.next() {
	}
	return q.err
}

// end lets go of a statement whose rows were not all read.
func (q *query) end() {
	if q.stmt != nil {
		if err := q.stmt.Reset(); err != nil && q.err == nil {
			q.err = err
		}
	}
}

// again makes a statement whose rows were all read ready for other values.
func (q *query) again() {
	q.end()
	q.bound = 0
}

func (q *query) readInt() int64 {
	q.column++
	return q.stmt.ColumnInt64(q.column - 1)
}

func (q *query) readBool() bool { return q.readInt() != 0 }

func (q *query) readText() string {
	q.column++
	return q.stmt.ColumnText(q.column - 1)
}

func (q *query) readFloat() float64 {
	q.column++
	return q.stmt.ColumnFloat(q.column - 1)
}

func (q *query) readBlob() []byte {
	blob := make([]byte, q.stmt.ColumnLen(q.column))
	q.stmt.ColumnBytes(q.column, blob)
	q.column++
	return blob
}

// readTime reads 0 and NULL as the zero time.
func (q *query) readTime() time.Time { return timeOf(q.readInt()) }

// readJSON reads JSON into v; NULL leaves v alone.
func (q *query) readJSON(v any) {
	column := q.column
	q.column++
	if q.stmt.ColumnLen(column) == 0 {
		return
	}
	if err := json.Unmarshal([]byte(q.stmt.ColumnText(column)), v); err != nil && q.err == nil {
		q.err = fmt.Errorf("sqlite: column %d: %w", column, err)
	}
}

func (q *query) readList() []string {
	var list []string
	q.readJSON(&list)
	return list
}

// micros is a time as it is stored.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func timeOf(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}
