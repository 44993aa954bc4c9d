package mm7_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/mm7"
	"github.com/heliograph/heliograph/internal/mm7/mm7test"
)

// serve runs a handler over real HTTP, and gives an MMSC that posts to it.
func serve(t *testing.T, h *mm7.Handler) (*httptest.Server, *mm7.Client) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server, &mm7.Client{URL: server.URL, HTTP: server.Client(), Timeout: 10 * time.Second}
}

func report(id string) *mm7.DeliveryReportReq {
	return &mm7.DeliveryReportReq{
		MMSRelayServerID: "relay", MessageID: id, Recipient: mm7.Address{Value: recipient}, Sender: mm7.Address{Value: sender},
		Date: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), MMStatus: mm7.MMRetrieved,
	}
}

func TestHandlerTakesAll(t *testing.T) {
	var reported, read, delivered string
	var files []string
	_, mmsc := serve(t, &mm7.Handler{
		DeliveryReport: func(_ context.Context, r *mm7.DeliveryReportReq) error {
			reported = r.MessageID + r.MMStatus
			return nil
		},
		ReadReply: func(_ context.Context, r *mm7.ReadReplyReq) error { read = r.MessageID + r.MMStatus; return nil },
		Deliver: func(_ context.Context, r *mm7.DeliverReq, in *mm7.Incoming) error {
			delivered = r.Sender.Value + " " + r.Subject + " " + in.TransactionID
			return in.Each(func(p *mm7.ReceivedPart) error {
				n, err := io.Copy(io.Discard, p)
				files = append(files, fmt.Sprint(p.Type, " ", p.Location, " ", n))
				return err
			})
		},
	})
	mmsc.NewID = func() string { return "tx" }
	ctx := within(t)
	if rsp, err := mmsc.DeliveryReport(ctx, report("m-1")); err != nil || rsp.Status.Code != mm7.StatusSuccess || rsp.MM7Version != "6.8.0" {
		t.Errorf("%+v, %v", rsp, err)
	}
	if _, err := mmsc.ReadReply(ctx, &mm7.ReadReplyReq{MessageID: "m-2", MMStatus: mm7.MMRead}); err != nil {
		t.Error(err)
	}
	if _, err := mmsc.Deliver(ctx, &mm7.DeliverReq{Sender: mm7.Address{Value: recipient}, Subject: "Tag"}, content(300_000)); err != nil {
		t.Error(err)
	}
	if reported != "m-1Retrieved" || read != "m-2Read" || delivered != recipient+" Tag tx" {
		t.Errorf("%q %q %q", reported, read, delivered)
	}
	if got := strings.Join(files, ", "); !strings.HasPrefix(got, "application/smil 0.smil ") || !strings.HasSuffix(got, "text/plain text.txt 13, image/jpeg picture.jpg 300000") {
		t.Error(got)
	}
}

// What the function says is what the MMSC is told, and a failure asks it to come again.
func TestHandlerRefuses(t *testing.T) {
	var say error
	_, mmsc := serve(t, &mm7.Handler{DeliveryReport: func(context.Context, *mm7.DeliveryReportReq) error { return say }})
	for _, c := range []struct {
		err  error
		code mm7.StatusCode
	}{
		{mm7.Status{Code: mm7.StatusMessageIDNotFound}, mm7.StatusMessageIDNotFound},
		{fmt.Errorf("store: %w", mm7.Status{Code: mm7.StatusMessageRejected}), mm7.StatusMessageRejected},
		{errors.New("disk is full"), mm7.StatusServiceUnavailable},
	} {
		say = c.err
		_, err := mmsc.DeliveryReport(within(t), report("m-1"))
		if e := errorOf(t, err); e.Outcome != mm7.Answered || e.Status.Code != c.code || e.HTTPStatus != http.StatusOK {
			t.Errorf("%v: %v", c.err, e)
		}
	}
}

