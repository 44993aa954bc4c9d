package storetest

import (
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

var powerpackTests = map[string]func(*world){
	"a powerpack is kept in every particular": func(w *world) {
		w.reopen()
		w.same(must[gateway.Powerpack](w)(w.Powerpack(w.ctx, one, w.powerpack.ID)), w.powerpack)
		w.same(must[gateway.Powerpack](w)(w.PowerpackOfPool(w.ctx, one, w.powerpack.Pool)), w.powerpack)
		bare := gateway.Powerpack{ID: w.id(), Account: one, Name: "bare", Pool: w.id(), CreatedAt: w.now}
		eager := bare
		eager.ID, eager.Pool, eager.Name, eager.Patience, eager.Refresh = w.id(), w.id(), "eager", 1500*time.Millisecond, true
		w.ok(w.CreatePowerpack(w.ctx, bare))
		w.ok(w.CreatePowerpack(w.ctx, eager))
		w.reopen()
		w.same(must[gateway.Powerpack](w)(w.Powerpack(w.ctx, one, eager.ID)), eager)
		w.same(must[gateway.Powerpack](w)(w.Powerpack(w.ctx, one, bare.ID)), bare)
	},
	"powerpacks are listed newest first, paged and counted": func(w *world) {
		second, third := w.otherPowerpack(one, "second"), w.otherPowerpack(one, "third")
		w.otherPowerpack(two, "theirs")
		list, total, err := w.Powerpacks(w.ctx, one, 2, 0)
		w.ok(err)
		w.same(total, 3)
		w.same(list, []gateway.Powerpack{third, second})
		list, total, err = w.Powerpacks(w.ctx, one, 2, 2)
		w.ok(err)
		w.same(total, 3)
		w.same(list, []gateway.Powerpack{w.powerpack})
	},
	"an operator lists the powerpacks of all accounts, and reads any": func(w *world) {
		second, theirs := w.otherPowerpack(one, "second"), w.otherPowerpack(two, "theirs")
		w.reopen()
		list, total, err := w.AllPowerpacks(w.ctx, "", 2, 0)
		w.ok(err)
		w.same(total, 3)
		w.same(list, []gateway.Powerpack{theirs, second})
		list, total, err = w.AllPowerpacks(w.ctx, "", 2, 2)
		w.ok(err)
		w.same(total, 3)
		w.same(list, []gateway.Powerpack{w.powerpack})
		list, total, err = w.AllPowerpacks(w.ctx, two, 9, 0)
		w.ok(err)
		w.same(total, 1)
		w.same(list, []gateway.Powerpack{theirs})
		w.same(must[gateway.Powerpack](w)(w.AnyPowerpack(w.ctx, theirs.ID)), theirs)
		_, err = w.AnyPowerpack(w.ctx, w.id())
		w.refused(err, gateway.NotFound)
	},
	"a name is given once in an account": func(w *world) {
		p := w.powerpack
		p.ID, p.Pool = w.id(), w.id()
		w.refused(w.CreatePowerpack(w.ctx, p), gateway.Conflict)
		p.Account, p.ApplicationType, p.ApplicationID = two, "", ""
		w.ok(w.CreatePowerpack(w.ctx, p))
		second := w.otherPowerpack(one, "second")
		second.Name = w.powerpack.Name
		w.refused(w.UpdatePowerpack(w.ctx, second), gateway.Conflict)
		second.Name = "second"
		w.ok(w.UpdatePowerpack(w.ctx, second))
	},
	"an update replaces settings, and nothing else": func(w *world) {
		p := w.powerpack
		p.Name, p.Sticky, p.LocalConnect, p.ApplicationType, p.ApplicationID = "renamed", false, false, "", ""
		p.Patience, p.Refresh = 90*time.Second, true
		p.Priorities = []gateway.Priority{
			{Service: gateway.MMS, Country: "US", Order: gateway.DefaultOrder}, {Service: gateway.SMS, Country: "US", Order: [3]gateway.NumberType{gateway.LongCode}},
		}
		changed := p
		changed.Pool, changed.CreatedAt = w.id(), w.now.AddDate(1, 0, 0)
		w.ok(w.UpdatePowerpack(w.ctx, changed))
		w.reopen()
		w.same(must[gateway.Powerpack](w)(w.Powerpack(w.ctx, one, p.ID)), p)
		w.same(w.numbers(gateway.NumberFilter{Pool: p.Pool}), []string{pooled, pooledToo})
	},
	"powerpacks of another account are not there": func(w *world) {
		_, err := w.Powerpack(w.ctx, two, w.powerpack.ID)
		w.refused(err, gateway.NotFound)
		_, err = w.PowerpackOfPool(w.ctx, two, w.powerpack.Pool)
		w.refused(err, gateway.NotFound)
		_, err = w.Powerpack(w.ctx, one, w.id())
		w.refused(err, gateway.NotFound)
		p := w.powerpack
		p.Account, p.Name = two, "stolen"
		w.refused(w.UpdatePowerpack(w.ctx, p), gateway.NotFound)
		w.refused(w.DeletePowerpack(w.ctx, two, p.ID, true), gateway.NotFound)
		w.same(must[gateway.Powerpack](w)(w.Powerpack(w.ctx, one, p.ID)), w.powerpack)
		w.same(w.numbers(gateway.NumberFilter{Pool: p.Pool}), []string{pooled, pooledToo})
		_, total, err := w.Powerpacks(w.ctx, two, 9, 0)
		w.ok(err)
		w.same(total, 0)
	},
	"a powerpack of an account that does not exist": func(w *world) {
		w.refused(w.CreatePowerpack(w.ctx, gateway.Powerpack{ID: w.id(), Pool: w.id(), Account: "MANONENONENONENONENO", Name: "x"}), gateway.Invalid)
	},
	"a deleted powerpack gives its numbers free": func(w *world) {
		w.ok(w.DeletePowerpack(w.ctx, one, w.powerpack.ID, false))
		_, err := w.Powerpack(w.ctx, one, w.powerpack.ID)
		w.refused(err, gateway.NotFound)
		_, err = w.PowerpackOfPool(w.ctx, one, w.powerpack.Pool)
		w.refused(err, gateway.NotFound)
		w.refused(w.DeletePowerpack(w.ctx, one, w.powerpack.ID, false), gateway.NotFound)
		w.same(w.numbers(gateway.NumberFilter{Account: one}), []string{pooled, pooledToo, rented})
		w.same(w.numberOf(one, pooled), w.number(pooled, one, gateway.ID{}))
		w.ok(w.CreatePowerpack(w.ctx, w.powerpack)) // the name is free again
	},
	"a deleted powerpack gives its numbers back to the inventory": func(w *world) {
		w.ok(w.DeletePowerpack(w.ctx, one, w.powerpack.ID, true))
		w.same(w.numbers(gateway.NumberFilter{Account: one}), []string{rented})
		w.same(w.numberOf("", pooled), w.number(pooled, "", gateway.ID{}))
	},
}

func (w *world) otherPowerpack(account gateway.AccountID, name string) gateway.Powerpack {
	w.Helper()
	p := gateway.Powerpack{ID: w.id(), Account: account, Name: name, Pool: w.id(), Sticky: true, CreatedAt: w.now}
	w.ok(w.CreatePowerpack(w.ctx, p))
	return p
}
