package mm7

import (
	"strconv"
	"time"
)

// SubmitReq asks the MMSC to take a message for one or more recipients. TS 23.140, 8.7.1; the elements in the order of the schema.
type SubmitReq struct {
	MM7Version            string // empty on the way out: the dialect's, as in all messages
	SenderIdentification  SenderIdentification
	Recipients            Recipients
	ServiceCode           string // for billing
	LinkedID              string // of a message that this one belongs to
	MessageClass          string
	TimeStamp             time.Time
	ReplyCharging         *ReplyCharging
	EarliestDeliveryTime  When
	ExpiryDate            When
	DeliveryReport        Flag
	ReadReply             Flag
	Priority              string
	Subject               string
	ChargedParty          string
	ChargedPartyID        string
	DistributionIndicator Flag // No: not to be passed on
	DeliveryConditions    []int
	Application           Application
	ContentClass          string
	DRMContent            Flag
	Content               ContentRef
}

// ReplyCharging offers that the sender pays for one reply.
type ReplyCharging struct {
	Size     int // at most; 0: any
	Deadline When
}

// Name is SubmitReq.
func (*SubmitReq) Name() string { return "SubmitReq" }

func (m *SubmitReq) write(w *writer) {
	w.mm7Version(m.MM7Version)
	m.SenderIdentification.write(w)
	m.Recipients.write(w)
	w.text("ServiceCode", m.ServiceCode)
	w.text("LinkedID", m.LinkedID)
	w.text("MessageClass", m.MessageClass)
	w.time("TimeStamp", m.TimeStamp)
	m.ReplyCharging.write(w)
	w.text("EarliestDeliveryTime", m.EarliestDeliveryTime.String())
	w.text("ExpiryDate", m.ExpiryDate.String())
	w.flag("DeliveryReport", m.DeliveryReport)
	w.flag("ReadReply", m.ReadReply)
	w.text("Priority", m.Priority)
	w.text("Subject", m.Subject)
	w.text("ChargedParty", m.ChargedParty)
	w.text("ChargedPartyID", m.ChargedPartyID)
	w.flag("DistributionIndicator", m.DistributionIndicator)
	if len(m.DeliveryConditions) > 0 {
		w.open("DeliveryCondition")
		for _, condition := range m.DeliveryConditions {
			w.text("DC", strconv.Itoa(condition))
		}
		w.close("DeliveryCondition")
	}
	m.Application.write(w)
	w.text("ContentClass", m.ContentClass)
	w.flag("DRMContent", m.DRMContent)
	m.Content.write(w)
}

func (m *SubmitReq) read(r *reader) {
	m.MM7Version = r.value("MM7Version")
	m.SenderIdentification.read(r)
	m.Recipients.read(r.need("Recipients"))
	if r.err == nil && m.Recipients.Len() == 0 {
		r.fail(StatusAddressError, "Recipients are empty")
	}
	m.ServiceCode = r.value("ServiceCode")
	m.LinkedID = r.value("LinkedID")
	m.MessageClass = r.value("MessageClass")
	m.TimeStamp = r.time("TimeStamp")
	m.ReplyCharging = readReplyCharging(r)
	m.EarliestDeliveryTime = r.when("EarliestDeliveryTime")
	m.ExpiryDate = r.when("ExpiryDate")
	m.DeliveryReport = r.flag("DeliveryReport")
	m.ReadReply = r.flag("ReadReply")
	m.Priority = r.value("Priority")
	m.Subject = r.value("Subject")
	m.ChargedParty = r.value("ChargedParty")
	m.ChargedPartyID = r.value("ChargedPartyID")
	m.DistributionIndicator = r.flag("DistributionIndicator")
	m.DeliveryConditions = readConditions(r)
	m.Application.read(r)
	m.ContentClass = r.value("ContentClass")
	m.DRMContent = r.flag("DRMContent")
	m.Content.read(r.child("Content"))
}

func (c *ReplyCharging) write(w *writer) {
	if c == nil {
		return
	}
	var attrs []string
	if c.Size > 0 {
		attrs = append(attrs, "replyChargingSize", strconv.Itoa(c.Size))
	}
	if deadline := c.Deadline.String(); deadline != "" {
		attrs = append(attrs, "replyDeadline", deadline)
	}
	w.empty("ReplyCharging", attrs...)
}

