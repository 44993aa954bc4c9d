package esme

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/smpp"
	"github.com/heliograph/heliograph/internal/trouble"
)

// Mode is which binds carry the traffic.
type Mode uint8

const (
	Transceiver         Mode = iota // one connection both ways
	TransmitterReceiver             // a connection for submits and one for receipts
)

// Concatenation is how the segments of a long text are told apart.
type Concatenation uint8

const (
	// UDH puts a user data header into each segment: 3GPP TS 23.040, 9.2.3.24.1.
	UDH Concatenation = iota
	// SAR leaves the header to the SMSC: sar_msg_ref_num, sar_total_segments, sar_segment_seqnum. SMPP 3.4, 5.3.2.22 to 24.
	SAR
	// Payload leaves the segmentation to the SMSC: a long text is one submit_sm with message_payload. SMPP 3.4, 5.3.2.32.
	Payload
)

// ReceiptIDs is how the message ids of receipts compare to those of submit_sm_resp.
type ReceiptIDs uint8

const (
	SameIDs      ReceiptIDs = iota // the same octets
	HexToDecimal                   // hexadecimal in submit_sm_resp, decimal in receipts
	DecimalToHex                   // the other way round
	LooseIDs                       // the same but for leading zeros and case
)

// ReceiptRequest is for which ends a receipt is asked for.
type ReceiptRequest uint8

const (
	FinalReceipts   ReceiptRequest = iota // delivered, or not
	FailureReceipts                       // only not delivered; delivered messages stay sent
	NoReceipts                            // every message stays sent
)

// Unrented is what the SMSC hears of a message to a number that no account rents.
type Unrented uint8

const (
	RefuseUnrented Unrented = iota // ESME_RX_P_APPN: it forgets the message, and may tell the sender
	DeferUnrented                  // ESME_RX_T_APPN: it keeps the message, until somebody rents the number or it expires there
	DropUnrented                   // ESME_ROK: for SMSCs that take a refusal for a fault of the bind
)

// Numbering is the type of number and the numbering plan of an address. SMPP 3.4, 5.2.5 and 5.2.6.
type Numbering struct {
	TON smpp.TON
	NPI smpp.NPI
}

// Config is one SMPP carrier. Zero values are the defaults named; only Name, Address (or Dial), Now and OnReceipt must be set.
type Config struct {
	Name    string
	Address string      // host:port
	TLS     *tls.Config // nil: plain. Without a ServerName that of Address is verified
	// Dial connects in place of Address and TLS.
	Dial func(ctx context.Context) (net.Conn, error)

	SystemID, Password, SystemType string
	Mode                           Mode
	Binds                          int // default 1
	Window                         int // submit_sm without an answer, for each bind; default 10
	Inbound                        int // receipts and messages being recorded, for each bind; more are refused for the moment. Default 1,000

	EnquireLink     time.Duration // silence after which the SMSC is asked whether it is there; default 30 s
	ResponseTimeout time.Duration // for a submit_sm_resp; default 10 s
	BindTimeout     time.Duration // for the connection, and again for the bind_resp; default 10 s
	UnbindTimeout   time.Duration // for the end: answers to what is in hand, then the unbind_resp; default 2 s
	// UnansweredLimit is how many submits in a row may stay without an answer before the bind is made anew; default 10.
	UnansweredLimit int
	Reconnect       trouble.Backoff
	// Steady is how long a bind must hold before it counts as well again, for the log and the backoff; default 30 s.
	Steady time.Duration

	ServiceType     string
	RequestReceipts ReceiptRequest
	ReceiptIDs      ReceiptIDs
	ValidityPeriod  bool // tell the SMSC when a message expires
	Concatenation   Concatenation
	GSM7Coding      smpp.DataCoding // data_coding of texts in the GSM 7-bit default alphabet, a septet in each octet; default 0
	UCS2Coding      smpp.DataCoding // data_coding of texts in UTF-16; default 8
	GSM7AsLatin1    bool            // the SMSC's default alphabet is ISO 8859-1
	// TON and NPI: of sources by their kind, and of destinations.
	LongCode     *Numbering // default 1/1: international, E.164
	TollFree     *Numbering // default that of LongCode
	ShortCode    *Numbering // default 3/0: network specific
	Alphanumeric *Numbering // default 5/0
	Destination  *Numbering // default 1/1
	// Of messages from handsets.
	GSM7Packed     bool   // septets come packed: 3GPP TS 23.038, 6.1.2.1
	OctetsAsLatin1 bool   // what comes as data without an alphabet is text
	CountryCode    string // of numbers that come in the form of their country; empty: they come with it
	Unrented       Unrented
	// RefuseInbound refuses messages from handsets for good; without it, and without OnPart, the SMSC is asked to keep them.
	RefuseInbound bool
	// What the SMSC means where that is not what the tables in status.go and receipt.go say.
	Answers       map[smpp.Status]Answer       // by command_status
	ReceiptStates map[smpp.MessageState]Report // by message_state, or stat
	ReceiptErrors map[string]gateway.Reason    // by err, the three characters in a receipt's text

	Now func() time.Time
	Log *slog.Logger
	// OnReceipt takes a receipt and returns at once; done is called when it is on disk (nil) or cannot be kept.
	OnReceipt func(receipt gateway.Receipt, done func(error))
	// OnPart takes a part of a message from a handset, likewise. An error that is a gateway.Error of code NotFound says that nobody rents the number.
	OnPart func(part gateway.InboundPart, done func(error))
	// OnSettled hears that the SMSC has the answers to all that a session brought until a time. Nil: nobody does. It must not wait.
	OnSettled func(session uint64, until time.Time)
	// Rand gives numbers in [0, 1) for the jitter; default math/rand.
	Rand func() float64
}

