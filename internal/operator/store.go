package operator

import (
	"context"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Store is what the operator API reads and changes.
type Store interface {
	CreateAccount(ctx context.Context, account gateway.Account) error
	Accounts(ctx context.Context) ([]gateway.Account, error)
	// ChangeAccount changes an account and gives it as it is then; NotFound when there is none of that ID, Invalid when a subaccount is to pay for
	// itself.
	ChangeAccount(ctx context.Context, id gateway.AccountID, change gateway.AccountChange) (gateway.Account, error)
	// AddCredit pays into a main account, or corrects its balance, and gives the entry of its ledger. One whose key was used before changes nothing and
	// gives the entry of then; Conflict when that had another amount or note. NotFound when there is no such account; Invalid for a subaccount, and when
	// the balance would be beyond gateway.MaxMoney.
	AddCredit(ctx context.Context, credit gateway.Credit) (gateway.Credit, error)
	// Credits lists the ledger of a main account, newest first, and how many entries it has.
	Credits(ctx context.Context, account gateway.AccountID, limit, offset int) ([]gateway.Credit, int, error)
	// Numbers lists numbers in the order in which they were added, and how many fit the filter in all.
	Numbers(ctx context.Context, filter gateway.NumberFilter) ([]gateway.Number, int, error)
	// PutCampaigns adds campaigns or replaces their settings; all or none. Invalid when an account does not exist; Conflict when a campaign is
	// another account's.
	PutCampaigns(ctx context.Context, campaigns []gateway.Campaign) error
	// Campaigns lists all campaigns by ID.
	Campaigns(ctx context.Context) ([]gateway.Campaign, error)
	// DeleteCampaign removes a campaign; its numbers then belong to none. NotFound when there is none of that ID.
	DeleteCampaign(ctx context.Context, id string) error
	// PutNumbers adds numbers or replaces their settings (type, country, carrier, services, rate, cap, campaign, pause, owner); all or none. A
	// number that changes its owner leaves its pool. Invalid when an owner does not exist, or a campaign does not or is not the owner's.
	PutNumbers(ctx context.Context, numbers []gateway.Number) error
	// Message reads one message of the account; NotFound when it has none of that ID.
	Message(ctx context.Context, account gateway.AccountID, id gateway.ID) (*gateway.Message, error)
	// HeldMessages lists messages whose submit was never answered under `unanswered: hold`, oldest first.
	HeldMessages(ctx context.Context, limit int) ([]gateway.Held, error)
	// ReleaseHeld puts a held message back into its lane, to be submitted again. NotFound when it is not held.
	ReleaseHeld(ctx context.Context, id gateway.ID, at time.Time) (*gateway.Message, error)
	// FailHeld ends a held message as failed with code DispatchFailed. NotFound when it is not held.
	FailHeld(ctx context.Context, id gateway.ID, at time.Time) (gateway.Applied, error)
}
