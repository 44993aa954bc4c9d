package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// nodeProgram is a script that runs in Node and says JSON lines.
type nodeProgram struct {
	stdin io.WriteCloser
	lines chan json.RawMessage

	mu     sync.Mutex
	stderr strings.Builder
}

// node starts one of the scripts in the folder node. It ends with the test.
func node(t testing.TB, script string, env ...string) *nodeProgram {
	t.Helper()
	if _, err := os.Stat(filepath.Join("node", "node_modules", "plivo")); err != nil {
		t.Fatal("the npm packages of the end-to-end tests are not installed; ./scripts/test installs them")
	}
	cmd := exec.Command("node", script)
	cmd.Dir = "node"
	cmd.Env = append(os.Environ(), env...)
	n := &nodeProgram{lines: make(chan json.RawMessage, 100_000)}
	cmd.Stderr = (*stderrWriter)(n)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if n.stdin, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("node %s: %v; ./scripts/test installs Node", script, err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		lines := bufio.NewScanner(stdout)
		lines.Buffer(nil, 1<<22)
		for lines.Scan() {
			n.lines <- append(json.RawMessage(nil), lines.Bytes()...)
		}
	}()
	t.Cleanup(func() {
		_ = n.stdin.Close()
		<-read
		_ = cmd.Wait()
		if said := n.said(); t.Failed() && said != "" {
			t.Logf("node %s said:\n%s", script, said)
		}
	})
	return n
}

// stderrWriter takes standard error.
type stderrWriter nodeProgram

func (w *stderrWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stderr.Write(b)
}

func (n *nodeProgram) said() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.stderr.String()
}

// next decodes the script's next line.
func (n *nodeProgram) next(t testing.TB, into any) {
	t.Helper()
	select {
	case line := <-n.lines:
		if err := json.Unmarshal(line, into); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	case <-time.After(patience):
		t.Fatalf("the script says nothing; on standard error:\n%s", n.said())
	}
}

// port is the port on which the script listens: its first line.
func (n *nodeProgram) port(t testing.TB) int {
	t.Helper()
	var line struct{ Listening int }
	n.next(t, &line)
	if line.Listening == 0 {
		t.Fatal("the script does not listen")
	}
	return line.Listening
}

// officialClient is the official Node client against a server.
type officialClient struct{ *nodeProgram }

func newOfficialClient(t testing.TB, url string) officialClient {
	t.Helper()
	return officialClient{node(t, "client.js", "SERVER_URL="+witnessed(t, url), "AUTH_ID="+authID, "AUTH_TOKEN="+authToken)}
}

// clientError is what the client throws.
type clientError struct {
	Name, Kind, Message string
	Status              any
}

// call makes the client call a method of a resource, and further methods of what comes back; see client.js.
func (c officialClient) call(t testing.TB, into any, steps ...[]any) *clientError {
	t.Helper()
	line, err := json.Marshal(map[string]any{"steps": steps})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.stdin.Write(append(line, '\n')); err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Result json.RawMessage
		Error  *clientError
	}
	c.next(t, &answer)
	if answer.Error != nil || into == nil {
		return answer.Error
	}
	if err := json.Unmarshal(answer.Result, into); err != nil {
		t.Fatalf("%s: %v", answer.Result, err)
	}
	return nil
}

// must is call where nothing may go wrong.
func (c officialClient) must(t testing.TB, into any, steps ...[]any) {
	t.Helper()
	if err := c.call(t, into, steps...); err != nil {
		t.Fatalf("%v: %s (%s, status %v)", steps, err.Message, err.Kind, err.Status)
	}
}

// list makes a JSON array.
func list(values ...any) []any { return values }
