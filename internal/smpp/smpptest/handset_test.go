package smpptest

import (
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/heliograph/heliograph/internal/smpp"
)

// TestSegments: what a text is on the wire, as octets.
func TestSegments(t *testing.T) {
	for _, test := range []struct {
		name string
		text Text
		want []string // user data, in hexadecimal
	}{
		{"GSM 7-bit", Text{Text: "a@€"}, []string{"61001b65"}},
		{"a character that the alphabet lacks", Text{Text: "я"}, []string{"3f"}},
		{"Latin-1", Text{Text: "é", Coding: 3}, []string{"e9"}},
		{"UTF-16", Text{Text: "я😀", Coding: 8}, []string{"044fd83dde00"}},
		{"octets", Text{Text: "\x00\xff", Coding: 4}, []string{"00ff"}},
		{"packed", Text{Text: "hello", Packed: true}, []string{"e8329bfd06"}},
		{"split anywhere", Text{Text: "a€", Room: 2}, []string{"050003070201611b", "05000307020265"}},
		{"split surrogates", Text{Text: "😀", Coding: 8, Room: 1}, []string{"050003070201d83d", "050003070202de00"}},
		{"packed behind a header", Text{Text: "ab", Packed: true, Room: 1}, []string{"050003070201c2", "050003070202c4"}},
		{"16-bit reference", Text{Text: "ab", Carriage: Header16, Room: 1}, []string{"0608040107020161", "0608040107020262"}},
		{"SAR", Text{Text: "ab", Carriage: SAR, Room: 1}, []string{"61", "62"}},
		{"payload", Text{Text: "ab", Carriage: Payload, Room: 1}, []string{"6162"}},
		{"as data", Text{Text: "ab", AsData: true}, []string{"6162"}},
		{"in another order, and twice", Text{Text: "abc", Room: 1, Order: []int{3, 1, 1}, Carriage: SAR}, []string{"63", "61", "61"}},
	} {
		reference := uint16(7)
		if test.text.Carriage == Header16 {
			reference = 0x107
		}
		pdus, err := test.text.pdus(reference)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		var got []string
		for _, pdu := range pdus {
			if data, ok := pdu.(*smpp.DataSM); ok {
				pdu = data.Deliver()
			}
			got = append(got, hex.EncodeToString([]byte(pdu.(*smpp.DeliverSM).UserData())))
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	for _, bad := range []Text{{Text: "a", Order: []int{2}}, {Text: "a", Order: []int{0}}, {Text: strings.Repeat("a", 256), Room: 1, Carriage: SAR}} {
		if _, err := bad.pdus(1); err == nil {
			t.Errorf("%+v is sent", bad)
		}
	}
}

// TestRoom: segments are as full as they can be, and no character is split.
func TestRoom(t *testing.T) {
	for _, test := range []struct {
		text Text
		want []int // octets without the header
	}{
		{Text{Text: strings.Repeat("a", 160)}, []int{160}},
		{Text{Text: strings.Repeat("a", 161)}, []int{153, 8}},
		{Text{Text: strings.Repeat("€", 100)}, []int{152, 48}},
		{Text{Text: strings.Repeat("a", 161), Carriage: Header16}, []int{152, 9}},
		{Text{Text: strings.Repeat("a", 161), Carriage: SAR}, []int{153, 8}},
		{Text{Text: strings.Repeat("a", 1000), Carriage: Payload}, []int{1000}},
		{Text{Text: strings.Repeat("я", 71), Coding: 8}, []int{134, 8}},
		{Text{Text: strings.Repeat("😀", 40), Coding: 8}, []int{132, 28}},
	} {
		var got []int
		for _, s := range test.text.segments() {
			got = append(got, len(s))
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%d octets of text: %v, want %v", len(test.text.Text), got, test.want)
		}
	}
}

// inbox is an ESME that takes messages, and answers as it is told.
type inbox struct {
	mu     sync.Mutex
	texts  []string
	answer func(n int) smpp.Status // nil: ESME_ROK
}

func (i *inbox) take(r *smpp.Request) {
	i.mu.Lock()
	i.texts = append(i.texts, r.PDU.(*smpp.DeliverSM).UserData())
	status := smpp.ESME_ROK
	if i.answer != nil {
		status = i.answer(len(i.texts))
	}
	i.mu.Unlock()
	_ = r.Respond(status, nil)
}

func (i *inbox) got() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.texts)
}

