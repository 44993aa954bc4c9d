package sqlite

import (
	"errors"

	"zombiezen.com/go/sqlite"

	"github.com/heliograph/heliograph/internal/gateway"
)

// errClosed is what every method answers after Close.
var errClosed = gateway.Errorf(gateway.Unavailable, "the store is closed")

// unavailable tells whether a write failed because it cannot be kept now: the disk is full, cannot be written or flushed, or the
// file is locked. The transaction was rolled back; later it may pass.
func unavailable(err error) bool {
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultFull, sqlite.ResultIOErr, sqlite.ResultBusy, sqlite.ResultLocked, sqlite.ResultNoMem,
		sqlite.ResultCantOpen, sqlite.ResultReadOnly, sqlite.ResultProtocol:
		return true
	}
	return false
}

// duplicate tells whether a write failed because a unique value is there already.
func duplicate(err error) bool {
	code := sqlite.ErrCode(err)
	return code == sqlite.ResultConstraintUnique || code == sqlite.ResultConstraintPrimaryKey || code == sqlite.ResultConstraintRowID
}

// isRefusal tells whether the error is one that a caller may see, made by the store itself.
func isRefusal(err error) bool {
	var refusal *gateway.Error
	return errors.As(err, &refusal)
}
