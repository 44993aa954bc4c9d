package main

import (
	"time"

	"github.com/heliograph/heliograph/internal/esme"
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
)

// defaultWindow is how many submit_sm may be outstanding on a bind where the configuration does not say.
const defaultWindow = 100

// esme makes a carrier's settings of its configuration, but for what is wired to it.
func (c *CarrierConfig) esme() (esme.Config, error) {
	secure, err := c.tlsConfig()
	settings := esme.Config{
		Name: c.Name, Address: c.Address, TLS: secure, SystemID: c.SystemID, Password: c.Password, SystemType: c.SystemType,
		ServiceType: c.ServiceType, Mode: bindModes[c.Bind], Binds: c.Binds, Window: c.Window,
		EnquireLink: time.Duration(c.EnquireLink), ResponseTimeout: time.Duration(c.ResponseTimeout),
		Concatenation: concatenations[c.Concatenation], ReceiptIDs: receiptIDs[c.ReceiptIDs], ValidityPeriod: c.Validity,
		GSM7Coding: smpp.DataCoding(c.GSMCoding), UCS2Coding: smpp.DataCoding(c.UCS2Coding), GSM7AsLatin1: c.GSMAsLatin1,
		LongCode: c.LongCode.esme(), TollFree: c.TollFree.esme(), ShortCode: c.ShortCode.esme(), Alphanumeric: c.Alphanumeric.esme(),
		Destination: c.Destination.esme(),
	}
	if settings.Window == 0 {
		settings.Window = defaultWindow
	}
	return settings, err
}

func (n *NumberingTag) esme() *esme.Numbering {
	if n == nil {
		return nil
	}
	return &esme.Numbering{TON: smpp.TON(n.TON), NPI: smpp.NPI(n.NPI)}
}
