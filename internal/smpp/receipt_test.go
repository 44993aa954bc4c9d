package smpp

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// receiptVector is a block of testdata/receipts.txt.
type receiptVector struct {
	line int
	text string
	want Receipt
	err  error
}

func readReceipts(t testing.TB) []receiptVector {
	t.Helper()
	file, err := os.Open("testdata/receipts.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var vectors []receiptVector
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		key, value, _ := strings.Cut(lines.Text(), " ")
		if key == "text" {
			text, err := strconv.Unquote(value)
			if err != nil {
				t.Fatalf("line %d: %v", n, err)
			}
			vectors = append(vectors, receiptVector{line: n, text: text, want: Receipt{Submitted: -1, Delivered: -1}})
			continue
		}
		if key == "" || key == "#" || len(vectors) == 0 {
			continue
		}
		if !vectors[len(vectors)-1].says(key, value) {
			t.Fatalf("line %d: %s", n, lines.Text())
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return vectors
}

// says takes a line of a block.
func (v *receiptVector) says(key, value string) bool {
	switch key {
	case "id":
		v.want.ID, v.want.TextID = value, value
	case "state":
		for s := StateEnroute; s <= StateSkipped; s++ {
			if s.String() == value {
				v.want.State = s
			}
		}
	case "stat":
		v.want.Stat = value
	case "err":
		v.want.Err = value
	case "sub":
		v.want.Submitted, _ = strconv.Atoi(value)
	case "dlvrd":
		v.want.Delivered, _ = strconv.Atoi(value)
	case "submit":
		v.want.SubmitDate, _ = time.Parse(time.RFC3339, value)
	case "done":
		v.want.DoneDate, _ = time.Parse(time.RFC3339, value)
	case "said":
		v.want.Text = value
	case "intermediate":
		v.want.Intermediate = true
	case "fails":
		v.err = map[string]error{"id": ErrReceiptID, "state": ErrReceiptState}[value]
		return v.err != nil
	default:
		return false
	}
	return true
}

func TestReceiptTexts(t *testing.T) {
	for _, v := range readReceipts(t) {
		t.Run(fmt.Sprintf("line_%d", v.line), func(t *testing.T) {
			for name, d := range map[string]*DeliverSM{
				"short_message":   {ESMClass: ESMDeliveryReceipt, ShortMessage: v.text},
				"message_payload": {ESMClass: ESMDeliveryReceipt, TLVs: TLVs{}.With(TagMessagePayload, v.text)},
				"UCS-2":           {ESMClass: ESMDeliveryReceipt, DataCoding: DataCodingUCS2, TLVs: TLVs{}.With(TagMessagePayload, ucs2(v.text))},
				"with a header":   {ESMClass: ESMDeliveryReceipt | ESMUDHI, ShortMessage: "\x05\x00\x03\x01\x01\x01" + v.text},
			} {
				got, ok, err := ParseReceipt(d)
				if !ok || !errors.Is(err, v.err) {
					t.Errorf("%s: %v, %v; want %v", name, ok, err, v.err)
				}
				if diff := cmp.Diff(v.want, got); diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
			}
		})
	}
}

func ucs2(s string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(s)) {
		b.Write([]byte{byte(unit >> 8), byte(unit)})
	}
	return b.String()
}

func TestReceiptParameters(t *testing.T) {
	const text = "id:12648430 stat:UNDELIV err:001"
	id := TLVs{}.WithCString(TagReceiptedMessageID, "C0FFEE")
	for _, test := range []struct {
		name  string
		d     DeliverSM
		ok    bool
		err   error
		id    string
		state MessageState
	}{
		{"a message that looks like a receipt", DeliverSM{ShortMessage: text}, false, nil, "", 0},
		{"by esm_class", DeliverSM{ESMClass: ESMDeliveryReceipt, ShortMessage: text}, true, nil, "12648430", StateUndeliverable},
		{"by its parameter", DeliverSM{ShortMessage: text, TLVs: id}, true, nil, "C0FFEE", StateUndeliverable},
		{"parameters alone", DeliverSM{ESMClass: ESMDeliveryReceipt, TLVs: id.WithUint8(TagMessageState, 2)}, true, nil, "C0FFEE", StateDelivered},
		{"the parameter's state counts", DeliverSM{ESMClass: ESMDeliveryReceipt, ShortMessage: text, TLVs: id.WithUint8(TagMessageState, 3)}, true, nil, "C0FFEE", StateExpired},
		{"no such state", DeliverSM{ESMClass: ESMDeliveryReceipt, ShortMessage: text, TLVs: id.WithUint8(TagMessageState, 77)}, true, nil, "C0FFEE", StateUndeliverable},
		{"id without a NUL", DeliverSM{ESMClass: ESMDeliveryReceipt, TLVs: TLVs{}.With(TagReceiptedMessageID, "7").WithUint8(TagMessageState, 8)}, true, nil, "7", StateRejected},
		{"no id", DeliverSM{ESMClass: ESMDeliveryReceipt, TLVs: TLVs{}.WithUint8(TagMessageState, 2)}, true, ErrReceiptID, "", StateDelivered},
		{"another kind", DeliverSM{ESMClass: ESMUserAcknowledgement, ShortMessage: text}, false, nil, "", 0},
		{"on its way", DeliverSM{ESMClass: ESMIntermediateNotification, ShortMessage: "id:5 stat:ENROUTE"}, true, nil, "5", StateEnroute},
	} {
		got, ok, err := ParseReceipt(&test.d)
		if ok != test.ok || !errors.Is(err, test.err) || got.ID != test.id || got.State != test.state {
			t.Errorf("%s: %+v, %v, %v", test.name, got, ok, err)
		}
	}
	d := DeliverSM{TLVs: id.With(TagNetworkErrorCode, "\x03\x01\x02")}
	if r, _, _ := ParseReceipt(&d); !r.HasNetworkError || r.NetworkType != 3 || r.NetworkError != 258 {
		t.Errorf("network error: %+v", r)
	}
}

// What AppendReceipt and TLVs write, ParseReceipt reads.
func TestReceiptRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		date := rapid.Custom(func(t *rapid.T) time.Time {
			return time.Unix(rapid.Int64Range(1e9, 2e9).Draw(t, "date")/60*60, 0).UTC()
		})
		want := Receipt{
			ID:        rapid.StringMatching(`[0-9A-Fa-f-]{1,40}`).Draw(t, "id"),
			State:     MessageState(rapid.IntRange(int(StateEnroute), int(StateSkipped)).Draw(t, "state")),
			Err:       rapid.StringMatching(`[0-9A-F]{3}`).Draw(t, "err"),
			Submitted: rapid.IntRange(0, 999).Draw(t, "sub"), Delivered: rapid.IntRange(0, 999).Draw(t, "dlvrd"),
			SubmitDate: date.Draw(t, "submit"), DoneDate: date.Draw(t, "done"),
			Text: strings.TrimSpace(rapid.StringMatching(`[a-z: ]{0,20}`).Draw(t, "text")),
		}
		want.TextID, want.Stat, want.Intermediate = want.ID, want.State.String(), !want.State.Final()
		text := string(AppendReceipt(nil, &want))
		got, ok, err := ParseReceipt(&DeliverSM{ESMClass: ESMDeliveryReceipt, ShortMessage: text})
		if diff := cmp.Diff(want, got); !ok || err != nil || diff != "" {
			t.Fatalf("%q: %v, %v, %s", text, ok, err, diff)
		}
		want.HasNetworkError, want.NetworkType, want.NetworkError = true, 3, 4711
		got, ok, err = ParseReceipt(&DeliverSM{TLVs: want.TLVs(), ShortMessage: text})
		if diff := cmp.Diff(want, got); !ok || err != nil || diff != "" {
			t.Fatalf("with parameters: %v, %v, %s", ok, err, diff)
		}
	})
}

