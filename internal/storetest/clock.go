package storetest

var clockTests = map[string]func(*world){
	"a new store counts as stopped cleanly": func(w *world) {
		w.clocks(true, map[string]int64{})
	},
	"clocks are kept over a clean stop and taken once": func(w *world) {
		w.clocks(true, map[string]int64{})
		w.ok(w.SaveClocks(w.ctx, map[string]int64{pooled: 17, rented: 1 << 60}))
		w.ok(w.SaveClocks(w.ctx, map[string]int64{pooled: 18, pooledToo: 1 << 60}))
		w.reopen()
		w.clocks(true, map[string]int64{pooled: 18, pooledToo: 1 << 60})
		w.clocks(false, map[string]int64{})
	},
	"a stop without saved clocks was not clean": func(w *world) {
		w.clocks(true, map[string]int64{})
		w.reopen()
		w.clocks(false, map[string]int64{})
		w.ok(w.SaveClocks(w.ctx, nil))
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
