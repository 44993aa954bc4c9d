package smpp

// Unbind ends a bind. SMPP 3.4, 4.2.
type Unbind struct{}

// Command is unbind.
func (*Unbind) Command() CommandID { return CommandUnbind }

// UnbindResp answers an unbind. SMPP 3.4, 4.2.2.
type UnbindResp struct{}

// Command is unbind_resp.
func (*UnbindResp) Command() CommandID { return CommandUnbindResp }

// EnquireLink asks whether the peer is there. SMPP 3.4, 4.11.1.
type EnquireLink struct{}

// Command is enquire_link.
func (*EnquireLink) Command() CommandID { return CommandEnquireLink }

// EnquireLinkResp says that it is. SMPP 3.4, 4.11.2.
type EnquireLinkResp struct{}

// Command is enquire_link_resp.
func (*EnquireLinkResp) Command() CommandID { return CommandEnquireLinkResp }

// GenericNack answers what has no answer of its own, because it could not be understood. SMPP 3.4, 4.3.
type GenericNack struct{}

// Command is generic_nack.
func (*GenericNack) Command() CommandID { return CommandGenericNack }

// AlertNotification tells an ESME that a handset it tried to reach is there again. It has no response. SMPP 3.4, 4.12.1.
type AlertNotification struct {
	Source Address // the handset
	ESME   Address // who wanted to reach it
	TLVs   TLVs    // ms_availability_status
}

// Command is alert_notification.
func (*AlertNotification) Command() CommandID { return CommandAlertNotification }

func (p *AlertNotification) decode(r *reader) {
	*p = AlertNotification{
		Source: r.address("source_addr_ton", "source_addr_npi", "source_addr", maxLongAddress, ESME_RINVSRCADR),
		ESME:   r.address("esme_addr_ton", "esme_addr_npi", "esme_addr", maxLongAddress, ESME_RINVDSTADR),
		TLVs:   r.tlvs(),
	}
}

func (p *AlertNotification) encode(w *writer) {
	w.address("source_addr", p.Source, maxLongAddress)
	w.address("esme_addr", p.ESME, maxLongAddress)
	w.tlvs(p.TLVs)
}
