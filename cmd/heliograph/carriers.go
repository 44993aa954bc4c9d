package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/esme"
	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/loopback"
	"github.com/heliograph/heliograph/internal/media"
	"github.com/heliograph/heliograph/internal/mms"
	"github.com/heliograph/heliograph/internal/mt"
	"github.com/heliograph/heliograph/internal/operator"
	"github.com/heliograph/heliograph/internal/relay"
	"github.com/heliograph/heliograph/internal/vasp"
)

// loopbackName is the carrier of an installation that configures none.
const loopbackName = "loopback"

// CarrierConfig is one carrier. Settings that its protocol does not have must be absent.
type CarrierConfig struct {
	Name     string `yaml:"name"`
	Protocol string `yaml:"protocol"` // smpp, mm7, mm4 or loopback

	// SMPP.
	Address         string   `yaml:"address"`
	TLS             bool     `yaml:"tls"`
	TLSCA           string   `yaml:"tls_ca"`          // PEM file; empty: the system's authorities
	TLSServerName   string   `yaml:"tls_server_name"` // empty: the address's host
	SystemID        string   `yaml:"system_id"`
	Password        string   `yaml:"password"`
	SystemType      string   `yaml:"system_type"`
	ServiceType     string   `yaml:"service_type"`
	Bind            string   `yaml:"bind"` // transceiver or transmitter+receiver
	Binds           int      `yaml:"binds"`
	Window          int      `yaml:"window"` // outstanding submit_sm per bind
	EnquireLink     Duration `yaml:"enquire_link"`
	ResponseTimeout Duration `yaml:"response_timeout"`
	Concatenation   string   `yaml:"concatenation"` // udh, sar or payload
	ReceiptIDs      string   `yaml:"receipt_ids"`   // same, loose, hex_to_decimal or decimal_to_hex
	GSMCoding       uint8    `yaml:"gsm_data_coding"`
	UCS2Coding      uint8    `yaml:"ucs2_data_coding"`
	GSMAsLatin1     bool     `yaml:"gsm_as_latin1"`   // the SMSC's default alphabet is ISO 8859-1
	Validity        bool     `yaml:"validity_period"` // tell the SMSC when a message expires
	Receipts        string   `yaml:"receipts"`        // final, failures or none: for which ends a receipt is asked for
	// Of messages from handsets.
	GSMPacked      bool   `yaml:"gsm_packed"`       // septets come packed
	OctetsAsLatin1 bool   `yaml:"octets_as_latin1"` // what comes as data without an alphabet is text
	Country        string `yaml:"country"`          // of numbers that come without their country code; empty: they come with it
	UnrentedNumber string `yaml:"unrented_number"`  // refuse, defer or drop: messages for numbers that no account rents
	RefuseInbound  bool   `yaml:"refuse_inbound"`   // refuse all for good
	// Answers says what a command_status means: throttled, deferred, or the error code that the message fails with.
	Answers map[string]string `yaml:"answers"`
	// ReceiptErrors says which error code an error of a receipt's text means.
	ReceiptErrors map[string]string `yaml:"receipt_errors"`

	LongCode     *NumberingTag `yaml:"long_code"`
	TollFree     *NumberingTag `yaml:"toll_free"`
	ShortCode    *NumberingTag `yaml:"short_code"`
	Alphanumeric *NumberingTag `yaml:"alphanumeric"`
	Destination  *NumberingTag `yaml:"destination"`

	// MMS is the carrier by which the MMS of numbers go that this one hosts.
	MMS string `yaml:"mms"`

	// MM7, besides tls_ca, tls_server_name, password, window (requests at once), response_timeout, receipts (final or none), validity_period and answers (by
	// StatusCode).
	URL              string `yaml:"url"`
	Username         string `yaml:"username"` // of basic authentication; empty: none
	VASPID           string `yaml:"vasp_id"`
	VASID            string `yaml:"vas_id"`
	ServiceCode      string `yaml:"service_code"`
	Schema           string `yaml:"schema"`      // REL-5-MM7-1-0 … REL-6-MM7-1-5
	MM7Version       string `yaml:"mm7_version"` // empty: the one that belongs to the schema
	Transfer         string `yaml:"transfer"`    // binary or base64
	BareNumbers      bool   `yaml:"bare_numbers"`
	AnyTransactionID bool   `yaml:"any_transaction_id"`
	AllowAdaptations *bool  `yaml:"allow_adaptations"` // nil: the MMSC's own default
	// ReportStates says what an MMStatus means: delivered, pending, or the error code that the message is undelivered with.
	ReportStates    map[string]string `yaml:"report_states"`
	InboundUsername string            `yaml:"inbound_username"` // that the MMSC must give
	InboundPassword string            `yaml:"inbound_password"`
	MaxBytes        int64             `yaml:"max_bytes"` // of a message
	MaxWidth        int               `yaml:"max_width"` // of a picture
	MaxHeight       int               `yaml:"max_height"`
	MediaTypes      []string          `yaml:"media_types"` // that are taken; empty: all

	// MM4, besides address, tls, tls_ca, tls_server_name, username, password, window (messages without an answer), response_timeout, receipts (final or
	// none), validity_period, answers (by request status), and of MM7 bare_numbers, report_states, the inbound and the media settings.
	StartTLS      bool           `yaml:"starttls"`
	ClearPassword bool           `yaml:"clear_password"` // passwords may go over connections without TLS, both ways
	Connections   int            `yaml:"connections"`
	NoBinary      bool           `yaml:"no_binary"`
	System        string         `yaml:"system"`      // our own address
	PeerDomain    string         `yaml:"peer_domain"` // of recipients
	Responses     *bool          `yaml:"responses"`   // nil: the peer answers forwards
	Listen        string         `yaml:"listen"`      // for the peer's mail
	ListenTLS     string         `yaml:"listen_tls"`  // offered, starttls or implicit
	ListenCert    string         `yaml:"listen_cert"` // PEM file
	ListenKey     string         `yaml:"listen_key"`  // PEM file
	Peers         []netip.Prefix `yaml:"peers"`       // networks that the peer's mail comes from

	// Loopback.
	Delay Duration `yaml:"delay"`

	// All.
	Rate       float64     `yaml:"rate"`       // parts per second over all binds, 0: unlimited
	Unanswered string      `yaml:"unanswered"` // resend or hold
	Retry      RetryConfig `yaml:"retry"`
}

