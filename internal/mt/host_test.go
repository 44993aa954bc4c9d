package mt

import (
	"testing"

	"github.com/heliograph/heliograph/internal/gateway"
)

// An MMS goes by a carrier that carries it: by route, or by the one that the number's own carrier names; where there is none it fails at once.
func TestCarrierByService(t *testing.T) {
	texts, mmsc, bare := net("texts", 10, 0), net("mmsc", 10, 0), net("bare", 10, 0)
	inWorld(t, func(t *testing.T, w *world) {
		sms, mms := gateway.Services(gateway.SMS), gateway.Services(gateway.MMS)
		w.settings = func(i int) CarrierSettings {
			return []CarrierSettings{{Services: sms, MMS: "mmsc"}, {Services: mms}, {Services: sms}}[i]
		}
		const both, onlyTexts, pictures, routed = "14155550101", "14155550102", "14155550103", "14155550104"
		w.number(both, "texts", 0)
		w.number(onlyTexts, "bare", 0)
		w.number(pictures, "mmsc", 0)
		w.number(routed, "", 0)
		p := w.start()
		p.service.Routes = gateway.Routes{{Carriers: []string{"bare", "texts", "mmsc"}}}
		for _, test := range []struct {
			from    string
			service gateway.Service
			carrier string
			reason  gateway.Reason
		}{
			{both, gateway.SMS, "texts", gateway.NoReason},
			{both, gateway.MMS, "mmsc", gateway.NoReason},
			{onlyTexts, gateway.SMS, "bare", gateway.NoReason},
			{onlyTexts, gateway.MMS, "", gateway.NoRoute},
			{pictures, gateway.SMS, "", gateway.NoRoute},
			{pictures, gateway.MMS, "mmsc", gateway.NoReason},
			{routed, gateway.SMS, "bare", gateway.NoReason},
			{routed, gateway.MMS, "mmsc", gateway.NoReason},
		} {
			req := byName(test.from, over1)
			req.Service = test.service
			m := w.accept(t, req)[0]
			if m.Carrier != test.carrier || m.Reason != test.reason {
				t.Errorf("%v from %s: by %q, %v", test.service, test.from, m.Carrier, m.Reason)
			}
		}
		for number, want := range map[string]gateway.AccountID{both: testAccount, "14155550199": ""} {
			if got, ok := p.service.Whose(number); got != want || ok != (want != "") {
				t.Errorf("%s is %q's, %v", number, got, ok)
			}
		}
		p.dispatcher.mu.Lock()
		defer p.dispatcher.mu.Unlock()
		for _, test := range []struct {
			carrier string
			service gateway.Service
			want    gateway.Condition
		}{
			{"texts", gateway.MMS, gateway.Up}, {"bare", gateway.MMS, gateway.Missing}, {"mmsc", gateway.SMS, gateway.Missing}, {"mmsc", gateway.MMS, gateway.Up},
		} {
			if got := p.dispatcher.conditionFor(test.carrier, test.service); got != test.want {
				t.Errorf("%s for %v: %v", test.carrier, test.service, got)
			}
		}
		mmsc.set(func() { mmsc.down = true })
		if got := p.dispatcher.conditionFor("texts", gateway.MMS); got != gateway.Down {
			t.Errorf("what stands in is down: %v", got)
		}
	}, texts, mmsc, bare)
}
