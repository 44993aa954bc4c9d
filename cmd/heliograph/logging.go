package main

import (
	"io"
	"log/slog"
	"os"

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
