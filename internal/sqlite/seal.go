package sqlite

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
)

// sealer keeps secrets unreadable in the file: AES-256-GCM with the installation's key, a random nonce before each.
type sealer struct{ aead cipher.AEAD }

func newSealer(key [32]byte) (sealer, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return sealer{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return sealer{aead}, err
}

// seal encrypts a secret. owner binds it to its row: a sealed secret that was copied into another row does not open.
func (s sealer) seal(secret, owner string) []byte {
	return s.aead.Seal(nil, nil, []byte(secret), []byte(owner))
}

var errUnseal = errors.New("a sealed secret does not open: the key is not the one that the store was made with, or the row was tampered with")

func (s sealer) open(sealed []byte, owner string) (string, error) {
	secret, err := s.aead.Open(nil, nil, sealed, []byte(owner))
	if err != nil {
		return "", errUnseal
	}
	return string(secret), nil
}

// probe is a sealed value by which a wrong key is noticed at start instead of at the first request.
func (s sealer) probe() []byte { return s.seal(rand.Text(), probeOwner) }

const probeOwner = "probe"
