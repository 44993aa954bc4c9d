package main

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/media"
	"github.com/heliograph/heliograph/internal/plivo"
)

// Config is every setting of the server. Each has a key of the configuration file, an environment variable (HELIOGRAPH_ and the key's
// path in capitals, joined with "_"; lists as YAML) and, where people type it, a flag. A flag wins over the environment, that over the
// file, that over the default. All are described in docs/configuration.md.
type Config struct {
	Listen   string `yaml:"listen"`
	Data     string `yaml:"data"`
	Database string `yaml:"database"`
	// PublicURL is under which address the outside reaches the server, for links to media. Empty: the one by which a caller has reached it.
	PublicURL string `yaml:"public_url"`

	// Credentials of the first start; the admin token holds at every start.
	AuthID     string `yaml:"auth_id"`
	AuthToken  string `yaml:"auth_token"`
	AdminToken string `yaml:"admin_token"`
	// SecretKey seals what the store must not hold in clear: 64 hexadecimal digits. Empty: a key file in the data folder.
	SecretKey string `yaml:"secret_key"`

	TLS       TLSConfig       `yaml:"tls"`
	Log       LogConfig       `yaml:"log"`
	Carriers  []CarrierConfig `yaml:"carriers"`
	Routes    []RouteConfig   `yaml:"routes"`
	Egress    EgressConfig    `yaml:"egress"`
	Retention RetentionConfig `yaml:"retention"`
	Media     MediaConfig     `yaml:"media"`
	Health    HealthConfig    `yaml:"health"`
	APILimit  APILimitConfig  `yaml:"api_limit"`
	Inbound   InboundConfig   `yaml:"inbound"`
	// ConversionWindow is how long a trackable message may wait for feedback until it counts as not converted.
	ConversionWindow Duration `yaml:"conversion_window"`
	// OwnNumbers lets accounts add numbers as their own that nobody has here. nil where nothing is said: then they may while only this machine can call.
	OwnNumbers *bool `yaml:"own_numbers"`
	// Countries are those that accounts may send to about which the operator's API says nothing else, by ISO 3166-1 alpha-2; none: all.
	Countries []string `yaml:"countries"`
	// Prices is the file of the price list, described in docs/pricing.md. Empty: nothing costs anything.
	Prices string `yaml:"prices"`
	// DayZone is the time zone in which daily caps are counted, by its IANA name.
	DayZone string `yaml:"day_zone"`
	// TrustedProxies are networks whose X-Forwarded-For names the caller.
	TrustedProxies []netip.Prefix `yaml:"trusted_proxies"`
}

// TLSConfig makes the server speak HTTPS.
type TLSConfig struct {
	Cert string `yaml:"cert"` // PEM file
	Key  string `yaml:"key"`  // PEM file
}

// LogConfig is what is logged, and how.
type LogConfig struct {
	Level  string `yaml:"level"`  // debug, info, warn or error
	Format string `yaml:"format"` // text, json, or auto: text on a terminal
}

// RouteConfig sends destinations through carriers; see gateway.Route.
type RouteConfig struct {
	Prefix     string   `yaml:"prefix"`
	SenderType string   `yaml:"sender_type"`
	Account    string   `yaml:"account"`
	Services   []string `yaml:"services"` // sms, mms; empty: all
	Carriers   []string `yaml:"carriers"`
}

// EgressConfig says where callbacks and media may lead besides public addresses.
type EgressConfig struct {
	Allow []netip.Prefix `yaml:"allow"`
}

// RetentionConfig says how long things are kept.
type RetentionConfig struct {
	Texts   Duration `yaml:"texts"`
	Records Duration `yaml:"records"`
}

// MediaConfig says how long uploaded files are kept, and links to them hold.
type MediaConfig struct {
	Unused Duration `yaml:"unused"` // that no message names
	Used   Duration `yaml:"used"`   // from the newest message on
	Links  Duration `yaml:"links"`
	Room   int64    `yaml:"room"` // of an account, in MiB
}

