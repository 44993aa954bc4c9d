package smpp

// QuerySM asks what became of a message. SMPP 3.4, 4.8.1.
type QuerySM struct {
	MessageID string
	Source    Address // as in the submit_sm
}

// Command is query_sm.
func (*QuerySM) Command() CommandID { return CommandQuerySM }

func (p *QuerySM) decode(r *reader) {
	*p = QuerySM{
		MessageID: r.cstring("message_id", maxMessageID, ESME_RINVMSGID),
		Source:    r.address("source_addr_ton", "source_addr_npi", "source_addr", maxAddress, ESME_RINVSRCADR),
	}
}

func (p *QuerySM) encode(w *writer) {
	w.cstring("message_id", p.MessageID, maxMessageID)
	w.address("source_addr", p.Source, maxAddress)
}

// QuerySMResp answers a query_sm. SMPP 3.4, 4.8.2.
type QuerySMResp struct {
	MessageID    string
	FinalDate    string // empty while the message is on its way
	MessageState MessageState
	ErrorCode    uint8 // the network's
}

// Command is query_sm_resp.
func (*QuerySMResp) Command() CommandID { return CommandQuerySMResp }

func (p *QuerySMResp) decode(r *reader) {
	*p = QuerySMResp{
		MessageID:    r.cstring("message_id", maxMessageID, ESME_RINVMSGID),
		FinalDate:    r.cstring("final_date", maxTime, ESME_RSYSERR),
		MessageState: MessageState(r.uint8("message_state")),
		ErrorCode:    r.uint8("error_code"),
	}
}

func (p *QuerySMResp) encode(w *writer) {
	w.cstring("message_id", p.MessageID, maxMessageID)
	w.cstring("final_date", p.FinalDate, maxTime)
	w.dst = append(w.dst, byte(p.MessageState), p.ErrorCode)
}

// CancelSM takes a message back that was not delivered yet, or all of a service to a destination. SMPP 3.4, 4.9.1.
type CancelSM struct {
	ServiceType string
	MessageID   string // empty: all that match
	Source      Address
	Dest        Address
}

// Command is cancel_sm.
func (*CancelSM) Command() CommandID { return CommandCancelSM }

func (p *CancelSM) decode(r *reader) {
	*p = CancelSM{
		ServiceType: r.cstring("service_type", maxServiceType, ESME_RINVSERTYP),
		MessageID:   r.cstring("message_id", maxMessageID, ESME_RINVMSGID),
		Source:      r.address("source_addr_ton", "source_addr_npi", "source_addr", maxAddress, ESME_RINVSRCADR),
		Dest:        r.address("dest_addr_ton", "dest_addr_npi", "destination_addr", maxAddress, ESME_RINVDSTADR),
	}
}

func (p *CancelSM) encode(w *writer) {
	w.cstring("service_type", p.ServiceType, maxServiceType)
	w.cstring("message_id", p.MessageID, maxMessageID)
	w.address("source_addr", p.Source, maxAddress)
	w.address("destination_addr", p.Dest, maxAddress)
}

// CancelSMResp answers a cancel_sm. SMPP 3.4, 4.9.2.
type CancelSMResp struct{}

// Command is cancel_sm_resp.
func (*CancelSMResp) Command() CommandID { return CommandCancelSMResp }

// ReplaceSM changes a message that was not delivered yet. SMPP 3.4, 4.10.1.
type ReplaceSM struct {
	MessageID            string
	Source               Address
	ScheduleDeliveryTime string
	ValidityPeriod       string
	RegisteredDelivery   RegisteredDelivery
	DefaultMessageID     uint8 // sm_default_msg_id
	ShortMessage         string
}

// Command is replace_sm.
func (*ReplaceSM) Command() CommandID { return CommandReplaceSM }

func (p *ReplaceSM) decode(r *reader) {
	*p = ReplaceSM{
		MessageID:            r.cstring("message_id", maxMessageID, ESME_RINVMSGID),
		Source:               r.address("source_addr_ton", "source_addr_npi", "source_addr", maxAddress, ESME_RINVSRCADR),
		ScheduleDeliveryTime: r.cstring("schedule_delivery_time", maxTime, ESME_RINVSCHED),
		ValidityPeriod:       r.cstring("validity_period", maxTime, ESME_RINVEXPIRY),
		RegisteredDelivery:   RegisteredDelivery(r.uint8("registered_delivery")),
		DefaultMessageID:     r.uint8("sm_default_msg_id"),
		ShortMessage:         r.shortMessage(),
	}
}

func (p *ReplaceSM) encode(w *writer) {
	w.cstring("message_id", p.MessageID, maxMessageID)
	w.address("source_addr", p.Source, maxAddress)
	w.cstring("schedule_delivery_time", p.ScheduleDeliveryTime, maxTime)
	w.cstring("validity_period", p.ValidityPeriod, maxTime)
	w.dst = append(w.dst, byte(p.RegisteredDelivery), p.DefaultMessageID)
	w.shortMessage(p.ShortMessage)
}

// ReplaceSMResp answers a replace_sm. SMPP 3.4, 4.10.2.
type ReplaceSMResp struct{}

// Command is replace_sm_resp.
func (*ReplaceSMResp) Command() CommandID { return CommandReplaceSMResp }
