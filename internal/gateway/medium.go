package gateway

import (
	"encoding/hex"
	"time"
)

// Content names a file by what is in it: the SHA-256 of its octets.
type Content [32]byte

// String is the hexadecimal form.
func (c Content) String() string { return hex.EncodeToString(c[:]) }

// IDTexts gives the canonical forms of IDs.
func IDTexts(ids []ID) []string {
	var list []string
	for _, id := range ids {
		list = append(list, id.String())
	}
	return list
}

// Medium is a file that an account has uploaded to send with an MMS. Several may have the same content.
type Medium struct {
	ID        ID
	Account   AccountID
	Content   Content
	Name      string // as its owner calls it; never a path
	Type      string // media type, as its content shows
	Size      int64  // octets
	CreatedAt time.Time
	UsedAt    time.Time // when a message first named it; zero: none has
	ExpiresAt time.Time // from then on it is not there any more
}

// HiddenFiles is how long the files of an inbound message are kept that hides its contents.
const HiddenFiles = 24 * time.Hour

// MediumFilter narrows a list of media, newest first.
type MediumFilter struct {
	Account AccountID
	At      time.Time // those that have expired by then are not there
	Limit   int
	Offset  int
}
