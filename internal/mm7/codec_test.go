package mm7

import (
	"bytes"
	"io"
	"mime/multipart"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// plainText is what a field may hold: white space around it does not survive.
func plainText(max int) *rapid.Generator[string] {
	return rapid.Map(rapid.StringOfN(rapid.RuneFrom([]rune("abcXYZ019 <>&\"'äß漢😀;:/@")), 0, max, -1), strings.TrimSpace)
}

func someText(max int) *rapid.Generator[string] {
	return plainText(max).Filter(func(s string) bool { return s != "" })
}

func anAddress() *rapid.Generator[Address] {
	return rapid.Custom(func(t *rapid.T) Address {
		return Address{
			Kind: rapid.SampledFrom([]AddressKind{Number, RFC2822, ShortCode}).Draw(t, "kind"), Value: someText(20).Draw(t, "value"),
			DisplayOnly: rapid.Bool().Draw(t, "displayOnly"), Coding: rapid.SampledFrom([]string{"", "encrypted", "obfuscated"}).Draw(t, "coding"),
			ID: plainText(5).Draw(t, "id"),
		}
	})
}

func aFlag() *rapid.Generator[Flag] { return rapid.SampledFrom([]Flag{Absent, Yes, No}) }

func aTime() *rapid.Generator[time.Time] {
	return rapid.Map(rapid.Int64Range(0, 4e9), func(s int64) time.Time {
		if s%5 == 0 {
			return time.Time{}
		}
		return time.Unix(s, 0).UTC()
	})
}

func aWhen() *rapid.Generator[When] {
	return rapid.Custom(func(t *rapid.T) When {
		if rapid.Bool().Draw(t, "relative") {
			return When{After: time.Duration(rapid.Int64Range(0, 1e7).Draw(t, "seconds")) * time.Second}
		}
		return When{At: aTime().Draw(t, "at")}
	})
}

func aStatus() *rapid.Generator[Status] {
	return rapid.Custom(func(t *rapid.T) Status {
		return Status{Code: StatusCode(rapid.IntRange(1000, 9999).Draw(t, "code")), Text: someText(20).Draw(t, "text"), Details: plainText(20).Draw(t, "details")}
	})
}

// aMessage draws a message of any kind, as it is after a decoding: with a version and a reference to its content.
func aMessage(t *rapid.T) Message {
	text := func(name string) string { return plainText(20).Draw(t, name) }
	list := func(name string) []Address {
		all := rapid.SliceOfN(anAddress(), 0, 3).Draw(t, name)
		if len(all) == 0 {
			return nil
		}
		return all
	}
	identification := SenderIdentification{VASPID: text("vaspid"), VASID: text("vasid")}
	if rapid.Bool().Draw(t, "with sender") {
		identification.SenderAddress = anAddress().Draw(t, "sender")
	}
	application := Application{text("applic"), text("reply applic"), text("aux")}
	ref := ContentRef{Href: "cid:" + someText(5).Draw(t, "href"), AllowAdaptations: aFlag().Draw(t, "adapt")}
	rsp := plain{"6.8.0", aStatus().Draw(t, "status")}
	switch rapid.SampledFrom([]string{"submit", "submitted", "cancel", "replace", "deliver", "delivered", "report", "read", "plain", "fault"}).Draw(t, "message") {
	case "submit":
		m := &SubmitReq{
			MM7Version: "6.8.0", SenderIdentification: identification, ServiceCode: text("service"), LinkedID: text("linked"), MessageClass: text("class"),
			TimeStamp: aTime().Draw(t, "stamp"), EarliestDeliveryTime: aWhen().Draw(t, "earliest"), ExpiryDate: aWhen().Draw(t, "expiry"),
			DeliveryReport: aFlag().Draw(t, "report"), ReadReply: aFlag().Draw(t, "read"), Priority: text("priority"), Subject: text("subject"),
			ChargedParty: text("charged"), ChargedPartyID: text("charged id"), DistributionIndicator: aFlag().Draw(t, "distribution"),
			Application: application, ContentClass: text("class"), DRMContent: aFlag().Draw(t, "drm"), Content: ref,
			Recipients: Recipients{To: append(list("to"), anAddress().Draw(t, "one")), Cc: list("cc"), Bcc: list("bcc")},
		}
		if rapid.Bool().Draw(t, "charging") {
			m.ReplyCharging = &ReplyCharging{Size: rapid.IntRange(0, 1e6).Draw(t, "size"), Deadline: aWhen().Draw(t, "deadline")}
		}
		if n := rapid.IntRange(0, 2).Draw(t, "conditions"); n > 0 {
			m.DeliveryConditions = []int{1, 2}[:n]
		}
		return m
	case "submitted":
		return &SubmitRsp{"6.8.0", rsp.Status, text("id")}
	case "cancel":
		return &CancelReq{"6.8.0", identification, someText(9).Draw(t, "id"), application}
	case "replace":
		return &ReplaceReq{
			MM7Version: "6.8.0", SenderIdentification: identification, MessageID: someText(9).Draw(t, "id"), ServiceCode: text("service"),
			TimeStamp: aTime().Draw(t, "stamp"), ReadReply: aFlag().Draw(t, "read"), EarliestDeliveryTime: aWhen().Draw(t, "earliest"),
			DistributionIndicator: aFlag().Draw(t, "distribution"), ContentClass: text("class"), DRMContent: aFlag().Draw(t, "drm"),
			Application: application, Content: ref,
		}
	case "deliver":
		return &DeliverReq{
			MM7Version: "6.8.0", MMSRelayServerID: text("relay"), VASPID: text("vaspid"), VASID: text("vasid"), LinkedID: text("linked"),
			Sender: anAddress().Draw(t, "from"), Recipients: Recipients{To: list("to"), Cc: list("cc")}, SenderSPI: text("spi"), RecipientSPI: text("rspi"),
			TimeStamp: aTime().Draw(t, "stamp"), ReplyChargingID: text("charging"), Priority: text("priority"), Subject: text("subject"),
			Application: application, Content: ref, UACapabilities: UACapabilities{someText(9).Draw(t, "prof"), aTime().Draw(t, "prof time")},
		}
	case "delivered":
		return &DeliverRsp{"6.8.0", rsp.Status, text("service")}
	case "report":
		return &DeliveryReportReq{
			MM7Version: "6.8.0", MMSRelayServerID: text("relay"), MessageID: someText(9).Draw(t, "id"), Recipient: anAddress().Draw(t, "to"),
			Sender: anAddress().Draw(t, "from"), Date: aTime().Draw(t, "date"), MMStatus: someText(9).Draw(t, "mm"), MMStatusExtension: text("why"),
			StatusText: text("text"), Application: application,
		}
	case "read":
		return &ReadReplyReq{
			MM7Version: "6.8.0", MMSRelayServerID: text("relay"), MessageID: someText(9).Draw(t, "id"), Recipient: anAddress().Draw(t, "to"),
			Sender: anAddress().Draw(t, "from"), TimeStamp: aTime().Draw(t, "date"), MMStatus: someText(9).Draw(t, "mm"), StatusText: text("text"),
			Application: application,
		}
	case "plain":
		return rapid.SampledFrom([]Message{
			&CancelRsp{rsp}, &ReplaceRsp{rsp}, &DeliveryReportRsp{rsp}, &ReadReplyRsp{rsp}, &RSErrorRsp{rsp}, &VASPErrorRsp{rsp},
		}).Draw(t, "response")
	}
	return &Fault{Code: rapid.SampledFrom([]string{FaultClient, FaultServer}).Draw(t, "side"), Text: text("fault"), Detail: &VASPErrorRsp{rsp}}
}

func TestEncodeDecode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dialect := Dialect{
			Schema: rapid.SampledFrom([]string{"", "REL-5-MM7-1-0", "REL-6-MM7-1-5"}).Draw(t, "schema"),
			Prefix: rapid.SampledFrom([]string{"", "mm7"}).Draw(t, "prefix"),
		}
		want := Envelope{TransactionID: someText(9).Draw(t, "transaction"), Message: aMessage(t)}
		got, err := DecodeSOAP(dialect.EncodeSOAP(want), "")
		if err != nil {
			t.Fatal(err)
		}
		if _, isFault := want.Message.(*Fault); !isFault {
			want.Namespace, want.MM7Version = dialect.namespace(), "6.8.0"
		} else {
			got.Namespace = ""
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(plain{}, CancelRsp{}, ReplaceRsp{}, DeliveryReportRsp{}, ReadReplyRsp{}, RSErrorRsp{}, VASPErrorRsp{})); diff != "" {
			t.Errorf("%s\n%s", dialect.EncodeSOAP(want), diff)
		}
	})
}

