package main

import (
	"strings"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/mm4"
	"github.com/heliograph/heliograph/internal/relay"
)

const mm4Carrier = "{name: hub, protocol: mm4, address: 'mm4.hub.example:25', system: s@us.example, peer_domain: hub.example, listen: ':25', peers: [10.0.0.0/8]"

// TestMM4Config: what is wrong with an MM4 carrier is said, by the name of the setting.
func TestMM4Config(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "",
		"address: hub":                     "address:",
		"system: us":                       "system:",
		"system: +1415/TYPE=PLMN@us":       "system:",
		"peer_domain: a@b":                 "peer_domain:",
		"tls: true, starttls: true":        "tls, starttls:",
		"password: x":                      "password:",
		"username: x, password: x":         "username:",
		"connections: 101":                 "connections:",
		"window: -1":                       "window:",
		"response_timeout: -1s":            "response_timeout:",
		"receipts: failures":               "receipts:",
		"answers: {'58': throttled}":       "answers:",
		"report_states: {Deferred: maybe}": "report_states:",
		"tls: true, tls_ca: no":            "tls_ca:",
		"max_bytes: 1":                     "max_bytes:",
		"listen: '25'":                     "listen:",
		"inbound_username: x":              "inbound_username, inbound_password:",
		"peers: []":                        "peers:",
		"listen_tls: maybe":                "listen_tls:",
		"listen_tls: starttls":             "listen_tls:",
		"listen_cert: a.pem":               "listen_cert, listen_key:",

		"username: x, password: x, starttls: true":                "",
		"username: x, password: x, clear_password: true":          "",
		"answers: {Error-unspecified: maybe}":                     "answers:",
		"peers: [], inbound_username: x, inbound_password: x":     "inbound_password:",
		"listen_cert: no.pem, listen_key: no.pem":                 "listen_cert, listen_key:",
		"unanswered: hold, retry: {first: 1s, most: 1m}, rate: 5": "",
	} {
		_, errs := mm4Settings(t, text)
		switch {
		case want == "" && len(errs) > 0, want != "" && len(errs) != 1:
			t.Errorf("%s: %v", text, errs)
		case want != "" && !strings.HasPrefix(errs[0].Error(), "carriers[0]."+want):
			t.Errorf("%s: %v, want %s", text, errs, want)
		}
	}
}

// mm4Settings reads a carrier of which some settings are others.
func mm4Settings(t *testing.T, text string) (*CarrierConfig, []error) {
	t.Helper()
	carrier := mm4Carrier
	for setting := range strings.SplitSeq(text, ", ") { // the parser refuses what is there twice
		key, _, _ := strings.Cut(setting, ":")
		if before, rest, ok := strings.Cut(carrier, ", "+key+": "); ok {
			_, after, _ := strings.Cut(rest, ", ")
			carrier = strings.TrimSuffix(before+", "+after, ", ")
		}
	}
	if text != "" {
		carrier += ", " + text
	}
	cfg, errs := loadConfig(writeConfig(t, "carriers: ["+carrier+"}]"), environment(nil))
	if len(cfg.Carriers) != 1 {
		t.Fatalf("%s: %v", carrier, errs)
	}
	return &cfg.Carriers[0], append(errs, checkConfig(&cfg)...)
}

// TestMM4Settings: the settings reach the carrier.
func TestMM4Settings(t *testing.T) {
	c, errs := mm4Settings(t, "starttls: true, username: u, password: p, connections: 7, no_binary: true, bare_numbers: true, window: 9, responses: false, "+
		"response_timeout: 5s, receipts: none, validity_period: true, answers: {Error-busy: throttled}, report_states: {Indeterminate: delivered}, "+
		"inbound_username: x, inbound_password: y, clear_password: true, max_bytes: 100000, max_width: 640")
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	got, err := c.relay()
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != "hub" || got.Address != "mm4.hub.example:25" || got.TLS != mm4.TLSStart || got.TLSConfig.ServerName != "mm4.hub.example" || got.User != "u" ||
		got.Password != "p" || got.Connections != 7 || !got.NoBinary || !got.BareNumbers || got.Window != 9 || !got.NoResponses ||
		got.ResponseTimeout != 5*time.Second || !got.NoReports || !got.ValidityPeriod || got.System.String() != "s@us.example" || got.PeerDomain != "hub.example" {
		t.Errorf("%+v", got)
	}
	if got.Answers["Error-busy"] != (relay.Answer{Status: gateway.Throttled}) || got.MMStates["Indeterminate"].Outcome != gateway.ReceiptDelivered ||
		got.Listen != ":25" || len(got.Networks) != 1 || got.InboundUser != "x" || got.InboundPassword != "y" || !got.InboundAuthInClear {
		t.Errorf("%+v", got)
	}
	if limits, ok := c.limits(); !ok || limits.MaxBytes <= 0 || limits.MaxBytes >= 100000 || limits.File.MaxWidth != 640 {
		t.Errorf("%+v", limits)
	}
}
