package mm4

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// ServerConfig is what our side of MM4 takes from peers. Zero values are replaced by the defaults in the comments.
type ServerConfig struct {
	Name    string   // our host, in the greeting
	Domains []string // whose recipients are ours
	// Networks are those that peers come from. Empty: any, and then they must authenticate.
	Networks []netip.Prefix
	// User and Password are what peers authenticate with; empty: they need not, their network is enough.
	User, Password string
	AuthInClear    bool        // a password may come over a connection without TLS
	TLS            *tls.Config // offered as STARTTLS; with TLSImplicit, from the first octet
	Mode           TLSMode     // with TLSStart nothing is taken before STARTTLS

	Sessions   int           // connections at once; more are told to come again (50)
	MaxOctets  int64         // of one mail (10 MiB)
	Recipients int           // of one mail's envelope (100)
	Command    time.Duration // between our answer and the end of the next command (1 min)
	Data       time.Duration // between two pieces of content (1 min)
	Whole      time.Duration // for the content of one mail (10 min)
	Limits     Limits
	Drain      time.Duration // how long Serve waits for the mails in hand when its context ends (5 s)

	Handler Handler
	Logger  *slog.Logger // nil: silence. It is told of refusals, never of content or numbers
}

// Handler takes what peers send. The peer is told that a mail is accepted only after the function returned nil; an error makes it try again
// later, unless it is a *PermanentError, as Refuse makes. A function that is nil refuses what it would take. They are called from many goroutines;
// ctx ends when the server must stop.
type Handler struct {
	// Forward takes a message. It reads the body's parts up to io.EOF, and only then knows that the mail was whole.
	Forward func(ctx context.Context, envelope Envelope, forward *Forward, body *Body) error
	// Response takes the answer to one of our requests.
	Response func(ctx context.Context, envelope Envelope, response *Response) error
	// DeliveryReport and ReadReply take reports about messages that we forwarded.
	DeliveryReport func(ctx context.Context, envelope Envelope, report *DeliveryReport) error
	ReadReply      func(ctx context.Context, envelope Envelope, report *ReadReply) error
}

// Envelope is how a mail came.
type Envelope struct {
	Peer netip.Addr
	From Address   // MAIL FROM; zero when it is empty or no address of MM4
	To   []Address // RCPT TO: those that we are to serve
}

// Reply makes the mail that answers a request: r is what the request's Respond made, sender our own system address. It goes where the request
// says, else where the request came from; ok is false when neither is an address.
func (e Envelope) Reply(r *Response, sender Address, now time.Time) (mail Mail, ok bool) {
	if r.To.Host == "" {
		r.To = e.From
	}
	r.Sender, r.Date = sender, now
	return Mail{From: sender, To: []Address{r.To}, Message: r}, r.To.Host != ""
}

// PermanentError makes the server refuse a mail for good.
type PermanentError struct {
	Code int // 5xx
	Text string
}

func (e *PermanentError) Error() string { return fmt.Sprintf("mm4: refused: %d %s", e.Code, e.Text) }

// Refuse is the error with which a handler refuses a mail for good. Text is said to the peer.
func Refuse(text string) error { return &PermanentError{554, text} }

