package esme

import (
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/smpp"
	"github.com/heliograph/heliograph/internal/tpdu"
)

// Series of concatenation references, in the bits above them: a handset counts each for itself, so that equal references of two are of two messages.
const (
	reference8   = 1 << 16 // of a user data header, 8 bits
	reference16  = 2 << 16 // likewise, 16 bits
	referenceSAR = 3 << 16 // sar_msg_ref_num
)

// part makes a part of a message from a handset. An error says that the user data announces a header which cannot be read; the part has all of the data as
// text then, because losing it would be worse than showing some octets too many.
func (c *Config) part(pdu *smpp.DeliverSM, at time.Time, session uint64) (gateway.InboundPart, error) {
	p := gateway.InboundPart{
		Carrier: c.Name, Service: gateway.SMS, From: c.number(pdu.Source), To: c.number(pdu.Dest), At: at, Identity: c.identity(pdu, session),
	}
	data := []byte(pdu.UserData())
	var header tpdu.Header
	var err error
	size := 0
	if pdu.ESMClass&smpp.ESMUDHI != 0 {
		var rest []byte
		if header, rest, err = tpdu.ParseUDH(data); err == nil {
			size = len(data) - len(rest)
			data = rest
		}
	}
	if header.Total > 1 {
		p.Number, p.Total, p.Reference = header.Number, header.Total, reference8|uint32(header.Ref)
		if header.Wide {
			p.Reference = reference16 | uint32(header.Ref)
		}
	} else {
		p.Number, p.Total, p.Reference = segmentation(pdu.TLVs)
	}
	if p.Total > 1 { // its reference says more than the session: nobody sends the same segment twice to say it twice
		p.Identity.Session = 0
	}
	coding := pdu.DataCoding
	if coding == smpp.DataCodingIA5 && (header.Locking != tpdu.NoLanguage || header.Single != tpdu.NoLanguage) {
		coding = c.GSM7Coding // only septets have languages, and there are peers that call them IA5
	}
	p.Data = c.userData(coding, data, size)
	if tpdu.Alphabet(p.Data.Alphabet) == tpdu.GSM7 {
		p.Data.Locking, p.Data.Single = uint8(header.Locking), uint8(header.Single)
	}
	return p, err
}

// segmentation is what the SAR parameters say, where the SMSC has taken the header off. Zeros when they say nothing, or nonsense. SMPP 3.4, 5.3.2.22 to 24.
func segmentation(tlvs smpp.TLVs) (number, total int, reference uint32) {
	ref, hasRef := tlvs.Uint16(smpp.TagSARMsgRefNum)
	of, hasTotal := tlvs.Uint8(smpp.TagSARTotalSegments)
	n, hasNumber := tlvs.Uint8(smpp.TagSARSegmentSeqnum)
	if !hasRef || !hasTotal || !hasNumber || of < 2 || n < 1 || n > of {
		return 0, 0, 0
	}
	return int(n), int(of), referenceSAR | uint32(ref)
}