// file is a part as a test sees it.
type file struct {
	kind, id, location string
	data               string
}

func filesOf(in *Incoming) ([]file, error) {
	var files []file
	err := in.Each(func(p *ReceivedPart) error {
		data, err := io.ReadAll(p)
		files = append(files, file{p.Type, p.ID, p.Location, string(data)})
		return err
	})
	return files, err
}

// slowReader gives a few octets at a time.
type slowReader struct {
	source io.Reader
	size   int
}

func (s slowReader) Read(p []byte) (int, error) { return s.source.Read(p[:min(len(p), s.size)]) }

func aFileContent() *rapid.Generator[[]byte] {
	return rapid.OneOf(
		rapid.SliceOfN(rapid.Byte(), 0, 300),
		rapid.Map(rapid.SliceOfN(rapid.SampledFrom([]string{"\r", "\n", "--", "-", "mm7-", "a", " ", "\r\n--mm7-", "\r\n--"}), 0, 40), func(s []string) []byte {
			return []byte(strings.Join(s, ""))
		}),
		rapid.Map(rapid.IntRange(15000, 40000), func(n int) []byte { return bytes.Repeat([]byte("\r\n-"), n/3) }),
	)
}

// What is encoded is what comes out, however it is cut on its way; and its length is what was promised.
func TestDocumentRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		content := new(Content)
		var want []file
		for range rapid.IntRange(1, 4).Draw(t, "files") {
			data := aFileContent().Draw(t, "data")
			content.Parts = append(content.Parts, BytesPart("image/png", "a.png", data))
			want = append(want, file{kind: "image/png", location: "a.png", data: string(data)})
		}
		request := &SubmitReq{Recipients: Recipients{To: []Address{{Value: "1"}}}, Content: ContentRef{Href: ContentHref(content)}}
		transfer := rapid.SampledFrom([]Transfer{Binary, Base64}).Draw(t, "transfer")
		document, err := Dialect{}.Encode(Envelope{TransactionID: "t", Message: request}, content, transfer)
		if err != nil {
			t.Fatal(err)
		}
		var octets bytes.Buffer
		if n, err := io.Copy(&octets, slowReader{document.Open(), rapid.IntRange(1, 5000).Draw(t, "out")}); err != nil || n != document.Length {
			t.Fatalf("%d octets of %d, %v", n, document.Length, err)
		}
		in, err := Decode(document.ContentType, slowReader{&octets, rapid.IntRange(1, 5000).Draw(t, "in")}, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := filesOf(in)
		for i := range got {
			got[i].id = "" // made by the encoder
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(file{})); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
	})
}

