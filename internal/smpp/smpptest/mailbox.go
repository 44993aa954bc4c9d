package smpptest

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/heliograph/heliograph/internal/smpp"
)

// receipt is one to be sent, until it is taken; or a segment from a handset.
type receipt struct {
	inbound   smpp.PDU // the segment; nil: it is a receipt
	due       time.Time
	id        int64
	source    smpp.Address // of the message
	dest      smpp.Address
	text      string
	state     smpp.MessageState
	err       string // three digits
	submitted time.Time
	ahead     bool   // it goes before the answer,
	then      func() // which is given when it has gone
}

// receiptText is how much of a message a receipt holds on to.
const receiptText = 20

// receiptsFor makes the receipts of a submit and counts how its message ends. mu is held.
func (s *SMSC) receiptsFor(n int64, now time.Time, pdu *smpp.SubmitSM, taken bool) []receipt {
	if !taken {
		return nil
	}
	r := receipt{
		due: now.Add(s.cfg.AcceptDelay + s.cfg.ReceiptDelay), id: s.cfg.FirstID + n - 1, source: pdu.Source, dest: pdu.Dest,
		state: smpp.StateDelivered, err: "000", submitted: now, ahead: s.cfg.ReceiptFirst,
	}
	if r.ahead {
		r.due = now.Add(s.cfg.ReceiptDelay)
	}
	if pdu.ESMClass&smpp.ESMUDHI == 0 && pdu.DataCoding != smpp.DataCodingUCS2 {
		text := pdu.UserData()
		r.text = text[:min(len(text), receiptText)]
	}
	if s.chance(s.cfg.Undelivered) {
		failure := s.cfg.Failures[s.failures%len(s.cfg.Failures)]
		s.failures++
		r.state, r.err = failure.State, failure.Err
		s.counters.Undelivered++
	} else {
		s.counters.Delivered++
	}
	wanted := pdu.RegisteredDelivery & smpp.ReceiptMask
	if wanted == smpp.ReceiptNone || wanted == smpp.ReceiptFailure && r.state == smpp.StateDelivered {
		return nil
	}
	receipts := []receipt{r}
	r.ahead = false
	if s.chance(s.cfg.DuplicateReceipts) {
		receipts = append(receipts, r)
	}
	if s.chance(s.cfg.UnknownReceipts) {
		r.id += unknownIDs
		receipts = append(receipts, r)
	}
	s.counters.Receipts += int64(len(receipts))
	s.counters.ReceiptsPending += int64(len(receipts))
	return receipts
}

// unknownIDs is added to an id to have one that no message has.
const unknownIDs = 7_000_000_000

// mailbox keeps the receipts of an account, and what handsets send to it, until they are taken, however long no bind stands that takes them. Its goroutine runs run.
type mailbox struct {
	smsc *SMSC
	wake chan struct{} // of capacity 1: a receipt, a bind or a place in a window came

	mu        sync.Mutex
	fresh     fifo[receipt] // receipts
	texts     fifo[receipt] // from handsets: receipts that are due later do not hold them up
	again     fifo[receipt] // refused ones, by the time of the next try
	receivers []*smpp.Session
	turn      int // whose turn it is among the receivers
}

func newMailbox(s *SMSC) *mailbox { return &mailbox{smsc: s, wake: make(chan struct{}, 1)} }

func (m *mailbox) join(session *smpp.Session) {
	if !takesMessages(session) {
		return
	}
	m.mu.Lock()
	m.receivers = append(m.receivers, session)
	m.mu.Unlock()
	signal(m.wake)
}

func (m *mailbox) leave(session *smpp.Session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.receivers = slices.DeleteFunc(m.receivers, func(s *smpp.Session) bool { return s == session })
}

// attended tells whether a bind takes messages.
func (m *mailbox) attended() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.receivers) > 0
}

func (m *mailbox) put(r receipt) {
	queue := &m.fresh
	if r.inbound != nil {
		queue = &m.texts
	}
	m.mu.Lock()
	queue.push(r)
	first := queue.len() == 1
	m.mu.Unlock()
	if first {
		signal(m.wake)
	}
}

func (m *mailbox) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		r, session, wait := m.next(time.Now())
		if session == nil {
			pause(ctx, timer, wait, m.wake)
			continue
		}
		m.send(session, r)
	}
}

