package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/operator"
	"github.com/heliograph/heliograph/internal/sqlite"
)

// installation is what a first start made, as far as the greeting shows it. Secrets that were given are not shown again.
type installation struct {
	account    gateway.Account
	madeToken  bool
	adminToken string     // empty: it was given
	powerpack  gateway.ID // zero: not a development install
	number     string     // one of the account's, likewise
	first      bool
}

// demoPowerpack is the name of a development install's powerpack.
const demoPowerpack = "demo"

// install makes an account, and on a development install numbers and a powerpack, when the store is empty. The operator's token is made
// then, too, or set to the configured one at any start.
func install(ctx context.Context, store *sqlite.Store, cfg *Config, ids *gateway.IDSource, now time.Time) (installation, error) {
	var made installation
	empty, err := store.Empty(ctx)
	if err != nil {
		return made, err
	}
	if empty {
		if made, err = installFirst(ctx, store, cfg, ids, now); err != nil {
			return made, err
		}
	}
	made.adminToken, err = installOperator(ctx, store, cfg)
	return made, err
}

func installFirst(ctx context.Context, store *sqlite.Store, cfg *Config, ids *gateway.IDSource, now time.Time) (installation, error) {
	account := newAccount("default")
	if cfg.AuthID != "" {
		account.ID = gateway.AccountID(cfg.AuthID)
	}
	if cfg.AuthToken != "" {
		account.Token = cfg.AuthToken
	}
	made := installation{account: account, madeToken: cfg.AuthToken == "", first: true}
	if len(cfg.Carriers) > 0 {
		return made, store.Install(ctx, account, nil, nil)
	}
	pack := gateway.Powerpack{
		ID: ids.Next(now), Account: account.ID, Name: demoPowerpack, Pool: ids.Next(now), Sticky: true, LocalConnect: true, CreatedAt: now,
	}
	numbers := inventory(account.ID, pack.Pool, loopbackName, now)
	rented := slices.IndexFunc(numbers, func(n gateway.Number) bool { return n.Account == account.ID })
	made.powerpack, made.number = pack.ID, numbers[rented].Number
	return made, store.Install(ctx, account, numbers, []gateway.Powerpack{pack})
}

// installOperator sees to it that there is an operator's token, and gives it when it was made here.
func installOperator(ctx context.Context, store *sqlite.Store, cfg *Config) (made string, err error) {
	known, ok, err := store.OperatorToken(ctx)
	if err != nil {
		return "", err
	}
	token := cfg.AdminToken
	if token == "" {
		if ok {
			return "", nil
		}
		token = hex.EncodeToString(randomBytes(20))
		made = token
	}
	hash := sha256.Sum256([]byte(token))
	if ok && hash == known {
		return "", nil
	}
	return made, store.SetOperatorToken(ctx, hash)
}

func newAccount(name string) gateway.Account {
	return operator.NewAccount(name, fillRandom, time.Now())
}

func fillRandom(b []byte) { copy(b, randomBytes(len(b))) }
