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
	DeleteCampaign(ctx context.Context, id string, at time.Time) error
	// PutNumbers adds numbers or replaces their settings (type, country, carrier, services, rate, cap, campaign, pause, owner); all or none. A
	// number that changes its owner leaves its pool, and is linked to the new owner's default application. Invalid when an owner does not exist, or a
	// campaign does not or is not the owner's; Conflict when a pool would have two short codes for one country.
	PutNumbers(ctx context.Context, numbers []gateway.Number) error
	// PauseNumber pauses a number, or lets it go on; its other settings stay. NotFound when there is none of that name.
	PauseNumber(ctx context.Context, number string, paused bool) error
	// AllPowerpacks lists the powerpacks of an account, or of all when it is empty, newest first, and how many there are.
	AllPowerpacks(ctx context.Context, account gateway.AccountID, limit, offset int) ([]gateway.Powerpack, int, error)
	// AnyPowerpack reads a powerpack, whoever has it. NotFound when there is none of that ID.
	AnyPowerpack(ctx context.Context, id gateway.ID) (gateway.Powerpack, error)
	// Message reads one message of the account; NotFound when it has none of that ID.
	Message(ctx context.Context, account gateway.AccountID, id gateway.ID) (*gateway.Message, error)
	// Messages lists messages newest first, and how many fit the filter in all: at least, where there are very many.
	Messages(ctx context.Context, filter gateway.MessageFilter) ([]*gateway.Message, int, error)
	// Guard reads what guards an account; NotFound when there is no such account.
	Guard(ctx context.Context, account gateway.AccountID) (gateway.Guard, error)
	// ChangeGuard changes what guards an account, unless change refuses, and gives it as it is then.
	ChangeGuard(ctx context.Context, account gateway.AccountID, change func(*gateway.Guard) error) (gateway.Guard, error)
	// Conversions counts how trackable messages that a carrier took converted, by group, those with the most messages first.
	Conversions(ctx context.Context, filter gateway.ConversionFilter) ([]gateway.ConversionCount, error)
	// ConversionBlocks is Conversions by blocks of a thousand destinations, whatever filter.By says. Name is a number of the block.
	ConversionBlocks(ctx context.Context, filter gateway.ConversionFilter) ([]gateway.ConversionCount, error)
	// HeldMessages lists messages whose submit was never answered under `unanswered: hold`, oldest first.
	HeldMessages(ctx context.Context, limit int) ([]gateway.Held, error)
	// ReleaseHeld puts a held message back into its lane, to be submitted again. NotFound when it is not held.
	ReleaseHeld(ctx context.Context, id gateway.ID, at time.Time) (*gateway.Message, error)
	// FailHeld ends a held message as failed with code DispatchFailed. NotFound when it is not held.
	FailHeld(ctx context.Context, id gateway.ID, at time.Time) (gateway.Applied, error)
	// Registrations lists registrations, newest first, and how many fit the filter in all.
	Registrations(ctx context.Context, filter gateway.RegistrationFilter) ([]gateway.Registration, int, error)
	// Registration reads a registration of the account; kind 0 is any.
	Registration(ctx context.Context, account gateway.AccountID, kind gateway.RegistrationKind, id string) (gateway.Registration, error)
	// DecideRegistration sets what was decided, and gives the registration as it is then. An approved campaign is one of the queue's, with the numbers that
	// waited for it; one that is refused is none any more. Invalid when there is nothing to decide; Conflict when the campaign is another account's.
	DecideRegistration(ctx context.Context, account gateway.AccountID, id string, decision gateway.Decision) (gateway.Registration, error)
	// OptOuts lists opt-outs that stand, newest first, and how many fit the filter in all.
	OptOuts(ctx context.Context, filter gateway.OptOutFilter) ([]gateway.OptOut, int, error)
	// OptOutRecords lists the audit trail, newest first, and how many lines fit the filter in all.
	OptOutRecords(ctx context.Context, filter gateway.OptOutFilter) ([]gateway.OptOutRecord, int, error)
	// ChangeOptOuts opts persons out, and in again, all or none, and tells which of the changes changed something: those have a line in the audit trail.
	// NotFound when an account does not exist.
	ChangeOptOuts(ctx context.Context, changes []gateway.OptOutChange) ([]bool, error)
	// MediaByID reads media of an account, in the order of the ids. Those that are not there at that time are left out.
	MediaByID(ctx context.Context, account gateway.AccountID, ids []gateway.ID, at time.Time) ([]gateway.Medium, error)
}
