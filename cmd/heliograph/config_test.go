package main

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mm7"
)

func writeConfig(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "heliograph.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func environment(variables map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := variables[name]
		return value, ok
	}
}

func TestConfigFile(t *testing.T) {
	cfg, errs := loadConfig(writeConfig(t, `
listen: 127.0.0.1:9000
retention: {texts: 12h, records: 30d}
carriers:
  - name: main
    protocol: smpp
    address: smsc.example.net:2775
    system_id: user
    password: secret
    rate: 50
    unanswered: hold
    short_code: {ton: 6, npi: 0}
    answers: {"0x400": deferred, "0x401": "30"}
    receipt_errors: {"034": "30"}
routes:
  - {prefix: "1", sender_type: shortcode, carriers: [main]}
egress:
  allow: [10.0.0.0/8]
`), environment(nil))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if errs := checkConfig(&cfg); len(errs) > 0 {
		t.Fatal(errs)
	}
	if cfg.Listen != "127.0.0.1:9000" || cfg.Data != "./data" || time.Duration(cfg.Retention.Records) != 30*24*time.Hour {
		t.Errorf("got %+v", cfg)
	}
	settings, err := cfg.Carriers[0].esme()
	if err != nil || settings.Window != defaultWindow || settings.ShortCode.TON != 6 ||
		settings.Answers[0x400].Status != gateway.Deferred || settings.Answers[0x401].Reason != gateway.Spam || settings.ReceiptErrors["034"] != gateway.Spam {
		t.Errorf("got %+v, %v", settings, err)
	}
	if len(cfg.Egress.Allow) != 1 || cfg.Egress.Allow[0].String() != "10.0.0.0/8" {
		t.Errorf("egress allows %v", cfg.Egress.Allow)
	}
}

// TestPrecedence: the environment wins over the file, the file over the default.
// TestMM7Config: what is set of an MM7 carrier, and what holds where nothing is.
func TestMM7Config(t *testing.T) {
	cfg, errs := loadConfig(writeConfig(t, `
carriers:
  - {name: bare, protocol: mm7, url: "http://mmsc.example.net"}
  - name: hub
    protocol: mm7
    url: https://mmsc.example.net/mm7
    username: us
    password: secret
    schema: REL-5-MM7-1-2
    transfer: base64
    receipts: none
    allow_adaptations: false
    answers: {"4007": throttled, "2999": "30"}
    report_states: {Forwarded: delivered, Other: pending, Vendor: "30"}
    max_bytes: 300000
    max_width: 640
    media_types: [image/jpeg]
    inbound_username: hub
    inbound_password: other
  - {name: texts, protocol: smpp, address: "h:1", system_id: u, mms: hub}
routes:
  - {services: [mms], carriers: [hub]}
`), environment(nil))
	if errs = append(errs, checkConfig(&cfg)...); len(errs) > 0 {
		t.Fatal(errs)
	}
	hub, err := cfg.Carriers[1].vasp()
	if err != nil || hub.TLS == nil || hub.TLS.ServerName != "mmsc.example.net" || hub.Dialect.Schema != "REL-5-MM7-1-2" || hub.Transfer != mm7.Base64 || !hub.NoReports ||
		hub.Adaptations != mm7.No || hub.Answers[4007].Status != gateway.Throttled || hub.Answers[2999].Reason != gateway.Spam || hub.InboundPassword != "other" ||
		hub.MMStates["Forwarded"].Outcome != gateway.ReceiptDelivered || hub.MMStates["Other"].Outcome != gateway.InTransit || hub.MMStates["Vendor"].Reason != gateway.Spam {
		t.Errorf("got %+v, %v", hub, err)
	}
	bare, err := cfg.Carriers[0].vasp()
	if err != nil || bare.TLS != nil || bare.NoReports || bare.Adaptations != mm7.Absent || bare.Transfer != mm7.Binary {
		t.Errorf("got %+v, %v", bare, err)
	}
	for _, test := range []struct {
		carrier string
		bytes   int64
		limited bool
	}{{"bare", 600_000 - 10<<10, true}, {"hub", 300_000 - 10<<10, true}, {"texts", 0, false}, {"none", 0, false}} {
		if got, ok := cfg.mediaLimits(test.carrier); ok != test.limited || got.MaxBytes != test.bytes {
			t.Errorf("%s: %+v, %v", test.carrier, got, ok)
		}
	}
	if got := cfg.routes(nil); got[0].Services != gateway.Services(gateway.MMS) {
		t.Errorf("routes: %+v", got)
	}
}

