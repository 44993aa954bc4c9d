package smpp

import (
	"encoding/binary"
	"fmt"
)

// HeaderSize is the size of a PDU's header, and of the smallest PDU. SMPP 3.4, 3.2.
const HeaderSize = 16

// Header is the beginning of every PDU. SMPP 3.4, 3.2.
type Header struct {
	Length   uint32 // of the whole PDU
	Command  CommandID
	Status   Status // of responses; requests have ESME_ROK
	Sequence uint32 // a response has that of its request
}

// PDU is the body of a PDU: one of the types of this package.
type PDU interface {
	Command() CommandID
}

// Error says what is wrong with a PDU, where, and which command_status tells the peer.
type Error struct {
	Command CommandID
	Field   string // empty: the PDU as a whole
	Octet   int    // where the field begins, the PDU's first octet being 0; negative when it was to be written
	Reason  string
	Status  Status
}

func (e *Error) Error() string {
	where := e.Command.String()
	if e.Command == 0 {
		where = "PDU"
	}
	if e.Field != "" {
		where += "." + e.Field
	}
	if e.Octet >= 0 {
		where = fmt.Sprintf("%s at octet %d", where, e.Octet)
	}
	return "smpp: " + where + ": " + e.Reason
}

// ParseHeader takes the header off the first octets of a PDU, of which there must be HeaderSize.
func ParseHeader(octets []byte) Header {
	_ = octets[HeaderSize-1]
	return Header{
		Length:   binary.BigEndian.Uint32(octets),
		Command:  CommandID(binary.BigEndian.Uint32(octets[4:])),
		Status:   Status(binary.BigEndian.Uint32(octets[8:])),
		Sequence: binary.BigEndian.Uint32(octets[12:]),
	}
}

// Append adds a PDU to dst. On an error, which is an *Error, dst is given back as it was.
func Append(dst []byte, sequence uint32, status Status, body PDU) ([]byte, error) {
	w := writer{command: body.Command(), dst: appendHeader(dst, body.Command(), status, sequence)}
	encodeBody(&w, body)
	if w.failed != "" {
		return dst, &Error{Command: w.command, Field: w.failed, Octet: -1, Reason: w.reason, Status: ESME_RINVCMDLEN}
	}
	binary.BigEndian.PutUint32(w.dst[len(dst):], uint32(len(w.dst)-len(dst)))
	return w.dst, nil
}

// AppendStatus adds a PDU that is a header alone: what most responses are when they refuse.
func AppendStatus(dst []byte, command CommandID, sequence uint32, status Status) []byte {
	return appendHeader(dst, command, status, sequence)
}

func appendHeader(dst []byte, command CommandID, status Status, sequence uint32) []byte {
	dst = binary.BigEndian.AppendUint32(dst, HeaderSize)
	dst = binary.BigEndian.AppendUint32(dst, uint32(command))
	dst = binary.BigEndian.AppendUint32(dst, uint32(status))
	return binary.BigEndian.AppendUint32(dst, sequence)
}

// Decode takes a whole PDU apart. The body does not refer to frame. On an error, which is an *Error, the header is right all the same if
// frame holds one.
func Decode(frame []byte) (Header, PDU, error) {
	h, err := frameHeader(frame)
	if err != nil {
		return h, nil, err
	}
	body := newBody(h.Command)
	if body == nil {
		return h, nil, &Error{Command: h.Command, Octet: 4, Reason: "not supported", Status: ESME_RINVCMDID}
	}
	if err := decodeBody(h.Command, frame[HeaderSize:], body); err != nil {
		return h, nil, err
	}
	return h, body, nil
}

// DecodeInto is Decode into a body that the caller has; everything in it is overwritten.
func DecodeInto(frame []byte, body PDU) (Header, error) {
	h, err := frameHeader(frame)
	if err != nil {
		return h, err
	}
	if !accepts(body, h.Command) {
		return h, &Error{Command: h.Command, Octet: 4, Reason: "not a " + body.Command().String(), Status: ESME_RINVCMDID}
	}
	return h, decodeBody(h.Command, frame[HeaderSize:], body)
}

func frameHeader(frame []byte) (Header, error) {
	if len(frame) < HeaderSize {
		return Header{}, &Error{Reason: "shorter than a header", Status: ESME_RINVCMDLEN}
	}
	h := ParseHeader(frame)
	if uint64(h.Length) != uint64(len(frame)) {
		return h, &Error{Command: h.Command, Reason: "command_length is not the PDU's length", Status: ESME_RINVCMDLEN}
	}
	return h, nil
}

