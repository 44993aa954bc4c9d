package mm7test_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/heliograph/heliograph/internal/mm7"
	"github.com/heliograph/heliograph/internal/mm7/mm7test"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// inbox is a VASP that writes down the reports it gets.
type inbox struct {
	mu      sync.Mutex
	reports []string
	fail    int // so many are refused first
}

func (i *inbox) take(_ context.Context, r *mm7.DeliveryReportReq) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.fail > 0 {
		i.fail--
		return errors.New("disk is full")
	}
	i.reports = append(i.reports, r.MessageID+" "+r.MMStatus+" "+r.StatusText)
	return nil
}

func (i *inbox) all() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.reports)
}

// vasp serves an inbox.
func vasp(t *testing.T, i *inbox) string {
	t.Helper()
	server := httptest.NewServer(&mm7.Handler{DeliveryReport: i.take})
	t.Cleanup(server.Close)
	return server.URL
}

func submit(t *testing.T, m *mm7test.MMSC, recipients ...string) (*mm7.SubmitRsp, error) {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	request := &mm7.SubmitReq{SenderIdentification: mm7.SenderIdentification{VASPID: "v", SenderAddress: mm7.Address{Value: "100"}}, DeliveryReport: mm7.Yes}
	for _, recipient := range recipients {
		request.Recipients.To = append(request.Recipients.To, mm7.Address{Value: recipient})
	}
	c := &mm7.Client{URL: m.URL(), HTTP: &http.Client{Transport: transport}}
	return c.Submit(within(t), request, &mm7.Content{Parts: []mm7.Part{mm7.BytesPart("text/plain", "a.txt", []byte("hello"))}})
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestReports(t *testing.T) {
	for _, c := range []struct {
		name string
		knob func(*mm7test.Config)
		fail int
		want []string
	}{
		{"delivered", func(*mm7test.Config) {}, 0, []string{"1000000001 Retrieved "}},
		{"undelivered", func(c *mm7test.Config) { c.Undelivered = 1 }, 0, []string{"1000000001 Expired "}},
		{"one that fails", func(c *mm7test.Config) {
			c.ReportOf = map[string]mm7test.Failure{"200": {MMStatus: mm7.MMRejected, StatusText: "blocked"}}
		}, 0, []string{"1000000001 Rejected blocked"}},
		{"twice", func(c *mm7test.Config) { c.DuplicateReports = 1 }, 0, []string{"1000000001 Retrieved ", "1000000001 Retrieved "}},
		{"and a stranger", func(c *mm7test.Config) { c.UnknownReports = 1 }, 0, []string{"1000000001 Retrieved ", "unknown-1 Retrieved "}},
		{"again when it is not taken", func(c *mm7test.Config) { c.RetryDelay = time.Millisecond }, 2, []string{"1000000001 Retrieved "}},
		{"later", func(c *mm7test.Config) { c.ReportDelay = 10 * time.Millisecond }, 0, []string{"1000000001 Retrieved "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			box := &inbox{fail: c.fail}
			m := mm7test.New(t, func(cfg *mm7test.Config) { cfg.ReportURL, cfg.Senders = vasp(t, box), 1 }, c.knob)
			if _, err := submit(t, m, "200"); err != nil {
				t.Fatal(err)
			}
			if err := m.Wait(within(t), func(n mm7test.Counters) bool { return n.ReportsPending == 0 && n.ReportsAcked > 0 }); err != nil {
				t.Fatal(err)
			}
			if got := box.all(); !slices.Equal(got, c.want) {
				t.Errorf("%q; want %q", got, c.want)
			}
			n := m.Counters()
			if n.ReportsRefused != int64(c.fail) || n.ReportsSent != int64(c.fail+len(c.want)) || n.Delivered+n.Undelivered != 1 {
				t.Errorf("%+v", n)
			}
		})
	}
}

// With ReportFirst the VASP has the report before it has the id.
func TestReportFirst(t *testing.T) {
	box := new(inbox)
	m := mm7test.New(t, func(c *mm7test.Config) { c.ReportURL, c.ReportFirst = vasp(t, box), true })
	rsp, err := submit(t, m, "200")
	if err != nil {
		t.Fatal(err)
	}
	if got := box.all(); !slices.Equal(got, []string{rsp.MessageID + " Retrieved "}) {
		t.Errorf("when the answer came: %q", got)
	}
}

// What was taken is reported, though its sender did not wait for the answer.
func TestReportWithoutAnswer(t *testing.T) {
	box := new(inbox)
	m := mm7test.New(t, func(c *mm7test.Config) { c.ReportURL, c.AcceptDelay = vasp(t, box), time.Hour })
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		request := &mm7.SubmitReq{Recipients: mm7.Recipients{To: []mm7.Address{{Value: "200"}}}, DeliveryReport: mm7.Yes}
		request.SenderIdentification.VASPID = "v"
		_, err := (&mm7.Client{URL: m.URL(), HTTP: &http.Client{Transport: transport}}).Submit(ctx, request, nil)
		ended <- err
	}()
	if err := m.WaitSubmits(within(t), 1); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("it was answered")
	}
	if err := m.WaitReports(within(t), 1); err != nil {
		t.Error(err)
	}
}

