package mm7

import "time"

// DeliveryReportReq tells the VASP what became of a message at one recipient. TS 23.140, 8.7.4.
type DeliveryReportReq struct {
	MM7Version        string
	MMSRelayServerID  string
	MessageID         string
	Recipient, Sender Address
	Date              time.Time
	MMStatus          string
	MMStatusExtension string // why: RejectionByMMSRecipient, RejectionByOtherRS
	StatusText        string
	Application       Application
	UACapabilities    UACapabilities
}

// Name is DeliveryReportReq.
func (*DeliveryReportReq) Name() string { return "DeliveryReportReq" }

func (m *DeliveryReportReq) write(w *writer) {
	w.mm7Version(m.MM7Version)
	w.text("MMSRelayServerID", m.MMSRelayServerID)
	w.text("MessageID", m.MessageID)
	m.Recipient.writeWithin(w, "Recipient")
	m.Sender.writeWithin(w, "Sender")
	w.time("Date", m.Date)
	w.text("MMStatus", m.MMStatus)
	w.text("MMStatusExtension", m.MMStatusExtension)
	w.text("StatusText", m.StatusText)
	m.Application.write(w)
	m.UACapabilities.write(w)
}

func (m *DeliveryReportReq) read(r *reader) {
	m.MM7Version = r.value("MM7Version")
	m.MMSRelayServerID = r.value("MMSRelayServerID")
	m.MessageID = r.needText("MessageID")
	m.Recipient = address(r.child("Recipient"))
	m.Sender = address(r.child("Sender"))
	m.Date = r.time("Date")
	m.MMStatus = r.needText("MMStatus")
	m.MMStatusExtension = r.value("MMStatusExtension")
	m.StatusText = r.value("StatusText")
	m.Application.read(r)
	m.UACapabilities.read(r)
}

// ReadReplyReq tells the VASP that a recipient read a message, or deleted it unread. TS 23.140, 8.7.5.
type ReadReplyReq struct {
	MM7Version        string
	MMSRelayServerID  string
	MessageID         string
	Recipient, Sender Address
	TimeStamp         time.Time
	MMStatus          string
	StatusText        string
	Application       Application
}

// Name is ReadReplyReq.
func (*ReadReplyReq) Name() string { return "ReadReplyReq" }

func (m *ReadReplyReq) write(w *writer) {
	w.mm7Version(m.MM7Version)
	w.text("MMSRelayServerID", m.MMSRelayServerID)
	w.text("MessageID", m.MessageID)
	m.Recipient.writeWithin(w, "Recipient")
	m.Sender.writeWithin(w, "Sender")
	w.time("TimeStamp", m.TimeStamp)
	w.text("MMStatus", m.MMStatus)
	w.text("StatusText", m.StatusText)
	m.Application.write(w)
}

func (m *ReadReplyReq) read(r *reader) {
	m.MM7Version = r.value("MM7Version")
	m.MMSRelayServerID = r.value("MMSRelayServerID")
	m.MessageID = r.needText("MessageID")
	m.Recipient = address(r.child("Recipient"))
	m.Sender = address(r.child("Sender"))
	m.TimeStamp = r.time("TimeStamp")
	m.MMStatus = r.needText("MMStatus")
	m.StatusText = r.value("StatusText")
	m.Application.read(r)
}
