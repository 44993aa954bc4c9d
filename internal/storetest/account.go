package storetest

import (
	"fmt"

	"github.com/heliograph/heliograph/internal/gateway"
)

var accountTests = map[string]func(*world){
	"accounts are listed in the order in which they were made, with their tokens": func(w *world) {
		sub := gateway.Account{ID: "SASUBSUBSUBSUBSUBSUB", Parent: one, Name: "Sub", Token: "token of sub", Rate: 2.5, CreatedAt: w.now}
		w.ok(w.CreateAccount(w.ctx, sub))
		w.reopen()
		want := []gateway.Account{
			{ID: one, Name: "One", Token: "token of one", Enabled: true, CreatedAt: w.now},
			{ID: two, Name: "Two", Token: "token of two", Enabled: true, CreatedAt: w.now},
			sub,
		}
		w.same(must[[]gateway.Account](w)(w.Accounts(w.ctx)), want)
		w.same(must[gateway.Account](w)(w.Account(w.ctx, sub.ID)), sub)
	},
	"an account that is not there": func(w *world) {
		_, err := w.Account(w.ctx, "MANONENONENONENONENO")
		w.refused(err, gateway.NotFound)
		rate := 1.0
		_, err = w.ChangeAccount(w.ctx, "MANONENONENONENONENO", gateway.AccountChange{Rate: &rate})
		w.refused(err, gateway.NotFound)
	},
	"an account is changed in what is named, and nothing else": func(w *world) {
		want := must[gateway.Account](w)(w.Account(w.ctx, one))
		name, none, off, on, rate, unlimited := "Renamed", "", false, true, 0.5, 0.0
		for _, test := range []struct {
			change gateway.AccountChange
			expect func()
		}{
			{gateway.AccountChange{}, func() {}},
			{gateway.AccountChange{Rate: &rate}, func() { want.Rate = rate }},
			{gateway.AccountChange{Name: &name}, func() { want.Name = name }},
			{gateway.AccountChange{Enabled: &off}, func() { want.Enabled = false }},
			{gateway.AccountChange{Name: &none, Enabled: &on, Rate: &unlimited}, func() { want.Name, want.Enabled, want.Rate = "", true, 0 }},
		} {
			test.expect()
			w.same(must[gateway.Account](w)(w.ChangeAccount(w.ctx, one, test.change)), want)
			w.reopen()
			w.same(must[gateway.Account](w)(w.Account(w.ctx, one)), want)
		}
		w.same(must[[]gateway.Account](w)(w.Accounts(w.ctx))[1].Name, "Two")
	},
	"an account's id is taken once": func(w *world) {
		w.refused(w.CreateAccount(w.ctx, gateway.Account{ID: one, Name: "Again", Token: "other"}), gateway.Conflict)
		w.same(must[gateway.Account](w)(w.Account(w.ctx, one)).Token, "token of one")
	},
	"a subaccount needs its parent": func(w *world) {
		err := w.CreateAccount(w.ctx, gateway.Account{ID: "SASUBSUBSUBSUBSUBSUB", Parent: "MANONENONENONENONENO"})
		w.refused(err, gateway.Invalid)
		w.same(len(must[[]gateway.Account](w)(w.Accounts(w.ctx))), 2)
	},
	"installed once": func(w *world) {
		w.same(must[bool](w)(w.Empty(w.ctx)), false)
		w.refused(w.Install(w.ctx, gateway.Account{ID: "MATHREETHREETHREE333"}, nil, nil), gateway.Conflict)
	},
	"the operator's token is kept as its hash": func(w *world) {
		_, ok, err := w.OperatorToken(w.ctx)
		w.ok(err)
		w.same(ok, false)
		for i := range byte(2) {
			w.ok(w.SetOperatorToken(w.ctx, [32]byte{i, 1, 2, 3}))
			w.reopen()
			hash, ok, err := w.OperatorToken(w.ctx)
			w.ok(err)
			w.same(fmt.Sprint(ok, hash), fmt.Sprint(true, [32]byte{i, 1, 2, 3}))
		}
	},
	"a check passes, again and again": func(w *world) {
		w.ok(w.Check(w.ctx))
		w.ok(w.Check(w.ctx))
	},
	"after Close every method says that the store is unavailable": func(w *world) {
		store := w.Store
		w.ok(store.Close())
		w.ok(store.Close())
		w.refused(store.Check(w.ctx), gateway.Unavailable)
		_, err := store.Lanes(w.ctx)
		w.refused(err, gateway.Unavailable)
		w.Store = w.open()
	},
}
