package mt

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

func TestTroubleIsSaidOnce(t *testing.T) {
	var out strings.Builder
	log := slog.New(slog.NewTextHandler(&out, nil))
	var trouble trouble
	for _, err := range []error{nil, errFull, errFull, errors.New("other"), nil, nil, errFull} {
		trouble.note(log, "nothing can be written", err)
	}
	if got := out.String(); strings.Count(got, "trying again") != 2 || strings.Count(got, "works again") != 1 {
		t.Errorf("said:\n%s", got)
	}
}

// An hour of a full disk and of a store that cannot be read is a few lines in the log, and no number or text in them.
func TestLogOfAFullDisk(t *testing.T) {
	net1 := net("net1", 10, 0)
	inWorld(t, func(t *testing.T, w *world) {
		var out strings.Builder
		w.log = slog.New(slog.NewTextHandler(&out, nil))
		w.settings = func(int) CarrierSettings { return CarrierSettings{Hold: true} }
		w.number(alice, "", 0)
		p := w.start()
		_ = p.dispatcher.Pause("net1")
		for range 30 {
			w.mustSend(t, alice, over1, 1)
			if _, err := w.send(alice, over1, 1, time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		_ = p.dispatcher.Resume("net1")
		w.store.setFull(true)
		time.Sleep(time.Hour)
		w.store.setFull(false)
		w.settleDown(time.Hour)
		p.stop()
		said := out.String()
		if lines := strings.Count(said, "\n"); lines < 2 || lines > 10 {
			t.Errorf("%d lines:\n%s", lines, said)
		}
		if strings.Contains(said, alice) || strings.Contains(said, over1) {
			t.Errorf("a number is in the log:\n%s", said)
		}
		for _, r := range w.store.rows {
			if r.message.State == gateway.Queued {
				t.Errorf("still queued: %+v", r.message.Progress)
			}
		}
	}, net1)
}