// The standard library's multipart as the judge of ours.
func TestMultipartAgainstStandard(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		boundary := rapid.SampledFrom([]string{"b", "mm7-", "-", "=_x.y"}).Draw(t, "boundary")
		tokens := []string{"\r\n", "--", "--" + boundary, "\r\n--" + boundary + "\r\n", "--" + boundary + "--", "x", "A: b\r\n", "\r\n\r\n", " ", "-", boundary}
		document := "--" + boundary + "\r\n\r\n" + strings.Join(rapid.SliceOfN(rapid.SampledFrom(tokens), 0, 12).Draw(t, "document"), "") +
			"\r\n--" + boundary + "--\r\n"
		if rapid.Bool().Draw(t, "LF") { // ours takes both kinds of line ends in one document, the standard's keeps to the first
			document = strings.ReplaceAll(document, "\r", "")
		}
		want, wantErr := readStandard(document, boundary)
		got, err := readOurs(document, boundary, rapid.IntRange(1, 50).Draw(t, "step"))
		if wantErr != nil {
			return // ours may read more
		}
		if err != nil {
			t.Fatalf("%q: %v; the standard reads %q", document, err, want)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", document, diff)
		}
	})
}

func readStandard(document, boundary string) ([]string, error) {
	r := multipart.NewReader(strings.NewReader(document), boundary)
	var bodies []string
	for {
		part, err := r.NextRawPart()
		if err == io.EOF {
			return bodies, nil
		}
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return nil, err
		}
		bodies = append(bodies, string(data))
	}
}

func readOurs(document, boundary string, step int) ([]string, error) {
	m, err := newPartStream(slowReader{strings.NewReader(document), step}, boundary)
	if err != nil {
		return nil, err
	}
	var bodies []string
	for {
		if _, err := m.next(); err == io.EOF {
			return bodies, nil
		} else if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(m)
		if err != nil {
			return nil, err
		}
		bodies = append(bodies, string(data))
	}
}

