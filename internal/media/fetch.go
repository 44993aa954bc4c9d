package media

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/heliograph/heliograph/internal/egress"
	"github.com/heliograph/heliograph/internal/gateway"
)

// Bounds of fetches.
const (
	mostRedirects = 5
	mostPause     = 30 * time.Second // between attempts of one fetch; who is told to wait longer is told so

	// How many exchanges there are at a time: in all, of an account, with a host, and of an account with a host. A host that is slow takes half of an
	// account's places at most, and an account half of a host's.
	mostFetches, accountFetches, hostFetches, ownHostFetches = 64, 8, 8, 4
)

// pauses are those between the attempts of a fetch that fails for the moment.
func pauses() []time.Duration {
	return []time.Duration{time.Second, 5 * time.Second, 25 * time.Second}
}

// accepted is what a server may choose from that has a file in several types.
const accepted = "image/jpeg, image/png, image/gif, audio/*;q=0.9, video/*;q=0.9, */*;q=0.1"

// FetcherConfig is what a Fetcher works with. All must be set.
type FetcherConfig struct {
	Library   *Library
	Client    *http.Client // of egress, with FetchTimeout at least, and with bodies that are larger than Most
	IDs       *gateway.IDSource
	Most      int64 // octets of a file
	UserAgent string
}

// Fetcher gets the files that messages name by their address. The same address in a thousand messages of an account is fetched once while it is
// fresh, and asked about with its ETag or its date afterwards. Its methods may be called from any goroutine.
type Fetcher struct {
	cfg     FetcherConfig
	pauses  []time.Duration
	gate    gate
	flights flights[fetchKey, gateway.Medium]

	mu    sync.Mutex
	known map[fetchKey]known
}

// fetchKey is the SHA-256 of an account and an address. The account is in it: what one account has fetched speeds up nothing for another. The address,
// which may hold a secret, is not kept.
type fetchKey [sha256.Size]byte

func keyOf(account gateway.AccountID, address string) fetchKey {
	return sha256.Sum256([]byte(string(account) + "\x00" + address))
}

// NewFetcher makes a fetcher.
func NewFetcher(cfg FetcherConfig) *Fetcher {
	return &Fetcher{cfg: cfg, pauses: pauses(), known: map[fetchKey]known{}}
}

// Fetch gets the file at an address, for a message of the account, as one of the account's media that is used. It tries several times if need be. Its
// error is a *Failure, but for that of ctx and those of the store, which are nobody's fault and may pass.
func (f *Fetcher) Fetch(ctx context.Context, account gateway.AccountID, address string) (gateway.Medium, error) {
	return f.FetchUntil(ctx, account, address, time.Time{})
}

// FetchUntil is Fetch for a message that hides its media; see Library.UseUntil.
func (f *Fetcher) FetchUntil(ctx context.Context, account gateway.AccountID, address string, end time.Time) (gateway.Medium, error) {
	m, err := f.share(ctx, account, address)
	if err != nil {
		return gateway.Medium{}, err
	}
	list, err := f.cfg.Library.UseUntil(ctx, account, []gateway.ID{m.ID}, end)
	if err != nil {
		return gateway.Medium{}, err
	}
	return list[0], nil
}

// share gives the file at an address to all who ask at the same time.
func (f *Fetcher) share(ctx context.Context, account gateway.AccountID, address string) (gateway.Medium, error) {
	key := keyOf(account, address)
	return f.flights.do(ctx, key, func() (gateway.Medium, error) {
		before, err := f.recall(ctx, account, key)
		switch {
		case err != nil:
			return gateway.Medium{}, err
		case !f.cfg.Library.now().Before(before.freshUntil):
			return f.fetch(ctx, account, address, key, before)
		case before.failure != nil:
			again := *before.failure
			again.After = before.freshUntil.Sub(f.cfg.Library.now())
			return gateway.Medium{}, &again
		}
		return before.medium, nil
	})
}

// recall gives what is known of an address, unless the file that it gave is gone.
func (f *Fetcher) recall(ctx context.Context, account gateway.AccountID, key fetchKey) (known, error) {
	f.mu.Lock()
	before := f.known[key]
	f.mu.Unlock()
	if before.medium.ID.IsZero() {
		return before, nil
	}
	there, err := f.cfg.Library.index.MediaByID(ctx, account, []gateway.ID{before.medium.ID}, f.cfg.Library.now())
	if err == nil && len(there) == 0 {
		return known{}, nil
	}
	return before, err
}

