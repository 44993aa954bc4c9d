// Package storetest is the suite that every store passes: what the users of a store rely on, as tests. It names no engine.
package storetest

import (
	"context"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/heliograph/heliograph/internal/dlr"
	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/media"
	"github.com/heliograph/heliograph/internal/mo"
	"github.com/heliograph/heliograph/internal/mt"
	"github.com/heliograph/heliograph/internal/operator"
	"github.com/heliograph/heliograph/internal/plivo"
	"github.com/heliograph/heliograph/internal/webhook"
)

// Store is all that is asked of a store, by those who serve messages and by the program.
type Store interface {
	mt.Store
	dlr.Store
	webhook.Store
	plivo.Store
	operator.Store
	media.Index
	mo.Store

	Conversation(ctx context.Context, filter gateway.ConversationFilter) ([]*gateway.Message, int, error)
	OptOutSources(ctx context.Context, addressees []gateway.Addressee) ([][]string, error)
	ChangeOptOuts(ctx context.Context, changes []gateway.OptOutChange) ([]bool, error)
	OptOuts(ctx context.Context, filter gateway.OptOutFilter) ([]gateway.OptOut, int, error)
	OptOutRecords(ctx context.Context, filter gateway.OptOutFilter) ([]gateway.OptOutRecord, int, error)
	RecentOptOuts(ctx context.Context, since time.Time) ([]gateway.OptOut, error)

	Install(ctx context.Context, account gateway.Account, numbers []gateway.Number, powerpacks []gateway.Powerpack) error
	Empty(ctx context.Context) (bool, error)
	OperatorToken(ctx context.Context) (hash [32]byte, ok bool, err error)
	SetOperatorToken(ctx context.Context, hash [32]byte) error
	LastSeq(ctx context.Context) (int64, error)
	Purge(ctx context.Context, retention gateway.Retention) (more bool, err error)
	Check(ctx context.Context) error
	Close() error
}

// Start prepares a place for an empty store and gives the function that opens it. That function is called again after Close, and
// then opens what was left there.
type Start func(t *testing.T) (open func() Store)

// Run runs the whole suite, each test on a store of its own.
func Run(t *testing.T, start Start) {
	for _, group := range []map[string]func(*world){
		accountTests, subaccountTests, applicationTests, numberTests, campaignTests, registrationTests, noticeTests, powerpackTests, rosterTests, submissionTests, stickyTests, laneTests,
		moveTests, submitTests, receiptTests, heldTests, preparationTests, eventTests, messageTests, clockTests, usageTests, purgeTests, mediumTests, conversionTests, guardTests, moneyTests, inboundTests, optOutTests, conversationTests,
	} {
		for name, test := range group {
			t.Run(name, func(t *testing.T) { test(newWorld(t, start)) })
		}
	}
	t.Run("a random history keeps the books", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) { testBooks(rt, start(t)) })
	})
	t.Run("what comes in at random is kept once", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) { testInbox(rt, start(t)) })
	})
	t.Run("a random history agrees with a model", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) { testHistory(rt, start(t)) })
	})
}
