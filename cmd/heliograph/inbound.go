package main

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mo"
	"github.com/heliograph/heliograph/internal/mt"
	"github.com/heliograph/heliograph/internal/numbering"
	"github.com/heliograph/heliograph/internal/pricing"
)

// newReceiving makes what receives messages from handsets.
func (s *server) newReceiving(ids *gateway.IDSource, prices *pricing.Table) *mo.Service {
	return mo.NewService(mo.Config{
		Store: s.store, IDs: ids, Now: time.Now, Log: s.log, Price: prices.Inbound, Told: s.callbacks.Told, OptedOut: s.dispatcher.OptedOut,
		Answer: func(ctx context.Context, inbound *gateway.Message, text string) error {
			return s.answer(ctx, ids, inbound, text)
		},
	})
}

// answerKey begins the idempotency keys of automatic answers. No key of a caller's begins so: a header holds no such character.
const answerKey = "\x01answer "

// answer sends an automatic answer to who sent the inbound message, once.
func (s *server) answer(ctx context.Context, ids *gateway.IDSource, inbound *gateway.Message, text string) error {
	to, ok := numbering.Destination(inbound.From)
	if !ok {
		return gateway.Errorf(gateway.Invalid, "who sent the message has no number")
	}
	now := time.Now()
	_, err := s.service.Accept(ctx, &mt.Request{
		ID: ids.Next(now), Account: inbound.Account, Source: inbound.To, To: []gateway.Destination{to}, Service: gateway.SMS, Text: text, Log: inbound.Log,
		Exempt: true, Key: answerKey + inbound.ID.String(), BodyHash: sha256.Sum256([]byte(text)), ReceivedAt: now,
	})
	return err
}
