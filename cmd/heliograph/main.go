// Command heliograph is a self-hosted SMS/MMS messaging platform: an account API that existing messaging clients can use, powerpacks that
// choose senders, carriers that deliver, reports and signed callbacks. See the README for a first message.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// commands is the command line.
type commands struct {
	Serve serveCommand `cmd:"" help:"Run the server."`

	Account      accountCommand      `cmd:"" group:"operator" help:"Accounts of a running server: their money, and what guards them."`
	Number       numberCommand       `cmd:"" group:"operator" help:"Numbers, and which account, carrier and campaign they belong to."`
	Powerpack    powerpackCommand    `cmd:"" group:"operator" help:"Powerpacks, their senders, and whom they would choose."`
	Message      messageCommand      `cmd:"" group:"operator" help:"Messages: what became of them; those on hold."`
	OptOut       optOutCommand       `cmd:"" group:"operator" help:"Persons who do not want messages, and the trail of their words."`
	Campaign     campaignCommand     `cmd:"" group:"operator" help:"10DLC campaigns: the rates and caps that numbers share."`
	Carrier      carrierCommand      `cmd:"" group:"operator" help:"Carriers: their state, pause and resume."`
	Queue        queueCommand        `cmd:"" group:"operator" help:"What waits, and for how long."`
	Registration registrationCommand `cmd:"" group:"operator" help:"Brands, campaigns and verifications that accounts registered, and decisions on them."`
	Conversion   conversionCommand   `cmd:"" group:"operator" help:"How trackable messages converted."`

	Demo    demoCommand    `cmd:"" help:"Send one message through everything in a throw-away folder and print its timeline."`
	SMSC    smscCommand    `cmd:"" name:"smsc" help:"Run a pretend SMSC (SMPP 3.4) with fault knobs."`
	MMSC    mmscCommand    `cmd:"" name:"mmsc" help:"Run a pretend MMSC (MM7) with fault knobs."`
	Bench   benchCommand   `cmd:"" help:"Send load, receive the callbacks, print rates and latencies."`
	Check   checkCommand   `cmd:"" help:"Print every error of a configuration at once."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// streams are where a command reads and writes.
type streams struct {
	in   io.Reader      // what a command is given
	out  io.Writer      // what was asked for
	err  io.Writer      // the log, and errors
	zone *time.Location // in which people are shown times; nil: the machine's
}

// errReported ends the program with status 1 when everything has been said already.
var errReported = errors.New("failed")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	code := run(ctx, os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr})
	stop()
	os.Exit(code)
}

// run parses the arguments and runs the command; its result is the program's exit status: 0 done, 1 failed, 2 wrong usage.
func run(ctx context.Context, args []string, std streams) int {
	var line commands
	exit := -1
	parser, err := kong.New(&line,
		kong.Name("heliograph"),
		kong.Description("Self-hosted SMS/MMS messaging platform."),
		kong.UsageOnError(),
		kong.ExplicitGroups([]kong.Group{{Key: "operator", Title: "For operators of a running server:"}}),
		kong.Writers(std.out, std.err),
		kong.Exit(func(code int) { exit = code }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(std),
	)
	if err != nil {
		fmt.Fprintln(std.err, "heliograph:", err)
		return 2
	}
	chosen, err := parser.Parse(args)
	if exit >= 0 { // --help has been printed
		return exit
	}
	if err != nil {
		fmt.Fprintln(std.err, "heliograph:", err)
		return 2
	}
	switch err := chosen.Run(); {
	case err == nil:
		return 0
	case errors.Is(err, errReported):
		return 1
	default:
		fmt.Fprintln(std.err, "heliograph:", err)
		return 1
	}
}
