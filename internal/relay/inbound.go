package relay

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/media"
	"github.com/heliograph/heliograph/internal/mm4"
	"github.com/heliograph/heliograph/internal/mms"
	"github.com/heliograph/heliograph/internal/trouble"
)

// recipient is whom a message came for.
type recipient struct {
	address mm4.Address
	number  string
	account gateway.AccountID
	owned   bool // somebody rents the number
}

// takeMessage takes a message from a handset: its files go to disk while they come, then to the account that rents the number, then the message to whom
// OnPart leads. Several numbers of ours each get it.
func (c *Carrier) takeMessage(ctx context.Context, envelope mm4.Envelope, f *mm4.Forward, body *mm4.Body) error {
	c.counts.inbound.Add(1)
	recipients := c.recipients(envelope)
	if !slices.ContainsFunc(recipients, func(to recipient) bool { return to.owned }) {
		return c.refuseUnowned(envelope, f)
	}
	var a mms.Arrival
	defer a.Discard()
	if err := c.takeParts(&a, body); err != nil {
		return c.putOff(err)
	}
	var fresh []mm4.Address
	for i := range recipients {
		to := &recipients[i]
		if !to.owned {
			continue
		}
		fate, err := c.hand(ctx, f, to, &a)
		switch {
		case err != nil:
			return c.putOff(err)
		case fate == mms.Taken:
			fresh = append(fresh, to.address)
		case fate == mms.Unowned:
			to.owned = false
		}
	}
	c.acknowledge(envelope, f, recipients)
	if f.DeliveryReport || f.OriginatorReport {
		for _, to := range fresh {
			c.reportFetched(envelope, f, to)
		}
	}
	return nil
}

// recipients are those that the peer wants served by us, each once.
func (c *Carrier) recipients(envelope mm4.Envelope) (list []recipient) {
	for _, address := range envelope.To {
		number, account, ok := c.intake.Owner(digits(address), party(address))
		if !slices.ContainsFunc(list, func(to recipient) bool { return to.number == number }) {
			list = append(list, recipient{address, number, account, ok})
		}
	}
	return list
}

// refuseUnowned answers a message that is for nobody here: by a response where one is wanted, else by mail.
func (c *Carrier) refuseUnowned(envelope mm4.Envelope, f *mm4.Forward) error {
	c.noteUnowned()
	if !f.AckRequest {
		return mm4.Refuse("no such recipient")
	}
	c.reply(envelope, f.Respond(mm4.ErrorPermanentAddress, ""))
	return nil
}

func (c *Carrier) noteUnowned() {
	c.counts.unowned.Add(1)
	c.troubles.Happened(trouble.Matter{What: "messages from handsets arrive for numbers that nobody rents; they are refused"})
}

// acknowledge answers for all recipients, where that is wanted: who has the message, and who is nobody here.
func (c *Carrier) acknowledge(envelope mm4.Envelope, f *mm4.Forward, recipients []recipient) {
	var there, nobody []mm4.Address
	for _, to := range recipients {
		if to.owned {
			there = append(there, to.address)
		} else {
			c.noteUnowned()
			nobody = append(nobody, to.address)
		}
	}
	if !f.AckRequest {
		return
	}
	for _, answer := range []struct {
		status mm4.RequestStatus
		about  []mm4.Address
	}{{mm4.Ok, there}, {mm4.ErrorPermanentAddress, nobody}} {
		if len(answer.about) == 0 {
			continue
		}
		response := f.Respond(answer.status, "")
		if len(answer.about) < len(recipients) {
			response.Recipients = answer.about
		}
		c.reply(envelope, response)
	}
}

// putOff asks the peer to bring the message again, unless it is one that cannot be taken.
func (c *Carrier) putOff(err error) error {
	c.counts.delayed.Add(1)
	switch {
	case errors.Is(err, media.ErrTooLarge):
		c.troubles.Happened(trouble.Matter{What: "messages from handsets are refused", Reason: err.Error()})
		return &mm4.PermanentError{Code: smtpTooLarge, Text: "a file is too large"}
	case errors.Is(err, mm4.ErrMalformed):
		c.troubles.Happened(trouble.Matter{What: "messages from handsets cannot be understood; they are refused", Reason: trouble.Reason(err)})
	default:
		c.troubles.Happened(trouble.Matter{What: "messages from handsets cannot be kept; the peer is asked to bring them again", Reason: trouble.Reason(err)})
	}
	return err
}

// takeParts takes all parts, and knows by the end that the mail was whole.
func (c *Carrier) takeParts(a *mms.Arrival, body *mm4.Body) error {
	for {
		part, err := body.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = c.takePart(a, part)
		}
		if err != nil {
			return err
		}
	}
}

// takePart takes a part as it comes, its text in UTF-8.
func (c *Carrier) takePart(a *mms.Arrival, part *mm4.Incoming) error {
	body := part.Body
	if part.Type == mms.TypeText {
		body = part.Text()
	}
	return c.intake.Take(a, mms.Incoming{Type: part.Type, Name: part.Name, Location: part.Location, Body: body, Text: said})
}

// said is what a text says: mail has line ends of its own, and often one at the end.
func said(octets []byte) string {
	text := strings.ReplaceAll(strings.ToValidUTF8(string(octets), "\uFFFD"), "\r\n", "\n")
	return strings.ReplaceAll(strings.TrimRight(text, "\n\x00"), "\x00", "")
}

// hand gives a message to one of its recipients.
func (c *Carrier) hand(ctx context.Context, f *mm4.Forward, to *recipient, a *mms.Arrival) (mms.Fate, error) {
	part := gateway.InboundPart{
		Carrier: c.Name, Service: gateway.MMS, From: party(f.From), To: to.number, At: c.Now(), Subject: f.Subject, Text: a.Text(),
	}
	part.Identity.Digest = identity(f, &part)
	return c.intake.Hand(ctx, to.account, part, a.Files)
}

// identity is by which a message is known again: its identifier, which the originator's MMS relay/server keeps when it sends it again, with its parties.
func identity(f *mm4.Forward, part *gateway.InboundPart) (digest [16]byte) {
	hash := sha256.New()
	fmt.Fprintf(hash, "%q %q %q %q %q", part.Carrier, part.From, part.To, f.MessageID, strings.ToLower(f.Sender.Host))
	copy(digest[:], hash.Sum(nil))
	return digest
}
