package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
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
