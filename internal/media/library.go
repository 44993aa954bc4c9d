package media

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Index are the rows of media. Every store has them.
type Index interface {
	// CreateMedia stores rows, all or none; Invalid when the account of one does not exist.
	CreateMedia(ctx context.Context, list []gateway.Medium) error
	// AnyMedium reads a medium, whoever has it; NotFound when it is not there, or expired at that time.
	AnyMedium(ctx context.Context, id gateway.ID, at time.Time) (gateway.Medium, error)
	// MediaByID reads media of an account, in the order of the ids and as often as they are given; those that are not there, or expired at that
	// time, are left out.
	MediaByID(ctx context.Context, account gateway.AccountID, ids []gateway.ID, at time.Time) ([]gateway.Medium, error)
	// UseMedia notes that messages name media of the account, which are kept until a later time from now on, never a shorter one than before.
	// NotFound when one is not there or expired: then nothing is noted.
	UseMedia(ctx context.Context, account gateway.AccountID, ids []gateway.ID, at, until time.Time) error
	// MediaSize is how many octets the media of an account have together that have not expired at that time.
	MediaSize(ctx context.Context, account gateway.AccountID, at time.Time) (int64, error)
	// ExpireMedia removes some rows that expired before a time; more tells that there may be others. It gives the contents that no row names any
	// more.
	ExpireMedia(ctx context.Context, before time.Time) (orphans []gateway.Content, more bool, err error)
	// ContentNamed tells whether a row names a content.
	ContentNamed(ctx context.Context, content gateway.Content) (bool, error)
}

// Config is what a Library works with. All but the durations must be set.
type Config struct {
	Dir   string // its folder
	Index Index
	Links *Links
	Now   func() time.Time
	Log   *slog.Logger

	// Unused is how long a medium is kept that no message names, Used one that a message does, from the newest on; 0: the default.
	Unused, Used time.Duration
	// Room is how many octets the media of an account may have together; 0: the default. Uploads at the same moment do not see each other, so it may
	// be passed by what they bring.
	Room int64
	// Decoding is how many octets of memory decoding pictures may take at a time; 0: the default. A picture that takes more is not made smaller.
	Decoding int64
}

// Defaults of how long media are kept, and how many.
const (
	DefaultUnused       = 6 * time.Hour
	DefaultUsed         = 365 * 24 * time.Hour
	DefaultRoom   int64 = 5 << 30
)

// Library keeps media. Its methods may be called from any goroutine.
//
// A content is removed only when no row names it, and a row is stored only when its content is durable. Both hold because whoever adds holds
// placing for reading, from before the content gets its name until after the commit, and whoever removes holds it for writing, from the look at the
// rows until the file is gone. A crash between the two leaves a content without a row, which the next sweep finds.
type Library struct {
	files  files
	index  Index
	links  *Links
	now    func() time.Time
	log    *slog.Logger
	unused time.Duration
	used   time.Duration
	room   int64

	adapter *adapter

	placing sync.RWMutex
}

// Open opens the library of a folder, which belongs to this process alone.
func Open(cfg Config) (*Library, error) {
	folder, err := openFiles(cfg.Dir)
	if err != nil {
		return nil, err
	}
	adapter, err := openAdapter(cfg.Dir, cfg.Decoding)
	if err != nil {
		return nil, err
	}
	l := &Library{adapter: adapter, files: folder, index: cfg.Index, links: cfg.Links, now: cfg.Now, log: cfg.Log, unused: cfg.Unused, used: cfg.Used, room: cfg.Room}
	if l.unused <= 0 {
		l.unused = DefaultUnused
	}
	if l.used <= 0 {
		l.used = DefaultUsed
	}
	if l.room <= 0 {
		l.room = DefaultRoom
	}
	return l, nil
}

// diskError is what a caller hears of a failure of the disk, which the log hears in full.
func (l *Library) diskError(err error) error {
	l.log.Error("a media file cannot be stored", "err", err)
	return errDisk
}

// Addition is a file that came in and what its owner says of it.
type Addition struct {
	*Incoming
	ID   gateway.ID
	Name string
	Type string
}