// NumberingTag is a type of number and a numbering plan, as SMPP 3.4 numbers them (5.2.5 and 5.2.6).
type NumberingTag struct {
	TON uint8 `yaml:"ton"`
	NPI uint8 `yaml:"npi"`
}

// RetryConfig is the schedule of messages that the carrier cannot take for the moment; see gateway.SubmitRetry.
type RetryConfig struct {
	First Duration `yaml:"first"`
	Most  Duration `yaml:"most"`
}

// checkCarriers finds what is wrong with carriers. exposed: others than this machine reach the server.
func checkCarriers(list []CarrierConfig, exposed bool) []error {
	var errs []error
	seen := map[string]bool{}
	for i := range list {
		c := &list[i]
		at := fmt.Sprintf("carriers[%d]", i)
		switch {
		case c.Name == "":
			errs = append(errs, fmt.Errorf("%s.name: must be set", at))
		case seen[c.Name]:
			errs = append(errs, fmt.Errorf("%s.name: %q is there twice", at, c.Name))
		}
		seen[c.Name] = true
		for _, err := range c.check(exposed) {
			errs = append(errs, fmt.Errorf("%s.%w", at, err))
		}
		if c.MMS != "" && !slices.ContainsFunc(list, func(other CarrierConfig) bool { return other.Name == c.MMS && other.Protocol != "smpp" }) {
			errs = append(errs, fmt.Errorf("%s.mms: there is no carrier %q that carries MMS", at, c.MMS))
		}
	}
	return errs
}

// check finds what is wrong with one carrier.
func (c *CarrierConfig) check(exposed bool) []error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Rate < 0 {
		wrong("rate: must be parts per second, 0 for unlimited")
	}
	if c.Unanswered != "" && c.Unanswered != "resend" && c.Unanswered != "hold" {
		wrong("unanswered: must be resend or hold")
	}
	if c.Retry.First < 0 || c.Retry.Most < 0 {
		wrong("retry: must not be negative")
	}
	switch c.Protocol {
	case "loopback":
		if c.Delay < 0 {
			wrong("delay: must not be negative")
		}
	case "smpp":
		errs = append(errs, c.checkSMPP()...)
	case "mm7":
		errs = append(errs, c.checkMM7(exposed)...)
	case "mm4":
		errs = append(errs, c.checkMM4()...)
	case "plivo":
		wrong("protocol: %s is not supported by this version", c.Protocol)
	default:
		wrong("protocol: must be smpp, mm7, mm4 or loopback")
	}
	return errs
}

// Bounds of what a carrier is asked for.
const (
	maxBinds  = 100
	maxWindow = 10_000
	// maxCredential is more than SMPP 3.4 allows (15 and 8): SMSCs hand out longer ones.
	maxCredential = 64
)

