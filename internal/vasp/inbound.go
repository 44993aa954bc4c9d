package vasp

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mm7"
	"github.com/heliograph/heliograph/internal/mms"
	"github.com/heliograph/heliograph/internal/trouble"
)

// recipient is a number of ours that a message came for.
type recipient struct {
	number  string
	account gateway.AccountID
}

// takeMessage takes a message from a handset: its files go to disk while they come, then to the account that rents the number, then the message to whom
// OnPart leads. Several numbers of ours each get it.
func (c *Carrier) takeMessage(ctx context.Context, request *mm7.DeliverReq, in *mm7.Incoming) error {
	c.counts.inbound.Add(1)
	recipients := c.recipients(request)
	if len(recipients) == 0 {
		return c.refuseUnowned()
	}
	var a mms.Arrival
	defer a.Discard()
	take := func(part *mm7.ReceivedPart) error {
		said := func(octets []byte) string { return mm7.Text(octets, part.Charset) }
		return c.intake.Take(&a, mms.Incoming{Type: part.Type, Name: part.Name, Location: part.Location, Body: part, Text: said})
	}
	if err := in.Each(take); err != nil {
		return c.putOff(err)
	}
	owned := false
	for _, to := range recipients {
		fate, err := c.hand(ctx, request, in.TransactionID, to, &a)
		if err != nil {
			return c.putOff(err)
		}
		owned = owned || fate != mms.Unowned
	}
	if !owned {
		return c.refuseUnowned()
	}
	return nil
}

// recipients are the numbers of ours among those that a message went to.
func (c *Carrier) recipients(request *mm7.DeliverReq) (list []recipient) {
	for _, address := range slices.Concat(request.Recipients.To, request.Recipients.Cc, request.Recipients.Bcc) {
		number, account, ok := c.intake.Owner(digits(address), party(address))
		to := recipient{number, account}
		if ok && !slices.Contains(list, to) {
			list = append(list, to)
		}
	}
	return list
}

func (c *Carrier) refuseUnowned() error {
	c.counts.unowned.Add(1)
	c.troubles.Happened(trouble.Matter{What: "messages from handsets arrive for numbers that nobody rents; they are refused"})
	return mm7.Status{Code: mm7.StatusAddressNotFound}
}

// putOff asks the MMSC to bring the message again, unless it is one that cannot be read.
func (c *Carrier) putOff(err error) error {
	c.counts.delayed.Add(1)
	var undecodable *mm7.DecodeError
	if errors.As(err, &undecodable) {
		c.troubles.Happened(trouble.Matter{What: "messages from handsets cannot be understood; they are refused", Reason: undecodable.What})
		return err
	}
	c.troubles.Happened(trouble.Matter{What: "messages from handsets cannot be kept; the MMSC is asked to bring them again", Reason: trouble.Reason(err)})
	return err
}

// hand gives a message to one of its recipients.
func (c *Carrier) hand(ctx context.Context, request *mm7.DeliverReq, transaction string, to recipient, a *mms.Arrival) (mms.Fate, error) {
	part := gateway.InboundPart{
		Carrier: c.Name, Service: gateway.MMS, From: party(request.Sender), To: to.number, At: c.Now(), Subject: request.Subject, Text: a.Text(),
	}
	part.Identity.Digest = identity(request, transaction, &part, a)
	return c.intake.Hand(ctx, to.account, part, a.Files)
}

// identity is by which a message is known again. LinkedID and TimeStamp stay the same when an MMSC brings it again, and the TransactionID often does not: it
// counts only where there is nothing else.
func identity(request *mm7.DeliverReq, transaction string, part *gateway.InboundPart, a *mms.Arrival) (digest [16]byte) {
	if request.LinkedID != "" || !request.TimeStamp.IsZero() {
		transaction = ""
	}
	hash := sha256.New()
	fmt.Fprintf(hash, "%q %q %q %q %d %q %q %q", part.Carrier, part.From, part.To, request.LinkedID, request.TimeStamp.UnixNano(), transaction, part.Subject, part.Text)
	for _, file := range a.Files {
		hash.Write(file.Content[:])
	}
	copy(digest[:], hash.Sum(nil))
	return digest
}