// Add keeps files for an account, all or none. When it returns without an error they are on disk. Invalid when the account has no room for them.
func (l *Library) Add(ctx context.Context, account gateway.AccountID, additions []Addition) ([]gateway.Medium, error) {
	now := l.now()
	list := make([]gateway.Medium, len(additions))
	for i, a := range additions {
		list[i] = gateway.Medium{
			ID: a.ID, Account: account, Content: a.Content, Name: a.Name, Type: a.Type, Size: a.Size, CreatedAt: now, ExpiresAt: now.Add(l.unused),
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	if err := l.fits(ctx, account, list); err != nil {
		return nil, err
	}
	l.placing.RLock()
	defer l.placing.RUnlock()
	for _, a := range additions {
		if err := l.files.place(a.Incoming); err != nil {
			return nil, l.diskError(err)
		}
	}
	return list, l.index.CreateMedia(ctx, list)
}

// fits refuses what an account has no room for: one account does not fill the disk for all.
func (l *Library) fits(ctx context.Context, account gateway.AccountID, list []gateway.Medium) error {
	size, err := l.index.MediaSize(ctx, account, l.now())
	if err != nil {
		return err
	}
	for _, m := range list {
		size += m.Size
	}
	if size > l.room {
		return gateway.Errorf(gateway.Invalid, "the account's files would have %d octets together, at most %d are kept; unused ones go by themselves", size, l.room)
	}
	return nil
}

// noteAgain is how much longer a medium must be kept than it is already until its use is written down: one that many messages name costs a write a
// day, not one a message.
const noteAgain = 24 * time.Hour

// Use notes that a message is about to name media of an account, and gives them. NotFound when one is not there.
func (l *Library) Use(ctx context.Context, account gateway.AccountID, ids []gateway.ID) ([]gateway.Medium, error) {
	return l.UseUntil(ctx, account, ids, time.Time{})
}

// How much longer than a message that hides its media these are kept, at least and at most: a request that is repeated for its Idempotency-Key names
// them again. A use is written down when they would be kept for less, so that one of many such messages costs a write now and then.
const (
	hiddenLeast = gateway.IdempotencyWindow
	hiddenMost  = hiddenLeast + 6*time.Hour
)

// UseUntil is Use for a message that hides its media, which are not needed any more a while after a time. Whatever else they are used for keeps them
// as it does. A zero time: the message hides nothing.
func (l *Library) UseUntil(ctx context.Context, account gateway.AccountID, ids []gateway.ID, end time.Time) ([]gateway.Medium, error) {
	now := l.now()
	list, err := l.index.MediaByID(ctx, account, ids, now)
	if err != nil {
		return nil, err
	}
	if len(list) != len(ids) {
		return nil, gateway.Errorf(gateway.NotFound, "a medium was not found")
	}
	until := now.Add(l.used)
	least := until.Add(-min(noteAgain, l.used/2))
	if !end.IsZero() {
		until, least = end.Add(hiddenMost), end.Add(hiddenLeast)
	}
	for _, m := range list {
		if m.UsedAt.IsZero() || !m.ExpiresAt.After(least) {
			return list, l.index.UseMedia(ctx, account, ids, now, until)
		}
	}
	return list, nil
}

// Keep keeps files that a message has already, and gives their ids: they stay as long as those that are used.
func (l *Library) Keep(ctx context.Context, account gateway.AccountID, additions []Addition) ([]gateway.ID, error) {
	list, err := l.Add(ctx, account, additions)
	if err != nil {
		return nil, err
	}
	ids := make([]gateway.ID, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	_, err = l.Use(ctx, account, ids)
	return ids, err
}

// How often what has expired is removed, and the folder is looked through for contents that nobody names, give or take a quarter.
const (
	expireEvery = 10 * time.Minute
	sweepEvery  = 24 * time.Hour
	pause       = 100 * time.Millisecond // between steps: others get their turn
)

// Run removes what has expired and what a crash left behind, until ctx ends.
func (l *Library) Run(ctx context.Context) error {
	sweep, expire := time.NewTimer(0), time.NewTimer(around(expireEvery))
	defer sweep.Stop()
	defer expire.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-sweep.C:
			l.report(ctx, "media files that nobody names cannot be removed", l.sweep(ctx))
			sweep.Reset(around(sweepEvery))
		case <-expire.C:
			more, err := l.expire(ctx)
			l.report(ctx, "expired media cannot be removed", err)
			if more && err == nil {
				expire.Reset(pause)
			} else {
				expire.Reset(around(expireEvery))
			}
		}
	}
}

func around(d time.Duration) time.Duration { return d*3/4 + rand.N(d/2) }

func (l *Library) report(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		l.log.Error(what, "err", err)
	}
}

// expire removes some of what has expired; more tells that there may be more.
func (l *Library) expire(ctx context.Context) (more bool, err error) {
	orphans, more, err := l.index.ExpireMedia(ctx, l.now())
	for _, content := range orphans {
		err = errors.Join(err, l.removeUnnamed(ctx, content))
	}
	return more, err
}

// sweep removes contents that no row names, and what was made of them: what was placed, or whose last row was removed, just before a crash.
func (l *Library) sweep(ctx context.Context) error {
	unnamed := func(content gateway.Content) error {
		named, err := l.index.ContentNamed(ctx, content)
		if err != nil || named {
			return err
		}
		return l.removeUnnamed(ctx, content)
	}
	return errors.Join(l.files.walk(ctx, unnamed), l.adapter.folder.walk(ctx, unnamed))
}

// removeUnnamed removes a content, unless a row names it (again) by now.
func (l *Library) removeUnnamed(ctx context.Context, content gateway.Content) error {
	l.placing.Lock()
	defer l.placing.Unlock()
	named, err := l.index.ContentNamed(ctx, content)
	if err != nil || named {
		return err
	}
	return errors.Join(l.files.remove(content), l.adapter.folder.remove(content))
}
