package mm4

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var morning = time.Date(2026, 7, 17, 9, 0, 0, 0, time.UTC)

// The documents of testdata and what they say. Those whose names begin with bad- are malformed.
func TestDocuments(t *testing.T) {
	hub := Address{User: "mms-system", Host: "hub.example"}
	want := map[string]Message{
		"forward-folded": &Forward{
			Head: Head{Version: "6.3.0", TransactionID: "T-77@hub.example", MessageID: "M-77@hub.example", Sender: hub, MailID: "1234.5678@hub.example", Date: morning},
			From: PLMN("+14155550123", "hub.example"),
			To:   []Address{PLMN("+14155550124", "mms.us.example"), PLMN("+14155550125", "mms.us.example")}, Cc: []Address{PLMN("+14155550126", "")},
			Subject: "Grüße aus 東京?", Class: ClassPersonal, Priority: PriorityNormal, Expiry: Expiry{After: 24 * time.Hour},
			DeliveryReport: true, AckRequest: true, OriginatorSystem: hub, ForwardCounter: 1,
		},
		"forward-plain": &Forward{
			Head: Head{Version: "5.5.0", TransactionID: "77", MessageID: "m77", Bare: true}, From: PLMN("+14155550123", ""),
			To: []Address{PLMN("+14155550124", "")}, Expiry: Expiry{At: morning}, HideSender: true,
		},
		"forward-response": &Response{
			Head: Head{Version: "6.3.0", TransactionID: "t1", MessageID: "m1", Sender: hub, Date: morning.Add(-2 * time.Hour)}, Of: ForwardReq,
			To: Address{User: "mms", Host: "us.example"}, Status: ErrorServiceDenied, Text: "no such user",
			Recipients: []Address{PLMN("+14155550124", "hub.example"), PLMN("+14155550125", "hub.example")},
		},
		"delivery-report": &DeliveryReport{
			Head: Head{Version: "6.3.0", TransactionID: "t2", MessageID: "m1", Sender: hub, Date: morning.Add(-2 * time.Hour)},
			From: PLMN("+14155550124", "hub.example"), To: PLMN("+14155550123", "us.example"), Status: Unrecognised,
			Extension: RejectedByRecipient, ForwardToOriginator: true, Text: "handset says no",
		},
		"read-reply": &ReadReply{
			Head: Head{Version: "6.3.0", TransactionID: "t3", MessageID: "m1", Date: morning.Add(-2 * time.Hour)},
			From: PLMN("+14155550124", "hub.example"), To: PLMN("+14155550123", "us.example"), Status: DeletedUnread, AckRequest: true,
		},
	}
	parts := map[string][]content{
		"forward-folded": {
			{Type: "application/smil", ID: "smil", Name: "a.smil", Octets: []byte("<smil><body/></smil>")},
			{Type: "text/plain", Charset: "iso-8859-1", Location: "text.txt", Octets: []byte("Gr\xfc\xdfe an alle")},
			{Type: "image/gif", Name: "grüß.gif", Octets: []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00")},
		},
		"forward-plain": {{Type: "text/plain", Charset: "utf-8", Octets: []byte("hello\n")}},
	}
	files, err := filepath.Glob("testdata/*.eml")
	if err != nil || len(files) < len(want)+5 {
		t.Fatalf("%d documents, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".eml")
		unix, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		dos := bytes.ReplaceAll(unix, []byte("\n"), []byte("\r\n"))
		for ends, document := range map[string][]byte{"LF": unix, "CRLF": dos} {
			t.Run(name+" "+ends, func(t *testing.T) {
				m, body, err := Decode(bytes.NewReader(document), Limits{})
				var got []content
				if err == nil {
					got, err = contents(body)
				}
				if strings.HasPrefix(name, "bad-") {
					if !errors.Is(err, ErrMalformed) {
						t.Errorf("it is not malformed: %v", err)
					}
					return
				}
				if diff := cmp.Diff(want[name], m); diff != "" || err != nil {
					t.Fatalf("%v\n%s", err, diff)
				}
				for i := range got {
					got[i].Octets = bytes.ReplaceAll(got[i].Octets, []byte("\r\n"), []byte("\n"))
				}
				if diff := cmp.Diff(parts[name], got); diff != "" && parts[name] != nil {
					t.Error(diff)
				}
			})
		}
	}
}

// Text of a charset that is known is given in UTF-8; content of an unknown one stays.
func TestTextInItsCharset(t *testing.T) {
	for charset, want := range map[string]string{"iso-8859-1": "é", "": "\xe9", "x-none": "\xe9", "us-ascii": "\xe9", "windows-1251": "й"} {
		part := &Incoming{Type: "text/plain", Charset: charset, Body: strings.NewReader("\xe9")}
		got, err := io.ReadAll(part.Text())
		if string(got) != want || err != nil {
			t.Errorf("%q: %q, %v", charset, got, err)
		}
	}
	if got, _ := io.ReadAll((&Incoming{Type: "image/gif", Charset: "iso-8859-1", Body: strings.NewReader("\xe9")}).Text()); string(got) != "\xe9" {
		t.Error("a picture was taken for text")
	}
}

// What a peer may make large costs no more than its limit.
func TestLimits(t *testing.T) {
	const head = "X-Mms-Message-Type: MM4_forward.REQ\nX-Mms-Transaction-ID: t\nX-Mms-Message-ID: m\nFrom: +14155550123/TYPE=PLMN\n"
	nested := func(depth int) string {
		var b strings.Builder
		b.WriteString(head + "Content-Type: multipart/mixed; boundary=b0\n\n")
		for i := range depth {
			fmt.Fprintf(&b, "--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n", i, i+1)
		}
		return b.String() + fmt.Sprintf("--b%d\n\nx\n--b%d--\n", depth, depth)
	}
	for name, mail := range map[string]string{
		"a header without end":   head + "X: " + strings.Repeat("a", 70<<10),
		"many fields":            head + strings.Repeat("X: y\n", 1100) + "\n",
		"many folds":             head + "X: y\n" + strings.Repeat(" a\n", 1100) + "\n",
		"many recipients":        head + "To: " + strings.Repeat("1@b,\n ", 101) + "1@b\n\n",
		"many in several To":     head + strings.Repeat("To: 1@b\n", 101) + "\n",
		"many in Cc":             head + "To: 1@b\nCc: " + strings.Repeat("1@b,\n ", 100) + "1@b\n\n",
		"deep nesting":           nested(6),
		"many parts":             head + "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", 65) + "--b--\n",
		"a large part header":    head + "Content-Type: multipart/mixed; boundary=b\n\n--b\nX: " + strings.Repeat("a", 70<<10) + "\n\nx\n--b--\n",
		"the boundary of all":    head + "Content-Type: multipart/mixed; boundary=" + strings.Repeat("b", 71) + "\n\n",
		"an identifier of 300":   strings.Replace(head, "ID: t", "ID: "+strings.Repeat("t", 300), 1) + "\n",
		"a type of a megabyte":   head + "Content-Type: " + strings.Repeat("a", 1<<20) + "\n\n",
		"no colon for ever":      head + strings.Repeat("a", 1<<20),
		"empty lines of nothing": "\n\n\n",
	} {
		m, body, err := Decode(strings.NewReader(mail), Limits{})
		if err == nil {
			_, err = contents(body)
		}
		if !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v, %v", name, m, err)
		}
	}
	if _, body, err := Decode(strings.NewReader(nested(3)+"--b2--\n--b1--\n--b0--\n"), Limits{}); err != nil {
		t.Error(err)
	} else if got, err := contents(body); len(got) != 1 || err != nil {
		t.Errorf("four levels: %v, %v", got, err)
	}
}

