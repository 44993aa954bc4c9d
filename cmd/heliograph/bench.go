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

	Backlog         int           `default:"0" help:"Also measure a server of our own while this many messages wait in it."`
	BacklogSenders  int           `default:"1000" help:"Slow senders behind which they wait."`
	BacklogInterval time.Duration `default:"100s" help:"Time in which each of these sends one message."`

	inboundBench

	Binds      int    `default:"2" help:"Binds to the pretend SMSC of a server of our own."`
	Window     int    `default:"200" help:"Window of each of them."`
	CPUProfile string `help:"Write a CPU profile of the server to this file." placeholder:"FILE"`
	Log        string `help:"Write the log of a server of our own to this file." placeholder:"FILE"`

	MMS      int `name:"mms" default:"0" help:"Send MMS with a picture of about this many octets, through a pretend MMSC; 0: texts." placeholder:"OCTETS"`
	MMSLimit int `name:"mms-limit" default:"300000" help:"Octets that the MMSC of a server of our own takes." placeholder:"OCTETS"`

	folder string // of the data of a server of our own; empty: there is none
}

// Run sends the load and prints what it measured.
func (c benchCommand) Run(ctx context.Context, std streams) error {
	if c.Messages < 1 || c.Connections < 1 || c.Senders < 1 || c.Senders > 1000 || c.Rate < 0 {
		return errors.New("messages and connections must be positive, senders 1 to 1000, the rate not negative")
	}
	if c.MMS < 0 || c.MMS > mostMMS || c.MMS > 0 && (c.Backlog > 0 || c.MMSLimit < leastBytes) {
		return fmt.Errorf("a picture has at most %d octets, its limit is %d or more, and no backlog is measured with it", mostMMS, leastBytes)
	}
	if err := c.checkBacklog(); err != nil {
		return err
	}
	if err := c.inboundBench.check(c.URL == ""); err != nil {
		return err
	}
	target := &client{http: benchHTTP(c.Connections), url: c.URL, authID: c.AuthID, authToken: c.AuthToken, adminToken: c.AdminToken}
	var own *ownServer
	if c.URL == "" {
		var err error
		if own, err = c.startOwn(ctx, target); err != nil {
			return err
		}
		defer own.stop()
	}
	if target.authID == "" || target.authToken == "" || target.adminToken == "" {
		return errors.New("--auth-id, --auth-token and --admin-token are needed with --url")
	}
	result, err := c.measure(ctx, target, own)
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
	if in := result.Inbound; in != nil && (in.Lost > 0 || in.Failed > 0) {
		return fmt.Errorf("%d messages from handsets were not taken and %d not handed on", in.Failed, in.Lost)
	}
	if result.Lost > 0 || result.Refused > 0 {
		return fmt.Errorf("%d messages were refused and %d did not come to their end", result.Refused, result.Lost)
	}
	return nil
}

// measure runs the load on empty queues, and then on full ones where that is asked for.
func (c *benchCommand) measure(ctx context.Context, target *client, own *ownServer) (*benchResult, error) {
	load, err := newLoad(ctx, c, target)
	if err != nil {
		return nil, err
	}
	result, err := c.runBeside(ctx, load, target, own)
	if err != nil || c.Backlog == 0 {
		return result, err
	}
	result.Backlog, err = newBacklog(c, target, own).measure(ctx, result)
	return result, err
}

// runBeside runs the load, with messages from handsets beside it where that is asked for.
func (c *benchCommand) runBeside(ctx context.Context, load *load, target *client, own *ownServer) (*benchResult, error) {
	if c.Inbound == 0 {
		return load.run(ctx)
	}
	inbound, err := newInboundLoad(ctx, &c.inboundBench, target, own.smsc)
	if inbound != nil {
		defer func() { _ = inbound.sink.stop() }()
	}
	if err != nil {
		return nil, err
	}
	brought := make(chan *inboundResult, 1)
	go func() { brought <- inbound.run(ctx, c.Patience) }()
	result, err := load.run(ctx)
	measured := <-brought
	if result != nil {
		result.Inbound = measured
	}
	return result, err
}

func benchHTTP(connections int) *http.Client {
	return &http.Client{
		Timeout: time.Minute,
		Transport: &http.Transport{
			MaxIdleConns: connections, MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections, DisableCompression: true,
		},
	}
}

// ownServer is a server in another process and a pretend SMSC in this one, in a throw-away folder.
type ownServer struct {
	smsc   *smpptest.SMSC
	lanes  *laneWatch // at the SMSC; nil where no backlog is wanted
	server *child
	undo   []func()
}

// stop ends and removes all of it.
func (o *ownServer) stop() {
	if o.server != nil {
		_ = o.server.stop()
	}
	for i := len(o.undo) - 1; i >= 0; i-- {
		o.undo[i]()
	}
}

// startOwn starts a server of our own and points the client at it.
func (c *benchCommand) startOwn(ctx context.Context, target *client) (own *ownServer, err error) {
	own = &ownServer{}
	defer func() {
		if err != nil {
			own.stop()
		}
	}()
	folder, err := os.MkdirTemp("", "heliograph-bench-")
	if err != nil {
		return own, err
	}
	own.undo = append(own.undo, func() { _ = os.RemoveAll(folder) })
	var log io.Writer
	if c.Log != "" {
		file, err := os.Create(c.Log)
		if err != nil {
			return own, err
		}
		own.undo = append(own.undo, func() { _ = file.Close() })
		log = file
	}
	if c.MMS > 0 {
		return own, c.startOwnMMS(ctx, own, folder, target, log)
	}
	return own, c.startOwnSMS(ctx, own, folder, target, log)
}

// startOwnSMS starts a server of our own with a pretend SMSC, and points the client at it.
func (c *benchCommand) startOwnSMS(ctx context.Context, own *ownServer, folder string, target *client, log io.Writer) error {
	settings := smpptest.Config{}
	if c.Backlog > 0 {
		own.lanes = newLaneWatch(c.BacklogSenders, c.BacklogInterval)
		settings.OnSubmit = own.lanes.submitted
	}
	smsc, err := smpptest.Listen(settings)
	if err != nil {
		return err
	}
	own.smsc = smsc
	own.undo = append(own.undo, background(ctx, smsc.Run))
	own.server, err = startOwnServer(ctx, folder, smppCarrier(smsc.Addr(), fmt.Sprintf("binds: %d, window: %d", c.Binds, c.Window)), target, log)
	return err
}

// smppCarrier is a configuration's carrier that binds to a pretend SMSC.
func smppCarrier(smsc, settings string) string {
	return fmt.Sprintf("{name: main, protocol: smpp, address: %q, system_id: heliograph, password: secret, %s}", smsc, settings)
}

// startOwnServer starts a server with one carrier, as its configuration has it, in a folder, gives it fresh credentials and points the client at it.
func startOwnServer(ctx context.Context, folder, carrier string, target *client, log io.Writer) (*child, error) {
	account := newCredentials(target)
	config := fmt.Sprintf(`listen: 127.0.0.1:0
data: %q
carriers:
  - %s
`, filepath.Join(folder, "data"), carrier)
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