func TestPrecedence(t *testing.T) {
	file := writeConfig(t, "listen: 127.0.0.1:9000\nlog: {level: debug}\n")
	cfg, errs := loadConfig(file, environment(map[string]string{
		"HELIOGRAPH_LISTEN":          "127.0.0.1:9001",
		"HELIOGRAPH_RETENTION_TEXTS": "1d",
		"HELIOGRAPH_EGRESS_ALLOW":    "[10.0.0.0/8, 192.168.0.0/16]",
		"HELIOGRAPH_CARRIERS":        "[{name: a, protocol: loopback}]",
		"HELIOGRAPH_AUTH_TOKEN":      "1234567890123456789012345678901234567890", // looks like a number
	}))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if cfg.Listen != "127.0.0.1:9001" || cfg.Log.Level != "debug" || cfg.Log.Format != "auto" || time.Duration(cfg.Retention.Texts) != 24*time.Hour ||
		len(cfg.Egress.Allow) != 2 || len(cfg.Carriers) != 1 || len(cfg.AuthToken) != 40 {
		t.Errorf("got %+v", cfg)
	}
}

func TestBadEnvironment(t *testing.T) {
	_, errs := loadConfig("", environment(map[string]string{"HELIOGRAPH_RETENTION_TEXTS": "soon", "HELIOGRAPH_CARRIERS": "[{nam: a}]"}))
	if len(errs) != 2 {
		t.Errorf("got %v", errs)
	}
}

// The contract's limit of calls holds unless something else is said, but not for a server that only its own machine can call.
func TestAPILimit(t *testing.T) {
	five := 5
	for _, c := range []struct {
		listen   string
		requests *int
		want     int
	}{{"127.0.0.1:8080", nil, 0}, {"0.0.0.0:8080", nil, 300}, {"127.0.0.1:8080", &five, 5}, {"0.0.0.0:8080", new(int), 0}} {
		cfg := defaultConfig()
		cfg.Listen, cfg.APILimit.Requests = c.listen, c.requests
		if got := cfg.limits().Requests; got != c.want {
			t.Errorf("%s: %d calls, want %d", c.listen, got, c.want)
		}
	}
}

// Accounts add numbers as their own where only this machine can call, or where the operator says so.
func TestOwnNumbers(t *testing.T) {
	yes, no := true, false
	for _, c := range []struct {
		listen string
		said   *bool
		want   bool
	}{{"127.0.0.1:8080", nil, true}, {"0.0.0.0:8080", nil, false}, {"127.0.0.1:8080", &no, false}, {"0.0.0.0:8080", &yes, true}} {
		cfg := defaultConfig()
		cfg.Listen, cfg.OwnNumbers = c.listen, c.said
		if got := cfg.ownNumbers(); got != c.want {
			t.Errorf("%s, own_numbers %v: %v", c.listen, c.said, got)
		}
	}
}

// TestEverySettingIsDocumented: docs/configuration.md names each key, or its section's table does.
func TestEverySettingIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	cfg := defaultConfig()
	walkSettings(reflect.ValueOf(&cfg).Elem(), "", func(path string, _ reflect.Value) {
		if !strings.Contains(string(text), "`"+path) {
			t.Errorf("%s is not in docs/configuration.md", path)
		}
	})
	var carrier CarrierConfig
	walkSettings(reflect.ValueOf(&carrier).Elem(), "", func(path string, _ reflect.Value) {
		if !strings.Contains(string(text), "`"+path) {
			t.Errorf("carriers: %s is not in docs/configuration.md", path)
		}
	})
}

