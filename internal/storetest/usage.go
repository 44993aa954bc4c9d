package storetest

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/heliograph/heliograph/internal/gateway"
)

var usageTests = map[string]func(*world){
	"what of daily caps was used up is kept with its submit": func(w *world) {
		w.same(len(w.usage()), 0)
		r := w.settled(w.queued(), 1, w.taken(1, "a"))
		r.Usage = []gateway.Usage{
			{Kind: gateway.SenderScope, Name: pooled, Day: 20000, Units: 7}, {Kind: gateway.CampaignScope, Name: pooled, Day: 20000, Units: 9},
		}
		w.record(r)
		w.reopen()
		w.same(w.usage(), r.Usage)
		w.record(r)
		w.same(w.usage(), r.Usage)
	},
	"a message that is not there was sent all the same": func(w *world) {
		r := w.settled(w.message(), 1, w.taken(1, "a"))
		r.Usage = []gateway.Usage{{Kind: gateway.SenderScope, Name: pooled, Day: 20000, Units: 7}}
		w.record(r)
		w.same(w.usage(), r.Usage)
	},
	"a later day replaces what was used up, an earlier one does not; on one day the greater total stays": func(w *world) {
		for _, test := range []struct{ day, units, wantDay, wantUnits int }{
			{10, 5, 10, 5}, {10, 8, 10, 8}, {10, 6, 10, 8}, {11, 1, 11, 1}, {10, 100, 11, 1}, {11, 3, 11, 3},
		} {
			w.use(gateway.Usage{Kind: gateway.CampaignScope, Name: "c", Day: test.day, Units: test.units})
			w.same(w.usage(), []gateway.Usage{{Kind: gateway.CampaignScope, Name: "c", Day: test.wantDay, Units: test.wantUnits}})
		}
	},
	"what batches use up agrees with a model": func(w *world) {
		random := rand.New(rand.NewPCG(5, 6))
		want := map[gateway.Usage]gateway.Usage{}
		for range 30 {
			var batch []*gateway.SubmitRecord
			for range 1 + random.IntN(4) {
				r := &gateway.SubmitRecord{Message: w.message(), Total: 1, At: w.now}
				for range random.IntN(3) {
					u := gateway.Usage{
						Kind: gateway.ScopeKind(1 + random.IntN(2)), Name: []string{pooled, rented}[random.IntN(2)],
						Day: 10 + random.IntN(3), Units: 1 + random.IntN(9),
					}
					r.Usage = append(r.Usage, u)
					key := gateway.Usage{Kind: u.Kind, Name: u.Name}
					if was := want[key]; cmp.Or(cmp.Compare(u.Day, was.Day), cmp.Compare(u.Units, was.Units)) > 0 {
						want[key] = u
					}
				}
				batch = append(batch, r)
			}
			must[[]gateway.Applied](w)(w.RecordSubmits(w.ctx, batch))
			var list []gateway.Usage
			for _, u := range want {
				list = append(list, u)
			}
			slices.SortFunc(list, byScope)
			w.same(w.usage(), list)
		}
	},
}

func byScope(a, b gateway.Usage) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
}

// usage reads what was used up, by scope.
func (w *world) usage() []gateway.Usage {
	w.Helper()
	list := must[[]gateway.Usage](w)(w.Usage(w.ctx))
	slices.SortFunc(list, byScope)
	return list
}

// use records a submit that brings usages.
func (w *world) use(usages ...gateway.Usage) {
	w.Helper()
	w.record(&gateway.SubmitRecord{Message: w.queued(), Total: 1, Usage: usages, At: w.now})
}
