package smpp

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// table reads a file of testdata: lines of words, and comments.
func table(t *testing.T, name string) [][]string {
	t.Helper()
	content, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for line := range strings.Lines(string(content)) {
		if words := strings.Fields(line); len(words) > 0 && words[0] != "#" {
			rows = append(rows, words)
		}
	}
	return rows
}

// names checks that the values of a table have its names, and that no other value up to most has one.
func names(t *testing.T, file string, most uint32, name func(uint32) string) {
	t.Helper()
	known := make(map[uint32]string)
	for _, row := range table(t, file) {
		value, err := strconv.ParseUint(row[1], 0, 32)
		if err != nil {
			t.Fatal(err)
		}
		known[uint32(value)] = row[0]
		if got := name(uint32(value)); got != row[0] {
			t.Errorf("%s: %s is called %q", row[1], row[0], got)
		}
	}
	for value := range most {
		if got := name(value); got != known[value] {
			t.Errorf("0x%04X is called %q, want %q", value, got, known[value])
		}
	}
}

func TestStatusesAsInTheSpecification(t *testing.T) {
	names(t, "statuses.txt", 0x1000, func(v uint32) string { return Status(v).name() })
	if got := Status(0x456).String(); got != "command_status 0x00000456" {
		t.Errorf("a vendor's: %q", got)
	}
}

func TestTagsAsInTheSpecification(t *testing.T) {
	names(t, "tags.txt", 0x10000, func(v uint32) string { return Tag(v).name() })
	if got := Tag(0x1400).String(); got != "tag 0x1400" {
		t.Errorf("a vendor's: %q", got)
	}
}

func TestCommandsAsInTheSpecification(t *testing.T) {
	names(t, "commands.txt", 0x1000, func(v uint32) string { return CommandID(v).name() })
	for _, row := range table(t, "commands.txt") {
		value, _ := strconv.ParseUint(row[1], 0, 32) // names checks it
		command := CommandID(value)
		for column, issuer := range []Role{ESME, SMSC} {
			for state := Open; state <= Closed; state++ {
				want := strings.Contains(","+row[2+column]+",", ","+state.String()+",")
				if got := requestStates(issuer, command).has(state); got != want {
					t.Errorf("%v by role %d in %v: %v, want %v", command, issuer, state, got, want)
				}
			}
		}
		if answer := command.Response(); !command.IsResponse() && answer != CommandGenericNack && answer.String() != row[0]+"_resp" {
			t.Errorf("%v is answered by %v", command, answer)
		}
	}
}

// frame is a PDU with that body.
func frame(command CommandID, status Status, body string) []byte {
	octets := append(AppendStatus(nil, command, 1, status), body...)
	octets[2], octets[3] = byte(len(octets)>>8), byte(len(octets))
	return octets
}