func BenchmarkParseReceipt(b *testing.B) {
	d := DeliverSM{ESMClass: ESMDeliveryReceipt, ShortMessage: "id:0123456789 sub:001 dlvrd:001 submit date:2611241200 done date:2611241201 stat:DELIVRD err:000 text:Hello"}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok, err := ParseReceipt(&d); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}

func FuzzReceipt(f *testing.F) {
	for _, v := range readReceipts(f) {
		f.Add(v.text, uint8(ESMDeliveryReceipt), uint8(0))
	}
	f.Fuzz(func(t *testing.T, text string, class, coding uint8) {
		d := DeliverSM{ESMClass: ESMClass(class), DataCoding: DataCoding(coding), ShortMessage: text}
		r, ok, err := ParseReceipt(&d)
		if !ok && (err != nil || r != Receipt{}) {
			t.Errorf("no receipt, but %+v, %v", r, err)
		}
		if ok && err == nil && (r.ID == "" || r.State == 0) {
			t.Errorf("good, but %+v", r)
		}
		if !ok || err != nil || r.State == 0 {
			return
		}
		// What was understood is understood the same when it is written in the usual form.
		r.Text, r.HasNetworkError = "", false
		again, ok, err := ParseReceipt(&DeliverSM{ESMClass: ESMDeliveryReceipt, ShortMessage: string(AppendReceipt(nil, &r))})
		if !ok || err != nil || again.ID != r.ID || again.State != r.State {
			t.Errorf("%+v was read again as %+v, %v", r, again, err)
		}
	})
}
