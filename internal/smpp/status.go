package smpp

import "fmt"

// Status is a command_status: what the answering side says about a request. It carries the specification's names, so that a log, an SMSC's
// manual and this code say the same. SMPP 3.4, 5.1.3.
type Status uint32

// The values of table 5-2. 0x400 to 0x4FF are the SMSC vendor's own.
const (
	ESME_ROK              Status = 0x00 // no error
	ESME_RINVMSGLEN       Status = 0x01 // message length is invalid
	ESME_RINVCMDLEN       Status = 0x02 // command length is invalid
	ESME_RINVCMDID        Status = 0x03 // invalid command id
	ESME_RINVBNDSTS       Status = 0x04 // incorrect bind status for given command
	ESME_RALYBND          Status = 0x05 // already bound
	ESME_RINVPRTFLG       Status = 0x06 // invalid priority flag
	ESME_RINVREGDLVFLG    Status = 0x07 // invalid registered delivery flag
	ESME_RSYSERR          Status = 0x08 // system error
	ESME_RINVSRCADR       Status = 0x0A // invalid source address
	ESME_RINVDSTADR       Status = 0x0B // invalid destination address
	ESME_RINVMSGID        Status = 0x0C // message id is invalid
	ESME_RBINDFAIL        Status = 0x0D // bind failed
	ESME_RINVPASWD        Status = 0x0E // invalid password
	ESME_RINVSYSID        Status = 0x0F // invalid system id
	ESME_RCANCELFAIL      Status = 0x11 // cancel_sm failed
	ESME_RREPLACEFAIL     Status = 0x13 // replace_sm failed
	ESME_RMSGQFUL         Status = 0x14 // message queue full
	ESME_RINVSERTYP       Status = 0x15 // invalid service type
	ESME_RINVNUMDESTS     Status = 0x33 // invalid number of destinations
	ESME_RINVDLNAME       Status = 0x34 // invalid distribution list name
	ESME_RINVDESTFLAG     Status = 0x40 // invalid destination flag
	ESME_RINVSUBREP       Status = 0x42 // invalid submit with replace request
	ESME_RINVESMCLASS     Status = 0x43 // invalid esm_class
	ESME_RCNTSUBDL        Status = 0x44 // cannot submit to distribution list
	ESME_RSUBMITFAIL      Status = 0x45 // submit failed
	ESME_RINVSRCTON       Status = 0x48 // invalid source TON
	ESME_RINVSRCNPI       Status = 0x49 // invalid source NPI
	ESME_RINVDSTTON       Status = 0x50 // invalid destination TON
	ESME_RINVDSTNPI       Status = 0x51 // invalid destination NPI
	ESME_RINVSYSTYP       Status = 0x53 // invalid system_type
	ESME_RINVREPFLAG      Status = 0x54 // invalid replace_if_present flag
	ESME_RINVNUMMSGS      Status = 0x55 // invalid number of messages
	ESME_RTHROTTLED       Status = 0x58 // throttled
	ESME_RINVSCHED        Status = 0x61 // invalid scheduled delivery time
	ESME_RINVEXPIRY       Status = 0x62 // invalid validity period
	ESME_RINVDFTMSGID     Status = 0x63 // predefined message invalid or not found
	ESME_RX_T_APPN        Status = 0x64 // temporary error of the ESME receiver
	ESME_RX_P_APPN        Status = 0x65 // permanent error of the ESME receiver
	ESME_RX_R_APPN        Status = 0x66 // the ESME receiver rejects the message
	ESME_RQUERYFAIL       Status = 0x67 // query_sm failed
	ESME_RINVOPTPARSTREAM Status = 0xC0 // error in the optional part of the PDU
	ESME_ROPTPARNOTALLWD  Status = 0xC1 // optional parameter not allowed
	ESME_RINVPARLEN       Status = 0xC2 // invalid parameter length
	ESME_RMISSINGOPTPARAM Status = 0xC3 // expected optional parameter missing
	ESME_RINVOPTPARAMVAL  Status = 0xC4 // invalid optional parameter value
	ESME_RDELIVERYFAILURE Status = 0xFE // delivery failure
	ESME_RUNKNOWNERR      Status = 0xFF // unknown error
)

// String is the name of table 5-2, or the number.
func (s Status) String() string {
	if name := s.name(); name != "" {
		return name
	}
	return fmt.Sprintf("command_status 0x%08X", uint32(s))
}