// accepts tells whether the body is of the type that the command has: bind requests and their responses share theirs.
func accepts(body PDU, command CommandID) bool {
	switch body.(type) {
	case *Bind:
		return command.IsBind()
	case *BindResp:
		return command.IsResponse() && (command &^ responseBit).IsBind()
	}
	return body.Command() == command
}

func newBody(command CommandID) PDU {
	switch command {
	case CommandSubmitSM:
		return new(SubmitSM)
	case CommandSubmitSMResp:
		return new(SubmitSMResp)
	case CommandDeliverSM:
		return new(DeliverSM)
	case CommandDeliverSMResp:
		return new(DeliverSMResp)
	case CommandEnquireLink:
		return new(EnquireLink)
	case CommandEnquireLinkResp:
		return new(EnquireLinkResp)
	case CommandBindTransmitter, CommandBindReceiver, CommandBindTransceiver:
		return new(Bind)
	case CommandBindTransmitterResp, CommandBindReceiverResp, CommandBindTransceiverResp:
		return new(BindResp)
	case CommandOutbind:
		return new(Outbind)
	case CommandUnbind:
		return new(Unbind)
	case CommandUnbindResp:
		return new(UnbindResp)
	case CommandDataSM:
		return new(DataSM)
	case CommandDataSMResp:
		return new(DataSMResp)
	case CommandQuerySM:
		return new(QuerySM)
	case CommandQuerySMResp:
		return new(QuerySMResp)
	case CommandCancelSM:
		return new(CancelSM)
	case CommandCancelSMResp:
		return new(CancelSMResp)
	case CommandReplaceSM:
		return new(ReplaceSM)
	case CommandReplaceSMResp:
		return new(ReplaceSMResp)
	case CommandAlertNotification:
		return new(AlertNotification)
	case CommandGenericNack:
		return new(GenericNack)
	}
	return nil
}

// decodeBody fills the body. A switch over the types, and not a method of PDU, lets the reader live on the stack.
func decodeBody(command CommandID, octets []byte, body PDU) error {
	r := reader{command: command, lenient: command.IsResponse()}
	switch p := body.(type) {
	case *Unbind, *UnbindResp, *EnquireLink, *EnquireLinkResp, *CancelSMResp, *ReplaceSMResp, *GenericNack:
		return nil // nothing to read; what follows the header is nobody's
	default:
		r.body = string(octets) // the one copy that every field of the body is a part of
		decodeFields(&r, p)
	}
	if r.err != nil {
		return r.err
	}
	return nil
}

func decodeFields(r *reader, body PDU) {
	switch p := body.(type) {
	case *SubmitSM:
		p.decode(r)
	case *SubmitSMResp:
		p.decode(r)
	case *DeliverSM:
		(*SubmitSM)(p).decode(r)
	case *DeliverSMResp:
		(*SubmitSMResp)(p).decode(r)
	case *DataSM:
		p.decode(r)
	case *DataSMResp:
		(*SubmitSMResp)(p).decode(r)
	case *Bind:
		p.decode(r)
	case *BindResp:
		p.decode(r)
	case *Outbind:
		p.decode(r)
	case *QuerySM:
		p.decode(r)
	case *QuerySMResp:
		p.decode(r)
	case *CancelSM:
		p.decode(r)
	case *ReplaceSM:
		p.decode(r)
	case *AlertNotification:
		p.decode(r)
	}
}

func encodeBody(w *writer, body PDU) {
	switch p := body.(type) {
	case *SubmitSM:
		p.encode(w)
	case *SubmitSMResp:
		p.encode(w)
	case *DeliverSM:
		(*SubmitSM)(p).encode(w)
	case *DeliverSMResp:
		(*SubmitSMResp)(p).encode(w)
	case *DataSM:
		p.encode(w)
	case *DataSMResp:
		(*SubmitSMResp)(p).encode(w)
	case *Bind:
		p.encode(w)
	case *BindResp:
		p.encode(w)
	case *Outbind:
		p.encode(w)
	case *QuerySM:
		p.encode(w)
	case *QuerySMResp:
		p.encode(w)
	case *CancelSM:
		p.encode(w)
	case *ReplaceSM:
		p.encode(w)
	case *AlertNotification:
		p.encode(w)
	}
}
