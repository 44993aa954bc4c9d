package e2e

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestOnTheWire holds what reaches the API through the port, byte by byte: no redirect, no empty refusal, and one JSON object whatever the client's HTTP is like.
func TestOnTheWire(t *testing.T) {
	server := serve(t, t.TempDir(), "")
	address := strings.TrimPrefix(server.url(t), "http://")
	credentials := "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(authID+":"+authToken)) + "\r\n"
	own := "/v1/Account/" + authID
	const message = `{"src":"18005550100","dst":"14155550123","text":"x"}`
	body := fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(message), message)
	for _, c := range []struct {
		line, rest string
		status     int
	}{
		{"POST " + own + "/Message/ HTTP/1.1", body, 202},
		{"POST " + own + "/Message HTTP/1.1", body, 202},
		{"POST //v1//account/" + authID + "//message// HTTP/1.1", body, 202},
		{"POST /V1/ACCOUNT/" + authID + "/MESSAGE HTTP/1.0", body, 202},
		{"POST http://api.example" + own + "/Message/ HTTP/1.1", body, 202},
		{"POST " + own + "/Message/ HTTP/1.1", "Transfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(message), message), 202},
		{"POST " + own + "/Message/ HTTP/1.1", "Content-Length: 0\r\n\r\n", 400},
		{"POST " + own + "/Message/ HTTP/1.1", "Transfer-Encoding: chunked\r\n\r\nnot a length\r\n", 400},
		{"GET " + own + " HTTP/1.1", "\r\n", 200},
		{"GET " + own + "// HTTP/1.1", "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", 200},
		{"GET " + own + "/Message/?limit=%zz HTTP/1.1", "\r\n", 400},
		{"GET " + own + "/Message/../Message/ HTTP/1.1", "\r\n", 404},
		{"GET " + own + "/./Message/ HTTP/1.1", "\r\n", 404},
		{"GET " + own + "/Message/%00/ HTTP/1.1", "\r\n", 404},
		{"GET / HTTP/1.1", "\r\n", 404},
		{"GET /v1 HTTP/1.1", "\r\n", 404},
		{"GET /admin HTTP/1.1", "\r\n", 404},
		{"GET //admin/v1/accounts HTTP/1.1", "\r\n", 404},
		{"GET /healthz/ HTTP/1.1", "\r\n", 404},
		{"PUT " + own + "/Message/ HTTP/1.1", "\r\n", 405},
		{"CONNECT " + own + "/Message/ HTTP/1.1", "\r\n", 405},
	} {
		status, answer := exchange(t, address, c.line+"\r\nHost: "+address+"\r\nConnection: close\r\n"+credentials+c.rest)
		var said struct {
			ID    string `json:"api_id"`
			Error string
		}
		if err := json.Unmarshal(answer, &said); err != nil || status != c.status || len(said.ID) != 36 || (said.Error != "") != (status >= 400) {
			t.Errorf("%s %.60q: %d %.200s, want %d", c.line, c.rest, status, answer, c.status)
		}
	}
}

// exchange writes a request as it is, and reads the answer to the end.
func exchange(t *testing.T, address, request string) (status int, body []byte) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%.80s: %v", request, err)
	}
	defer response.Body.Close()
	if body, err = io.ReadAll(response.Body); err != nil {
		t.Fatalf("%.80s: %v", request, err)
	}
	return response.StatusCode, body
}

// TestForeignSenders: who tries other senders cannot tell those that another account has from those that nobody has.
func TestForeignSenders(t *testing.T) {
	server := serve(t, t.TempDir(), "")
	customer := newAccount(t, server.url(t))
	other := customer.operate(t, http.MethodPost, "/accounts", map[string]any{"name": "other"}).want(t, http.StatusCreated)
	customer.operate(t, http.MethodPost, "/numbers", map[string]any{"numbers": []map[string]any{
		{"number": "447700900123", "type": "longcode", "country_iso2": "GB", "auth_id": other.text("auth_id")},
		{"number": "12125550177", "auth_id": other.text("auth_id")},
		{"number": "777777", "type": "shortcode", "country_iso2": "US", "auth_id": other.text("auth_id")},
	}}).want(t, http.StatusOK)
	for _, pair := range [][2]string{{"447700900123", "447700900124"}, {"12125550177", "12125550178"}, {"777777", "777778"}} {
		for _, dst := range []string{"33612345678", "14155550123"} {
			var outcomes [2]string
			for i, src := range pair {
				sent := customer.call(t, http.MethodPost, "/Message/", map[string]any{"src": src, "dst": dst, "text": "x"})
				record := customer.awaitState(t, sent.messages(t)[0], "failed")
				outcomes[i] = fmt.Sprint(sent.header.Get("X-Estimated-Send-Time"), record.text("error_code"), record.text("error_message"), record.text("tendlc_registration_status"))
			}
			if outcomes[0] != outcomes[1] || outcomes[0] != "40Invalid source number" {
				t.Errorf("from %v to %s: %q", pair, dst, outcomes)
			}
		}
	}
	sent := customer.call(t, http.MethodPost, "/Message/", map[string]any{"src": "4915112345678", "dst": "33612345678", "text": "x"})
	customer.awaitState(t, sent.messages(t)[0], "delivered") // no number of that country is rented here
}
