package storetest

import (
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

var numberTests = map[string]func(*world){
	"numbers are kept in every particular, in the order in which they were added": func(w *world) {
		full := gateway.Number{
			Number: "16135550199", Type: gateway.TollFree, Country: "CA", Region: "ON", AreaCode: "613", Rate: 0.25, DailyCap: 7,
			Services: gateway.Services(gateway.SMS, gateway.MMS), Carrier: "other", Account: two, AddedAt: w.now.Add(time.Hour),
		}
		short := gateway.Number{Number: "55555", Type: gateway.ShortCode, Country: "US", Services: gateway.Services(gateway.SMS)}
		w.ok(w.PutNumbers(w.ctx, []gateway.Number{full, short}))
		w.reopen()
		w.same(w.numbers(gateway.NumberFilter{}), []string{pooled, pooledToo, rented, inventory, inventory2, full.Number, short.Number})
		list, _, err := w.Numbers(w.ctx, gateway.NumberFilter{Account: two})
		w.ok(err)
		w.same(list, []gateway.Number{full})
		list, _, err = w.Numbers(w.ctx, gateway.NumberFilter{Pool: w.powerpack.Pool, Limit: 1})
		w.ok(err)
		w.same(list, []gateway.Number{w.number(pooled, one, w.powerpack.Pool)})
	},
	"numbers are filtered, paged and counted": func(w *world) {
		mms := w.number("16135550199", one, gateway.ID{})
		mms.Services, mms.Country, mms.Type = gateway.Services(gateway.SMS, gateway.MMS), "CA", gateway.TollFree
		w.ok(w.PutNumbers(w.ctx, []gateway.Number{mms}))
		must[gateway.Number](w)(w.AddToPool(w.ctx, one, w.powerpack.Pool, mms.Number, gateway.MMS, false, w.now))
		for _, test := range []struct {
			filter gateway.NumberFilter
			want   []string
		}{
			{gateway.NumberFilter{Account: one}, []string{pooled, pooledToo, rented, mms.Number}},
			{gateway.NumberFilter{Account: one, Pool: w.powerpack.Pool}, []string{pooled, pooledToo, mms.Number}},
			{gateway.NumberFilter{Account: two, Pool: w.powerpack.Pool}, []string{}},
			{gateway.NumberFilter{Pool: w.powerpack.Pool, Service: gateway.MMS}, []string{mms.Number}},
			{gateway.NumberFilter{Pool: w.powerpack.Pool, Service: gateway.SMS}, []string{pooled, pooledToo}},
			{gateway.NumberFilter{Types: []gateway.NumberType{gateway.TollFree, gateway.ShortCode}}, []string{mms.Number}},
			{gateway.NumberFilter{Types: []gateway.NumberType{gateway.LongCode, gateway.TollFree}, Account: one}, []string{pooled, pooledToo, rented, mms.Number}},
			{gateway.NumberFilter{Prefixes: []string{"1212", "1613"}}, []string{inventory, mms.Number}},
			{gateway.NumberFilter{Prefixes: []string{"%"}}, []string{}},
			{gateway.NumberFilter{Country: "CA"}, []string{mms.Number}},
		} {
			w.same(w.numbers(test.filter), test.want)
		}
		list, total, err := w.Numbers(w.ctx, gateway.NumberFilter{Account: one, Limit: 2, Offset: 1})
		w.ok(err)
		w.same(total, 4)
		w.same([]string{list[0].Number, list[1].Number}, []string{pooledToo, rented})
		list, total, err = w.Numbers(w.ctx, gateway.NumberFilter{Account: one, Limit: 2, Offset: 9})
		w.ok(err)
		w.same([]int{len(list), total}, []int{0, 4})
	},
	"the roster has what is rented and every powerpack": func(w *world) {
		numbers, powerpacks, err := w.Roster(w.ctx)
		w.ok(err)
		w.same(numbers, []gateway.Number{
			w.number(pooled, one, w.powerpack.Pool), w.number(pooledToo, one, w.powerpack.Pool), w.number(rented, one, gateway.ID{}),
		})
		w.same(powerpacks, []gateway.Powerpack{w.powerpack})
	},
	"settings of a number are replaced, its pool stays with its owner": func(w *world) {
		n := w.number(pooled, one, gateway.ID{})
		n.Rate, n.Carrier, n.DailyCap, n.AddedAt = 5, "other", 9, w.now.Add(time.Hour)
		w.ok(w.PutNumbers(w.ctx, []gateway.Number{n}))
		n.Pool, n.Service, n.AddedAt = w.powerpack.Pool, gateway.SMS, w.now
		w.same(w.numberOf(one, pooled), n)
		w.same(w.numbers(gateway.NumberFilter{Account: one}), []string{pooled, pooledToo, rented})
	},
	"a number that changes its owner leaves its pool": func(w *world) {
		n := w.number(pooled, two, gateway.ID{})
		n.AddedAt = w.now.Add(time.Hour)
		w.ok(w.PutNumbers(w.ctx, []gateway.Number{n}))
		w.same(w.numbers(gateway.NumberFilter{Pool: w.powerpack.Pool}), []string{pooledToo})
		w.same(w.numberOf(two, pooled), n)
		w.ok(w.PutNumbers(w.ctx, []gateway.Number{w.number(pooledToo, "", gateway.ID{})}))
		w.same(w.numbers(gateway.NumberFilter{Account: one}), []string{rented})
	},
	"numbers of an owner that does not exist: none is put": func(w *world) {
		err := w.PutNumbers(w.ctx, []gateway.Number{w.number("16135550199", one, gateway.ID{}), w.number("16135550198", "MANONENONENONENONENO", gateway.ID{})})
		w.refused(err, gateway.Invalid)
		w.same(len(w.numbers(gateway.NumberFilter{})), 5)
	},
	"a number of the account comes into a pool": func(w *world) {
		w.now = w.now.Add(time.Hour)
		added := must[gateway.Number](w)(w.AddToPool(w.ctx, one, w.powerpack.Pool, rented, gateway.SMS, false, w.now))
		w.same(added, w.number(rented, one, w.powerpack.Pool))
		w.same(w.numbers(gateway.NumberFilter{Pool: w.powerpack.Pool}), []string{pooled, pooledToo, rented})
		w.same(w.numberOf(one, rented), added)
	},
	"a number of the inventory is rented into a pool": func(w *world) {
		_, err := w.AddToPool(w.ctx, one, w.powerpack.Pool, inventory, gateway.SMS, false, w.now)
		w.refused(err, gateway.NotFound)
		added := must[gateway.Number](w)(w.AddToPool(w.ctx, one, w.powerpack.Pool, inventory, gateway.SMS, true, w.now))
		w.same(added, w.number(inventory, one, w.powerpack.Pool))
		_, err = w.AddToPool(w.ctx, one, w.powerpack.Pool, "19995550000", gateway.SMS, true, w.now)
		w.refused(err, gateway.NotFound)
	},
	"a number that is in the pool changes its service": func(w *world) {
		n := w.number(pooled, one, gateway.ID{})
		n.Services = gateway.Services(gateway.SMS, gateway.MMS)
		w.ok(w.PutNumbers(w.ctx, []gateway.Number{n}))
		added := must[gateway.Number](w)(w.AddToPool(w.ctx, one, w.powerpack.Pool, pooled, gateway.MMS, false, w.now.Add(time.Hour)))
		n.Pool, n.Service = w.powerpack.Pool, gateway.MMS
		w.same(added, n)
		w.same(w.numbers(gateway.NumberFilter{Pool: w.powerpack.Pool}), []string{pooled, pooledToo})
	},
	"a number is in one pool only": func(w *world) {
		other := w.otherPowerpack(one, "other")
		_, err := w.AddToPool(w.ctx, one, other.Pool, pooled, gateway.SMS, true, w.now)
		w.refused(err, gateway.Conflict)
		w.ok(w.RemoveFromPool(w.ctx, one, w.powerpack.Pool, pooled, false))
		must[gateway.Number](w)(w.AddToPool(w.ctx, one, other.Pool, pooled, gateway.SMS, true, w.now))
		w.same(w.numbers(gateway.NumberFilter{Pool: other.Pool}), []string{pooled})
	},
	"a number that cannot carry the service does not come in, nor is it rented": func(w *world) {
		for _, number := range []string{rented, inventory} {
			_, err := w.AddToPool(w.ctx, one, w.powerpack.Pool, number, gateway.MMS, true, w.now)
			w.refused(err, gateway.Invalid)
		}
		w.same(w.numbers(gateway.NumberFilter{Account: one}), []string{pooled, pooledToo, rented})
	},
	"pools and numbers of another account are not there": func(w *world) {
		theirs := w.otherPowerpack(two, "theirs")
		_, err := w.AddToPool(w.ctx, one, theirs.Pool, rented, gateway.SMS, true, w.now)
		w.refused(err, gateway.NotFound)
		_, err = w.AddToPool(w.ctx, two, theirs.Pool, rented, gateway.SMS, true, w.now)
		w.refused(err, gateway.NotFound)
		_, err = w.AddToPool(w.ctx, two, theirs.Pool, pooled, gateway.SMS, true, w.now)
		w.refused(err, gateway.NotFound)
		_, err = w.AddToPool(w.ctx, one, w.id(), rented, gateway.SMS, true, w.now)
		w.refused(err, gateway.NotFound)
		w.refused(w.RemoveFromPool(w.ctx, two, w.powerpack.Pool, pooled, true), gateway.NotFound)
		w.refused(w.RemoveFromPool(w.ctx, two, theirs.Pool, pooled, true), gateway.NotFound)
		w.same(w.numberOf(one, pooled), w.number(pooled, one, w.powerpack.Pool))
	},
	"a number leaves its pool and stays with the account, or goes back": func(w *world) {
		at := w.now
		w.now = w.now.Add(time.Hour)
		must[gateway.Number](w)(w.AddToPool(w.ctx, one, w.powerpack.Pool, rented, gateway.SMS, false, w.now))
		w.ok(w.RemoveFromPool(w.ctx, one, w.powerpack.Pool, rented, false))
		n := w.number(rented, one, gateway.ID{})
		n.AddedAt = at // when it was rented
		w.same(w.numberOf(one, rented), n)
		w.refused(w.RemoveFromPool(w.ctx, one, w.powerpack.Pool, rented, false), gateway.NotFound)
		must[gateway.Number](w)(w.AddToPool(w.ctx, one, w.powerpack.Pool, inventory, gateway.SMS, true, w.now))
		w.ok(w.RemoveFromPool(w.ctx, one, w.powerpack.Pool, inventory, false))
		w.same(w.numberOf(one, inventory), w.number(inventory, one, gateway.ID{}))
		w.ok(w.RemoveFromPool(w.ctx, one, w.powerpack.Pool, pooled, true))
		w.same(w.numberOf("", pooled), w.number(pooled, "", gateway.ID{}))
		w.same(w.numbers(gateway.NumberFilter{Pool: w.powerpack.Pool}), []string{pooledToo})
	},
}

// numbers lists the numbers that fit a filter, and checks their count.
func (w *world) numbers(filter gateway.NumberFilter) []string {
	w.Helper()
	list, total, err := w.Numbers(w.ctx, filter)
	w.ok(err)
	w.same(total, len(list))
	numbers := []string{}
	for _, n := range list {
		numbers = append(numbers, n.Number)
	}
	return numbers
}

// numberOf reads one number; owner "" is the inventory.
func (w *world) numberOf(owner gateway.AccountID, number string) gateway.Number {
	w.Helper()
	list, _, err := w.Numbers(w.ctx, gateway.NumberFilter{Account: owner, Prefixes: []string{number}})
	w.ok(err)
	w.same(len(list), 1)
	w.same(list[0].Account, owner)
	return list[0]
}
