package gateway

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestIDOrderAndForm(t *testing.T) {
	entropy := uint64(0x0123456789abcdef)
	source := IDSource{Entropy: func() uint64 { entropy = entropy*6364136223846793005 + 1; return entropy }}
	now := time.UnixMilli(1_700_000_000_000)
	var last ID
	for i := range 10_000 { // more than one millisecond's 4,096
		id := source.Next(now)
		if i > 0 && id.Seq() <= last.Seq() {
			t.Fatalf("id %d: seq %d does not follow %d", i, id.Seq(), last.Seq())
		}
		if id[6]>>4 != 7 || id[8]>>6 != 2 {
			t.Fatalf("id %s: not version 7 of the RFC's variant", id)
		}
		parsed, ok := ParseID(id.String())
		if !ok || parsed != id {
			t.Fatalf("id %s does not read back: %s, %v", id, parsed, ok)
		}
		last = id
	}
	if back := source.Next(now.Add(-time.Hour)); back.Seq() <= last.Seq() {
		t.Error("a clock that goes back must not take the order with it")
	}
}

func TestIDResume(t *testing.T) {
	source := IDSource{Entropy: func() uint64 { return 1 }}
	now := time.UnixMilli(1_700_000_000_000)
	ahead := SeqAt(now.Add(time.Minute))
	source.Resume(ahead)
	if id := source.Next(now); id.Seq() <= ahead {
		t.Errorf("after Resume(%d) came %d", ahead, id.Seq())
	}
}

func TestSeqHoldsTheTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMilli(rapid.Int64Range(0, 1<<47).Draw(t, "ms"))
		random := rapid.Uint64().Draw(t, "random")
		source := IDSource{Entropy: func() uint64 { return random }}
		id := source.Next(at)
		if id.Seq() < SeqAt(at) || id.Seq() >= SeqAt(at.Add(time.Millisecond)) {
			t.Fatalf("seq %d outside of its millisecond", id.Seq())
		}
	})
}

func TestParseIDRefuses(t *testing.T) {
	for _, text := range []string{
		"", "0a5e7f5c-6f1e-4c55-9d0f-2f9a4b7c1e3", "0a5e7f5c-6f1e-4c55-9d0f-2f9a4b7c1e333", "0a5e7f5c06f1e-4c55-9d0f-2f9a4b7c1e33",
		"0a5e7f5c-6f1e-4c55-9d0f-2f9a4b7c1e3g", "{0a5e7f5c-6f1e-4c55-9d0f-2f9a4b7c1e}",
	} {
		if _, ok := ParseID(text); ok {
			t.Errorf("%q was read as an id", text)
		}
	}
	if id, ok := ParseID("0A5E7F5C-6F1E-4C55-9D0F-2F9A4B7C1E33"); !ok || id.String() != "0a5e7f5c-6f1e-4c55-9d0f-2f9a4b7c1e33" {
		t.Error("upper case must be read")
	}
}

// TestIDInJSON: wherever an ID is logged or encoded it reads as people know it.
func TestIDInJSON(t *testing.T) {
	id := newID(SeqAt(time.UnixMilli(1_700_000_000_000)), 7)
	text, err := json.Marshal(map[string]any{"id": id})
	if want := `{"id":"` + id.String() + `"}`; err != nil || string(text) != want {
		t.Errorf("got %s, %v, want %s", text, err, want)
	}
}
