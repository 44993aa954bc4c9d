package smpp

// DataSM carries a message either way, its text in message_payload. SMPP 3.4, 4.7.1.
type DataSM struct {
	ServiceType        string
	Source             Address
	Dest               Address
	ESMClass           ESMClass
	RegisteredDelivery RegisteredDelivery
	DataCoding         DataCoding
	TLVs               TLVs
}

// Command is data_sm.
func (*DataSM) Command() CommandID { return CommandDataSM }

// Deliver gives a data_sm from an SMSC the form of a deliver_sm, so that both can be treated alike.
func (p *DataSM) Deliver() *DeliverSM {
	return &DeliverSM{
		ServiceType: p.ServiceType, Source: p.Source, Dest: p.Dest, ESMClass: p.ESMClass,
		RegisteredDelivery: p.RegisteredDelivery, DataCoding: p.DataCoding, TLVs: p.TLVs,
	}
}

func (p *DataSM) decode(r *reader) {
	*p = DataSM{
		ServiceType:        r.cstring("service_type", maxServiceType, ESME_RINVSERTYP),
		Source:             r.address("source_addr_ton", "source_addr_npi", "source_addr", maxLongAddress, ESME_RINVSRCADR),
		Dest:               r.address("dest_addr_ton", "dest_addr_npi", "destination_addr", maxLongAddress, ESME_RINVDSTADR),
		ESMClass:           ESMClass(r.uint8("esm_class")),
		RegisteredDelivery: RegisteredDelivery(r.uint8("registered_delivery")),
		DataCoding:         DataCoding(r.uint8("data_coding")),
		TLVs:               r.tlvs(),
	}
}

func (p *DataSM) encode(w *writer) {
	w.cstring("service_type", p.ServiceType, maxServiceType)
	w.address("source_addr", p.Source, maxLongAddress)
	w.address("destination_addr", p.Dest, maxLongAddress)
	w.dst = append(w.dst, byte(p.ESMClass), byte(p.RegisteredDelivery), byte(p.DataCoding))
	w.tlvs(p.TLVs)
}

// DataSMResp answers a data_sm. SMPP 3.4, 4.7.2.
type DataSMResp SubmitSMResp

// Command is data_sm_resp.
func (*DataSMResp) Command() CommandID { return CommandDataSMResp }