func TestHandlerFaults(t *testing.T) {
	called := 0
	h := &mm7.Handler{
		DeliveryReport: func(context.Context, *mm7.DeliveryReportReq) error { called++; return nil },
		Deliver:        func(context.Context, *mm7.DeliverReq, *mm7.Incoming) error { return nil }, // does not look at the parts
		Limits:         mm7.Limits{Total: 100_000},
		Authenticate: func(r *http.Request) bool {
			name, password, ok := r.BasicAuth()
			return ok && name == "mmsc" && password == "secret"
		},
	}
	server, _ := serve(t, h)
	document := func(message mm7.Message) string {
		return string(mm7.Dialect{Schema: "REL-5-MM7-1-3", Version: "5.6.1"}.EncodeSOAP(mm7.Envelope{TransactionID: "tx-9", Message: message}))
	}
	delivery := document(&mm7.DeliverReq{Sender: mm7.Address{Value: "1"}})
	for _, c := range []struct {
		name, method, password, kind, body string
		code                               int
		want                               []string
	}{
		{"a report", "POST", "secret", "text/xml", document(report("m")), 200, []string{"tx-9", "DeliveryReportRsp", "REL-5-MM7-1-3", ">1000<", ">5.6.1<"}},
		{"wrong password", "POST", "wrong", "text/xml", document(report("m")), 401, nil},
		{"no SOAP", "GET", "secret", "", "", 405, nil},
		{"a submit", "POST", "secret", "text/xml", document(submitReq()), 500, []string{"tx-9", "VASPErrorRsp", "Client", ">4003<"}},
		{"unknown", "POST", "secret", "text/xml", strings.ReplaceAll(document(report("m")), "DeliveryReportReq", "FooReq"), 500, []string{"tx-9", "REL-5-MM7-1-3", ">4003<"}},
		{"no read replies here", "POST", "secret", "text/xml", document(&mm7.ReadReplyReq{MessageID: "1", MMStatus: "Read"}), 500, []string{">4003<"}},
		{"incomplete", "POST", "secret", "text/xml", strings.ReplaceAll(document(report("m")), "MessageID", "Other"), 500, []string{"tx-9", ">4004<"}},
		{"entities", "POST", "secret", "text/xml", `<!DOCTYPE a [<!ENTITY b "c">]>` + document(report("m")), 500, []string{">4004<"}},
		{"too large", "POST", "secret", "text/xml", document(report("m")) + strings.Repeat(" ", 100_000), 413, []string{">2004<"}},
		{"unread parts that break off", "POST", "secret", "multipart/related; boundary=b", "--b\r\n\r\n" + delivery + "\r\n--b\r\n\r\nxyz", 500, []string{">4004<"}},
		{"unread parts", "POST", "secret", "multipart/related; boundary=b", "--b\r\n\r\n" + delivery + "\r\n--b\r\n\r\nxyz\r\n--b--", 200, []string{"DeliverRsp", ">1000<"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			request, err := http.NewRequest(c.method, server.URL, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", c.kind)
			request.SetBasicAuth("mmsc", c.password)
			response, err := server.Client().Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != c.code {
				t.Fatalf("HTTP %d, %v: %s", response.StatusCode, err, body)
			}
			for _, want := range c.want {
				if !strings.Contains(string(body), want) {
					t.Errorf("%s is missing: %s", want, body)
				}
			}
		})
	}
	if called != 1 {
		t.Errorf("%d reports", called)
	}
}

// A message whose sender breaks off is not acknowledged, even when its function took that for success.
func TestHandlerBrokenOff(t *testing.T) {
	seen := make(chan error, 1)
	_, mmsc := serve(t, &mm7.Handler{Deliver: func(_ context.Context, _ *mm7.DeliverReq, in *mm7.Incoming) error {
		seen <- in.Each(func(p *mm7.ReceivedPart) error {
			_, err := io.Copy(io.Discard, p)
			return err
		})
		return nil
	}})
	short := picture(5000)
	short.Size = 50_000
	_, err := mmsc.Deliver(within(t), &mm7.DeliverReq{Sender: mm7.Address{Value: "1"}}, &mm7.Content{Parts: []mm7.Part{short}})
	if e := errorOf(t, err); e.Outcome != mm7.NotSent {
		t.Errorf("%v", e)
	}
	if err := <-seen; err == nil {
		t.Error("a part that broke off was whole")
	}
}

// A peer that sends a part of its request and then nothing does not keep its place.
func TestHandlerSlowPeer(t *testing.T) {
	server, _ := serve(t, &mm7.Handler{
		Timeout: 50 * time.Millisecond,
		Deliver: func(_ context.Context, _ *mm7.DeliverReq, in *mm7.Incoming) error {
			return in.Each(func(p *mm7.ReceivedPart) error {
				_, err := io.Copy(io.Discard, p)
				return err
			})
		},
	})
	soap := mm7.Dialect{}.EncodeSOAP(mm7.Envelope{TransactionID: "t", Message: &mm7.DeliverReq{Sender: mm7.Address{Value: "1"}}})
	for name, sent := range map[string]string{"within the SOAP part": "--b\r\n\r\n<a>", "within a file": "--b\r\n\r\n" + string(soap) + "\r\n--b\r\n\r\nabc"} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\nContent-Type: multipart/related; boundary=b\r\n\r\n%s", sent)
		answer, err := io.ReadAll(conn) // ends when the handler gives up
		if err != nil || !strings.Contains(string(answer), "VASPErrorRsp") || strings.Contains(string(answer), ">1000<") {
			t.Errorf("%s: %v: %s", name, err, answer)
		}
		conn.Close()
	}
}

// No more requests than MaxConcurrent are in hand; who waits too long is told to come again.
func TestHandlerIsBounded(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	_, mmsc := serve(t, &mm7.Handler{
		MaxConcurrent: 1, Patience: time.Millisecond,
		DeliveryReport: func(context.Context, *mm7.DeliveryReportReq) error {
			entered <- struct{}{}
			<-leave
			return nil
		},
	})
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := mmsc.DeliveryReport(within(t), report("m-1")); err != nil {
			t.Error(err)
		}
	})
	<-entered
	_, err := mmsc.DeliveryReport(within(t), report("m-2"))
	if e := errorOf(t, err); e.HTTPStatus != http.StatusServiceUnavailable || e.Status.Code != mm7.StatusServiceUnavailable || e.RetryAfter == 0 {
		t.Errorf("%v", e)
	}
	close(leave)
	wg.Wait()
}

// The whole way of a message at both ends: submitted, reported, read.
func TestThereAndBack(t *testing.T) {
	reports := make(chan string, 10)
	handler := &mm7.Handler{
		DeliveryReport: func(_ context.Context, r *mm7.DeliveryReportReq) error {
			reports <- r.MessageID + " " + r.MMStatus + " " + r.Recipient.Value
			return nil
		},
		ReadReply: func(_ context.Context, r *mm7.ReadReplyReq) error {
			reports <- r.MessageID + " " + r.MMStatus
			return nil
		},
	}
	server, _ := serve(t, handler)
	m := mm7test.New(t, func(c *mm7test.Config) { c.ReportURL, c.Read, c.Senders = server.URL, 1, 1 })
	request := submitReq()
	request.ReadReply = mm7.Yes
	rsp, err := client(t, m).Submit(within(t), request, content(1000))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{rsp.MessageID + " Retrieved " + recipient, rsp.MessageID + " Read"} {
		if got := <-reports; got != want {
			t.Errorf("%q; want %q", got, want)
		}
	}
	if err := m.WaitReports(within(t), 2); err != nil {
		t.Error(err)
	}
}
