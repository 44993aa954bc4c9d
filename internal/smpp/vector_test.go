package smpp

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// vector is a block of testdata/vectors.txt; vectors.js says what its lines mean.
type vector struct {
	line   int
	name   string
	octets []byte
	says   []string // the lines behind octets
}

func readVectors(t testing.TB) []vector {
	t.Helper()
	file, err := os.Open("testdata/vectors.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var vectors []vector
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		key, value, _ := strings.Cut(lines.Text(), " ")
		switch key {
		case "":
		case "pdu":
			vectors = append(vectors, vector{line: n, name: value})
		case "octets":
			if vectors[len(vectors)-1].octets, err = hex.DecodeString(value); err != nil {
				t.Fatalf("line %d: %v", n, err)
			}
		default:
			last := &vectors[len(vectors)-1]
			last.says = append(last.says, lines.Text())
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return vectors
}

// TestVectors decodes what an independent peer wrote, compares every field, and writes it again.
func TestVectors(t *testing.T) {
	seen := make(map[CommandID]bool)
	for _, v := range readVectors(t) {
		t.Run(fmt.Sprintf("line_%d_%s", v.line, v.name), func(t *testing.T) {
			h, body, err := Decode(v.octets)
			if err != nil {
				t.Fatal(err)
			}
			seen[h.Command] = true
			if h.Command.String() != v.name || body.Command() != h.Command {
				t.Errorf("a %v, read as %v", h.Command, body.Command())
			}
			if got, want := strings.Join(describe(h, body), "\n"), strings.Join(v.says, "\n"); got != want {
				t.Errorf("says\n%s\nwant\n%s", got, want)
			}
			again, err := Append(nil, h.Sequence, h.Status, body)
			if h.Length == HeaderSize {
				again = AppendStatus(nil, h.Command, h.Sequence, h.Status)
			}
			if err != nil || !bytes.Equal(again, v.octets) {
				t.Errorf("written again: %v\n%x, want\n%x", err, again, v.octets)
			}
			into := newBody(h.Command)
			if _, err := DecodeInto(v.octets, into); err != nil || fmt.Sprint(into) != fmt.Sprint(body) {
				t.Errorf("DecodeInto: %+v, %v", into, err)
			}
		})
	}
	for command := range CommandID(0x200) {
		for _, c := range []CommandID{command, command | responseBit} {
			if newBody(c) != nil && !seen[c] {
				t.Errorf("no vector has a %v", c)
			}
		}
	}
}

// describe says what a PDU holds, in the lines of a vector.
func describe(h Header, body PDU) []string {
	says := []string{"sequence " + strconv.Itoa(int(h.Sequence))}
	if h.Status != ESME_ROK {
		says = append(says, "status "+h.Status.String())
	}
	if h.Length == HeaderSize {
		return says
	}
	field := func(name string, value any) {
		if s, ok := value.(string); ok {
			runes := make([]rune, len(s)) // Latin 1
			for i := range runes {
				runes[i] = rune(s[i])
			}
			value = string(runes)
		}
		var b bytes.Buffer
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(false)
		_ = encoder.Encode(value) // writes to memory
		says = append(says, "field "+name+" "+strings.TrimSpace(b.String()))
	}
	address := func(prefix, name string, a Address) {
		field(prefix+"_ton", a.TON)
		field(prefix+"_npi", a.NPI)
		field(name, a.Addr)
	}
	source := func(a Address) { address("source_addr", "source_addr", a) }
	dest := func(a Address) { address("dest_addr", "destination_addr", a) }
	var tlvs TLVs
	switch p := body.(type) {
	case *Bind:
		field("system_id", p.SystemID)
		field("password", p.Password)
		field("system_type", p.SystemType)
		field("interface_version", p.InterfaceVersion)
		address("addr", "address_range", p.AddressRange)
	case *BindResp:
		field("system_id", p.SystemID)
		tlvs = p.TLVs
	case *Outbind:
		field("system_id", p.SystemID)
		field("password", p.Password)
	case *SubmitSM:
		field("service_type", p.ServiceType)
		source(p.Source)
		dest(p.Dest)
		field("esm_class", p.ESMClass)
		field("protocol_id", p.ProtocolID)
		field("priority_flag", p.PriorityFlag)
		field("schedule_delivery_time", p.ScheduleDeliveryTime)
		field("validity_period", p.ValidityPeriod)
		field("registered_delivery", p.RegisteredDelivery)
		field("replace_if_present_flag", p.ReplaceIfPresent)
		field("data_coding", p.DataCoding)
		field("sm_default_msg_id", p.DefaultMessageID)
		field("short_message", p.ShortMessage)
		tlvs = p.TLVs
	case *DeliverSM:
		return describe(h, (*SubmitSM)(p))
	case *SubmitSMResp:
		field("message_id", p.MessageID)
		tlvs = p.TLVs
	case *DeliverSMResp:
		return describe(h, (*SubmitSMResp)(p))
	case *DataSMResp:
		return describe(h, (*SubmitSMResp)(p))
	case *DataSM:
		field("service_type", p.ServiceType)
		source(p.Source)
		dest(p.Dest)
		field("esm_class", p.ESMClass)
		field("registered_delivery", p.RegisteredDelivery)
		field("data_coding", p.DataCoding)
		tlvs = p.TLVs
	case *QuerySM:
		field("message_id", p.MessageID)
		source(p.Source)
	case *QuerySMResp:
		field("message_id", p.MessageID)
		field("final_date", p.FinalDate)
		field("message_state", uint8(p.MessageState))
		field("error_code", p.ErrorCode)
	case *CancelSM:
		field("service_type", p.ServiceType)
		field("message_id", p.MessageID)
		source(p.Source)
		dest(p.Dest)
	case *ReplaceSM:
		field("message_id", p.MessageID)
		source(p.Source)
		field("schedule_delivery_time", p.ScheduleDeliveryTime)
		field("validity_period", p.ValidityPeriod)
		field("registered_delivery", p.RegisteredDelivery)
		field("sm_default_msg_id", p.DefaultMessageID)
		field("short_message", p.ShortMessage)
	case *AlertNotification:
		source(p.Source)
		address("esme_addr", "esme_addr", p.ESME)
		tlvs = p.TLVs
	}
	for tag, value := range tlvs.All() {
		says = append(says, fmt.Sprintf("tlv %v %x", tag, value))
	}
	return says
}
