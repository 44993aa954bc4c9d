package mm4

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func opened(content []byte) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
}

// content is a part as a test compares it.
type content struct {
	Type, Charset, ID, Location, Name string
	Octets                            []byte
}

func contents(body *Body) ([]content, error) {
	var all []content
	for {
		in, err := body.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		octets, err := io.ReadAll(in.Body)
		if err != nil {
			return all, err
		}
		all = append(all, content{in.Type, in.Charset, in.ID, in.Location, in.Name, octets})
	}
}

func words(first, rest string) *rapid.Generator[string] {
	return rapid.StringMatching("[" + first + "][" + rest + "]{0,30}")
}

var instants = rapid.Custom(func(t *rapid.T) time.Time {
	return time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "unix"), 0).UTC()
})

var texts = rapid.Custom(func(t *rapid.T) string {
	return clean(rapid.OneOf(
		words("A-Za-z", "A-Za-z0-9 ,:=?_-"), rapid.StringMatching(`[a-zäöü€😀日本 =?_]{0,60}`), rapid.StringN(0, 40, 200),
	).Draw(t, "text"))
})

func heads() *rapid.Generator[Head] {
	return rapid.Custom(func(t *rapid.T) Head {
		return Head{
			Version:       rapid.SampledFrom([]string{DefaultVersion, "5.3.0"}).Draw(t, "version"),
			TransactionID: words("A-Za-z0-9", "A-Za-z0-9@.+=-").Draw(t, "transaction"),
			MessageID:     words("A-Za-z0-9", "A-Za-z0-9@.+=-").Draw(t, "message"),
			Sender:        addresses(false).Draw(t, "sender"),
			MailID:        words("A-Za-z0-9", "A-Za-z0-9@.-").Draw(t, "mail"),
			Date:          instants.Draw(t, "date"),
			Bare:          rapid.Bool().Draw(t, "bare"),
		}
	})
}

func parts() *rapid.Generator[Part] {
	return rapid.Custom(func(t *rapid.T) Part {
		p := Part{
			Type:     rapid.SampledFrom([]string{"image/gif", "image/jpeg", "text/plain", "application/smil", "text/x-vcard"}).Draw(t, "type"),
			ID:       rapid.StringMatching(`([a-z0-9][a-z0-9.@_-]{0,20})?`).Draw(t, "id"),
			Location: rapid.StringMatching(`([a-z0-9]{1,10}\.[a-z]{3})?`).Draw(t, "location"),
			Name:     rapid.StringMatching(`([a-zäß€]{1,10}\.[a-z]{3})?`).Draw(t, "name"),
		}
		octets := rapid.OneOf(
			rapid.SliceOfN(rapid.Byte(), 0, 300), rapid.Just(bytes.Repeat([]byte("long "), 400)),
			rapid.Map(rapid.StringMatching(`([a-z. -]{0,40}\r\n){0,9}[äöü]?`), func(s string) []byte { return []byte(s) }),
		).Draw(t, "octets")
		p.Size, p.Open = int64(len(octets)), opened(octets)
		if p.isText() {
			p.Charset = rapid.SampledFrom([]string{"", "utf-8"}).Draw(t, "charset")
		}
		return p
	})
}

