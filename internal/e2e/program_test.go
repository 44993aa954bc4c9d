package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is the path of the built binary.
var program string

func TestMain(m *testing.M) {
	os.Exit(testMain(m))
}

func testMain(m *testing.M) int {
	folder, err := os.MkdirTemp("", "heliograph-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	program = filepath.Join(folder, "heliograph")
	build := exec.Command("go", "build", buildMode, "-o", program, "github.com/heliograph/heliograph/cmd/heliograph")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the program: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// patience bounds every wait for something that must happen. It is generous: no test depends on how fast the machine is.
const patience = 90 * time.Second

// Credentials that the tests' servers are started with.
const (
	authID     = "MAE2ETESTACCOUNT0001"
	authToken  = "e2e-token-of-forty-printable-characters_"
	adminToken = "e2e-operator-token"
)

// process is a running program whose lines on standard error (its log) and standard output are kept.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}

	mu    sync.Mutex
	lines []string // of the log
	out   bytes.Buffer
	fresh chan struct{} // closed and replaced when a line came
	err   error         // how it ended; set before ended is closed
}

// start runs the program.
func start(t testing.TB, env []string, args ...string) *process {
	t.Helper()
	return launch(t, env, exec.Command(program, args...))
}

// launch runs a command that is, or becomes, the program. It is killed at the end of the test if it is still there.
func launch(t testing.TB, env []string, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{cmd: cmd, ended: make(chan struct{}), fresh: make(chan struct{})}
	p.cmd.Env = append(cleanEnvironment(), env...)
	log, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stdout = (*outputWriter)(p)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go p.watch(log)
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
		if strings.Contains(p.log(), "DATA RACE") {
			t.Error("the program has a data race")
		}
		if t.Failed() {
			t.Logf("log of %s:\n%s", strings.Join(cmd.Args, " "), p.log())
		}
	})
	return p
}

// cleanEnvironment is this process's environment without settings of the program.
func cleanEnvironment() []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "HELIOGRAPH_") {
			env = append(env, v)
		}
	}
	return env
}

// outputWriter takes standard output.
type outputWriter process

func (w *outputWriter) Write(b []byte) (int, error) {
	p := (*process)(w)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stir()
	return p.out.Write(b)
}

// stir wakes those who wait for something to come. Guarded by mu.
func (p *process) stir() {
	close(p.fresh)
	p.fresh = make(chan struct{})
}

func (p *process) watch(log io.Reader) {
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		p.mu.Lock()
		p.lines = append(p.lines, lines.Text())
		p.stir()
		p.mu.Unlock()
	}
	p.err = p.cmd.Wait()
	close(p.ended)
}

func (p *process) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines, "\n")
}

func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// await waits until the condition holds for what the process said so far.
func (p *process) await(t testing.TB, what string, condition func(lines []string, output string) bool) {
	t.Helper()
	deadline := time.After(patience)
	for {
		p.mu.Lock()
		met, fresh := condition(p.lines, p.out.String()), p.fresh
		p.mu.Unlock()
		if met {
			return
		}
		select {
		case <-fresh:
		case <-p.ended:
			t.Fatalf("the program ended (%v) before %s; its log:\n%s", p.err, what, p.log())
		case <-deadline:
			t.Fatalf("%s did not come; the log:\n%s", what, p.log())
		}
	}
}

// url is where the server listens.
func (p *process) url(t testing.TB) string {
	t.Helper()
	found := ""
	p.await(t, "the line that it listens", func(lines []string, _ string) bool {
		for _, text := range lines {
			var line struct{ Msg, URL string }
			if json.Unmarshal([]byte(text), &line) == nil && line.Msg == "listening" {
				found = line.URL
			}
		}
		return found != ""
	})
	return found
}

// kill ends the process as a power cut would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// terminate asks the process to stop and gives its exit status and how long it took.
func (p *process) terminate(t testing.TB) (status int, took time.Duration) {
	t.Helper()
	begin := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	return p.wait(t), time.Since(begin)
}

// wait waits until the process ends and gives its exit status.
func (p *process) wait(t testing.TB) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Fatalf("the program does not end; its log:\n%s", p.log())
	}
	return p.cmd.ProcessState.ExitCode()
}

// credentials is the environment of a server with the tests' credentials.
func credentials() []string {
	return []string{"HELIOGRAPH_AUTH_ID=" + authID, "HELIOGRAPH_AUTH_TOKEN=" + authToken, "HELIOGRAPH_ADMIN_TOKEN=" + adminToken}
}

// serve starts a server on a free port, with a folder of its own and a configuration (YAML, may be empty: a development install).
func serve(t testing.TB, data, config string) *process {
	t.Helper()
	args := []string{"serve", "--listen", "127.0.0.1:0", "--data", data}
	if config != "" {
		file := filepath.Join(t.TempDir(), "heliograph.yaml")
		if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", file)
	}
	return start(t, credentials(), args...)
}

// smppConfig is a configuration with one SMPP carrier; more holds further settings of it.
func smppConfig(address, more string) string {
	return fmt.Sprintf("carriers:\n  - {name: main, protocol: smpp, address: %q, system_id: e2e, password: secret, %s}\n", address, more)
}

// within is a context that ends with the test's patience.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}