func TestTimes(t *testing.T) {
	at := func(s string) When {
		parsed, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return When{At: parsed.UTC()}
	}
	for text, want := range map[string]When{
		"2026-03-01T12:00:00Z":               at("2026-03-01T12:00:00Z"),
		"2026-03-01T12:00:00+02:00":          at("2026-03-01T10:00:00Z"),
		"2026-03-01T12:00:00+0200":           at("2026-03-01T10:00:00Z"),
		"2026-03-01T12:00:00":                at("2026-03-01T12:00:00Z"),
		"2026-03-01T12:00:00.250":            {At: at("2026-03-01T12:00:00Z").At.Add(250 * time.Millisecond)},
		"20260301T120000Z":                   at("2026-03-01T12:00:00Z"),
		"PT90S":                              {After: 90 * time.Second},
		"P1D":                                {After: 24 * time.Hour},
		"P1DT2H3M4S":                         {After: 26*time.Hour + 3*time.Minute + 4*time.Second},
		"P1Y2M":                              {After: (365 + 60) * 24 * time.Hour},
		"PT0.5S":                             {},
		"PT1.9S":                             {After: time.Second},
		"P":                                  {After: -1}, // none
		"PT":                                 {After: -1},
		"P1S":                                {After: -1},
		"PT1S1H":                             {After: -1},
		"-PT1S":                              {After: -1},
		"PT1e3S":                             {After: -1},
		"P9999999999999999Y":                 {After: -1},
		"tomorrow":                           {After: -1},
		"2026-13-01T12:00:00Z":               {After: -1},
		"PT" + strings.Repeat("9", 400):      {After: -1},
		"P" + strings.Repeat("9", 400) + "D": {After: -1},
	} {
		got, ok := parseWhen(text)
		if want.After < 0 {
			if ok {
				t.Errorf("%.30s: %v", text, got)
			}
			continue
		}
		if !ok || !got.At.Equal(want.At) || got.After != want.After {
			t.Errorf("%.30s: %v %v; want %v", text, got, ok, want)
		}
	}
}

func TestMediaType(t *testing.T) {
	for header, want := range map[string][]string{
		`multipart/related; type="text/xml"; boundary="a b"`:                     {"multipart/related", "type", "text/xml", "boundary", "a b"},
		`Multipart/Related;type=text/xml;start=</cmvt256/mm7-submit>;boundary=x`: {"multipart/related", "type", "text/xml", "start", "</cmvt256/mm7-submit>", "boundary", "x"},
		`text/xml; charset="UTF-8"`:                                              {"text/xml", "charset", "UTF-8"},
		`text/plain; name="a;b \"c\".txt"; NAME=second`:                          {"text/plain", "name", `a;b "c".txt`},
		`image/gif;`: {"image/gif"},
		``:           {""},
		`;;="; x`:    {""},
	} {
		kind, params := mediaType(header)
		if kind != want[0] || len(params) != len(want)/2 {
			t.Errorf("%s: %q %q", header, kind, params)
		}
		for i := 1; i+1 < len(want); i += 2 {
			if params[want[i]] != want[i+1] {
				t.Errorf("%s: %s is %q", header, want[i], params[want[i]])
			}
		}
	}
}

// TestText: texts are read in what they are written in, whatever that is called.
func TestText(t *testing.T) {
	for _, test := range []struct{ octets, charset, want string }{
		{"grüße", "utf-8", "grüße"},
		{"grüße", "", "grüße"},
		{"\xEF\xBB\xBFgrüße", "UTF-8", "grüße"},
		{"gr\xfc\xdfe", "iso-8859-1", "grüße"},
		{"gr\xfc\xdfe", "Windows-1252", "grüße"},
		{"gr\xfc\xdfe", "utf-8", "grüße"},
		{"\xc3\xa9", "iso-8859-1", "Ã©"},
		{"\x00g\x00r\x00\xfc", "utf-16be", "grü"},
		{"\x00g\x00r\x00\xfc", "utf-16", "grü"},
		{"g\x00r\x00\xfc\x00", "UTF-16LE", "grü"},
		{"\xFF\xFEg\x00", "utf-16", "g"},
		{"\xFE\xFF\x00g", "", "g"},
		{"a\x00b", "us-ascii", "ab"},
		{"", "", ""},
	} {
		if got := Text([]byte(test.octets), test.charset); got != test.want {
			t.Errorf("%q in %q: %q", test.octets, test.charset, got)
		}
	}
}
