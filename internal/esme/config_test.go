package esme

import (
	"strings"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/smpp"
	"github.com/heliograph/heliograph/internal/trouble"
)

func TestConfig(t *testing.T) {
	good := func() Config {
		return Config{
			Name: "main", Address: "127.0.0.1:2775", SystemID: "user", Password: "secret", Now: time.Now,
			OnReceipt: func(gateway.Receipt, func(error)) {},
		}
	}
	if c, err := New(good()); err != nil || len(c.Binds()) != 1 || c.Places() != 0 {
		t.Fatalf("got %v", err)
	}
	cases := []struct {
		want string // in the error
		set  func(*Config)
	}{
		{"name", func(c *Config) { c.Name = "" }},
		{"address", func(c *Config) { c.Address = "" }},
		{"OnReceipt", func(c *Config) { c.OnReceipt = nil }},
		{"Now", func(c *Config) { c.Now = nil }},
		{"binds: 101", func(c *Config) { c.Binds = 101 }},
		{"binds: -1", func(c *Config) { c.Binds = -1 }},
		{"window: 10001", func(c *Config) { c.Window = 10_001 }},
		{"inbound", func(c *Config) { c.Inbound = -1 }},
		{"unanswered limit", func(c *Config) { c.UnansweredLimit = -1 }},
		{"reconnect", func(c *Config) { c.Reconnect = trouble.Backoff{First: time.Minute, Most: time.Second} }},
		{"-1s", func(c *Config) { c.ResponseTimeout = -time.Second }},
		{"-1s", func(c *Config) { c.EnquireLink = -time.Second }},
		{"packed", func(c *Config) { c.GSM7Packed, c.GSM7AsLatin1 = true, true }},
		{"country code", func(c *Config) { c.CountryCode = "US" }},
		{"country code", func(c *Config) { c.CountryCode = "0044" }},
		{"nobody rents", func(c *Config) { c.Unrented = 3 }},
		{"mode", func(c *Config) { c.Concatenation = 3 }},
		{"mode", func(c *Config) { c.ReceiptIDs = 4 }},
		{"system_id", func(c *Config) { c.SystemID = strings.Repeat("u", 65) }},
		{"password", func(c *Config) { c.Password = "with\x00NUL" }},
		{"service_type", func(c *Config) { c.ServiceType = "toolong" }},
		{"ESME_RINVDSTADR", func(c *Config) { c.Answers = map[smpp.Status]Answer{smpp.ESME_RINVDSTADR: {Status: gateway.Rejected}} }},
		{"0x00000400", func(c *Config) { c.Answers = map[smpp.Status]Answer{0x400: {Status: gateway.Unanswered}} }},
		{"UNKNOWN", func(c *Config) { c.ReceiptStates = map[smpp.MessageState]Report{smpp.StateUnknown: {}} }},
	}
	for _, tc := range cases {
		cfg := good()
		tc.set(&cfg)
		_, err := New(cfg)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("want an error with %q, got %v", tc.want, err)
		}
		if err != nil && strings.Contains(err.Error(), "with\x00NUL") {
			t.Error("the error tells the password")
		}
	}
}

// TestRelationsOfDefaults: one setting's default follows another setting.
func TestRelationsOfDefaults(t *testing.T) {
	c := Config{LongCode: &Numbering{2, 8}, Reconnect: trouble.Backoff{First: 2 * time.Minute}}.withDefaults()
	if *c.TollFree != *c.LongCode {
		t.Errorf("toll-free numbers have %+v, long codes %+v", *c.TollFree, *c.LongCode)
	}
	if c.Reconnect.Most != 2*time.Minute {
		t.Errorf("reconnect %+v", c.Reconnect)
	}
}
