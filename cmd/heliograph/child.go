package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// child is a server in a process of its own: this program, run once more. Its log is read for the line that says where it listens; the end of
// it is kept for when something goes wrong.
type child struct {
	cmd        *exec.Cmd
	configFile string
	env        []string // beside this process's
	logTo      io.Writer
	url        string
	ended      chan struct{}

	mu   sync.Mutex
	tail []string
	err  error // of the process, set before ended is closed
}

// Bounds of a child's life.
const (
	childStart = 30 * time.Second
	childStop  = 12 * time.Second
	tailLines  = 20
)

// startServer runs "serve" with a configuration file and waits until it listens.
func startServer(ctx context.Context, configFile string, env []string, logTo io.Writer) (*child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.Command(program, "serve", "--config", configFile), configFile: configFile, env: env, logTo: logTo, ended: make(chan struct{})}
	c.cmd.Env = append(withoutSettings(os.Environ()), env...)
	stderr, err := c.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	listening := make(chan string, 1)
	go c.watch(stderr, logTo, listening)
	select {
	case c.url = <-listening:
		return c, nil
	case <-c.ended:
		return nil, fmt.Errorf("the server ended at once: %w\n%s", c.err, c.lastLines())
	case <-ctx.Done():
		err = ctx.Err()
	case <-time.After(childStart):
		err = fmt.Errorf("the server does not listen after %s\n%s", childStart, c.lastLines())
	}
	c.stop()
	return nil, err
}

// again starts a server that has ended once more.
func (c *child) again(ctx context.Context) (*child, error) {
	<-c.ended
	return startServer(ctx, c.configFile, c.env, c.logTo)
}

// withoutSettings leaves out this process's own settings: the child has its own.
func withoutSettings(env []string) []string {
	var kept []string
	for _, variable := range env {
		if !strings.HasPrefix(variable, environmentPrefix) {
			kept = append(kept, variable)
		}
	}
	return kept
}

// watch reads the child's log until it ends.
func (c *child) watch(log io.Reader, copyTo io.Writer, listening chan<- string) {
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if copyTo != nil {
			fmt.Fprintln(copyTo, lines.Text())
		}
		c.keep(lines.Text())
		var line struct{ Msg, URL string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
			listening <- line.URL
		}
	}
	_, _ = io.Copy(io.Discard, log) // after a line that was too long the child must not block
	c.err = c.cmd.Wait()
	close(c.ended)
}

func (c *child) keep(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tail = append(c.tail, line); len(c.tail) > tailLines {
		c.tail = c.tail[1:]
	}
}

func (c *child) lastLines() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.tail, "\n")
}

// stop ends the child in order, and by force when it takes too long; its error is the child's.
func (c *child) stop() error {
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-c.ended:
	case <-time.After(childStop):
		_ = c.cmd.Process.Kill()
		<-c.ended
	}
	return c.err
}
