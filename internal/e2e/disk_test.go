package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestFullDisk gives the server a small disk of its own and lets it run full: sends are refused with 503 and a sentence, nothing that was
// acknowledged is lost, and service resumes by itself when there is room.
func TestFullDisk(t *testing.T) {
	data := t.TempDir()
	// The disk is a tmpfs in a mount namespace of the server's own; what fills it is a file that goes away later.
	script := `mount -t tmpfs -o size=12m tmpfs "$1" && head -c 9m /dev/zero > "$1/filler" && exec "$2" serve --listen 127.0.0.1:0 --data "$1"`
	server := launch(t, credentials(), exec.Command("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", data, program))
	customer := newAccount(t, server.url(t))
	pack := customer.powerpack(t, "disk", "14155550190")

	text := strings.Repeat("A text that takes up room. ", 50)
	send := func(n int) *reply {
		return customer.call(t, http.MethodPost, "/Message/", map[string]any{"powerpack_uuid": pack, "dst": destination(n), "text": text, "log": "true"})
	}
	var acknowledged []string
	var refusal *reply
	for n := 0; refusal == nil; n++ {
		if n > 100_000 {
			t.Fatal("the disk does not run full")
		}
		if r := send(n); r.status == http.StatusAccepted {
			acknowledged = append(acknowledged, r.messages(t)...)
		} else {
			refusal = r
		}
	}
	refusal.want(t, http.StatusServiceUnavailable)
	if refusal.text("error") == "" || refusal.text("api_id") == "" {
		t.Errorf("the refusal says %s", refusal.body)
	}
	for n := range 20 { // it stays refused, and the server stays up
		if r := send(n); r.status != http.StatusServiceUnavailable && r.status != http.StatusAccepted {
			t.Fatalf("on the full disk: %d %s", r.status, r.body)
		} else if r.status == http.StatusAccepted {
			acknowledged = append(acknowledged, r.messages(t)...)
		}
	}

	filler := fmt.Sprintf("/proc/%d/root%s", server.cmd.Process.Pid, filepath.Join(data, "filler"))
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(patience)
	for n := 0; ; n++ {
		r := send(n)
		if r.status == http.StatusAccepted {
			acknowledged = append(acknowledged, r.messages(t)...)
			break
		}
		r.want(t, http.StatusServiceUnavailable)
		if time.Now().After(deadline) {
			t.Fatal("there is room, and messages are still refused")
		}
		pause(50 * time.Millisecond)
	}
	for _, id := range acknowledged {
		if r := customer.call(t, http.MethodGet, "/Message/"+id+"/", nil); r.status != http.StatusOK {
			t.Fatalf("acknowledged message %s: %d %s", id, r.status, r.body)
		}
	}
	customer.awaitState(t, acknowledged[len(acknowledged)-1], "delivered")
	if lines := strings.Count(server.log(), "\n"); lines > 300 {
		t.Errorf("the log has %d lines about it", lines)
	}
}
