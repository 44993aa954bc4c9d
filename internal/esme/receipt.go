package esme

import (
	"strconv"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/smpp"
)

// Report is what a message state means for the part.
type Report struct {
	Outcome gateway.ReceiptOutcome
	Reason  gateway.Reason // of ReceiptUndelivered, when no error code says more
}

// reports is the meaning of message_state, and of stat in the text. SMPP 3.4, 5.2.28 and appendix B.
var reports = map[smpp.MessageState]Report{
	smpp.StateEnroute:   {Outcome: gateway.InTransit},
	smpp.StateDelivered: {Outcome: gateway.ReceiptDelivered},
	// The handset was not reached within the validity period.
	smpp.StateExpired: {gateway.ReceiptUndelivered, gateway.DestinationAway},
	// Taken out of the SMSC by somebody there.
	smpp.StateDeleted:       {gateway.ReceiptUndelivered, gateway.UnknownReason},
	smpp.StateUndeliverable: {gateway.ReceiptUndelivered, gateway.UnknownReason},
	// The specification has it for a message that customer service read to the subscriber; SMSCs say it when they have taken a message or handed
	// it to the next network, and mostly say more later. Where it is the last word, ReceiptStates can call it delivered.
	smpp.StateAccepted: {Outcome: gateway.InTransit},
	// The SMSC does not know what became of it: neither do we, and the message stays sent.
	smpp.StateUnknown:  {Outcome: gateway.InTransit},
	smpp.StateRejected: {gateway.ReceiptUndelivered, gateway.Prohibited},
	smpp.StateSkipped:  {gateway.ReceiptUndelivered, gateway.UnknownReason},
}

// Network types of network_error_code. SMPP 3.4, 5.3.2.31.
const (
	networkANSI136 = 1
	networkIS95    = 2
	networkGSM     = 3
)

// gsmErrors is the meaning of MAP user errors: 3GPP TS 29.002, 17.6.
var gsmErrors = map[uint16]gateway.Reason{
	1:  gateway.DestinationGone,    // unknown subscriber
	5:  gateway.DestinationGone,    // unidentified subscriber
	6:  gateway.DestinationAway,    // absent subscriber (SM)
	9:  gateway.InvalidDestination, // illegal subscriber
	10: gateway.InvalidDestination, // bearer service not provisioned
	11: gateway.InvalidDestination, // teleservice not provisioned
	12: gateway.InvalidDestination, // illegal equipment
	13: gateway.Prohibited,         // call barred
	21: gateway.Prohibited,         // facility not supported
	27: gateway.DestinationAway,    // absent subscriber
	31: gateway.DestinationAway,    // subscriber busy for MT SMS
	32: gateway.DestinationAway,    // SM delivery failure: mostly the handset's memory is full
	33: gateway.DestinationAway,    // message waiting list full
	34: gateway.NetworkError,       // system failure
	35: gateway.NetworkError,       // data missing
	36: gateway.NetworkError,       // unexpected data value
}

// ansiErrors is the meaning of SMS_CauseCode in ANSI-136 and IS-95 networks: TIA-41.
var ansiErrors = map[uint16]gateway.Reason{
	0:   gateway.DestinationGone,    // address vacant
	1:   gateway.InvalidDestination, // address translation failure
	2:   gateway.NetworkError,       // network resource shortage
	3:   gateway.NetworkError,       // network failure
	4:   gateway.Prohibited,         // invalid teleservice
	5:   gateway.NetworkError,       // other network problem
	32:  gateway.DestinationAway,    // no page response
	33:  gateway.DestinationAway,    // destination busy
	34:  gateway.DestinationAway,    // no acknowledgement
	35:  gateway.DestinationAway,    // destination resource shortage: its memory is full
	36:  gateway.DestinationAway,    // delivery postponed
	37:  gateway.DestinationAway,    // destination out of service
	38:  gateway.DestinationGone,    // destination no longer at this address
	39:  gateway.DestinationAway,    // other terminal problem
	64:  gateway.NetworkError,       // radio interface resource shortage
	65:  gateway.InvalidDestination, // radio interface incompatibility
	66:  gateway.NetworkError,       // other radio interface problem
	96:  gateway.InvalidMessage,     // encoding problem
	97:  gateway.InvalidSource,      // origination denied
	98:  gateway.InvalidDestination, // termination denied
	99:  gateway.InvalidDestination, // supplementary service not supported
	100: gateway.InvalidDestination, // SMS not supported
	106: gateway.TooLong,            // user data size error
}

// receipt translates what the SMSC says about a part. The addresses are those of the message: a receipt comes from its destination.
func (c *Config) receipt(r *smpp.Receipt, pdu *smpp.DeliverSM, at time.Time) gateway.Receipt {
	report, ok := c.ReceiptStates[r.State]
	if !ok {
		report, ok = reports[r.State]
	}
	if !ok || pdu.ESMClass&smpp.ESMTypeMask == smpp.ESMIntermediateNotification { // a state of nobody's table says nothing
		report = Report{Outcome: gateway.InTransit}
	}
	receipt := gateway.Receipt{
		Carrier: c.Name, CarrierID: c.ReceiptIDs.receipted(r), Outcome: report.Outcome, At: at, From: c.number(pdu.Dest), To: c.number(pdu.Source),
	}
	if report.Outcome == gateway.ReceiptUndelivered {
		receipt.Reason, receipt.Detail = c.undelivered(r, report.Reason), detail(r)
	}
	return receipt
}

// undelivered finds the reason: what the carrier's own codes are set to mean, then the network's code where a standard says what it means,
// then the state's.
func (c *Config) undelivered(r *smpp.Receipt, byState gateway.Reason) gateway.Reason {
	if reason, ok := c.ReceiptErrors[r.Err]; ok {
		return reason
	}
	if r.HasNetworkError {
		switch r.NetworkType {
		case networkGSM:
			if reason, ok := gsmErrors[r.NetworkError]; ok {
				return reason
			}
		case networkANSI136, networkIS95:
			if reason, ok := ansiErrors[r.NetworkError]; ok {
				return reason
			}
		}
	}
	if byState == gateway.NoReason {
		return gateway.UnknownReason
	}
	return byState
}

// longestErr bounds what is kept of a receipt's err, which has three characters.
const longestErr = 16

// detail is the carrier's own words: "UNDELIV err:027 network:3/27".
func detail(r *smpp.Receipt) string {
	words := make([]byte, 0, 64)
	words = append(words, r.State.String()...)
	if r.Err != "" && r.Err != "000" {
		words = append(words, " err:"...)
		for i := range min(len(r.Err), longestErr) {
			words = append(words, printable(r.Err[i]))
		}
	}
	if r.HasNetworkError {
		words = append(words, " network:"...)
		words = strconv.AppendUint(words, uint64(r.NetworkType), 10)
		words = append(words, '/')
		words = strconv.AppendUint(words, uint64(r.NetworkError), 10)
	}
	return string(words)
}

func printable(octet byte) byte {
	if octet < ' ' || octet > '~' {
		return '?'
	}
	return octet
}
