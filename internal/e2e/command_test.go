package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestDevelopmentInstall starts the server in an empty folder with no configuration, pastes the greeting's commands into a shell and follows
// the message.
func TestDevelopmentInstall(t *testing.T) {
	server := start(t, nil, "serve", "--listen", "127.0.0.1:0", "--data", t.TempDir())
	url := server.url(t)
	server.await(t, "the greeting's last command", func(_ []string, output string) bool { return strings.Contains(output, "Hello back") })
	first, second := greetedCommands(t, server.output())
	if !strings.Contains(first, url) {
		t.Fatalf("the greeting's command is not for %s: %s", url, first)
	}
	var accepted struct {
		MessageUUID []string `json:"message_uuid"`
	}
	shell(t, first, &accepted)
	if len(accepted.MessageUUID) != 1 {
		t.Fatal("the pasted command was not accepted")
	}
	deadline := time.Now().Add(patience)
	for {
		var listed struct {
			Objects []struct {
				MessageUUID  string `json:"message_uuid"`
				MessageState string `json:"message_state"`
			}
		}
		shell(t, second, &listed)
		if len(listed.Objects) == 1 && listed.Objects[0].MessageUUID == accepted.MessageUUID[0] && listed.Objects[0].MessageState == "delivered" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the list shows %+v", listed)
		}
		pause(50 * time.Millisecond)
	}
	third, token := greetedHandset(t, server.output())
	var received struct {
		MessageUUID string `json:"message_uuid"`
	}
	shell(t, "HELIOGRAPH_ADMIN_TOKEN="+token+" "+program+third+" --json", &received)
	var shown struct {
		Direction string `json:"message_direction"`
		State     string `json:"message_state"`
	}
	shell(t, strings.Replace(second, "?limit=1", received.MessageUUID+"/", 1), &shown)
	if shown.Direction != "inbound" || shown.State != "received" {
		t.Errorf("the message from a handset is %+v", shown)
	}
}

// greetedHandset finds the greeting's command that has a handset write, without the program's name, and the operator's token.
func greetedHandset(t testing.TB, greeting string) (arguments, token string) {
	t.Helper()
	for line := range strings.Lines(greeting) {
		if rest, ok := strings.CutPrefix(line, "  heliograph"); ok {
			arguments = strings.TrimSpace(rest)
		}
		if rest, ok := strings.CutPrefix(line, "  admin token"); ok {
			token = strings.TrimSpace(rest)
		}
	}
	if arguments == "" || token == "" {
		t.Fatalf("the greeting has no message from a handset, or no token:\n%s", greeting)
	}
	return " " + arguments, token
}

// greetedCommands finds the two commands of the greeting.
func greetedCommands(t testing.TB, greeting string) (first, second string) {
	t.Helper()
	blocks := strings.Split(greeting, "  curl ")
	if len(blocks) != 3 {
		t.Fatalf("the greeting has no two commands:\n%s", greeting)
	}
	first, _, _ = strings.Cut("curl "+blocks[1], "\n\n")
	second, _, _ = strings.Cut("curl "+blocks[2], "\n\n")
	return first, second
}

// shell runs a command as a person would paste it and decodes what it prints.
func shell(t testing.TB, command string, into any) {
	t.Helper()
	out, err := exec.CommandContext(within(t), "sh", "-c", command).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	if err := json.Unmarshal(out, into); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
}

// TestInventory: a development install has what is promised of it.
func TestInventory(t *testing.T) {
	server := serve(t, t.TempDir(), "")
	customer := newAccount(t, server.url(t))
	packs := customer.call(t, http.MethodGet, "/Powerpack/", nil).want(t, http.StatusOK)
	list, _ := packs.fields["objects"].([]any)
	if len(list) != 1 {
		t.Fatalf("powerpacks: %s", packs.body)
	}
	pack := list[0].(map[string]any)
	pool := strings.TrimPrefix(pack["number_pool"].(string), "/v1/Account/"+authID)
	for kind, want := range map[string]float64{"Number/": 12, "Tollfree/": 2, "Shortcode/": 1} {
		meta, _ := customer.call(t, http.MethodGet, pool+kind, nil).want(t, http.StatusOK).fields["meta"].(map[string]any)
		if meta["total_count"] != want {
			t.Errorf("%s of the powerpack %v: %v, want %v", kind, pack["name"], meta["total_count"], want)
		}
	}
}

