package e2e

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
)

// TestStickySenders: first messages to a destination that come at the same time get one sender, and the destination keeps it, over a stop and
// over a crash, whatever goes to others meanwhile.
func TestStickySenders(t *testing.T) {
	const (
		destinations = 24
		atOnce       = 6 // first messages to each
	)
	data, config := t.TempDir(), "carriers:\n  - {name: loop, protocol: loopback, delay: 1ms}\n"
	server := serve(t, data, config)
	customer := newAccount(t, server.url(t))
	var numbers []string
	for n := range 8 {
		numbers = append(numbers, fmt.Sprintf("1415555010%d", n))
	}
	pack := customer.powerpack(t, "sticky", numbers...)

	var (
		sending sync.WaitGroup
		mu      sync.Mutex
		first   = map[string][]string{} // messages by destination
		begin   = make(chan struct{})
	)
	for n := range destinations * atOnce {
		to := destination(n % destinations)
		sending.Go(func() {
			<-begin
			body := fmt.Appendf(nil, `{"powerpack_uuid":%q,"dst":%q,"text":"x"}`, pack, to)
			r, err := customer.do(within(t), http.MethodPost, "/v1/Account/"+authID+"/Message/", "application/json", body, asCustomer)
			if err != nil || r.status != http.StatusAccepted {
				t.Errorf("a send was answered %+v, %v", r, err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			first[to] = append(first[to], r.fields["message_uuid"].([]any)[0].(string))
		})
	}
	close(begin)
	sending.Wait()

	sender, used := map[string]string{}, map[string]bool{}
	for to, ids := range first {
		for _, id := range ids {
			from := customer.record(t, id).text("from_number")
			if before := sender[to]; before != "" && before != from {
				t.Errorf("first messages to %s went out from %s and %s", to, before, from)
			}
			sender[to], used[from] = from, true
		}
	}
	if len(sender) != destinations || len(used) != len(numbers) {
		t.Errorf("%d destinations are used to %d of %d senders", len(sender), len(used), len(numbers))
	}

	keep := func(after string) {
		t.Helper()
		for n := range destinations {
			n = destinations - 1 - n
			customer.call(t, http.MethodPost, "/Message/", map[string]any{"powerpack_uuid": pack, "dst": destination(1000 + n), "text": "x"}).messages(t)
			id := customer.call(t, http.MethodPost, "/Message/", map[string]any{"powerpack_uuid": pack, "dst": destination(n), "text": "x"}).messages(t)[0]
			if from := customer.record(t, id).text("from_number"); from != sender[destination(n)] {
				t.Errorf("after %s %s was written to from %s, before from %s", after, destination(n), from, sender[destination(n)])
			}
		}
	}
	keep("the first messages")
	if status, _ := server.terminate(t); status != 0 {
		t.Errorf("the server ended with status %d", status)
	}
	server = serve(t, data, config)
	customer = newAccount(t, server.url(t))
	keep("a restart")
	server.kill()
	server = serve(t, data, config)
	customer = newAccount(t, server.url(t))
	keep("a crash")
}
