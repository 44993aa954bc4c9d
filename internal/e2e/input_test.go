package e2e

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
)

// TestBadInput: whatever arrives, the answer is a JSON object with an id and a sentence, and the server goes on.
func TestBadInput(t *testing.T) {
	server := serve(t, t.TempDir(), "")
	customer := newAccount(t, server.url(t))
	messages := "/v1/Account/" + authID + "/Message/"
	big := append(append([]byte(`{"text":"`), bytes.Repeat([]byte("x"), 3<<20)...), `"}`...)
	nested := []byte(strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000))
	cases := []struct {
		name, method, path, contentType string
		body                            []byte
		authorize                       func(*http.Request)
		status                          []int
	}{
		{"3 MB", "POST", messages, "application/json", big, asCustomer, []int{400, 413}},
		{"3 MB form", "POST", messages, "application/x-www-form-urlencoded", append([]byte("text="), big...), asCustomer, []int{400, 413}},
		{"half a JSON object", "POST", messages, "application/json", []byte(`{"src":`), asCustomer, []int{400}},
		{"a JSON array", "POST", messages, "application/json", []byte(`[{"src":"14155550100"}]`), asCustomer, []int{400}},
		{"a JSON number", "POST", messages, "application/json", []byte(`17`), asCustomer, []int{400}},
		{"deep nesting", "POST", messages, "application/json", nested, asCustomer, []int{400, 413}},
		{"invalid UTF-8", "POST", messages, "application/json", []byte("{\"src\":\"14155550100\",\"dst\":\"14155550123\",\"text\":\"\xff\xfe\"}"), asCustomer, []int{400}},
		{"invalid UTF-8 form", "POST", messages, "application/x-www-form-urlencoded", []byte("src=14155550100&dst=14155550123&text=%ff"), asCustomer, []int{400}},
		{"no arguments", "POST", messages, "application/json", nil, asCustomer, []int{400}},
		{"no credentials", "POST", messages, "application/json", []byte(`{}`), func(*http.Request) {}, []int{401}},
		{"wrong token", "POST", messages, "application/json", []byte(`{}`), func(r *http.Request) { r.SetBasicAuth(authID, "x") }, []int{401}},
		{"unknown path", "GET", "/v1/Account/" + authID + "/Fax/", "", nil, asCustomer, []int{404}},
		{"another place", "GET", "/nothing/here", "", nil, func(*http.Request) {}, []int{401, 404}},
		{"wrong method", "PUT", messages, "application/json", []byte(`{}`), asCustomer, []int{405}},
	}
	for _, c := range cases {
		answer, err := customer.do(within(t), c.method, c.path, c.contentType, c.body, c.authorize)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		fits := false
		for _, s := range c.status {
			fits = fits || answer.status == s
		}
		if !fits || answer.text("api_id") == "" || answer.text("error") == "" {
			t.Errorf("%s: got %d %.200s, want %v", c.name, answer.status, answer.body, c.status)
		}
		if strings.Contains(string(answer.body), "goroutine") || strings.Contains(string(answer.body), ".go:") {
			t.Errorf("%s: the answer shows the inside: %s", c.name, answer.body)
		}
	}
	// Doubled slashes and forms, as real clients send them, are no bad input.
	answer, err := customer.do(within(t), "POST", "//v1//Account/"+authID+"//Message", "application/x-www-form-urlencoded", []byte("src=18005550100&dst=14155550123&text=fine"), asCustomer)
	if err != nil {
		t.Fatal(err)
	}
	answer.want(t, http.StatusAccepted)
	customer.call(t, http.MethodGet, "/Message/", nil).want(t, http.StatusOK)
}
