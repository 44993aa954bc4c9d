package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/heliograph/heliograph/internal/sqlite"
)

func TestSecretKeyStays(t *testing.T) {
	cfg := Config{Data: t.TempDir()}
	first, err := secretKey(&cfg)
	if err != nil {
		t.Fatal(err)
	}
	second, err := secretKey(&cfg)
	if err != nil || first != second {
		t.Errorf("the key changed from one start to the next: %v", err)
	}
	info, err := os.Stat(filepath.Join(cfg.Data, keyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if files, _ := os.ReadDir(cfg.Data); len(files) != 1 {
		t.Errorf("%d files are left", len(files))
	}
}

func TestSecretKeyGiven(t *testing.T) {
	cfg := Config{Data: t.TempDir(), SecretKey: strings.Repeat("ab", 32)}
	if key, err := secretKey(&cfg); err != nil || key[31] != 0xab {
		t.Errorf("%x, %v", key, err)
	}
	if files, _ := os.ReadDir(cfg.Data); len(files) != 0 {
		t.Error("a key file was made")
	}
	cfg.SecretKey = "12"
	if _, err := secretKey(&cfg); err == nil {
		t.Error("a short key passed")
	}
}

// TestBrokenKeyFile: a key that was damaged must not be replaced by another, which could open nothing.
func TestBrokenKeyFile(t *testing.T) {
	cfg := Config{Data: t.TempDir()}
	file := filepath.Join(cfg.Data, keyFile)
	if err := os.WriteFile(file, []byte("12"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := secretKey(&cfg); err == nil {
		t.Error("a broken key file passed")
	}
	if text, _ := os.ReadFile(file); string(text) != "12" {
		t.Error("it was written anew")
	}
}

// TestManyFirstStarts: processes that start at once on an empty folder agree on one key.
func TestManyFirstStarts(t *testing.T) {
	for range 20 {
		cfg := Config{Data: t.TempDir()}
		keys := make(chan [32]byte, 8)
		for range cap(keys) {
			go func() {
				key, err := secretKey(&cfg)
				if err != nil {
					t.Error(err)
				}
				keys <- key
			}()
		}
		first := <-keys
		for range cap(keys) - 1 {
			if key := <-keys; key != first {
				t.Fatal("two processes have two keys")
			}
		}
		if files, _ := os.ReadDir(cfg.Data); len(files) != 1 {
			t.Errorf("%d files are left", len(files))
		}
	}
}

// TestLostKey: a database whose key is gone gets no new one, which could open nothing.
func TestLostKey(t *testing.T) {
	cfg := Config{Data: t.TempDir()}
	if err := os.WriteFile(filepath.Join(cfg.Data, sqlite.FileName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := secretKey(&cfg); err == nil || !strings.Contains(err.Error(), "is missing") {
		t.Errorf("got %v", err)
	}
	if files, _ := os.ReadDir(cfg.Data); len(files) != 1 {
		t.Error("a key file was made")
	}
}
