package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/loopback"
	"github.com/heliograph/heliograph/internal/mo"
	"github.com/heliograph/heliograph/internal/mt"
	"github.com/heliograph/heliograph/internal/numbering"
	"github.com/heliograph/heliograph/internal/operator"
)

// InboundConfig is how messages from handsets are put together, and when a conversation of machines is cut.
type InboundConfig struct {
	PartialAfter Duration   `yaml:"partial_after"` // a message whose other segments do not come is delivered as far as it is there
	Loop         LoopConfig `yaml:"loop"`
}

// LoopConfig bounds the automatic answers of a number to a person.
type LoopConfig struct {
	Answers int      `yaml:"answers"` // 0: any number
	Within  Duration `yaml:"within"`
}

func defaultInbound() InboundConfig {
	loops := mo.DefaultLoops()
	return InboundConfig{PartialAfter: Duration(mo.DefaultPartialAfter), Loop: LoopConfig{loops.Most, Duration(loops.Window)}}
}

// Bounds of the settings.
const (
	leastPartial = time.Second
	mostPartial  = 24 * time.Hour
)

func (c *InboundConfig) check() []error {
	var errs []error
	if after := time.Duration(c.PartialAfter); after < leastPartial || after > mostPartial {
		errs = append(errs, errors.New("inbound.partial_after: must be from 1s to 24h"))
	}
	if c.Loop.Answers < 0 || c.Loop.Within <= 0 {
		errs = append(errs, errors.New("inbound.loop: answers must not be negative, 0 for any number, and within must be positive"))
	}
	return errs
}

func (c *LoopConfig) loops() *mo.Loops {
	return &mo.Loops{Most: c.Answers, Window: time.Duration(c.Within)}
}

// answerer makes messages of the automatic answers to keywords.
type answerer struct {
	accept func(context.Context, *mt.Request) (gateway.Acceptance, error)
	loops  *mo.Loops
	ids    *gateway.IDSource
	now    func() time.Time
}

// answer sends a text to who wrote an inbound message, even if they have opted out: it may be the answer to just that. It is made once for each message,
// by a key that no customer's can be: theirs hold no control characters.
func (a *answerer) answer(ctx context.Context, inbound *gateway.Message, text string) error {
	to, ok := numbering.Destination(inbound.From)
	if !ok {
		return gateway.Errorf(gateway.Invalid, "who sent the message has no number that can be answered")
	}
	now := a.now()
	request := &mt.Request{
		ID: a.ids.Next(now), Account: inbound.Account, Source: inbound.To, To: []gateway.Destination{to}, Service: gateway.SMS, Text: text,
		Log: inbound.Log, Exempt: true, Key: "\x00answer/" + inbound.ID.String(), BodyHash: sha256.Sum256([]byte(text)), ReceivedAt: now,
	}
	if !a.loops.Turn(inbound.Account, inbound.To, inbound.From, now) {
		request.Failure = gateway.Loop
	}
	_, err := a.accept(ctx, request)
	return err
}

// handsets are the pretend ones, whose messages the pretend networks bring.
type handsets struct {
	take     func(gateway.InboundPart, func(gateway.InboundResult, error))
	whose    func(number string) (gateway.AccountID, bool)
	use      func(ctx context.Context, account gateway.AccountID, media []gateway.ID) ([]gateway.Medium, error) // of a library
	networks []*loopback.Carrier

	mu      sync.Mutex
	sending *brought // what is being handed on; nil: nothing is
}

// brought is what became of a message that a pretend network brings.
type brought struct {
	id  chan gateway.ID // of capacity 1
	err chan error      // likewise
}

// part takes a part from a pretend network: it is of the message that is being handed on.
func (h *handsets) part(part gateway.InboundPart, done func(error)) {
	message := h.sending
	h.take(part, func(result gateway.InboundResult, err error) {
		if err == nil && result.Message != nil && message != nil {
			message.id <- result.Message.ID // of one of its parts only: that with which it is whole
		}
		done(err)
	})
}

// bring has a pretend network bring a message, and gives its id when it is on disk.
func (h *handsets) bring(ctx context.Context, m operator.Handset) (gateway.ID, error) {
	network := h.network(m.Carrier)
	if network == nil {
		return gateway.ID{}, gateway.Errorf(gateway.NotFound, "there is no carrier %q with the protocol loopback", m.Carrier)
	}
	if len(m.Media) > 0 { // a message has them from now on
		account, _ := h.whose(m.To)
		if _, err := h.use(ctx, account, m.Media); err != nil {
			return gateway.ID{}, err
		}
	}
	message := &brought{id: make(chan gateway.ID, 1), err: make(chan error, 1)}
	h.hand(network, m, message)
	select {
	case err := <-message.err:
		if err != nil {
			return gateway.ID{}, err
		}
	case <-ctx.Done():
		return gateway.ID{}, ctx.Err()
	}
	select {
	case id := <-message.id:
		return id, nil
	default:
		return gateway.ID{}, gateway.Errorf(gateway.Unavailable, "the message's segments are stored, but not all of them together: it will be delivered late")
	}
}

// hand hands a message on. The network passes its parts on before it returns, so it is known whose they are.
func (h *handsets) hand(network *loopback.Carrier, m operator.Handset, message *brought) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sending = message
	network.Deliver(loopback.Inbound{Service: m.Service, From: m.From, To: m.To, Text: m.Text, Media: m.Media}, func(err error) { message.err <- err })
	h.sending = nil
}

func (h *handsets) network(name string) *loopback.Carrier {
	for _, n := range h.networks {
		if name == "" || n.Name == name {
			return n
		}
	}
	return nil
}