// next takes out a receipt that is due, for a session that has room. When there is none, wait is how long that will last; negative until
// something wakes the mailbox.
func (m *mailbox) next(now time.Time) (r receipt, session *smpp.Session, wait time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	wait = -1
	for _, queue := range [...]*fifo[receipt]{&m.again, &m.texts, &m.fresh} {
		if queue.len() == 0 {
			continue
		}
		if left := queue.front().due.Sub(now); left > 0 {
			if wait < 0 || left < wait {
				wait = left
			}
			continue
		}
		if session = m.receiver(); session == nil {
			return receipt{}, nil, -1
		}
		return queue.pop(), session, 0
	}
	return receipt{}, nil, wait
}

// receiver picks the next bind with room in its window. mu is held.
func (m *mailbox) receiver() *smpp.Session {
	for range m.receivers {
		m.turn = (m.turn + 1) % len(m.receivers)
		if s := m.receivers[m.turn]; s.Outstanding() < s.Window() {
			return s
		}
	}
	return nil
}

// send sends a receipt and, behind it, the answer that had to wait for it.
func (m *mailbox) send(session *smpp.Session, r receipt) {
	if r.inbound != nil {
		m.smsc.count(func(c *Counters) { c.InboundSent++ })
		session.Submit(r.inbound, func(answer smpp.Response, err error) { m.inboundAnswered(r, answer, err) })
		return
	}
	m.smsc.count(func(c *Counters) { c.ReceiptsSent++ })
	then := r.then
	r.then = nil
	session.Submit(m.smsc.deliverSM(&r), func(response smpp.Response, err error) { m.answered(r, response, err) })
	if then != nil {
		then()
	}
}

// answered takes up what became of a receipt. One that was not taken is sent again.
func (m *mailbox) answered(r receipt, response smpp.Response, err error) {
	taken := err == nil && response.Status == smpp.ESME_ROK
	var retry time.Duration
	m.smsc.count(func(c *Counters) {
		retry = m.smsc.cfg.RetryDelay
		switch {
		case taken:
			c.ReceiptsAcked++
			c.ReceiptsPending--
		case err == nil:
			c.ReceiptsNacked++
		case errors.Is(err, smpp.ErrNotSent):
			c.ReceiptsSent-- // it did not leave after all
		default:
			c.ReceiptsLost++
		}
	})
	m.settle(r, taken, retry)
}

// inboundAnswered takes up what became of a segment. One that was not taken is sent again, unless it was refused for good.
func (m *mailbox) inboundAnswered(r receipt, answer smpp.Response, err error) {
	var settled bool
	var retry time.Duration
	m.smsc.count(func(c *Counters) {
		retry = m.smsc.cfg.RetryDelay
		if settled = c.inbound(answer, err); settled {
			c.InboundPending--
		}
	})
	m.settle(r, settled, retry)
}

// settle puts what was not taken back, for later.
func (m *mailbox) settle(r receipt, taken bool, retry time.Duration) {
	if !taken {
		r.due = time.Now().Add(retry)
		m.mu.Lock()
		m.again.push(r)
		m.mu.Unlock()
	}
	signal(m.wake)
}

// deliverSM writes a receipt as the knobs say, and tells who listens.
func (s *SMSC) deliverSM(r *receipt) *smpp.DeliverSM {
	s.mu.Lock()
	form, ids, told := s.cfg.Receipts, s.cfg.ReceiptIDs, s.cfg.OnReceipt
	s.mu.Unlock()
	code, _ := strconv.ParseUint(r.err, 10, 16) // 0 for what is no number
	said := smpp.Receipt{
		ID: ids.format(r.id), State: r.state, Err: r.err, Submitted: 1, SubmitDate: r.submitted, DoneDate: time.Now(), Text: r.text,
		HasNetworkError: r.state != smpp.StateDelivered, NetworkType: networkGSM, NetworkError: uint16(code),
	}
	if r.state == smpp.StateDelivered {
		said.Delivered = 1
	}
	if told != nil {
		told(Report{At: said.DoneDate, MessageID: said.ID, State: r.state})
	}
	d := &smpp.DeliverSM{Source: r.dest, Dest: r.source, ESMClass: smpp.ESMDeliveryReceipt}
	if form != TextOnly && form != PayloadText {
		d.TLVs = said.TLVs()
	}
	switch form {
	case TLVOnly:
	case PayloadText:
		d.TLVs = d.TLVs.With(smpp.TagMessagePayload, string(smpp.AppendReceipt(nil, &said)))
	default:
		d.ShortMessage = string(smpp.AppendReceipt(nil, &said))
	}
	return d
}

// networkGSM is the network type in network_error_code. SMPP 3.4, 5.3.2.31.
const networkGSM = 3