func readReplyCharging(r *reader) *ReplyCharging {
	e := r.child("ReplyCharging")
	if e == nil {
		return nil
	}
	charging := new(ReplyCharging)
	var sizeErr error
	ok := true
	if text := e.attr("replyChargingSize"); text != "" {
		charging.Size, sizeErr = strconv.Atoi(text)
	}
	if text := e.attr("replyDeadline"); text != "" {
		charging.Deadline, ok = parseWhen(text)
	}
	if sizeErr != nil || charging.Size < 0 || !ok {
		r.fail(StatusFormatCorrupt, "ReplyCharging is no size and date")
	}
	return charging
}

func readConditions(r *reader) []int {
	e := r.child("DeliveryCondition")
	if e == nil {
		return nil
	}
	var conditions []int
	for _, child := range e.children {
		condition, err := strconv.Atoi(child.text)
		if err != nil || condition <= 0 {
			r.fail(StatusFormatCorrupt, "DeliveryCondition is no number")
			return nil
		}
		conditions = append(conditions, condition)
	}
	return conditions
}

// SubmitRsp says whether the MMSC took a message, and under which id it reports about it.
type SubmitRsp struct {
	MM7Version string
	Status     Status
	MessageID  string
}

// Name is SubmitRsp.
func (*SubmitRsp) Name() string { return "SubmitRsp" }

// Result is the Status.
func (m *SubmitRsp) Result() Status { return m.Status }

func (m *SubmitRsp) write(w *writer) {
	w.mm7Version(m.MM7Version)
	m.Status.write(w)
	w.text("MessageID", m.MessageID)
}

func (m *SubmitRsp) read(r *reader) {
	m.MM7Version = r.value("MM7Version")
	m.Status.read(r)
	m.MessageID = r.value("MessageID")
}

// CancelReq asks the MMSC not to deliver a message any more. TS 23.140, 8.7.3.
type CancelReq struct {
	MM7Version           string
	SenderIdentification SenderIdentification
	MessageID            string
	Application          Application
}

// Name is CancelReq.
func (*CancelReq) Name() string { return "CancelReq" }

func (m *CancelReq) write(w *writer) {
	w.mm7Version(m.MM7Version)
	m.SenderIdentification.write(w)
	w.text("MessageID", m.MessageID)
	m.Application.write(w)
}

func (m *CancelReq) read(r *reader) {
	m.MM7Version = r.value("MM7Version")
	m.SenderIdentification.read(r)
	m.MessageID = r.needText("MessageID")
	m.Application.read(r)
}

// ReplaceReq asks the MMSC to replace a message that it has not delivered yet. TS 23.140, 8.7.3.
type ReplaceReq struct {
	MM7Version            string
	SenderIdentification  SenderIdentification
	MessageID             string
	ServiceCode           string
	TimeStamp             time.Time
	ReadReply             Flag
	EarliestDeliveryTime  When
	DistributionIndicator Flag
	ContentClass          string
	DRMContent            Flag
	Application           Application
	Content               ContentRef
}

// Name is ReplaceReq.
func (*ReplaceReq) Name() string { return "ReplaceReq" }

func (m *ReplaceReq) write(w *writer) {
	w.mm7Version(m.MM7Version)
	m.SenderIdentification.write(w)
	w.text("MessageID", m.MessageID)
	w.text("ServiceCode", m.ServiceCode)
	w.time("TimeStamp", m.TimeStamp)
	w.flag("ReadReply", m.ReadReply)
	w.text("EarliestDeliveryTime", m.EarliestDeliveryTime.String())
	w.flag("DistributionIndicator", m.DistributionIndicator)
	w.text("ContentClass", m.ContentClass)
	w.flag("DRMContent", m.DRMContent)
	m.Application.write(w)
	m.Content.write(w)
}

func (m *ReplaceReq) read(r *reader) {
	m.MM7Version = r.value("MM7Version")
	m.SenderIdentification.read(r)
	m.MessageID = r.needText("MessageID")
	m.ServiceCode = r.value("ServiceCode")
	m.TimeStamp = r.time("TimeStamp")
	m.ReadReply = r.flag("ReadReply")
	m.EarliestDeliveryTime = r.when("EarliestDeliveryTime")
	m.DistributionIndicator = r.flag("DistributionIndicator")
	m.ContentClass = r.value("ContentClass")
	m.DRMContent = r.flag("DRMContent")
	m.Application.read(r)
	m.Content.read(r.child("Content"))
}
