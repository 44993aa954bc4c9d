package smpptest

import (
	"crypto/tls"
	"net"
	"time"

	"github.com/heliograph/heliograph/internal/smpp"
)

// Config are the knobs of an SMSC. The zero value accepts every bind and submit at once and sends the receipts at once. Shares are from 0 to
// 1; Every…: each n-th submit, 0 for none.
type Config struct {
	Address  string       // where it listens; empty: a free port of 127.0.0.1
	Listener net.Listener // listens in place of Address when it is set
	TLS      *tls.Config  // nil: plain TCP

	SystemID, Password string // what binds must say; empty: anything
	MaxBinds           int    // more are refused with ESME_RALYBND; 0: 1000
	Window             int    // unanswered deliver_sm on one bind; 0: 100
	Name               string // our own system_id; empty: smpptest

	BindRefuse  smpp.Status // every bind is refused with it
	BindNack    smpp.Status // or answered with a generic_nack
	BindSilence bool        // or not answered
	BindGarbage bool        // or answered with octets that are no PDU

	AcceptDelay     time.Duration // before a submit is answered
	Refused         float64       // share of submits that are refused
	RefusedStatus   smpp.Status   // 0: ESME_RINVDSTADR
	Unanswered      float64       // share of submits that are taken and not answered
	ThrottleRate    float64       // submits a second, over all binds, beyond which ESME_RTHROTTLED is answered; 0: any number
	ThrottleEvery   int           // these are answered ESME_RTHROTTLED
	NackEvery       int           // these are answered with a generic_nack, ESME_RSYSERR
	GarbageEvery    int           // these are answered with octets that are no PDU
	MalformedEvery  int           // before these are answered comes a deliver_sm that cannot be decoded
	DisconnectEvery int           // at these, which are taken but not answered, the connection is dropped

	ReceiptDelay      time.Duration // from the answer to the receipt
	ReceiptFirst      bool          // the receipt is sent before the answer; where no receiver is bound, the answer comes alone
	RetryDelay        time.Duration // before a receipt that was refused or not answered is sent again; 0: 1 s
	Undelivered       float64       // share of accepted messages that are not delivered
	Failures          []Failure     // how, in turn; empty: UNDELIV with error 001
	DuplicateReceipts float64       // share of receipts that are sent twice
	UnknownReceipts   float64       // share of receipts that are followed by one for a message that never was
	Receipts          ReceiptForm
	ResponseIDs       IDForm // of the message ids in submit_sm_resp
	ReceiptIDs        IDForm // of the same ids in receipts
	FirstID           int64  // id of the first message, the others count on; 0: 1,000,000,001. Another for each run keeps ids of runs apart
	MaxPending        int    // receipts not taken yet, and answers held back; 0: 200,000

	Seed       uint64       // of the draw
	OnSubmit   func(Submit) // called for every submit, before it is answered, on its connection's goroutine
	OnReceipt  func(Report) // called for every receipt that is sent, before it leaves
	DecodeText bool         // Submit.Text and Submit.Part are filled
	Record     int          // how many of the latest submits are kept for Submits
	Distinct   bool         // Counters.Distinct is counted, at some 50 octets a message
	Session    smpp.Config  // timeouts and bounds of the sessions; its handlers are ours
}

// Report is a receipt that is sent.
type Report struct {
	At        time.Time
	MessageID string // as in the receipt
	State     smpp.MessageState
}

// Failure is a way in which a message is not delivered.
type Failure struct {
	State smpp.MessageState
	Err   string // three digits
}

// ReceiptForm says how receipts tell what they tell.
type ReceiptForm uint8

// Receipt forms.
const (
	TextAndTLV ReceiptForm = iota
	TextOnly
	TLVOnly
	PayloadText // the text in message_payload
)

// IDForm says how message ids are written.
type IDForm uint8

// Forms of ids.
const (
	Decimal IDForm = iota
	Padded         // decimal, with leading zeros
	Hex
	HexUpper
)

const (
	defaultName       = "smpptest"
	defaultMaxBinds   = 1000
	defaultWindow     = 100
	defaultRetryDelay = time.Second
	defaultMaxPending = 200_000
	defaultFirstID    = 1_000_000_001 // no small number: a decimal id that is taken for a hexadecimal one shows
)

func (c *Config) setDefaults() {
	if c.Address == "" {
		c.Address = "127.0.0.1:0"
	}
	if c.Name == "" {
		c.Name = defaultName
	}
	if c.MaxBinds <= 0 {
		c.MaxBinds = defaultMaxBinds
	}
	if c.Window <= 0 {
		c.Window = defaultWindow
	}
	if c.RetryDelay <= 0 {
		c.RetryDelay = defaultRetryDelay
	}
	if c.FirstID <= 0 {
		c.FirstID = defaultFirstID
	}
	if c.MaxPending <= 0 {
		c.MaxPending = defaultMaxPending
	}
	if c.RefusedStatus == smpp.ESME_ROK {
		c.RefusedStatus = smpp.ESME_RINVDSTADR
	}
	if len(c.Failures) == 0 {
		c.Failures = []Failure{{State: smpp.StateUndeliverable, Err: "001"}}
	}
}
