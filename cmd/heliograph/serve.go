package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	standardlog "log"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"time"

	"github.com/heliograph/heliograph/internal/dlr"
	"github.com/heliograph/heliograph/internal/egress"
	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/media"
	"github.com/heliograph/heliograph/internal/mo"
	"github.com/heliograph/heliograph/internal/mt"
	"github.com/heliograph/heliograph/internal/operator"
	"github.com/heliograph/heliograph/internal/plivo"
	"github.com/heliograph/heliograph/internal/sqlite"
	"github.com/heliograph/heliograph/internal/webhook"
)

type serveCommand struct {
	Config   string  `help:"Configuration file." type:"path" placeholder:"FILE"`
	Listen   *string `help:"Address of API, health and metrics; port 0 picks one. Default 127.0.0.1:8080." placeholder:"ADDR"`
	Data     *string `help:"Folder for all that is kept. Default ./data." placeholder:"DIR"`
	Database *string `help:"Empty: SQLite in the data folder." placeholder:"URL"`
}

// Run serves until SIGTERM or an interrupt.
func (c serveCommand) Run(ctx context.Context, std streams) error {
	cfg, errs := loadConfig(c.Config, os.LookupEnv)
	for flag, setting := range map[*string]*string{c.Listen: &cfg.Listen, c.Data: &cfg.Data, c.Database: &cfg.Database} {
		if flag != nil {
			*setting = *flag
		}
	}
	if errs = append(errs, checkConfig(&cfg)...); len(errs) > 0 {
		return errors.Join(errs...)
	}
	if err := serve(ctx, &cfg, std); err != nil && ctx.Err() == nil {
		return err
	}
	return nil // also when it was told to stop before it had started: nothing was begun that must be finished
}

// shortToken is the length below which the operator is warned of a token.
const shortToken = 16

// stopWithin bounds an orderly stop.
const stopWithin = 9 * time.Second

// serve runs the server until ctx ends or a part of it fails.
func serve(ctx context.Context, cfg *Config, std streams) error {
	log := newLogger(cfg.Log, std.err)
	standardlog.SetFlags(0)
	standardlog.SetOutput(libraryLog{log})
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return err
	}
	key, err := secretKey(cfg)
	if err != nil {
		return err
	}
	store, err := sqlite.Open(ctx, sqlite.Options{Dir: cfg.Data, Key: key, Log: log})
	if err != nil {
		return err
	}
	library, err := openLibrary(cfg, key, store, log)
	if err == nil {
		err = serveFrom(ctx, cfg, store, library, log, std.out)
	}
	return errors.Join(err, store.Close())
}

func serveFrom(ctx context.Context, cfg *Config, store *sqlite.Store, library *media.Library, log *slog.Logger, out io.Writer) error {
	ids := &gateway.IDSource{Entropy: rand.Uint64}
	last, err := store.LastSeq(ctx)
	if err != nil {
		return err
	}
	ids.Resume(last)
	made, err := install(ctx, store, cfg, ids, time.Now())
	if err != nil {
		return err
	}
	s, err := newServer(ctx, cfg, store, library, ids, log)
	if err != nil {
		return err
	}
	listener, url, err := listen(cfg)
	if err != nil {
		return err
	}
	if n := len(cfg.AdminToken); n > 0 && n < shortToken && !onLoopback(cfg.Listen) {
		log.Warn("the admin token is short enough to be guessed", "characters", n)
	}
	s.links.Base = cmp.Or(s.links.Base, url)
	running := newStages(log)
	s.start(running, listener)
	log.Info("listening", "url", url)
	greet(out, &made, url, s.carriers.names(), len(cfg.Carriers) == 0)

	select {
	case <-ctx.Done():
		log.Info("stopping")
		running.stop(time.Now().Add(stopWithin))
		log.Info("stopped")
		return nil
	case err := <-running.failed:
		log.Error("stopping: a part of the server failed", "err", err)
		running.stop(time.Now().Add(stopWithin))
		return err
	}
}

// server is everything that runs.
type server struct {
	cfg        *Config
	store      *sqlite.Store
	library    *media.Library
	log        *slog.Logger
	service    *mt.Service
	dispatcher *mt.Dispatcher
	receipts   *dlr.Service
	inbound    *mo.Service
	callbacks  *webhook.Worker
	links      *plivo.MediaLinks // for webhooks
	carriers   carriers
	feedback   *plivo.Feedback
	alerts     *plivo.Alerts
	accounts   http.Handler
	operator   *operator.API
	timings    *timings
}