// Error is String: a refusal may be given on as an error.
func (s Status) Error() string { return s.String() }

func (s Status) name() string {
	switch s {
	case ESME_ROK:
		return "ESME_ROK"
	case ESME_RINVMSGLEN:
		return "ESME_RINVMSGLEN"
	case ESME_RINVCMDLEN:
		return "ESME_RINVCMDLEN"
	case ESME_RINVCMDID:
		return "ESME_RINVCMDID"
	case ESME_RINVBNDSTS:
		return "ESME_RINVBNDSTS"
	case ESME_RALYBND:
		return "ESME_RALYBND"
	case ESME_RINVPRTFLG:
		return "ESME_RINVPRTFLG"
	case ESME_RINVREGDLVFLG:
		return "ESME_RINVREGDLVFLG"
	case ESME_RSYSERR:
		return "ESME_RSYSERR"
	case ESME_RINVSRCADR:
		return "ESME_RINVSRCADR"
	case ESME_RINVDSTADR:
		return "ESME_RINVDSTADR"
	case ESME_RINVMSGID:
		return "ESME_RINVMSGID"
	case ESME_RBINDFAIL:
		return "ESME_RBINDFAIL"
	case ESME_RINVPASWD:
		return "ESME_RINVPASWD"
	case ESME_RINVSYSID:
		return "ESME_RINVSYSID"
	case ESME_RCANCELFAIL:
		return "ESME_RCANCELFAIL"
	case ESME_RREPLACEFAIL:
		return "ESME_RREPLACEFAIL"
	case ESME_RMSGQFUL:
		return "ESME_RMSGQFUL"
	case ESME_RINVSERTYP:
		return "ESME_RINVSERTYP"
	case ESME_RINVNUMDESTS:
		return "ESME_RINVNUMDESTS"
	case ESME_RINVDLNAME:
		return "ESME_RINVDLNAME"
	case ESME_RINVDESTFLAG:
		return "ESME_RINVDESTFLAG"
	case ESME_RINVSUBREP:
		return "ESME_RINVSUBREP"
	case ESME_RINVESMCLASS:
		return "ESME_RINVESMCLASS"
	case ESME_RCNTSUBDL:
		return "ESME_RCNTSUBDL"
	case ESME_RSUBMITFAIL:
		return "ESME_RSUBMITFAIL"
	case ESME_RINVSRCTON:
		return "ESME_RINVSRCTON"
	case ESME_RINVSRCNPI:
		return "ESME_RINVSRCNPI"
	case ESME_RINVDSTTON:
		return "ESME_RINVDSTTON"
	case ESME_RINVDSTNPI:
		return "ESME_RINVDSTNPI"
	case ESME_RINVSYSTYP:
		return "ESME_RINVSYSTYP"
	case ESME_RINVREPFLAG:
		return "ESME_RINVREPFLAG"
	case ESME_RINVNUMMSGS:
		return "ESME_RINVNUMMSGS"
	case ESME_RTHROTTLED:
		return "ESME_RTHROTTLED"
	case ESME_RINVSCHED:
		return "ESME_RINVSCHED"
	case ESME_RINVEXPIRY:
		return "ESME_RINVEXPIRY"
	case ESME_RINVDFTMSGID:
		return "ESME_RINVDFTMSGID"
	case ESME_RX_T_APPN:
		return "ESME_RX_T_APPN"
	case ESME_RX_P_APPN:
		return "ESME_RX_P_APPN"
	case ESME_RX_R_APPN:
		return "ESME_RX_R_APPN"
	case ESME_RQUERYFAIL:
		return "ESME_RQUERYFAIL"
	case ESME_RINVOPTPARSTREAM:
		return "ESME_RINVOPTPARSTREAM"
	case ESME_ROPTPARNOTALLWD:
		return "ESME_ROPTPARNOTALLWD"
	case ESME_RINVPARLEN:
		return "ESME_RINVPARLEN"
	case ESME_RMISSINGOPTPARAM:
		return "ESME_RMISSINGOPTPARAM"
	case ESME_RINVOPTPARAMVAL:
		return "ESME_RINVOPTPARAMVAL"
	case ESME_RDELIVERYFAILURE:
		return "ESME_RDELIVERYFAILURE"
	case ESME_RUNKNOWNERR:
		return "ESME_RUNKNOWNERR"
	}
	return ""
}
