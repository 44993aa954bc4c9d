package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/heliograph/heliograph/internal/esme"
	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/numbering"
	"github.com/heliograph/heliograph/internal/plivo"
	"github.com/heliograph/heliograph/internal/smpp"
)

// The words of the configuration for SMPP carriers; an absent one is the default.
var (
	bindModes = map[string]esme.Mode{
		"": esme.Transceiver, "transceiver": esme.Transceiver, "transmitter+receiver": esme.TransmitterReceiver,
	}
	concatenations = map[string]esme.Concatenation{"": esme.UDH, "udh": esme.UDH, "sar": esme.SAR, "payload": esme.Payload}
	receiptIDs     = map[string]esme.ReceiptIDs{
		"": esme.SameIDs, "same": esme.SameIDs, "loose": esme.LooseIDs, "hex_to_decimal": esme.HexToDecimal, "decimal_to_hex": esme.DecimalToHex,
	}
	receiptRequests = map[string]esme.ReceiptRequest{
		"": esme.FinalReceipts, "final": esme.FinalReceipts, "failures": esme.FailureReceipts, "none": esme.NoReceipts,
	}
	unrentedNumbers = map[string]esme.Unrented{
		"": esme.RefuseUnrented, "refuse": esme.RefuseUnrented, "defer": esme.DeferUnrented, "drop": esme.DropUnrented,
	}
)

// defaultWindow is how many submit_sm may be outstanding on a bind where the configuration does not say.
const defaultWindow = 100

// esme makes a carrier's settings of its configuration, but for what is wired to it.
func (c *CarrierConfig) esme() (esme.Config, error) {
	secure, tlsErr := c.tlsConfig()
	answers, answersErr := c.answers()
	receiptErrors, receiptErr := c.receiptErrors()
	countryCode, countryErr := c.countryCode()
	settings := esme.Config{
		Name: c.Name, Address: c.Address, TLS: secure, SystemID: c.SystemID, Password: c.Password, SystemType: c.SystemType,
		ServiceType: c.ServiceType, Mode: bindModes[c.Bind], Binds: c.Binds, Window: c.Window,
		EnquireLink: time.Duration(c.EnquireLink), ResponseTimeout: time.Duration(c.ResponseTimeout),
		Concatenation: concatenations[c.Concatenation], ReceiptIDs: receiptIDs[c.ReceiptIDs], ValidityPeriod: c.Validity,
		GSM7Coding: smpp.DataCoding(c.GSMCoding), UCS2Coding: smpp.DataCoding(c.UCS2Coding), GSM7AsLatin1: c.GSMAsLatin1,
		LongCode: c.LongCode.esme(), TollFree: c.TollFree.esme(), ShortCode: c.ShortCode.esme(), Alphanumeric: c.Alphanumeric.esme(),
		Destination: c.Destination.esme(), RequestReceipts: receiptRequests[c.Receipts],
		GSM7Packed: c.GSMPacked, OctetsAsLatin1: c.OctetsAsLatin1, CountryCode: countryCode,
		Unrented: unrentedNumbers[c.UnrentedNumber], RefuseInbound: c.RefuseInbound,
		Answers: answers, ReceiptErrors: receiptErrors,
	}
	if settings.Window == 0 {
		settings.Window = defaultWindow
	}
	return settings, errors.Join(tlsErr, answersErr, receiptErr, countryErr)
}

// countryCode is that of the country of numbers which come without it; empty for none.
func (c *CarrierConfig) countryCode() (string, error) {
	if c.Country == "" {
		return "", nil
	}
	code, ok := numbering.CallingCode(c.Country)
	if !ok {
		return "", fmt.Errorf("%q is no country such as US", c.Country)
	}
	return code, nil
}

// answers reads what the configuration says of command_status values.
func (c *CarrierConfig) answers() (map[smpp.Status]esme.Answer, error) {
	return readAnswers[smpp.Status, esme.Answer](c.Answers, func(name string) (smpp.Status, error) {
		value, err := strconv.ParseUint(name, 0, 32)
		if err != nil {
			return 0, fmt.Errorf("%q is no command_status such as \"0x58\"", name)
		}
		return smpp.Status(value), nil
	})
}

// receiptErrors reads what the configuration says of the errors in receipts.
func (c *CarrierConfig) receiptErrors() (map[string]gateway.Reason, error) {
	reasons := make(map[string]gateway.Reason, len(c.ReceiptErrors))
	for text, code := range c.ReceiptErrors {
		reason, ok := plivo.ReasonOf(code)
		if !ok {
			return nil, fmt.Errorf("%q of %s is no error code", code, text)
		}
		reasons[text] = reason
	}
	return reasons, nil
}

func (n *NumberingTag) esme() *esme.Numbering {
	if n == nil {
		return nil
	}
	return &esme.Numbering{TON: smpp.TON(n.TON), NPI: smpp.NPI(n.NPI)}
}