func TestDecodeErrors(t *testing.T) {
	const (
		addresses = "\x00\x01\x01from\x00\x01\x01to\x00" // with the service_type
		upToText  = addresses + "\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	)
	good := frame(CommandSubmitSM, ESME_ROK, upToText+"\x00")
	for _, test := range []struct {
		name   string
		frame  []byte
		status Status
		says   string
	}{
		{"a header cut off", good[:15], ESME_RINVCMDLEN, "smpp: PDU at octet 0: shorter than a header"},
		{"a length too small", good[:len(good)-1], ESME_RINVCMDLEN, "smpp: submit_sm at octet 0: command_length is not the PDU's length"},
		{"no body", frame(CommandSubmitSM, ESME_ROK, ""), ESME_RINVCMDLEN, "smpp: submit_sm.service_type at octet 16: not ended by NUL"},
		{"service_type too long", frame(CommandSubmitSM, ESME_ROK, "123456\x00"), ESME_RINVSERTYP, "smpp: submit_sm.service_type at octet 16: too long"},
		{"source_addr too long", frame(CommandSubmitSM, ESME_ROK, "\x00\x01\x01"+strings.Repeat("1", 21)+"\x00"), ESME_RINVSRCADR, "smpp: submit_sm.source_addr at octet 19: too long"},
		{"destination_addr too long", frame(CommandSubmitSM, ESME_ROK, "\x00\x01\x01from\x00\x01\x01"+strings.Repeat("1", 21)), ESME_RINVDSTADR, "smpp: submit_sm.destination_addr at octet 26: too long"},
		{"destination_addr not ended", frame(CommandSubmitSM, ESME_ROK, "\x00\x01\x01from\x00\x01\x01to"), ESME_RINVCMDLEN, "smpp: submit_sm.destination_addr at octet 26: not ended by NUL"},
		{"no esm_class", frame(CommandSubmitSM, ESME_ROK, addresses), ESME_RINVCMDLEN, "smpp: submit_sm.esm_class at octet 29: missing"},
		{"a time too long", frame(CommandSubmitSM, ESME_ROK, addresses+"\x00\x00\x00"+strings.Repeat("1", 17)), ESME_RINVSCHED, "smpp: submit_sm.schedule_delivery_time at octet 32: too long"},
		{"no sm_length", frame(CommandSubmitSM, ESME_ROK, upToText), ESME_RINVCMDLEN, "smpp: submit_sm.sm_length at octet 38: missing"},
		{"short_message cut off", frame(CommandSubmitSM, ESME_ROK, upToText+"\x05four"), ESME_RINVMSGLEN, "smpp: submit_sm.short_message at octet 39: shorter than sm_length"},
		{"a TLV's header cut off", frame(CommandSubmitSM, ESME_ROK, upToText+"\x00\x04\x24\x00"), ESME_RINVOPTPARSTREAM, "smpp: submit_sm.optional_parameters at octet 39: shorter than a tag and a length"},
		{"a TLV's value cut off", frame(CommandDeliverSM, ESME_ROK, upToText+"\x00\x04\x24\x00\x03hi"), ESME_RINVPARLEN, "smpp: deliver_sm.message_payload at octet 39: shorter than its length"},
		{"a bind's password too long", frame(CommandBindTransceiver, ESME_ROK, "me\x00"+strings.Repeat("p", 65)), ESME_RINVPASWD, "smpp: bind_transceiver.password at octet 19: too long"},
		{"submit_multi", frame(CommandSubmitMulti, ESME_ROK, upToText), ESME_RINVCMDID, "smpp: submit_multi at octet 4: not supported"},
		{"an unknown command", frame(0x00001234, ESME_ROK, ""), ESME_RINVCMDID, "smpp: command_id 0x00001234 at octet 4: not supported"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, body, err := Decode(test.frame)
			var invalid *Error
			if !errors.As(err, &invalid) || invalid.Status != test.status || body != nil {
				t.Fatalf("%v, %+v", body, err)
			}
			if err.Error() != test.says {
				t.Errorf("says %q, want %q", err, test.says)
			}
		})
	}
}

// SMSCs cut responses short, and ESMEs have to live with it.
func TestResponsesAreReadLeniently(t *testing.T) {
	long := strings.Repeat("a", 100)
	for _, test := range []struct {
		name    string
		command CommandID
		status  Status
		body    string
		want    PDU
	}{
		{"refused without a body", CommandSubmitSMResp, ESME_RTHROTTLED, "", &SubmitSMResp{}},
		{"refused with one", CommandSubmitSMResp, ESME_RTHROTTLED, "\x00", &SubmitSMResp{}},
		{"accepted without a body", CommandSubmitSMResp, ESME_ROK, "", &SubmitSMResp{}},
		{"an id without NUL", CommandSubmitSMResp, ESME_ROK, "42", &SubmitSMResp{MessageID: "42"}},
		{"a long id", CommandSubmitSMResp, ESME_ROK, long + "\x00", &SubmitSMResp{MessageID: long}},
		{"a broken TLV", CommandSubmitSMResp, ESME_ROK, "42\x00\x04\x27\x00\x01\x02\x04\x20\x00\x09", &SubmitSMResp{MessageID: "42", TLVs: TLVs{}.WithUint8(TagMessageState, 2)}},
		{"a stray octet", CommandDeliverSMResp, ESME_ROK, "\x00\x00", &DeliverSMResp{}},
		{"a bind without a body", CommandBindTransmitterResp, ESME_ROK, "", &BindResp{Mode: Transmitter}},
		{"a bind without TLVs", CommandBindReceiverResp, ESME_ROK, "smsc\x00", &BindResp{Mode: Receiver, SystemID: "smsc"}},
		{"query_sm_resp cut off", CommandQuerySMResp, ESME_ROK, "42\x00\x00", &QuerySMResp{MessageID: "42"}},
		{"unbind_resp with a body", CommandUnbindResp, ESME_ROK, "x", &UnbindResp{}},
	} {
		h, body, err := Decode(frame(test.command, test.status, test.body))
		if diff := cmp.Diff(test.want, body, cmp.AllowUnexported(TLVs{})); err != nil || h.Status != test.status || diff != "" {
			t.Errorf("%s: %v, %s", test.name, err, diff)
		}
	}
}

