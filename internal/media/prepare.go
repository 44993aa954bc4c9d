package media

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Pauses between tries to get the files of a message that are not to be had for the moment. Between them lies the age of the message, so each pause is
// about twice the one before.
const (
	leastWait = 10 * time.Second
	mostWait  = 10 * time.Minute
)

// PreparerConfig is what a Preparer works with. All must be set.
type PreparerConfig struct {
	Library *Library
	// Fetch is a Fetcher's FetchUntil.
	Fetch func(ctx context.Context, account gateway.AccountID, address string, end time.Time) (gateway.Medium, error)
	// Limits are those of a carrier, by its name; ok is false for one that takes files as they are.
	Limits func(carrier string) (limits MessageLimits, ok bool)
	Most   int64 // octets that the files of a message may have together before they are adapted
	Log    *slog.Logger
}

// Preparer gets the files of messages ready: fetched, kept, and as their carriers take them, so that a submit finds all on disk.
type Preparer struct{ cfg PreparerConfig }

// NewPreparer makes a preparer.
func NewPreparer(cfg PreparerConfig) *Preparer { return &Preparer{cfg} }

// Prepare looks for the files of a message: those that it names, then those that its addresses lead to. What fails for good ends the message. What may
// pass is tried again until the message expires, which is for others to see: they are told why it waited. When ctx ends the answer means nothing.
func (p *Preparer) Prepare(ctx context.Context, m *gateway.Message) gateway.Preparation {
	list, err := p.gather(ctx, m)
	if err == nil {
		err = p.adapt(ctx, m.Carrier, list)
	}
	if err != nil {
		return p.failed(ctx, m, err)
	}
	ids := make([]gateway.ID, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	return gateway.Preparation{Media: ids}
}

// gather gives all files of a message, in their order.
func (p *Preparer) gather(ctx context.Context, m *gateway.Message) ([]gateway.Medium, error) {
	list, err := p.named(ctx, m)
	if err != nil {
		return nil, err
	}
	fetched, err := p.fetch(ctx, m)
	if err != nil {
		return nil, err
	}
	list = append(list, fetched...)
	var size int64
	for i := range list {
		size += list[i].Size
	}
	if size > p.cfg.Most {
		return nil, failuref(gateway.MediaTooLarge, "the files of the message have %d octets together, and %d are taken", size, p.cfg.Most)
	}
	return list, nil
}

// named gives the files that a message names by their ids.
func (p *Preparer) named(ctx context.Context, m *gateway.Message) ([]gateway.Medium, error) {
	if len(m.MediaIDs) == 0 {
		return nil, nil
	}
	ids, ok := idsOf(m.MediaIDs)
	if !ok {
		return nil, errGone
	}
	list, err := p.cfg.Library.UseUntil(ctx, m.Account, ids, endOf(m))
	if isRefusal(err, gateway.NotFound) {
		return nil, errGone
	}
	return list, err
}

// endOf is until when the files of a message that hides its contents are needed; zero: it hides nothing.
func endOf(m *gateway.Message) time.Time {
	if m.Log.HidesContent() {
		return m.ExpiresAt
	}
	return time.Time{}
}

var errGone = failuref(gateway.InvalidMessage, "a file of the message is not there any more")

func idsOf(texts []string) (ids []gateway.ID, ok bool) {
	ids = make([]gateway.ID, len(texts))
	for i, text := range texts {
		if ids[i], ok = gateway.ParseID(text); !ok {
			return nil, false
		}
	}
	return ids, true
}

// fetch gets what addresses lead to, side by side. Of several failures it gives one that is final, if there is one.
func (p *Preparer) fetch(ctx context.Context, m *gateway.Message) ([]gateway.Medium, error) {
	list, errs := make([]gateway.Medium, len(m.MediaURLs)), make([]error, len(m.MediaURLs))
	var fetching sync.WaitGroup
	for i, address := range m.MediaURLs {
		fetching.Go(func() { list[i], errs[i] = p.cfg.Fetch(ctx, m.Account, address, endOf(m)) })
	}
	fetching.Wait()
	var worst error
	for _, err := range errs {
		if err != nil && (worst == nil || isFinal(err) && !isFinal(worst)) {
			worst = err
		}
	}
	return list, worst
}

func isFinal(err error) bool {
	var failure *Failure
	return errors.As(err, &failure) && !failure.Temporary
}

// adapt has the files made as the carrier takes them.
func (p *Preparer) adapt(ctx context.Context, carrier string, list []gateway.Medium) error {
	limits, ok := p.cfg.Limits(carrier)
	if !ok {
		return nil
	}
	files, err := p.cfg.Library.AdaptMessage(ctx, list, limits)
	return errors.Join(err, closeAll(files))
}

// failed says what becomes of a message whose files are not there.
func (p *Preparer) failed(ctx context.Context, m *gateway.Message, err error) gateway.Preparation {
	var failure *Failure
	if !errors.As(err, &failure) { // the store or the disk: nobody's fault
		if ctx.Err() == nil {
			p.cfg.Log.Error("media of a message cannot be prepared; trying again", "message", m.ID, "err", err)
		}
		failure = temporaryf("the files could not be kept or read for the moment")
	}
	if !failure.Temporary {
		return gateway.Preparation{Failure: failure.Reason, Detail: failure.Text}
	}
	now := p.cfg.Library.now()
	pause := min(max(now.Sub(m.AcceptedAt), leastWait), mostWait)
	return gateway.Preparation{Due: now.Add(max(pause, failure.After)), Detail: failure.Text}
}

// Attached gives the files of a message that was prepared, as they fit the limits. Its errors are those of AdaptMessage; a file that is not there any
// more is a *Failure.
func (l *Library) Attached(ctx context.Context, m *gateway.Message, limits MessageLimits) ([]*File, error) {
	ids, ok := idsOf(m.MediaIDs)
	if !ok {
		return nil, errGone
	}
	if len(ids) == 0 {
		return nil, nil
	}
	list, err := l.index.MediaByID(ctx, m.Account, ids, l.now())
	if err != nil {
		return nil, err
	}
	if len(list) != len(ids) {
		return nil, errGone
	}
	return l.AdaptMessage(ctx, list, limits)
}
