package storetest

import (
	"fmt"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// hook is where account one wants to be told of a decision, linkHook of a linking.
var (
	hook     = gateway.Callback{URL: "https://example.com/registered?by=one", Method: "GET"}
	linkHook = gateway.Callback{URL: "https://example.com/linked", Method: "POST"}
)

var noticeTests = map[string]func(*world){
	"a decision is told, in every particular, until it was": func(w *world) {
		w.registered(gateway.RegisteredCampaign, "C000001", hook)
		w.ok(w.ChangeRegistration(w.ctx, one, gateway.RegisteredCampaign, "C000001", func(r *gateway.Registration) error { return nil }))
		w.same(len(w.endpoints()), 0)
		w.now = w.now.Add(time.Minute)
		must[gateway.Registration](w)(w.DecideRegistration(w.ctx, one, "C000001", gateway.Decision{
			State: gateway.Refused, Reason: "no website", Code: "1001", DecidedAt: w.now,
		}))
		w.reopen()
		lane := gateway.NoticeEndpointOf(one, hook.URL)
		w.same(w.endpoints(), map[int64]gateway.EndpointCount{lane: {Fresh: 1}})
		e := must[[]gateway.Event](w)(w.FreshEvents(w.ctx, lane, 0, 9))[0]
		w.same(e, gateway.Event{ID: e.ID, Sequence: 1, At: w.now, Notice: &gateway.Notice{
			Kind: gateway.DecisionNotice, Account: one, Registration: "C000001", Of: gateway.RegisteredCampaign, State: gateway.Refused,
			Reason: "no website", Code: "1001", Callback: hook,
		}})
		w.same([]any{e.Endpoint(), e.Account(), *e.Callback(), e.About()}, []any{lane, one, hook, "C000001"})
		due := w.now.Add(time.Minute)
		w.ok(w.RecordAttempts(w.ctx, []gateway.Attempt{{Event: e.ID, Number: 1, AtMicro: 1, Status: 500, DueAtMicro: due.UnixMicro()}}))
		w.same(w.endpoints(), map[int64]gateway.EndpointCount{lane: {Retries: 1, DueAt: due.UnixMicro()}})
		w.same(len(must[[]gateway.Event](w)(w.FreshEvents(w.ctx, lane, 0, 9))), 0)
		w.same(len(must[[]gateway.Event](w)(w.RetryEvents(w.ctx, lane, w.now, 9))), 0)
		e.Attempt = 1
		w.same(must[[]gateway.Event](w)(w.RetryEvents(w.ctx, lane, due, 9)), []gateway.Event{e})
		w.ok(w.RecordAttempts(w.ctx, []gateway.Attempt{{Event: e.ID, Number: 2, AtMicro: 1, Status: 200, Done: true}}))
		w.same(len(w.endpoints()), 0)
	},
	"what nobody wants to be told of is not kept": func(w *world) {
		w.registered(gateway.RegisteredCampaign, "C000001", gateway.Callback{Method: "POST"})
		w.ok(w.LinkNumbers(w.ctx, one, "C000001", []string{pooled}, gateway.Callback{Method: "POST"}, w.now))
		w.decide(one, "C000001", gateway.Approved)
		w.ok(w.UnlinkNumber(w.ctx, one, "C000001", pooled, gateway.Callback{}, w.now))
		w.same(len(w.endpoints()), 0)
	},
	"a linking is told when it ends": func(w *world) {
		w.registered(gateway.RegisteredCampaign, "C000001", gateway.Callback{})
		w.ok(w.LinkNumbers(w.ctx, one, "C000001", []string{pooledToo, pooled}, linkHook, w.now))
		w.ok(w.LinkNumbers(w.ctx, one, "C000001", []string{rented}, gateway.Callback{}, w.now))
		w.same(w.notices(linkHook), "[]") // it waits
		w.reopen()
		w.decide(one, "C000001", gateway.Approved)
		w.same(w.notices(linkHook), "[linked 14155550101 approved linked 14155550102 approved]")
		w.decide(one, "C000001", gateway.Approved)
		w.ok(w.UnlinkNumber(w.ctx, one, "C000001", pooled, hook, w.now))
		w.same(w.notices(hook), "[unlinked 14155550101 approved]")
		w.ok(w.LinkNumbers(w.ctx, one, "C000001", []string{pooled}, hook, w.now)) // at once
		w.same(w.notices(hook), "[unlinked 14155550101 approved linked 14155550101 approved]")
		w.same(w.notices(linkHook), "[linked 14155550101 approved linked 14155550102 approved]") // no more
	},
	"a linking that never ends well is told": func(w *world) {
		for i, end := range []func(id string){
			func(id string) { w.decide(one, id, gateway.Refused) },
			func(id string) { w.decide(one, id, gateway.Incomplete) },
			func(id string) { w.ok(w.DeleteRegistration(w.ctx, one, gateway.RegisteredCampaign, id, w.now)) },
		} {
			id, to := fmt.Sprint("C00000", i), gateway.Callback{URL: fmt.Sprint("https://example.com/", i), Method: "POST"}
			w.registered(gateway.RegisteredCampaign, id, gateway.Callback{})
			w.ok(w.LinkNumbers(w.ctx, one, id, []string{pooled}, to, w.now))
			end(id)
			w.same(w.notices(to), fmt.Sprintf("[linked 14155550101 %s]", []gateway.RegistrationState{gateway.Refused, gateway.Incomplete, gateway.Pending}[i]))
			w.inOrWaiting(pooled, "", "")
		}
	},
	"a linking is void when its number has left or waits anew": func(w *world) {
		w.registered(gateway.RegisteredCampaign, "C000001", gateway.Callback{})
		w.ok(w.LinkNumbers(w.ctx, one, "C000001", []string{pooled, rented}, linkHook, w.now))
		w.ok(w.UnrentNumber(w.ctx, one, rented))
		w.ok(w.UnlinkNumber(w.ctx, one, "C000001", pooled, gateway.Callback{}, w.now))
		w.ok(w.LinkNumbers(w.ctx, one, "C000001", []string{pooled}, gateway.Callback{}, w.now))
		w.decide(one, "C000001", gateway.Approved)
		w.same(w.notices(linkHook), "[]")
	},
	"a campaign that the operator removes is told of": func(w *world) {
		w.registered(gateway.RegisteredCampaign, "C000001", hook)
		w.decide(one, "C000001", gateway.Approved)
		w.ok(w.DeleteCampaign(w.ctx, "C000001", w.now))
		w.same(w.notices(hook), "[decided  approved decided  rejected]")
	},
	"ids of notices and of events are never the same": func(w *world) {
		w.registered(gateway.RegisteredCampaign, "C000001", hook)
		last := int64(0)
		for range 3 {
			w.decide(one, "C000001", gateway.Approved)
			events := must[[]gateway.Event](w)(w.FreshEvents(w.ctx, gateway.NoticeEndpointOf(one, hook.URL), 0, 9))
			for _, e := range append(events, w.accept(w.message())...) {
				if e.ID <= last {
					w.Fatalf("id %d after %d", e.ID, last)
				}
				last = e.ID
				w.ok(w.RecordAttempts(w.ctx, []gateway.Attempt{{Event: e.ID, Number: 1, AtMicro: w.now.UnixMicro(), Done: true}}))
			}
			w.purgeAll(gateway.Retention{Told: w.now.Add(time.Hour)})
			w.reopen()
		}
	},
	"notices that were told go in time, others with the records": func(w *world) {
		w.registered(gateway.RegisteredCampaign, "C000001", hook)
		w.decide(one, "C000001", gateway.Approved)
		w.decide(one, "C000001", gateway.Refused)
		lane := gateway.NoticeEndpointOf(one, hook.URL)
		told := must[[]gateway.Event](w)(w.FreshEvents(w.ctx, lane, 0, 1))[0]
		w.ok(w.RecordAttempts(w.ctx, []gateway.Attempt{{Event: told.ID, Number: 1, AtMicro: w.now.UnixMicro(), Done: true}}))
		for _, retention := range []gateway.Retention{{Told: w.now.Add(time.Hour)}, {Records: w.now}} {
			w.purgeAll(retention)
			w.same(w.notices(hook), "[decided  rejected]")
		}
		w.purgeAll(gateway.Retention{Records: w.now.Add(time.Hour)})
		w.same(len(w.endpoints()), 0)
	},
}

// registered makes a registration of account one with a callback.
func (w *world) registered(kind gateway.RegistrationKind, id string, to gateway.Callback) {
	w.Helper()
	w.ok(w.CreateRegistration(w.ctx, gateway.Registration{ID: id, Kind: kind, Account: one, Details: []byte("{}"), Callback: to, CreatedAt: w.now}))
}

// notices are those that wait to be told to account one at an address, in their order.
func (w *world) notices(to gateway.Callback) string {
	w.Helper()
	words := map[gateway.NoticeKind]string{gateway.DecisionNotice: "decided", gateway.LinkNotice: "linked", gateway.UnlinkNotice: "unlinked"}
	texts := []string{}
	for _, e := range must[[]gateway.Event](w)(w.FreshEvents(w.ctx, gateway.NoticeEndpointOf(one, to.URL), 0, 99)) {
		w.same(*e.Callback(), to)
		texts = append(texts, fmt.Sprint(words[e.Notice.Kind], " ", e.Notice.Number, " ", e.Notice.State))
	}
	return fmt.Sprint(texts)
}
