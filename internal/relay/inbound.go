package relay

import (
	"bytes"
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
	"github.com/heliograph/heliograph/internal/trouble"
)

const (
	typeSMIL = "application/smil"
	typeText = "text/plain"
)

// mostText is how many octets a text part may have to be read as text; a longer one is a file.
const mostText = 16 << 10

// recipient is whom a message came for.
type recipient struct {
	address mm4.Address
	number  string
	account gateway.AccountID
	owned   bool // somebody rents the number
}

// arrival is a message from a handset as far as it has come.
type arrival struct {
	texts []string
	files []media.Addition
}

func (a *arrival) discard() {
	for _, file := range a.files {
		file.Discard()
	}
}

// takeMessage takes a message from a handset: its files go to disk while they come, then to the account that rents the number, then the message to whom
// OnPart leads. Several numbers of ours each get it.
func (c *Carrier) takeMessage(ctx context.Context, envelope mm4.Envelope, f *mm4.Forward, body *mm4.Body) error {
	c.counts.inbound.Add(1)
	recipients := c.recipients(envelope)
	if !slices.ContainsFunc(recipients, func(to recipient) bool { return to.owned }) {
		return c.refuseUnowned(envelope, f)
	}
	var a arrival
	defer a.discard()
	if err := c.takeParts(&a, body); err != nil {
		return c.putOff(err)
	}
	var fresh []mm4.Address
	for i := range recipients {
		to := &recipients[i]
		if !to.owned {
			continue
		}
		taken, err := c.hand(ctx, f, to, &a)
		if err != nil {
			return c.putOff(err)
		}
		if taken {
			fresh = append(fresh, to.address)
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
		number := digits(address)
		account, ok := c.Whose(number)
		if !ok {
			number = whole(number)
			account, ok = c.Whose(number)
		}
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
func (c *Carrier) takeParts(a *arrival, body *mm4.Body) error {
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

// takePart takes a part as it comes: SMIL says how the others are to be shown, which nobody here asks.
func (c *Carrier) takePart(a *arrival, part *mm4.Incoming) error {
	switch part.Type {
	case typeSMIL, typeSMIL + "+xml":
		return nil
	case typeText:
		source := part.Text()
		text, err := io.ReadAll(io.LimitReader(source, mostText+1))
		if err != nil {
			return err
		}
		if len(text) > mostText {
			return c.takeFile(a, part, io.MultiReader(bytes.NewReader(text), source))
		}
		if said := strings.TrimRight(strings.ReplaceAll(strings.ToValidUTF8(string(text), "\uFFFD"), "\r\n", "\n"), "\n\x00"); said != "" {
			a.texts = append(a.texts, strings.ReplaceAll(said, "\x00", ""))
		}
		return nil
	}
	return c.takeFile(a, part, part.Body)
}

// takeFile writes a file to disk. One of a type that is not taken is left out: the rest of the message is worth having.
func (c *Carrier) takeFile(a *arrival, part *mm4.Incoming, source io.Reader) error {
	in, err := c.Receive(source, c.MostFile)
	if err != nil {
		return err
	}
	name := part.Name
	if name == "" {
		name = part.Location
	}
	name = media.CleanName(name)
	kind, err := media.TypeOf(in.Head, part.Type, name)
	if err != nil || in.Size == 0 {
		in.Discard()
		c.counts.filesDropped.Add(1)
		c.troubles.Happened(trouble.Matter{What: "files of messages from handsets are left out", Reason: reasonOfDrop(err)})
		return nil
	}
	a.files = append(a.files, media.Addition{Incoming: in, Name: name, Type: kind})
	return nil
}

func reasonOfDrop(err error) string {
	if err == nil {
		return "the file is empty"
	}
	return err.Error()
}

// hand gives a message to one of its recipients. fresh is false when they had it, and when nobody rents the number any more, which it notes.
func (c *Carrier) hand(ctx context.Context, f *mm4.Forward, to *recipient, a *arrival) (fresh bool, err error) {
	part := gateway.InboundPart{
		Carrier: c.Name, Service: gateway.MMS, From: party(f.From), To: to.number, At: c.Now(),
		Subject: f.Subject, Text: strings.Join(a.texts, "\n"),
	}
	part.Identity.Digest = identity(f, &part)
	if c.repeats.has(part.Identity, part.At) {
		c.counts.repeated.Add(1)
		return false, nil
	}
	if len(a.files) > 0 {
		files := slices.Clone(a.files)
		for i := range files {
			files[i].ID = c.NewID() // each account's are its own
		}
		if part.Media, err = c.Keep(ctx, to.account, files); err != nil {
			return false, err
		}
	}
	switch err := await(ctx, func(done func(error)) { c.OnPart(part, done) }); {
	case isUnowned(err):
		to.owned = false
		return false, nil
	case err != nil:
		return false, err
	}
	c.repeats.add(part.Identity, part.At)
	c.counts.taken.Add(1)
	c.counts.filesTaken.Add(int64(len(a.files)))
	return true, nil
}

// identity is by which a message is known again: its identifier, which the originator's MMS relay/server keeps when it sends it again, with its parties.
func identity(f *mm4.Forward, part *gateway.InboundPart) (digest [16]byte) {
	hash := sha256.New()
	fmt.Fprintf(hash, "%q %q %q %q %q", part.Carrier, part.From, part.To, f.MessageID, strings.ToLower(f.Sender.Host))
	copy(digest[:], hash.Sum(nil))
	return digest
}
