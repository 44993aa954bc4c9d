package smpp

import "fmt"

// TON is the type of number of an address. SMPP 3.4, 5.2.5.
type TON uint8

// Types of number.
const (
	TONUnknown          TON = 0
	TONInternational    TON = 1
	TONNational         TON = 2
	TONNetworkSpecific  TON = 3 // short codes, with many SMSCs
	TONSubscriberNumber TON = 4
	TONAlphanumeric     TON = 5
	TONAbbreviated      TON = 6
)

// NPI is the numbering plan of an address. SMPP 3.4, 5.2.6.
type NPI uint8

// Numbering plans.
const (
	NPIUnknown     NPI = 0
	NPIISDN        NPI = 1 // E.164
	NPIData        NPI = 3 // X.121
	NPITelex       NPI = 4 // F.69
	NPILandMobile  NPI = 6 // E.212
	NPINational    NPI = 8
	NPIPrivate     NPI = 9
	NPIERMES       NPI = 10
	NPIInternet    NPI = 14
	NPIWAPClientID NPI = 18
)

// Address is a source or destination as PDUs have it: two octets and digits (or an alphanumeric sender).
type Address struct {
	TON  TON
	NPI  NPI
	Addr string
}

// ESMClass says how a message is sent and what kind it is. SMPP 3.4, 5.2.12.
type ESMClass uint8

// Bits of esm_class. The messaging mode is for submit_sm and data_sm, the message type mostly for deliver_sm.
const (
	ESMModeMask        ESMClass = 0x03
	ESMDatagram        ESMClass = 0x01
	ESMForward         ESMClass = 0x02
	ESMStoreAndForward ESMClass = 0x03

	ESMTypeMask                 ESMClass = 0x3C
	ESMDeliveryReceipt          ESMClass = 0x04
	ESMDeliveryAcknowledgement  ESMClass = 0x08
	ESMUserAcknowledgement      ESMClass = 0x10
	ESMConversationAbort        ESMClass = 0x18
	ESMIntermediateNotification ESMClass = 0x20

	ESMUDHI      ESMClass = 0x40 // the user data begins with a header
	ESMReplyPath ESMClass = 0x80
)

// RegisteredDelivery says which receipts are wanted. SMPP 3.4, 5.2.17.
type RegisteredDelivery uint8

// Bits of registered_delivery.
const (
	ReceiptNone         RegisteredDelivery = 0x00
	ReceiptFinal        RegisteredDelivery = 0x01 // delivered or not
	ReceiptFailure      RegisteredDelivery = 0x02 // only when it was not delivered
	ReceiptMask         RegisteredDelivery = 0x03
	ReceiptIntermediate RegisteredDelivery = 0x10
)

// DataCoding names the alphabet of the user data. SMPP 3.4, 5.2.19.
type DataCoding uint8

// Values of data_coding. What DataCodingDefault means is the SMSC's setting: GSM 03.38 mostly, at times Latin 1.
const (
	DataCodingDefault DataCoding = 0
	DataCodingIA5     DataCoding = 1
	DataCodingOctets  DataCoding = 2
	DataCodingLatin1  DataCoding = 3
	DataCodingBinary  DataCoding = 4
	DataCodingUCS2    DataCoding = 8
)

// MessageState is where a message is, in receipts and in query_sm_resp. SMPP 3.4, 5.2.28.
type MessageState uint8

// Message states. Skipped came with a later version and is sent by SMSCs that speak 3.4 too.
const (
	StateEnroute       MessageState = 1
	StateDelivered     MessageState = 2
	StateExpired       MessageState = 3
	StateDeleted       MessageState = 4
	StateUndeliverable MessageState = 5
	StateAccepted      MessageState = 6
	StateUnknown       MessageState = 7
	StateRejected      MessageState = 8
	StateSkipped       MessageState = 9
)

// Final tells whether the message will not move any more.
func (m MessageState) Final() bool {
	return m >= StateDelivered && m <= StateSkipped && m != StateAccepted
}

// String is the word that receipts use for the state (appendix B).
func (m MessageState) String() string {
	switch m {
	case StateEnroute:
		return "ENROUTE"
	case StateDelivered:
		return "DELIVRD"
	case StateExpired:
		return "EXPIRED"
	case StateDeleted:
		return "DELETED"
	case StateUndeliverable:
		return "UNDELIV"
	case StateAccepted:
		return "ACCEPTD"
	case StateUnknown:
		return "UNKNOWN"
	case StateRejected:
		return "REJECTD"
	case StateSkipped:
		return "SKIPPED"
	}
	return fmt.Sprintf("message_state %d", uint8(m))
}