func TestReportsAreForgotten(t *testing.T) {
	box := &inbox{fail: 100}
	m := mm7test.New(t, func(c *mm7test.Config) { c.ReportURL, c.RetryDelay, c.MaxTries = vasp(t, box), time.Millisecond, 3 })
	if _, err := submit(t, m, "200", "201"); err != nil {
		t.Fatal(err)
	}
	if err := m.Wait(within(t), func(n mm7test.Counters) bool { return n.ReportsLost == 2 && n.ReportsPending == 0 }); err != nil {
		t.Error(err)
	}
}

// Reports that nobody takes are bounded.
func TestFull(t *testing.T) {
	m := mm7test.New(t, func(c *mm7test.Config) {
		c.ReportURL, c.ReportDelay, c.MaxPending = "http://127.0.0.1:1/", time.Hour, 1
	})
	if _, err := submit(t, m, "200"); err != nil {
		t.Fatal(err)
	}
	var e *mm7.Error
	if _, err := submit(t, m, "200"); !errors.As(err, &e) || e.Status.Code != mm7.StatusServiceUnavailable || m.Counters().Full != 1 {
		t.Errorf("%v", err)
	}
}

func TestThrottleRate(t *testing.T) {
	m := mm7test.New(t, func(c *mm7test.Config) { c.ThrottleRate, c.ThrottleStatus = 0.001, 4999 })
	if _, err := submit(t, m, "200"); err != nil {
		t.Fatal(err)
	}
	var e *mm7.Error
	if _, err := submit(t, m, "200"); !errors.As(err, &e) || e.Status.Code != 4999 {
		t.Errorf("%v", err)
	}
	m.Set(func(c *mm7test.Config) { c.ThrottleRate = 0 })
	if _, err := submit(t, m, "200"); err != nil {
		t.Error(err)
	}
	if n := m.Counters(); n.Submits != 3 || n.Accepted != 2 || n.Throttled != 1 {
		t.Errorf("%+v", n)
	}
}

func TestDeliver(t *testing.T) {
	got := make(chan string, 1)
	server := httptest.NewServer(&mm7.Handler{Deliver: func(_ context.Context, r *mm7.DeliverReq, in *mm7.Incoming) error {
		return in.Each(func(p *mm7.ReceivedPart) error {
			data, err := io.ReadAll(p)
			got <- r.Sender.Value + " " + string(data)
			return err
		})
	}})
	t.Cleanup(server.Close)
	m := mm7test.New(t, func(c *mm7test.Config) { c.ReportURL = server.URL })
	rsp, err := m.Deliver(within(t), &mm7.DeliverReq{Sender: mm7.Address{Value: "300"}}, &mm7.Content{Parts: []mm7.Part{mm7.BytesPart("text/plain", "", []byte("hi"))}})
	if err != nil || rsp.Status.Code != mm7.StatusSuccess {
		t.Errorf("%v, %v", rsp, err)
	}
	if message := <-got; message != "300 hi" {
		t.Error(message)
	}
}

func TestRecord(t *testing.T) {
	var seen []string
	m := mm7test.New(t, func(c *mm7test.Config) {
		c.Record, c.FirstID = 2, 7
		c.OnSubmit = func(s mm7test.Submit) { seen = append(seen, s.MessageID) }
	})
	for _, recipient := range []string{"200", "201", "202"} {
		if _, err := submit(t, m, recipient); err != nil {
			t.Fatal(err)
		}
	}
	got := m.Submits()
	if len(got) != 2 || got[0].MessageID != "8" || got[1].Recipients[0] != "202" || got[1].Parts[0].Size != 5 || got[1].Parts[0].Data != nil {
		t.Errorf("%+v", got)
	}
	if !slices.Equal(seen, []string{"7", "8", "9"}) {
		t.Error(seen)
	}
}

