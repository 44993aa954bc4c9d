package mm4

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// session is a peer's connection past its greeting. The library calls it from one goroutine at a time.
type session struct {
	srv      *Server
	guest    *guest
	secure   bool
	authed   bool
	wrong    int // passwords
	envelope Envelope
}

// maxWrong is how many wrong passwords a connection may try.
const maxWrong = 3

// newSession is called at EHLO, again after STARTTLS.
func (srv *Server) newSession(c *smtp.Conn) (smtp.Session, error) {
	conn := c.Conn()
	secure, isTLS := conn.(*tls.Conn)
	if isTLS {
		conn = secure.NetConn()
	}
	g, ok := conn.(*guest)
	if !ok {
		return nil, errors.New("a connection that is not ours")
	}
	return &session{srv: srv, guest: g, secure: isTLS, envelope: Envelope{Peer: peerOf(g)}}, nil
}

func answer(code int, enhanced smtp.EnhancedCode, text string) *smtp.SMTPError {
	return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: text}
}

// AuthMechanisms are those that are offered.
func (s *session) AuthMechanisms() []string {
	if s.srv.cfg.User == "" {
		return nil
	}
	return []string{sasl.Plain, sasl.Login}
}

// Auth begins an authentication.
func (s *session) Auth(mechanism string) (sasl.Server, error) {
	switch {
	case s.srv.cfg.User == "":
		return nil, smtp.ErrAuthUnsupported
	case mechanism == sasl.Plain:
		return sasl.NewPlainServer(func(_, user, secret string) error { return s.admit(user, secret) }), nil
	case mechanism == sasl.Login:
		return &loginServer{admit: s.admit}, nil
	}
	return nil, smtp.ErrAuthUnknownMechanism
}

// admit compares in constant time, whatever the lengths.
func (s *session) admit(user, secret string) error {
	cfg := &s.srv.cfg
	if !same(user, cfg.User) || !same(secret, cfg.Password) {
		cfg.Logger.Warn("mm4 peer with a wrong password", "peer", s.envelope.Peer)
		if s.wrong++; s.wrong >= maxWrong {
			_ = s.guest.Close() // guessing has to begin anew
		}
		return smtp.ErrAuthFailed
	}
	s.authed = true
	return nil
}

func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// loginServer is AUTH LOGIN's side that asks.
type loginServer struct {
	admit func(user, secret string) error
	asked int
	user  string
}

// Next asks for the user, then for the password.
func (l *loginServer) Next(said []byte) (question []byte, done bool, err error) {
	if said == nil && l.asked == 0 {
		l.asked = 1
		return []byte("Username:"), false, nil
	}
	if l.asked <= 1 {
		l.asked, l.user = 2, string(said)
		return []byte("Password:"), false, nil
	}
	return nil, true, l.admit(l.user, string(said))
}

// Mail begins a mail.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	cfg := &s.srv.cfg
	switch {
	case cfg.Mode == TLSStart && !s.secure:
		return answer(530, smtp.EnhancedCode{5, 7, 0}, "STARTTLS first")
	case cfg.User != "" && !s.authed:
		return answer(530, smtp.EnhancedCode{5, 7, 0}, "authenticate first")
	}
	s.envelope.From, _ = ParseAddress(from)
	s.envelope.To = nil
	return nil
}

// Rcpt adds a recipient of ours.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	a, ok := ParseAddress(to)
	if !ok || !slices.ContainsFunc(s.srv.cfg.Domains, func(domain string) bool { return strings.EqualFold(domain, a.Host) }) {
		return answer(550, smtp.EnhancedCode{5, 7, 1}, "no recipient of this host")
	}
	s.envelope.To = append(s.envelope.To, a)
	return nil
}

// Reset forgets the mail.
func (s *session) Reset() { s.envelope.From, s.envelope.To = Address{}, nil }

// Logout ends the session.
func (s *session) Logout() error { return nil }

// Data takes the mail: what it returns is said to the peer.
func (s *session) Data(r io.Reader) error {
	if !s.srv.enter() {
		return answer(421, smtp.EnhancedCode{4, 3, 2}, "stopping, try again later")
	}
	defer s.srv.inHand.Done()
	defer s.guest.content()()
	src := &source{r: r}
	kind, err := s.take(src)
	if err == nil {
		return nil
	}
	said := s.refusal(src, err)
	s.srv.cfg.Logger.Warn("mm4 mail not taken", "peer", s.envelope.Peer, "kind", kind, "code", said.Code, "error", mask(err.Error()))
	return said
}

// refusal is what is said about a mail that was not taken.
func (s *session) refusal(src *source, err error) *smtp.SMTPError {
	if said := (*smtp.SMTPError)(nil); errors.As(src.err, &said) { // the library's own: too large
		return said
	}
	if refused := (*PermanentError)(nil); errors.As(err, &refused) {
		return answer(refused.Code, smtp.EnhancedCode{5, 6, 0}, refused.Text)
	}
	if errors.Is(err, ErrMalformed) {
		return answer(554, smtp.EnhancedCode{5, 6, 0}, clean(err.Error()))
	}
	return answer(451, smtp.EnhancedCode{4, 3, 0}, "not taken now, try again later")
}

// take decodes a mail and gives it to the handler, once it is known to be whole; of a message, the handler finds that out itself.
func (s *session) take(r io.Reader) (Kind, error) {
	cfg := &s.srv.cfg
	m, body, err := Decode(r, cfg.Limits)
	if err != nil {
		return "", err
	}
	ctx, h := s.srv.ctx, &cfg.Handler
	if f, ok := m.(*Forward); ok {
		if h.Forward == nil {
			return m.Kind(), errNotTaken
		}
		if err := h.Forward(ctx, s.envelope, f, body); err != nil {
			return m.Kind(), err
		}
		return m.Kind(), body.Drain() // a handler that did not read it all does not need the rest, but it must be there
	}
	if err := body.Drain(); err != nil {
		return m.Kind(), err
	}
	switch m := m.(type) {
	case *Response:
		err = call(ctx, h.Response, s.envelope, m)
	case *DeliveryReport:
		err = call(ctx, h.DeliveryReport, s.envelope, m)
	case *ReadReply:
		err = call(ctx, h.ReadReply, s.envelope, m)
	}
	return m.Kind(), err
}

var errNotTaken = Refuse("this kind of message is not taken here")

// call gives a message to its function, if there is one.
func call[M any](ctx context.Context, take func(context.Context, Envelope, M) error, envelope Envelope, m M) error {
	if take == nil {
		return errNotTaken
	}
	return take(ctx, envelope, m)
}