// TestMagicNumbers provokes states on the built-in network.
func TestMagicNumbers(t *testing.T) {
	server := serve(t, t.TempDir(), "")
	customer := newAccount(t, server.url(t))
	for _, c := range []struct{ to, state, code string }{
		{"15005550030", "undelivered", "30"},
		{"15005560050", "failed", "50"},
		{"15005555000", "delivered", "000"},
		{"15005556000", "delivered", "000"},
	} {
		id := customer.call(t, http.MethodPost, "/Message/", map[string]any{"src": "18005550100", "dst": c.to, "text": "x"}).messages(t)[0]
		if r := customer.awaitState(t, id, c.state); r.text("error_code") != c.code {
			t.Errorf("%s ended with code %v, want %s", c.to, r.fields["error_code"], c.code)
		}
	}
}

// TestSecondStart on a folder in use is refused, and the first goes on.
func TestSecondStart(t *testing.T) {
	data := t.TempDir()
	first := serve(t, data, "")
	url := first.url(t)
	second := serve(t, data, "")
	if status := second.wait(t); status == 0 || !strings.Contains(second.log(), "in use") {
		t.Errorf("the second start ended with status %d and said:\n%s", status, second.log())
	}
	newAccount(t, url).call(t, http.MethodGet, "/Message/", nil).want(t, http.StatusOK)
}

// TestStop: SIGTERM ends the server in order, within ten seconds, also while somebody holds a connection.
func TestStop(t *testing.T) {
	server := serve(t, t.TempDir(), "")
	customer := newAccount(t, server.url(t))
	customer.call(t, http.MethodGet, "/Message/", nil).want(t, http.StatusOK)
	status, took := server.terminate(t)
	if status != 0 || took > 10*time.Second {
		t.Errorf("status %d after %s", status, took)
	}
}

// TestHealth: the pages for machines that watch.
func TestHealth(t *testing.T) {
	server := serve(t, t.TempDir(), "")
	customer := newAccount(t, server.url(t))
	nobody := func(*http.Request) {}
	for path, want := range map[string]string{"/healthz": `"status":"ok"`, "/readyz": `"status":"ok"`, "/metrics": "heliograph_messages_accepted_total 0"} {
		answer, err := customer.do(within(t), http.MethodGet, path, "", nil, nobody)
		if err != nil {
			t.Fatal(err)
		}
		if answer.status != http.StatusOK || !strings.Contains(string(answer.body), want) {
			t.Errorf("%s: %d %s", path, answer.status, answer.body)
		}
	}
	if answer, err := customer.do(within(t), http.MethodGet, "/admin/v1/carriers", "", nil, nobody); err != nil || answer.status != http.StatusUnauthorized {
		t.Errorf("the operator API without a token: %+v, %v", answer, err)
	}
}

// TestCheck prints every error at once, and nothing but praise for a good file.
func TestCheck(t *testing.T) {
	file := filepath.Join(t.TempDir(), "heliograph.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("listen: nowhere\ncarriers:\n  - {name: a, protocol: carrier-pigeon}\n  - {name: a, protocol: smpp, address: x, binds: 1000}\nroutes:\n  - {prefix: \"+1\", carriers: [b]}\n")
	out, err := exec.CommandContext(within(t), program, "check", "--config", file).CombinedOutput()
	if err == nil {
		t.Errorf("a bad file passed:\n%s", out)
	}
	for _, want := range []string{"listen:", "carriers[0].protocol:", "carriers[1].name:", "carriers[1].address:", "carriers[1].system_id:", "carriers[1].binds:", "routes[0].prefix:", "routes[0].carriers:"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("nothing about %s in:\n%s", want, out)
		}
	}
	write("listen: 127.0.0.1:0\nlisten_port: 5\n")
	if out, err := exec.CommandContext(within(t), program, "check", "--config", file).CombinedOutput(); err == nil || !strings.Contains(string(out), "listen_port") {
		t.Errorf("an unknown key passed:\n%s", out)
	}
	write(smppConfig("127.0.0.1:2775", "window: 50"))
	if out, err := exec.CommandContext(within(t), program, "check", "--config", file).CombinedOutput(); err != nil {
		t.Errorf("a good file failed: %v\n%s", err, out)
	}
}

