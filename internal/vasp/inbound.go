package vasp

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
	"github.com/heliograph/heliograph/internal/mm7"
	"github.com/heliograph/heliograph/internal/trouble"
)

const (
	typeSMIL = "application/smil"
	typeText = "text/plain"
)

// mostText is how many octets a text part may have to be read as text; a longer one is a file.
const mostText = 16 << 10

// recipient is a number of ours that a message came for.
type recipient struct {
	number  string
	account gateway.AccountID
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
func (c *Carrier) takeMessage(ctx context.Context, request *mm7.DeliverReq, in *mm7.Incoming) error {
	c.counts.inbound.Add(1)
	recipients := c.recipients(request)
	if len(recipients) == 0 {
		return c.refuseUnowned()
	}
	var a arrival
	defer a.discard()
	if err := in.Each(func(part *mm7.ReceivedPart) error { return c.takePart(&a, part) }); err != nil {
		return c.putOff(err)
	}
	owned := false
	for _, to := range recipients {
		taken, err := c.hand(ctx, request, in.TransactionID, to, &a)
		if err != nil {
			return c.putOff(err)
		}
		owned = owned || taken
	}
	if !owned {
		return c.refuseUnowned()
	}
	return nil
}

// recipients are the numbers of ours among those that a message went to.
func (c *Carrier) recipients(request *mm7.DeliverReq) (list []recipient) {
	for _, address := range slices.Concat(request.Recipients.To, request.Recipients.Cc, request.Recipients.Bcc) {
		number := digits(address)
		account, ok := c.Whose(number)
		if !ok {
			number = whole(number)
			account, ok = c.Whose(number)
		}
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

// takePart takes a part as it comes: SMIL says how the others are to be shown, which nobody here asks.
func (c *Carrier) takePart(a *arrival, part *mm7.ReceivedPart) error {
	switch part.Type {
	case typeSMIL:
		return nil
	case typeText:
		text, err := io.ReadAll(io.LimitReader(part, mostText+1))
		if err != nil {
			return err
		}
		if len(text) <= mostText {
			if said := mm7.Text(text, part.Charset); said != "" {
				a.texts = append(a.texts, said)
			}
			return nil
		}
		return c.takeFile(a, part, io.MultiReader(bytes.NewReader(text), part))
	}
	return c.takeFile(a, part, part)
}

// takeFile writes a file to disk. One of a type that is not taken is left out: the rest of the message is worth having.
func (c *Carrier) takeFile(a *arrival, part *mm7.ReceivedPart, source io.Reader) error {
	in, err := c.Receive(source, c.Inbound.Part)
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

// hand gives a message to one of its recipients. taken is false when nobody rents the number any more.
func (c *Carrier) hand(ctx context.Context, request *mm7.DeliverReq, transaction string, to recipient, a *arrival) (taken bool, err error) {
	part := gateway.InboundPart{
		Carrier: c.Name, Service: gateway.MMS, From: digits(request.Sender), To: to.number, At: c.Now(),
		Subject: request.Subject, Text: strings.Join(a.texts, "\n"),
	}
	if len(to.number) == national+1 && to.number[0] == '1' { // who writes ours without its country code writes others so
		part.From = whole(part.From)
	}
	part.Identity.Digest = identity(request, transaction, &part, a)
	if c.repeats.has(part.Identity, part.At) {
		c.counts.repeated.Add(1)
		return true, nil
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
		return false, nil
	case err != nil:
		return false, err
	}
	c.repeats.add(part.Identity, part.At)
	c.counts.taken.Add(1)
	c.counts.filesTaken.Add(int64(len(a.files)))
	return true, nil
}

// identity is by which a message is known again. LinkedID and TimeStamp stay the same when an MMSC brings it again, and the TransactionID often does not: it
// counts only where there is nothing else.
func identity(request *mm7.DeliverReq, transaction string, part *gateway.InboundPart, a *arrival) (digest [16]byte) {
	if request.LinkedID != "" || !request.TimeStamp.IsZero() {
		transaction = ""
	}
	hash := sha256.New()
	fmt.Fprintf(hash, "%q %q %q %q %d %q %q %q", part.Carrier, part.From, part.To, request.LinkedID, request.TimeStamp.UnixNano(), transaction, part.Subject, part.Text)
	for _, file := range a.files {
		hash.Write(file.Content[:])
	}
	copy(digest[:], hash.Sum(nil))
	return digest
}
