package trouble

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// newLog writes lines without their times.
func newLog(steady time.Duration) (*Log, *bytes.Buffer) {
	said := new(bytes.Buffer)
	handler := slog.NewTextHandler(said, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
	return New(slog.New(handler), time.Now, steady), said
}

// TestLog: a matter is said when it begins and when it is over, however often it happens; one that goes on is not over.
func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, said := newLog(30 * time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		looked, goesOn := 0, Matter{What: "it goes on"}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			l.Watch(ctx, 3*time.Second, func() { looked++; l.Happened(goesOn) })
		}()
		full := Matter{What: "the disk is full", Bind: "smsc/1", Reason: "no space"}
		for n := range 5 {
			l.Happened(full, "n", n)
			time.Sleep(20 * time.Second)
		}
		l.Happened(Matter{What: "the disk is full"})
		time.Sleep(29 * time.Second)
		synctest.Wait()
		cancel()
		<-ended
		want := `level=WARN msg="the disk is full" bind=smsc/1 reason="no space" n=0
level=WARN msg="it goes on"
level=WARN msg="the disk is full"
level=INFO msg="over: the disk is full" bind=smsc/1 reason="no space" times=5 lasted=1m20s
`
		if said.String() != want {
			t.Errorf("said:\n%s", said)
		}
		if looked != 43 {
			t.Errorf("looked %d times", looked)
		}
	})
}

// TestLogSaysItAgain: what comes again after it was over is said again.
func TestLogSaysItAgain(t *testing.T) {
	l, said := newLog(time.Minute)
	m := Matter{What: "x"}
	begin := time.Now()
	l.Happened(m)
	l.close(begin)
	l.Happened(m)
	if got := strings.Count(said.String(), "\n"); got != 1 {
		t.Errorf("%d lines:\n%s", got, said)
	}
	l.close(time.Now().Add(time.Minute))
	l.Happened(m)
	if got := strings.Count(said.String(), "WARN"); got != 2 || strings.Count(said.String(), "over: x") != 1 {
		t.Errorf("said:\n%s", said)
	}
}

// TestLogIsBounded: beyond what is remembered nothing new is said.
func TestLogIsBounded(t *testing.T) {
	l, said := newLog(time.Minute)
	for n := range MaxMatters + 10 {
		l.Happened(Matter{What: fmt.Sprint(n)})
	}
	if got := strings.Count(said.String(), "\n"); got != MaxMatters || len(l.open) != MaxMatters {
		t.Errorf("%d lines, %d matters", got, len(l.open))
	}
}
