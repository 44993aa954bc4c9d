package mm4test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/heliograph/heliograph/internal/mm4"
)

// session is a sender's connection.
type session struct {
	hub    *Hub
	conn   *smtp.Conn
	authed bool
	from   mm4.Address
	to     []mm4.Address
}

func (h *Hub) newSession(c *smtp.Conn) (smtp.Session, error) {
	if h.cfg.EhloCode != 0 {
		return nil, refuse(h.cfg.EhloCode)
	}
	return &session{hub: h, conn: c}, nil
}

func refuse(code int) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 0, 0}, Message: "mm4test refuses as it was told"}
}

// AuthMechanisms are those that are offered.
func (s *session) AuthMechanisms() []string {
	if s.hub.cfg.User == "" {
		return nil
	}
	return []string{sasl.Plain}
}

// Auth begins an authentication.
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, secret string) error {
		if user != s.hub.cfg.User || secret != s.hub.cfg.Password {
			return smtp.ErrAuthFailed
		}
		s.authed = true
		return nil
	}), nil
}

// Mail begins a mail.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.Reset()
	if s.hub.cfg.User != "" && !s.authed {
		return refuse(530)
	}
	if s.hub.turn(&s.hub.mails, s.hub.cfg.MailEvery) && s.hub.cfg.MailCode != 0 {
		return refuse(s.hub.cfg.MailCode)
	}
	s.from, _ = mm4.ParseAddress(from)
	return nil
}

// Rcpt adds a recipient.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.hub.turn(&s.hub.rcpts, s.hub.cfg.RcptEvery) && s.hub.cfg.RcptCode != 0 {
		return refuse(s.hub.cfg.RcptCode)
	}
	a, ok := mm4.ParseAddress(to)
	if !ok {
		return refuse(553)
	}
	if code := s.hub.cfg.Fate(a).RcptCode; code != 0 {
		return refuse(code)
	}
	s.to = append(s.to, a)
	return nil
}

// Reset forgets the mail.
func (s *session) Reset() { s.from, s.to = mm4.Address{}, nil }

// Logout ends the session.
func (s *session) Logout() error { return nil }

// Data takes a mail, with the faults that were ordered.
func (s *session) Data(r io.Reader) error {
	h := s.hub
	n := h.next()
	nth := func(every int) bool { return every > 0 && n%every == 0 }
	if nth(h.cfg.CutEvery) {
		_, _ = io.CopyN(io.Discard, r, int64(h.cfg.CutAfter)) // a mail may be shorter
		return s.cut()
	}
	forward, err := s.read(r)
	switch {
	case err != nil:
		h.count(func(c *Counters) { c.Refused++ })
		return err
	case nth(h.cfg.FinalEvery) && h.cfg.FinalCode != 0:
		h.count(func(c *Counters) { c.Refused++ })
		return refuse(h.cfg.FinalCode)
	case forward == nil: // a response
		return nil
	}
	if !h.wait(h.cfg.FinalDelay) {
		return refuse(421)
	}
	h.taken(*forward)
	h.answer(*forward)
	if nth(h.cfg.CutFinalEvery) {
		return s.cut()
	}
	return nil
}

func (h *Hub) next() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.datas++
	return h.datas
}

// cut ends the connection without a word.
func (s *session) cut() error {
	s.hub.count(func(c *Counters) { c.Cut++ })
	_ = s.conn.Conn().Close() // it is what was asked for
	return errors.New("mm4test: cut")
}

// read reads a whole mail; it gives nil for one that is no forward.
func (s *session) read(r io.Reader) (*Forward, error) {
	m, body, err := mm4.Decode(r, mm4.Limits{})
	if err != nil {
		return nil, refuse(554)
	}
	forward, ok := m.(*mm4.Forward)
	if !ok {
		if err := body.Drain(); err != nil {
			return nil, refuse(451)
		}
		s.hub.count(func(c *Counters) { c.Responses++ })
		return nil, nil
	}
	f := &Forward{At: time.Now(), Envelope: s.to, Message: forward}
	for {
		part, err := body.Next()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err != nil {
			return nil, refuse(554)
		}
		if err := f.add(part, s.hub.cfg.Content); err != nil {
			return nil, refuse(554)
		}
	}
}

func (f *Forward) add(in *mm4.Incoming, keep bool) error {
	part := Part{Type: in.Type, Charset: in.Charset, ID: in.ID, Location: in.Location, Name: in.Name}
	var content bytes.Buffer
	var sink io.Writer = io.Discard
	if keep {
		sink = &content
	}
	n, err := io.Copy(sink, in.Body)
	part.Octets, part.Content = n, content.Bytes()
	f.Octets += n
	f.Parts = append(f.Parts, part)
	return err
}

// system is our own address.
func (h *Hub) system() mm4.Address {
	return mm4.Address{User: "mms-hub", Host: strings.ToLower(h.cfg.Domain)}
}