func TestAppendErrors(t *testing.T) {
	for _, test := range []struct {
		pdu  PDU
		says string
	}{
		{&SubmitSM{Source: Address{Addr: strings.Repeat("1", 21)}}, "smpp: submit_sm.source_addr: longer than 20 octets"},
		{&SubmitSM{Dest: Address{Addr: "1\x002"}}, "smpp: submit_sm.destination_addr: holds a NUL"},
		{&DeliverSM{ShortMessage: strings.Repeat("x", 255)}, "smpp: deliver_sm.short_message: longer than 254 octets"},
		{&Bind{Mode: Receiver, SystemType: "thirteen chars"}, "smpp: bind_receiver.system_type: longer than 12 octets"},
		{&SubmitSMResp{MessageID: "\x00"}, "smpp: submit_sm_resp.message_id: holds a NUL"},
	} {
		before := []byte("before")
		after, err := Append(before, 1, ESME_ROK, test.pdu)
		if err == nil || err.Error() != test.says || string(after) != "before" {
			t.Errorf("%q, %v; want %s", after, err, test.says)
		}
	}
}

// PDUs are added behind one another in the same buffer.
func TestAppendBehindAnother(t *testing.T) {
	octets, err := Append(nil, 1, ESME_ROK, &EnquireLink{})
	if err != nil {
		t.Fatal(err)
	}
	if octets, err = Append(octets, 2, ESME_ROK, &SubmitSMResp{MessageID: "7"}); err != nil {
		t.Fatal(err)
	}
	if h, body, err := Decode(octets[HeaderSize:]); err != nil || h.Sequence != 2 || body.(*SubmitSMResp).MessageID != "7" {
		t.Errorf("%v, %v, %v", h, body, err)
	}
}

func TestDeliveriesMayComeFromLongAddresses(t *testing.T) {
	want := &DeliverSM{Source: Address{TON: TONAlphanumeric, Addr: strings.Repeat("a", 64)}}
	octets, err := Append(nil, 1, ESME_ROK, want)
	if err != nil {
		t.Fatal(err)
	}
	if _, got, err := Decode(octets); err != nil || *got.(*DeliverSM) != *want {
		t.Errorf("%+v, %v", got, err)
	}
	want.Source.Addr += "a"
	if _, err := Append(nil, 1, ESME_ROK, want); err == nil {
		t.Error("65 octets were written")
	}
}

// The body must not change with the buffer that it came in: sessions use it again.
func TestBodyDoesNotReferToTheFrame(t *testing.T) {
	want := benchmarkMessage()
	octets, err := Append(nil, 1, ESME_ROK, want)
	if err != nil {
		t.Fatal(err)
	}
	_, got, err := Decode(octets)
	if err != nil {
		t.Fatal(err)
	}
	for i := range octets {
		octets[i] = 0xFF
	}
	if *got.(*SubmitSM) != *want {
		t.Errorf("became %+v", got)
	}
}

func TestDecodeIntoAnotherBody(t *testing.T) {
	if _, err := DecodeInto(frame(CommandEnquireLink, ESME_ROK, ""), &SubmitSM{}); err == nil {
		t.Error("an enquire_link was read into a submit_sm")
	}
	if _, err := DecodeInto(frame(CommandBindReceiver, ESME_ROK, "\x00\x00\x00\x00\x00\x00\x00"), &Bind{}); err != nil {
		t.Error(err)
	}
}

