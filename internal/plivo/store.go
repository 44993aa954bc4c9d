package plivo

import (
	"context"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Store is what the account API reads and changes besides sending. Refusals are gateway.Errors: NotFound for what is not there or belongs to
// another account, Conflict for what contradicts what is there.
type Store interface {
	// Account reads an account, also one that was removed.
	Account(ctx context.Context, id gateway.AccountID) (gateway.Account, error)
	// Profile and ChangeProfile read and change what an account says of itself.
	Profile(ctx context.Context, id gateway.AccountID) (gateway.Profile, error)
	ChangeProfile(ctx context.Context, id gateway.AccountID, change gateway.ProfileChange) error
	// Wallet reads what an account pays from; that of a subaccount is empty.
	Wallet(ctx context.Context, id gateway.AccountID) (gateway.Wallet, error)

	// CreateAccount stores a new account. Conflict when its id is taken; Invalid when its parent does not exist.
	CreateAccount(ctx context.Context, account gateway.Account) error
	// Subaccounts lists the subaccounts of an account, newest first, and how many there are.
	Subaccounts(ctx context.Context, parent gateway.AccountID, limit, offset int) ([]gateway.Subaccount, int, error)
	Subaccount(ctx context.Context, parent, id gateway.AccountID) (gateway.Subaccount, error)
	ChangeSubaccount(ctx context.Context, parent, id gateway.AccountID, change gateway.SubaccountChange, at time.Time) error
	// RemoveSubaccount removes a subaccount. What it has goes to its parent; with cascade, its numbers go back into the inventory and the rest is
	// removed. Messages stay. Conflict while one of its messages is queued.
	RemoveSubaccount(ctx context.Context, parent, id gateway.AccountID, cascade bool, at time.Time) error

	// CreateApplication stores a new application. Where it is the default, no other of its account is any more. Conflict when its id is taken.
	CreateApplication(ctx context.Context, app gateway.Application) error
	// Application reads an application of the account or of a subaccount of it.
	Application(ctx context.Context, account gateway.AccountID, id string) (gateway.Application, error)
	// Applications lists applications, newest first, and how many fit the filter in all.
	Applications(ctx context.Context, filter gateway.ApplicationFilter) ([]gateway.Application, int, error)
	// DefaultApplication is the id of the account's application that is the default for numbers; "" when there is none.
	DefaultApplication(ctx context.Context, account gateway.AccountID) (string, error)
	// ChangeApplication changes an application of the account or of a subaccount of it, unless change refuses. When it goes to another account,
	// numbers and powerpacks that are linked to it are linked to none.
	ChangeApplication(ctx context.Context, account gateway.AccountID, id string, change func(*gateway.Application) error) error
	// DeleteApplication removes an application of the account or of a subaccount of it; numbers and powerpacks that are linked to it are then
	// linked to none.
	DeleteApplication(ctx context.Context, account gateway.AccountID, id string) error

	// Message reads one message of the account, or of a subaccount of it, also of one that was removed.
	Message(ctx context.Context, account gateway.AccountID, id gateway.ID) (*gateway.Message, error)
	// Messages lists messages newest first, and how many fit the filter in all.
	Messages(ctx context.Context, filter gateway.MessageFilter) ([]*gateway.Message, int, error)

	// ForgetMedia makes a message of the account, or of a subaccount of it, name no media any more. NotFound when there is none of that id; Conflict
	// while it is queued.
	ForgetMedia(ctx context.Context, account gateway.AccountID, id gateway.ID) error
	// Media lists files of the account, newest first, and how many there are.
	Media(ctx context.Context, filter gateway.MediumFilter) ([]gateway.Medium, int, error)
	// MediaByID reads files of the account, in the order of the ids and as often as they are given; those that are not there, or expired at that
	// time, are left out.
	MediaByID(ctx context.Context, account gateway.AccountID, ids []gateway.ID, at time.Time) ([]gateway.Medium, error)

	// RecordConversions keeps feedback on messages, in its order; what came before on a message is replaced. Results are in the order of the
	// feedback: NotFound when neither the account nor a subaccount of it has such a message, Invalid when it is not trackable.
	RecordConversions(ctx context.Context, batch []gateway.Conversion) ([]error, error)

	// Conversation lists what an account and a person have written to each other, and how many messages that are.
	Conversation(ctx context.Context, filter gateway.ConversationFilter) ([]*gateway.Message, int, error)

	// OptOuts lists opt-outs that stand, newest first, and how many fit the filter in all.
	OptOuts(ctx context.Context, filter gateway.OptOutFilter) ([]gateway.OptOut, int, error)
	// ChangeOptOuts opts persons out, and in again, all or none, and tells which of the changes changed something.
	ChangeOptOuts(ctx context.Context, changes []gateway.OptOutChange) ([]bool, error)

	// CreatePowerpack stores a new powerpack; Conflict when the account has one of that name, Invalid when it has not the application that is linked.
	CreatePowerpack(ctx context.Context, powerpack gateway.Powerpack) error
	// UpdatePowerpack replaces the settings of the powerpack with that ID.
	UpdatePowerpack(ctx context.Context, powerpack gateway.Powerpack) error
	Powerpack(ctx context.Context, account gateway.AccountID, id gateway.ID) (gateway.Powerpack, error)
	PowerpackOfPool(ctx context.Context, account gateway.AccountID, pool gateway.ID) (gateway.Powerpack, error)
	// Powerpacks lists the account's powerpacks, newest first, and how many there are.
	Powerpacks(ctx context.Context, account gateway.AccountID, limit, offset int) ([]gateway.Powerpack, int, error)
	// DeletePowerpack removes the powerpack, its pool and its sticky choices; its numbers leave the pool and, when unrent is set, go back
	// into the inventory.
	DeletePowerpack(ctx context.Context, account gateway.AccountID, id gateway.ID, unrent bool) error

	// Numbers lists numbers in the order in which they were added, and how many fit the filter in all.
	Numbers(ctx context.Context, filter gateway.NumberFilter) ([]gateway.Number, int, error)
	// Number reads one number: of the account, or of the inventory when account is empty. NotFound when it is not there.
	Number(ctx context.Context, account gateway.AccountID, number string) (gateway.Number, error)
	// NumberOwner is which has a number: the account, or one of its subaccounts. NotFound when none has.
	NumberOwner(ctx context.Context, account gateway.AccountID, number string) (gateway.AccountID, error)
	// RentNumber gives a number of the inventory to the account, linked to an application or to none. NotFound when it is not in
	// the inventory; Conflict when the account has it already; Invalid when it has not the application.
	RentNumber(ctx context.Context, account gateway.AccountID, number, application string, at time.Time) error
	// AddNumbers stores numbers that an account brings along; those that it has already stay as they are. All or none: Conflict when one is somebody
	// else's or in the inventory; Invalid when the account, or its application, does not exist.
	AddNumbers(ctx context.Context, numbers []gateway.Number) error
	// ChangeNumber changes a number of the account; NotFound when it has none of that name; Invalid when it is to be linked to an application
	// that its owner has not.
	ChangeNumber(ctx context.Context, account gateway.AccountID, number string, change gateway.NumberChange) error
	// UnrentNumber puts a number of the account back into the inventory, out of its pool. NotFound when the account has none of that name.
	UnrentNumber(ctx context.Context, account gateway.AccountID, number string) error
	// AddToPool puts a number of the account into the pool for a service. With rent, a number of the inventory is rented
	// first. NotFound when the account has no such number (and it cannot be rented); Conflict when it is in another pool, or a short code
	// and the pool has another one for its country; Invalid when it cannot carry the service. Adding a number to the pool it is in
	// changes its service.
	AddToPool(ctx context.Context, account gateway.AccountID, pool gateway.ID, number string, service gateway.Service, rent bool, at time.Time) (gateway.Number, error)
	// RemoveFromPool takes a number out of the pool; with unrent it goes back into the inventory. NotFound when it is not in the pool.
	RemoveFromPool(ctx context.Context, account gateway.AccountID, pool gateway.ID, number string, unrent bool) error

	// CreateRegistration stores a new registration. Conflict when the account has one of that id, or its number is verified or waits for it; Invalid when
	// the account has not the parent, or not the number among its toll-free numbers.
	CreateRegistration(ctx context.Context, r gateway.Registration) error
	// Registration reads a registration of the account; kind 0 is any.
	Registration(ctx context.Context, account gateway.AccountID, kind gateway.RegistrationKind, id string) (gateway.Registration, error)
	// Registrations lists registrations, newest first, and how many fit the filter in all.
	Registrations(ctx context.Context, filter gateway.RegistrationFilter) ([]gateway.Registration, int, error)
	// ChangeRegistration changes a registration of the account, unless change refuses. Invalid when the account has not the parent.
	ChangeRegistration(ctx context.Context, account gateway.AccountID, kind gateway.RegistrationKind, id string, change func(*gateway.Registration) error) error
	// DeleteRegistration removes a registration of the account. The numbers of a campaign then belong to none. Conflict while others belong to it.
	DeleteRegistration(ctx context.Context, account gateway.AccountID, kind gateway.RegistrationKind, id string, at time.Time) error
	// LinkNumbers puts numbers of the account into a campaign that it registered: at once when that is approved, else as soon as it is; all or none. Invalid
	// when a number cannot be in a campaign or the campaign was refused; Conflict when a number is in a campaign, waits for one, or would be one too many.
	// The account is told of each number when it is in, or never will be.
	LinkNumbers(ctx context.Context, account gateway.AccountID, campaign string, numbers []string, to gateway.Callback, at time.Time) error
	// UnlinkNumber takes a number out of a campaign of the account, and tells the account; Invalid when it is not in it.
	UnlinkNumber(ctx context.Context, account gateway.AccountID, campaign, number string, to gateway.Callback, at time.Time) error
	// Verifications reads the newest verification of each of the account's numbers that has one.
	Verifications(ctx context.Context, account gateway.AccountID, numbers []string) (map[string]gateway.Registration, error)
	// NumbersOf reads those of the numbers that the account has.
	NumbersOf(ctx context.Context, account gateway.AccountID, numbers []string) (map[string]gateway.Number, error)
}