// TestDeliverText: over the bind that is named, or over all in turn; what is refused is told, and what is behind it sent.
func TestDeliverText(t *testing.T) {
	s := New(t)
	if err := s.DeliverText(soon(t), Text{Text: "a"}); !errors.Is(err, ErrNoReceiver) {
		t.Errorf("without a bind: %v", err)
	}
	first, second := &inbox{}, &inbox{}
	bind(t, s, smpp.Transmitter, smpp.Config{})
	bind(t, s, smpp.Receiver, smpp.Config{Handler: first.take})
	bind(t, s, smpp.Transceiver, smpp.Config{Handler: second.take})
	for _, text := range []Text{{Text: "a", Bind: 2}, {Text: "b", Bind: 1}, {Text: "cdef", Room: 1, Carriage: SAR}} {
		if err := s.DeliverText(soon(t), text); err != nil {
			t.Errorf("%+v: %v", text, err)
		}
	}
	if a, b := first.got(), second.got(); !slices.Equal(a, []string{"b", "c", "e"}) || !slices.Equal(b, []string{"a", "d", "f"}) {
		t.Errorf("%v and %v", a, b)
	}
	if err := s.DeliverText(soon(t), Text{Text: "g", Bind: 3}); !errors.Is(err, ErrNoReceiver) {
		t.Errorf("over a bind that is not there: %v", err)
	}
	first.answer = func(int) smpp.Status { return smpp.ESME_RX_T_APPN }
	var refusal *Refusal
	err := s.DeliverText(soon(t), Text{Text: "gh", Room: 1, Carriage: SAR, Bind: 1})
	if !errors.As(err, &refusal) || refusal.Segment != 1 || refusal.Status != smpp.ESME_RX_T_APPN || len(first.got()) != 5 {
		t.Errorf("%v, %v", err, first.got())
	}
	if c := s.Counters(); c.InboundSent != 8 || c.InboundAcked != 6 || c.InboundNacked != 2 || c.InboundRefused != 0 {
		t.Errorf("%+v", c)
	}
}

// TestPostText: what is not taken comes again, over whichever bind there is, until it is taken or refused for good.
func TestPostText(t *testing.T) {
	s := New(t, func(c *Config) { c.RetryDelay, c.MaxPending = 1, 3 })
	if err := s.PostText("user", Text{Text: "a"}); !errors.Is(err, ErrNoReceiver) {
		t.Errorf("to nobody: %v", err)
	}
	i := &inbox{answer: func(n int) smpp.Status {
		return [...]smpp.Status{smpp.ESME_RX_T_APPN, smpp.ESME_RMSGQFUL, smpp.ESME_ROK, smpp.ESME_RX_P_APPN}[n-1]
	}}
	bind(t, s, smpp.Transmitter, smpp.Config{}) // takes no messages: they wait
	if err := s.PostText("user", Text{Text: "abcd", Room: 1, Carriage: SAR}); !errors.Is(err, ErrFull) {
		t.Errorf("more than there is room for: %v", err)
	}
	if err := s.PostText("user", Text{Text: "ab", Room: 1, Carriage: SAR}); err != nil {
		t.Fatal(err)
	}
	bind(t, s, smpp.Receiver, smpp.Config{Handler: i.take})
	if err := s.Wait(soon(t), func(c Counters) bool { return c.InboundPending == 0 }); err != nil {
		t.Fatal(err)
	}
	c := s.Counters()
	if got := i.got(); len(got) != 4 || c.InboundSent != 4 || c.InboundAcked != 1 || c.InboundNacked != 3 || c.InboundRefused != 1 {
		t.Errorf("%v, %+v", got, c)
	}
}