func (c *CarrierConfig) checkSMPP() []error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if host, port, err := net.SplitHostPort(c.Address); err != nil || host == "" || port == "" {
		wrong("address: %q is no address such as smsc.example.net:2775", c.Address)
	}
	if c.SystemID == "" || len(c.SystemID) > maxCredential {
		wrong("system_id: must have 1 to %d characters", maxCredential)
	}
	if len(c.Password) > maxCredential {
		wrong("password: must have at most %d characters", maxCredential)
	}
	if len(c.SystemType) > 12 {
		wrong("system_type: must have at most 12 characters")
	}
	if len(c.ServiceType) > 5 {
		wrong("service_type: must have at most 5 characters")
	}
	if c.Binds < 0 || c.Binds > maxBinds {
		wrong("binds: must be 1 to %d", maxBinds)
	}
	if c.Window < 0 || c.Window > maxWindow {
		wrong("window: must be 1 to %d", maxWindow)
	}
	if c.EnquireLink < 0 || c.ResponseTimeout < 0 {
		wrong("enquire_link, response_timeout: must not be negative")
	}
	if _, ok := bindModes[c.Bind]; !ok {
		wrong("bind: must be transceiver or transmitter+receiver")
	}
	if _, ok := concatenations[c.Concatenation]; !ok {
		wrong("concatenation: must be udh, sar or payload")
	}
	if _, ok := receiptIDs[c.ReceiptIDs]; !ok {
		wrong("receipt_ids: must be same, loose, hex_to_decimal or decimal_to_hex")
	}
	if _, ok := receiptRequests[c.Receipts]; !ok {
		wrong("receipts: must be final, failures or none")
	}
	if _, ok := unrentedNumbers[c.UnrentedNumber]; !ok {
		wrong("unrented_number: must be refuse, defer or drop")
	}
	if c.GSMPacked && c.GSMAsLatin1 {
		wrong("gsm_packed, gsm_as_latin1: exclude each other")
	}
	if _, err := c.countryCode(); err != nil {
		wrong("country: %w", err)
	}
	if _, err := c.answers(); err != nil {
		wrong("answers: %w", err)
	}
	if _, err := c.receiptErrors(); err != nil {
		wrong("receipt_errors: %w", err)
	}
	if _, err := c.tlsConfig(); err != nil {
		wrong("tls_ca: %w", err)
	}
	return errs
}

// tlsConfig is how the connection is secured, nil: not at all.
func (c *CarrierConfig) tlsConfig() (*tls.Config, error) {
	if !c.TLS && !strings.HasPrefix(c.URL, "https:") {
		return nil, nil
	}
	host, _, _ := net.SplitHostPort(c.Address)
	if at, err := url.Parse(c.URL); err == nil && at.Hostname() != "" {
		host = at.Hostname()
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host}
	if c.TLSServerName != "" {
		cfg.ServerName = c.TLSServerName
	}
	if c.TLSCA == "" {
		return cfg, nil
	}
	pem, err := os.ReadFile(c.TLSCA)
	if err != nil {
		return nil, err
	}
	cfg.RootCAs = x509.NewCertPool()
	if !cfg.RootCAs.AppendCertsFromPEM(pem) {
		return nil, errors.New("holds no certificate")
	}
	return cfg, nil
}

// carriers are the running carriers in the order of the configuration.
type carriers []carrier

// carrier is one of them, with the few things that are asked of every kind.
type carrier struct {
	name      string
	run       func(context.Context) error
	binds     func() []operator.Bind
	receipted func() int64
	posted    http.Handler // what the carrier posts to us; nil: nothing
	// brought counts messages from handsets by what became of them, and requests that were not the carrier's, -1 where those are not counted; nil: it brings
	// none that way.
	brought func() (outcomes map[string]int64, intruders int64)
	counted func() map[string]int64 // what its protocol alone has to count; nil: nothing
}

// wires are what carriers are connected to: who takes what they bring, and the files of messages.
type wires struct {
	receipt  func(gateway.Receipt, func(error))
	part     func(gateway.InboundPart, func(error))
	settled  func(session uint64, until time.Time)
	handsets *handsets // of the pretend networks
	whose    func(number string) (gateway.AccountID, bool)
	library  *media.Library
	ids      *gateway.IDSource
	log      *slog.Logger
}

// ends are the wires of a carrier of MMS that takes files within some limits.
func (w *wires) ends(limits media.MessageLimits) mms.Ends {
	return mms.Ends{
		Files: func(ctx context.Context, m *gateway.Message) ([]*media.File, error) {
			return w.library.Attached(ctx, m, limits)
		},
		OnReceipt: w.receipt, OnPart: w.part, Whose: w.whose, Receive: w.library.Receive, Keep: w.library.Keep,
		NewID: func() gateway.ID { return w.ids.Next(time.Now()) },
	}
}

