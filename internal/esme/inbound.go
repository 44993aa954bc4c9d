package esme

import (
	"errors"
	"strings"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/smpp"
	"github.com/heliograph/heliograph/internal/trouble"
)

// take gets the SMSC's requests, on the session's reading goroutine. The session bounds how many are in hand.
func (l *link) take(r *smpp.Request, in *intake) {
	switch pdu := r.PDU.(type) {
	case *smpp.DeliverSM:
		l.deliver(r, pdu, in)
	case *smpp.DataSM:
		l.deliver(r, pdu.Deliver(), in)
	case *smpp.AlertNotification, *smpp.Outbind:
		// Neither has an answer. We asked for no alert; and who is asked to bind by an outbind is bound, or about to be.
	default:
		l.respond(r, smpp.ESME_RINVCMDID)
	}
}

// deliver takes a receipt or a message.
func (l *link) deliver(r *smpp.Request, pdu *smpp.DeliverSM, in *intake) {
	said, isReceipt, err := smpp.ParseReceipt(pdu)
	switch {
	case !isReceipt:
		l.message(r, pdu, in)
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
			c.troubles.Happened(trouble.Matter{What: "receipts cannot be recorded; the SMSC is asked to keep them", Reason: err.Error()})
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
	c.troubles.Happened(trouble.Matter{What: "receipts cannot be understood; they are acknowledged and dropped", Bind: l.name, Reason: err.Error()},
		"octets", len(pdu.UserData()))
	l.respond(r, smpp.ESME_ROK)
}

// message hands a part of a message from a handset on. As with receipts, the SMSC may forget it when it is on disk.
func (l *link) message(r *smpp.Request, pdu *smpp.DeliverSM, in *intake) {
	c := l.carrier
	c.counts.inbound.Add(1)
	if c.RefuseInbound || c.OnPart == nil {
		l.refuseInbound(r)
		return
	}
	l.useful()
	part, err := c.part(pdu, c.Now(), in.session)
	if err != nil {
		c.troubles.Happened(trouble.Matter{What: "headers of messages from handsets cannot be read; they are taken as text", Bind: l.name}, "error", err)
	}
	came := in.brought(part.At)
	c.OnPart(part, func(err error) {
		l.respond(r, l.verdict(part.To, err))
		in.answered(came, c.Now())
	})
}

// verdict is what the SMSC hears of a part that was kept, or was not.
func (l *link) verdict(to string, err error) smpp.Status {
	c := l.carrier
	var refusal *gateway.Error
	switch {
	case err == nil:
		c.counts.taken.Add(1)
		return smpp.ESME_ROK
	case errors.As(err, &refusal) && refusal.Code == gateway.NotFound:
		c.counts.unrented.Add(1)
		status := [...]smpp.Status{RefuseUnrented: smpp.ESME_RX_P_APPN, DeferUnrented: smpp.ESME_RX_T_APPN, DropUnrented: smpp.ESME_ROK}[c.Unrented]
		c.troubles.Happened(trouble.Matter{What: "messages from handsets arrive for numbers that nobody rents", Bind: l.name, Reason: "answered " + status.String()}, "to", masked(to))
		return status
	}
	c.counts.postponed.Add(1)
	c.troubles.Happened(trouble.Matter{What: "messages from handsets cannot be kept; the SMSC is asked to keep them", Reason: err.Error()})
	return smpp.ESME_RX_T_APPN
}

// masked is a number as logs may have it: short codes as they are, of others not the last digits.
func masked(number string) string {
	const hidden = 4
	if len(number) <= longestShortCode {
		return number
	}
	return number[:len(number)-hidden] + strings.Repeat("x", hidden)
}

// refuseInbound turns down a message from a handset that nobody takes. The SMSC is asked to keep it until somebody does: the answer is at once, so
// the SMSC's own schedule is all the pace there is. RefuseInbound has it thrown away instead.
func (l *link) refuseInbound(r *smpp.Request) {
	c := l.carrier
	status := smpp.ESME_RX_T_APPN
	if c.RefuseInbound {
		status = smpp.ESME_RX_P_APPN
	}
	c.troubles.Happened(trouble.Matter{What: "messages from handsets arrive, which are not taken", Bind: l.name, Reason: "answered " + status.String()})
	l.respond(r, status)
}

// respond answers. When the session is over the answer is lost, and the SMSC asks again on the next.
func (l *link) respond(r *smpp.Request, status smpp.Status) { _ = r.Respond(status, nil) }