// Bounds of the settings.
const (
	maxBinds  = 100
	maxWindow = 10_000
)

// withDefaults fills in what is not set.
func (c Config) withDefaults() Config {
	fill(&c.Binds, 1)
	fill(&c.Window, 10)
	fill(&c.Inbound, 1000)
	fill(&c.EnquireLink, 30*time.Second)
	fill(&c.ResponseTimeout, 10*time.Second)
	fill(&c.BindTimeout, 10*time.Second)
	fill(&c.UnbindTimeout, 2*time.Second)
	fill(&c.UnansweredLimit, 10)
	fill(&c.Reconnect.First, time.Second)
	fill(&c.Reconnect.Most, max(time.Minute, c.Reconnect.First))
	fill(&c.Steady, 30*time.Second)
	fill(&c.UCS2Coding, smpp.DataCodingUCS2)
	fillPointer(&c.LongCode, Numbering{smpp.TONInternational, smpp.NPIISDN})
	fillPointer(&c.TollFree, *c.LongCode)
	fillPointer(&c.ShortCode, Numbering{smpp.TONNetworkSpecific, smpp.NPIUnknown})
	fillPointer(&c.Alphanumeric, Numbering{smpp.TONAlphanumeric, smpp.NPIUnknown})
	fillPointer(&c.Destination, Numbering{smpp.TONInternational, smpp.NPIISDN})
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Dial == nil && c.Address != "" {
		c.Dial = dialer(c.Address, c.TLS)
	}
	return c
}

func fill[T comparable](field *T, value T) {
	if *field == *new(T) {
		*field = value
	}
}

func fillPointer(field **Numbering, value Numbering) {
	if *field == nil {
		*field = &value
	}
}

// check finds what is wrong with settings whose defaults are filled in.
func (c *Config) check() error {
	var errs []error
	wrong := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf("esme: "+format, args...))
		}
	}
	wrong(c.Name == "", "name: must be set")
	wrong(c.Dial == nil, "address: must be set")
	wrong(c.Now == nil || c.OnReceipt == nil, "Now and OnReceipt must be set")
	wrong(c.Binds < 1 || c.Binds > maxBinds, "binds: %d is not from 1 to %d", c.Binds, maxBinds)
	wrong(c.Window < 1 || c.Window > maxWindow, "window: %d is not from 1 to %d", c.Window, maxWindow)
	wrong(c.Inbound < 1, "inbound: must be at least 1")
	wrong(c.UnansweredLimit < 1, "unanswered limit: must be at least 1")
	wrong(c.Reconnect.First < 0 || c.Reconnect.Most < c.Reconnect.First, "reconnect: must not be negative, nor first be longer than most")
	for _, d := range []time.Duration{c.EnquireLink, c.ResponseTimeout, c.BindTimeout, c.UnbindTimeout, c.Steady} {
		wrong(d < 0, "a duration is negative: %s", d)
	}
	wrong(c.Mode > TransmitterReceiver || c.Concatenation > Payload || c.ReceiptIDs > LooseIDs || c.RequestReceipts > NoReceipts, "unknown mode")
	wrong(c.GSM7Packed && c.GSM7AsLatin1, "packed septets and ISO 8859-1 in the place of septets exclude each other")
	wrong(c.CountryCode != "" && !isCountryCode(c.CountryCode), "country code: must be 1 to 3 digits")
	wrong(c.Unrented > DropUnrented, "unknown treatment of numbers that nobody rents")
	for status, a := range c.Answers {
		settles := a.Status == gateway.Accepted || a.Status == gateway.Throttled || a.Status == gateway.Deferred
		wrong(!settles && (a.Status != gateway.Rejected || a.Reason == gateway.NoReason), "answers: %s: no meaning of an answer", status)
	}
	for state, r := range c.ReceiptStates {
		wrong(r.Outcome < gateway.InTransit || r.Outcome > gateway.ReceiptUndelivered, "receipt states: %s: no meaning of a state", state)
	}
	// What the SMSC gets in every PDU must be encodable, or nothing would ever leave.
	_, err := smpp.Append(nil, 1, smpp.ESME_ROK, c.bind(smpp.Transceiver))
	wrong(err != nil, "credentials: %w", err)
	_, err = smpp.Append(nil, 1, smpp.ESME_ROK, &smpp.SubmitSM{ServiceType: c.ServiceType})
	wrong(err != nil, "service type: %w", err)
	return errors.Join(errs...)
}

func isCountryCode(s string) bool { return isDigits(s) && s[0] != '0' && len(s) <= 3 }

// bind is the request that registers with the SMSC.
func (c *Config) bind(mode smpp.BindMode) *smpp.Bind {
	return &smpp.Bind{
		Mode: mode, SystemID: c.SystemID, Password: c.Password, SystemType: c.SystemType, InterfaceVersion: smpp.InterfaceVersion,
	}
}

// dialer connects to an address, with TLS when there is a configuration for it.
func dialer(address string, secure *tls.Config) func(context.Context) (net.Conn, error) {
	if secure == nil {
		var d net.Dialer
		return func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "tcp", address) }
	}
	d := tls.Dialer{Config: secure} // takes the address's host for a missing ServerName
	return func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "tcp", address) }
}
