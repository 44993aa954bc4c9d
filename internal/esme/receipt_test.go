package esme

import (
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/smpp"
)

func TestReceipt(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	c := Config{
		Name:          "main",
		ReceiptErrors: map[string]gateway.Reason{"045": gateway.Spam},
		ReceiptStates: map[smpp.MessageState]Report{smpp.StateAccepted: {Outcome: gateway.ReceiptDelivered}},
	}
	network := func(kind, high, low byte) smpp.TLVs {
		return smpp.TLVs{}.With(smpp.TagNetworkErrorCode, string([]byte{kind, high, low}))
	}
	cases := []struct {
		name    string
		text    string
		tlvs    smpp.TLVs
		class   smpp.ESMClass
		outcome gateway.ReceiptOutcome
		reason  gateway.Reason
		detail  string
	}{
		{name: "delivered", text: "id:1 stat:DELIVRD err:000", outcome: gateway.ReceiptDelivered},
		{name: "expired", text: "id:1 stat:EXPIRED err:000", outcome: gateway.ReceiptUndelivered, reason: gateway.DestinationAway, detail: "EXPIRED"},
		{name: "deleted", text: "id:1 stat:DELETED", outcome: gateway.ReceiptUndelivered, reason: gateway.UnknownReason, detail: "DELETED"},
		{name: "undeliverable", text: "id:1 stat:UNDELIV err:011", outcome: gateway.ReceiptUndelivered, reason: gateway.UnknownReason, detail: "UNDELIV err:011"},
		{name: "rejected", text: "id:1 stat:REJECTD", outcome: gateway.ReceiptUndelivered, reason: gateway.Prohibited, detail: "REJECTD"},
		{name: "on its way", text: "id:1 stat:ENROUTE", outcome: gateway.InTransit},
		{name: "unknown", text: "id:1 stat:UNKNOWN", outcome: gateway.InTransit},
		{name: "a state that the carrier means otherwise", text: "id:1 stat:ACCEPTD", outcome: gateway.ReceiptDelivered},
		{
			name: "an intermediate notification is nothing final", text: "id:1 stat:UNDELIV", class: smpp.ESMIntermediateNotification,
			outcome: gateway.InTransit,
		},
		{
			name: "the carrier's own code", text: "id:1 stat:UNDELIV err:045", tlvs: network(networkGSM, 0, 1),
			outcome: gateway.ReceiptUndelivered, reason: gateway.Spam, detail: "UNDELIV err:045 network:3/1",
		},
		{
			name: "a GSM network's code", text: "id:1 stat:UNDELIV err:000", tlvs: network(networkGSM, 0, 27),
			outcome: gateway.ReceiptUndelivered, reason: gateway.DestinationAway, detail: "UNDELIV network:3/27",
		},
		{
			name: "a CDMA network's code", text: "id:1 stat:UNDELIV", tlvs: network(networkIS95, 0, 38),
			outcome: gateway.ReceiptUndelivered, reason: gateway.DestinationGone, detail: "UNDELIV network:2/38",
		},
		{
			name: "a code of no standard", text: "id:1 stat:EXPIRED", tlvs: network(networkGSM, 1, 27),
			outcome: gateway.ReceiptUndelivered, reason: gateway.DestinationAway, detail: "EXPIRED network:3/283",
		},
		{
			name: "a network of no standard", text: "id:1 stat:UNDELIV", tlvs: network(8, 0, 1),
			outcome: gateway.ReceiptUndelivered, reason: gateway.UnknownReason, detail: "UNDELIV network:8/1",
		},
		{
			name: "parameters only", tlvs: smpp.TLVs{}.WithCString(smpp.TagReceiptedMessageID, "1").WithUint8(smpp.TagMessageState, 5),
			outcome: gateway.ReceiptUndelivered, reason: gateway.UnknownReason, detail: "UNDELIV",
		},
		{
			name: "an err that is none", text: "id:1 stat:UNDELIV err:\x01\xff0123456789012345678901234567890123456789",
			outcome: gateway.ReceiptUndelivered, reason: gateway.UnknownReason, detail: "UNDELIV err:??01234567890123",
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			pdu := &smpp.DeliverSM{
				ESMClass: smpp.ESMDeliveryReceipt, Source: smpp.Address{Addr: "+14155550123"}, Dest: smpp.Address{Addr: "14155550100"},
				ShortMessage: tc.text, TLVs: tc.tlvs,
			}
			if tc.class != 0 {
				pdu.ESMClass = tc.class
			}
			said, ok, err := smpp.ParseReceipt(pdu)
			if !ok || err != nil {
				t.Fatalf("no receipt: %v, %v", ok, err)
			}
			got := c.receipt(&said, pdu, at)
			want := gateway.Receipt{
				Carrier: "main", CarrierID: "1", Outcome: tc.outcome, Reason: tc.reason, Detail: tc.detail, At: at,
				From: "14155550100", To: "14155550123",
			}
			if got != want {
				t.Errorf("got %+v,\nwant %+v", got, want)
			}
		})
	}
}

// TestEveryStateIsInTheTable, so that a state that is added to the codec is decided about here.
func TestEveryStateIsInTheTable(t *testing.T) {
	for state := smpp.StateEnroute; state <= smpp.StateSkipped; state++ {
		report, ok := reports[state]
		if !ok || (report.Reason != gateway.NoReason) != (report.Outcome == gateway.ReceiptUndelivered) {
			t.Errorf("%s: %+v, %v", state, report, ok)
		}
	}
}

func TestReceiptIDs(t *testing.T) {
	cases := []struct {
		form            ReceiptIDs
		submitted       string
		receipted, text string // receipted_message_id, and the id in the text
		same            bool
	}{
		{SameIDs, "00Ab", "", "00Ab", true},
		{SameIDs, "00Ab", "", "ab", false},
		{SameIDs, "00Ab", "00Ab", "171", true},
		{LooseIDs, "00Ab", "", "AB", true},
		{LooseIDs, "0000", "", "0", true},
		{LooseIDs, "ab", "", "ac", false},
		{HexToDecimal, "AB", "", "171", true},
		{HexToDecimal, "000000ab", "171", "", true},
		{HexToDecimal, "ab", "171", "171", true},
		{HexToDecimal, "ab", "000000AB", "0000000171", true},
		{HexToDecimal, "ffffffffffffffffffff", "", "1208925819614629174706175", true},
		{HexToDecimal, "ab", "", "ab", true}, // a hexadecimal receipt after all
		{HexToDecimal, "", "", "", true},
		{HexToDecimal, "no number", "", "no number", true},
		{HexToDecimal, "1_1", "", "1_1", true},
		{HexToDecimal, "-1", "", "-1", true},
		{DecimalToHex, "171", "", "AB", true},
		{DecimalToHex, "0000000171", "ab", "ab", true},
		{DecimalToHex, "171", "171", "ab", true},
		{DecimalToHex, "1208925819614629174706175", "", "FFFFFFFFFFFFFFFFFFFF", true},
	}
	for _, tc := range cases {
		r := &smpp.Receipt{ID: tc.text, TextID: tc.text}
		if tc.receipted != "" {
			r.ID = tc.receipted
		}
		if got := tc.form.submitted(tc.submitted) == tc.form.receipted(r); got != tc.same {
			t.Errorf("form %d, submitted %q, receipted %q, text %q: %q and %q", tc.form, tc.submitted, tc.receipted, tc.text,
				tc.form.submitted(tc.submitted), tc.form.receipted(r))
		}
	}
}
