package mo

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/tpdu"
)

const (
	account  = gateway.AccountID("MAONEONEONEONEONEONE")
	ours     = "14155550101"
	person   = "14155550199"
	campaign = "CABCDEF"
)

// scene is a service with a fake store, running inside a bubble.
type scene struct {
	t       *testing.T
	store   *fakeStore
	service *Service

	mu      sync.Mutex
	events  int
	changed []gateway.OptOutChange
	answers []string
	refuse  []error // what the next answers get
}

// play runs a test in a bubble with a running service.
func play(t *testing.T, test func(*scene)) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{t: t, store: newFakeStore()}
		s.store.recipients[ours] = gateway.Recipient{
			Number:      gateway.Number{Number: ours, Type: gateway.LongCode, Country: "US", Account: account},
			Application: gateway.Application{ID: "77", Message: gateway.Callback{URL: "https://example.com/in", Method: "POST"}, LogIncoming: true},
		}
		s.service = NewService(Config{
			Store: s.store, IDs: &gateway.IDSource{Entropy: func() uint64 { return 7 }}, Now: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
			Told: func(events []gateway.Event) { s.events += len(events) },
			OptedOut: func(changes []gateway.OptOutChange) {
				s.changed = append(s.changed, changes...)
			},
			Answer: s.answer,
		})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.service.Run(ctx) }()
		synctest.Wait()
		test(s)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func (s *scene) answer(_ context.Context, _ *gateway.Message, text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.refuse) > 0 {
		err := s.refuse[0]
		s.refuse = s.refuse[1:]
		return err
	}
	s.answers = append(s.answers, text)
	return nil
}

// given are the automatic answers so far.
func (s *scene) given() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.answers)
}

func (s *scene) refuseNext(errs ...error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = errs
}

// segment is a part of an SMS of the person to our number.
func segment(number, total int, octets string) gateway.InboundPart {
	return gateway.InboundPart{
		Carrier: "main", Service: gateway.SMS, From: person, To: ours, At: time.Now(), Reference: 9, Number: number, Total: total,
		Data: gateway.UserData{Octets: []byte(octets)},
	}
}

// receive gives the service a part and what it says of it.
func (s *scene) receive(p gateway.InboundPart) error {
	var result error
	called := 0
	s.service.Receive(p, func(err error) { result, called = err, called+1 })
	synctest.Wait()
	if called != 1 {
		s.t.Errorf("answered %d times", called)
	}
	return result
}

func (s *scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) texts(want ...string) {
	s.t.Helper()
	if got := s.store.texts(); !slices.Equal(got, want) {
		s.t.Errorf("messages %q, want %q", got, want)
	}
}

func TestReceive(t *testing.T) {
	play(t, func(s *scene) {
		s.must(s.receive(segment(1, 1, "hello")))
		s.texts("hello")
		m := s.store.stored[0]
		if m.Direction != gateway.Inbound || m.State != gateway.Received || m.Account != account || m.From != person || m.To != ours || m.Units != 1 ||
			m.Callback.URL != "https://example.com/in" || m.Log != gateway.LogAll || m.Country != "US" || m.ID.IsZero() || m.Sequence != 1 {
			t.Errorf("the message is %+v", m)
		}
		if s.events != 1 {
			t.Errorf("%d events", s.events)
		}
	})
}

func TestReceiveRedacted(t *testing.T) {
	play(t, func(s *scene) {
		r := s.store.recipients[ours]
		r.Application.LogIncoming = false
		s.store.recipients[ours] = r
		s.must(s.receive(segment(1, 1, "hello")))
		if got := s.store.stored[0].Log; got != gateway.LogNothing {
			t.Errorf("log %d", got)
		}
	})
}

func TestReceiveUnowned(t *testing.T) {
	play(t, func(s *scene) {
		p := segment(1, 1, "hello")
		p.To = "14155550102"
		var refusal *gateway.Error
		if err := s.receive(p); !errors.As(err, &refusal) || refusal.Code != gateway.NotFound {
			t.Errorf("got %v", err)
		}
	})
}

func TestReceiveFullDisk(t *testing.T) {
	play(t, func(s *scene) {
		s.store.setFull(true)
		if err := s.receive(segment(1, 1, "hello")); !errors.Is(err, errDisk) {
			t.Errorf("got %v", err)
		}
		s.store.setFull(false)
		s.must(s.receive(segment(1, 1, "hello")))
		s.texts("hello")
	})
}

func TestReceiveSegments(t *testing.T) {
	play(t, func(s *scene) {
		s.must(s.receive(segment(2, 2, "world")))
		s.texts()
		s.must(s.receive(segment(1, 2, "hello ")))
		s.texts("hello world")
		if got := s.store.stored[0].Units; got != 2 {
			t.Errorf("%d units", got)
		}
	})
}

