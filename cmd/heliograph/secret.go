package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// keyFile holds the key that seals auth tokens in the store, when the configuration gives none.
const keyFile = "secret.key"

// secretKey gives the key that seals auth tokens: the configured one, else the data folder's, made on the first start.
func secretKey(cfg *Config) (key [32]byte, err error) {
	text := cfg.SecretKey
	if text == "" {
		if text, err = keyFromFile(filepath.Join(cfg.Data, keyFile)); err != nil {
			return key, err
		}
	}
	decoded, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(decoded) != len(key) {
		return key, fmt.Errorf("the secret key must be %d hexadecimal digits", 2*len(key))
	}
	return [32]byte(decoded), nil
}

func keyFromFile(path string) (string, error) {
	text, err := os.ReadFile(path)
	if err == nil {
		return string(text), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	made := hex.EncodeToString(randomBytes(32))
	return made, writeDurably(path, []byte(made+"\n"))
}

// writeDurably writes a file that is whole, or not there, after a crash.
func writeDurably(path string, content []byte) error {
	folder := filepath.Dir(path)
	f, err := os.CreateTemp(folder, filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // of no effect once it was renamed
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// randomBytes gives n unpredictable octets.
func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}
