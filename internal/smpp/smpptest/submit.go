package smpptest

import (
	"hash/maphash"
	"strconv"
	"time"

	"github.com/heliograph/heliograph/internal/smpp"
)

// Submit is one submit_sm, or data_sm, that came.
type Submit struct {
	N         int64 // counted from 1
	At        time.Time
	SystemID  string // who sent it
	PDU       *smpp.SubmitSM
	Status    smpp.Status // what it is answered
	MessageID string      // as in the answer; empty when it was not taken
	Silent    bool        // it is taken, but not answered

	Text string // with Config.DecodeText: the user data
	Part Part   // likewise: which part of a longer message it is
}

// handle takes the requests of a bound ESME.
func (s *SMSC) handle(r *smpp.Request) {
	switch pdu := r.PDU.(type) {
	case *smpp.SubmitSM:
		s.submit(r, pdu)
	case *smpp.DataSM:
		s.submit(r, (*smpp.SubmitSM)(pdu.Deliver()))
	case *smpp.QuerySM: // messages are not kept
		_ = r.Respond(smpp.ESME_RQUERYFAIL, nil) // here and below: it fails only when the ESME is gone
	case *smpp.CancelSM:
		_ = r.Respond(smpp.ESME_RCANCELFAIL, nil)
	case *smpp.ReplaceSM:
		_ = r.Respond(smpp.ESME_RREPLACEFAIL, nil)
	default:
		_ = r.Respond(smpp.ESME_RINVCMDID, nil)
	}
}

// idPadding is the width of ids with leading zeros.
const idPadding = 14

func (f IDForm) format(id int64) string {
	switch f {
	case Hex:
		return strconv.FormatInt(id, 16)
	case HexUpper:
		b := strconv.AppendInt(nil, id, 16)
		for i, c := range b {
			if c >= 'a' {
				b[i] = c - 'a' + 'A'
			}
		}
		return string(b)
	case Padded:
		s := strconv.FormatInt(id, 10)
		const zeros = "00000000000000"
		return zeros[:max(0, idPadding-len(s))] + s
	}
	return strconv.FormatInt(id, 10)
}

// submit decides about a submit, tells who listens, and answers.
func (s *SMSC) submit(r *smpp.Request, pdu *smpp.SubmitSM) {
	now := time.Now()
	s.mu.Lock()
	s.counters.Submits++
	n := s.counters.Submits
	what := s.draw(n, now)
	status, taken := s.verdict(what)
	c := s.conns[r.Session()]
	submit := Submit{N: n, At: now, SystemID: r.Session().Bound().SystemID, PDU: pdu, Status: status, Silent: what == ignore || what == drop}
	if taken {
		submit.MessageID = s.cfg.ResponseIDs.format(s.cfg.FirstID + n - 1)
		s.note(pdu)
	}
	if s.cfg.DecodeText {
		submit.Text, submit.Part = readUserData(pdu)
	}
	s.keep(submit)
	malformed := s.cfg.MalformedEvery > 0 && n%int64(s.cfg.MalformedEvery) == 0
	receipts := s.receiptsFor(n, now, pdu, taken)
	onSubmit, delay := s.cfg.OnSubmit, s.cfg.AcceptDelay
	s.changed()
	s.mu.Unlock()
	if onSubmit != nil {
		onSubmit(submit)
	}
	if malformed {
		_, _ = c.conn.Write(smpp.AppendStatus(nil, smpp.CommandDeliverSM, malformedSequence, smpp.ESME_ROK))
	}
	s.answer(reply{request: r, what: what, status: status, id: submit.MessageID, c: c, receipts: receipts}, now, delay)
}

// malformedSequence is not in the way of the session's own numbers.
const malformedSequence = 0x7FFFFFF0

// verdict counts a fate, and says what it answers and whether the message was taken. mu is held.
func (s *SMSC) verdict(what fate) (status smpp.Status, taken bool) {
	switch what {
	case refuse:
		s.counters.Refused++
		return s.cfg.RefusedStatus, false
	case throttle:
		s.counters.Throttled++
		return smpp.ESME_RTHROTTLED, false
	case full:
		s.counters.Full++
		return smpp.ESME_RMSGQFUL, false
	case nack, garbage:
		s.counters.Nacked++
		return smpp.ESME_RSYSERR, false
	case ignore:
		s.counters.Unanswered++
	case drop:
		s.counters.Unanswered++
		s.counters.Disconnects++
	default:
		s.counters.Accepted++
	}
	return smpp.ESME_ROK, true
}

// maxDistinct bounds what Distinct remembers.
const maxDistinct = 4_000_000

// note remembers a message that was taken, by its addresses and octets. mu is held.
func (s *SMSC) note(pdu *smpp.SubmitSM) {
	if !s.cfg.Distinct || len(s.seen) >= maxDistinct {
		return
	}
	var h maphash.Hash
	h.SetSeed(s.seed)
	for _, part := range [...]string{pdu.Source.Addr, "\x00", pdu.Dest.Addr, "\x00", pdu.UserData()} {
		_, _ = h.WriteString(part) // never fails
	}
	s.seen[h.Sum64()] = struct{}{}
	s.counters.Distinct = int64(len(s.seen))
}

// reply is an answer that is to be given.
type reply struct {
	request  *smpp.Request
	what     fate
	status   smpp.Status
	id       string
	c        *connection
	receipts []receipt
}

// answer answers now, later, or when the receipt has gone ahead.
func (s *SMSC) answer(a reply, now time.Time, delay time.Duration) {
	first := len(a.receipts) > 0 && a.receipts[0].ahead
	switch {
	case first && a.what == accept && a.c.mailbox.attended():
		a.receipts[0].then = a.give
		a.post()
	case delay <= 0 || a.what == full: // that there is no room is not kept
		a.give()
		a.post()
	default:
		s.later.add(now.Add(delay), a.give)
		a.post() // the receipts' time counts the delay in
	}
}

// post puts the receipts into the account's mailbox.
func (a reply) post() {
	for _, r := range a.receipts {
		a.c.mailbox.put(r)
	}
}

func (a reply) give() {
	sequence := a.request.Header.Sequence
	switch a.what { // errors of the answer: the ESME is gone
	case ignore:
	case drop:
		a.request.Session().Close(errDropped)
	case nack:
		_, _ = a.c.conn.Write(smpp.AppendStatus(nil, smpp.CommandGenericNack, sequence, a.status))
	case garbage:
		_, _ = a.c.conn.Write(garbageOctets())
	case accept:
		_ = a.request.Respond(smpp.ESME_ROK, answerBody(a.request, a.id))
	default:
		_ = a.request.Respond(a.status, nil)
	}
}

func answerBody(r *smpp.Request, id string) smpp.PDU {
	if r.Header.Command == smpp.CommandDataSM {
		return &smpp.DataSMResp{MessageID: id}
	}
	return &smpp.SubmitSMResp{MessageID: id}
}
