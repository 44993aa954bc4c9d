package esme

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/heliograph/heliograph/internal/smpp"
)

// submitted brings the id of a submit_sm_resp into the normal form: the form that submit_sm_resp has, so that an operator can look it up at the
// SMSC, but in lower case and without leading zeros where ids are compared as numbers.
func (f ReceiptIDs) submitted(id string) string {
	if f == SameIDs {
		return id
	}
	return trim(id)
}

// receipted gives the id of a receipt in the normal form. An id that is not a number of the form it should have stays as it is, trimmed.
//
// SMSCs that write the text's id in another base often have receipted_message_id beside it as submit_sm_resp had it: where the two differ, the
// parameter is not converted.
func (f ReceiptIDs) receipted(r *smpp.Receipt) string {
	if f == SameIDs {
		return r.ID
	}
	if r.TextID != "" && r.TextID != r.ID {
		return trim(r.ID)
	}
	switch f {
	case HexToDecimal:
		return convert(r.ID, 10, 16)
	case DecimalToHex:
		return convert(r.ID, 16, 10)
	}
	return trim(r.ID)
}

// trim removes what LooseIDs do not differ by.
func trim(id string) string {
	trimmed := strings.TrimLeft(id, "0")
	if trimmed == "" && id != "" {
		return "0"
	}
	return strings.ToLower(trimmed)
}

// convert writes a number in another base.
func convert(id string, from, to int) string {
	if id == "" || id[0] == '+' || id[0] == '-' { // no sign belongs to an id
		return trim(id)
	}
	if n, err := strconv.ParseUint(id, from, 64); err == nil {
		return strconv.FormatUint(n, to)
	}
	if strings.ContainsRune(id, '_') { // which math/big would take
		return trim(id)
	}
	if n, ok := new(big.Int).SetString(id, from); ok {
		return n.Text(to)
	}
	return trim(id)
}