func TestConfigErrors(t *testing.T) {
	cases := map[string]string{ // what is wrong → what is said
		"listen: here":                                                 "listen:",
		"database: postgres:/":                                         "database:",
		"auth_id: MA1":                                                 "auth_id:",
		"auth_token: short":                                            "auth_token:",
		"admin_token: ' x'":                                            "admin_token:",
		"secret_key: 12":                                               "secret_key:",
		"log: {level: loud}":                                           "log.level:",
		"log: {format: xml}":                                           "log.format:",
		"tls: {cert: a.pem}":                                           "tls:",
		"retention: {texts: 90d, records: 7d}":                         "retention:",
		"public_url: sms.example.net":                                  "public_url:",
		"public_url: ftp://sms.example.net":                            "public_url:",
		"public_url: https://sms.example.net/":                         "public_url:",
		"public_url: https://sms.example.net?a=b":                      "public_url:",
		"public_url: https://u:p@sms.example.net":                      "public_url:",
		"media: {unused: 0s}":                                          "media:",
		"media: {links: -1s}":                                          "media:",
		"media: {room: 0}":                                             "media:",
		"media: {room: 1099511627777}":                                 "media:",
		"media: {used: 23h}":                                           "media:",
		"media: {unused: 3d, used: 2d}":                                "media:",
		"carriers: [{protocol: loopback}]":                             "carriers[0].name:",
		"carriers: [{name: a, protocol: mm7}]":                         "carriers[0].url:",
		"carriers: [{name: a, protocol: loopback, rate: -1}]":          "carriers[0].rate:",
		"carriers: [{name: a, protocol: loopback, unanswered: shout}]": "carriers[0].unanswered:",
		"api_limit: {requests: -1}":                                    "api_limit:",
		"countries: [US, us]":                                          "countries:",
		"conversion_window: 0s":                                        "conversion_window:",
		"carriers: [{name: a, protocol: smpp, address: 'h:1', system_id: u, answers: {'0x58': maybe}}]": "carriers[0].answers:",
		"carriers: [{name: a, protocol: smpp, address: 'h:1', system_id: u, bind: both}]":               "carriers[0].bind:",
		"carriers: [{name: a, protocol: smpp, address: 'h:1', system_id: u, concatenation: glue}]":      "carriers[0].concatenation:",
		"carriers: [{name: a, protocol: smpp, address: 'h:1', system_id: u, receipt_ids: roman}]":       "carriers[0].receipt_ids:",
		"carriers: [{name: a, protocol: smpp, address: 'h:1', system_id: u, tls: true, tls_ca: no}]":    "carriers[0].tls_ca:",
		"carriers: [{name: a, protocol: mm7, url: 'http://u:p@h/'}]":                                    "carriers[0].url:",
		"carriers: [{name: a/b, protocol: mm7, url: 'http://h/'}]":                                      "carriers[0].name:",
		"carriers: [{name: a, protocol: mm7, url: 'http://h/', transfer: gzip}]":                        "carriers[0].transfer",
		"carriers: [{name: a, protocol: mm7, url: 'http://h/', receipts: failures}]":                    "carriers[0].receipts",
		"carriers: [{name: a, protocol: mm7, url: 'http://h/', answers: {'999': throttled}}]":           "carriers[0].answers",
		"carriers: [{name: a, protocol: mm7, url: 'http://h/', answers: {'4007': maybe}}]":              "carriers[0].answers",
		"carriers: [{name: a, protocol: mm7, url: 'http://h/', report_states: {Forwarded: maybe}}]":     "carriers[0].report_states",
		"carriers: [{name: a, protocol: mm7, url: 'http://h/', max_bytes: 100}]":                        "carriers[0].max_bytes",
		"carriers: [{name: a, protocol: mm7, url: 'http://h/', max_width: -1}]":                         "carriers[0].max_width",
		"carriers: [{name: a, protocol: mm7, url: 'http://h/', media_types: [image/svg+xml]}]":          "carriers[0].media_types",
		"carriers: [{name: a, protocol: mm7, url: 'http://h/', inbound_username: hub}]":                 "carriers[0].inbound_username",
		"carriers: [{name: a, protocol: mm7, url: 'http://h/', window: 10001}]":                         "carriers[0].window",
		"carriers: [{name: a, protocol: mm7, url: 'http://h/', mms: b}]":                                "carriers[0].mms",
		"{listen: ':8080', carriers: [{name: a, protocol: mm7, url: 'http://h/'}]}":                     "carriers[0].inbound_username",
		"carriers: [{name: a, protocol: smpp, address: 'h:1', system_id: u, mms: a}]":                   "carriers[0].mms:",
		"{carriers: [{name: a, protocol: loopback}], routes: [{carriers: [a], services: [fax]}]}":       "routes[0].services:",
		"{carriers: [{name: a, protocol: loopback}], routes: [{carriers: [a], sender_type: fax}]}":      "routes[0].sender_type:",
		"{carriers: [{name: a, protocol: loopback}], routes: [{carriers: [a], account: me}]}":           "routes[0].account:",
		"{carriers: [{name: a, protocol: loopback}], routes: [{prefix: '1'}]}":                          "routes[0].carriers:",
		"inbound: {partial_after: 0s}":   "inbound.partial_after:",
		"inbound: {partial_after: 25h}":  "inbound.partial_after:",
		"inbound: {loop: {answers: -1}}": "inbound.loop:",
		"inbound: {loop: {within: 0s}}":  "inbound.loop:",
		"carriers: [{name: a, protocol: smpp, address: 'h:1', system_id: u, gsm_packed: true, gsm_as_latin1: true}]": "carriers[0].gsm_packed",
		"carriers: [{name: a, protocol: smpp, address: 'h:1', system_id: u, country: Utopia}]":                       "carriers[0].country:",
		"carriers: [{name: a, protocol: smpp, address: 'h:1', system_id: u, unrented_number: sell}]":                 "carriers[0].unrented_number:",
	}
	for text, want := range cases {
		cfg, errs := loadConfig(writeConfig(t, text), environment(nil))
		errs = append(errs, checkConfig(&cfg)...)
		if len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), want) {
			t.Errorf("%s: got %v, want one error about %s", text, errs, want)
		}
	}
	for _, text := range []string{"lisen: x", "listen: {a: b}", "carriers: {name: a}", "log: text", "carriers: [{name: a, protcol: smpp}]", "listen: [", "retention: {texts: soon}"} {
		if _, errs := loadConfig(writeConfig(t, text), environment(nil)); len(errs) != 1 {
			t.Errorf("%q: got %v", text, errs)
		}
	}
}