// newCarriers makes the configured carriers, or loopback where there is none, and makes them known to the dispatcher.
func newCarriers(cfg *Config, d *mt.Dispatcher, w *wires) (carriers, error) {
	list := cfg.Carriers
	if len(list) == 0 {
		list = []CarrierConfig{{Name: loopbackName, Protocol: "loopback"}}
	}
	made := make(carriers, 0, len(list))
	for i := range list {
		c := &list[i]
		settings := mt.CarrierSettings{
			Rate: c.Rate, Hold: c.Unanswered == "hold",
			Retry: gateway.SubmitRetry{First: time.Duration(c.Retry.First), Most: time.Duration(c.Retry.Most)},
		}
		var added carrier
		var err error
		switch c.Protocol {
		case "loopback":
			added = addLoopback(c, d, settings, w)
		case "mm7":
			added, err = addMM7(c, d, settings, w)
		case "mm4":
			added, err = addMM4(c, d, settings, w)
		default:
			added, err = addSMPP(c, d, settings, w)
		}
		if err != nil {
			return nil, fmt.Errorf("carrier %s: %w", c.Name, err)
		}
		made = append(made, added)
	}
	return made, nil
}

func addLoopback(c *CarrierConfig, d *mt.Dispatcher, settings mt.CarrierSettings, w *wires) carrier {
	l := loopback.New(loopback.Config{Name: c.Name, Delay: time.Duration(c.Delay), Now: time.Now, OnReceipt: w.receipt, OnPart: w.handsets.part})
	w.handsets.networks = append(w.handsets.networks, l)
	l.OnPlaces(d.AddCarrier(c.Name, l, settings))
	return carrier{
		name: c.Name, run: l.Run,
		binds:     func() []operator.Bind { return nil },
		receipted: func() int64 { return l.Stats().Reported },
	}
}

func addSMPP(c *CarrierConfig, d *mt.Dispatcher, settings mt.CarrierSettings, w *wires) (carrier, error) {
	settled, err := c.esme()
	if err != nil {
		return carrier{}, err
	}
	settled.Now, settled.Log = time.Now, w.log
	settled.OnReceipt, settled.OnPart, settled.OnSettled = w.receipt, w.part, w.settled
	e, err := esme.New(settled)
	if err != nil {
		return carrier{}, err
	}
	settings.Services, settings.MMS = gateway.Services(gateway.SMS), c.MMS
	e.OnPlaces(d.AddCarrier(c.Name, e, settings))
	return carrier{
		name: c.Name, run: e.Run, receipted: e.Receipts,
		binds: func() []operator.Bind { return bindsOf(e.Binds()) },
	}, nil
}

// bindsOf is the state of a carrier's binds as operators see it.
func bindsOf[S esme.BindState | vasp.BindState | relay.BindState](states []S) []operator.Bind {
	binds := make([]operator.Bind, len(states))
	for i, state := range states {
		binds[i] = operator.Bind(state)
		binds[i].Since = binds[i].Since.UTC()
	}
	return binds
}

func (cs carriers) names() []string {
	names := make([]string, len(cs))
	for i := range cs {
		names[i] = cs[i].name
	}
	return names
}

func (cs carriers) runs() []func(context.Context) error {
	runs := make([]func(context.Context) error, len(cs))
	for i := range cs {
		runs[i] = cs[i].run
	}
	return runs
}

func (cs carriers) named(name string) *carrier {
	for i := range cs {
		if cs[i].name == name {
			return &cs[i]
		}
	}
	return nil
}

func (cs carriers) binds(name string) []operator.Bind {
	if c := cs.named(name); c != nil {
		return c.binds()
	}
	return nil
}

// carriersPath begins the addresses that carriers post to: /carriers/NAME/mm7.
const carriersPath = "/carriers/"

// posted serves what carriers post.
func (cs carriers) posted(w http.ResponseWriter, r *http.Request) {
	name, what, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, carriersPath), "/")
	c := cs.named(name)
	if c == nil || c.posted == nil || what != "mm7" {
		writeStatus(w, http.StatusNotFound, "not found", "no carrier posts to this address")
		return
	}
	c.posted.ServeHTTP(w, r)
}

func (cs carriers) brought(name string) (outcomes map[string]int64, intruders int64) {
	if c := cs.named(name); c != nil && c.brought != nil {
		return c.brought()
	}
	return nil, 0
}

func (cs carriers) receipted(name string) int64 {
	if c := cs.named(name); c != nil {
		return c.receipted()
	}
	return 0
}

// counted is what a carrier counts that others do not.
func (cs carriers) counted(name string) map[string]int64 {
	if c := cs.named(name); c != nil && c.counted != nil {
		return c.counted()
	}
	return nil
}
