package mm4test

import (
	"crypto/rand"
	"time"

	"github.com/heliograph/heliograph/internal/mm4"
)

// answer sends what a message brings about: for each recipient its response, then its reports. Recipients with the same status share a response.
func (h *Hub) answer(f Forward) {
	if h.back == nil {
		return
	}
	groups := map[mm4.RequestStatus][]mm4.Address{}
	var order []mm4.RequestStatus
	for _, to := range f.Envelope {
		fate := h.cfg.Fate(to)
		if fate.NoAnswer {
			continue
		}
		status := fate.Request
		if status == "" {
			status = mm4.Ok
		}
		if groups[status] == nil {
			order = append(order, status)
		}
		groups[status] = append(groups[status], to)
	}
	for _, status := range order {
		recipients := groups[status]
		h.later(func() {
			if !h.wait(h.cfg.ResponseDelay) {
				return
			}
			h.respond(f, status, recipients, len(order) > 1)
			if status == mm4.Ok && h.wait(h.cfg.ReportDelay) {
				h.report(f, recipients)
			}
		})
	}
}

// later runs something of its own, if not too much is pending.
func (h *Hub) later(do func()) {
	h.mu.Lock()
	if h.stopped || h.pending >= h.cfg.MaxPending {
		h.counters.AnswersDropped++
		h.mu.Unlock()
		return
	}
	h.pending++
	h.answers.Add(1)
	h.mu.Unlock()
	go func() {
		defer func() {
			h.mu.Lock()
			h.pending--
			h.mu.Unlock()
			h.answers.Done()
		}()
		do()
	}()
}

func (h *Hub) respond(f Forward, status mm4.RequestStatus, recipients []mm4.Address, partial bool) {
	if !f.Message.AckRequest {
		return
	}
	response := f.Message.Respond(status, h.cfg.Fate(recipients[0]).Text)
	if partial {
		response.Recipients = recipients
	}
	mail, ok := mm4.Envelope{From: f.Message.Sender}.Reply(response, h.system(), time.Now())
	if ok {
		h.deliver(mail, func(c *Counters) { c.ResponsesSent++ })
	}
}

// report sends the delivery reports and read replies that were asked for.
func (h *Hub) report(f Forward, recipients []mm4.Address) {
	m := f.Message
	to := m.OriginatorSystem
	if to.IsZero() {
		to = m.Sender
	}
	for _, recipient := range recipients {
		fate := h.cfg.Fate(recipient)
		if (m.DeliveryReport || m.OriginatorReport) && !fate.NoReport {
			report := h.deliveryReport(m, recipient, fate)
			h.deliver(mm4.Mail{From: h.system(), To: []mm4.Address{to}, Message: report}, func(c *Counters) { c.ReportsSent++ })
			if h.turn(&h.reports, h.cfg.UnknownEvery) {
				unknown := *report
				unknown.MessageID, unknown.TransactionID = rand.Text(), rand.Text()
				h.deliver(mm4.Mail{From: h.system(), To: []mm4.Address{to}, Message: &unknown}, func(*Counters) {})
			}
		}
		if m.ReadReply && fate.Read {
			read := &mm4.ReadReply{Head: h.head(m), From: recipient, To: m.From, Status: mm4.Read, AckRequest: h.cfg.AckReports}
			h.deliver(mm4.Mail{From: h.system(), To: []mm4.Address{to}, Message: read}, func(c *Counters) { c.ReadsSent++ })
		}
	}
}

func (h *Hub) deliveryReport(m *mm4.Forward, recipient mm4.Address, fate Fate) *mm4.DeliveryReport {
	status := fate.MM
	if status == "" {
		status = mm4.Retrieved
	}
	return &mm4.DeliveryReport{
		Head: h.head(m), From: recipient, To: m.From, Status: status, Text: fate.Text,
		AckRequest: h.cfg.AckReports, ForwardToOriginator: m.DeliveryReport,
	}
}

// head is that of a report: a transaction of its own about the message of another.
func (h *Hub) head(m *mm4.Forward) mm4.Head {
	return mm4.Head{TransactionID: rand.Text(), MessageID: m.MessageID, Sender: h.system(), Date: time.Now(), Bare: m.Bare}
}

// deliver sends a mail, twice where that was ordered.
func (h *Hub) deliver(mail mm4.Mail, count func(*Counters)) {
	times := 1
	if h.turn(&h.sent, h.cfg.DuplicateEvery) {
		times = 2
	}
	for range times {
		h.send(mail, count)
	}
}

// send sends a mail until it is taken, refused, or tried often enough.
func (h *Hub) send(mail mm4.Mail, count func(*Counters)) {
	for try := 0; ; try++ {
		result := make(chan mm4.Outcome, 1)
		h.back.Submit(mail, func(out mm4.Outcome) { result <- out })
		switch out := <-result; {
		case out.Status == mm4.Accepted:
			h.count(count)
			return
		case out.Status == mm4.Refused:
			h.count(func(c *Counters) { c.AnswersRefused++ })
			h.cfg.Logger.Warn("mm4test: an answer was refused", "error", out.Err)
			return
		case try == h.cfg.Retries || !h.wait(h.cfg.RetryDelay):
			h.count(func(c *Counters) { c.AnswersDropped++ })
			return
		}
	}
}
