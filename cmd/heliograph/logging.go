package main

import (
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/mattn/go-isatty"
)

var logLevels = map[string]slog.Level{
	"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
}

// newLogger makes the log: text on a terminal, JSON otherwise, or as configured.
func newLogger(cfg LogConfig, to io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: logLevels[cfg.Level]}
	file, isFile := to.(*os.File)
	terminal := isFile && isatty.IsTerminal(file.Fd())
	if cfg.Format == "text" || cfg.Format == "auto" && terminal {
		return slog.New(slog.NewTextHandler(to, options))
	}
	return slog.New(slog.NewJSONHandler(to, options))
}

// libraryLog puts what libraries log by themselves, through the standard library's log, into ours.
type libraryLog struct{ to *slog.Logger }

// Write takes one entry. net/http quotes the first octets of what a server sends unasked: they may be a picture of a customer's, and stay out.
func (l libraryLog) Write(entry []byte) (int, error) {
	said, _, _ := strings.Cut(strings.TrimSpace(string(entry)), " starting with ")
	l.to.Warn("a library reports", "what", said)
	return len(entry), nil
}
