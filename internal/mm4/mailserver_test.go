package mm4_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/mm4"
	"github.com/heliograph/heliograph/internal/mm4/mm4test"
)

// A mail server that is not ours, between us and the hub, in both directions: Debian's Exim. Mail for hub.example goes to the hub, that for
// us.example to our server. It is given its connections by this test, as inetd would, and works its queue when this test says so, so that no
// process of it is left behind.
type exim struct {
	t      *testing.T
	binary string
	config string
	as     *syscall.Credential // nil: as ourselves
}

const eximConfig = `
exim_path = BINARY
exim_user = USER
exim_group = GROUP
primary_hostname = relay.example
spool_directory = FOLDER/spool
log_file_path = FOLDER/%s.log
deliver_drop_privilege = true
keep_environment =
tls_advertise_hosts =
accept_8bitmime = true
message_size_limit = 20M
queue_only = true
acl_smtp_rcpt = take
acl_smtp_data = take
begin acl
take:
  accept
begin routers
hub:
  driver = manualroute
  domains = hub.example
  transport = to_hub
  route_list = * 127.0.0.1
  self = send
us:
  driver = manualroute
  domains = us.example
  transport = to_us
  route_list = * 127.0.0.1
  self = send
begin transports
to_hub:
  driver = smtp
  port = HUBPORT
  allow_localhost
to_us:
  driver = smtp
  port = USPORT
  allow_localhost
begin retry
* * F,1h,1s
`