func TestTLVs(t *testing.T) {
	tlvs := TLVs{}.WithCString(TagReceiptedMessageID, "7").WithUint16(TagUserMessageReference, 258).WithUint8(TagMessageState, 2).With(0x1400, "vendor")
	if got := fmt.Sprintf("%x", tlvs.octets); got != "001e000237000204000201020427000102"+"14000006"+"76656e646f72" {
		t.Errorf("octets %s", got)
	}
	made := MakeTLVs(TLV{TagReceiptedMessageID, "7\x00"}, TLV{TagUserMessageReference, "\x01\x02"}, TLV{TagMessageState, "\x02"}, TLV{0x1400, "vendor"})
	if made != tlvs {
		t.Errorf("made %+v", made)
	}
	var order []string
	for tag, value := range tlvs.All() {
		order = append(order, fmt.Sprintf("%v=%d", tag, len(value)))
	}
	if got := fmt.Sprint(order); got != "[receipted_message_id=2 user_message_reference=2 message_state=1 tag 0x1400=6]" {
		t.Errorf("order %s", got)
	}
	for range tlvs.All() {
		break // must not go on after it
	}
	id, _ := tlvs.CString(TagReceiptedMessageID)
	reference, _ := tlvs.Uint16(TagUserMessageReference)
	short, ok := tlvs.Uint16(TagMessageState)
	state, _ := tlvs.Uint8(TagMessageState)
	if id != "7" || reference != 258 || state != 2 || short != 2 || !ok {
		t.Errorf("%q, %d, %d, %d", id, reference, state, short)
	}
	if _, ok := tlvs.Uint8(TagUserMessageReference); ok {
		t.Error("two octets were taken for one")
	}
	if _, ok := tlvs.Uint16(TagMessagePayload); ok {
		t.Error("what is missing was found")
	}
}

func TestTLVTooLong(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("65536 octets were written with a length of 0")
		}
	}()
	TLVs{}.With(TagMessagePayload, strings.Repeat("x", 65536))
}

func TestUserData(t *testing.T) {
	payload := TLVs{}.With(TagMessagePayload, "long")
	for _, test := range []struct{ pdu DeliverSM }{{DeliverSM{ShortMessage: "long"}}, {DeliverSM{TLVs: payload}}, {*(&DataSM{TLVs: payload}).Deliver()}} {
		if got := test.pdu.UserData(); got != "long" {
			t.Errorf("%q", got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, v := range readVectors(f) {
		f.Add(v.octets)
	}
	f.Fuzz(func(t *testing.T, octets []byte) {
		if len(octets) >= HeaderSize { // most inputs would end at the length otherwise
			octets[0], octets[1], octets[2], octets[3] = 0, 0, byte(len(octets)>>8), byte(len(octets))
		}
		h, body, err := Decode(octets)
		var invalid *Error
		if err != nil {
			if !errors.As(err, &invalid) || invalid.Status == ESME_ROK || invalid.Octet < 0 || invalid.Octet > len(octets) {
				t.Errorf("error %+v", err)
			}
			return
		}
		again, err := Append(nil, h.Sequence, h.Status, body)
		if err != nil { // short_message may be one octet longer than we write
			if !errors.As(err, &invalid) || invalid.Field != "short_message" {
				t.Fatalf("%+v was read and cannot be written: %v", body, err)
			}
			return
		}
		same, err := DecodeInto(again, body)
		if err != nil || same.Command != h.Command || same.Status != h.Status || same.Sequence != h.Sequence {
			t.Fatalf("%v was written as %v: %v", h, same, err)
		}
		twice, err := Append(nil, h.Sequence, h.Status, body)
		if err != nil || !bytes.Equal(twice, again) {
			t.Fatalf("written as %x, then as %x: %v", again, twice, err)
		}
		if !h.Command.IsResponse() && hasOptional(body) && !bytes.Equal(again, octets) {
			t.Fatalf("%x was written as %x", octets, again)
		}
	})
}

// hasOptional tells whether a PDU may go on behind its fields: then nothing of a request may be lost.
func hasOptional(body PDU) bool {
	switch body.(type) {
	case *SubmitSM, *DeliverSM, *DataSM, *AlertNotification:
		return true
	}
	return false
}
