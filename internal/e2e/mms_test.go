package e2e

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/heliograph/heliograph/internal/mm7"
	"github.com/heliograph/heliograph/internal/mm7/mm7test"
	"github.com/heliograph/heliograph/internal/smpp/smpptest"
)

// photograph is a JPEG of about that many octets, which no encoder makes small without a loss.
func photograph(t testing.TB, size int) []byte {
	t.Helper()
	random := rand.New(rand.NewPCG(3, 4))
	for side := 64; ; side += side / 4 {
		img := image.NewRGBA(image.Rect(0, 0, side, side))
		for y := range side {
			for x := range side {
				img.SetRGBA(x, y, color.RGBA{byte(x + random.IntN(64)), byte(y + random.IntN(64)), byte(x * y / side), 255})
			}
		}
		var b bytes.Buffer
		if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 90}); err != nil {
			t.Fatal(err)
		}
		if b.Len() >= size {
			return b.Bytes()
		}
	}
}

// mm7Config is a configuration with one MM7 carrier; more holds further settings of it.
func mm7Config(url, more string) string {
	return fmt.Sprintf("carriers:\n  - {name: mmsc, protocol: mm7, url: %q, vasp_id: vasp, vas_id: vas, inbound_username: hub, inbound_password: secret, %s}\n", url, more)
}

// reportTo has an MMSC report to a server's carrier.
func reportTo(mmsc *mm7test.MMSC, server string) {
	mmsc.Set(func(c *mm7test.Config) {
		c.ReportURL, c.ReportUsername, c.ReportPass = server+"/carriers/mmsc/mm7", "hub", "secret"
	})
}

// pictures serves a file under any name, counts who asks, and keeps them waiting while it is told to.
type pictures struct {
	content []byte
	asked   atomic.Int64
	mu      sync.Mutex
	wait    chan struct{} // nil: nobody waits
}

func (p *pictures) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.asked.Add(1)
	p.mu.Lock()
	wait := p.wait
	p.mu.Unlock()
	if wait != nil {
		select {
		case <-wait:
		case <-r.Context().Done():
			return
		}
	}
	w.Header().Set("Content-Type", "image/jpeg")
	_, _ = w.Write(p.content)
}

func (p *pictures) hold(wait chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wait = wait
}

func web(t testing.TB, handler http.Handler) string {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// TestMMS: a picture by its address goes through a powerpack to an MMSC, made as small as that takes, and is delivered; the account is told, and finds the
// picture at the message.
func TestMMS(t *testing.T) {
	const limit = 100_000
	mmsc := mm7test.New(t, func(c *mm7test.Config) {
		c.Record, c.VASPID, c.VASID, c.DuplicateReports, c.UnknownReports = 10, "vasp", "vas", 1, 1
	})
	site := &pictures{content: photograph(t, 300_000)}
	files := web(t, site)
	var told sync.Map
	sink := web(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { told.Store(r.FormValue("Status"), r.FormValue("Type")) }))
	server := serve(t, t.TempDir(), mm7Config(mmsc.URL(), fmt.Sprintf("max_bytes: %d", limit)))
	url := server.url(t)
	reportTo(mmsc, url)
	customer := newAccount(t, url)
	pack := customer.powerpack(t, "pictures", "14155550101", "14155550102")
	ids := customer.call(t, http.MethodPost, "/Message/", map[string]any{
		"powerpack_uuid": pack, "dst": destination(1) + "<" + destination(2), "text": "look", "type": "mms", "media_urls": files + "/sun.jpg", "url": sink,
	}).messages(t)
	for _, id := range ids {
		record := customer.awaitState(t, id, "delivered")
		if record.text("message_type") != "mms" || record.fields["units"] != 1.0 || record.text("error_code") != "000" {
			t.Errorf("the record is %s", record.body)
		}
	}
	if n := site.asked.Load(); n != 1 {
		t.Errorf("the picture was asked for %d times", n)
	}
	deadline := time.Now().Add(patience)
	for _, state := range []string{"queued", "sent", "delivered"} {
		for kind, ok := told.Load(state); kind != "mms"; kind, ok = told.Load(state) {
			if ok || time.Now().After(deadline) {
				t.Fatalf("told of %s with type %v", state, kind)
			}
			pause(10 * time.Millisecond)
		}
	}
	submits := mmsc.Submits()
	if len(submits) != 2 {
		t.Fatalf("%d submits", len(submits))
	}
	for _, s := range submits {
		if len(s.Violations) > 0 || len(s.Parts) != 3 || s.Parts[1].Size != 4 || s.Parts[2].Type != "image/jpeg" || s.Parts[2].Size > limit || s.Parts[2].Size < limit/4 {
			t.Errorf("submitted: %+v", s)
		}
	}
	if submits[0].Parts[2].SHA256 != submits[1].Parts[2].SHA256 {
		t.Error("the picture was made twice")
	}
	attached := customer.call(t, http.MethodGet, "/Message/"+ids[0]+"/Media/", nil).want(t, http.StatusOK)
	objects, _ := attached.fields["objects"].([]any)
	if len(objects) != 1 {
		t.Fatalf("the message has %s", attached.body)
	}
	medium := objects[0].(map[string]any)
	if resp, body := follow(t, medium["media_url"].(string)); resp.StatusCode != 200 || !bytes.Equal(body, site.content) || medium["content_type"] != "image/jpeg" {
		t.Errorf("the medium %v leads to %d, %d octets", medium, resp.StatusCode, len(body))
	}
	carriers := customer.operate(t, http.MethodGet, "/carriers", nil).want(t, http.StatusOK)
	var state struct {
		Carriers []struct {
			Accepted, Receipted int
			Binds               []struct{ State string }
		}
	}
	if err := json.Unmarshal(carriers.body, &state); err != nil || len(state.Carriers) != 1 || len(state.Carriers[0].Binds) != 1 {
		t.Fatalf("the operator sees %s", carriers.body)
	}
	if c := state.Carriers[0]; c.Accepted != 2 || c.Receipted < 2 || c.Binds[0].State != "up" {
		t.Errorf("the operator sees %s", carriers.body)
	}
	metrics, err := customer.do(within(t), http.MethodGet, "/metrics", "", nil, func(*http.Request) {})
	if err != nil || !bytes.Contains(metrics.body, []byte(`heliograph_carrier_events_total{carrier="mmsc",event="up"} 1`)) {
		t.Errorf("the metrics do not tell that the MMSC was reached: %v", err)
	}
	if err := mmsc.WaitReports(within(t), 6); err != nil { // doubled, and of messages that never were
		t.Error(err)
	}
}