// It is no stricter judge than it says, and no milder: each departure from the specification is refused, and named.
func TestStrictness(t *testing.T) {
	good := post{
		header: map[string]string{"Content-Type": `multipart/related; type="text/xml"; start="<s>"; boundary=b`, "SOAPAction": `""`},
		body: crlf(`--b
Content-Type: text/xml
Content-ID: <s>

<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header><TransactionID xmlns="urn:m" e:mustUnderstand="1">t</TransactionID></e:Header>` +
			`<e:Body><SubmitReq xmlns="urn:m"><MM7Version>6.8.0</MM7Version><SenderIdentification><VASPID>v</VASPID></SenderIdentification>` +
			`<Recipients><To><Number>1</Number></To></Recipients><DeliveryReport>true</DeliveryReport><Priority>Low</Priority>` +
			`<Content href="cid:c"/></SubmitReq></e:Body></e:Envelope>
--b
Content-Type: text/plain
Content-ID: <c>

hello
--b--
`),
	}
	m := mm7test.New(t)
	if code, answer := good.send(t, m); code != 200 || !strings.Contains(answer, "1000") {
		t.Fatalf("HTTP %d: %s", code, answer)
	}
	for name, c := range map[string]struct{ from, to, want string }{
		"order":             {"<DeliveryReport>true</DeliveryReport><Priority>Low</Priority>", "<Priority>Low</Priority><DeliveryReport>true</DeliveryReport>", "out of its order"},
		"value":             {">Low<", ">Urgent<", "Priority with another value"},
		"boolean":           {">true<", ">True<", "DeliveryReport with another value"},
		"unknown element":   {"<Priority>", "<Colour>red</Colour><Priority>", "unknown element"},
		"namespace":         {"<Priority>", `<Priority xmlns="urn:other">`, "another namespace"},
		"empty element":     {">Low<", "><", "Priority"},
		"no version":        {"<MM7Version>6.8.0</MM7Version>", "", "MM7Version is missing"},
		"no recipients":     {"<To><Number>1</Number></To>", "", "Recipients are empty"},
		"display only":      {"<Number>", `<Number displayOnly="true">`, "Recipients are empty"},
		"no number":         {"<Number>1", "<Number>one", "Number is no number"},
		"transaction":       {">t</TransactionID>", "></TransactionID>", "TransactionID is missing"},
		"mustUnderstand":    {` e:mustUnderstand="1"`, "", "mustUnderstand"},
		"reference":         {"cid:c", "cid:d", "does not refer"},
		"no reference":      {`href="cid:c"`, `href="c"`, "without href"},
		"second content":    {"hello\r\n", "hello\r\n--b\r\n\r\nmore\r\n", "something follows"},
		"SOAP 1.2":          {"http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope", "Envelope"},
		"XML":               {"</SubmitReq>", "", "SOAP part"},
		"truncated":         {"\r\n--b--", "", "file"},
		"wrong operation":   {"SubmitReq", "DeliverReq", "unknown operation"},
		"start of the SOAP": {"Content-ID: <s>", "Content-ID: <z>", "not the start"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := post{header: good.header, body: strings.ReplaceAll(good.body, c.from, c.to)}
			if changed.body == good.body {
				t.Fatal("nothing was changed")
			}
			code, answer := changed.send(t, m)
			if code != 500 || !strings.Contains(answer, "RSErrorRsp") || !strings.Contains(answer, c.want) {
				t.Errorf("HTTP %d: %s; want %q", code, answer, c.want)
			}
		})
	}
	for name, header := range map[string]map[string]string{
		"no SOAPAction": {"Content-Type": good.header["Content-Type"]},
		"no type":       {"Content-Type": `multipart/related; start="<s>"; boundary=b`, "SOAPAction": `""`},
		"no MIME":       {"Content-Type": `;`, "SOAPAction": `""`},
	} {
		if code, answer := (post{header, good.body}).send(t, m); code != 500 {
			t.Errorf("%s: HTTP %d: %s", name, code, answer)
		}
	}
	if n := m.Counters(); n.Accepted != 1 || n.Invalid != n.Submits-1 {
		t.Errorf("%+v", n)
	}
}

// post is a request made by hand.
type post struct {
	header map[string]string
	body   string
}

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

func (p post) send(t *testing.T, m *mm7test.MMSC) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(within(t), http.MethodPost, m.URL(), strings.NewReader(p.body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range p.header {
		request.Header.Set(name, value)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

// It stops with requests in hand, and nothing is left of it.
func TestStops(t *testing.T) {
	m, err := mm7test.Listen(mm7test.Config{AcceptDelay: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	answered := make(chan error, 1)
	go func() {
		_, err := submit(t, m, "200")
		answered <- err
	}()
	if err := m.WaitSubmits(within(t), 1); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	var e *mm7.Error
	if err := <-answered; !errors.As(err, &e) || e.Outcome != mm7.Unanswered {
		t.Errorf("%v", err)
	}
}
