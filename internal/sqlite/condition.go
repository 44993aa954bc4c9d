package sqlite

import (
	"fmt"
	"strings"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

// conditions is a WHERE clause that depends on a filter. Its SQL is made of constant pieces; values are always bound.
type conditions struct {
	sql    []string
	values []any // string, int64 or gateway.ID
}

func (c *conditions) add(sql string, value any) {
	c.values = append(c.values, value)
	c.sql = append(c.sql, c.numbered(sql))
}

// numbered gives the parameter of a piece ("?" or, where it comes twice, "?1") the number of the newest value.
func (c *conditions) numbered(sql string) string {
	place := fmt.Sprintf("?%d", len(c.values))
	return strings.ReplaceAll(strings.ReplaceAll(sql, "?1", "?"), "?", place)
}

// addConstant adds a piece without a value.
func (c *conditions) addConstant(sql string) { c.sql = append(c.sql, sql) }

// addAny adds pieces of which any may hold, one for each value.
func (c *conditions) addAny(sql string, values []any) {
	pieces := make([]string, len(values))
	for i, value := range values {
		c.values = append(c.values, value)
		pieces[i] = c.numbered(sql)
	}
	c.sql = append(c.sql, "("+strings.Join(pieces, " OR ")+")")
}

func (c *conditions) where() string {
	if len(c.sql) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.sql, " AND ")
}

// transient is a query whose statement is not kept: filters come in more combinations than are worth a place in the cache.
type transient struct{ query }

// prepare makes the statement "head WHERE … tail" and binds the conditions' values; parameters of the tail follow.
func (c *conditions) prepare(conn *sqlite.Conn, head, tail string) *transient {
	stmt, _, err := conn.PrepareTransient(head + c.where() + tail)
	t := &transient{query{stmt: stmt, err: err}}
	for _, value := range c.values {
		switch v := value.(type) {
		case string:
			t.text(v)
		case int64:
			t.int(v)
		case gateway.ID:
			t.blob(v[:])
		}
	}
	return t
}

func (t *transient) finalize() {
	if t.stmt == nil {
		return
	}
	if err := t.stmt.Finalize(); err != nil && t.err == nil {
		t.err = err
	}
}

// values makes small numbers into values of conditions.
func values[N ~uint8](list []N) []any {
	all := make([]any, len(list))
	for i, n := range list {
		all[i] = int64(n)
	}
	return all
}

// limitOf is a filter's limit in SQL, where -1 is none.
func limitOf(limit int) int64 {
	if limit <= 0 {
		return -1
	}
	return int64(limit)
}
