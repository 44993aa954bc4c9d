package mm4

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/smtp"
	"net/textproto"
	"strconv"
	"strings"
	"time"
)

// connection is an SMTP connection to the peer, past EHLO, TLS and AUTH. It is used by one goroutine.
type connection struct {
	cfg    *ClientConfig
	smtp   *smtp.Client
	wire   *wire
	buf    *bufio.Writer // of chunks, once there were any
	sent   int           // transactions begun
	open   bool          // a transaction that the peer did not take is still to be ended with RSET
	closed bool          // so that quit and close may follow each other
}

// maxAnswer bounds what a peer says between two things that we say.
const maxAnswer = 64 << 10

var errChatter = errors.New("the peer talks too much")

// wire is the TCP connection, below TLS. It bounds each piece that is written in time, and what comes without our asking in size.
type wire struct {
	net.Conn
	piece time.Duration // for each write while content is sent; 0: the deadline stays
	heard int           // octets read since the last write
}

func (w *wire) Read(p []byte) (int, error) {
	if w.heard > maxAnswer {
		return 0, errChatter
	}
	n, err := w.Conn.Read(p)
	w.heard += n
	return n, err
}

func (w *wire) Write(p []byte) (int, error) {
	if w.heard > maxAnswer { // for good: what comes next would be taken for the answer to something else
		return 0, errChatter
	}
	w.heard = 0
	if w.piece > 0 {
		if err := w.SetDeadline(time.Now().Add(w.piece)); err != nil {
			return 0, err
		}
	}
	return w.Conn.Write(p)
}

// within bounds what comes next.
func (w *wire) within(d time.Duration) { _ = w.SetDeadline(time.Now().Add(d)) } // fails only on a closed connection, as what comes next does

// connect makes a connection that is ready for mail.
func connect(ctx context.Context, cfg *ClientConfig) (*connection, error) {
	trying, cancel := context.WithTimeout(ctx, cfg.Timeouts.Connect)
	defer cancel()
	raw, err := cfg.Dial(trying, "tcp", cfg.Address)
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { _ = raw.Close() })() // ends what waits for the peer
	c := &connection{cfg: cfg, wire: &wire{Conn: raw}}
	if err := c.greet(trying); err != nil {
		_ = raw.Close() // it is given up
		return nil, asReply(err)
	}
	return c, nil
}

// greet goes from the TCP connection to where MAIL may come.
func (c *connection) greet(trying context.Context) error {
	var conn net.Conn = c.wire
	if c.cfg.TLS == TLSImplicit {
		secure := tls.Client(conn, c.cfg.Config)
		if err := secure.HandshakeContext(trying); err != nil {
			return err
		}
		conn = secure
	}
	c.wire.within(c.cfg.Timeouts.Command)
	client, err := smtp.NewClient(conn, c.cfg.Config.ServerName)
	if err != nil {
		return err
	}
	c.smtp = client
	c.wire.within(c.cfg.Timeouts.Command)
	if err := client.Hello(c.cfg.Name); err != nil {
		return err
	}
	if c.cfg.TLS == TLSStart {
		if ok, _ := client.Extension("STARTTLS"); !ok {
			return errors.New("the peer offers no STARTTLS")
		}
		c.wire.within(c.cfg.Timeouts.Command)
		if err := client.StartTLS(c.cfg.Config); err != nil {
			return err
		}
	}
	return c.auth()
}

func (c *connection) auth() error {
	if c.cfg.User == "" {
		return nil
	}
	ok, offered := c.smtp.Extension("AUTH")
	if !ok {
		return errors.New("the peer offers no AUTH")
	}
	for mechanism := range strings.FieldsSeq(strings.ToUpper(offered)) {
		if mechanism == "PLAIN" || mechanism == "LOGIN" {
			c.wire.within(c.cfg.Timeouts.Command)
			return c.smtp.Auth(&password{mechanism, c.cfg.User, c.cfg.Password})
		}
	}
	return errors.New("the peer offers neither AUTH PLAIN nor AUTH LOGIN")
}

// password is AUTH PLAIN (RFC 4616) or LOGIN. That it may go over this connection was decided with the configuration.
type password struct{ mechanism, user, secret string }

// Start gives PLAIN's only message at once.
func (p *password) Start(*smtp.ServerInfo) (string, []byte, error) {
	if p.mechanism == "PLAIN" {
		return p.mechanism, []byte("\x00" + p.user + "\x00" + p.secret), nil
	}
	return p.mechanism, nil, nil
}