func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/*.eml")
	if err != nil || len(files) == 0 {
		f.Fatal(err)
	}
	for _, file := range files {
		document, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(document)
	}
	f.Fuzz(func(t *testing.T, mail []byte) {
		m, body, err := Decode(bytes.NewReader(mail), Limits{Parts: 8, Depth: 3})
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatalf("reading cannot fail here: %v", err)
			}
			return
		}
		parts, err := contents(body)
		if err != nil && !errors.Is(err, ErrMalformed) {
			t.Fatalf("reading cannot fail here: %v", err)
		}
		total := 0
		for _, part := range parts {
			total += len(part.Octets)
			if strings.ContainsAny(part.ID+part.Location+part.Name, "\r\n\x00") {
				t.Fatalf("control characters in %+v", part)
			}
		}
		if len(parts) > 8 || total > len(mail) {
			t.Fatalf("%d parts with %d octets of %d", len(parts), total, len(mail))
		}
		again(t, m)
	})
}

// again checks that what was decoded, when it can be written at all, is read as the same.
func again(t *testing.T, m Message) {
	var mail bytes.Buffer
	if Encode(&mail, m, Transfer{}) != nil {
		return // a peer may leave out what we must not
	}
	got, _, err := Decode(&mail, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if m.head().Version == "" {
		m.head().Version = DefaultVersion
	}
	if diff := cmp.Diff(m, got); diff != "" {
		t.Fatal(diff)
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, seed := range []string{"+14155550123/TYPE=PLMN@mms.example.net", `"a" <b@c>, "d`, "<@:>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, _ := parseAddresses(text, 10)
		for _, a := range list {
			if got, ok := ParseAddress(a.String()); !ok || got != a {
				t.Fatalf("%+v is read again as %+v", a, got)
			}
		}
	})
}
