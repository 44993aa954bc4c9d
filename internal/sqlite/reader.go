package sqlite

import (
	"context"
	"errors"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

// read runs fn on a connection that reads. What fn reads with one statement is of one moment; for several it uses snapshot. ctx
// interrupts a statement under way.
func (s *Store) read(ctx context.Context, fn func(*sqlite.Conn) error) error {
	return s.readFrom(ctx, s.readers, fn)
}

func (s *Store) readFrom(ctx context.Context, pool chan *sqlite.Conn, fn func(*sqlite.Conn) error) error {
	if s.isClosed() {
		return errClosed
	}
	var conn *sqlite.Conn
	select {
	case conn = <-pool:
	case <-s.closed:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { pool <- conn }()
	if ctx.Done() != nil {
		conn.SetInterrupt(ctx.Done())
		defer conn.SetInterrupt(nil)
	}
	err := fn(conn)
	if err != nil && ctx.Err() != nil && sqlite.ErrCode(err) == sqlite.ResultInterrupt {
		return ctx.Err()
	}
	return err
}

// snapshot runs fn on a connection that reads, where all statements see the rows of one moment.
func (s *Store) snapshot(ctx context.Context, fn func(*sqlite.Conn) error) error {
	return s.read(ctx, inSnapshot(fn))
}

func inSnapshot(fn func(*sqlite.Conn) error) func(*sqlite.Conn) error {
	return func(conn *sqlite.Conn) error {
		if err := execute(conn, "BEGIN"); err != nil {
			return err
		}
		err := fn(conn)
		conn.SetInterrupt(nil) // so that the end of the transaction is not interrupted
		if end := execute(conn, "COMMIT"); err == nil {
			err = end
		}
		return err
	}
}

// list is snapshot for lists with filters. They have connections of their own and a bounded time, so that nobody's search through
// millions of messages holds up a lane, a callback or, for long, somebody else's list.
func (s *Store) list(ctx context.Context, fn func(*sqlite.Conn) error) error {
	limited, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	err := s.readFrom(limited, s.listers, inSnapshot(fn))
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return gateway.Errorf(gateway.Invalid, "the list takes too long; narrow it by time")
	}
	return err
}
