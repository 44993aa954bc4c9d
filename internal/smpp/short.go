package smpp

// Greatest lengths of the fields of messages, with the NUL.
const (
	maxServiceType = 6
	maxAddress     = 21
	maxLongAddress = 65 // of data_sm and alert_notification
	maxTime        = 17
	maxMessageID   = 65
)

// addressLimit is how long the addresses of a message may be. SMSCs deliver messages from longer ones than 3.4 allows, and to refuse those would
// lose them.
func addressLimit(command CommandID) int {
	if command == CommandDeliverSM {
		return maxLongAddress
	}
	return maxAddress
}

// SubmitSM asks the SMSC to take one short message. SMPP 3.4, 4.4.1.
type SubmitSM struct {
	ServiceType          string
	Source               Address
	Dest                 Address
	ESMClass             ESMClass
	ProtocolID           uint8 // TP-PID
	PriorityFlag         uint8 // 0 to 3
	ScheduleDeliveryTime string
	ValidityPeriod       string // see RelativeTime, AbsoluteTime; empty: the SMSC's default
	RegisteredDelivery   RegisteredDelivery
	ReplaceIfPresent     uint8
	DataCoding           DataCoding
	DefaultMessageID     uint8  // sm_default_msg_id
	ShortMessage         string // octets of user data, at most 254; longer ones go into message_payload
	TLVs                 TLVs
}

// Command is submit_sm.
func (*SubmitSM) Command() CommandID { return CommandSubmitSM }

// UserData is the short message or, where that is empty, the message_payload.
func (p *SubmitSM) UserData() string {
	if p.ShortMessage != "" {
		return p.ShortMessage
	}
	payload, _ := p.TLVs.Get(TagMessagePayload)
	return payload
}

func (p *SubmitSM) decode(r *reader) {
	limit := addressLimit(r.command)
	*p = SubmitSM{
		ServiceType:          r.cstring("service_type", maxServiceType, ESME_RINVSERTYP),
		Source:               r.address("source_addr_ton", "source_addr_npi", "source_addr", limit, ESME_RINVSRCADR),
		Dest:                 r.address("dest_addr_ton", "dest_addr_npi", "destination_addr", limit, ESME_RINVDSTADR),
		ESMClass:             ESMClass(r.uint8("esm_class")),
		ProtocolID:           r.uint8("protocol_id"),
		PriorityFlag:         r.uint8("priority_flag"),
		ScheduleDeliveryTime: r.cstring("schedule_delivery_time", maxTime, ESME_RINVSCHED),
		ValidityPeriod:       r.cstring("validity_period", maxTime, ESME_RINVEXPIRY),
		RegisteredDelivery:   RegisteredDelivery(r.uint8("registered_delivery")),
		ReplaceIfPresent:     r.uint8("replace_if_present_flag"),
		DataCoding:           DataCoding(r.uint8("data_coding")),
		DefaultMessageID:     r.uint8("sm_default_msg_id"),
		ShortMessage:         r.shortMessage(),
		TLVs:                 r.tlvs(),
	}
}

func (p *SubmitSM) encode(w *writer) {
	w.cstring("service_type", p.ServiceType, maxServiceType)
	limit := addressLimit(w.command)
	w.address("source_addr", p.Source, limit)
	w.address("destination_addr", p.Dest, limit)
	w.dst = append(w.dst, byte(p.ESMClass), p.ProtocolID, p.PriorityFlag)
	w.cstring("schedule_delivery_time", p.ScheduleDeliveryTime, maxTime)
	w.cstring("validity_period", p.ValidityPeriod, maxTime)
	w.dst = append(w.dst, byte(p.RegisteredDelivery), p.ReplaceIfPresent, byte(p.DataCoding), p.DefaultMessageID)
	w.shortMessage(p.ShortMessage)
	w.tlvs(p.TLVs)
}

// SubmitSMResp answers a submit_sm. SMPP 3.4, 4.4.2.
type SubmitSMResp struct {
	MessageID string // the SMSC's; receipts come back with it, more or less
	TLVs      TLVs
}

// Command is submit_sm_resp.
func (*SubmitSMResp) Command() CommandID { return CommandSubmitSMResp }

func (p *SubmitSMResp) decode(r *reader) {
	*p = SubmitSMResp{MessageID: r.cstring("message_id", maxMessageID, ESME_RINVMSGID), TLVs: r.tlvs()}
}

func (p *SubmitSMResp) encode(w *writer) {
	w.cstring("message_id", p.MessageID, maxMessageID)
	w.tlvs(p.TLVs)
}

// DeliverSM hands the ESME a message or a receipt. It has the fields of submit_sm. SMPP 3.4, 4.6.1.
type DeliverSM SubmitSM

// Command is deliver_sm.
func (*DeliverSM) Command() CommandID { return CommandDeliverSM }

// UserData is the short message or, where that is empty, the message_payload.
func (p *DeliverSM) UserData() string { return (*SubmitSM)(p).UserData() }

// DeliverSMResp answers a deliver_sm; its MessageID is unused. SMPP 3.4, 4.6.2.
type DeliverSMResp SubmitSMResp

// Command is deliver_sm_resp.
func (*DeliverSMResp) Command() CommandID { return CommandDeliverSMResp }