// TestEveryErrorAtOnce: neither an unknown key nor a wrong type hides what else is wrong.
func TestEveryErrorAtOnce(t *testing.T) {
	cfg, errs := loadConfig(writeConfig(t, `
foo: 1
listen: nowhere
retention: {texts: soon, bar: 2}
carriers:
  - {name: a, protocol: smpp, window: abc, address: x, system_id: u, baz: 3}
  - {name: a, protocol: loopback}
`), environment(map[string]string{"HELIOGRAPH_EGRESS_ALLOW": "[everything]"}))
	errs = append(errs, checkConfig(&cfg)...)
	var said []string
	for _, err := range errs {
		said = append(said, err.Error())
	}
	for _, want := range []string{
		"foo: line 2:", "listen: ", "retention.texts: line 4:", "retention.bar: line 4:", "carriers[0].window: line 6:", "carriers[0].baz: line 6:",
		"carriers[0].address:", "carriers[1].name:", "HELIOGRAPH_EGRESS_ALLOW:",
	} {
		if !slices.ContainsFunc(said, func(s string) bool { return strings.HasPrefix(s, want) }) {
			t.Errorf("nothing about %q in:\n%s", want, strings.Join(said, "\n"))
		}
	}
	if len(said) != 9 {
		t.Errorf("%d errors:\n%s", len(said), strings.Join(said, "\n"))
	}
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{"90s": 90 * time.Second, "12h": 12 * time.Hour, "7d": 168 * time.Hour, "0.5d": 12 * time.Hour} {
		var d Duration
		if err := d.UnmarshalText([]byte(text)); err != nil || time.Duration(d) != want {
			t.Errorf("%s: %s, %v", text, time.Duration(d), err)
		}
	}
	for _, text := range []string{"", "d", "7", "7 d", "xd", "1d2"} {
		var d Duration
		if err := d.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q became %s", text, time.Duration(d))
		}
	}
}

func TestOnLoopback(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:80": true, "localhost:80": true, "[::1]:80": true, "127.9.9.9:0": true,
		":80": false, "0.0.0.0:80": false, "10.0.0.1:80": false, "[::]:80": false, "example.net:80": false, "": false,
	} {
		if got := onLoopback(address); got != want {
			t.Errorf("%q: %v", address, got)
		}
	}
}

// TestInventoryIsAsPromised: at least 20 area codes in 10 states and 2 provinces, 4 toll-free numbers, one short code for each country; of these
// 12 local and 2 toll-free numbers and the US short code are rented.
func TestInventoryIsAsPromised(t *testing.T) {
	areas, states, provinces := map[string]bool{}, map[string]bool{}, map[string]bool{}
	all, rented := map[string]int{}, map[string]int{}
	for _, n := range inventory("MAXXXXXXXXXXXXXXXXXX", [16]byte{1}, "loopback", time.Now()) {
		kind := n.Type.String()
		all[kind]++
		if n.Account != "" {
			rented[kind]++
		}
		if n.AreaCode == "" {
			continue
		}
		areas[n.AreaCode] = true
		if n.Region == "" {
			t.Errorf("%s has no region", n.Number)
		}
		if n.Country == "CA" {
			provinces[n.Region] = true
		} else {
			states[n.Region] = true
		}
	}
	if len(areas) < 20 || len(states) < 10 || len(provinces) < 2 {
		t.Errorf("%d area codes in the states %v and the provinces %v", len(areas), maps.Keys(states), maps.Keys(provinces))
	}
	if all["tollfree"] != 4 || all["shortcode"] != 2 {
		t.Errorf("in all: %v", all)
	}
	if diff := cmp.Diff(map[string]int{"longcode": 12, "tollfree": 2, "shortcode": 1}, rented); diff != "" {
		t.Errorf("rented (-want +got):\n%s", diff)
	}
}
