package smpp

import "fmt"

// CommandID says what a PDU is. SMPP 3.4, 5.1.2.1.
type CommandID uint32

// The operations of SMPP 3.4. A response has the id of its request with the top bit set.
const (
	CommandGenericNack         CommandID = 0x80000000
	CommandBindReceiver        CommandID = 0x00000001
	CommandBindReceiverResp    CommandID = 0x80000001
	CommandBindTransmitter     CommandID = 0x00000002
	CommandBindTransmitterResp CommandID = 0x80000002
	CommandQuerySM             CommandID = 0x00000003
	CommandQuerySMResp         CommandID = 0x80000003
	CommandSubmitSM            CommandID = 0x00000004
	CommandSubmitSMResp        CommandID = 0x80000004
	CommandDeliverSM           CommandID = 0x00000005
	CommandDeliverSMResp       CommandID = 0x80000005
	CommandUnbind              CommandID = 0x00000006
	CommandUnbindResp          CommandID = 0x80000006
	CommandReplaceSM           CommandID = 0x00000007
	CommandReplaceSMResp       CommandID = 0x80000007
	CommandCancelSM            CommandID = 0x00000008
	CommandCancelSMResp        CommandID = 0x80000008
	CommandBindTransceiver     CommandID = 0x00000009
	CommandBindTransceiverResp CommandID = 0x80000009
	CommandOutbind             CommandID = 0x0000000B
	CommandEnquireLink         CommandID = 0x00000015
	CommandEnquireLinkResp     CommandID = 0x80000015
	CommandSubmitMulti         CommandID = 0x00000021
	CommandSubmitMultiResp     CommandID = 0x80000021
	CommandAlertNotification   CommandID = 0x00000102
	CommandDataSM              CommandID = 0x00000103
	CommandDataSMResp          CommandID = 0x80000103
)

const responseBit CommandID = 0x80000000

// IsResponse tells whether the PDU answers another. generic_nack does.
func (c CommandID) IsResponse() bool { return c&responseBit != 0 }

// Response is the command that answers c. Operations without an answer of their own give generic_nack.
func (c CommandID) Response() CommandID {
	if c.IsResponse() || c == CommandOutbind || c == CommandAlertNotification || c.name() == "" {
		return CommandGenericNack
	}
	return c | responseBit
}

// IsBind tells whether c is one of the three bind requests.
func (c CommandID) IsBind() bool {
	return c == CommandBindReceiver || c == CommandBindTransmitter || c == CommandBindTransceiver
}

// String is the name the specification has.
func (c CommandID) String() string {
	if name := c.name(); name != "" {
		return name
	}
	return fmt.Sprintf("command_id 0x%08X", uint32(c))
}

func (c CommandID) name() string {
	switch c {
	case CommandGenericNack:
		return "generic_nack"
	case CommandBindReceiver:
		return "bind_receiver"
	case CommandBindReceiverResp:
		return "bind_receiver_resp"
	case CommandBindTransmitter:
		return "bind_transmitter"
	case CommandBindTransmitterResp:
		return "bind_transmitter_resp"
	case CommandQuerySM:
		return "query_sm"
	case CommandQuerySMResp:
		return "query_sm_resp"
	case CommandSubmitSM:
		return "submit_sm"
	case CommandSubmitSMResp:
		return "submit_sm_resp"
	case CommandDeliverSM:
		return "deliver_sm"
	case CommandDeliverSMResp:
		return "deliver_sm_resp"
	case CommandUnbind:
		return "unbind"
	case CommandUnbindResp:
		return "unbind_resp"
	case CommandReplaceSM:
		return "replace_sm"
	case CommandReplaceSMResp:
		return "replace_sm_resp"
	case CommandCancelSM:
		return "cancel_sm"
	case CommandCancelSMResp:
		return "cancel_sm_resp"
	case CommandBindTransceiver:
		return "bind_transceiver"
	case CommandBindTransceiverResp:
		return "bind_transceiver_resp"
	case CommandOutbind:
		return "outbind"
	case CommandEnquireLink:
		return "enquire_link"
	case CommandEnquireLinkResp:
		return "enquire_link_resp"
	case CommandSubmitMulti:
		return "submit_multi"
	case CommandSubmitMultiResp:
		return "submit_multi_resp"
	case CommandAlertNotification:
		return "alert_notification"
	case CommandDataSM:
		return "data_sm"
	case CommandDataSMResp:
		return "data_sm_resp"
	}
	return ""
}
