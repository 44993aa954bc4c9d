package plivo

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/groupcommit"
)

// Bounds of a batch of feedback and of the callers waiting for one.
const (
	feedbackBatch   = 500
	feedbackWaiting = 5000
)

// Feedback keeps what accounts say about trackable messages. It may come as often as messages go, so what waits is written together.
type Feedback struct {
	store Store
	group *groupcommit.Group[gateway.Conversion, struct{}]
}

// NewFeedback makes one; Run must be running for anything to be kept.
func NewFeedback(store Store) *Feedback {
	f := &Feedback{store: store}
	f.group = groupcommit.New(groupcommit.Config{MaxBatch: feedbackBatch, MaxWaiting: feedbackWaiting}, f.commit)
	return f
}

// Run keeps feedback until ctx ends and everything waiting is kept.
func (f *Feedback) Run(ctx context.Context) error { return f.group.Run(ctx) }

// Record keeps one. When it returns without an error it is on disk.
func (f *Feedback) Record(ctx context.Context, conversion gateway.Conversion) error {
	_, err := f.group.Do(ctx, conversion)
	switch {
	case errors.Is(err, groupcommit.ErrBusy):
		return gateway.Errorf(gateway.Unavailable, "too many requests are waiting to be stored; try again shortly")
	case errors.Is(err, groupcommit.ErrClosed):
		return gateway.Errorf(gateway.Unavailable, "the server is stopping")
	}
	return err
}

func (f *Feedback) commit(ctx context.Context, batch []gateway.Conversion) []groupcommit.Result[struct{}] {
	results := make([]groupcommit.Result[struct{}], len(batch))
	refused, err := f.store.RecordConversions(ctx, batch)
	for i := range results {
		if results[i].Err = err; err == nil {
			results[i].Err = refused[i]
		}
	}
	return results
}

// recorded is the answer to feedback.
type recorded struct {
	APIID          string `json:"api_id"`
	ConversionUUID string `json:"conversion_uuid"`
	Message        string `json:"message"`
	MessageUUID    string `json:"message_uuid"`
}

func (a *API) recordConversion(c *call) (answer, error) {
	args, err := c.args()
	if err != nil {
		return answer{}, err
	}
	id, ok := gateway.ParseID(c.param(paramID))
	if !ok {
		return answer{}, errNotFound
	}
	conversion := gateway.Conversion{Account: c.accountID(), Message: id, ToldAt: c.at}
	if conversion.Status, err = readConversionStatus(args); err != nil {
		return answer{}, err
	}
	if conversion.ActedAt, err = readTimestamp(args); err != nil {
		return answer{}, err
	}
	if err := a.feedback(c.context(), conversion); err != nil {
		return answer{}, err
	}
	return answer{http.StatusOK, recorded{c.id.String(), "conv-" + id.String(), "successfully recorded.", id.String()}}, nil
}

func readConversionStatus(args arguments) (gateway.ConversionStatus, error) {
	name, err := args.text("status")
	if err != nil {
		return 0, err
	}
	status, ok := gateway.ParseConversionStatus(strings.ToUpper(strings.TrimSpace(name)))
	if !ok {
		return 0, gateway.Errorf(gateway.Invalid, "status must be CONVERTED, NOT_CONVERTED or CONVERTED_WITH_OTHERS")
	}
	return status, nil
}

// timestamps are forms of ISO 8601; without a zone it is UTC. Fractions of a second may follow in all of them.
var timestamps = [...]string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07", "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05"}

func readTimestamp(args arguments) (time.Time, error) {
	text, err := args.text("timestamp")
	if err != nil {
		return time.Time{}, err
	}
	for _, form := range timestamps {
		if at, err := time.Parse(form, strings.TrimSpace(text)); err == nil {
			return at, nil
		}
	}
	return time.Time{}, gateway.Errorf(gateway.Invalid, "timestamp must be a time in ISO 8601 such as 2024-05-06T07:09:00.511Z")
}
