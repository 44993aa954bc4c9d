package esme

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/smpp"
)

// textReceipt is a receipt as most SMSCs write it.
func textReceipt(id, stat string) *smpp.DeliverSM {
	return &smpp.DeliverSM{
		ESMClass: smpp.ESMDeliveryReceipt, Source: smpp.Address{TON: 1, NPI: 1, Addr: "14155550123"},
		Dest:         smpp.Address{TON: 1, NPI: 1, Addr: "14155550100"},
		ShortMessage: "id:" + id + " sub:001 dlvrd:001 submit date:2603011200 done date:2603011201 stat:" + stat + " err:000 text:",
	}
}

// TestReceiptIsAnsweredWhenKept: the SMSC hears ESME_ROK after the receipt is on disk and not before.
func TestReceiptIsAnsweredWhenKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var done func(error)
		r.keeping(func(d func(error)) { done = d })
		r.start()
		answered := smpp.Status(0xFFFF)
		r.peer.session(1).Submit(textReceipt("7", "DELIVRD"), func(resp smpp.Response, _ error) { answered = resp.Status })
		synctest.Wait()
		want := gateway.Receipt{
			Carrier: "main", CarrierID: "7", Outcome: gateway.ReceiptDelivered, At: time.Now(), From: "14155550100", To: "14155550123",
		}
		if len(r.receipts) != 1 || r.receipts[0] != want {
			t.Fatalf("got %+v, want %+v", r.receipts, want)
		}
		if answered != 0xFFFF {
			t.Errorf("answered %s before it is kept", answered)
		}
		done(nil)
		synctest.Wait()
		if answered != smpp.ESME_ROK {
			t.Errorf("answered %s", answered)
		}
	})
}

// TestReceiptThatCannotBeKept comes again; the log tells once.
func TestReceiptThatCannotBeKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.keeping(func(done func(error)) { done(errors.New("disk full")) })
		r.start()
		for range 3 {
			if got := r.peer.deliver(1, textReceipt("7", "DELIVRD")); got != smpp.ESME_RX_T_APPN {
				t.Errorf("answered %s", got)
			}
		}
		r.wantLines(`msg=bound`, `level=WARN msg="receipts cannot be recorded; the SMSC is asked to keep them" reason="disk full"`)
		r.keeping(nil)
		if got := r.peer.deliver(1, textReceipt("7", "DELIVRD")); got != smpp.ESME_ROK {
			t.Errorf("answered %s", got)
		}
		if s := r.Stats(); s.Receipts != 4 || s.ReceiptsKept != 1 || s.ReceiptsPutOff != 3 || r.Receipts() != 4 {
			t.Errorf("stats %+v", s)
		}
	})
}

// TestReceiptsInHandAreBounded: what is more than the setting is put off at once.
func TestReceiptsInHandAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.Inbound = 2 })
		var held []func(error)
		r.keeping(func(done func(error)) { held = append(held, done) })
		r.start()
		for n, want := range []smpp.Status{0xFFFF, 0xFFFF, smpp.ESME_RMSGQFUL} {
			if got := r.peer.deliver(1, textReceipt("7", "DELIVRD")); got != want {
				t.Errorf("receipt %d: answered %s, want %s", n+1, got, want)
			}
		}
		for _, done := range held {
			done(nil)
		}
		r.keeping(nil)
		synctest.Wait()
		if got := r.peer.deliver(1, textReceipt("7", "DELIVRD")); got != smpp.ESME_ROK {
			t.Errorf("answered %s", got)
		}
	})
}

// TestStopAwaitsReceipts: a receipt in hand is answered before the unbind.
func TestStopAwaitsReceipts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.keeping(func(done func(error)) { time.AfterFunc(time.Second, func() { done(nil) }) })
		r.start()
		answered := smpp.Status(0xFFFF)
		r.peer.session(1).Submit(textReceipt("7", "DELIVRD"), func(resp smpp.Response, err error) {
			if err == nil {
				answered = resp.Status
			}
		})
		synctest.Wait()
		r.stop()
		if answered != smpp.ESME_ROK {
			t.Errorf("answered %s", answered)
		}
	})
}

// TestReceiptThatSaysNothing is acknowledged, or it would come for ever; the log tells once, and nothing of what is in it.
func TestReceiptThatSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.start()
		pdu := &smpp.DeliverSM{ESMClass: smpp.ESMDeliveryReceipt, ShortMessage: "your parcel 4711 is here"}
		for range 3 {
			if got := r.peer.deliver(1, pdu); got != smpp.ESME_ROK {
				t.Errorf("answered %s", got)
			}
		}
		r.wantLines(`msg=bound`,
			`level=WARN msg="receipts cannot be understood; they are acknowledged and dropped" bind=main/1 reason="smpp: receipt without a message id" octets=24`)
		if s := r.Stats(); len(r.receipts) != 0 || s.Receipts != 3 || s.ReceiptsUseless != 3 {
			t.Errorf("%d receipts, stats %+v", len(r.receipts), s)
		}
	})
}

func TestDataSMReceipt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.start()
		pdu := &smpp.DataSM{
			ESMClass: smpp.ESMDeliveryReceipt, Source: smpp.Address{Addr: "14155550123"}, Dest: smpp.Address{Addr: "14155550100"},
			TLVs: smpp.TLVs{}.WithCString(smpp.TagReceiptedMessageID, "7").WithUint8(smpp.TagMessageState, uint8(smpp.StateExpired)),
		}
		if got := r.peer.deliver(1, pdu); got != smpp.ESME_ROK {
			t.Errorf("answered %s", got)
		}
		if len(r.receipts) != 1 || r.receipts[0].CarrierID != "7" || r.receipts[0].Reason != gateway.DestinationAway {
			t.Errorf("got %+v", r.receipts)
		}
	})
}

// TestRefusedMessages: without anybody who takes them they are kept by the SMSC, or refused for good where that is set; the log tells once, and nothing of
// what is in them.
func TestRefusedMessages(t *testing.T) {
	untaken := func(gateway.InboundPart, func(error)) { t.Error("a message was handed on") }
	for _, tc := range []struct {
		refuse bool
		onPart func(gateway.InboundPart, func(error))
		want   smpp.Status
	}{{false, nil, smpp.ESME_RX_T_APPN}, {true, nil, smpp.ESME_RX_P_APPN}, {true, untaken, smpp.ESME_RX_P_APPN}} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, func(c *Config) { c.RefuseInbound, c.OnPart = tc.refuse, tc.onPart })
			r.start()
			pdu := &smpp.DeliverSM{
				Source: smpp.Address{Addr: "14155550123"}, Dest: smpp.Address{Addr: "14155550100"},
				ShortMessage: "id:7 stat:DELIVRD looks like a receipt and is none",
			}
			for range 3 {
				if got := r.peer.deliver(1, pdu); got != tc.want {
					t.Errorf("answered %s, want %s", got, tc.want)
				}
			}
			r.wantLines(`msg=bound`,
				`level=WARN msg="messages from handsets arrive, which are not taken" bind=main/1 reason="answered `+tc.want.String()+`"`)
			if s := r.Stats(); len(r.receipts) != 0 || s.Inbound != 3 || s.Receipts != 0 {
				t.Errorf("%d receipts, stats %+v", len(r.receipts), s)
			}
		})
	}
}
