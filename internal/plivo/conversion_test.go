package plivo

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

func TestConversion(t *testing.T) {
	acted := time.Date(2024, 5, 6, 7, 9, 0, 511_000_000, time.UTC)
	for _, test := range []struct {
		path, body string
		status     gateway.ConversionStatus
		at         time.Time
	}{
		{"/v1/account/{}/message/[]/conversion/", `{"status":"CONVERTED","timestamp":"2024-05-06T07:09:00.511Z"}`, gateway.Converted, acted},
		{"/v1/Account/{}/Message/[]/Conversion", `{"status":"NOT_CONVERTED","timestamp":"2024-05-06T07:09:00.511+00:00"}`, gateway.NotConverted, acted},
		{"/v1//account/{}/message//[]/conversion", `{"status":"CONVERTED_WITH_OTHERS","timestamp":"2024-05-06T09:09:00.511+0200","x":1}`, gateway.ConvertedWithOthers, acted},
		{"/v1/account/{}/message/[]/conversion/", `{"status":"converted","timestamp":"2024-05-06T07:09:00.511"}`, gateway.Converted, acted},
		{"/v1/account/{}/message/[]/conversion/", `{"status":"CONVERTED","timestamp":"2024-05-06 07:09:00"}`, gateway.Converted, acted.Truncate(time.Second)},
		{"/v1/account/{}/message/[]/conversion/", `status=CONVERTED&timestamp=2024-05-06T07:09:00Z`, gateway.Converted, acted.Truncate(time.Second)},
	} {
		s := newServer(t)
		m := s.giveMessage(func(m *gateway.Message) { m.Trackable = true })
		path := strings.NewReplacer("{}", string(mainID), "[]", m.ID.String()).Replace(test.path)
		r := s.ok(s.do(ask{method: "POST", path: path, body: test.body}), 200)
		if r.string("message") != "successfully recorded." || r.string("message_uuid") != m.ID.String() || r.string("conversion_uuid") != "conv-"+m.ID.String() || len(r.body) != 4 {
			t.Errorf("%s %s: %s", path, test.body, r.text)
		}
		want := gateway.Conversion{Account: mainID, Message: m.ID, Status: test.status, ActedAt: test.at, ToldAt: s.now}
		if got := s.store.feedback[m.ID]; got.Status != want.Status || !got.ActedAt.Equal(want.ActedAt) || !got.ToldAt.Equal(want.ToldAt) {
			t.Errorf("%s %s: kept %+v, want %+v", path, test.body, got, want)
		}
	}
}

func TestConversionRefusals(t *testing.T) {
	s := newServer(t)
	tracked := s.giveMessage(func(m *gateway.Message) { m.Trackable = true }).ID.String()
	plain := s.giveMessage(nil).ID.String()
	foreign := s.giveMessage(func(m *gateway.Message) { m.Trackable, m.Account = true, strangerID }).ID.String()
	const good = `{"status":"CONVERTED","timestamp":"2024-05-06T07:09:00Z"}`
	const badStatus, badTime = "status must be CONVERTED, NOT_CONVERTED or CONVERTED_WITH_OTHERS", "timestamp must be a time in ISO 8601 such as 2024-05-06T07:09:00.511Z"
	for _, test := range []struct {
		id, body string
		status   int
		text     string
	}{
		{tracked, `{"timestamp":"2024-05-06T07:09:00Z"}`, 400, badStatus},
		{tracked, `{"status":"BOUGHT","timestamp":"2024-05-06T07:09:00Z"}`, 400, badStatus},
		{tracked, `{"status":["CONVERTED"],"timestamp":"2024-05-06T07:09:00Z"}`, 400, "status must be a string"},
		{tracked, `{"status":{},"timestamp":"2024-05-06T07:09:00Z"}`, 400, "status must be a string"},
		{tracked, `{"status":"CONVERTED"}`, 400, badTime},
		{tracked, `{"status":"CONVERTED","timestamp":"yesterday"}`, 400, badTime},
		{tracked, `{"status":"CONVERTED","timestamp":1714979340}`, 400, badTime},
		{tracked, ``, 400, badStatus},
		{plain, good, 400, "the message is not trackable"},
		{foreign, good, 404, "not found"},
		{madeUp.message, good, 404, "not found"},
		{"x", good, 404, "not found"},
	} {
		r := s.do(ask{method: "POST", path: mainPath + "/Message/" + test.id + "/conversion/", body: test.body})
		if s.refused(r, test.status, test.text); t.Failed() {
			t.Fatal(test.id, test.body)
		}
	}
	s.refused(s.do(ask{method: "GET", path: mainPath + "/Message/" + tracked + "/conversion/"}), 405, "method not allowed")
	if len(s.store.feedback) != 0 {
		t.Error("something was kept")
	}
}

// waitingStore notes the batches that it is given, and takes its time.
type waitingStore struct {
	Store
	err     error
	batches [][]gateway.Conversion
}

func (s *waitingStore) RecordConversions(_ context.Context, batch []gateway.Conversion) ([]error, error) {
	time.Sleep(time.Second)
	s.batches = append(s.batches, batch)
	results := make([]error, len(batch))
	for i := range batch {
		if batch[i].Account == strangerID {
			results[i] = gateway.Errorf(gateway.NotFound, "not found")
		}
	}
	return results, s.err
}

// TestFeedbackIsKeptTogether: what waits becomes one write, each caller learns what became of his own, and a stop leaves nobody waiting.
func TestFeedbackIsKeptTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &waitingStore{}
		f := NewFeedback(store)
		ctx, cancel := context.WithCancel(t.Context())
		running := make(chan error, 1)
		go func() { running <- f.Run(ctx) }()
		var callers sync.WaitGroup
		for i := range 100 {
			account := mainID
			if i%2 == 1 {
				account = strangerID
			}
			callers.Go(func() {
				if err := f.Record(t.Context(), gateway.Conversion{Account: account}); (err == nil) != (account == mainID) {
					t.Errorf("%s: %v", account, err)
				}
			})
		}
		callers.Wait()
		if n := len(store.batches); n > 2 {
			t.Errorf("%d writes", n)
		}
		store.err = errors.New("the disk is gone")
		if err := f.Record(t.Context(), gateway.Conversion{Account: mainID}); !errors.Is(err, store.err) {
			t.Errorf("on a broken disk: %v", err)
		}
		cancel()
		if err := <-running; err != nil {
			t.Error(err)
		}
		var refused *gateway.Error
		if err := f.Record(t.Context(), gateway.Conversion{}); !errors.As(err, &refused) || refused.Code != gateway.Unavailable {
			t.Errorf("after the stop: %v", err)
		}
	})
}
