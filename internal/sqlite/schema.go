package sqlite

import (
	"embed"
	"fmt"
	"io/fs"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// schemaFiles are the steps of the schema, in the order of their names. A step that was released is never edited.
//
//go:embed schema/*.sql
var schemaFiles embed.FS

// applicationID marks database files as ours (PRAGMA application_id): "HELI".
const applicationID = 0x48454c49

// migrate brings the schema up to what this program knows. Each step is a transaction of its own; the number of steps done is kept in
// the file's header (PRAGMA user_version).
func migrate(conn *sqlite.Conn, files fs.FS) error {
	names, err := fs.Glob(files, "schema/*.sql")
	if err != nil {
		return err
	}
	version, err := pragma(conn, "PRAGMA user_version")
	if err != nil {
		return err
	}
	if version > int64(len(names)) {
		return fmt.Errorf("the database was written by a newer version of heliograph (schema %d, this one knows up to %d): start that version again or a later one",
			version, len(names))
	}
	owner, err := pragma(conn, "PRAGMA application_id")
	if err != nil {
		return err
	}
	if version > 0 && owner != applicationID {
		return fmt.Errorf("the database file is not one of heliograph's")
	}
	for i := int(version); i < len(names); i++ {
		if err := step(conn, files, names[i], i+1); err != nil {
			return fmt.Errorf("schema step %s: %w", names[i], err)
		}
	}
	return nil
}

func step(conn *sqlite.Conn, files fs.FS, name string, version int) (err error) {
	script, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	end, err := sqlitex.ImmediateTransaction(conn)
	if err != nil {
		return err
	}
	defer end(&err)
	if err := sqlitex.ExecuteScript(conn, string(script), nil); err != nil {
		return err
	}
	pragmas := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d;", applicationID, version)
	return sqlitex.ExecuteScript(conn, pragmas, nil)
}

// pragma reads a setting of the connection or the file that is a number.
func pragma(conn *sqlite.Conn, sql string) (value int64, err error) {
	err = sqlitex.ExecuteTransient(conn, sql, &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		value = stmt.ColumnInt64(0)
		return nil
	}})
	return value, err
}