func (c *ServerConfig) setDefaults() {
	for _, d := range []struct {
		at    *time.Duration
		value time.Duration
	}{{&c.Command, time.Minute}, {&c.Data, time.Minute}, {&c.Whole, 10 * time.Minute}, {&c.Drain, 5 * time.Second}} {
		if *d.at <= 0 {
			*d.at = d.value
		}
	}
	if c.Sessions <= 0 {
		c.Sessions = 50
	}
	if c.MaxOctets <= 0 {
		c.MaxOctets = 10 << 20
	}
	if c.Recipients <= 0 {
		c.Recipients = 100
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
}

// Server takes mail from peers. Make it with NewServer.
type Server struct {
	cfg  ServerConfig
	smtp *smtp.Server

	mu      sync.Mutex
	stopped bool
	inHand  sync.WaitGroup // mails being taken; Add under mu while not stopped
	ctx     context.Context
}

// NewServer checks a configuration.
func NewServer(cfg ServerConfig) (*Server, error) {
	cfg.setDefaults()
	switch {
	case cfg.Name == "" || !only(cfg.Name, isHostChar):
		return nil, errors.New("mm4: the server's name is no host name")
	case len(cfg.Domains) == 0:
		return nil, errors.New("mm4: a server without a domain takes nothing")
	case len(cfg.Networks) == 0 && cfg.User == "":
		return nil, errors.New("mm4: a server must know its peers by network or by password")
	case (cfg.User == "") != (cfg.Password == ""):
		return nil, errors.New("mm4: a user and a password belong together")
	case cfg.Mode != TLSNone && cfg.TLS == nil:
		return nil, errors.New("mm4: TLS without a certificate")
	case cfg.User != "" && cfg.TLS == nil && !cfg.AuthInClear:
		return nil, errors.New("mm4: a password would come over the network in clear")
	}
	srv := &Server{cfg: cfg}
	srv.smtp = smtp.NewServer(smtp.BackendFunc(srv.newSession))
	srv.smtp.Domain = cfg.Name
	srv.smtp.MaxMessageBytes = cfg.MaxOctets
	srv.smtp.MaxRecipients = cfg.Recipients
	srv.smtp.MaxLineLength = 0 // the library counts the octets of BDAT for a line: guest bounds commands instead
	srv.smtp.AllowInsecureAuth = cfg.AuthInClear
	srv.smtp.EnableBINARYMIME = true
	srv.smtp.ErrorLog = troubleLog{cfg.Logger}
	if cfg.Mode != TLSImplicit {
		srv.smtp.TLSConfig = cfg.TLS
	}
	return srv, nil
}

// troubleLog is what the library says about connections: addresses and errors, and the stack of a handler that panicked.
type troubleLog struct{ log *slog.Logger }

// Printf logs.
func (l troubleLog) Printf(format string, args ...any) {
	l.log.Warn("mm4 connection", "trouble", mask(fmt.Sprintf(format, args...)))
}

// Println logs.
func (l troubleLog) Println(args ...any) {
	l.log.Warn("mm4 connection", "trouble", mask(fmt.Sprint(args...)))
}

// Serve takes connections until ctx ends or the listener fails for good, once. It closes the listener. Mails in hand then have Drain to come to
// their end; Serve returns when every session and every call of the handler has ended.
func (srv *Server) Serve(ctx context.Context, listener net.Listener) error {
	hard, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	srv.ctx = hard
	door := &door{Listener: listener, cfg: &srv.cfg, guests: map[*guest]struct{}{}}
	failed := make(chan error, 1)
	var serving sync.WaitGroup
	serving.Go(func() { failed <- srv.smtp.Serve(door) })
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	srv.stop(hard, cut, door)
	serving.Wait()
	return err
}

// stop lets what is in hand come to its end, for a while, and then cuts what is left. The library is closed last, when no connection is left: closing one, it
// touches without a lock what the goroutine that serves the connection works with.
func (srv *Server) stop(hard context.Context, cut context.CancelFunc, door *door) {
	srv.mu.Lock()
	srv.stopped = true
	srv.mu.Unlock()
	drain := time.AfterFunc(srv.cfg.Drain, cut)
	defer drain.Stop()
	defer context.AfterFunc(hard, door.cut)()
	_ = door.Listener.Close() // a close that fails leaves nothing to do
	srv.inHand.Wait()
	door.clear()
	_ = srv.smtp.Close() // its errors are that it was closed before, and the listener
}

// enter counts a mail that is being taken.
func (srv *Server) enter() bool {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if srv.stopped {
		return false
	}
	srv.inHand.Add(1)
	return true
}

// door lets connections in: those of peers, as many as there are places for.
type door struct {
	net.Listener
	cfg    *ServerConfig
	inside sync.WaitGroup

	mu     sync.Mutex
	shut   bool
	guests map[*guest]struct{}
}

// Accept gives the next connection that may come in.
func (d *door) Accept() (net.Conn, error) {
	for {
		conn, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		peer := peerOf(conn)
		if !d.known(peer) {
			d.cfg.Logger.Warn("mm4 connection from a network that is no peer's", "peer", peer)
			turnAway(conn, "554 5.7.1 no service for you\r\n")
			continue
		}
		g := d.enter(conn)
		if g == nil {
			d.cfg.Logger.Warn("mm4 connection beyond the limit", "peer", peer, "limit", d.cfg.Sessions)
			turnAway(conn, "421 4.3.2 too many connections, try again later\r\n")
			continue
		}
		if d.cfg.Mode == TLSImplicit {
			return tls.Server(g, d.cfg.TLS), nil
		}
		return g, nil
	}
}

// enter gives a connection a place, nil when there is none.
func (d *door) enter(conn net.Conn) *guest {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut || len(d.guests) >= d.cfg.Sessions {
		return nil
	}
	g := &guest{Conn: conn, cfg: d.cfg, door: d}
	g.answered()
	d.guests[g] = struct{}{}
	d.inside.Add(1)
	return g
}

// leave gives the place back, once.
func (d *door) leave(g *guest) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, in := d.guests[g]; in {
		delete(d.guests, g)
		d.inside.Done()
	}
}