// bombPNG says that it has 60,000 times 60,000 pixels.
func bombPNG() []byte {
	file := []byte("\x89PNG\r\n\x1a\n")
	for _, chunk := range []string{"IHDR\x00\x00\xea\x60\x00\x00\xea\x60\x08\x02\x00\x00\x00", "IDAT" + string(make([]byte, 100)), "IEND"} {
		file = binary.BigEndian.AppendUint32(file, uint32(len(chunk)-4))
		file = append(file, chunk...)
		file = binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE([]byte(chunk)))
	}
	return file
}

// TestMMSBadMedia: what cannot be sent fails with its code, and a reason that a person understands.
func TestMMSBadMedia(t *testing.T) {
	mmsc := mm7test.New(t)
	picture := photograph(t, 20_000)
	site := http.NewServeMux()
	serveFile := func(path, contentType string, content []byte) {
		site.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			_, _ = w.Write(content)
		})
	}
	serveFile("/good.jpg", "image/jpeg", picture)
	serveFile("/cut.jpg", "image/jpeg", picture[:len(picture)/2])
	serveFile("/lie.png", "image/png", picture)
	serveFile("/page.html", "text/html", []byte("<html><script>alert(1)</script></html>"))
	serveFile("/bomb.png", "image/png", bombPNG())
	serveFile("/film.mp4", "video/mp4", append([]byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"), make([]byte, 700_000)...))
	site.HandleFunc("/endless.jpg", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/jpeg")
		for {
			if _, err := w.Write(picture); err != nil {
				return
			}
		}
	})
	site.Handle("/loop.jpg", http.RedirectHandler("/loop.jpg", http.StatusFound))
	site.Handle("/private.jpg", http.RedirectHandler("http://169.254.169.254/latest/meta-data", http.StatusFound))
	files := web(t, site)
	server := serve(t, t.TempDir(), mm7Config(mmsc.URL(), ""))
	url := server.url(t)
	reportTo(mmsc, url)
	customer := newAccount(t, url)
	pack := customer.powerpack(t, "pictures", "14155550101")
	send := func(urls ...string) string {
		return customer.call(t, http.MethodPost, "/Message/", map[string]any{
			"powerpack_uuid": pack, "dst": destination(1), "type": "mms", "media_urls": urls,
		}).messages(t)[0]
	}
	for _, test := range []struct{ path, code, why string }{
		{"/nothing.jpg", "10", "answered 404"},
		{"/cut.jpg", "10", "picture"},
		{"/lie.png", "10", "not what it is said to be"},
		{"/page.html", "10", "not taken"},
		{"/bomb.png", "120", "pixels"},
		{"/film.mp4", "120", "589760 can be sent"},
		{"/endless.jpg", "120", "larger than"},
		{"/loop.jpg", "10", "redirects more than"},
		{"/private.jpg", "10", "public internet"},
	} {
		t.Run(test.path, func(t *testing.T) {
			record := customer.awaitState(t, send(files+"/good.jpg", files+test.path), "failed")
			said := record.text("error_message")
			if record.text("error_code") != test.code || !strings.Contains(said, test.why) || strings.Contains(said, "http") {
				t.Errorf("code %v: %s", record.fields["error_code"], said)
			}
		})
	}
	customer.awaitState(t, send(files+"/good.jpg"), "delivered")
	if got := mmsc.Counters(); got.Submits != 1 {
		t.Errorf("the MMSC got %+v", got)
	}
}