// Next answers LOGIN's two questions.
func (p *password) Next(question []byte, more bool) ([]byte, error) {
	switch ask := strings.ToLower(string(question)); {
	case !more:
		return nil, nil
	case p.mechanism == "LOGIN" && strings.HasPrefix(ask, "user"):
		return []byte(p.user), nil
	case p.mechanism == "LOGIN" && strings.HasPrefix(ask, "pass"):
		return []byte(p.secret), nil
	}
	return nil, errors.New("an AUTH question that is not known")
}

// quit ends the connection in good manners, which cost little time.
func (c *connection) quit() {
	if c == nil || c.closed {
		return
	}
	c.wire.within(time.Second)
	_ = c.smtp.Quit() // what it says does not matter any more
	c.close()
}

func (c *connection) close() {
	if c == nil || c.closed {
		return
	}
	c.closed = true
	_ = c.wire.Close() // a close that fails leaves nothing to do
}

// send makes one transaction. usable tells whether the connection can take another one.
func (c *connection) send(ctx context.Context, mail Mail, encoded func(Transfer) (*document, error)) (out Outcome, usable bool) {
	defer context.AfterFunc(ctx, func() { _ = c.wire.Close() })()
	c.sent++
	if err := c.reset(); err != nil {
		return failure(PhaseMail, asReply(err)), false
	}
	doc, err := encoded(c.transfer())
	if err != nil {
		return Outcome{Status: Refused, Phase: PhaseNothing, Err: err}, true
	}
	refusals, phase, err := c.envelope(mail, doc)
	if err == nil {
		phase, err = c.content(doc)
	}
	if err == nil {
		return Outcome{Status: Accepted, Phase: PhaseFinished, Code: 250, Refusals: refusals}, true
	}
	err = asReply(err)
	out = failure(phase, err)
	if broken := (*SourceError)(nil); errors.As(err, &broken) {
		return out, false // the peer must not take what was sent so far for the whole: only closing tells it
	}
	if said := (*reply)(nil); errors.As(err, &said) && said.proper() {
		c.open = phase != PhaseFinal
		return out, true
	}
	return out, false
}

// reset ends a transaction that the peer did not take: before the next one, so that nobody waits for it.
func (c *connection) reset() error {
	if !c.open {
		return nil
	}
	c.open = false
	c.wire.within(c.cfg.Timeouts.Command)
	return c.smtp.Reset()
}

// transfer is what the peer offers to carry.
func (c *connection) transfer() Transfer {
	eight, _ := c.smtp.Extension("8BITMIME")
	binary, _ := c.smtp.Extension("BINARYMIME")
	chunking, _ := c.smtp.Extension("CHUNKING")
	return Transfer{EightBit: eight, Binary: binary && chunking && !c.cfg.NoBinary}
}

// envelope says MAIL and RCPT, all at once where the peer takes that. It is well when at least one recipient was taken; refusals are the others.
func (c *connection) envelope(mail Mail, doc *document) (refusals []Refusal, phase Phase, err error) {
	commands := make([]string, 0, len(mail.To)+1)
	commands = append(commands, c.mailCommand(mail, doc))
	for _, to := range mail.To {
		commands = append(commands, "RCPT TO:<"+to.String()+">")
	}
	pipelined, _ := c.smtp.Extension("PIPELINING")
	text := c.smtp.Text
	c.wire.within(c.cfg.Timeouts.Command)
	if pipelined {
		if err := c.say(commands...); err != nil {
			return nil, PhaseMail, err
		}
	}
	var first error // of the recipients' refusals; a temporary one goes before others
	for i, command := range commands {
		c.wire.within(c.cfg.Timeouts.Command)
		if !pipelined {
			if err := c.say(command); err != nil {
				return nil, PhaseMail, err
			}
		}
		_, _, err := text.ReadResponse(25)
		err = asReply(err)
		said := (*reply)(nil)
		switch {
		case err == nil:
		case i == 0 && pipelined && errors.As(err, &said) && said.proper():
			return nil, PhaseMail, c.skip(len(commands)-1, err)
		case i == 0:
			return nil, PhaseMail, err
		case !errors.As(err, &said) || !said.proper():
			return nil, PhaseRcpt, err
		default:
			refusals = append(refusals, Refusal{mail.To[i-1], said.code, said.text, said.temporary()})
			if first == nil || said.temporary() {
				first = err
			}
		}
	}
	if len(refusals) == len(mail.To) {
		return nil, PhaseRcpt, first
	}
	return refusals, PhaseData, nil
}