func (f *Fetcher) remember(key fetchKey, k known) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, there := f.known[key]; !there && len(f.known) >= mostKnown {
		for other := range f.known { // any of them: what is lost is one fetch
			delete(f.known, other)
			break
		}
	}
	f.known[key] = k
}

// fetch asks, several times if need be.
func (f *Fetcher) fetch(ctx context.Context, account gateway.AccountID, address string, key fetchKey, before known) (gateway.Medium, error) {
	for attempt := 0; ; attempt++ {
		after, err := f.attempt(ctx, account, address, before)
		if err == nil {
			f.remember(key, after)
			return after.medium, nil
		}
		var failure *Failure
		if !errors.As(err, &failure) {
			return gateway.Medium{}, err
		}
		pause := failedFresh
		if attempt < len(f.pauses) {
			pause = f.pauses[attempt]
		}
		failure.After = max(failure.After, pause)
		if !failure.Temporary || attempt == len(f.pauses) || failure.After > mostPause {
			f.remember(key, before.failed(failure, f.cfg.Library.now()))
			return gateway.Medium{}, failure
		}
		if err := sleep(ctx, failure.After); err != nil {
			return gateway.Medium{}, err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// attempt asks once, following redirects. Each step has a place of its own at its host, and none is held between attempts.
func (f *Fetcher) attempt(ctx context.Context, account gateway.AccountID, address string, before known) (known, error) {
	at, err := url.Parse(address)
	if err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Hostname() == "" {
		return known{}, failuref(gateway.InvalidMessage, "the address of a medium is no URL that can be fetched")
	}
	for range mostRedirects + 1 {
		leave, err := f.gate.enter(ctx, claims(account, at)...)
		if err != nil {
			return known{}, err
		}
		after, next, err := f.exchange(ctx, account, at, before)
		leave()
		if err != nil || next == nil {
			return after, err
		}
		at = next
	}
	return known{}, failuref(gateway.InvalidMessage, "the address of a medium redirects more than %d times", mostRedirects)
}

// claims are what an exchange takes of the places that there are.
func claims(account gateway.AccountID, at *url.URL) []claim {
	type host string
	type ownHost struct {
		account gateway.AccountID
		host    string
	}
	name := strings.ToLower(at.Hostname())
	return []claim{{nil, 1, mostFetches}, {account, 1, accountFetches}, {host(name), 1, hostFetches}, {ownHost{account, name}, 1, ownHostFetches}}
}

// exchange makes one request. next is where it leads instead, if anywhere.
func (f *Fetcher) exchange(ctx context.Context, account gateway.AccountID, at *url.URL, before known) (after known, next *url.URL, err error) {
	paced, pace, stop := newPace(ctx)
	defer stop()
	req, err := http.NewRequestWithContext(paced, http.MethodGet, at.String(), nil)
	if err != nil {
		return known{}, nil, failuref(gateway.InvalidMessage, "the address of a medium is no URL that can be fetched")
	}
	req.Header.Set("Accept", accepted)
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("User-Agent", f.cfg.UserAgent)
	if before.etag != "" {
		req.Header.Set("If-None-Match", before.etag)
	} else if before.modified != "" {
		req.Header.Set("If-Modified-Since", before.modified)
	}
	resp, err := f.cfg.Client.Do(req)
	if err != nil {
		return known{}, nil, unreached(ctx, paced, err)
	}
	defer resp.Body.Close()
	if next, err := redirected(at, resp); next != nil || err != nil {
		return known{}, next, err
	}
	if err := f.check(resp, before); err != nil {
		return known{}, nil, err
	}
	now := f.cfg.Library.now()
	if resp.StatusCode == http.StatusNotModified {
		return before.confirmed(before.medium, resp.Header, now), nil, nil
	}
	in, err := f.cfg.Library.Receive(pace.body(resp.Body), f.cfg.Most)
	if err != nil {
		return known{}, nil, f.broken(ctx, paced, err)
	}
	defer in.Discard()
	m, err := f.keep(ctx, account, at, resp.Header.Get("Content-Type"), in, before.medium)
	if err != nil {
		return known{}, nil, err
	}
	return before.confirmed(m, resp.Header, now), nil, nil
}

// unreached says why there is no answer, or none that is whole. ctx is the caller's, paced that of the exchange.
func unreached(ctx, paced context.Context, err error) error {
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, egress.ErrRefused):
		return failuref(gateway.InvalidMessage, "the address of a medium does not lead to the public internet")
	case errors.Is(context.Cause(paced), errSlow), errors.Is(err, context.DeadlineExceeded):
		return temporaryf("a medium did not come in time")
	case errors.As(err, &name):
		return temporaryf("the host of a medium's address cannot be found")
	case errors.As(err, &certificate):
		return failuref(gateway.InvalidMessage, "the certificate of a medium's server is not valid")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return temporaryf("the server of a medium broke off before the file was whole")
	}
	return temporaryf("the server of a medium cannot be reached, or broke off")
}

// redirected gives where an answer leads instead; nil: nowhere. The credentials of an address go along only to where they were meant for.
func redirected(at *url.URL, resp *http.Response) (*url.URL, error) {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil, nil
	}
	next, err := resp.Location() // against the address that was asked
	if err != nil || next.Scheme != "http" && next.Scheme != "https" || next.Hostname() == "" {
		return nil, failuref(gateway.InvalidMessage, "the address of a medium redirects to nowhere")
	}
	if next.User == nil && next.Scheme == at.Scheme && next.Host == at.Host {
		next.User = at.User
	}
	return next, nil
}

