package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestBenchBacklog measures a small backlog: everything that bench tells of it, but how fast it was.
func TestBenchBacklog(t *testing.T) {
	file := filepath.Join(t.TempDir(), "result.json")
	out, err := exec.CommandContext(within(t), program, "bench", "-n", "200", "-c", "8", "--senders", "5", "--no-callbacks",
		"--backlog", "1005", "--backlog-senders", "20", "--backlog-interval", "2s", "--json", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var result struct {
		Lost    int
		Backlog struct {
			Messages, Senders int
			FirstTenth        float64 `json:"first_tenth_accepted_per_s"`
			LastTenth         float64 `json:"last_tenth_accepted_per_s"`
			Heap              float64 `json:"heap_mb"`
			AcceptedRate      float64 `json:"accepted_per_s"`
			LaneUnits         int     `json:"lane_units"`
			WaitingBefore     int     `json:"waiting_before_restart"`
			WaitingAfter      int     `json:"waiting_after_restart"`
			ReadySeconds      float64 `json:"ready_s"`
		}
	}
	if err := json.Unmarshal(text, &result); err != nil {
		t.Fatal(err)
	}
	b := result.Backlog
	if result.Lost != 0 || b.Messages != 1005 || b.Senders != 20 || b.FirstTenth <= 0 || b.LastTenth <= 0 || b.Heap <= 0 || b.AcceptedRate <= 0 ||
		b.LaneUnits == 0 || b.WaitingBefore == 0 || b.WaitingAfter == 0 || b.WaitingAfter > b.WaitingBefore || b.ReadySeconds <= 0 {
		t.Errorf("got %+v from\n%s", result, out)
	}
}

// TestBenchBacklogRefused: what cannot be measured is said before anything is started.
func TestBenchBacklogRefused(t *testing.T) {
	for _, args := range [][]string{
		{"--backlog", "10", "--backlog-senders", "20"},
		{"--backlog", "10", "--backlog-senders", "0"},
		{"--backlog", "100000", "--backlog-senders", "10"}, // ten thousand messages of 100 s each do not fit into three hours
		{"--backlog", "10", "--backlog-senders", "5", "--backlog-interval", "1ms"},
		{"--backlog", "10", "--backlog-senders", "5", "--url", "http://127.0.0.1:1"},
	} {
		if out, err := exec.CommandContext(within(t), program, append([]string{"bench"}, args...)...).CombinedOutput(); err == nil {
			t.Errorf("%v passed:\n%s", args, out)
		}
	}
}