// clear lets no connection in and ends those that are there, each after the answer that is on its way, and waits until all are closed.
func (d *door) clear() {
	for _, g := range d.shutDoor() {
		g.stop()
	}
	d.inside.Wait()
}

// cut closes all connections at once. Who serves one finds out, and gives its place back.
func (d *door) cut() {
	for _, g := range d.shutDoor() {
		_ = g.Conn.Close() // a close that fails leaves nothing to do
	}
}

// shutDoor lets no more connections in and gives those that are there.
func (d *door) shutDoor() []*guest {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shut = true
	return slices.Collect(maps.Keys(d.guests))
}

func (d *door) known(peer netip.Addr) bool {
	return len(d.cfg.Networks) == 0 || slices.ContainsFunc(d.cfg.Networks, func(n netip.Prefix) bool { return n.Contains(peer) })
}

// turnAway says why and closes, without waiting for the other side.
func turnAway(conn net.Conn, why string) {
	_ = conn.SetDeadline(time.Now().Add(time.Second)) // none of these three can do more than fail on a connection
	_, _ = conn.Write([]byte(why))                    // that is given up anyway
	_ = conn.Close()
}

func peerOf(conn net.Conn) netip.Addr {
	if at, err := netip.ParseAddrPort(conn.RemoteAddr().String()); err == nil {
		return at.Addr().Unmap()
	}
	return netip.Addr{}
}

// guest is a peer's connection, below TLS. Time is given for whole steps, so that nothing is gained by sending slowly: a command must be there a
// while after our last answer; content must keep coming, and come to its end. What comes between two answers is bounded in size.
type guest struct {
	net.Conn
	cfg  *ServerConfig
	door *door

	mu      sync.Mutex
	expires time.Time // of the command
	said    int       // octets read since our last answer
	whole   time.Time // the end of the time for content; zero: no content is being read
	over    bool      // the content was read, or refused: our next answer ends it
	err     error     // of the first read that failed: what comes after a gap must not be taken for commands
}

// maxSaid is what a peer may say between two answers, content aside: pipelined commands, and the start of a chunk.
const maxSaid = 128 << 10

var errTalk = errors.New("mm4: the peer talks too much")

// answered begins the time for the next command.
func (g *guest) answered() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.expires, g.said = time.Now().Add(g.cfg.Command), 0
	if g.over {
		g.whole, g.over = time.Time{}, false
	}
}

// content begins the time for content, and done ends it with the next answer.
func (g *guest) content() (done func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.whole, g.over = time.Now().Add(g.cfg.Whole), false
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.over = true
	}
}

// stop has every further read fail, the one that waits included.
func (g *guest) stop() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err == nil {
		g.err = errStopping
	}
	_ = g.SetReadDeadline(time.Now()) // fails only on a closed connection, which needs none
}

var errStopping = errors.New("mm4: the server stops")

// begin begins a read: it gives it the time that it may take.
func (g *guest) begin() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	until, err := g.next()
	if err != nil {
		return err
	}
	return g.SetReadDeadline(until)
}

// next is until when a read may take. Guarded by mu.
func (g *guest) next() (time.Time, error) {
	if g.err != nil {
		return time.Time{}, g.err
	}
	if g.whole.IsZero() {
		if g.said > maxSaid {
			return time.Time{}, errTalk
		}
		return g.expires, nil
	}
	if soon := time.Now().Add(g.cfg.Data); soon.Before(g.whole) {
		return soon, nil
	}
	return g.whole, nil
}

// Read reads in time.
func (g *guest) Read(p []byte) (int, error) {
	if err := g.begin(); err != nil {
		return 0, err
	}
	n, err := g.Conn.Read(p)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.said += n
	if g.err == nil {
		g.err = err
	}
	return n, err
}

// Write writes in time.
func (g *guest) Write(p []byte) (int, error) {
	if err := g.SetWriteDeadline(time.Now().Add(g.cfg.Command)); err != nil {
		return 0, err
	}
	n, err := g.Conn.Write(p)
	g.answered()
	return n, err
}

// Close gives the place back.
func (g *guest) Close() error {
	err := g.Conn.Close()
	g.door.leave(g)
	return err
}