// skip reads the answers to commands that were sent along with one that failed, and returns why that failed.
func (c *connection) skip(answers int, err error) error {
	for range answers {
		_, _, lost := c.smtp.Text.ReadResponse(0)
		if protocol := (*textproto.Error)(nil); lost != nil && !errors.As(lost, &protocol) {
			return lost
		}
	}
	return err
}

func (c *connection) mailCommand(mail Mail, doc *document) string {
	command := "MAIL FROM:<" + mail.from().String() + ">"
	switch {
	case doc.transfer.Binary:
		command += " BODY=BINARYMIME"
	case doc.transfer.EightBit:
		command += " BODY=8BITMIME"
	}
	if ok, _ := c.smtp.Extension("SIZE"); ok && doc.size() > 0 {
		command += " SIZE=" + strconv.FormatInt(doc.size(), 10)
	}
	return command
}

func (c *connection) say(commands ...string) error {
	for _, command := range commands {
		if _, err := c.smtp.Text.W.WriteString(command + "\r\n"); err != nil {
			return err
		}
	}
	return c.smtp.Text.W.Flush()
}

// content sends the message itself. Up to the end of the content the phase is PhaseData; from when that may have left, it is PhaseFinal.
func (c *connection) content(doc *document) (Phase, error) {
	if doc.transfer.Binary {
		return c.chunks(doc)
	}
	text := c.smtp.Text
	c.wire.within(c.cfg.Timeouts.Command)
	if err := c.say("DATA"); err != nil {
		return PhaseData, err
	}
	if _, _, err := text.ReadResponse(354); err != nil {
		return PhaseData, err
	}
	dots := text.DotWriter()
	c.wire.piece = c.cfg.Timeouts.Data
	err := doc.write(dots)
	if err == nil {
		err = text.W.Flush() // what fails here was not the end
	}
	c.wire.piece = 0
	if err != nil {
		return PhaseData, c.early(err)
	}
	c.wire.within(c.cfg.Timeouts.Final)
	if err := dots.Close(); err != nil {
		return PhaseFinal, err
	}
	_, _, err = text.ReadResponse(2)
	return PhaseFinal, err
}

// early looks whether a peer that cut the connection amid the content said why before: a size that it does not take is no reason to try again.
func (c *connection) early(err error) error {
	if broken := (*SourceError)(nil); errors.As(err, &broken) {
		return err
	}
	c.wire.within(time.Second)
	_, _, said := c.smtp.Text.ReadResponse(2)
	if protocol := (*textproto.Error)(nil); errors.As(said, &protocol) && protocol.Code/100 >= 4 {
		return said
	}
	return err
}

// chunk is how much content goes with one BDAT.
const chunk = 256 << 10

// chunks sends the content with BDAT. RFC 3030.
func (c *connection) chunks(doc *document) (Phase, error) {
	w := &chunkWriter{c: c}
	if c.buf == nil {
		c.buf = bufio.NewWriterSize(nil, chunk)
	}
	c.buf.Reset(w)
	if err := doc.write(c.buf); err != nil {
		return PhaseData, err
	}
	w.last = true
	c.wire.within(c.cfg.Timeouts.Final)
	if c.buf.Buffered() == 0 {
		_, err := w.Write(nil)
		return PhaseFinal, err
	}
	return PhaseFinal, c.buf.Flush()
}

// chunkWriter is below the buffer that gathers content into chunks.
type chunkWriter struct {
	c    *connection
	last bool
}

// Write sends one chunk and waits for its answer.
func (s *chunkWriter) Write(p []byte) (int, error) {
	c := s.c
	command := "BDAT " + strconv.Itoa(len(p))
	if s.last {
		command += " LAST"
	}
	w := c.smtp.Text.W
	if _, err := io.WriteString(w, command+"\r\n"); err != nil {
		return 0, err
	}
	if !s.last {
		c.wire.piece = c.cfg.Timeouts.Data
		defer func() { c.wire.piece = 0 }()
	}
	if _, err := w.Write(p); err != nil {
		return 0, err
	}
	if err := w.Flush(); err != nil {
		return 0, err
	}
	if _, _, err := c.smtp.Text.ReadResponse(2); err != nil {
		return 0, err
	}
	return len(p), nil
}
