package plivo

import (
	"context"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Store is what the account API reads and changes besides sending. Refusals are gateway.Errors: NotFound for what is not there or belongs to
// another account, Conflict for what contradicts what is there.
type Store interface {
	Account(ctx context.Context, id gateway.AccountID) (gateway.Account, error)

	// Message reads one message of the account.
	Message(ctx context.Context, account gateway.AccountID, id gateway.ID) (*gateway.Message, error)
	// Messages lists messages newest first, and how many fit the filter in all.
	Messages(ctx context.Context, filter gateway.MessageFilter) ([]*gateway.Message, int, error)

	// CreatePowerpack stores a new powerpack; Conflict when the account has one of that name.
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
	// RentNumber gives a number of the inventory to the account, linked to an application or to none. NotFound when it is not in
	// the inventory; Conflict when the account has it already.
	RentNumber(ctx context.Context, account gateway.AccountID, number, application string, at time.Time) error
	// ChangeNumber changes a number of the account; NotFound when it has none of that name.
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
}
