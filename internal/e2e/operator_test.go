package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// operator runs the program's commands against a server, as a person at its machine would.
type operator struct {
	t   *testing.T
	env []string
}

// run gives what a command wrote and its exit status.
func (o *operator) run(args ...string) (out, errs string, status int) {
	o.t.Helper()
	cmd := exec.CommandContext(within(o.t), program, args...)
	cmd.Env = append(cleanEnvironment(), o.env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		o.t.Fatal(err)
	}
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

// does runs a command that must succeed, and show all of some texts.
func (o *operator) does(command string, shows ...string) string {
	o.t.Helper()
	out, errs, status := o.run(strings.Fields(command)...)
	if status != 0 {
		o.t.Fatalf("%s: status %d\n%s", command, status, errs)
	}
	for _, text := range shows {
		if !strings.Contains(out, text) {
			o.t.Errorf("%s: no %q in\n%s", command, text, out)
		}
	}
	return out
}

// refuses runs a command that must fail, with nothing but what it says.
func (o *operator) refuses(command, says string) {
	o.t.Helper()
	out, errs, status := o.run(strings.Fields(command)...)
	if status != 1 || out != "" || errs != says {
		o.t.Errorf("%s: status %d, wrote %q, said\n%s", command, status, out, errs)
	}
}

// reads runs a command with --json.
func (o *operator) reads(command string, into any) {
	o.t.Helper()
	if out := o.does(command + " --json"); json.Unmarshal([]byte(out), into) != nil {
		o.t.Fatalf("%s --json wrote %s", command, out)
	}
}

// TestOperatorAtTheCommandLine: an operator's night on a development install.
func TestOperatorAtTheCommandLine(t *testing.T) {
	server := serve(t, t.TempDir(), "")
	o := &operator{t: t, env: []string{"HELIOGRAPH_URL=" + witnessed(t, server.url(t)), "HELIOGRAPH_ADMIN_TOKEN=" + adminToken}}
	customer := newAccount(t, server.url(t))

	list := o.does("account list", authID, "default")
	if strings.Contains(list, authToken) {
		t.Error("the list shows a token")
	}
	var made struct {
		AuthID string `json:"auth_id"`
		Token  string `json:"auth_token"`
	}
	o.reads("account create Acme --rate 5", &made)
	o.does("account set "+made.AuthID+" --disabled --name Acme-2", "Acme-2", "no")
	o.does("account show "+made.AuthID, "Acme-2")

	var packs struct{ Powerpacks []struct{ UUID string } }
	o.reads("powerpack list --account "+authID, &packs)
	pack := packs.Powerpacks[0].UUID
	o.does("powerpack show "+pack, "demo", "14155550100", "well", "555444")
	o.does("powerpack show "+pack+" --country CA", "HEALTH IN CA")
	o.does("powerpack explain "+pack+" +14155550123", "sent by 555444 (shortcode), chosen by priority", "an earlier type of the priority is free in time")
	o.does("number pause 555444", "Number 555444 is paused.")
	o.does("powerpack explain "+pack+" 14155550123", "(tollfree)", "it is paused")

	o.does("carrier pause loopback", "A restart resumes it")
	message := customer.call(t, http.MethodPost, "/Message/", map[string]any{"src": "14155550100", "dst": destination(1), "text": "x"}).messages(t)[0]
	o.does("carrier list", "paused")
	o.does("queue list --sender 14155550100", "14155550100", "loopback", authID)
	o.does("message show "+authID+" "+message, "queued", "source")
	o.does("carrier resume loopback", "goes on")
	customer.awaitState(t, message, "delivered")
	o.does("message show "+authID+" "+message, "delivered")
	o.does("message held", "No message is held.")
	o.refuses("message resend "+message, "heliograph: message "+message+" is not held\n")

	o.does("campaign set C1 --account " + authID + " --rate 3.75")
	o.does("number add 14155550190 --account "+authID+" --campaign C1 --rate 2", "is set")
	o.does("number set 14155550190 --daily-cap 77")
	o.does("number show 14155550190", "C1", "77")
	o.does("queue list --limit 5", "campaign", "C1")
	o.does("campaign delete C1")
	o.refuses("campaign delete C1", "heliograph: campaign C1 not found\n")

	o.env[1] = "HELIOGRAPH_ADMIN_TOKEN=wrong"
	o.refuses("account list", "heliograph: the operator's token is missing or wrong\n")
}

// imported is how many imported numbers the server has.
func (o *operator) imported() int {
	o.t.Helper()
	var list struct{ Total int }
	o.reads("number list --limit 1 --prefix 1917", &list)
	return list.Total
}

// TestImportOfNumbers: files are imported as a whole or not at all, also when only the server sees what is wrong, and when the operator or the
// server goes away in the middle.
func TestImportOfNumbers(t *testing.T) {
	data := t.TempDir()
	server := serve(t, data, "")
	o := &operator{t: t, env: []string{"HELIOGRAPH_URL=" + witnessed(t, server.url(t)), "HELIOGRAPH_ADMIN_TOKEN=" + adminToken}}
	file := filepath.Join(t.TempDir(), "numbers.csv")
	const count = 10_500 // more than one call took in former times
	write := func(last string) {
		var text strings.Builder
		text.WriteString("\ufeffnumber;auth_id;services;rate\r\n")
		for i := range count {
			fmt.Fprintf(&text, "1917%07d;%s;sms,mms;0,5\r\n", 2_000_000+i, authID)
		}
		if err := os.WriteFile(file, []byte(text.String()+last), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before := o.imported()
	unchanged := func() {
		t.Helper()
		if n := o.imported(); n != before {
			t.Fatalf("%d numbers, %d were there before", n, before)
		}
	}
	write("19178888888;" + authID + ";fax;\r\n19172000000;;;fast\r\n")
	o.refuses("number import "+file, fmt.Sprintf("line %d, services: \"fax\" may hold sms and mms, as in \"sms mms\"\nline %d, rate: \"fast\" must be units per second, 0 for unlimited\n"+
		"line %d, number: is in line 2 already\nheliograph: %s: 3 errors; nothing was imported\n", count+2, count+3, count+3, file))
	unchanged()
	write("19178888888;MAZZZZZZZZZZZZZZZZZZ;;\r\n")
	for _, flag := range []string{"", " --dry-run"} {
		o.refuses("number import "+file+flag,
			fmt.Sprintf("line %d, auth_id: account MAZZZZZZZZZZZZZZZZZZ does not exist\nheliograph: %s: 1 error; nothing was imported\n", count+2, file))
		unchanged()
	}
	write("")
	o.does("number import --dry-run "+file, "Nothing was imported.")
	unchanged()

	for _, wait := range []time.Duration{50, 150, 250} {
		cmd := exec.CommandContext(within(t), program, "number", "import", file)
		cmd.Env = append(cleanEnvironment(), o.env...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		pause(wait * time.Millisecond)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if n := o.imported(); n != before && n != before+count {
			t.Fatalf("an operator who went away left %d of %d numbers", n-before, count)
		}
	}
	o.does("number import "+file, fmt.Sprintf("%d numbers imported", count)) // again, after whatever those before did
	if n := o.imported(); n != before+count {
		t.Errorf("%d numbers are there, want %d", n-before, count)
	}
	server.kill()
	o.env[0] = "HELIOGRAPH_URL=" + server.url(t) // itself: where a witness listens, connections are taken
	if _, errs, status := o.run("number", "import", file); status != 1 || !strings.Contains(errs, "nothing was imported") {
		t.Errorf("without a server: %d %s", status, errs)
	}
	again := serve(t, data, "")
	o.env[0] = "HELIOGRAPH_URL=" + witnessed(t, again.url(t))
	if n := o.imported(); n != before+count {
		t.Errorf("%d numbers are there after a crash, want %d", n-before, count)
	}
}
