package mm7

// Message is what the body of an envelope holds: one of the types below.
type Message interface {
	Name() string // of its element
	write(*writer)
	read(*reader)
}

// Response is a Message that answers another.
type Response interface {
	Message
	Result() Status
}

// Flag is a boolean that may be absent: then the MMSC's own default holds.
type Flag uint8

// Flags.
const (
	Absent Flag = iota
	Yes
	No
)

// String is xs:boolean, empty for Absent.
func (f Flag) String() string {
	switch f {
	case Yes:
		return "true"
	case No:
		return "false"
	}
	return ""
}

func parseFlag(s string) Flag {
	switch {
	case s == "":
		return Absent
	case isTrue(s):
		return Yes
	}
	return No
}

// Values of MessageClass.
const (
	ClassPersonal      = "Personal"
	ClassInformational = "Informational"
	ClassAdvertisement = "Advertisement"
	ClassAuto          = "Auto"
)

// Values of Priority.
const (
	PriorityLow    = "Low"
	PriorityNormal = "Normal"
	PriorityHigh   = "High"
)

// Values of ChargedParty.
const (
	ChargedSender    = "Sender"
	ChargedRecipient = "Recipient"
	ChargedBoth      = "Both"
	ChargedNeither   = "Neither"
	ChargedThird     = "ThirdParty"
)

// Values of MMStatus. The first seven stand in delivery reports; MMSCs of the field add some of their own.
const (
	MMExpired       = "Expired"
	MMRetrieved     = "Retrieved"
	MMRejected      = "Rejected"
	MMDeferred      = "Deferred"
	MMIndeterminate = "Indeterminate"
	MMForwarded     = "Forwarded"
	MMUnrecognised  = "Unrecognised"
	MMRead          = "Read"                       // in read replies
	MMDeletedUnread = "Deleted without being read" // likewise
)

// newMessage makes an empty message of a name, nil for a name that is none.
func newMessage(name string) Message {
	switch name {
	case "SubmitReq":
		return new(SubmitReq)
	case "SubmitRsp":
		return new(SubmitRsp)
	case "CancelReq":
		return new(CancelReq)
	case "CancelRsp":
		return new(CancelRsp)
	case "ReplaceReq":
		return new(ReplaceReq)
	case "ReplaceRsp":
		return new(ReplaceRsp)
	case "DeliverReq":
		return new(DeliverReq)
	case "DeliverRsp":
		return new(DeliverRsp)
	case "DeliveryReportReq":
		return new(DeliveryReportReq)
	case "DeliveryReportRsp":
		return new(DeliveryReportRsp)
	case "ReadReplyReq":
		return new(ReadReplyReq)
	case "ReadReplyRsp":
		return new(ReadReplyRsp)
	case "RSErrorRsp":
		return new(RSErrorRsp)
	case "VASPErrorRsp":
		return new(VASPErrorRsp)
	case "Fault":
		return new(Fault)
	}
	return nil
}

// ContentRef is the Content element: which part of the document the content is.
type ContentRef struct {
	Href             string // cid:…; empty: as Encode gives it
	AllowAdaptations Flag
}

func (c ContentRef) write(w *writer) {
	if c.Href == "" {
		return
	}
	attrs := []string{"href", c.Href}
	if c.AllowAdaptations != Absent {
		attrs = append(attrs, "allowAdaptations", c.AllowAdaptations.String())
	}
	w.empty("Content", attrs...)
}

func (c *ContentRef) read(e *element) {
	if e != nil {
		*c = ContentRef{Href: e.attr("href"), AllowAdaptations: parseFlag(e.attr("allowAdaptations"))}
	}
}

// Application names the applications at both ends, where there are such.
type Application struct {
	ID, ReplyID, Info string
}

func (a Application) write(w *writer) {
	w.text("ApplicID", a.ID)
	w.text("ReplyApplicID", a.ReplyID)
	w.text("AuxApplicInfo", a.Info)
}

func (a *Application) read(r *reader) {
	*a = Application{r.value("ApplicID"), r.value("ReplyApplicID"), r.value("AuxApplicInfo")}
}

// SenderIdentification says which VASP sends, which of its services, and from which address.
type SenderIdentification struct {
	VASPID, VASID string
	SenderAddress Address
}

func (s SenderIdentification) write(w *writer) {
	w.open("SenderIdentification")
	w.text("VASPID", s.VASPID)
	w.text("VASID", s.VASID)
	s.SenderAddress.writeWithin(w, "SenderAddress")
	w.close("SenderIdentification")
}

func (s *SenderIdentification) read(r *reader) {
	if e := r.child("SenderIdentification"); e != nil {
		*s = SenderIdentification{e.value("VASPID"), e.value("VASID"), address(e.child("SenderAddress"))}
	}
}
