package smpptest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/heliograph/heliograph/internal/smpp"
)

// Carriage is how the segments of a text from a handset are told apart.
type Carriage uint8

// Carriages.
const (
	Header8  Carriage = iota // a user data header with an 8-bit reference; none for a single segment
	Header16                 // likewise, 16 bits
	SAR                      // sar_msg_ref_num and its relatives; none for a single segment
	Payload                  // one message_payload, whatever its length
)

// Text is a message from a handset. The zero value of each field but the first three is what most SMSCs send.
type Text struct {
	From, To, Text string

	Coding    smpp.DataCoding // data_coding, by which the text is encoded: GSM 7-bit, ISO 8859-1 (1 and 3), UTF-16 (8), or as it is (2 and 4)
	Packed    bool            // septets packed, as in a TPDU
	Carriage  Carriage
	Reference uint16 // 0: the SMSC counts
	Room      int    // septets, octets, or UTF-16 code units in a segment, wherever that splits the text; 0: what there is room for, between characters
	Order     []int  // which segments are sent, from 1, in which order, also several times; nil: each once
	AsData    bool   // as data_sm
	Edit      func(number int, pdu *smpp.DeliverSM)

	Bind int // over which receiver, from 1 in the order in which they bound; 0: one after the other in turn
}

// Alphabets of texts from handsets.
type lettering uint8

const (
	septetLetters lettering = iota
	octetLetters
	wideLetters
	rawOctets
)

func (t *Text) lettering() lettering {
	switch t.Coding {
	case smpp.DataCodingIA5, smpp.DataCodingLatin1:
		return octetLetters
	case smpp.DataCodingUCS2:
		return wideLetters
	case smpp.DataCodingOctets, smpp.DataCodingBinary:
		return rawOctets
	}
	return septetLetters
}

// letters encodes the text, each character for itself.
func (t *Text) letters() []string {
	if t.lettering() == rawOctets {
		return strings.Split(t.Text, "") // any octets will do: they are put together again
	}
	var letters []string
	for _, r := range t.Text {
		letters = append(letters, t.letter(r))
	}
	return letters
}

func (t *Text) letter(r rune) string {
	switch t.lettering() {
	case octetLetters:
		return string([]byte{byte(r)})
	case wideLetters:
		var units []byte
		for _, u := range utf16.Encode([]rune{r}) {
			units = append(units, byte(u>>8), byte(u))
		}
		return string(units)
	}
	for code, have := range []rune(gsmAlphabet) {
		if have == r && code != gsmEscape {
			return string([]byte{byte(code)})
		}
	}
	for code := range byte(0x80) {
		if r != '\uFFFD' && gsmExtension(code) == r {
			return string([]byte{gsmEscape, code})
		}
	}
	return "?"
}

// userDataOctets is what a short message has room for.
const userDataOctets = 140

// room is how many octets of encoded text a segment takes beside a header.
func (t *Text) room(header int) int {
	room := userDataOctets - header
	switch {
	case t.Room > 0 && t.lettering() == wideLetters:
		return 2 * t.Room
	case t.Room > 0:
		return t.Room
	case t.lettering() == septetLetters:
		return room * 8 / 7
	}
	return room
}

// segments cuts the encoded text.
func (t *Text) segments() []string {
	letters := t.letters()
	whole := strings.Join(letters, "")
	if t.Carriage == Payload || len(whole) <= t.room(0) {
		return []string{whole}
	}
	header := len(t.header(0, 0, 0))
	if t.Carriage == SAR {
		header = len((&Text{}).header(0, 0, 0)) // it is on the air all the same
	}
	room := t.room(header)
	if t.Room > 0 {
		var segments []string
		for chunk := range slices.Chunk([]byte(whole), room) {
			segments = append(segments, string(chunk))
		}
		return segments
	}
	segments := []string{""}
	for _, l := range letters {
		last := &segments[len(segments)-1]
		if len(*last)+len(l) > room {
			segments = append(segments, l)
			continue
		}
		*last += l
	}
	return segments
}

// header is the user data header of a segment.
func (t *Text) header(reference uint16, total, number int) string {
	if t.Carriage == Header16 {
		return string([]byte{6, concat16, 4, byte(reference >> 8), byte(reference), byte(total), byte(number)})
	}
	return string([]byte{5, concat8, 3, byte(reference), byte(total), byte(number)})
}

