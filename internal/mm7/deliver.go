package mm7

import "time"

// DeliverReq brings the VASP a message from a subscriber. TS 23.140, 8.7.2; the elements in the order of the schema.
type DeliverReq struct {
	MM7Version       string
	MMSRelayServerID string
	VASPID, VASID    string
	LinkedID         string // for the answer: its SubmitReq carries it again
	Sender           Address
	Recipients       Recipients
	SenderSPI        string
	RecipientSPI     string
	TimeStamp        time.Time
	ReplyChargingID  string
	Priority         string
	Subject          string
	Application      Application
	UACapabilities   UACapabilities
	Content          ContentRef
}

// UACapabilities say where the sender's phone is described.
type UACapabilities struct {
	UAProf    string
	TimeStamp time.Time
}

// Name is DeliverReq.
func (*DeliverReq) Name() string { return "DeliverReq" }

func (m *DeliverReq) write(w *writer) {
	w.mm7Version(m.MM7Version)
	w.text("MMSRelayServerID", m.MMSRelayServerID)
	w.text("VASPID", m.VASPID)
	w.text("VASID", m.VASID)
	w.text("LinkedID", m.LinkedID)
	m.Sender.writeWithin(w, "Sender")
	m.Recipients.write(w)
	w.text("SenderSPI", m.SenderSPI)
	w.text("RecipientSPI", m.RecipientSPI)
	w.time("TimeStamp", m.TimeStamp)
	w.text("ReplyChargingID", m.ReplyChargingID)
	w.text("Priority", m.Priority)
	w.text("Subject", m.Subject)
	m.Application.write(w)
	m.UACapabilities.write(w)
	m.Content.write(w)
}

func (m *DeliverReq) read(r *reader) {
	m.MM7Version = r.value("MM7Version")
	m.MMSRelayServerID = r.value("MMSRelayServerID")
	m.VASPID = r.value("VASPID")
	m.VASID = r.value("VASID")
	m.LinkedID = r.value("LinkedID")
	if m.Sender = address(r.need("Sender")); r.err == nil && m.Sender.Value == "" {
		r.fail(StatusAddressError, "Sender is empty")
	}
	m.Recipients.read(r.child("Recipients"))
	m.SenderSPI = r.value("SenderSPI")
	m.RecipientSPI = r.value("RecipientSPI")
	m.TimeStamp = r.time("TimeStamp")
	m.ReplyChargingID = r.value("ReplyChargingID")
	m.Priority = r.value("Priority")
	m.Subject = r.value("Subject")
	m.Application.read(r)
	m.UACapabilities.read(r)
	m.Content.read(r.child("Content"))
}

func (u UACapabilities) write(w *writer) {
	if u.UAProf == "" {
		return
	}
	attrs := []string{"UAProf", u.UAProf}
	if !u.TimeStamp.IsZero() {
		attrs = append(attrs, "TimeStamp", formatTime(u.TimeStamp))
	}
	w.empty("UACapabilities", attrs...)
}

func (u *UACapabilities) read(r *reader) {
	if e := r.child("UACapabilities"); e != nil {
		u.UAProf = e.attr("UAProf")
		u.TimeStamp, _ = parseTime(e.attr("TimeStamp")) // told only
	}
}

// DeliverRsp says whether the VASP took a message.
type DeliverRsp struct {
	MM7Version  string
	Status      Status
	ServiceCode string
}

// Name is DeliverRsp.
func (*DeliverRsp) Name() string { return "DeliverRsp" }

// Result is the Status.
func (m *DeliverRsp) Result() Status { return m.Status }

func (m *DeliverRsp) write(w *writer) {
	w.mm7Version(m.MM7Version)
	m.Status.write(w)
	w.text("ServiceCode", m.ServiceCode)
}

func (m *DeliverRsp) read(r *reader) {
	m.MM7Version = r.value("MM7Version")
	m.Status.read(r)
	m.ServiceCode = r.value("ServiceCode")
}