// TestMMSByCarrier: numbers whose SMS go over SMPP send their MMS by the carrier that stands in; where there is none an MMS fails at once.
func TestMMSByCarrier(t *testing.T) {
	mmsc, smsc, other := mm7test.New(t), smpptest.New(t), smpptest.New(t)
	config := mm7Config(mmsc.URL(), "") +
		fmt.Sprintf("  - {name: main, protocol: smpp, address: %q, system_id: e2e, password: secret, mms: mmsc}\n", smsc.Addr()) +
		fmt.Sprintf("  - {name: bare, protocol: smpp, address: %q, system_id: e2e, password: secret}\n", other.Addr())
	server := serve(t, t.TempDir(), config)
	url := server.url(t)
	reportTo(mmsc, url)
	customer := newAccount(t, url)
	for number, carrier := range map[string]string{"14155550101": "main", "14155550102": "bare"} {
		customer.operate(t, http.MethodPost, "/numbers", map[string]any{"numbers": []any{map[string]any{
			"number": number, "rate": 0, "auth_id": authID, "services": []string{"sms", "mms"}, "carrier": carrier,
		}}}).want(t, http.StatusOK)
	}
	send := func(from, kind string) string {
		return customer.call(t, http.MethodPost, "/Message/", map[string]any{"src": from, "dst": destination(1), "type": kind, "text": "x"}).messages(t)[0]
	}
	customer.awaitState(t, send("14155550101", "sms"), "delivered")
	customer.awaitState(t, send("14155550101", "mms"), "delivered")
	customer.awaitState(t, send("14155550102", "sms"), "delivered")
	if r := customer.awaitState(t, send("14155550102", "mms"), "failed"); r.text("error_code") != "90" {
		t.Errorf("over SMPP: %s", r.body)
	}
	if sms, others, mms := smsc.Counters().Submits, other.Counters().Submits, mmsc.Counters().Submits; sms != 1 || others != 1 || mms != 1 {
		t.Errorf("%d and %d SMS, %d MMS", sms, others, mms)
	}
}

// TestMMSInbound: an MMS from a handset is kept with its files for the account that rents the number, once; nobody else may bring one.
func TestMMSInbound(t *testing.T) {
	mmsc := mm7test.New(t)
	server := serve(t, t.TempDir(), mm7Config(mmsc.URL(), ""))
	url := server.url(t)
	customer := newAccount(t, url)
	customer.powerpack(t, "pictures", "14155550101")
	picture := photograph(t, 200_000)
	parts := []mm7.Part{
		mm7.BytesPart("application/smil", "a.smil", []byte("<smil><body/></smil>")),
		mm7.BytesPart("text/plain; charset=utf-8", "a.txt", []byte("grüße")),
		mm7.BytesPart("image/jpeg", "sun.jpg", picture),
	}
	bring := func(to string) (*mm7.DeliverRsp, error) {
		return mmsc.Deliver(within(t), &mm7.DeliverReq{
			LinkedID: "link-1", Sender: mm7.Address{Value: "+14152223333"}, Recipients: mm7.Recipients{To: []mm7.Address{{Value: to}}}, Subject: "hello",
			TimeStamp: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		}, &mm7.Content{Parts: parts})
	}
	mmsc.Set(func(c *mm7test.Config) { c.ReportURL = url + "/carriers/mmsc/mm7" })
	if _, err := bring("+14155550101"); err == nil || !strings.Contains(err.Error(), "401") {
		t.Errorf("without credentials: %v", err)
	}
	reportTo(mmsc, url)
	if _, err := bring("+14155550199"); err == nil || !strings.Contains(err.Error(), "2003") {
		t.Errorf("for a number that nobody rents: %v", err)
	}
	for range 2 { // as if the answer had got lost
		if _, err := bring("+14155550101"); err != nil {
			t.Fatal(err)
		}
	}
	listed := customer.call(t, http.MethodGet, "/Message/?message_direction=inbound", nil).want(t, http.StatusOK)
	objects, _ := listed.fields["objects"].([]any)
	if len(objects) != 1 {
		t.Fatalf("listed: %s", listed.body)
	}
	message := objects[0].(map[string]any)
	if message["message_type"] != "mms" || message["from_number"] != "14152223333" || message["to_number"] != "14155550101" {
		t.Errorf("listed: %s", listed.body)
	}
	attached := customer.call(t, http.MethodGet, "/Message/"+message["message_uuid"].(string)+"/Media/", nil).want(t, http.StatusOK)
	media, _ := attached.fields["objects"].([]any)
	if len(media) != 1 {
		t.Fatalf("attached: %s", attached.body)
	}
	if resp, body := follow(t, media[0].(map[string]any)["media_url"].(string)); resp.StatusCode != 200 || !bytes.Equal(body, picture) {
		t.Errorf("its link leads to %d, %d octets", resp.StatusCode, len(body))
	}
}