// pdus are what is sent, in that order.
func (t *Text) pdus(reference uint16) ([]smpp.PDU, error) {
	segments := t.segments()
	order := t.Order
	if order == nil {
		for n := range segments {
			order = append(order, n+1)
		}
	}
	var pdus []smpp.PDU
	for _, number := range order {
		if number < 1 || number > len(segments) || len(segments) > 255 {
			return nil, fmt.Errorf("smpptest: segment %d of %d", number, len(segments))
		}
		pdus = append(pdus, t.pdu(segments[number-1], reference, len(segments), number))
	}
	return pdus, nil
}

func (t *Text) pdu(segment string, reference uint16, total, number int) smpp.PDU {
	d := &smpp.DeliverSM{
		Source: smpp.Address{TON: smpp.TONInternational, NPI: smpp.NPIISDN, Addr: t.From},
		Dest:   smpp.Address{TON: smpp.TONInternational, NPI: smpp.NPIISDN, Addr: t.To}, DataCoding: t.Coding,
	}
	header := ""
	switch {
	case total == 1:
	case t.Carriage == SAR:
		d.TLVs = d.TLVs.WithUint16(smpp.TagSARMsgRefNum, reference).WithUint8(smpp.TagSARTotalSegments, uint8(total)).
			WithUint8(smpp.TagSARSegmentSeqnum, uint8(number))
	default:
		header = t.header(reference, total, number)
		d.ESMClass |= smpp.ESMUDHI
	}
	if t.Packed && t.lettering() == septetLetters {
		segment = pack(segment, len(header))
	}
	if t.Carriage == Payload || t.AsData {
		d.TLVs = d.TLVs.With(smpp.TagMessagePayload, header+segment)
	} else {
		d.ShortMessage = header + segment
	}
	if t.Edit != nil {
		t.Edit(number, d)
	}
	if t.AsData {
		return &smpp.DataSM{Source: d.Source, Dest: d.Dest, ESMClass: d.ESMClass, DataCoding: d.DataCoding, TLVs: d.TLVs}
	}
	return d
}

// pack puts septets one after the other, the first at the multiple of seven bits that follows a header. 3GPP TS 23.038, 6.1.2.1, and 23.040, 9.2.3.24.
func pack(septets string, header int) string {
	first := (header*8 + 6) / 7 * 7
	packed := make([]byte, (first+7*len(septets)+7)/8)
	for i := range len(septets) {
		at := first + 7*i
		packed[at/8] |= septets[i] << (at % 8)
		if at%8 > 1 {
			packed[at/8+1] |= septets[i] >> (8 - at%8)
		}
	}
	return string(packed[header:])
}

// Refusal is what a segment was answered that was not taken.
type Refusal struct {
	Segment int // as sent, from 1
	Status  smpp.Status
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("smpptest: segment %d is not taken: %s", r.Segment, r.Status)
}

// DeliverText sends a text segment by segment, each when the one before was answered. The error is ErrNoReceiver, the first *Refusal, after which the others
// are sent all the same, or that of a segment whose answer did not come.
func (s *SMSC) DeliverText(ctx context.Context, t Text) error {
	pdus, err := t.pdus(s.reference(&t))
	if err != nil {
		return err
	}
	var failed error
	for i, pdu := range pdus {
		r, err := s.receiver(t.Bind)
		if err != nil {
			return err
		}
		answer, err := s.deliver(ctx, r, pdu)
		switch {
		case err != nil:
			return err
		case answer.Status != smpp.ESME_ROK && failed == nil:
			failed = &Refusal{Segment: i + 1, Status: answer.Status}
		}
	}
	return failed
}

// ErrFull: MaxPending are waiting already.
var ErrFull = errors.New("smpptest: too many messages wait")

// PostText puts a text into the mailbox of an account that has bound, as SMSCs do with what handsets send: each segment goes over the binds as they come, again
// and again until it is taken, or refused with ESME_RX_P_APPN. Text.Bind has no meaning here.
func (s *SMSC) PostText(systemID string, t Text) error {
	pdus, err := t.pdus(s.reference(&t))
	if err != nil {
		return err
	}
	s.mu.Lock()
	m := s.mailboxes[systemID]
	full := s.counters.InboundPending+int64(len(pdus)) > int64(s.cfg.MaxPending)
	if m != nil && !full {
		s.counters.InboundPending += int64(len(pdus))
	}
	s.mu.Unlock()
	switch {
	case m == nil:
		return ErrNoReceiver
	case full:
		return ErrFull
	}
	for _, pdu := range pdus {
		m.put(receipt{inbound: pdu})
	}
	return nil
}

// reference is a text's, or else the next.
func (s *SMSC) reference(t *Text) uint16 {
	if t.Reference != 0 {
		return t.Reference
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.references++
	return s.references
}
