package loopback

import (
	"sync"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/tpdu"
)

// Inbound is a message that a pretend handset sends.
type Inbound struct {
	Service gateway.Service
	From    string // digits of E.164 without "+", or a name
	To      string // a number of an account's
	Text    string
	Subject string       // of an MMS
	Media   []gateway.ID // likewise: files that the account of To has been given
}

// maxSegments is the most that a header can announce.
const maxSegments = 255

// Deliver hands a message on as a network would: an SMS in the segments that a handset makes of its text. done is called once, when all of them are kept or
// one cannot be; those that were kept then wait for the others in vain. What a caller delivers twice is two messages.
func (c *Carrier) Deliver(m Inbound, done func(error)) {
	if c.OnPart == nil || c.over() {
		done(gateway.Errorf(gateway.Unavailable, "the loopback carrier takes no messages from handsets now"))
		return
	}
	parts, err := c.parts(m)
	if err != nil {
		done(err)
		return
	}
	all := &tally{left: len(parts), done: done}
	for _, p := range parts {
		c.OnPart(p, all.count)
	}
}

// parts makes what is handed on of a message.
func (c *Carrier) parts(m Inbound) ([]gateway.InboundPart, error) {
	part := gateway.InboundPart{Carrier: c.Name, Service: m.Service, From: m.From, To: m.To, At: c.Now()}
	if m.Service == gateway.MMS {
		part.Subject, part.Text, part.Media = m.Subject, m.Text, m.Media
		return []gateway.InboundPart{part}, nil
	}
	alphabet, total := tpdu.Count(m.Text)
	if total > maxSegments {
		return nil, gateway.Errorf(gateway.Invalid, "the text makes %d segments, more than the %d that a handset can send", total, maxSegments)
	}
	part.Total, part.Reference, part.Data.Alphabet = total, uint32(c.nextReference()), uint8(alphabet)
	parts := make([]gateway.InboundPart, total)
	rest := m.Text
	for i := range parts {
		text := rest
		if total > 1 {
			text = tpdu.Cut(rest, alphabet, tpdu.Concat8, 1)
			rest = rest[len(text):]
		}
		part.Number = i + 1
		part.Data.Octets = tpdu.Append(nil, text, alphabet)
		parts[i] = part
	}
	return parts, nil
}

// nextReference counts concatenation references, as all handsets in one.
func (c *Carrier) nextReference() uint8 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reference++
	return c.reference
}

func (c *Carrier) over() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stopped
}

// tally waits for what becomes of all segments of a message.
type tally struct {
	mu   sync.Mutex
	left int
	err  error // the first
	done func(error)
}

func (t *tally) count(err error) {
	t.mu.Lock()
	if t.err == nil {
		t.err = err
	}
	t.left--
	left, first := t.left, t.err
	t.mu.Unlock()
	if left == 0 {
		t.done(first)
	}
}
