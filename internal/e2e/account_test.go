package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// account calls a server as its customer and as its operator.
type account struct {
	url  string
	http *http.Client
}

func newAccount(t testing.TB, url string) *account {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return &account{url: url, http: &http.Client{Transport: newWitness(t, transport), Timeout: patience}}
}

// reply is what a call was answered.
type reply struct {
	status int
	header http.Header
	body   []byte
	fields map[string]any
}

// do sends a request with a body of the given type and reads the whole answer. Its error is that of the connection.
func (a *account) do(ctx context.Context, method, path, contentType string, body []byte, authorize func(*http.Request)) (*reply, error) {
	r, err := http.NewRequestWithContext(ctx, method, a.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	authorize(r)
	response, err := a.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer := &reply{status: response.StatusCode, header: response.Header}
	if answer.body, err = io.ReadAll(response.Body); err != nil {
		return nil, err
	}
	_ = json.Unmarshal(answer.body, &answer.fields) // tests that need an object find that there is none
	return answer, nil
}

func asCustomer(r *http.Request) { r.SetBasicAuth(authID, authToken) }

func asOperator(r *http.Request) { r.Header.Set("Authorization", "Bearer "+adminToken) }

// call is a JSON call of the account API below the account's path that must reach the server.
func (a *account) call(t testing.TB, method, path string, body any) *reply {
	t.Helper()
	return a.json(t, method, "/v1/Account/"+authID+path, body, asCustomer)
}

// operate is a JSON call of the operator API.
func (a *account) operate(t testing.TB, method, path string, body any) *reply {
	t.Helper()
	return a.json(t, method, "/admin/v1"+path, body, asOperator)
}

func (a *account) json(t testing.TB, method, path string, body any, authorize func(*http.Request)) *reply {
	t.Helper()
	var encoded []byte
	if body != nil {
		var err error
		if encoded, err = json.Marshal(body); err != nil {
			t.Fatal(err)
		}
	}
	answer, err := a.do(within(t), method, path, "application/json", encoded, authorize)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// want fails the test unless the answer has the status.
func (r *reply) want(t testing.TB, status int) *reply {
	t.Helper()
	if r.status != status {
		t.Fatalf("got status %d, want %d; body: %s", r.status, status, r.body)
	}
	return r
}

func (r *reply) text(name string) string {
	text, _ := r.fields[name].(string)
	return text
}

// messages are the message_uuid of an accepted request.
func (r *reply) messages(t testing.TB) []string {
	t.Helper()
	r.want(t, http.StatusAccepted)
	var ids []string
	values, _ := r.fields["message_uuid"].([]any)
	for _, v := range values {
		ids = append(ids, v.(string))
	}
	if len(ids) == 0 {
		t.Fatalf("no message_uuid in %s", r.body)
	}
	return ids
}

// powerpack makes a powerpack of fresh numbers without a rate limit, and gives its UUID.
func (a *account) powerpack(t testing.TB, name string, numbers ...string) string {
	t.Helper()
	var list []map[string]any
	for _, n := range numbers {
		list = append(list, map[string]any{"number": n, "rate": 0, "auth_id": authID, "services": []string{"sms", "mms"}})
	}
	a.operate(t, http.MethodPost, "/numbers", map[string]any{"numbers": list}).want(t, http.StatusOK)
	made := a.call(t, http.MethodPost, "/Powerpack/", map[string]any{"name": name}).want(t, http.StatusOK)
	pool := strings.TrimPrefix(made.text("number_pool"), "/v1/Account/"+authID)
	for _, n := range numbers {
		a.call(t, http.MethodPost, pool+"Number/"+n+"/", map[string]any{}).want(t, http.StatusOK)
	}
	return made.text("uuid")
}

// record reads a message's record.
func (a *account) record(t testing.TB, id string) *reply {
	t.Helper()
	return a.call(t, http.MethodGet, "/Message/"+id+"/", nil).want(t, http.StatusOK)
}

// awaitState asks for a message's record until it is in the state.
func (a *account) awaitState(t testing.TB, id, state string) *reply {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		r := a.record(t, id)
		if r.text("message_state") == state {
			return r
		}
		if time.Now().After(deadline) {
			t.Fatalf("message %s is %q with code %v, not %s", id, r.text("message_state"), r.fields["error_code"], state)
		}
		pause(20 * time.Millisecond)
	}
}

// pause is for asking again what cannot be waited for: no test depends on its length.
func pause(d time.Duration) { <-time.After(d) }

// destination is the n-th of many plausible numbers.
func destination(n int) string { return fmt.Sprintf("1212%07d", 2_000_000+n) }
