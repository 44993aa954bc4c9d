package smpp

import (
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

// Receipt is what a delivery receipt says: the SMSC's word about a message it took earlier. SMPP 3.4, 2.11, 5.3.2.12, appendix B.
type Receipt struct {
	// ID is receipted_message_id or, without it, the text's id, as it came: SMSCs differ in case, in leading zeros, and at times write the id
	// of submit_sm_resp in decimal here and in hexadecimal there.
	ID     string
	TextID string // the text's id; empty when there is none

	State        MessageState // message_state or, without it, what stat says
	Intermediate bool         // an intermediate notification: the message is still on its way

	Stat string // the text's words, as they came
	Err  string

	HasNetworkError bool // network_error_code came
	NetworkType     uint8
	NetworkError    uint16

	Submitted, Delivered int // sub and dlvrd; negative when missing

	SubmitDate, DoneDate time.Time // in the SMSC's time zone, which it does not say: given as UTC; zero when missing
	Text                 string    // the beginning of the message
}

// What is wrong with a receipt that is of no use.
var (
	ErrReceiptID    = errors.New("smpp: receipt without a message id")
	ErrReceiptState = errors.New("smpp: receipt without a state")
)

// ParseReceipt takes a receipt out of a deliver_sm. ok is false when it is none: then it is a message. An error, ErrReceiptID or
// ErrReceiptState, says that it is one without the least it must say; what could be read is in the Receipt.
//
// A receipt is known by esm_class or by receipted_message_id, and never by its text: anybody can write a message that looks like one.
func ParseReceipt(d *DeliverSM) (r Receipt, ok bool, err error) {
	id, hasID := d.TLVs.CString(TagReceiptedMessageID)
	kind := d.ESMClass & ESMTypeMask
	if kind != ESMDeliveryReceipt && kind != ESMIntermediateNotification && !hasID {
		return Receipt{}, false, nil
	}
	r.parseText(receiptText(d))
	r.ID = r.TextID
	if id != "" {
		r.ID = id
	}
	r.State = statState(r.Stat)
	if state, has := d.TLVs.Uint8(TagMessageState); has && state >= uint8(StateEnroute) && state <= uint8(StateSkipped) {
		r.State = MessageState(state)
	}
	if code, _ := d.TLVs.Get(TagNetworkErrorCode); len(code) == 3 {
		r.HasNetworkError, r.NetworkType, r.NetworkError = true, code[0], uint16(code[1])<<8|uint16(code[2])
	}
	r.Intermediate = kind == ESMIntermediateNotification || r.State != 0 && !r.State.Final()
	switch {
	case r.ID == "":
		err = ErrReceiptID
	case r.State == 0:
		err = ErrReceiptState
	}
	return r, true, err
}

// receiptText is the user data as text: without a user data header, and from UCS-2 where an SMSC writes its receipts so.
func receiptText(d *DeliverSM) string {
	text := d.UserData()
	if d.ESMClass&ESMUDHI != 0 && text != "" {
		text = text[min(len(text), 1+int(text[0])):]
	}
	if d.DataCoding != DataCodingUCS2 || len(text)%2 != 0 {
		return text
	}
	units := make([]uint16, len(text)/2)
	for i := range units {
		units[i] = uint16(text[2*i])<<8 | uint16(text[2*i+1])
	}
	return string(utf16.Decode(units))
}

// receiptField is one of the fields of a receipt's text.
type receiptField uint8

const (
	fieldID receiptField = iota
	fieldSub
	fieldDlvrd
	fieldSubmitDate
	fieldDoneDate
	fieldStat
	fieldErr
	fieldText
	receiptFields
)

// span is where a field is: from the first octet of its name to that of its value.
type span struct{ name, value int }

// parseText reads the text of appendix B, and what SMSCs make of it: in any case and order, with blanks where none belong, with fields
// missing.
func (r *Receipt) parseText(s string) {
	r.Submitted, r.Delivered = -1, -1
	spans := receiptSpans(s)
	value := func(f receiptField) string {
		at := spans[f]
		if at.value == 0 {
			return ""
		}
		end := len(s)
		for other := range spans {
			if n := spans[other]; n.value != 0 && n.name >= at.value {
				end = min(end, n.name)
			}
		}
		return strings.TrimFunc(s[at.value:end], receiptBlank)
	}
	word := func(f receiptField) string {
		v := value(f)
		if i := strings.IndexFunc(v, receiptBlank); i >= 0 {
			v = v[:i]
		}
		return v
	}
	r.TextID, r.Stat, r.Err, r.Text = word(fieldID), word(fieldStat), word(fieldErr), value(fieldText)
	r.Submitted, r.Delivered = receiptCount(word(fieldSub)), receiptCount(word(fieldDlvrd))
	r.SubmitDate, r.DoneDate = receiptDate(word(fieldSubmitDate)), receiptDate(word(fieldDoneDate))
}

// receiptSpans finds the fields. The text is the customer's and may itself look like fields: what comes before it counts, and what comes after
// it only while the id or the state is still missing.
func receiptSpans(s string) (spans [receiptFields]span) {
	for i := 0; i < len(s); i++ {
		if s[i] != ':' {
			continue
		}
		f, name, ok := receiptName(s[:i])
		text := spans[fieldText]
		if !ok || spans[f].value != 0 && (text.value == 0 || spans[f].name < text.name || f == fieldText) {
			continue
		}
		spans[f] = span{name: name, value: i + 1}
		if f == fieldText && spans[fieldID].value != 0 && spans[fieldStat].value != 0 {
			break
		}
	}
	return spans
}

// receiptName tells which field's name s ends with, and where it begins.
func receiptName(s string) (f receiptField, at int, ok bool) {
	word, at := lastWord(s)
	switch {
	case strings.EqualFold(word, "id"):
		return fieldID, at, true
	case strings.EqualFold(word, "sub"):
		return fieldSub, at, true
	case strings.EqualFold(word, "dlvrd"):
		return fieldDlvrd, at, true
	case strings.EqualFold(word, "stat"):
		return fieldStat, at, true
	case strings.EqualFold(word, "err"):
		return fieldErr, at, true
	case strings.EqualFold(word, "text"):
		return fieldText, at, true
	case strings.EqualFold(word, "submitdate"), strings.EqualFold(word, "submit_date"):
		return fieldSubmitDate, at, true
	case strings.EqualFold(word, "donedate"), strings.EqualFold(word, "done_date"):
		return fieldDoneDate, at, true
	case strings.EqualFold(word, "date"):
		switch word, at = lastWord(s[:at]); {
		case strings.EqualFold(word, "submit"):
			return fieldSubmitDate, at, true
		case strings.EqualFold(word, "done"):
			return fieldDoneDate, at, true
		}
	}
	return 0, 0, false
}

// lastWord gives the last word of s, blanks behind it aside, and where it begins.
func lastWord(s string) (word string, at int) {
	s = strings.TrimRightFunc(s, receiptBlank)
	at = strings.LastIndexFunc(s, receiptBlank) + 1
	return s[at:], at
}

func receiptBlank(c rune) bool {
	switch c {
	case ' ', '\t', '\r', '\n', ',', ';', 0:
		return true
	}
	return false
}

func receiptCount(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// receiptDate reads YYMMDDhhmm, and the forms with seconds and with the century that SMSCs have made of it. What it cannot read is no date.
func receiptDate(s string) time.Time {
	for _, layout := range [...]string{"0601021504", "060102150405", "200601021504", "20060102150405"} {
		if len(layout) != len(s) {
			continue
		}
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return time.Time{}
}

// statState is the state that the word after stat names; 0 when it names none. Some SMSCs write the words in full.
func statState(stat string) MessageState {
	switch strings.ToUpper(stat) {
	case "DELIVRD", "DELIVERED":
		return StateDelivered
	case "EXPIRED":
		return StateExpired
	case "DELETED":
		return StateDeleted
	case "UNDELIV", "UNDELIVRD", "UNDELIVERED", "UNDELIVERABLE":
		return StateUndeliverable
	case "ACCEPTD", "ACCEPTED":
		return StateAccepted
	case "UNKNOWN":
		return StateUnknown
	case "REJECTD", "REJECTED":
		return StateRejected
	case "ENROUTE":
		return StateEnroute
	case "SKIPPED":
		return StateSkipped
	}
	return 0
}

// receiptTextLength is how much of the message a receipt repeats.
const receiptTextLength = 20

// AppendReceipt adds the text of appendix B, in the SMSC's role. It holds TextID or, where that is empty, ID; the word of State where Stat is
// empty; and 000 where Err is.
func AppendReceipt(dst []byte, r *Receipt) []byte {
	or := func(value, otherwise string) string {
		if value == "" {
			return otherwise
		}
		return value
	}
	dst = append(append(dst, "id:"...), or(r.TextID, r.ID)...)
	dst = appendCount(append(dst, " sub:"...), r.Submitted)
	dst = appendCount(append(dst, " dlvrd:"...), r.Delivered)
	dst = r.SubmitDate.AppendFormat(append(dst, " submit date:"...), "0601021504")
	dst = r.DoneDate.AppendFormat(append(dst, " done date:"...), "0601021504")
	dst = append(append(dst, " stat:"...), or(r.Stat, r.State.String())...)
	dst = append(append(dst, " err:"...), or(r.Err, "000")...)
	return append(append(dst, " text:"...), r.Text[:min(len(r.Text), receiptTextLength)]...)
}

// appendCount adds a count of three digits; what is negative is not known and written as 000.
func appendCount(dst []byte, n int) []byte {
	n = min(max(n, 0), 999)
	return append(dst, byte('0'+n/100), byte('0'+n/10%10), byte('0'+n%10))
}

// TLVs gives a receipt's optional parameters, in the SMSC's role.
func (r *Receipt) TLVs() TLVs {
	list := [3]TLV{
		{Tag: TagReceiptedMessageID, Value: r.ID + "\x00"},
		{Tag: TagMessageState, Value: string([]byte{byte(r.State)})},
		{Tag: TagNetworkErrorCode, Value: string([]byte{r.NetworkType, byte(r.NetworkError >> 8), byte(r.NetworkError)})},
	}
	if r.HasNetworkError {
		return MakeTLVs(list[:]...)
	}
	return MakeTLVs(list[:2]...)
}
