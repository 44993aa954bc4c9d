package mm7

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// toUTF8 rewrites a SOAP part. Its own marks win over what the part's header says, since headers are often defaults of a library.
func toUTF8(document []byte, charset string) ([]byte, error) {
	switch {
	case bytes.HasPrefix(document, []byte("\xEF\xBB\xBF")):
		return document[3:], nil
	case bytes.HasPrefix(document, []byte("\xFE\xFF")):
		return fromUTF16(document[2:], binary.BigEndian), nil
	case bytes.HasPrefix(document, []byte("\xFF\xFE")):
		return fromUTF16(document[2:], binary.LittleEndian), nil
	case bytes.HasPrefix(document, []byte("\x00<")):
		return fromUTF16(document, binary.BigEndian), nil
	case bytes.HasPrefix(document, []byte("<\x00")):
		return fromUTF16(document, binary.LittleEndian), nil
	}
	if declared := declaredCharset(document); declared != "" {
		charset = declared
	}
	switch strings.ToLower(charset) {
	case "", "utf-8", "utf8", "us-ascii", "ascii", "utf-16": // without UTF-16's marks it is none
		return document, nil
	case "iso-8859-1", "latin1", "iso_8859-1", "windows-1252", "iso-8859-15": // as far as they agree: letters and punctuation do
		return fromLatin1(document), nil
	}
	return nil, invalid("SOAP part has a character set that is not known")
}

// declaredCharset is the encoding of the XML declaration.
func declaredCharset(document []byte) string {
	document = bytes.TrimSpace(document)
	if !bytes.HasPrefix(document, []byte("<?xml")) {
		return ""
	}
	declaration, _, _ := bytes.Cut(document, []byte("?>"))
	_, rest, found := bytes.Cut(declaration, []byte("encoding"))
	rest = bytes.TrimLeft(rest, "= \t\r\n")
	if !found || len(rest) == 0 || (rest[0] != '"' && rest[0] != '\'') {
		return ""
	}
	name, _, _ := bytes.Cut(rest[1:], rest[:1])
	return string(name)
}

func fromUTF16(document []byte, order binary.ByteOrder) []byte {
	units := make([]uint16, len(document)/2)
	for i := range units {
		units[i] = order.Uint16(document[2*i:])
	}
	return []byte(string(utf16.Decode(units)))
}

func fromLatin1(document []byte) []byte {
	runes := make([]rune, len(document))
	for i, octet := range document {
		runes[i] = rune(octet)
	}
	return []byte(string(runes))
}

// Text gives a text part in UTF-8. What cannot be read is replaced: a text with a hole is better than none.
func Text(octets []byte, charset string) string {
	switch strings.ToLower(charset) {
	case "iso-8859-1", "latin1", "iso_8859-1", "windows-1252", "iso-8859-15":
		return string(fromLatin1(octets))
	case "utf-16be", "iso-10646-ucs-2", "utf-16":
		if !bytes.HasPrefix(octets, []byte("\xFF\xFE")) && !bytes.HasPrefix(octets, []byte("\xFE\xFF")) { // RFC 2781, 4.3: without a mark the large end is first
			octets = fromUTF16(octets, binary.BigEndian)
		}
	case "utf-16le":
		octets = fromUTF16(octets, binary.LittleEndian)
	}
	switch {
	case bytes.HasPrefix(octets, []byte("\xEF\xBB\xBF")):
		octets = octets[3:]
	case bytes.HasPrefix(octets, []byte("\xFE\xFF")):
		octets = fromUTF16(octets[2:], binary.BigEndian)
	case bytes.HasPrefix(octets, []byte("\xFF\xFE")):
		octets = fromUTF16(octets[2:], binary.LittleEndian)
	case !utf8.Valid(octets): // as old phones write, whatever they call it
		octets = fromLatin1(octets)
	}
	return strings.ReplaceAll(string(octets), "\x00", "")
}