// TestDemo is the whole way of a message, as anybody can see it.
func TestDemo(t *testing.T) {
	out, err := exec.CommandContext(within(t), program, "demo").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"accepted", "sender", "same area code", "submitted", "receipt", "callback 1", "callback 3", "signature verified", "delivered: 2 parts"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
}

// TestBench runs a small load on a server and an SMSC of its own.
func TestBench(t *testing.T) {
	file := filepath.Join(t.TempDir(), "result.json")
	out, err := exec.CommandContext(within(t), program, "bench", "-n", "500", "-c", "8", "--senders", "5", "--json", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var result struct {
		Messages, Callbacks int
		Lost, Refused       int
		CPU                 float64 `json:"server_cpu_s_per_1000"`
	}
	if err := json.Unmarshal(text, &result); err != nil {
		t.Fatal(err)
	}
	if result.Messages != 500 || result.Callbacks != 1500 || result.Lost != 0 || result.Refused != 0 || result.CPU <= 0 {
		t.Errorf("got %+v from\n%s", result, out)
	}
}

// TestBenchTellsFailures: messages that end otherwise are not counted as delivered.
func TestBenchTellsFailures(t *testing.T) {
	smsc := start(t, nil, "smsc", "--listen", "127.0.0.1:0", "--failures", "1")
	server := serve(t, t.TempDir(), smppConfig(strings.TrimPrefix(smsc.url(t), "http://"), ""))
	for range 2 { // a second run finds the server as the first did
		out, err := exec.CommandContext(within(t), program, "bench", "--url", server.url(t), "--auth-id", authID, "--auth-token", authToken,
			"--admin-token", adminToken, "-n", "50", "-c", "4", "--senders", "3").CombinedOutput()
		if err != nil || !strings.Contains(string(out), "50 not delivered") || !strings.Contains(string(out), "delivered/s       0") {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

// TestSMSC: the pretend SMSC answers GET /stats on the port of its binds, and prints its counters when it is stopped.
func TestSMSC(t *testing.T) {
	smsc := start(t, nil, "smsc", "--listen", "127.0.0.1:0")
	url := smsc.url(t)
	answer, err := newAccount(t, url).do(within(t), http.MethodGet, "/stats", "", nil, func(*http.Request) {})
	if err != nil || answer.status != http.StatusOK || answer.fields == nil {
		t.Fatalf("GET /stats: %+v, %v", answer, err)
	}
	server := serve(t, t.TempDir(), smppConfig(strings.TrimPrefix(url, "http://"), ""))
	customer := newAccount(t, server.url(t))
	pack := customer.powerpack(t, "p", "14155550100")
	id := customer.call(t, http.MethodPost, "/Message/", map[string]any{"powerpack_uuid": pack, "dst": destination(1), "text": "x"}).messages(t)[0]
	customer.awaitState(t, id, "delivered")
	if status, _ := smsc.terminate(t); status != 0 {
		t.Errorf("the SMSC ended with status %d", status)
	}
	var counters map[string]any
	if err := json.Unmarshal([]byte(smsc.output()), &counters); err != nil {
		t.Fatalf("%v in %q", err, smsc.output())
	}
	if counters["submits"] != 1.0 {
		t.Errorf("counters: %v", counters)
	}
}

// TestVersion prints one line.
func TestVersion(t *testing.T) {
	out, err := exec.CommandContext(context.Background(), program, "version").Output()
	if err != nil || !strings.HasPrefix(string(out), "heliograph ") || strings.Count(string(out), "\n") != 1 {
		t.Errorf("%v: %q", err, out)
	}
}