func TestPartial(t *testing.T) {
	play(t, func(s *scene) {
		s.must(s.receive(segment(3, 4, "STOP")))
		time.Sleep(DefaultPartialAfter / 2)
		s.must(s.receive(segment(1, 4, "a")))
		s.texts()
		time.Sleep(DefaultPartialAfter/2 - time.Millisecond)
		synctest.Wait()
		s.texts()
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		s.texts("a[…]STOP[…]")
		if got := s.store.stored[0].Detail; got != "2 of the message's 4 segments came" {
			t.Errorf("detail %q", got)
		}
		if s.events != 1 || s.service.Stats().Partial != 1 {
			t.Errorf("%d events, %+v", s.events, s.service.Stats())
		}
	})
}

// TestPartialIsNoKeyword: what came of a text may look like a keyword.
func TestPartialIsNoKeyword(t *testing.T) {
	play(t, func(s *scene) {
		r := s.store.recipients[ours]
		r.OfPowerpack.OptOut = []string{"[…]STOP"}
		s.store.recipients[ours] = r
		s.must(s.receive(segment(2, 2, "STOP")))
		time.Sleep(DefaultPartialAfter + time.Millisecond)
		synctest.Wait()
		s.texts("[…]STOP")
		if len(s.changed) != 0 {
			t.Errorf("it opted out: %+v", s.changed)
		}
	})
}

func TestOptOutAndIn(t *testing.T) {
	play(t, func(s *scene) {
		s.must(s.receive(segment(1, 1, "stop")))
		s.must(s.receive(segment(1, 1, "STOP")))
		if len(s.changed) != 1 || len(s.answers) != 1 || s.answers[0] != languages["en"].optOutText {
			t.Fatalf("changes %+v, answers %q", s.changed, s.answers)
		}
		if c := s.changed[0]; c.In || c.Source != ours || c.Person != person || c.Account != account || c.Word != "STOP" || c.Origin != gateway.ByKeyword ||
			c.Message != s.store.stored[0].ID || s.store.stored[0].Intent != gateway.OptOutIntent {
			t.Errorf("change %+v", c)
		}
		s.must(s.receive(segment(1, 1, "start")))
		s.must(s.receive(segment(1, 1, "start")))
		s.must(s.receive(segment(1, 1, "help")))
		if len(s.changed) != 2 || !s.changed[1].In || len(s.answers) != 3 || s.answers[2] != languages["en"].helpText {
			t.Errorf("changes %+v, answers %q", s.changed, s.answers)
		}
	})
}

// TestCampaignOptOut: in a campaign it is the campaign that a person opts out of, and back in; an opt-out from before it counts too.
func TestCampaignOptOut(t *testing.T) {
	play(t, func(s *scene) {
		s.must(s.receive(segment(1, 1, "stop")))
		r := s.store.recipients[ours]
		r.Number.Campaign = campaign
		s.store.recipients[ours] = r
		s.must(s.receive(segment(1, 1, "stop")))
		if len(s.changed) != 2 || s.changed[1].Source != campaign {
			t.Fatalf("changes %+v", s.changed)
		}
		s.must(s.receive(segment(1, 1, "start")))
		if len(s.changed) != 4 || !s.changed[2].In || !s.changed[3].In {
			t.Errorf("changes %+v", s.changed)
		}
		if len(s.answers) != 3 {
			t.Errorf("answers %q", s.answers)
		}
	})
}

// TestServicesAreNotAnswered: short numbers and names are other automatic answerers. What a number asks for is done; nobody can write to a name.
func TestServicesAreNotAnswered(t *testing.T) {
	play(t, func(s *scene) {
		for _, from := range []string{"72345", "BANK"} {
			p := segment(1, 1, "STOP")
			p.From = from
			s.must(s.receive(p))
		}
		if len(s.changed) != 1 || s.changed[0].Person != "72345" || len(s.answers) != 0 {
			t.Errorf("changes %+v, answers %q", s.changed, s.answers)
		}
	})
}

// TestAnswerAgain: an answer that has to wait is given later, one that cannot be given is given up, and what was owed before a restart is given after it.
func TestAnswerAgain(t *testing.T) {
	play(t, func(s *scene) {
		s.refuseNext(gateway.Errorf(gateway.Unavailable, "full"), errors.New("broken"))
		s.must(s.receive(segment(1, 1, "help")))
		if len(s.given()) != 0 || s.store.owing() != 1 {
			t.Fatalf("answers %q, %d owed", s.given(), s.store.owing())
		}
		time.Sleep(2*pause + time.Millisecond)
		synctest.Wait()
		if len(s.given()) != 1 || s.store.owing() != 0 {
			t.Errorf("answers %q, %d owed", s.given(), s.store.owing())
		}
		s.refuseNext(gateway.Errorf(gateway.Invalid, "no"))
		s.must(s.receive(segment(1, 1, "help")))
		if len(s.given()) != 1 || s.store.owing() != 0 {
			t.Errorf("answers %q, %d owed", s.given(), s.store.owing())
		}
	})
}

func TestOwedBeforeTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newFakeStore()
		for i := range 3 * answerBatch {
			m := &gateway.Message{}
			m.ID[5], m.ID[6], m.ID[7] = byte(i), 0x70, 1
			store.owed = append(store.owed, gateway.OwedAnswer{Message: m, Text: strconv.Itoa(i)})
		}
		var mu sync.Mutex
		given := map[string]int{}
		s := NewService(Config{
			Store: store, Now: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
			Answer: func(_ context.Context, _ *gateway.Message, text string) error {
				mu.Lock()
				defer mu.Unlock()
				given[text]++
				return nil
			},
		})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		synctest.Wait()
		if len(given) != 3*answerBatch || store.owing() != 0 {
			t.Errorf("%d answers given, %d owed", len(given), store.owing())
		}
		stop()
		<-ended
	})
}

func TestRepeated(t *testing.T) {
	play(t, func(s *scene) {
		p := segment(1, 1, "hello")
		p.Identity = gateway.PartIdentity{Digest: [16]byte{1}}
		s.must(s.receive(p))
		s.must(s.receive(p))
		s.texts("hello")
		if got := s.service.Stats(); got.Repeated != 1 || got.Stored != 1 || got.Received != 2 {
			t.Errorf("%+v", got)
		}
	})
}

func TestSettled(t *testing.T) {
	play(t, func(s *scene) {
		first := time.Now()
		s.service.Settled(1, first)
		s.service.Settled(1, first.Add(-time.Second))
		time.Sleep(settleEvery + time.Millisecond)
		synctest.Wait()
		if got := s.store.settled; len(got) != 1 || !got[1].Equal(first) {
			t.Errorf("settled %v", got)
		}
	})
}

func TestAlphabets(t *testing.T) {
	play(t, func(s *scene) {
		first, second := segment(1, 2, "\x04\x1f\xd8\x3d"), segment(2, 2, "\xde\x00")
		first.Data.Alphabet, second.Data.Alphabet = uint8(tpdu.UCS2), uint8(tpdu.UCS2)
		s.must(s.receive(second))
		s.must(s.receive(first))
		s.texts("П😀")
		if got := s.store.stored[0].Alphabet; got != gateway.UCS2 {
			t.Errorf("alphabet %d", got)
		}
	})
}

func TestMMS(t *testing.T) {
	play(t, func(s *scene) {
		id := gateway.ID{1}
		p := gateway.InboundPart{Carrier: "mm7", Service: gateway.MMS, From: person, To: ours, At: time.Now(), Subject: "Hi", Text: "stop", Media: []gateway.ID{id}}
		s.must(s.receive(p))
		m := s.store.stored[0]
		if m.Service != gateway.MMS || m.Text != "stop" || m.Subject != "Hi" || !slices.Equal(m.MediaIDs, []string{id.String()}) || m.Units != 1 {
			t.Errorf("the message is %+v", m)
		}
		if len(s.changed) != 1 {
			t.Errorf("the keyword of an MMS was not heard: %+v", s.changed)
		}
	})
}

// TestTake: who asks is told which message a part made; what keywords changed, and what is not kept, is counted.
func TestTake(t *testing.T) {
	play(t, func(s *scene) {
		take := func(p gateway.InboundPart) (result gateway.InboundResult, err error) {
			s.service.Take(p, func(r gateway.InboundResult, e error) { result, err = r, e })
			synctest.Wait()
			return result, err
		}
		result, err := take(segment(1, 1, "STOP"))
		if err != nil || result.Status != gateway.InboundStored || result.Message == nil || result.Message.Intent != gateway.OptOutIntent {
			t.Errorf("%+v, %v", result, err)
		}
		if result, err = take(segment(1, 1, "START")); err != nil || result.Message == nil {
			t.Errorf("%+v, %v", result, err)
		}
		elsewhere := segment(1, 1, "hello")
		elsewhere.To = "14155550999"
		var refusal *gateway.Error
		if _, err = take(elsewhere); !errors.As(err, &refusal) || refusal.Code != gateway.NotFound {
			t.Errorf("a number that nobody rents: %v", err)
		}
		if got := s.service.Stats(); got.OptedOut != 1 || got.OptedIn != 1 || got.Unowned != 1 || got.Failed != 0 || got.Stored != 2 {
			t.Errorf("%+v", got)
		}
	})
}