// TestMMSCrash: a server that dies while it fetches, and while it submits, loses nothing: every message that was acknowledged is delivered.
func TestMMSCrash(t *testing.T) {
	mmsc := mm7test.New(t)
	site := &pictures{content: photograph(t, 50_000)}
	files := web(t, site)
	data := t.TempDir()
	var ids []string
	launch := func() (*process, *account) {
		server := serve(t, data, mm7Config(mmsc.URL(), "window: 4"))
		url := server.url(t)
		reportTo(mmsc, url)
		return server, newAccount(t, url)
	}
	send := func(customer *account, pack, name string, n int) {
		for range n {
			ids = append(ids, customer.call(t, http.MethodPost, "/Message/", map[string]any{
				"powerpack_uuid": pack, "dst": destination(len(ids)), "type": "mms", "text": "x", "media_urls": []string{files + name},
			}).messages(t)...)
		}
	}
	until := func(what string, condition func() bool) {
		t.Helper()
		for deadline := time.Now().Add(patience); !condition(); pause(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s did not come; the MMSC has %+v", what, mmsc.Counters())
			}
		}
	}

	server, customer := launch()
	pack := customer.powerpack(t, "pictures", "14155550101", "14155550102")
	held := make(chan struct{})
	site.hold(held)
	send(customer, pack, "/one.jpg", 10)
	until("the fetch", func() bool { return site.asked.Load() > 0 })
	server.kill()
	site.hold(nil)
	close(held)

	mmsc.Set(func(c *mm7test.Config) { c.AcceptDelay = time.Hour })
	server, customer = launch()
	send(customer, pack, "/two.jpg", 10)
	until("a submit", func() bool { return mmsc.Counters().Submits >= 4 })
	server.kill()

	mmsc.Set(func(c *mm7test.Config) { c.AcceptDelay = 0 })
	_, customer = launch()
	for _, id := range ids {
		customer.awaitState(t, id, "delivered")
	}
	if got := mmsc.Counters(); got.Submits > int64(len(ids))+8 { // twice go at most those that were in hand
		t.Errorf("%d messages, and the MMSC got %+v", len(ids), got)
	}
}

// TestMMSCCommand: the pretend MMSC takes messages, reports, and tells what it counted, while it runs and at its end.
func TestMMSCCommand(t *testing.T) {
	mmsc := start(t, nil, "mmsc", "--listen", "127.0.0.1:0", "--username", "u", "--password", "p", "--failures", "1")
	url := mmsc.url(t)
	content := &mm7.Content{Parts: []mm7.Part{mm7.BytesPart("text/plain", "", []byte("x"))}}
	client := &mm7.Client{URL: url, Authorize: mm7.BasicAuth("u", "p")}
	request := &mm7.SubmitReq{
		SenderIdentification: mm7.SenderIdentification{VASPID: "v"}, Recipients: mm7.Recipients{To: []mm7.Address{{Value: "14152223333"}}}, DeliveryReport: mm7.Yes,
	}
	rsp, err := client.Submit(within(t), request, content)
	if err != nil || rsp.MessageID == "" {
		t.Fatalf("%+v, %v", rsp, err)
	}
	_, body := follow(t, strings.TrimSuffix(url, "/mm7")+"/stats")
	var counted struct{ Accepted, Undelivered int }
	if err := json.Unmarshal(body, &counted); err != nil || counted.Accepted != 1 || counted.Undelivered != 1 {
		t.Errorf("it counts %s", body)
	}
	if status, _ := mmsc.terminate(t); status != 0 {
		t.Errorf("status %d", status)
	}
	if out := mmsc.output(); !strings.Contains(out, `"accepted":1`) {
		t.Errorf("it says %s", out)
	}
	if status := start(t, nil, "mmsc", "--refused", "2").wait(t); status != 1 {
		t.Errorf("a share of two: status %d", status)
	}
}
