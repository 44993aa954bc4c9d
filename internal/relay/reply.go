package relay

import (
	"context"
	"time"

	"github.com/heliograph/heliograph/internal/mm4"
	"github.com/heliograph/heliograph/internal/trouble"
)

// Bounds of what we owe the peer. What is lost beyond them it can do without: it has our 250, and we know what it sends again.
const (
	mostReplies    = 1000
	mostReplyTries = 5
)

// reply owes the peer a response to something that it sent.
func (c *Carrier) reply(envelope mm4.Envelope, response *mm4.Response) {
	mail, ok := envelope.Reply(response, c.System, c.Now())
	if !ok {
		c.counts.lost.Add(1)
		c.troubles.Happened(trouble.Matter{What: "the peer does not say where its responses go"})
		return
	}
	c.owe(mail)
}

// reportFetched owes the peer the news that a message from it was fetched: whoever it came for has it.
func (c *Carrier) reportFetched(envelope mm4.Envelope, f *mm4.Forward, to mm4.Address) {
	system := f.OriginatorSystem
	if system.Host == "" {
		system = envelope.From
	}
	if system.Host == "" {
		c.counts.lost.Add(1)
		return
	}
	c.owe(mm4.Mail{From: c.System, To: []mm4.Address{system}, Message: &mm4.DeliveryReport{
		Head: mm4.Head{TransactionID: c.NewID().String(), MessageID: f.MessageID, Sender: c.System, Date: c.Now(), Bare: f.Bare},
		From: to, To: f.From, Status: mm4.Retrieved, ForwardToOriginator: f.DeliveryReport,
	}})
}

func (c *Carrier) owe(mail mm4.Mail) {
	select {
	case c.replies <- mail:
	default:
		c.counts.lost.Add(1)
		c.troubles.Happened(trouble.Matter{What: "the peer takes our responses too slowly; some are lost"})
	}
}

// sendReply sends a mail that is owed, and tries a few times.
func (c *Carrier) sendReply(ctx context.Context, mail mm4.Mail) {
	for try := 1; ; try++ {
		out := c.transmit(mail)
		switch {
		case out.Status == mm4.Accepted:
			c.counts.repliesSent.Add(1)
			return
		case out.Status != mm4.NeverAccepted || try == mostReplyTries || !pause(ctx, c.Reconnect.First):
			c.counts.lost.Add(1)
			c.troubles.Happened(trouble.Matter{What: "the peer does not take our responses", Reason: trouble.Reason(out.Err)})
			return
		}
	}
}

// pause waits; it answers false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
