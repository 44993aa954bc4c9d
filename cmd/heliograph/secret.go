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

	"github.com/heliograph/heliograph/internal/sqlite"
)

// keyFile holds the key that seals auth tokens in the store, when the configuration gives none.
const keyFile = "secret.key"

// secretKey gives the key that seals auth tokens: the configured one, else the data folder's, made on the first start.
func secretKey(cfg *Config) (key [32]byte, err error) {
	text, from := cfg.SecretKey, "secret_key"
	if text == "" {
		from = filepath.Join(cfg.Data, keyFile)
		if text, err = keyFromFile(from, filepath.Join(cfg.Data, sqlite.FileName)); err != nil {
			return key, err
		}
	}
	decoded, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(decoded) != len(key) {
		return key, fmt.Errorf("%s must hold %d hexadecimal digits", from, 2*len(key))
	}
	return [32]byte(decoded), nil
}

// keyFromFile reads the key file. It makes one where there is neither a key nor a database: a database without its key opens with no other.
func keyFromFile(path, database string) (string, error) {
	_, noDatabase := os.Stat(database) // before the key is looked for: another process may be making both
	text, err := os.ReadFile(path)
	switch {
	case err == nil:
		return string(text), nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", err
	case noDatabase == nil:
		return "", fmt.Errorf("%s is missing: the database beside it was made with it, and opens with no other", path)
	}
	made := hex.EncodeToString(randomBytes(32)) + "\n"
	if err := createDurably(path, []byte(made)); !errors.Is(err, fs.ErrExist) {
		return made, err
	}
	text, err = os.ReadFile(path) // another process was faster
	return string(text), err
}

// createDurably makes a file that is whole, or not there, after a crash. It fails with fs.ErrExist when the file is there already, and leaves it.
func createDurably(path string, content []byte) error {
	folder := filepath.Dir(path)
	f, err := os.CreateTemp(folder, filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
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
