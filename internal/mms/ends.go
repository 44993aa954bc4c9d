package mms

import (
	"context"
	"errors"
	"io"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/media"
	"github.com/heliograph/heliograph/internal/trouble"
)

// Ends are what a carrier of MMS is connected to: where files come from, and who takes what the carrier brings. All must be set.
type Ends struct {
	// Files opens the files of a message, as they fit what the peer takes; each is closed by the carrier.
	Files func(ctx context.Context, m *gateway.Message) ([]*media.File, error)
	// OnReceipt takes a receipt and returns at once; done is called when it is on disk (nil) or cannot be kept.
	OnReceipt func(receipt gateway.Receipt, done func(error))

	// Whose tells which account rents a number.
	Whose func(number string) (gateway.AccountID, bool)
	// Receive writes a file to disk while it comes; Keep makes such files an account's, for a message that it has.
	Receive func(r io.Reader, most int64) (*media.Incoming, error)
	Keep    func(ctx context.Context, account gateway.AccountID, files []media.Addition) ([]gateway.ID, error)
	NewID   func() gateway.ID
	// OnPart takes a message from a handset and returns at once; done is called when it is on disk (nil), when nobody rents its number (a gateway.Error
	// of code NotFound), or when it cannot be kept.
	OnPart func(part gateway.InboundPart, done func(error))
}

// Check says what is not set.
func (e *Ends) Check() error {
	if e.Files == nil || e.OnReceipt == nil || e.Whose == nil || e.Receive == nil || e.Keep == nil || e.NewID == nil || e.OnPart == nil {
		return errors.New("mms: Files, OnReceipt, Whose, Receive, Keep, NewID and OnPart must be set")
	}
	return nil
}

// Record hands a receipt on and waits until it is on disk.
func (e *Ends) Record(ctx context.Context, receipt gateway.Receipt) error {
	return await(ctx, func(done func(error)) { e.OnReceipt(receipt, done) })
}

// await calls something that says later that it is done.
func await(ctx context.Context, begin func(done func(error))) error {
	ended := make(chan error, 1)
	begin(func(err error) { ended <- err })
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Unready is the outcome of a message whose files are not to be had. ctx is that of submits, which ends when the carrier stops.
func Unready(ctx context.Context, err error, log *trouble.Log) gateway.Outcome {
	var failure *media.Failure
	switch {
	case errors.As(err, &failure) && !failure.Temporary:
		return gateway.Outcome{Status: gateway.Rejected, Reason: failure.Reason, Detail: failure.Text}
	case ctx.Err() != nil:
		return gateway.Outcome{Status: gateway.NotSent, Detail: "the carrier has stopped"}
	}
	log.Happened(trouble.Matter{What: "files of messages cannot be read", Reason: trouble.Reason(err)})
	return gateway.Outcome{Status: gateway.Deferred, Detail: "its files cannot be read"}
}

// Close closes the files of a message that was sent, or was not.
func Close(files []*media.File) {
	for _, file := range files {
		_ = file.Close() // it was only read
	}
}
