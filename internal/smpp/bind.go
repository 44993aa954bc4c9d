package smpp

// BindMode is the kind of a bind: which way messages go.
type BindMode uint8

// Bind modes. The zero value is the usual one.
const (
	Transceiver BindMode = iota
	Transmitter          // ESME to SMSC
	Receiver             // SMSC to ESME
)

// String is the mode's name.
func (m BindMode) String() string {
	switch m {
	case Transmitter:
		return "transmitter"
	case Receiver:
		return "receiver"
	}
	return "transceiver"
}

func (m BindMode) command() CommandID {
	switch m {
	case Transmitter:
		return CommandBindTransmitter
	case Receiver:
		return CommandBindReceiver
	}
	return CommandBindTransceiver
}

func bindMode(command CommandID) BindMode {
	switch command &^ responseBit {
	case CommandBindTransmitter:
		return Transmitter
	case CommandBindReceiver:
		return Receiver
	}
	return Transceiver
}

// InterfaceVersion is what interface_version and sc_interface_version say for SMPP 3.4.
const InterfaceVersion = 0x34

// Greatest lengths of the fields of a bind, with the NUL. The specification has 9 for passwords; SMSCs hand out longer ones.
const (
	maxSystemID     = 65 // 16 in the specification, likewise
	maxPassword     = 65
	maxSystemType   = 13
	maxAddressRange = 41
)

// Bind registers an ESME with an SMSC. SMPP 3.4, 4.1.
type Bind struct {
	Mode             BindMode
	SystemID         string
	Password         string
	SystemType       string
	InterfaceVersion uint8
	AddressRange     Address // Addr is a UNIX regular expression over the addresses that the ESME serves
}

// Command is bind_transceiver, bind_transmitter or bind_receiver.
func (b *Bind) Command() CommandID { return b.Mode.command() }

func (b *Bind) decode(r *reader) {
	*b = Bind{
		Mode:             bindMode(r.command),
		SystemID:         r.cstring("system_id", maxSystemID, ESME_RINVSYSID),
		Password:         r.cstring("password", maxPassword, ESME_RINVPASWD),
		SystemType:       r.cstring("system_type", maxSystemType, ESME_RINVSYSTYP),
		InterfaceVersion: r.uint8("interface_version"),
		AddressRange:     r.address("addr_ton", "addr_npi", "address_range", maxAddressRange, ESME_RBINDFAIL),
	}
}

func (b *Bind) encode(w *writer) {
	w.cstring("system_id", b.SystemID, maxSystemID)
	w.cstring("password", b.Password, maxPassword)
	w.cstring("system_type", b.SystemType, maxSystemType)
	w.uint8(b.InterfaceVersion)
	w.address("address_range", b.AddressRange, maxAddressRange)
}

// BindResp answers a bind. SMPP 3.4, 4.1.2.
type BindResp struct {
	Mode     BindMode
	SystemID string // the SMSC's
	TLVs     TLVs   // sc_interface_version
}

// Command is that of the mode.
func (b *BindResp) Command() CommandID { return b.Mode.command().Response() }

func (b *BindResp) decode(r *reader) {
	*b = BindResp{
		Mode:     bindMode(r.command),
		SystemID: r.cstring("system_id", maxSystemID, ESME_RINVSYSID),
		TLVs:     r.tlvs(),
	}
}

func (b *BindResp) encode(w *writer) {
	w.cstring("system_id", b.SystemID, maxSystemID)
	w.tlvs(b.TLVs)
}

// Outbind asks an ESME to bind as a receiver. SMPP 3.4, 4.1.7.
type Outbind struct {
	SystemID string // the SMSC's
	Password string
}

// Command is outbind.
func (*Outbind) Command() CommandID { return CommandOutbind }

func (o *Outbind) decode(r *reader) {
	*o = Outbind{
		SystemID: r.cstring("system_id", maxSystemID, ESME_RINVSYSID),
		Password: r.cstring("password", maxPassword, ESME_RINVPASWD),
	}
}

func (o *Outbind) encode(w *writer) {
	w.cstring("system_id", o.SystemID, maxSystemID)
	w.cstring("password", o.Password, maxPassword)
}
