package gateway

import "time"

// ConversionStatus is what an account says about a trackable message. Values are stored: only append.
type ConversionStatus uint8

const (
	// NotConverted: the person did not do what the message asked for. So count messages without feedback, too, when their time is over.
	NotConverted ConversionStatus = iota
	// Converted: the person did, because of this message.
	Converted
	// ConvertedWithOthers: the person did, after another message or in another way.
	ConvertedWithOthers

	conversionStatusCount
)

var conversionNames = [conversionStatusCount]string{"NOT_CONVERTED", "CONVERTED", "CONVERTED_WITH_OTHERS"}

// ParseConversionStatus reads a status as the account API writes it.
func ParseConversionStatus(name string) (ConversionStatus, bool) {
	for s, n := range conversionNames {
		if n == name {
			return ConversionStatus(s), true
		}
	}
	return 0, false
}

// Conversion is an account's feedback on a message. Of several on one message the last holds.
type Conversion struct {
	Account AccountID
	Message ID
	Status  ConversionStatus
	ActedAt time.Time // when the person did it, as the account says
	ToldAt  time.Time
}

// ConversionGroup is what conversions are told apart by.
type ConversionGroup uint8

const (
	ByCarrier ConversionGroup = iota
	BySender
	ByCountry
)

// ConversionFilter asks for the conversions of trackable messages that a carrier took; zero fields do not narrow it.
type ConversionFilter struct {
	By      ConversionGroup
	Account AccountID
	Carrier string
	Sender  string
	Country string
	After   time.Time // accepted then or later
	Before  time.Time // accepted before
	Settled time.Time // a message sent before this time that had no feedback has not converted
	Limit   int       // groups, those with the most messages first
}

// ConversionCount says how the messages of a group converted.
type ConversionCount struct {
	Name                string // of the group: a carrier, a sender or a country
	Converted           int
	ConvertedWithOthers int
	NotConverted        int
	Pending             int // without feedback, and their time is not over
}

// Rate is the share of the messages that converted among those of which that is known; ok is false when there are none.
func (c *ConversionCount) Rate() (rate float64, ok bool) {
	known := c.Converted + c.ConvertedWithOthers + c.NotConverted
	if known == 0 {
		return 0, false
	}
	return float64(c.Converted) / float64(known), true
}