// canonical is what becomes of content on its way: the line ends of text are CRLF.
func canonical(p Part, t Transfer) content {
	r, _ := p.Open()
	octets, _ := io.ReadAll(r)
	if lines := bytes.ReplaceAll(bytes.ReplaceAll(octets, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n")); p.isText() && !t.Binary {
		if ascii, ok := properLines(lines); ok && (ascii || t.EightBit) {
			octets = lines
		}
	}
	return content{p.Type, p.Charset, p.ID, p.Location, p.Name, octets}
}

func messages() *rapid.Generator[Message] {
	list := func(t *rapid.T, name string, least int) []Address {
		got := rapid.SliceOfN(addresses(true), least, 12).Draw(t, name)
		if len(got) == 0 {
			return nil
		}
		return got
	}
	return rapid.Custom(func(t *rapid.T) Message {
		head := heads().Draw(t, "head")
		from, to, yes := addresses(true).Draw(t, "from"), addresses(true).Draw(t, "to"), rapid.Bool()
		text := texts.Draw(t, "text")
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			expiry := Expiry{After: time.Duration(rapid.IntRange(0, 1e6).Draw(t, "after")) * time.Second}
			if expiry.After == 0 {
				expiry.At = instants.Draw(t, "expiry")
			}
			return &Forward{
				Head: head, From: from, To: list(t, "tos", 1), Cc: list(t, "ccs", 0), Subject: text,
				Class: rapid.SampledFrom([]string{"", ClassAuto, ClassPersonal}).Draw(t, "class"), Priority: PriorityHigh, Expiry: expiry,
				DeliveryReport: yes.Draw(t, "dr"), OriginatorReport: yes.Draw(t, "or"), ReadReply: yes.Draw(t, "rr"),
				HideSender: yes.Draw(t, "hide"), AckRequest: yes.Draw(t, "ack"), OriginatorSystem: addresses(false).Draw(t, "system"),
				ForwardCounter: rapid.IntRange(0, 9).Draw(t, "counter"), Parts: rapid.SliceOfN(parts(), 0, 4).Draw(t, "parts"),
			}
		case 1:
			return &Response{
				Head: head, Of: rapid.SampledFrom([]Kind{ForwardReq, DeliveryReportReq, ReadReplyReportReq}).Draw(t, "of"), To: to,
				Status: rapid.SampledFrom(requestStatuses()).Draw(t, "status"), Text: text, Recipients: list(t, "recipients", 0),
			}
		case 2:
			return &DeliveryReport{
				Head: head, From: from, To: to, Status: rapid.SampledFrom(mmStatuses()).Draw(t, "status"), Text: text,
				Extension:  rapid.SampledFrom([]StatusExtension{"", RejectedByRecipient, RejectedByOtherRS}).Draw(t, "extension"),
				AckRequest: yes.Draw(t, "ack"), ForwardToOriginator: yes.Draw(t, "ua"),
			}
		}
		return &ReadReply{Head: head, From: from, To: to, Status: rapid.SampledFrom([]ReadStatus{Read, DeletedUnread}).Draw(t, "status"), Text: text}
	})
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := messages().Draw(t, "message")
		way := Transfer{EightBit: rapid.Bool().Draw(t, "8bit"), Binary: rapid.Bool().Draw(t, "binary")}
		var mail bytes.Buffer
		if err := Encode(&mail, m, way); err != nil {
			t.Fatal(err)
		}
		checkLines(t, mail.Bytes(), way)
		got, body, err := Decode(iotest.HalfReader(bytes.NewReader(mail.Bytes())), Limits{})
		if err != nil {
			t.Fatalf("%v in\n%s", err, mail.Bytes())
		}
		if diff := cmp.Diff(m, got, cmpopts.IgnoreFields(Forward{}, "Parts"), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%s in\n%s", diff, mail.Bytes())
		}
		forward, ok := m.(*Forward)
		if !ok || len(forward.Parts) == 0 {
			return
		}
		var want []content
		for _, part := range forward.Parts {
			want = append(want, canonical(part, way))
		}
		parts, err := contents(body)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, parts, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("%s in\n%s", diff, mail.Bytes())
		}
	})
}

// checkLines checks what a way demands of the octets.
func checkLines(t *rapid.T, mail []byte, way Transfer) {
	header, _, _ := bytes.Cut(mail, []byte("\r\n\r\n"))
	for _, part := range [][]byte{header, mail} {
		if bytes.Contains(bytes.ReplaceAll(part, []byte("\r\n"), nil), []byte("\r")) && (!way.Binary || len(part) == len(header)) {
			t.Fatalf("a bare CR in\n%q", part)
		}
		if way.Binary {
			part = header
		}
		for line := range bytes.SplitSeq(part, []byte("\r\n")) {
			if len(line) > 998 || bytes.IndexByte(line, '\n') >= 0 {
				t.Fatalf("a line of %d octets, or a bare LF: %q", len(line), line)
			}
		}
		if !way.EightBit && !way.Binary && bytes.ContainsFunc(part, func(r rune) bool { return r > 0x7E }) {
			t.Fatal("octets beyond ASCII on a way that carries none")
		}
	}
}

func sample() *Forward {
	return &Forward{
		Head: Head{TransactionID: "t1", MessageID: "m1", Sender: Address{User: "mms", Host: "us.example"}, Date: time.Unix(1e9, 0)},
		From: PLMN("+14155550123", "us.example"), To: []Address{PLMN("+14155550124", "hub.example")},
		AckRequest: true, DeliveryReport: true, OriginatorSystem: Address{User: "mms", Host: "us.example"},
		Parts: []Part{{Type: "text/plain", Charset: "utf-8", ID: "text", Location: "text.txt", Size: 5, Open: opened([]byte("hello"))}},
	}
}

