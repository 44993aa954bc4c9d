package plivo

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
	"github.com/heliograph/heliograph/internal/media"
)

// fakeMedia is what the fake store knows of files. Its methods hold to what the comments of Store and media.Index say.
type fakeMedia struct{ media []gateway.Medium }

func (s *fakeStore) CreateMedia(_ context.Context, list []gateway.Medium) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.media = append(s.media, list...)
	}
	return s.err
}

func (s *fakeStore) AnyMedium(_ context.Context, id gateway.ID, at time.Time) (gateway.Medium, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.medium(id, at); i >= 0 {
		return s.media[i], s.err
	}
	return gateway.Medium{}, gateway.Errorf(gateway.NotFound, "medium %s not found", id)
}

// medium is the place of a medium; -1: it is not there.
func (s *fakeStore) medium(id gateway.ID, at time.Time) int {
	return slices.IndexFunc(s.media, func(m gateway.Medium) bool { return m.ID == id && m.ExpiresAt.After(at) })
}

func (s *fakeStore) MediaByID(_ context.Context, account gateway.AccountID, ids []gateway.ID, at time.Time) (list []gateway.Medium, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		if i := s.medium(id, at); i >= 0 && s.media[i].Account == account {
			list = append(list, s.media[i])
		}
	}
	return list, s.err
}

func (s *fakeStore) Media(_ context.Context, f gateway.MediumFilter) ([]gateway.Medium, int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []gateway.Medium
	for _, m := range slices.Backward(s.media) {
		if m.Account == f.Account && m.ExpiresAt.After(f.At) {
			found = append(found, m)
		}
	}
	return cut(found, f.Limit, f.Offset), len(found), s.err
}

func (s *fakeStore) UseMedia(_ context.Context, account gateway.AccountID, ids []gateway.ID, at, until time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		i := s.medium(id, at)
		if i < 0 || s.media[i].Account != account {
			return gateway.Errorf(gateway.NotFound, "medium %s not found", id)
		}
		if m := &s.media[i]; m.UsedAt.IsZero() {
			m.UsedAt = at
		}
		if m := &s.media[i]; m.ExpiresAt.Before(until) {
			m.ExpiresAt = until
		}
	}
	return s.err
}

func (s *fakeStore) MediaSize(_ context.Context, owner gateway.AccountID, at time.Time) (size int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.media {
		if m.Account == owner && m.ExpiresAt.After(at) {
			size += m.Size
		}
	}
	return size, s.err
}

// ExpireMedia is not asked for by the API.
func (s *fakeStore) ExpireMedia(context.Context, time.Time) ([]gateway.Content, bool, error) {
	return nil, false, s.err
}

// ContentNamed is not asked for by the API.
func (s *fakeStore) ContentNamed(context.Context, gateway.Content) (bool, error) { return true, s.err }

func (s *fakeStore) ForgetMedia(ctx context.Context, account gateway.AccountID, id gateway.ID) error {
	m, err := s.Message(ctx, account, id)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.State == gateway.Queued {
		return gateway.Errorf(gateway.Conflict, "the message has not left yet")
	}
	m.MediaIDs, m.MediaURLs = nil, nil
	return nil
}

// openLibrary makes the library of files.
func (s *server) openLibrary() {
	s.t.Helper()
	links, err := media.NewLinks([32]byte{1}, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	s.folder = filepath.Join(s.t.TempDir(), "media")
	s.library, err = media.Open(media.Config{Dir: s.folder, Index: s.store, Links: links, Now: s.clock, Log: slog.New(slog.NewTextHandler(s.log, nil))})
	if err != nil {
		s.t.Fatal(err)
	}
}

// giveMedium makes a picture of an account, of which there is nothing but the row.
func (s *server) giveMedium(account gateway.AccountID, name string) gateway.Medium {
	m := gateway.Medium{
		ID: s.handler.(*API).ids.Next(s.now), Account: account, Content: gateway.Content{1}, Name: name, Type: "image/png", Size: 47343,
		CreatedAt: s.now, ExpiresAt: s.now.Add(media.DefaultUnused),
	}
	s.store.media = append(s.store.media, m)
	return m
}

// nameMedium gives a medium another id.
func (s *server) nameMedium(m gateway.Medium, id string) {
	i := s.store.medium(m.ID, s.now)
	s.store.media[i].ID, _ = gateway.ParseID(id)
}
