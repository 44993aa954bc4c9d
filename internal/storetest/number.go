package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

var numberTests = map[string]func(*world){
	"a number's owner is told to it and to its main account": func(w *world) {
		w.subaccount(sub)
		w.ok(w.ChangeNumber(w.ctx, one, rented, gateway.NumberChange{Account: sub}))
		for _, test := range []struct {
			account gateway.AccountID
			number  string
			want    gateway.AccountID // empty: NotFound
		}{
			{one, pooled, one},
			{one, rented, sub},
			{sub, rented, sub},
			{sub, pooled, ""},
			{two, rented, ""},
			{two, pooled, ""},
			{one, inventory, ""},
			{one, "none", ""},
			{"", pooled, ""},
			{"", inventory, ""},
		} {
			owner, err := w.NumberOwner(w.ctx, test.account, test.number)
			if w.same(owner, test.want); test.want == "" {
				w.refused(err, gateway.NotFound)
			} else {
				w.ok(err)
			}
		}
		w.ok(w.RemoveSubaccount(w.ctx, one, sub, false, w.now))
		w.same(must[gateway.AccountID](w)(w.NumberOwner(w.ctx, one, rented)), one)
	},
	"a number is paused and goes on, and nothing else of it changes": func(w *world) {
		before := must[gateway.Number](w)(w.Number(w.ctx, one, pooled))
		w.refused(w.PauseNumber(w.ctx, "19995550000", true), gateway.NotFound)
		for _, paused := range []bool{true, true, false} {
			w.ok(w.PauseNumber(w.ctx, pooled, paused))
			before.Paused = paused
			w.same(must[gateway.Number](w)(w.Number(w.ctx, one, pooled)), before)
		}
		w.ok(w.PauseNumber(w.ctx, inventory, true))
	},
	"a number takes another's place in its pool": func(w *world) {
		pool := w.powerpack.Pool
		w.refused(w.ReplaceInPool(w.ctx, one, pool, rented, pooledToo, w.now), gateway.NotFound)
		w.refused(w.ReplaceInPool(w.ctx, one, pool, pooled, pooledToo, w.now), gateway.NotFound)
		w.refused(w.ReplaceInPool(w.ctx, one, pool, pooled, inventory, w.now), gateway.NotFound)
		w.refused(w.ReplaceInPool(w.ctx, two, pool, pooled, rented, w.now), gateway.NotFound)
		w.ok(w.ReplaceInPool(w.ctx, one, pool, pooled, rented, w.now))
		old, spare := must[gateway.Number](w)(w.Number(w.ctx, one, pooled)), must[gateway.Number](w)(w.Number(w.ctx, one, rented))
		w.same(old.Pool, gateway.ID{})
		w.same(spare.Pool, pool)
		w.same(spare.Service, gateway.SMS)
	},
	"numbers are kept in every particular, in the order in which they were added": func(w *world) {
		full := gateway.Number{
			Number: "16135550199", Type: gateway.TollFree, Country: "CA", Region: "ON", AreaCode: "613", Rate: 0.25, DailyCap: -1, Paused: true,
			Services: gateway.Services(gateway.SMS, gateway.MMS), Carrier: "other", Account: two, AddedAt: w.now.Add(time.Hour),
			RentedAt: w.now.Add(time.Hour),
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
			{gateway.NumberFilter{Prefixes: []string{"+1415555010", "1415", "1800555010"}}, []string{pooled, pooledToo, rented, inventory2}},
			{gateway.NumberFilter{Prefixes: []string{pooled}}, []string{pooled}},
			{gateway.NumberFilter{Prefixes: []string{pooled + "0"}}, []string{}},
			{gateway.NumberFilter{Account: one, Prefixes: []string{"14", "12"}}, []string{pooled, pooledToo, rented}},
			{gateway.NumberFilter{Inventory: true, Prefixes: []string{"14", "12"}}, []string{inventory}},
			{gateway.NumberFilter{Pattern: "1415"}, []string{pooled, pooledToo, rented}},
			{gateway.NumberFilter{Pattern: "1*0104"}, []string{inventory}},
			{gateway.NumberFilter{Pattern: "1*50*2"}, []string{pooledToo}},
			{gateway.NumberFilter{Pattern: "1*0*9*9"}, []string{mms.Number}},
			{gateway.NumberFilter{Pattern: "*"}, []string{pooled, pooledToo, rented, inventory, inventory2, mms.Number}},
			{gateway.NumberFilter{Pattern: "14155550101*"}, []string{pooled}},
			{gateway.NumberFilter{Inventory: true, Pattern: "1*0101"}, []string{}},
			{gateway.NumberFilter{Inventory: true}, []string{inventory, inventory2}},
			{gateway.NumberFilter{Region: "CA"}, []string{pooled, pooledToo, rented, inventory, inventory2, mms.Number}},
			{gateway.NumberFilter{Region: "NY"}, []string{}},
			{gateway.NumberFilter{Carries: gateway.Services(gateway.SMS)}, []string{pooled, pooledToo, rented, inventory, inventory2, mms.Number}},
			{gateway.NumberFilter{Carries: gateway.Services(gateway.SMS, gateway.MMS)}, []string{mms.Number}},
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
	"settings of a number are replaced, its pool stays with its owner": func(w *world) {
		n := w.number(pooled, one, gateway.ID{})
		n.Rate, n.Carrier, n.DailyCap, n.Paused, n.AddedAt = 5, "other", 9, true, w.now.Add(time.Hour)
		alias := "front desk"
		w.ok(w.ChangeNumber(w.ctx, one, pooled, gateway.NumberChange{Alias: &alias}))
		w.ok(w.PutNumbers(w.ctx, []gateway.Number{n}))
		n.Pool, n.Service, n.AddedAt, n.Alias = w.powerpack.Pool, gateway.SMS, w.now, alias
		w.same(w.numberOf(one, pooled), n)
		w.same(w.numbers(gateway.NumberFilter{Account: one}), []string{pooled, pooledToo, rented})
	},
	"a number that changes its owner leaves its pool, and what its owner said of it is gone": func(w *world) {
		alias, application := "front desk", "77"
		w.ok(w.ChangeNumber(w.ctx, one, pooled, gateway.NumberChange{Alias: &alias, Application: &application}))
		n := w.number(pooled, two, gateway.ID{})
		n.AddedAt = w.now.Add(time.Hour)
		n.RentedAt = n.AddedAt
		w.ok(w.PutNumbers(w.ctx, []gateway.Number{n}))
		w.same(w.numbers(gateway.NumberFilter{Pool: w.powerpack.Pool}), []string{pooledToo})
		w.same(w.numberOf(two, pooled), n)
		w.ok(w.PutNumbers(w.ctx, []gateway.Number{w.number(pooledToo, "", gateway.ID{})}))
		w.same(w.numbers(gateway.NumberFilter{Account: one}), []string{rented})
	},
	"an account adds numbers that nobody has, all or none": func(w *world) {
		w.ok(w.CreateApplication(w.ctx, w.application("10000000000000001", one)))
		fresh, another := w.number("442079460018", one, gateway.ID{}), w.number("16135550199", one, gateway.ID{})
		fresh.Application, fresh.AddedAt = "10000000000000001", w.now.Add(time.Hour)
		fresh.RentedAt = fresh.AddedAt
		w.subaccount(sub)
		w.ok(w.PutNumbers(w.ctx, []gateway.Number{w.number("16135550110", two, gateway.ID{}), w.number("16135550111", sub, gateway.ID{})}))
		before := w.numbers(gateway.NumberFilter{})
		for _, taken := range []string{"16135550110", "16135550111", inventory} {
			w.refused(w.AddNumbers(w.ctx, []gateway.Number{fresh, w.number(taken, one, gateway.ID{})}), gateway.Conflict)
		}
		w.refused(w.AddNumbers(w.ctx, []gateway.Number{fresh, w.number("16135550112", "MANONENONENONENONENO", gateway.ID{})}), gateway.Invalid)
		another.Application = "20000000000000002"
		w.refused(w.AddNumbers(w.ctx, []gateway.Number{fresh, another}), gateway.Invalid)
		w.same(w.numbers(gateway.NumberFilter{}), before)

		mine := w.numberOf(one, pooled)
		again := w.number(pooled, one, gateway.ID{})
		again.Rate, again.Type = 99, gateway.ShortCode
		w.ok(w.AddNumbers(w.ctx, []gateway.Number{again, fresh, fresh}))
		w.reopen()
		w.same(w.numberOf(one, pooled), mine)
		w.same(w.numberOf(one, fresh.Number), fresh)
		w.same(w.numbers(gateway.NumberFilter{}), append(before, fresh.Number))
	},
	"numbers of an owner that does not exist: none is put": func(w *world) {
		err := w.PutNumbers(w.ctx, []gateway.Number{w.number("16135550199", one, gateway.ID{}), w.number("16135550198", "MANONENONENONENONENO", gateway.ID{})})
		w.refused(err, gateway.Invalid)
		w.same(len(w.numbers(gateway.NumberFilter{})), 5)
	},
	"a number of the account comes into a pool": func(w *world) {
		n := w.number(rented, one, w.powerpack.Pool)
		w.now = w.now.Add(time.Hour)
		n.AddedAt = w.now
		added := must[gateway.Number](w)(w.AddToPool(w.ctx, one, w.powerpack.Pool, rented, gateway.SMS, false, w.now))
		w.same(added, n)
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
		n.AddedAt, n.RentedAt = at, at // when it was rented
		w.same(w.numberOf(one, rented), n)
		w.refused(w.RemoveFromPool(w.ctx, one, w.powerpack.Pool, rented, false), gateway.NotFound)
		must[gateway.Number](w)(w.AddToPool(w.ctx, one, w.powerpack.Pool, inventory, gateway.SMS, true, w.now))
		w.ok(w.RemoveFromPool(w.ctx, one, w.powerpack.Pool, inventory, false))
		w.same(w.numberOf(one, inventory), w.number(inventory, one, gateway.ID{}))
		w.ok(w.RemoveFromPool(w.ctx, one, w.powerpack.Pool, pooled, true))
		w.same(w.numberOf("", pooled), w.number(pooled, "", gateway.ID{}))
		w.same(w.numbers(gateway.NumberFilter{Pool: w.powerpack.Pool}), []string{pooledToo})
	},
	"a pool has one short code for each country": func(w *world) {
		short := func(number, country string, account gateway.AccountID) gateway.Number {
			return gateway.Number{Number: number, Type: gateway.ShortCode, Country: country, Services: gateway.Services(gateway.SMS), Account: account, AddedAt: w.now}
		}
		w.ok(w.PutNumbers(w.ctx, []gateway.Number{short("555001", "US", one), short("555002", "US", one), short("555003", "CA", ""), short("555004", "US", "")}))
		add := func(pool gateway.ID, number string) error {
			_, err := w.AddToPool(w.ctx, one, pool, number, gateway.SMS, true, w.now)
			return err
		}
		w.ok(add(w.powerpack.Pool, "555001"))
		w.ok(add(w.powerpack.Pool, "555001"))
		w.refused(add(w.powerpack.Pool, "555002"), gateway.Conflict)
		w.refused(add(w.powerpack.Pool, "555004"), gateway.Conflict)
		w.ok(add(w.powerpack.Pool, "555003"))
		w.ok(add(w.otherPowerpack(one, "other").Pool, "555002"))
		w.ok(w.RemoveFromPool(w.ctx, one, w.powerpack.Pool, "555001", false))
		w.ok(add(w.powerpack.Pool, "555004"))
		w.same(w.numbers(gateway.NumberFilter{Pool: w.powerpack.Pool}), []string{pooled, pooledToo, "555003", "555004"})
	},
	"searches by beginnings and patterns agree with a model": func(w *world) {
		random := rand.New(rand.NewPCG(3, 4))
		draw := func(alphabet string, least, most int) string {
			text := make([]byte, least+random.IntN(most-least+1))
			for i := range text {
				text[i] = alphabet[random.IntN(len(alphabet))]
			}
			return string(text)
		}
		all := w.numbers(gateway.NumberFilter{})
		var more []gateway.Number
		for range 60 {
			if number := draw("01", 4, 8); !slices.Contains(all, number) {
				all, more = append(all, number), append(more, w.number(number, "", gateway.ID{}))
			}
		}
		w.ok(w.PutNumbers(w.ctx, more))
		for range 80 {
			pattern, prefixes := draw("01**", 1, 5), []string{draw("01", 1, 3), draw("01", 1, 4)}
			want := []string{}
			for _, number := range all {
				fits, err := path.Match(pattern+"*", number)
				w.ok(err)
				if fits && (strings.HasPrefix(number, prefixes[0]) || strings.HasPrefix(number, prefixes[1])) {
					want = append(want, number)
				}
			}
			w.same(w.numbers(gateway.NumberFilter{Pattern: pattern, Prefixes: prefixes}), want)
		}
	},
	"of several who rent a number at the same time one has it": func(w *world) {
		errs := w.together(8, func(i int) error {
			return w.RentNumber(w.ctx, []gateway.AccountID{one, two}[i%2], inventory, "", w.now)
		})
		w.same(len(errs), 7)
		for _, err := range errs {
			var refusal *gateway.Error
			if !errors.As(err, &refusal) || refusal.Code != gateway.NotFound && refusal.Code != gateway.Conflict {
				w.Fatalf("got error %v, want a refusal", err)
			}
		}
		w.same(len(w.numbers(gateway.NumberFilter{Inventory: true})), 1)
	},
	"the operator does not make two short codes of a pool of one country": func(w *world) {
		short := func(number, country string) gateway.Number {
			n := w.number(number, one, gateway.ID{})
			n.Type, n.Country = gateway.ShortCode, country
			return n
		}
		w.ok(w.PutNumbers(w.ctx, []gateway.Number{short("555444", "US"), short("555333", "CA"), short("555222", "US")}))
		for _, number := range []string{"555444", "555333"} {
			must[gateway.Number](w)(w.AddToPool(w.ctx, one, w.powerpack.Pool, number, gateway.SMS, false, w.now))
		}
		w.refused(w.PutNumbers(w.ctx, []gateway.Number{short("555333", "US")}), gateway.Conflict)
		w.refused(w.PutNumbers(w.ctx, []gateway.Number{short("555111", "GB"), short("555444", "CA")}), gateway.Conflict)
		w.same(w.numberOf(one, "555444").Country, "US")
		_, err := w.Number(w.ctx, one, "555111")
		w.refused(err, gateway.NotFound)
		w.ok(w.PutNumbers(w.ctx, []gateway.Number{short("555444", "US"), short("555222", "CA")})) // the latter is in no pool
		w.ok(w.PutNumbers(w.ctx, []gateway.Number{short("555444", "CA"), short("555333", "US")})) // they change places
		w.same(w.numberOf(one, "555444").Country, "CA")
		elsewhere := short("555333", "CA")
		elsewhere.Account = two // it leaves the pool
		w.ok(w.PutNumbers(w.ctx, []gateway.Number{elsewhere}))
	},
	"of several short codes that come into a pool at the same time one does": func(w *world) {
		for i := range 6 {
			w.ok(w.PutNumbers(w.ctx, []gateway.Number{{
				Number: fmt.Sprint(555000 + i), Type: gateway.ShortCode, Country: "US", Services: gateway.Services(gateway.SMS), Account: one, AddedAt: w.now,
			}}))
		}
		errs := w.together(6, func(i int) error {
			_, err := w.AddToPool(w.ctx, one, w.powerpack.Pool, fmt.Sprint(555000+i), gateway.SMS, false, w.now)
			return err
		})
		w.same(len(errs), 5)
		for _, err := range errs {
			w.refused(err, gateway.Conflict)
		}
		w.same(len(w.numbers(gateway.NumberFilter{Pool: w.powerpack.Pool, Types: []gateway.NumberType{gateway.ShortCode}})), 1)
	},
	"one number is read by its name and its owner": func(w *world) {
		w.same(w.numberOf(one, rented), w.number(rented, one, gateway.ID{}))
		w.same(w.numberOf("", inventory), w.number(inventory, "", gateway.ID{}))
		for _, test := range []struct {
			owner  gateway.AccountID
			number string
		}{{two, rented}, {"", rented}, {one, inventory}, {one, rented[:10]}, {one, rented + "0"}, {one, "1999"}, {one, ""}, {"", ""}} {
			_, err := w.Number(w.ctx, test.owner, test.number)
			w.refused(err, gateway.NotFound)
		}
	},
	"a number of the inventory is rented": func(w *world) {
		w.now = w.now.Add(time.Hour)
		w.ok(w.RentNumber(w.ctx, two, inventory, "", w.now))
		w.same(w.numberOf(two, inventory), w.number(inventory, two, gateway.ID{}))
		w.now = w.now.Add(time.Hour)
		w.ok(w.RentNumber(w.ctx, one, inventory2, "77", w.now))
		n := w.number(inventory2, one, gateway.ID{})
		n.Application = "77"
		w.reopen()
		w.same(w.numberOf(one, inventory2), n)
		w.same(w.numbers(gateway.NumberFilter{Account: one}), []string{pooled, pooledToo, rented, inventory2})
		w.same(len(must[gateway.Roster](w)(w.Roster(w.ctx)).Numbers), 5)
	},
	"only what is in the inventory is rented": func(w *world) {
		w.refused(w.RentNumber(w.ctx, one, rented, "77", w.now.Add(time.Hour)), gateway.Conflict)
		w.refused(w.RentNumber(w.ctx, two, rented, "77", w.now.Add(time.Hour)), gateway.NotFound)
		w.refused(w.RentNumber(w.ctx, one, "19995550000", "", w.now), gateway.NotFound)
		w.refused(w.RentNumber(w.ctx, "MANONENONENONENONENO", inventory, "", w.now), gateway.Invalid)
		w.same(w.numberOf(one, rented), w.number(rented, one, gateway.ID{}))
		w.same(w.numberOf("", inventory), w.number(inventory, "", gateway.ID{}))
	},
	"an account names its numbers and links them": func(w *world) {
		alias, application, none := "front desk", "77", ""
		n := w.number(pooled, one, w.powerpack.Pool)
		w.ok(w.ChangeNumber(w.ctx, one, pooled, gateway.NumberChange{Alias: &alias}))
		n.Alias = alias
		w.same(w.numberOf(one, pooled), n)
		w.ok(w.ChangeNumber(w.ctx, one, pooled, gateway.NumberChange{Application: &application, Account: one}))
		n.Application = application
		w.reopen()
		w.same(w.numberOf(one, pooled), n)
		w.same(w.numbers(gateway.NumberFilter{Account: one, Alias: alias}), []string{pooled})
		w.same(w.numbers(gateway.NumberFilter{Alias: "front"}), []string{})
		w.ok(w.ChangeNumber(w.ctx, one, pooled, gateway.NumberChange{}))
		w.same(w.numberOf(one, pooled), n)
		w.ok(w.ChangeNumber(w.ctx, one, pooled, gateway.NumberChange{Alias: &none, Application: &none}))
		w.same(w.numberOf(one, pooled), w.number(pooled, one, w.powerpack.Pool))
		w.refused(w.ChangeNumber(w.ctx, two, pooled, gateway.NumberChange{Alias: &alias}), gateway.NotFound)
		w.refused(w.ChangeNumber(w.ctx, one, inventory, gateway.NumberChange{Alias: &alias}), gateway.NotFound)
		w.same(w.numbers(gateway.NumberFilter{Alias: alias}), []string{})
	},
	"a number goes to another account": func(w *world) {
		alias, application, theirs := "front desk", "77", "88"
		w.ok(w.ChangeNumber(w.ctx, one, pooled, gateway.NumberChange{Alias: &alias, Application: &application}))
		w.refused(w.ChangeNumber(w.ctx, one, pooled, gateway.NumberChange{Alias: &theirs, Account: "MANONENONENONENONENO"}), gateway.Invalid)
		w.same(w.numberOf(one, pooled).Alias, alias)
		w.ok(w.ChangeNumber(w.ctx, one, pooled, gateway.NumberChange{Account: two}))
		n := w.number(pooled, two, gateway.ID{})
		n.Alias = alias
		w.same(w.numberOf(two, pooled), n)
		w.refused(w.ChangeNumber(w.ctx, one, pooled, gateway.NumberChange{Account: one}), gateway.NotFound)
		w.ok(w.ChangeNumber(w.ctx, two, pooled, gateway.NumberChange{Account: one, Application: &theirs}))
		n.Account, n.Application = one, theirs
		w.same(w.numberOf(one, pooled), n)
	},
	"an unrented number leaves its pool and is bare again": func(w *world) {
		alias, application := "front desk", "77"
		for _, number := range []string{pooled, pooledToo} {
			w.ok(w.ChangeNumber(w.ctx, one, number, gateway.NumberChange{Alias: &alias, Application: &application}))
		}
		w.refused(w.UnrentNumber(w.ctx, two, pooled), gateway.NotFound)
		w.refused(w.UnrentNumber(w.ctx, "", inventory), gateway.NotFound)
		w.ok(w.UnrentNumber(w.ctx, one, pooled))
		w.same(w.numberOf("", pooled), w.number(pooled, "", gateway.ID{}))
		w.refused(w.UnrentNumber(w.ctx, one, pooled), gateway.NotFound)
		w.ok(w.RemoveFromPool(w.ctx, one, w.powerpack.Pool, pooledToo, true))
		w.same(w.numberOf("", pooledToo), w.number(pooledToo, "", gateway.ID{}))
		w.same(w.numbers(gateway.NumberFilter{Pool: w.powerpack.Pool}), []string{})
		w.same(w.numbers(gateway.NumberFilter{Account: one}), []string{rented})
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

// together calls fn that many times at the same time and gives the errors.
func (w *world) together(calls int, fn func(int) error) []error {
	results := make(chan error, calls)
	for i := range calls {
		go func() { results <- fn(i) }()
	}
	var errs []error
	for range calls {
		if err := <-results; err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// numberOf reads one number; owner "" is the inventory.
func (w *world) numberOf(owner gateway.AccountID, number string) gateway.Number {
	w.Helper()
	return must[gateway.Number](w)(w.Number(w.ctx, owner, number))
}
