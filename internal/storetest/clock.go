package storetest

import "github.com/heliograph/heliograph/internal/gateway"

var clockTests = map[string]func(*world){
	"a new store counts as stopped cleanly": func(w *world) {
		w.clocks(true, map[string]int64{})
	},
	"clocks are kept over a clean stop and taken once": func(w *world) {
		w.clocks(true, map[string]int64{})
		w.ok(w.SaveClocks(w.ctx, map[string]int64{pooled: 17, rented: 1 << 60}, nil))
		w.ok(w.SaveClocks(w.ctx, map[string]int64{pooled: 18, pooledToo: 1 << 60}, nil))
		w.reopen()
		w.clocks(true, map[string]int64{pooled: 18, pooledToo: 1 << 60})
		w.clocks(false, map[string]int64{})
	},
	"a clean stop keeps exactly what is used up, also when more was told before": func(w *world) {
		told := gateway.Usage{Kind: gateway.SenderScope, Name: pooled, Day: 20000, Units: 40}
		w.ok(w.KeepUsage(w.ctx, []gateway.Usage{told}))
		less := told
		less.Units = 30
		w.ok(w.KeepUsage(w.ctx, []gateway.Usage{less}))
		w.same(w.usage(), []gateway.Usage{told})
		w.ok(w.SaveClocks(w.ctx, nil, []gateway.Usage{less}))
		w.reopen()
		w.same(w.usage(), []gateway.Usage{less})
	},
	"a stop without saved clocks was not clean": func(w *world) {
		w.clocks(true, map[string]int64{})
		w.reopen()
		w.clocks(false, map[string]int64{})
		w.ok(w.SaveClocks(w.ctx, nil, nil))
		w.clocks(true, map[string]int64{})
	},
}

func (w *world) clocks(clean bool, want map[string]int64) {
	w.Helper()
	free, ok, err := w.TakeClocks(w.ctx)
	w.ok(err)
	w.same(ok, clean)
	w.same(free, want)
}
