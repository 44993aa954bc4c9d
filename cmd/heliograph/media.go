package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/heliograph/heliograph/internal/egress"
	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/media"
)

// mediaFolder holds the files of media, in the data folder.
const mediaFolder = "media"

// openLibrary opens the media of the data folder, whose rows are in the store.
func openLibrary(cfg *Config, key [32]byte, index media.Index, log *slog.Logger) (*media.Library, error) {
	links, err := media.NewLinks(key, time.Duration(cfg.Media.Links))
	if err != nil {
		return nil, err
	}
	return media.Open(media.Config{
		Dir: filepath.Join(cfg.Data, mediaFolder), Index: index, Links: links, Now: time.Now, Log: log,
		Unused: time.Duration(cfg.Media.Unused), Used: time.Duration(cfg.Media.Used), Room: cfg.Media.Room << 20,
	})
}

// mostMMS is how many octets the files of a message may have together, and so each of them.
const mostMMS = 5 << 20

// newPreparer makes what gets the files of messages ready.
func newPreparer(cfg *Config, library *media.Library, ids *gateway.IDSource, agent string, log *slog.Logger) *media.Preparer {
	fetcher := media.NewFetcher(media.FetcherConfig{
		Library: library, IDs: ids, Most: mostMMS, UserAgent: agent,
		Client: egress.New(egress.Config{
			Allow: cfg.Egress.Allow, AllowLoopback: onLoopback(cfg.Listen), Timeout: media.FetchTimeout, MaxBody: mostMMS + 1,
		}),
	})
	return media.NewPreparer(media.PreparerConfig{Library: library, Fetch: fetcher.FetchUntil, Limits: cfg.mediaLimits, Most: mostMMS, Log: log})
}

// mostRoom bounds the room of an account, in MiB: its octets must fit into an int64.
const mostRoom = 1 << 40

// checkMedia finds what is wrong with the settings of media.
func checkMedia(c *Config) []error {
	var errs []error
	if c.PublicURL != "" && !isBaseURL(c.PublicURL) {
		errs = append(errs, fmt.Errorf("public_url: %q is no URL such as https://sms.example.net, without a slash at its end", c.PublicURL))
	}
	if c.Media.Unused <= 0 || c.Media.Links <= 0 || c.Media.Room <= 0 || c.Media.Room > mostRoom {
		errs = append(errs, errors.New("media: unused, links and room must be positive"))
	}
	// A request that is repeated for its Idempotency-Key names what it named at first.
	if least := Duration(gateway.IdempotencyWindow); c.Media.Used < least || c.Media.Used < c.Media.Unused {
		errs = append(errs, errors.New("media: used must be 24h or more, and at least as long as unused"))
	}
	return errs
}

// isBaseURL tells whether a path can be put behind the text.
func isBaseURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil &&
		u.RawQuery == "" && !u.ForceQuery && u.Fragment == "" && !strings.HasSuffix(text, "/")
}