// Nothing that a caller puts into a field may begin another field, another part, or another command.
func TestNothingIsInjected(t *testing.T) {
	const evil = "x\r\nBcc: y@z.example"
	for name, change := range map[string]func(*Forward){
		"transaction":  func(f *Forward) { f.TransactionID = evil },
		"quoted id":    func(f *Forward) { f.MessageID = `m1"; x="` },
		"message":      func(f *Forward) { f.MessageID = evil },
		"mail id":      func(f *Forward) { f.MailID = "a> <b" },
		"version":      func(f *Forward) { f.Version = evil },
		"sender":       func(f *Forward) { f.Sender.User = evil },
		"from":         func(f *Forward) { f.From.Host = "h\n" },
		"to":           func(f *Forward) { f.To[0].User = "a@b>, <c" },
		"to type":      func(f *Forward) { f.To[0].Type = "PLMN\r" },
		"cc":           func(f *Forward) { f.Cc = []Address{{User: "a", Host: "b, c"}} },
		"subject":      func(f *Forward) { f.Subject = evil },
		"subject NUL":  func(f *Forward) { f.Subject = "a\x00" },
		"subject utf8": func(f *Forward) { f.Subject = "\xff" },
		"class":        func(f *Forward) { f.Class = evil },
		"priority":     func(f *Forward) { f.Priority = "é" },
		"system":       func(f *Forward) { f.OriginatorSystem.User = evil },
		"part type":    func(f *Forward) { f.Parts[0].Type = "text/plain\r\nX: y" },
		"multipart":    func(f *Forward) { f.Parts[0].Type = "multipart/mixed" },
		"part id":      func(f *Forward) { f.Parts[0].ID = "a>\r\nX: y" },
		"location":     func(f *Forward) { f.Parts[0].Location = evil },
		"charset":      func(f *Forward) { f.Parts[0].Charset = "utf-8\n" },
		"name":         func(f *Forward) { f.Parts[0].Name = evil },
		"no content":   func(f *Forward) { f.Parts[0].Open = nil },
		"no recipient": func(f *Forward) { f.To = nil },
		"no id":        func(f *Forward) { f.TransactionID = "" },
		"long id":      func(f *Forward) { f.TransactionID = strings.Repeat("a", 300) },
		"long subject": func(f *Forward) { f.Subject = strings.Repeat("a", 1001) },
		"no date":      func(f *Forward) { f.Date = time.Time{} },
	} {
		t.Run(name, func(t *testing.T) {
			f := sample()
			change(f)
			var mail bytes.Buffer
			err := Encode(&mail, f, Transfer{})
			if err == nil || mail.Len() > 0 {
				t.Errorf("it was written: %v\n%s", err, mail.Bytes())
			}
			if err != nil && strings.Contains(err.Error(), "Bcc") {
				t.Errorf("the error repeats the value: %v", err)
			}
		})
	}
}

func TestEncodeTellsWhoFailed(t *testing.T) {
	broken := errors.New("broken")
	f := sample()
	f.Parts[0].Open = func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(broken))), nil
	}
	for _, kind := range []string{"text/plain", "image/gif"} {
		f.Parts[0].Type = kind
		var source *SourceError
		if err := Encode(io.Discard, f, Transfer{}); !errors.As(err, &source) || !errors.Is(err, broken) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if err := Encode(&limitedWriter{20}, sample(), Transfer{}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a writer that fails: %v", err)
	}
}

type limitedWriter struct{ left int }

func (w *limitedWriter) Write(p []byte) (int, error) {
	if len(p) > w.left {
		return 0, io.ErrShortWrite
	}
	w.left -= len(p)
	return len(p), nil
}

// A mail that is cut anywhere is never taken for a whole one: the reader's error comes through, and no end.
func TestCutMailIsNotWhole(t *testing.T) {
	var mail bytes.Buffer
	f := sample()
	f.Parts = append(f.Parts, Part{Type: "image/gif", Open: opened(bytes.Repeat([]byte{7}, 200))})
	if err := Encode(&mail, f, Transfer{}); err != nil {
		t.Fatal(err)
	}
	cut := errors.New("cut")
	for n := range mail.Len() + 1 {
		_, body, err := Decode(io.MultiReader(bytes.NewReader(mail.Bytes()[:n]), iotest.ErrReader(cut)), Limits{})
		if err == nil {
			_, err = contents(body)
		}
		if !errors.Is(err, cut) {
			t.Fatalf("after %d of %d octets: %v", n, mail.Len(), err)
		}
	}
	for n := range mail.Len() - 4 { // the same, where it only ends: malformed, or at least not all there
		_, body, err := Decode(bytes.NewReader(mail.Bytes()[:n]), Limits{})
		if err == nil {
			_, err = contents(body)
		}
		if !errors.Is(err, ErrMalformed) && bytes.Contains(mail.Bytes()[:n], []byte("\r\n\r\n")) {
			t.Fatalf("after %d of %d octets: %v in\n%q", n, mail.Len(), err, mail.Bytes()[:n])
		}
	}
}

func TestStatuses(t *testing.T) {
	for status, temporary := range map[RequestStatus]bool{
		Ok: false, ErrorUnspecified: false, ErrorNetworkProblem: true, ErrorTransientFailure: true, "Error-transient-of-theirs": true,
		ErrorPermanentDenied: false, ErrorServiceDenied: false,
	} {
		if status.Temporary() != temporary || status.OK() != (status == Ok) {
			t.Errorf("%s: temporary %v", status, status.Temporary())
		}
	}
	for status, final := range map[MMStatus]bool{Retrieved: true, Expired: true, Deferred: false, Forwarded: false, Unreachable: true} {
		if status.Final() != final {
			t.Errorf("%s: final %v", status, status.Final())
		}
	}
}
