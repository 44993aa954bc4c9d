package vasp

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"

	"github.com/heliograph/heliograph/internal/mm7"
	"github.com/heliograph/heliograph/internal/trouble"
)

// newHandler makes what takes the MMSC's requests.
func (c *Carrier) newHandler() *mm7.Handler {
	return &mm7.Handler{
		Authenticate: c.authenticate, Realm: c.Name,
		DeliveryReport: c.takeReport, ReadReply: c.takeReadReply, Deliver: c.takeMessage,
		Limits: c.Inbound, MaxConcurrent: c.InboundAtOnce,
	}
}

// ServeHTTP takes a request of the MMSC's.
func (c *Carrier) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.handler.ServeHTTP(w, r) }

// authenticate tells whether a request is the MMSC's.
func (c *Carrier) authenticate(r *http.Request) bool {
	if c.InboundUsername == "" && c.InboundPassword == "" {
		return true
	}
	name, password, _ := r.BasicAuth()
	if same(name, c.InboundUsername)&same(password, c.InboundPassword) == 1 {
		return true
	}
	c.counts.intruders.Add(1)
	c.troubles.Happened(trouble.Matter{What: "requests come without the credentials that are asked for"})
	return false
}

// same compares in a time that tells nothing of either text, nor of their lengths.
func same(a, b string) int {
	left, right := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(left[:], right[:])
}

// takeReport hands a report on. The MMSC may forget it when it is on disk; until then it must come again.
func (c *Carrier) takeReport(ctx context.Context, request *mm7.DeliveryReportReq) error {
	c.counts.receipts.Add(1)
	receipt, known := c.receipt(request, c.Now())
	if !known {
		c.troubles.Happened(trouble.Matter{What: "reports have an MMStatus that is not known; they change nothing", Reason: receipt.Detail})
	}
	err := c.Record(ctx, receipt)
	if err != nil {
		c.counts.putOff.Add(1)
		c.troubles.Happened(trouble.Matter{What: "reports cannot be recorded; the MMSC is asked to send them again", Reason: err.Error()})
		return mm7.Status{Code: mm7.StatusServiceUnavailable}
	}
	c.counts.kept.Add(1)
	return nil
}

// takeReadReply acknowledges that somebody has read a message: nobody here is told, for the contract has no word for it.
func (c *Carrier) takeReadReply(context.Context, *mm7.ReadReplyReq) error {
	c.counts.reads.Add(1)
	return nil
}
