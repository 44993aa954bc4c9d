package mm7_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/heliograph/heliograph/internal/mm7"
	"github.com/heliograph/heliograph/internal/mm7/mm7test"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	sender    = "14155550100"
	recipient = "14155550123"
)

// client is one for an MMSC, with connections of its own.
func client(t testing.TB, m *mm7test.MMSC, edits ...func(*mm7.Client)) *mm7.Client {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	t.Cleanup(transport.CloseIdleConnections)
	c := &mm7.Client{URL: m.URL(), HTTP: &http.Client{Transport: transport}, Timeout: 10 * time.Second}
	for _, edit := range edits {
		edit(c)
	}
	return c
}

// submitReq is a request as a carrier makes it.
func submitReq() *mm7.SubmitReq {
	return &mm7.SubmitReq{
		SenderIdentification: mm7.SenderIdentification{VASPID: "heliograph", VASID: "alerts", SenderAddress: mm7.Address{Value: sender}},
		Recipients:           mm7.Recipients{To: []mm7.Address{{Value: recipient}}},
		ServiceCode:          "free",
		LinkedID:             "part-1",
		MessageClass:         mm7.ClassInformational,
		TimeStamp:            time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		ExpiryDate:           mm7.When{After: 4 * time.Hour},
		DeliveryReport:       mm7.Yes,
		ReadReply:            mm7.No,
		Priority:             mm7.PriorityNormal,
		Subject:              "Grüße & <Bilder>",
		ChargedParty:         mm7.ChargedSender,
		Content:              mm7.ContentRef{AllowAdaptations: mm7.Yes},
	}
}

// picture is a part that is no memory of its size: its octets are made while they are read.
func picture(size int64) mm7.Part {
	return mm7.Part{Type: "image/jpeg", Location: "picture.jpg", Size: size, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.LimitReader(newPattern(), size)), nil
	}}
}

// pattern is an endless file.
type pattern struct {
	block [4093]byte // no divisor of any buffer's size
	at    int
}

func newPattern() *pattern {
	p := new(pattern)
	for i := range p.block {
		p.block[i] = byte(i * 31 >> 3)
	}
	return p
}

func (p *pattern) Read(b []byte) (int, error) {
	n := copy(b, p.block[p.at:])
	p.at = (p.at + n) % len(p.block)
	return n, nil
}

// content is a slide with a text and a picture.
func content(size int64) *mm7.Content {
	return &mm7.Content{Parts: []mm7.Part{
		mm7.BytesPart("application/smil; charset=utf-8", "0.smil",
			[]byte(`<smil><body><par><img src="picture.jpg"/><text src="text.txt"/></par></body></smil>`)),
		mm7.BytesPart("text/plain; charset=utf-8", "text.txt", []byte("Guten Tag\r\n--")),
		picture(size),
	}}
}

func octets(t testing.TB, part mm7.Part) []byte {
	t.Helper()
	file, err := part.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	data, err := io.ReadAll(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestSubmit(t *testing.T) {
	for _, c := range []struct {
		name     string
		transfer mm7.Transfer
		dialect  mm7.Dialect
		content  *mm7.Content
		kind     string // of the content's Content-Type
	}{
		{"slides", mm7.Binary, mm7.Dialect{}, content(100_000), "multipart/related"},
		{"base64", mm7.Base64, mm7.Dialect{}, content(100_001), "multipart/related"},
		{"prefix, release 5", mm7.Binary, mm7.Dialect{Schema: "REL-5-MM7-1-3", Prefix: "mm7"}, content(1), "multipart/related"},
		{"empty file", mm7.Base64, mm7.Dialect{}, content(0), "multipart/related"},
		{"without SMIL", mm7.Binary, mm7.Dialect{}, &mm7.Content{Parts: []mm7.Part{picture(10), picture(20)}}, "multipart/mixed"},
		{"one file", mm7.Binary, mm7.Dialect{}, &mm7.Content{Parts: []mm7.Part{picture(3000)}}, "image/jpeg"},
		{"one file with an id", mm7.Base64, mm7.Dialect{}, &mm7.Content{Parts: []mm7.Part{{
			Type: "text/plain", ID: "one@host", Size: 3, Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader([]byte("one"))), nil },
		}}}, "text/plain"},
		{"no content", mm7.Binary, mm7.Dialect{}, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := mm7test.New(t, func(cfg *mm7test.Config) { cfg.Record, cfg.KeepContent = 1, true })
			vasp := client(t, m, func(cl *mm7.Client) { cl.Transfer, cl.Dialect = c.transfer, c.dialect })
			rsp, err := vasp.Submit(within(t), submitReq(), c.content)
			if err != nil {
				t.Fatalf("%v; MMSC: %+v", err, m.Submits())
			}
			if rsp.MessageID != "1000000001" || rsp.Status.Code != mm7.StatusSuccess {
				t.Errorf("SubmitRsp %+v", rsp)
			}
			got := m.Submits()[0]
			if got.Subject != "Grüße & <Bilder>" || got.Sender != sender || len(got.Recipients) != 1 || got.Recipients[0] != recipient || !got.Report ||
				got.ReadReply || got.Expiry != "PT14400S" || got.VASPID != "heliograph" || got.LinkedID != "part-1" {
				t.Errorf("MMSC read %+v", got)
			}
			sameFiles(t, got, c.content, c.kind)
		})
	}
}

func sameFiles(t *testing.T, got mm7test.Submit, sent *mm7.Content, kind string) {
	t.Helper()
	if sent == nil {
		sent = &mm7.Content{}
	}
	if len(got.Parts) != len(sent.Parts) || !bytes.HasPrefix([]byte(got.ContentType), []byte(kind)) {
		t.Fatalf("%d files in %s; want %d in %s", len(got.Parts), got.ContentType, len(sent.Parts), kind)
	}
	for i, file := range got.Parts {
		want := sent.Parts[i]
		if file.Type != want.Type || file.Location != want.Location || !bytes.Equal(file.Data, octets(t, want)) {
			t.Errorf("file %d: %s %s, %d octets; want %s %s, %d", i, file.Type, file.Location, file.Size, want.Type, want.Location, want.Size)
		}
	}
}