// newExim prepares one that relays to these addresses. Its folder and its user are the test's.
func newExim(t *testing.T, hub, us string) *exim {
	t.Helper()
	installed, err := exec.LookPath("/usr/sbin/exim4")
	if err != nil {
		t.Fatalf("this test needs Debian's exim4-daemon-light, which scripts/test installs: %v", err)
	}
	folder := t.TempDir()
	e := &exim{t: t, binary: filepath.Join(folder, "exim4"), config: filepath.Join(folder, "config")}
	program, err := os.ReadFile(installed)
	if err != nil {
		t.Fatal(err)
	}
	e.write(e.binary, program, 0o755) // a copy without its setuid bit: it stays who it is
	name := e.user()
	account, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	config := strings.NewReplacer("BINARY", e.binary, "FOLDER", folder, "USER", account.Uid, "GROUP", account.Gid,
		"HUBPORT", port(t, hub), "USPORT", port(t, us)).Replace(eximConfig)
	e.write(e.config, []byte(config), 0o644)
	if e.as != nil {
		for _, path := range []string{folder, e.binary, e.config} {
			if err := os.Chown(path, int(e.as.Uid), int(e.as.Gid)); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chmod(filepath.Dir(folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if logs, _ := filepath.Glob(filepath.Join(folder, "*.log")); t.Failed() {
			for _, log := range logs {
				text, _ := os.ReadFile(log)
				t.Logf("%s:\n%s", filepath.Base(log), text)
			}
		}
	})
	return e
}

// user is who it runs as: nobody when we are root, since it gives root up and would not find its folder.
func (e *exim) user() string {
	if os.Getuid() == 0 {
		e.as = &syscall.Credential{Uid: 65534, Gid: 65534, NoSetGroups: false}
		return "nobody"
	}
	self, err := user.Current()
	if err != nil {
		e.t.Fatal(err)
	}
	return self.Username
}

func (e *exim) write(path string, content []byte, mode os.FileMode) {
	e.t.Helper()
	if err := os.WriteFile(path, content, mode); err != nil {
		e.t.Fatal(err)
	}
}

func port(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func (e *exim) command(args ...string) *exec.Cmd {
	cmd := exec.Command(e.binary, append([]string{"-C", e.config}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: e.as}
	cmd.Dir = filepath.Dir(e.config)
	return cmd
}

// work delivers what is in the queue, and returns when it tried everything.
func (e *exim) work() {
	e.t.Helper()
	if out, err := e.command("-qf").CombinedOutput(); err != nil {
		e.t.Fatalf("its queue: %v\n%s", err, out)
	}
}

// serve gives it the connections to a listener, one process each.
func (e *exim) serve(ctx context.Context, listener net.Listener) error {
	var sessions sync.WaitGroup
	defer sessions.Wait()
	defer context.AfterFunc(ctx, func() { _ = listener.Close() })()
	for {
		conn, err := listener.Accept()
		if err != nil {
			return nil
		}
		sessions.Go(func() {
			if err := e.session(ctx, conn); err != nil {
				e.t.Errorf("its session: %v", err)
			}
		})
	}
}

func (e *exim) session(ctx context.Context, conn net.Conn) error {
	defer func() { _ = conn.Close() }()
	file, err := conn.(*net.TCPConn).File()
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	var trouble bytes.Buffer
	cmd := e.command("-bs")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = file, file, &trouble
	if err := cmd.Start(); err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.(*net.TCPConn).CloseRead() })() // it sees the end, and ends
	if err := cmd.Wait(); err != nil && ctx.Err() == nil && trouble.Len() > 0 {
		return fmt.Errorf("%w: %s", err, trouble.String())
	}
	return nil
}

// Messages, responses and reports pass a real mail server unharmed, and come again when the first try is refused for the time being.
func TestThroughRealMailServer(t *testing.T) {
	in := &inbox{}
	ours, _ := newServer(t, mm4.ServerConfig{Name: "us.example", Handler: in.handler()})
	relay, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hub := newHub(t, mm4test.Config{
		Back: &mm4.ClientConfig{Address: relay.Addr().String(), Name: "hub.example", RetryFirst: time.Millisecond}, RetryDelay: 5 * time.Millisecond, Retries: 1000,
		Fate: func(to mm4.Address) mm4test.Fate {
			if to.User == "+14155550125" {
				return mm4test.Fate{MM: mm4.Rejected, Text: "übervoll", Read: true}
			}
			return mm4test.Fate{Read: true}
		},
	})
	mta := newExim(t, hub.Addr(), ours)
	run(t, func(ctx context.Context) error { return mta.serve(ctx, relay) })
	client := newClient(t, mm4.ClientConfig{Address: relay.Addr().String(), Connections: 2})

	picture := bytes.Repeat([]byte("\x00\r\n.\r\n\xff\xd8From x\n"), 20_000)
	mail := forward("1", "+14155550124", "+14155550125")
	message := mail.Message.(*mm4.Forward)
	message.Subject, message.ReadReply = "Grüße aus 東京, und noch viel mehr, damit es über eine Zeile hinausgeht", true
	message.Parts = append(message.Parts, mm4.Part{Type: "image/jpeg", Name: "größe.jpg", Size: int64(len(picture)), Open: opened(picture)})
	if out := submit(t, client, mail); out.Status != mm4.Accepted {
		t.Fatalf("%+v", out)
	}
	mta.work()
	checkRelayed(t, hub.Forwards(), message, picture)

	in.fail(errors.New("the disk is full for now"))
	waitUntil(t, func() bool {
		c := hub.Counters()
		return c.ResponsesSent == 1 && c.ReportsSent == 2 && c.ReadsSent == 2
	})
	mta.work()
	if got := in.counts(); got != [4]int{} {
		t.Fatalf("what was not kept is counted: %v", got)
	}
	in.fail(nil)
	mta.work()
	if got := in.counts(); got != [4]int{0, 1, 2, 2} {
		t.Fatalf("after the second try we have %v", got)
	}
	if r := in.responses[0]; r.Status != mm4.Ok || r.TransactionID != "t-1" || r.MessageID != "m-1" {
		t.Errorf("%+v", r)
	}
	for _, r := range in.reports {
		want := map[string]mm4.MMStatus{"+14155550124": mm4.Retrieved, "+14155550125": mm4.Rejected}[r.From.User]
		if r.Status != want || r.MessageID != "m-1" || want == mm4.Rejected && r.Text != "übervoll" {
			t.Errorf("%+v", r)
		}
	}
}

// checkRelayed compares what the hub got with what was sent.
func checkRelayed(t *testing.T, got []mm4test.Forward, sent *mm4.Forward, picture []byte) {
	t.Helper()
	if len(got) != 1 {
		t.Fatalf("the hub has %d messages", len(got))
	}
	f := got[0]
	if len(f.Envelope) != 2 || f.Message.Subject != sent.Subject || f.Message.From != sent.From || f.Message.OriginatorSystem != us {
		t.Errorf("%+v", f.Message)
	}
	if len(f.Parts) != 4 || !bytes.Equal(f.Parts[3].Content, picture) || f.Parts[3].Name != "größe.jpg" {
		t.Errorf("%d parts, %d octets", len(f.Parts), f.Octets)
	}
	if string(f.Parts[1].Content) != ".\r\n..\r\n.é\r\n" {
		t.Errorf("the text is %q", f.Parts[1].Content)
	}
}
