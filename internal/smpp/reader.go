package smpp

import "strings"

// reader takes the fields of a body in order. It keeps the first error, after which every field is empty: decoders need no ifs.
type reader struct {
	command CommandID
	body    string
	at      int
	lenient bool // responses: what SMSCs cut off is taken as empty
	err     *Error
}

func (r *reader) fail(field string, at int, reason string, status Status) {
	if r.err == nil {
		r.err = &Error{Command: r.command, Field: field, Octet: HeaderSize + at, Reason: reason, Status: status}
	}
}

func (r *reader) uint8(field string) uint8 {
	if r.err != nil {
		return 0
	}
	if r.at >= len(r.body) {
		if !r.lenient {
			r.fail(field, r.at, "missing", ESME_RINVCMDLEN)
		}
		return 0
	}
	value := r.body[r.at]
	r.at++
	return value
}

// cstring takes a text that ends with NUL and is at most max octets with it. status is what the peer is told when it is longer.
func (r *reader) cstring(field string, max int, status Status) string {
	if r.err != nil {
		return ""
	}
	rest := r.body[r.at:]
	end := strings.IndexByte(rest, 0)
	switch {
	case r.lenient && end < 0:
		r.at = len(r.body)
		return rest
	case r.lenient:
		r.at += end + 1
		return rest[:end]
	case end < 0 && len(rest) < max:
		r.fail(field, r.at, "not ended by NUL", ESME_RINVCMDLEN)
		return ""
	case end < 0 || end >= max:
		r.fail(field, r.at, "too long", status)
		return ""
	}
	r.at += end + 1
	return rest[:end]
}

func (r *reader) address(ton, npi, addr string, max int, status Status) Address {
	return Address{TON: TON(r.uint8(ton)), NPI: NPI(r.uint8(npi)), Addr: r.cstring(addr, max, status)}
}

// shortMessage takes sm_length and short_message.
func (r *reader) shortMessage() string {
	length := int(r.uint8("sm_length"))
	if r.err != nil {
		return ""
	}
	rest := r.body[r.at:]
	if len(rest) < length {
		r.fail("short_message", r.at, "shorter than sm_length", ESME_RINVMSGLEN)
		return ""
	}
	r.at += length
	return rest[:length]
}

// tlvs takes the rest of the body.
func (r *reader) tlvs() TLVs {
	if r.err != nil {
		return TLVs{}
	}
	start := r.at
	for r.at < len(r.body) {
		rest := r.body[r.at:]
		if len(rest) < tlvHeader {
			return r.brokenTLV(start, "optional_parameters", "shorter than a tag and a length", ESME_RINVOPTPARSTREAM)
		}
		tag, length := tlvHead(rest)
		if len(rest) < tlvHeader+length {
			return r.brokenTLV(start, tag.String(), "shorter than its length", ESME_RINVPARLEN)
		}
		r.at += tlvHeader + length
	}
	return TLVs{r.body[start:r.at]}
}

// brokenTLV keeps what came before the broken parameter when the PDU is a response.
func (r *reader) brokenTLV(start int, field, reason string, status Status) TLVs {
	if r.lenient {
		return TLVs{r.body[start:r.at]}
	}
	r.fail(field, r.at, reason, status)
	return TLVs{}
}
