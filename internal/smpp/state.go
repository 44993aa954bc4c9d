package smpp

// Role is a side of a session.
type Role uint8

// The two roles.
const (
	ESME Role = iota // the client: it binds
	SMSC
)

func (r Role) peer() Role { return r ^ 1 }

// State is where a session is. SMPP 3.4, 2.2.
type State uint8

// Session states.
const (
	Open State = iota // connected, not bound
	BoundTX
	BoundRX
	BoundTRX
	Closed // unbound, or the connection is gone
)

// String is the state's name in the specification.
func (s State) String() string {
	switch s {
	case Open:
		return "OPEN"
	case BoundTX:
		return "BOUND_TX"
	case BoundRX:
		return "BOUND_RX"
	case BoundTRX:
		return "BOUND_TRX"
	}
	return "CLOSED"
}

// Bound tells whether a bind stands.
func (s State) Bound() bool { return s == BoundTX || s == BoundRX || s == BoundTRX }

func (m BindMode) state() State {
	switch m {
	case Transmitter:
		return BoundTX
	case Receiver:
		return BoundRX
	}
	return BoundTRX
}

// states is a set of session states.
type states uint8

func (s states) has(state State) bool { return s&(1<<state) != 0 }

const (
	inOpen  states = 1 << Open
	inTX    states = 1<<BoundTX | 1<<BoundTRX
	inRX    states = 1<<BoundRX | 1<<BoundTRX
	inBound        = inTX | inRX
	nowhere states = 0
)

// requestStates is table 2-1: in which states a side may send a request. enquire_link is taken in any: it harms nobody, and some peers
// send it before they bind.
func requestStates(issuer Role, command CommandID) states {
	var esme, smsc states
	switch command {
	case CommandBindTransmitter, CommandBindReceiver, CommandBindTransceiver:
		esme, smsc = inOpen, nowhere
	case CommandOutbind:
		esme, smsc = nowhere, inOpen
	case CommandUnbind:
		esme, smsc = inBound, inBound
	case CommandSubmitSM, CommandSubmitMulti, CommandQuerySM, CommandCancelSM, CommandReplaceSM:
		esme, smsc = inTX, nowhere
	case CommandDeliverSM, CommandAlertNotification:
		esme, smsc = nowhere, inRX
	case CommandDataSM:
		esme, smsc = inTX, inRX
	case CommandEnquireLink:
		esme, smsc = inOpen|inBound, inOpen|inBound
	}
	if issuer == ESME {
		return esme
	}
	return smsc
}
