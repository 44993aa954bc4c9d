package mm4

import (
	"errors"
	"fmt"
	"net/textproto"
	"strings"
)

// Status says what became of a mail.
type Status uint8

// A mail was either never taken over by the peer, or taken over, or refused for good; Unknown is the one case that may be either of the first two.
const (
	NeverAccepted Status = iota // it can be sent again: no connection, a 4xx answer, or a connection cut before the end of the content
	Accepted                    // 250 after the content; the response, if one was asked for, comes by mail
	Unknown                     // the connection was cut after the end of the content, without an answer
	Refused                     // 5xx, or a message that cannot be sent as it is
)

func (s Status) String() string {
	return [...]string{"never accepted", "accepted", "unknown", "refused"}[s]
}

// Phase is a step of an SMTP transaction.
type Phase uint8

// Phases, in their order.
const (
	PhaseConnect  Phase = iota // until the peer is ready for mail: connection, greeting, EHLO, TLS, AUTH
	PhaseMail                  // MAIL FROM
	PhaseRcpt                  // RCPT TO
	PhaseData                  // DATA, and the content
	PhaseFinal                 // the answer to the end of the content
	PhaseNothing               // nothing was sent: the message cannot be encoded, or there was no place
	PhaseFinished              // the transaction is over
)

func (p Phase) String() string {
	return [...]string{"connect", "MAIL", "RCPT", "DATA", "final", "nothing sent", "finished"}[p]
}

// Outcome is what became of a mail.
type Outcome struct {
	Status Status
	Phase  Phase // how far it came
	Code   int   // the peer's reply code, 0 without one
	Text   string
	// Refusals are the recipients that the peer refused while it took others. It is empty when all were refused: then that is the Status.
	Refusals []Refusal
	Err      error // why, unless Accepted; without numbers or content
}

// Refusal is a recipient that the peer refused.
type Refusal struct {
	Address   Address
	Code      int
	Text      string
	Temporary bool
}

// reply is an answer of the peer that is no success.
type reply struct {
	code int
	text string
}

func (r *reply) Error() string { return fmt.Sprintf("the peer said %d %s", r.code, r.text) }

func (r *reply) temporary() bool { return r.code/100 == 4 }

// proper tells whether it is a refusal after which the connection goes on: not 421, and no answer to another question.
func (r *reply) proper() bool { return r.code != 421 && (r.code/100 == 4 || r.code/100 == 5) }

// asReply makes a reply of the error that net/textproto returns for it.
func asReply(err error) error {
	if protocol := (*textproto.Error)(nil); errors.As(err, &protocol) {
		return &reply{code: protocol.Code, text: mask(protocol.Msg)}
	}
	return err
}

const maxReply = 200

// mask makes a peer's words fit for a log: on one line, short, and with every longer number hidden, since peers repeat addresses.
func mask(text string) string {
	text = clean(strings.ReplaceAll(text, "\n", " "))
	out := []byte(text)
	for start := 0; start < len(out); {
		end := start
		for end < len(out) && '0' <= out[end] && out[end] <= '9' {
			end++
		}
		if end-start > 5 {
			for i := start; i < end-2; i++ {
				out[i] = '*'
			}
		}
		start = max(end, start+1)
	}
	if len(out) > maxReply {
		out = out[:maxReply]
	}
	return strings.ToValidUTF8(string(out), "")
}

// failure is the outcome of a transaction that ended with an error in a phase.
func failure(phase Phase, err error) Outcome {
	out := Outcome{Status: NeverAccepted, Phase: phase, Err: fmt.Errorf("mm4: %s: %w", phase, err)}
	if phase == PhaseFinal {
		out.Status = Unknown
	}
	if said := (*reply)(nil); errors.As(err, &said) {
		out.Code, out.Text = said.code, said.text
		switch {
		case said.temporary():
			out.Status = NeverAccepted
		case said.code/100 == 5 && phase != PhaseConnect: // a peer that lets nobody in says nothing about the message
			out.Status = Refused
		}
	}
	return out
}
