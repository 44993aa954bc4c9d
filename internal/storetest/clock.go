package storetest

import (
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

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
	"what was sent lately is told by its sender": func(w *world) {
		old := w.queued()
		since := w.now.Add(time.Second)
		w.now = w.now.Add(time.Minute)
		waiting, sent := w.queued(), w.queued()
		w.record(&gateway.SubmitRecord{
			Message: sent, Total: 1, At: w.now, Results: []gateway.PartResult{{Number: 1, Outcome: gateway.Outcome{Status: gateway.Accepted, CarrierID: "1"}, At: w.now}},
		})
		w.now = w.now.Add(time.Minute)
		failed := w.queued()
		w.record(&gateway.SubmitRecord{Message: failed, Failure: gateway.Expired, At: w.now})
		for _, reopened := range []bool{false, true} {
			if reopened {
				w.reopen()
			}
			for most, want := range map[int]bool{3: true, 2: false} {
				traces, ok, err := w.Traces(w.ctx, since, most)
				w.ok(err)
				w.same(ok, want)
				if ok {
					w.same(len(traces), 1)
					w.same(traces[pooled].Left.Equal(w.now), true)
					w.same([]int{traces[pooled].Waiting, traces[pooled].Units}, []int{waiting.Units, max(sent.Units, failed.Units)})
				}
			}
		}
		all, ok, err := w.Traces(w.ctx, old.AcceptedAt.Add(-time.Minute), 4)
		w.ok(err)
		w.same(ok && all[pooled].Waiting >= old.Units, true)
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
