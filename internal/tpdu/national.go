package tpdu

// Language is a national language whose shift tables a header names: 3GPP TS 23.038, 6.2.1.2.4.
type Language uint8

// NoLanguage is the default alphabet, or its extension table.
const NoLanguage Language = 0

// appendNational decodes septets of a segment whose header names national languages.
func appendNational(dst, octets []byte, locking, single Language) []byte {
	return appendFromGSM7(dst, octets)
}
