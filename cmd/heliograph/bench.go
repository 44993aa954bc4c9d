package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/heliograph/heliograph/internal/smpp/smpptest"
)

type benchCommand struct {
	URL        string `help:"Server to load; empty: one of our own with a pretend SMSC, in a throw-away folder." placeholder:"URL"`
	AuthID     string `help:"Account." env:"HELIOGRAPH_AUTH_ID" placeholder:"ID"`
	AuthToken  string `help:"Its token." env:"HELIOGRAPH_AUTH_TOKEN" placeholder:"TOKEN"`
	AdminToken string `help:"The operator's token: to set up senders and to read the queue." env:"HELIOGRAPH_ADMIN_TOKEN" placeholder:"TOKEN"`

	Messages    int           `short:"n" default:"20000" help:"Messages to send."`
	Connections int           `short:"c" default:"64" help:"Connections that send at once."`
	Senders     int           `default:"100" help:"Numbers in the powerpack, with unlimited rates."`
	Rate        float64       `default:"0" help:"Messages per second to send at; 0: as fast as they are taken."`
	Callbacks   bool          `default:"true" negatable:"" help:"Ask for status callbacks and wait for the final ones."`
	Text        string        `default:"Your code is 123456. It is valid for ten minutes." help:"What to send."`
	Patience    time.Duration `default:"30s" help:"Give up when nothing happens for this long."`
	JSON        string        `help:"Also write the result to this file." placeholder:"FILE"`

	Binds      int    `default:"2" help:"Binds to the pretend SMSC of a server of our own."`
	Window     int    `default:"200" help:"Window of each of them."`
	CPUProfile string `help:"Write a CPU profile of the server to this file." placeholder:"FILE"`
	Log        string `help:"Write the log of a server of our own to this file." placeholder:"FILE"`
}

// Run sends the load and prints what it measured.
func (c benchCommand) Run(ctx context.Context, std streams) error {
	if c.Messages < 1 || c.Connections < 1 || c.Senders < 1 || c.Senders > 1000 || c.Rate < 0 {
		return errors.New("messages and connections must be positive, senders 1 to 1000, the rate not negative")
	}
	target := &client{http: benchHTTP(c.Connections), url: c.URL, authID: c.AuthID, authToken: c.AuthToken, adminToken: c.AdminToken}
	if c.URL == "" {
		own, err := c.startOwn(ctx, target)
		if err != nil {
			return err
		}
		defer own()
	}
	if target.authID == "" || target.authToken == "" || target.adminToken == "" {
		return errors.New("--auth-id, --auth-token and --admin-token are needed with --url")
	}
	load, err := newLoad(ctx, &c, target)
	if err != nil {
		return err
	}
	result, err := load.run(ctx)
	if err = errors.Join(err, cleanUp(context.WithoutCancel(ctx), target)); err != nil {
		return err
	}
	result.print(std.out)
	if c.JSON != "" {
		text, err := json.MarshalIndent(result, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(c.JSON, append(text, '\n'), 0o644); err != nil {
			return err
		}
	}
	if result.Lost > 0 || result.Refused > 0 {
		return fmt.Errorf("%d messages were refused and %d did not come to their end", result.Refused, result.Lost)
	}
	return nil
}

func benchHTTP(connections int) *http.Client {
	return &http.Client{
		Timeout: time.Minute,
		Transport: &http.Transport{
			MaxIdleConns: connections, MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections, DisableCompression: true,
		},
	}
}

// startOwn starts a pretend SMSC in this process and a server in another, and points the client at it. What it gives ends both.
func (c *benchCommand) startOwn(ctx context.Context, target *client) (stop func(), err error) {
	var undo []func()
	stop = func() {
		for i := len(undo) - 1; i >= 0; i-- {
			undo[i]()
		}
	}
	fail := func(err error) (func(), error) { stop(); return nil, err }

	folder, err := os.MkdirTemp("", "heliograph-bench-")
	if err != nil {
		return nil, err
	}
	undo = append(undo, func() { _ = os.RemoveAll(folder) })
	smsc, err := smpptest.Listen(smpptest.Config{})
	if err != nil {
		return fail(err)
	}
	undo = append(undo, background(ctx, smsc.Run))
	var log io.Writer
	if c.Log != "" {
		file, err := os.Create(c.Log)
		if err != nil {
			return fail(err)
		}
		undo = append(undo, func() { _ = file.Close() })
		log = file
	}
	server, err := startOwnServer(ctx, folder, smsc.Addr(), fmt.Sprintf("binds: %d, window: %d", c.Binds, c.Window), target, log)
	if err != nil {
		return fail(err)
	}
	undo = append(undo, func() { _ = server.stop() })
	return stop, nil
}

// startOwnServer starts a server with one SMPP carrier in a folder, gives it fresh credentials and points the client at it.
func startOwnServer(ctx context.Context, folder, smsc, carrierSettings string, target *client, log io.Writer) (*child, error) {
	account := newCredentials(target)
	config := fmt.Sprintf(`listen: 127.0.0.1:0
data: %q
carriers:
  - {name: main, protocol: smpp, address: %q, system_id: heliograph, password: secret, %s}
`, filepath.Join(folder, "data"), smsc, carrierSettings)
	file := filepath.Join(folder, "heliograph.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	server, err := startServer(ctx, file, account, log)
	if err != nil {
		return nil, err
	}
	target.url = server.url
	return server, nil
}

// newCredentials makes credentials for a first start and gives them as the server's environment.
func newCredentials(target *client) []string {
	account := newAccount("own")
	target.authID, target.authToken, target.adminToken = string(account.ID), account.Token, account.Token
	return []string{
		environmentPrefix + "AUTH_ID=" + target.authID,
		environmentPrefix + "AUTH_TOKEN=" + target.authToken,
		environmentPrefix + "ADMIN_TOKEN=" + target.adminToken,
	}
}

// background runs a service until the function it gives is called, which returns when the service has ended.
func background(ctx context.Context, run func(context.Context) error) (stop func()) {
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = run(running)
	}()
	return func() { cancel(); <-ended }
}
