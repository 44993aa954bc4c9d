package smpp

import (
	"testing"

	"pgregory.net/rapid"
)

// A window against a plain list: whatever is taken, answered and timed out, nothing is lost, doubled or out of order.
func TestWindowAgainstAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 5).Draw(t, "size")
		w := newWindow(size)
		w.sequence = rapid.SampledFrom([]uint32{0, maxSequence - 3}).Draw(t, "before")
		type entry struct {
			sequence uint32
			due      int64
			counts   bool
		}
		var list []entry
		used := func() (n int) {
			for _, e := range list {
				if e.counts {
					n++
				}
			}
			return n
		}
		tick := int64(0)
		t.Repeat(map[string]func(*rapid.T){
			"take": func(t *rapid.T) {
				counts := rapid.Bool().Draw(t, "counts")
				if counts && w.full() {
					return
				}
				e := entry{w.nextSequence(), tick + 10, counts}
				if e.sequence == 0 || e.sequence > maxSequence {
					t.Fatalf("sequence number %d", e.sequence)
				}
				w.take(place{sequence: e.sequence, command: CommandSubmitSM, counts: counts, due: e.due})
				list = append(list, e)
			},
			"answer": func(t *rapid.T) {
				if len(list) == 0 {
					return
				}
				i := rapid.IntRange(0, len(list)-1).Draw(t, "which")
				if _, ok := w.answered(Header{Command: CommandQuerySMResp, Sequence: list[i].sequence}); ok {
					t.Fatal("answered by another operation")
				}
				command := rapid.SampledFrom([]CommandID{CommandSubmitSMResp, CommandGenericNack}).Draw(t, "command")
				p, ok := w.answered(Header{Command: command, Sequence: list[i].sequence})
				if !ok || p.sequence != list[i].sequence || p.due != list[i].due {
					t.Fatalf("answered %+v, %v", p, ok)
				}
				if _, ok := w.answered(Header{Command: command, Sequence: list[i].sequence}); ok {
					t.Fatal("answered twice")
				}
				list = append(list[:i:i], list[i+1:]...)
			},
			"time passes": func(t *rapid.T) {
				tick += rapid.Int64Range(1, 8).Draw(t, "ticks")
				for len(list) > 0 && list[0].due <= tick {
					p, ok := w.overdue(tick)
					if !ok || p.sequence != list[0].sequence {
						t.Fatalf("overdue %+v, %v; want %+v", p, ok, list[0])
					}
					list = list[1:]
				}
				if p, ok := w.overdue(tick); ok {
					t.Fatalf("overdue too early: %+v", p)
				}
			},
			"": func(t *rapid.T) {
				if w.used != used() || len(w.places) != len(list) || w.full() != (used() >= size) {
					t.Fatalf("%d used of %d, %d places; want %d, %d", w.used, size, len(w.places), used(), len(list))
				}
			},
		})
	})
}

func TestThoseWhoWaitForAPlace(t *testing.T) {
	w := newWindow(1)
	w.take(place{sequence: 1, counts: true})
	first, second, third := w.wait(), w.wait(), w.wait()
	if !w.forget(second) {
		t.Error("who waits was not found")
	}
	w.give(w.oldest)
	<-first
	if w.forget(first) {
		t.Error("who was offered a place still waits")
	}
	select {
	case <-third:
		t.Error("one place was offered to two")
	default:
	}
	w.wakeAll()
	<-third
}
