package mms

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/media"
	"github.com/heliograph/heliograph/internal/trouble"
)

// mostText is how many octets a text part may have to be read as text; a longer one is a file.
const mostText = 16 << 10

// Intake takes messages from handsets for the accounts that rent their numbers. Its methods may be called from any goroutine. Make it with NewIntake.
type Intake struct {
	ends     Ends
	mostFile int64
	troubles *trouble.Log
	repeats  repeats

	taken, repeated, filesTaken, filesDropped atomic.Int64
}

// NewIntake makes an intake; files have at most that many octets.
func NewIntake(ends Ends, mostFile int64, log *trouble.Log) *Intake {
	return &Intake{ends: ends, mostFile: mostFile, troubles: log}
}

// Counts are of what an intake has done since the start.
type Counts struct {
	Taken        int64 // messages that are on disk, one for each recipient
	Repeated     int64 // that were taken before
	FilesTaken   int64 // with those taken
	FilesDropped int64 // of types that are not taken
}

// Counts gives them.
func (in *Intake) Counts() Counts {
	return Counts{Taken: in.taken.Load(), Repeated: in.repeated.Load(), FilesTaken: in.filesTaken.Load(), FilesDropped: in.filesDropped.Load()}
}

// Owner tells which account rents the first of some readings of a number that anybody rents: as it was written, and with the country code that it may lack.
// When nobody does, it gives the last reading.
func (in *Intake) Owner(readings ...string) (rented string, account gateway.AccountID, ok bool) {
	for _, rented = range readings {
		if account, ok = in.ends.Whose(rented); ok {
			break
		}
	}
	return rented, account, ok
}

// Arrival is a message from a handset as far as it has come.
type Arrival struct {
	Files []media.Addition
	texts []string
}

// Text is what all text parts say.
func (a *Arrival) Text() string { return strings.Join(a.texts, "\n") }

// Discard removes what nobody has kept of the files. Whoever takes a message calls it when all is done, whatever became of the message.
func (a *Arrival) Discard() {
	for _, file := range a.Files {
		file.Discard()
	}
}

// Incoming is a part as it comes.
type Incoming struct {
	Type     string // media type in small letters, without parameters
	Name     string // what a person called it, or else
	Location string // by what SMIL refers to it
	Body     io.Reader
	Text     func(octets []byte) string // what text says; only of TypeText
}

// Take takes a part while it comes: a text in memory, a file to disk. SMIL says how the others are to be shown, which nobody here asks.
func (in *Intake) Take(a *Arrival, part Incoming) error {
	switch part.Type {
	case typeSMIL, typeSMIL + "+xml":
		return nil
	case TypeText:
		octets, err := io.ReadAll(io.LimitReader(part.Body, mostText+1))
		if err != nil {
			return err
		}
		if len(octets) > mostText {
			return in.takeFile(a, part, io.MultiReader(bytes.NewReader(octets), part.Body))
		}
		if said := part.Text(octets); said != "" {
			a.texts = append(a.texts, said)
		}
		return nil
	}
	return in.takeFile(a, part, part.Body)
}

// takeFile writes a file to disk. One of a type that is not taken is left out: the rest of the message is worth having.
func (in *Intake) takeFile(a *Arrival, part Incoming, body io.Reader) error {
	file, err := in.ends.Receive(body, in.mostFile)
	if err != nil {
		return err
	}
	name := part.Name
	if name == "" {
		name = part.Location
	}
	name = media.CleanName(name)
	kind, err := media.TypeOf(file.Head, part.Type, name)
	if err == nil && file.Size == 0 {
		err = errors.New("the file is empty")
	}
	if err != nil {
		file.Discard()
		in.filesDropped.Add(1)
		in.troubles.Happened(trouble.Matter{What: "files of messages from handsets are left out", Reason: err.Error()})
		return nil
	}
	a.Files = append(a.Files, media.Addition{Incoming: file, Name: name, Type: kind})
	return nil
}

// Fate is what became of a message that was handed on.
type Fate uint8

// What may become of it.
const (
	Taken    Fate = iota + 1 // it is on disk
	Repeated                 // it was taken before
	Unowned                  // nobody rents the number any more
)

// Hand gives a message to the account that rents its number: its files become the account's, each account's under names of its own, then the part goes
// where OnPart leads. The part is complete but for its media. An error says that nothing could be kept, or that it is not known.
func (in *Intake) Hand(ctx context.Context, account gateway.AccountID, part gateway.InboundPart, files []media.Addition) (Fate, error) {
	if in.repeats.has(part.Identity, part.At) {
		in.repeated.Add(1)
		return Repeated, nil
	}
	if len(files) > 0 {
		files = slices.Clone(files)
		for i := range files {
			files[i].ID = in.ends.NewID()
		}
		var err error
		if part.Media, err = in.ends.Keep(ctx, account, files); err != nil {
			return 0, err
		}
	}
	switch err := await(ctx, func(done func(error)) { in.ends.OnPart(part, done) }); {
	case isUnowned(err):
		return Unowned, nil
	case err != nil:
		return 0, err
	}
	in.repeats.add(part.Identity, part.At)
	in.taken.Add(1)
	in.filesTaken.Add(int64(len(files)))
	return Taken, nil
}

func isUnowned(err error) bool {
	var refusal *gateway.Error
	return errors.As(err, &refusal) && refusal.Code == gateway.NotFound
}
