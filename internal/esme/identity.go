package esme

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/smpp"
)

// identity is by what a part is known that the SMSC brings again because our answer was lost. SMPP has no id for it: so it is all that the part says, and the
// session, for a handset may say the same twice.
//
// Where the handset's own reference is there, the session does not count: what says the same under the same reference is the same. Zero is no
// reference: SMSCs put it where they have none. The reference alone would not do: handsets count to 255 and begin again, and all segments may have one.
func (c *Config) identity(pdu *smpp.DeliverSM, session uint64) gateway.PartIdentity {
	h := sha256.New()
	write(h, c.Name)
	write(h, string([]byte{byte(pdu.Source.TON), byte(pdu.Source.NPI), byte(pdu.Dest.TON), byte(pdu.Dest.NPI), byte(pdu.ESMClass), byte(pdu.DataCoding)}))
	write(h, pdu.Source.Addr)
	write(h, pdu.Dest.Addr)
	write(h, pdu.UserData())
	for _, tag := range [...]smpp.Tag{smpp.TagSARMsgRefNum, smpp.TagSARTotalSegments, smpp.TagSARSegmentSeqnum, smpp.TagUserMessageReference} {
		value, _ := pdu.TLVs.Get(tag)
		write(h, value)
	}
	if reference, ok := pdu.TLVs.Uint16(smpp.TagUserMessageReference); ok && reference != 0 {
		session = 0
	}
	var sum [sha256.Size]byte
	return gateway.PartIdentity{Digest: [16]byte(h.Sum(sum[:0])), Session: session}
}

// write adds a field with its length, so that no two lists of fields look alike.
func write(h hash.Hash, field string) {
	var length [4]byte
	binary.BigEndian.PutUint32(length[:], uint32(len(field)))
	_, _ = h.Write(length[:]) // a hash never fails
	_, _ = h.Write([]byte(field))
}
