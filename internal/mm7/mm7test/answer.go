package mm7test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/mm7"
)

// serve reads a request and answers it as its fate is.
func (m *MMSC) serve(w http.ResponseWriter, r *http.Request, cfg *Config, what fate) {
	switch what {
	case unavailable:
		m.count(func(c *Counters) { c.Submits++; c.Unavailable++ })
		w.Header().Set("Retry-After", "1")
		http.Error(w, "too busy", http.StatusServiceUnavailable)
		return
	case cut:
		_, _ = io.CopyN(io.Discard, r.Body, r.ContentLength/2) // it breaks off anyway
		m.count(func(c *Counters) { c.Submits++; c.Cut++ })
		hangUp()
	}
	submit, err := inspect(r, http.MaxBytesReader(w, r.Body, cfg.MaxSize), cfg.KeepContent)
	if err != nil {
		m.unreadable(w, r, cfg, submit, err)
		return
	}
	m.checkIdentity(cfg, submit)
	if len(submit.Violations) > 0 {
		m.count(func(c *Counters) { c.Submits++; c.Invalid++ })
		m.mu.Lock()
		m.keep(*submit)
		m.mu.Unlock()
		m.fault(w, cfg, submit, mm7.Status{Code: mm7.StatusValidationError, Details: strings.Join(submit.Violations, "; ")})
		return
	}
	if submit.Operation != "SubmitReq" {
		m.change(w, cfg, submit)
		return
	}
	m.submit(w, r, cfg, submit, what)
}

// hangUp closes the connection without an answer.
func hangUp() { panic(http.ErrAbortHandler) }

// unreadable answers what is no document, if anybody is there.
func (m *MMSC) unreadable(w http.ResponseWriter, r *http.Request, cfg *Config, submit *Submit, err error) {
	if r.Context().Err() != nil {
		m.count(func(c *Counters) { c.Submits++; c.Cut++ })
		return
	}
	status := mm7.Status{Code: mm7.StatusValidationError, Details: err.Error()}
	if strings.Contains(err.Error(), "request body too large") {
		status = mm7.Status{Code: mm7.StatusContentRefused}
	}
	m.count(func(c *Counters) { c.Submits++; c.Invalid++ })
	m.fault(w, cfg, submit, status)
}

func (m *MMSC) checkIdentity(cfg *Config, s *Submit) {
	if cfg.VASPID != "" && s.VASPID != cfg.VASPID || cfg.VASID != "" && s.VASID != cfg.VASID {
		s.wrong("another VASPID or VASID")
	}
}

// submit takes a message, or does not.
func (m *MMSC) submit(w http.ResponseWriter, r *http.Request, cfg *Config, s *Submit, what fate) {
	status := m.decide(cfg, s, what)
	taken := status.OK() && what != fault
	m.mu.Lock()
	if taken {
		s.MessageID = strconv.FormatInt(cfg.FirstID+m.taken, 10)
		m.taken++
	}
	m.tally(s, what, taken)
	m.keep(*s)
	m.changed()
	m.mu.Unlock()
	if cfg.OnSubmit != nil {
		cfg.OnSubmit(*s)
	}
	var reports []report
	if taken {
		reports = m.reportsOf(cfg, s)
	}
	if cfg.ReportFirst {
		m.sendNow(r.Context(), reports)
		reports = nil
	}
	defer func() { m.enqueue(reports, time.Now().Add(cfg.ReportDelay)) }() // also when the answer is cut off: the message was taken
	if !pause(r, cfg.AcceptDelay) {
		hangUp()
	}
	m.reply(w, cfg, s, what, status)
}

// tally counts a submit. mu is held.
func (m *MMSC) tally(s *Submit, what fate, taken bool) {
	c := &m.counters
	c.Submits++
	for _, file := range s.Parts {
		c.Octets += file.Size
	}
	switch {
	case taken:
		c.Accepted++
		if what == ignore || what == garbage || what == cutAnswer {
			c.Unanswered++
		}
	case what == throttle:
		c.Throttled++
	case what == full:
		c.Full++
	case what == fault:
		c.Faults++
	default:
		c.Refused++
	}
}

