package mm7

import (
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Whatever decodes must encode to what decodes to the same: nothing is read that cannot be said.
func FuzzSOAP(f *testing.F) {
	for _, v := range vectors(f) {
		if len(v.body) < 10_000 {
			f.Add([]byte(v.body), "utf-8")
		}
	}
	f.Fuzz(func(t *testing.T, document []byte, charset string) {
		first, err := DecodeSOAP(document, charset)
		if err != nil {
			return
		}
		first.Namespace = ""
		second, err := DecodeSOAP(Dialect{}.EncodeSOAP(first), "")
		if err != nil {
			t.Fatalf("%+v: %v", first.Message, err)
		}
		again, err := DecodeSOAP(Dialect{}.EncodeSOAP(second), "")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(second, again, cmp.AllowUnexported(plain{}, CancelRsp{}, ReplaceRsp{}, DeliveryReportRsp{}, ReadReplyRsp{}, RSErrorRsp{}, VASPErrorRsp{})); diff != "" {
			t.Error(diff)
		}
	})
}

// A document is read alike whether it comes at once or in drops, and never more of it than the limits say.
func FuzzDocument(f *testing.F) {
	for _, v := range vectors(f) {
		if len(v.body) < 10_000 {
			f.Add(v.fields["Content-Type"], v.body, uint16(7))
			f.Add(v.fields["Content-Type"], strings.ReplaceAll(v.body, "\n", "\r\n"), uint16(1))
		}
	}
	limits := Limits{SOAP: 20_000, Total: 40_000, Part: 10_000, Parts: 20, Depth: 3}
	read := func(contentType string, body io.Reader) ([]file, bool) {
		in, err := Decode(contentType, body, limits)
		if err != nil {
			return nil, false
		}
		files, err := filesOf(in)
		return files, err == nil
	}
	f.Fuzz(func(t *testing.T, contentType, body string, step uint16) {
		want, wantOK := read(contentType, strings.NewReader(body))
		got, ok := read(contentType, slowReader{strings.NewReader(body), int(step) + 1})
		if ok != wantOK {
			t.Fatalf("whole: %v, in drops: %v", wantOK, ok)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(file{})); ok && diff != "" {
			t.Error(diff)
		}
		if len(want) > limits.Parts {
			t.Errorf("%d parts", len(want))
		}
		for _, file := range want {
			if len(file.data) > int(limits.Part) {
				t.Errorf("%d octets of a part", len(file.data))
			}
		}
	})
}