// check refuses answers of which no file is taken, before their bodies are read.
func (f *Fetcher) check(resp *http.Response, before known) error {
	switch code := resp.StatusCode; {
	case code == http.StatusNotModified && !before.medium.ID.IsZero():
		return nil
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests, code >= 500:
		failure := temporaryf("the server of a medium answered %d", code)
		failure.After = retryAfter(resp.Header, f.cfg.Library.now())
		return failure
	case code != http.StatusOK:
		return failuref(gateway.InvalidMessage, "the server of a medium answered %d", code)
	case resp.ContentLength > f.cfg.Most:
		return f.tooLarge()
	}
	// What was packed against our word is not unpacked: it may be a thousand times as large.
	if coding := strings.ToLower(resp.Header.Get("Content-Encoding")); coding != "" && coding != "identity" {
		return failuref(gateway.InvalidMessage, "the server of a medium sends it with a Content-Encoding, though it was asked not to")
	}
	return nil
}

func (f *Fetcher) tooLarge() error {
	return failuref(gateway.MediaTooLarge, "the file of a medium is larger than %d octets", f.cfg.Most)
}

// broken says why a body was not taken in.
func (f *Fetcher) broken(ctx, paced context.Context, err error) error {
	switch {
	case errors.Is(err, ErrTooLarge), errors.Is(err, egress.ErrTooLarge):
		return f.tooLarge()
	case isRefusal(err, gateway.Unavailable): // of the disk
		return err
	}
	return unreached(ctx, paced, err)
}

func isRefusal(err error, code gateway.ErrorCode) bool {
	var refusal *gateway.Error
	return errors.As(err, &refusal) && refusal.Code == code
}

// keep puts a file that was fetched among the account's. One that is the same as before stays what it was.
func (f *Fetcher) keep(
	ctx context.Context, account gateway.AccountID, at *url.URL, declared string, in *Incoming, before gateway.Medium,
) (gateway.Medium, error) {
	if in.Size == 0 {
		return gateway.Medium{}, failuref(gateway.InvalidMessage, "the file of a medium is empty")
	}
	name := CleanName(path.Base(at.Path))
	found, err := TypeOf(in.Head, declared, name)
	if err != nil {
		return gateway.Medium{}, failuref(gateway.InvalidMessage, "the file of a medium cannot be sent: %s", err)
	}
	if !before.ID.IsZero() && before.Content == in.Content && before.Type == found {
		return before, nil
	}
	list, err := f.cfg.Library.Add(ctx, account, []Addition{{in, f.cfg.IDs.Next(f.cfg.Library.now()), fetchedName(name, found), found}})
	if isRefusal(err, gateway.Invalid) { // no room
		return gateway.Medium{}, failuref(gateway.DispatchFailed, "the file of a medium cannot be kept: %s", err)
	}
	if err != nil {
		return gateway.Medium{}, err
	}
	return list[0], nil
}

// fetchedName is the last part of an address if it is a name for files of the type. Else it means nothing to whoever gets the file, and may be a
// secret of whoever sends it.
func fetchedName(name, mediaType string) string {
	extensions := kindOf(mediaType).extensions
	switch extension := strings.ToLower(path.Ext(name)); {
	case slices.Contains(extensions, extension), len(extensions) == 0 && extension != "":
		return name
	case len(extensions) > 0:
		return namelessFile + extensions[0]
	}
	return namelessFile
}