// newServer wires the parts together and loads what waits in the store; nothing runs yet.
func newServer(ctx context.Context, cfg *Config, store *sqlite.Store, library *media.Library, ids *gateway.IDSource, log *slog.Logger) (*server, error) {
	s := &server{cfg: cfg, store: store, library: library, log: log, timings: newTimings()}
	accounts := plivo.NewAccounts(store.Account, time.Now)
	agent, outside := "Heliograph/"+version(), egress.New(egress.Config{Allow: cfg.Egress.Allow, AllowLoopback: onLoopback(cfg.Listen)})
	s.alerts = plivo.NewAlerts(outside, agent, log)
	rendered, loops := plivo.NewCallbacks(accounts, agent), cfg.Inbound.Loop.loops()
	s.links = &plivo.MediaLinks{Read: store.MediaByID, Library: library, Base: cfg.PublicURL, Now: time.Now}
	rendered.Links = s.links.Of
	replies := &plivo.Replies{Accounts: accounts, NumbersOf: store.NumbersOf, Loops: loops, IDs: ids, Now: time.Now}
	s.callbacks = webhook.New(webhook.Config{
		Store: store, Client: outside, Render: rendered.Render, Answered: replies.Answered, Now: time.Now, Log: log, Observe: s.timings.posted,
	})
	store.Noticed = s.callbacks.Told
	s.dispatcher = mt.NewDispatcher(store, time.Now, log)
	s.dispatcher.Told = s.callbacks.Told
	zone, err := time.LoadLocation(cfg.DayZone)
	if err != nil {
		return nil, err
	}
	s.dispatcher.Calendar = gateway.Calendar{Zone: zone}
	s.dispatcher.SetHealth(cfg.Health.rules())
	s.receipts = dlr.NewService(store)
	s.receipts.Attach, s.receipts.Told, s.receipts.Ended = s.dispatcher.Attach, s.callbacks.Told, s.dispatcher.Ended

	prices, errs := readPrices(cfg.Prices)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	s.service = mt.NewService(store, s.dispatcher, ids, time.Now)
	replies.Accept = s.service.Accept
	answers := answerer{accept: s.service.Accept, loops: loops, ids: ids, now: time.Now}
	s.inbound = mo.NewService(mo.Config{
		Store: store, IDs: ids, Now: time.Now, Log: log, Price: prices.Inbound, Told: s.callbacks.Told, OptedOut: s.dispatcher.OptedOut,
		Answer: answers.answer, PartialAfter: time.Duration(cfg.Inbound.PartialAfter),
	})
	handsets := &handsets{take: s.inbound.Take, whose: s.service.Whose, use: library.Use}
	s.carriers, err = newCarriers(cfg, s.dispatcher, &wires{
		receipt: s.receipts.Record, part: s.inbound.Receive, settled: s.inbound.Settled, handsets: handsets,
		whose: s.service.Whose, library: library, ids: ids, log: log,
	})
	if err != nil {
		return nil, err
	}
	s.service.Routes, s.service.Told = cfg.routes(s.carriers.names()), s.callbacks.Told
	s.service.Countries, s.service.Breached = cfg.Countries, s.alerts.Tell
	s.service.Price, s.service.Prepare = prices.Outbound, newPreparer(cfg, library, ids, agent, log).Prepare
	if err := s.service.Load(ctx); err != nil {
		return nil, err
	}
	s.feedback = plivo.NewFeedback(store)
	s.accounts = plivo.New(plivo.Config{
		Store: store, Media: library, PublicURL: cfg.PublicURL, Accounts: accounts, Accept: s.service.Accept, Explain: s.service.Explain, Estimate: s.service.Estimate, Changed: s.service.Refresh, IDs: ids, Now: time.Now, Log: log,
		Feedback: s.feedback.Record, OptedOut: s.dispatcher.OptedOut, Prices: prices, Limits: cfg.limits(), TrustedProxies: cfg.TrustedProxies, OwnNumbers: cfg.ownNumbers(), Served: s.timings.served,
	})
	token, ok, err := store.OperatorToken(ctx)
	if err == nil && !ok {
		err = errors.New("the store has no operator's token")
	}
	if err != nil {
		return nil, err
	}
	s.operator = operator.New(operator.Config{
		Store: store, TokenHash: token, Queue: s.dispatcher, Binds: s.carriers.binds, Receipted: s.carriers.receipted,
		Changed: s.service.Refresh, Explain: s.service.Explain, Told: s.callbacks.Told, OptedOut: s.dispatcher.OptedOut, IDs: ids, Random: fillRandom, Now: time.Now, Log: log,
		ConversionWindow: time.Duration(cfg.ConversionWindow),
	})
	if len(handsets.networks) > 0 {
		s.operator.Bring = handsets.bring
	}
	return s, nil
}

// start runs everything, from the end of a message's way to its beginning. What is brought by carriers outlives them: they are told what became of
// everything. Accepting outlives what it is given beside the API: answers to keywords, and what applications answer to messages from handsets.
func (s *server) start(running *stages, listener *httpListener) {
	running.start("retention", s.purge, s.scrub)
	running.start("media", s.library.Run)
	running.start("accepting", s.service.Run)
	running.start("callbacks", s.callbacks.Run, s.alerts.Run)
	running.start("receipts and inbound", s.receipts.Run, s.inbound.Run)
	running.start("carriers", s.carriers.runs()...)
	running.start("dispatcher", s.dispatcher.Run)
	running.start("feedback", s.feedback.Run)
	running.start("http", func(ctx context.Context) error { return listener.serve(ctx, s.handler()) })
}

// purgeEvery is how often old records are removed, give or take a quarter.
const purgeEvery = time.Hour

// Some things have no setting of their own.
const (
	keepParked = 72 * time.Hour     // receipts whose part never turned up
	keepTold   = 7 * 24 * time.Hour // events that were told, with what their callbacks answered
)

// purge removes what has become too old to keep, in small steps.
func (s *server) purge(ctx context.Context) error {
	timer := time.NewTimer(time.Minute)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		now := time.Now()
		retention := gateway.Retention{
			Texts: now.Add(-time.Duration(s.cfg.Retention.Texts)), Records: now.Add(-time.Duration(s.cfg.Retention.Records)),
			Keys: now.Add(-gateway.IdempotencyWindow), Parked: now.Add(-keepParked), Told: now.Add(-keepTold),
		}
		more, err := s.store.Purge(ctx, retention)
		switch {
		case err != nil && ctx.Err() == nil:
			s.log.Error("old records cannot be removed", "err", err)
			more = false
		case more:
			timer.Reset(100 * time.Millisecond) // others get their turn
		}
		if !more {
			timer.Reset(purgeEvery*3/4 + rand.N(purgeEvery/2))
		}
	}
}
