package mm4

import (
	"bytes"
	"fmt"
	"io"

	"golang.org/x/text/encoding/htmlindex"
)

// charsetReader gives UTF-8 of text in a charset, by the names that browsers know.
func charsetReader(charset string, text io.Reader) (io.Reader, error) {
	encoding, err := htmlindex.Get(charset)
	if err != nil {
		return nil, fmt.Errorf("mm4: a charset that is not known: %w", err)
	}
	return encoding.NewDecoder().Reader(text), nil
}

// wordReader is charsetReader for the words of a header: one in a charset that is not known keeps its ASCII, and does not spoil the others.
func wordReader(charset string, text io.Reader) (io.Reader, error) {
	if known, err := charsetReader(charset, text); err == nil {
		return known, nil
	}
	octets, err := io.ReadAll(text) // of one word: the header's limit bounds it
	for i, c := range octets {
		if c >= 0x80 {
			octets[i] = '?'
		}
	}
	return bytes.NewReader(octets), err
}
