package mm7

// The responses that carry nothing but a status.

// plain is what they have in common.
type plain struct {
	MM7Version string
	Status     Status
}

// Result is the Status.
func (m *plain) Result() Status { return m.Status }

func (m *plain) write(w *writer) {
	w.mm7Version(m.MM7Version)
	m.Status.write(w)
}

func (m *plain) read(r *reader) {
	m.MM7Version = r.value("MM7Version")
	m.Status.read(r)
}

// These are their types.
type (
	// CancelRsp answers a CancelReq.
	CancelRsp struct{ plain }
	// ReplaceRsp answers a ReplaceReq.
	ReplaceRsp struct{ plain }
	// DeliveryReportRsp answers a DeliveryReportReq.
	DeliveryReportRsp struct{ plain }
	// ReadReplyRsp answers a ReadReplyReq.
	ReadReplyRsp struct{ plain }
	// RSErrorRsp is the MMSC's answer to what it cannot understand. It comes as the detail of a Fault.
	RSErrorRsp struct{ plain }
	// VASPErrorRsp is the VASP's answer to what it cannot understand. It goes as the detail of a Fault.
	VASPErrorRsp struct{ plain }
)

// Name is CancelRsp.
func (*CancelRsp) Name() string { return "CancelRsp" }

// Name is ReplaceRsp.
func (*ReplaceRsp) Name() string { return "ReplaceRsp" }

// Name is DeliveryReportRsp.
func (*DeliveryReportRsp) Name() string { return "DeliveryReportRsp" }

// Name is ReadReplyRsp.
func (*ReadReplyRsp) Name() string { return "ReadReplyRsp" }

// Name is RSErrorRsp.
func (*RSErrorRsp) Name() string { return "RSErrorRsp" }

// Name is VASPErrorRsp.
func (*VASPErrorRsp) Name() string { return "VASPErrorRsp" }
