package mm7

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// vector is a document in testdata: fields, its Content-Type last, an empty line, the body. Each is read with both kinds of line ends.
type vector struct {
	fields map[string]string
	body   string
}

func vectors(t testing.TB) map[string]vector {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) < 30 {
		t.Fatalf("%d vectors, %v", len(paths), err)
	}
	all := make(map[string]vector)
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		head, body, _ := strings.Cut(string(data), "\n\n")
		v := vector{fields: make(map[string]string), body: body}
		for line := range strings.Lines(head) {
			name, value, _ := strings.Cut(line, ":")
			v.fields[name] = strings.TrimSpace(value)
		}
		all[strings.TrimSuffix(filepath.Base(path), ".txt")] = v
	}
	return all
}

func TestVectors(t *testing.T) {
	for name, v := range vectors(t) {
		for _, end := range []string{"\n", "\r\n"} {
			t.Run(name, func(t *testing.T) { v.check(t, strings.ReplaceAll(v.body, "\n", end)) })
		}
	}
}

func (v vector) check(t *testing.T, body string) {
	in, err := Decode(v.fields["Content-Type"], strings.NewReader(body), Limits{})
	var files []file
	if err == nil {
		files, err = filesOf(in)
	}
	if code, bad := strings.CutPrefix(v.fields["expect"], "error "); bad {
		var undecodable *DecodeError
		if !errors.As(err, &undecodable) || strconv.Itoa(int(undecodable.Code)) != code {
			t.Errorf("%s: %v; want %s", v.fields["why"], err, code)
		}
		return
	}
	if err != nil {
		t.Fatalf("%s: %v", v.fields["why"], err)
	}
	got := map[string]string{"expect": in.Message.Name(), "transaction": in.TransactionID, "namespace": in.Namespace}
	for name, value := range fieldsOf(in.Message) {
		got[name] = value
	}
	parts := make([]string, 0, len(files))
	for _, f := range files {
		parts = append(parts, fmt.Sprintf("%s <%s> %s [%s]", f.kind, f.id, f.location, f.data))
	}
	if got["parts"] = strings.Join(parts, " | "); len(parts) == 0 {
		got["parts"] = "0"
	}
	for _, name := range []string{"expect", "transaction", "namespace", "messageid", "subject", "sender", "status", "parts"} {
		if want, given := v.fields[name]; given && got[name] != want {
			t.Errorf("%s: %s is %q; want %q", v.fields["why"], name, got[name], want)
		}
	}
}

func fieldsOf(message Message) map[string]string {
	switch m := message.(type) {
	case *DeliveryReportReq:
		return map[string]string{"messageid": m.MessageID}
	case *ReadReplyReq:
		return map[string]string{"messageid": m.MessageID}
	case *DeliverReq:
		return map[string]string{"subject": m.Subject, "sender": m.Sender.Value}
	case *SubmitRsp:
		return map[string]string{"messageid": m.MessageID, "status": strconv.Itoa(int(m.Status.Code))}
	case *Fault:
		return map[string]string{"status": strconv.Itoa(int(m.Result().Code))}
	}
	return nil
}

// A document is read alike in every character set that can hold it.
func TestCharsets(t *testing.T) {
	document := vectors(t)["deliver-latin1"].body
	document = strings.ReplaceAll(document, "&#252;&#xDF;", "üß")
	latin1 := make([]byte, 0, len(document))
	for _, r := range document {
		latin1 = append(latin1, byte(r))
	}
	utf16 := func(mark bool, big bool) []byte {
		var b []byte
		put := func(r rune) {
			if big {
				b = append(b, byte(r>>8), byte(r))
			} else {
				b = append(b, byte(r), byte(r>>8))
			}
		}
		if mark {
			put(0xFEFF)
		}
		for _, r := range document {
			put(r)
		}
		return b
	}
	declared := append([]byte(`<?xml version='1.0' encoding = 'iso-8859-1' ?>`), latin1...)
	for name, c := range map[string]struct {
		document []byte
		charset  string
	}{
		"UTF-8": {[]byte(document), "utf-8"}, "default": {[]byte(document), ""}, "wrong header": {[]byte(document), "us-ascii"},
		"mark": {append([]byte("\xEF\xBB\xBF"), document...), ""}, "Latin-1": {latin1, "ISO-8859-1"}, "declared": {declared, "utf-8"},
		"UTF-16BE": {utf16(true, true), ""}, "UTF-16LE": {utf16(true, false), "utf-16"}, "unmarked BE": {utf16(false, true), ""}, "unmarked LE": {utf16(false, false), ""},
	} {
		envelope, err := DecodeSOAP(c.document, c.charset)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if subject := envelope.Message.(*DeliverReq).Subject; subject != "Grüße & mehr" {
			t.Errorf("%s: %q", name, subject)
		}
	}
	if _, err := DecodeSOAP(latin1, "utf-8"); err == nil {
		t.Error("Latin-1 was taken for UTF-8")
	}
}
