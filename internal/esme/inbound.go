package esme

import (
	"github.com/heliograph/heliograph/internal/smpp"
)

// take gets the SMSC's requests, on the session's reading goroutine. The session bounds how many are in hand.
func (l *link) take(r *smpp.Request) {
	switch pdu := r.PDU.(type) {
	case *smpp.DeliverSM:
		l.deliver(r, pdu)
	case *smpp.DataSM:
		l.deliver(r, pdu.Deliver())
	case *smpp.AlertNotification, *smpp.Outbind:
		// Neither has an answer. We asked for no alert; and who is asked to bind by an outbind is bound, or about to be.
	default:
		l.respond(r, smpp.ESME_RINVCMDID)
	}
}

// deliver takes a receipt, or refuses a message.
func (l *link) deliver(r *smpp.Request, pdu *smpp.DeliverSM) {
	said, isReceipt, err := smpp.ParseReceipt(pdu)
	switch {
	case !isReceipt:
		l.refuseInbound(r)
	case err != nil:
		l.dropReceipt(r, pdu, err)
	default:
		l.receipt(r, pdu, &said)
	}
}

// receipt hands a receipt on. The SMSC may forget it when it is on disk; until then it must come again.
func (l *link) receipt(r *smpp.Request, pdu *smpp.DeliverSM, said *smpp.Receipt) {
	c := l.carrier
	c.counts.receipts.Add(1)
	l.useful()
	c.OnReceipt(c.Config.receipt(said, pdu, c.Now()), func(err error) {
		if err != nil {
			c.counts.putOff.Add(1)
			c.troubles.happened(matter{"receipts cannot be recorded; the SMSC is asked to keep them", "", err.Error()})
			l.respond(r, smpp.ESME_RX_T_APPN)
			return
		}
		c.counts.kept.Add(1)
		l.respond(r, smpp.ESME_ROK)
	})
}

// dropReceipt acknowledges a receipt without an id or a state. It would come again for ever otherwise, and say no more than now.
func (l *link) dropReceipt(r *smpp.Request, pdu *smpp.DeliverSM, err error) {
	c := l.carrier
	c.counts.receipts.Add(1)
	c.counts.useless.Add(1)
	c.troubles.happened(matter{"receipts cannot be understood; they are acknowledged and dropped", l.name, err.Error()},
		"octets", len(pdu.UserData()))
	l.respond(r, smpp.ESME_ROK)
}

// refuseInbound turns down a message from a handset, which this version does not take. The SMSC is asked to keep it, for a version that
// does: the answer is at once, so the SMSC's own schedule is all the pace there is. RefuseInbound has it thrown away instead.
func (l *link) refuseInbound(r *smpp.Request) {
	c := l.carrier
	c.counts.inbound.Add(1)
	status := smpp.ESME_RX_T_APPN
	if c.RefuseInbound {
		status = smpp.ESME_RX_P_APPN
	}
	c.troubles.happened(matter{"messages from handsets arrive, which are not taken", l.name, "answered " + status.String()})
	l.respond(r, status)
}

// respond answers. When the session is over the answer is lost, and the SMSC asks again on the next.
func (l *link) respond(r *smpp.Request, status smpp.Status) { _ = r.Respond(status, nil) }
