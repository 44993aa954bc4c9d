package main

import (
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
	_ "time/tzdata" // so that day_zone works on machines without a zone database

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/numbering"
)

type checkCommand struct {
	Config string `help:"Configuration file." required:"" type:"path" placeholder:"FILE"`
}

// Run prints every error of the configuration, one a line.
func (c checkCommand) Run(std streams) error {
	cfg, errs := loadConfig(c.Config, os.LookupEnv)
	errs = append(errs, checkConfig(&cfg)...)
	if len(errs) == 0 {
		fmt.Fprintf(std.out, "%s: no errors; %d carriers, %d routes\n", c.Config, len(cfg.Carriers), len(cfg.Routes))
		return nil
	}
	for _, err := range errs {
		fmt.Fprintln(std.out, err)
	}
	return errReported
}

// checkConfig finds everything that is wrong with a configuration.
func checkConfig(c *Config) []error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		wrong("listen: %q is no address such as 127.0.0.1:8080", c.Listen)
	}
	if c.Data == "" {
		wrong("data: must name a folder")
	}
	if c.Database != "" {
		wrong("database: %s", errNoPostgres)
	}
	if c.AuthID != "" && (!gateway.AccountID(c.AuthID).Valid() || !strings.HasPrefix(c.AuthID, "MA")) {
		wrong("auth_id: must be MA and 18 characters of A-Z and 0-9")
	}
	if c.AuthToken != "" && !gateway.ValidToken(c.AuthToken) {
		wrong("auth_token: must be %d printable characters without blank and colon", gateway.TokenLength)
	}
	if strings.TrimSpace(c.AdminToken) != c.AdminToken {
		wrong("admin_token: must not begin or end with a blank")
	}
	if c.SecretKey != "" && !isKey(c.SecretKey) {
		wrong("secret_key: must be 64 hexadecimal digits")
	}
	if _, ok := logLevels[c.Log.Level]; !ok {
		wrong("log.level: must be debug, info, warn or error")
	}
	if c.Log.Format != "auto" && c.Log.Format != "text" && c.Log.Format != "json" {
		wrong("log.format: must be auto, text or json")
	}
	if c.Retention.Texts <= 0 || c.Retention.Records < c.Retention.Texts {
		wrong("retention: texts must be positive and records at least as long")
	}
	errs = append(errs, checkMedia(c)...)
	if _, err := time.LoadLocation(c.DayZone); err != nil {
		wrong("day_zone: %q is no time zone such as America/Los_Angeles", c.DayZone)
	}
	if h := &c.Health; time.Duration(h.Window) < time.Minute || h.Floor < 1 || h.Rest <= 0 {
		wrong("health: window must be a minute or more, floor and rest positive")
	}
	for _, country := range c.Countries {
		if _, ok := numbering.CallingCode(country); !ok || len(country) != 2 || strings.ToUpper(country) != country {
			wrong("countries: %q is no country such as US", country)
		}
	}
	if c.APILimit.Requests != nil && *c.APILimit.Requests < 0 || c.APILimit.Messages < 0 {
		wrong("api_limit: requests and messages must be calls in five seconds, 0 for unlimited")
	}
	if c.ConversionWindow <= 0 {
		wrong("conversion_window: must be positive")
	}
	errs = append(errs, c.Inbound.check()...)
	_, bad := readPrices(c.Prices)
	errs = append(errs, bad...)
	errs = append(errs, checkTLS(c.TLS)...)
	errs = append(errs, checkCarriers(c.Carriers, !onLoopback(c.Listen))...)
	return append(errs, checkRoutes(c)...)
}

var errNoPostgres = errors.New("PostgreSQL is not supported by this version; leave it empty for SQLite in the data folder")

func isKey(text string) bool {
	key, err := hex.DecodeString(text)
	return err == nil && len(key) == 32
}

func checkTLS(c TLSConfig) []error {
	switch {
	case c.Cert == "" && c.Key == "":
		return nil
	case c.Cert == "" || c.Key == "":
		return []error{errors.New("tls: cert and key belong together")}
	}
	if _, err := tls.LoadX509KeyPair(c.Cert, c.Key); err != nil {
		return []error{fmt.Errorf("tls: %w", err)}
	}
	return nil
}

func checkRoutes(c *Config) []error {
	var errs []error
	known := map[string]bool{}
	for _, carrier := range c.Carriers {
		known[carrier.Name] = true
	}
	for i, r := range c.Routes {
		at := fmt.Sprintf("routes[%d]", i)
		if strings.Trim(r.Prefix, "0123456789") != "" {
			errs = append(errs, fmt.Errorf("%s.prefix: %q must be digits of an E.164 number without +", at, r.Prefix))
		}
		if _, ok := gateway.ParseNumberType(r.SenderType); r.SenderType != "" && !ok {
			errs = append(errs, fmt.Errorf("%s.sender_type: must be longcode, tollfree, shortcode or alphanumeric", at))
		}
		for _, name := range r.Services {
			if _, ok := gateway.ParseService(name); !ok {
				errs = append(errs, fmt.Errorf("%s.services: must be sms or mms", at))
			}
		}
		if r.Account != "" && !gateway.AccountID(r.Account).Valid() {
			errs = append(errs, fmt.Errorf("%s.account: %q is no auth id", at, r.Account))
		}
		if len(r.Carriers) == 0 {
			errs = append(errs, fmt.Errorf("%s.carriers: must name at least one carrier", at))
		}
		for _, name := range r.Carriers {
			if !known[name] {
				errs = append(errs, fmt.Errorf("%s.carriers: there is no carrier %q", at, name))
			}
		}
	}
	return errs
}