// APILimitConfig bounds the calls of an account to the account API within five seconds; 0: unlimited.
type APILimitConfig struct {
	// Requests is nil where nothing is said: then it is that of the contract, and none while only this machine can call.
	Requests *int `yaml:"requests"` // all but those that are made for each message
	Messages int  `yaml:"messages"` // sending, and conversion feedback
}

// HealthConfig says when senders that deliver badly rest; see gateway.HealthRules.
type HealthConfig struct {
	Enabled bool     `yaml:"enabled"`
	Window  Duration `yaml:"window"`
	Floor   int      `yaml:"floor"`
	Rest    Duration `yaml:"rest"`
}

// rules are those of the settings; what has no setting is as always.
func (c *HealthConfig) rules() gateway.HealthRules {
	if !c.Enabled {
		return gateway.HealthRules{}
	}
	rules := gateway.DefaultHealthRules()
	rules.Window, rules.Floor, rules.Rest = time.Duration(c.Window), c.Floor, time.Duration(c.Rest)
	rules.LongestRest = max(rules.LongestRest, rules.Rest)
	return rules
}

// Duration is a time.Duration as configurations write it: 90s, 12h, 7d.
type Duration time.Duration

// UnmarshalText reads Go's form, and days.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if days, ok := strings.CutSuffix(string(text), "d"); ok {
		var n float64
		n, err = strconv.ParseFloat(days, 64)
		parsed = time.Duration(n * float64(24*time.Hour))
	}
	if err != nil {
		return fmt.Errorf("%q is no duration such as 90s, 12h or 7d", text)
	}
	*d = Duration(parsed)
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// defaultConfig holds every default.
func defaultConfig() Config {
	health := gateway.DefaultHealthRules()
	return Config{
		Listen:           "127.0.0.1:8080",
		Data:             "./data",
		Log:              LogConfig{Level: "info", Format: "auto"},
		Health:           HealthConfig{Enabled: true, Window: Duration(health.Window), Floor: health.Floor, Rest: Duration(health.Rest)},
		DayZone:          "UTC",
		ConversionWindow: Duration(time.Hour),
		Inbound:          defaultInbound(),
		Retention:        RetentionConfig{Texts: Duration(7 * 24 * time.Hour), Records: Duration(90 * 24 * time.Hour)},
		Media:            MediaConfig{Unused: Duration(media.DefaultUnused), Used: Duration(media.DefaultUsed), Links: Duration(media.DefaultLinked), Room: media.DefaultRoom >> 20},
	}
}

// contractLimit is how many calls in five seconds the contract allows an account.
const contractLimit = 300

// limits are those of the account API.
func (c *Config) limits() plivo.Limits {
	l := plivo.Limits{Requests: contractLimit, Messages: c.APILimit.Messages}
	switch {
	case c.APILimit.Requests != nil:
		l.Requests = *c.APILimit.Requests
	case onLoopback(c.Listen):
		l.Requests = 0
	}
	return l
}

// ownNumbers tells whether accounts may add numbers as their own.
func (c *Config) ownNumbers() bool {
	if c.OwnNumbers != nil {
		return *c.OwnNumbers
	}
	return onLoopback(c.Listen)
}

// onLoopback tells whether the address is reached from this machine only.
func onLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// routes makes the routing table; without routes every carrier takes everything, in the order of the file.
func (c *Config) routes(carriers []string) gateway.Routes {
	if len(c.Routes) == 0 {
		return gateway.Routes{{Carriers: carriers}}
	}
	routes := make(gateway.Routes, len(c.Routes))
	for i, r := range c.Routes {
		sender, _ := gateway.ParseNumberType(r.SenderType)
		var services []gateway.Service
		for _, name := range r.Services {
			if service, ok := gateway.ParseService(name); ok {
				services = append(services, service)
			}
		}
		routes[i] = gateway.Route{
			Prefix: r.Prefix, Type: sender, Account: gateway.AccountID(r.Account), Services: gateway.Services(services...), Carriers: r.Carriers,
		}
	}
	return routes
}
