package mt

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// slowRoster is a store whose roster takes a second to read, and knows how many changes it holds.
type slowRoster struct {
	Store
	mu      sync.Mutex
	changes int
	reads   int
	fail    error
	ended   int // readings whose context ended
}

func (s *slowRoster) Roster(ctx context.Context) (gateway.Roster, error) {
	s.mu.Lock()
	s.reads++
	roster, err := gateway.Roster{Rates: map[gateway.AccountID]float64{testAccount: float64(s.changes + 1)}}, s.fail
	s.mu.Unlock()
	time.Sleep(time.Second)
	if ctx.Err() != nil {
		s.ended++
	}
	return roster, err
}

func (s *slowRoster) change() (number int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes++
	return s.changes
}

// known is how many changes the message path follows.
func (w *world) known() int {
	d := w.process.dispatcher
	d.mu.Lock()
	defer d.mu.Unlock()
	return int(d.accountScope(testAccount).Limit.Rate) - 1
}

// Changes at the same time share readings, and each is followed when its Refresh returns.
func TestRefreshIsShared(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := w.start()
		slow := &slowRoster{Store: p.service.Store}
		p.service.Store = slow
		begin := time.Now()
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				time.Sleep(time.Duration(i) * 5 * time.Millisecond)
				change := slow.change()
				if err := p.service.Refresh(t.Context()); err != nil || w.known() < change {
					t.Errorf("change %d: %v, known are %d", change, err, w.known())
				}
			})
		}
		all.Wait()
		if took := time.Since(begin); slow.reads != 2 || took > 2*time.Second {
			t.Errorf("%d readings in %v", slow.reads, took)
		}
	})
}

// Whoever began a reading for others may go away; a failure is everybody's who waited for it, and of nobody after them.
func TestRefreshForOthers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		p := w.start()
		slow := &slowRoster{Store: p.service.Store}
		p.service.Store = slow
		first, leave := context.WithCancel(t.Context())
		var all sync.WaitGroup
		refresh := func(ctx context.Context, want error) {
			all.Go(func() {
				if err := p.service.Refresh(ctx); !errors.Is(err, want) {
					t.Errorf("got %v, want %v", err, want)
				}
			})
			synctest.Wait()
		}
		refresh(first, nil)
		refresh(first, nil)       // sees to the next reading
		refresh(t.Context(), nil) // shares it
		hurried, stop := context.WithTimeout(t.Context(), time.Millisecond)
		defer stop()
		refresh(hurried, context.DeadlineExceeded)
		leave()
		all.Wait()
		if slow.reads != 2 || slow.ended != 0 {
			t.Errorf("%d readings, %d of them ended", slow.reads, slow.ended)
		}
		slow.fail = errors.New("the disk is gone")
		refresh(t.Context(), slow.fail)
		refresh(t.Context(), slow.fail)
		refresh(t.Context(), slow.fail)
		all.Wait()
		slow.fail = nil
		refresh(t.Context(), nil)
		all.Wait()
	})
}
