package plivo

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Bounds of the accounts kept in memory.
const (
	accountLifetime = 3 * time.Second // within this a change in the store is seen
	accountTimeout  = 10 * time.Second
	accountsKept    = 10_000
)

// Accounts is a copy in memory of the accounts that are in use, each a few seconds old at most: requests and callbacks need one each. Accounts that
// do not exist are remembered too.
type Accounts struct {
	load func(ctx context.Context, id gateway.AccountID) (gateway.Account, error)
	now  func() time.Time

	mu      sync.Mutex
	kept    map[gateway.AccountID]*account
	loading map[gateway.AccountID]*loading
}

// account is one account as it was when it was read. It is not changed any more.
type account struct {
	gateway.Account
	exists bool              // and was not removed; the ID of one that was is there all the same, for its callbacks
	digest [sha256.Size]byte // of the token
	signer *signer
	until  time.Time
}

// loading is a reading of the store that others may be waiting for.
type loading struct {
	done    chan struct{}
	account *account
	err     error
	stale   bool // it was changed since the reading began: nobody else is to have it. Guarded by Accounts.mu
}

// NewAccounts makes a cache over a store's Account method.
func NewAccounts(load func(context.Context, gateway.AccountID) (gateway.Account, error), now func() time.Time) *Accounts {
	return &Accounts{load: load, now: now, kept: map[gateway.AccountID]*account{}, loading: map[gateway.AccountID]*loading{}}
}

// get gives an account. One that does not exist comes back with exists unset.
func (a *Accounts) get(ctx context.Context, id gateway.AccountID) (*account, error) {
	if !id.Valid() {
		return &account{signer: newSigner("")}, nil
	}
	a.mu.Lock()
	kept := a.kept[id]
	if kept != nil && a.now().Before(kept.until) {
		a.mu.Unlock()
		return kept, nil
	}
	l := a.loading[id]
	if l == nil {
		l = &loading{done: make(chan struct{})}
		a.loading[id] = l
		a.mu.Unlock()
		a.read(ctx, id, kept, l)
		return l.account, l.err
	}
	a.mu.Unlock()
	select {
	case <-l.done:
		return l.account, l.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// read reads an account for all who wait for it; that the first of them goes away does not end it.
func (a *Accounts) read(ctx context.Context, id gateway.AccountID, before *account, l *loading) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), accountTimeout)
	defer cancel()
	l.err = errors.New("plivo: reading the account did not end") // what others see if the store panics
	defer func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.loading[id] == l {
			delete(a.loading, id)
		}
		if l.err == nil && !l.stale {
			a.keep(id, l.account)
		}
		close(l.done)
	}()
	found, err := a.load(ctx, id)
	var refused *gateway.Error
	missing := errors.As(err, &refused) && refused.Code == gateway.NotFound
	if err != nil && !missing {
		l.err = err
		return
	}
	if missing {
		found = gateway.Account{}
	}
	exists := !missing && found.RemovedAt.IsZero()
	l.account, l.err = newAccount(found, exists, before, a.now().Add(accountLifetime)), nil
}

// forget makes a change of an account seen at once by who asks from now on.
func (a *Accounts) forget(id gateway.AccountID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.kept, id)
	if l := a.loading[id]; l != nil {
		l.stale = true
		delete(a.loading, id)
	}
}

func newAccount(found gateway.Account, exists bool, before *account, until time.Time) *account {
	made := &account{Account: found, exists: exists, until: until}
	if before != nil && before.Token == found.Token {
		made.digest, made.signer = before.digest, before.signer
		return made
	}
	made.digest, made.signer = sha256.Sum256([]byte(found.Token)), newSigner(found.Token)
	return made
}

// keep remembers an account. Guarded by mu.
func (a *Accounts) keep(id gateway.AccountID, made *account) {
	if _, there := a.kept[id]; !there && len(a.kept) >= accountsKept {
		a.evict()
	}
	a.kept[id] = made
}

// evict makes room: of a few accounts picked at random it drops one that does not exist, or else the oldest. Guarded by mu.
func (a *Accounts) evict() {
	const looks = 16
	var victim gateway.AccountID
	var oldest *account
	n := 0
	for id, kept := range a.kept {
		if !kept.exists {
			victim = id
			break
		}
		if oldest == nil || kept.until.Before(oldest.until) {
			victim, oldest = id, kept
		}
		if n++; n == looks {
			break
		}
	}
	delete(a.kept, victim)
}