// decide gives the status of a submit.
func (m *MMSC) decide(cfg *Config, s *Submit, what fate) mm7.StatusCode {
	switch what {
	case throttle:
		return cfg.ThrottleStatus
	case full:
		return mm7.StatusServiceUnavailable
	case refuse:
		return cfg.RefusedStatus
	case fault:
		return mm7.StatusServerError
	}
	for _, recipient := range s.Recipients {
		if status, found := cfg.StatusOf[strings.TrimPrefix(recipient, "+")]; found {
			return status
		}
	}
	return mm7.StatusSuccess
}

// reply sends the answer, whole, broken or not at all.
func (m *MMSC) reply(w http.ResponseWriter, cfg *Config, s *Submit, what fate, status mm7.StatusCode) {
	switch what {
	case ignore:
		hangUp()
	case garbage:
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<html><body><p>Welcome to the MMSC") // not closed: no XML either
	case fault:
		m.fault(w, cfg, s, mm7.Status{Code: status})
	case cutAnswer:
		soap := m.soap(cfg, s, &mm7.SubmitRsp{Status: mm7.Status{Code: status}, MessageID: s.MessageID})
		w.Header().Set("Content-Type", "text/xml")
		w.Header().Set("Content-Length", strconv.Itoa(len(soap)))
		_, _ = w.Write(soap[:len(soap)/2]) // it breaks off anyway
		_ = http.NewResponseController(w).Flush()
		hangUp()
	default:
		m.respond(w, http.StatusOK, m.soap(cfg, s, &mm7.SubmitRsp{Status: mm7.Status{Code: status}, MessageID: s.MessageID}))
	}
}

// change cancels or replaces a message whose reports wait still.
func (m *MMSC) change(w http.ResponseWriter, cfg *Config, s *Submit) {
	status := mm7.Status{Code: mm7.StatusMessageIDNotFound}
	var response mm7.Message
	m.mu.Lock()
	m.keep(*s)
	m.mu.Unlock()
	if s.Operation == "CancelReq" {
		if n := m.outbox.remove(s.MessageID); n > 0 {
			status.Code = mm7.StatusSuccess
			m.count(func(c *Counters) { c.Cancelled++; c.ReportsPending -= int64(n) })
		}
		rsp := new(mm7.CancelRsp)
		rsp.Status = status
		response = rsp
	} else {
		if m.outbox.holds(s.MessageID) {
			status.Code = mm7.StatusSuccess
			m.count(func(c *Counters) { c.Replaced++ })
		}
		rsp := new(mm7.ReplaceRsp)
		rsp.Status = status
		response = rsp
	}
	m.respond(w, http.StatusOK, m.soap(cfg, s, response))
}

// fault answers with RSErrorRsp.
func (m *MMSC) fault(w http.ResponseWriter, cfg *Config, s *Submit, status mm7.Status) {
	side := mm7.FaultClient
	if status.Code >= mm7.StatusServerError && status.Code < mm7.StatusServiceGeneral {
		side = mm7.FaultServer
	}
	detail := new(mm7.RSErrorRsp)
	detail.Status = status
	m.respond(w, http.StatusInternalServerError, m.soap(cfg, s, &mm7.Fault{Code: side, Text: status.Code.Text(), Detail: detail}))
}

func (m *MMSC) soap(cfg *Config, s *Submit, message mm7.Message) []byte {
	return cfg.Dialect.EncodeSOAP(mm7.Envelope{TransactionID: s.TransactionID, Message: message})
}

func (m *MMSC) respond(w http.ResponseWriter, code int, soap []byte) {
	w.Header().Set("Content-Type", `text/xml; charset="utf-8"`)
	w.Header().Set("Content-Length", strconv.Itoa(len(soap)))
	w.WriteHeader(code)
	_, _ = w.Write(soap) // the peer may be gone
}

// pause waits, and is false when the request ended meanwhile.
func pause(r *http.Request, wait time.Duration) bool {
	if wait <= 0 {
		return true
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}
