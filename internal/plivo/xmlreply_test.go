package plivo

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func one(text string) []xmlReply { return []xmlReply{{place: 1, text: text}} }

// bomb is a document whose entities would grow without end.
const bomb = `<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><Response><Message>&c;</Message></Response>`

func TestReadReplies(t *testing.T) {
	const notRead = "the answer was not read: "
	for _, test := range []struct {
		name, kind, body string
		want             []xmlReply
		note             string
	}{
		{name: "the documents' sample", body: `<?xml version="1.0" encoding="UTF-8"?>
<Response>
  <Message src="14155550100" dst="14155550123&lt;14155550124" type="sms" callbackUrl="https://app.example.com/plivo/status?a=1&amp;b=2" callbackMethod="GET">
     Thanks!
     Bye.
  </Message>
</Response>
`, want: []xmlReply{{1, "14155550100", "14155550123<14155550124", "sms", "https://app.example.com/plivo/status?a=1&b=2", "GET", "Thanks!\n     Bye."}}},
		{name: "text/xml with parameters", kind: "Text/XML; charset=UTF-8", body: `<Response><Message>a</Message></Response>`, want: one("a")},
		{name: "two in order", body: `<Response><Message dst="1">a</Message><Message dst="2">b</Message></Response>`, want: []xmlReply{{place: 1, dst: "1", text: "a"}, {place: 2, dst: "2", text: "b"}}},
		{name: "none", body: `<Response></Response>`},
		{name: "none, closed at once", body: ` <Response/> `},
		{name: "entities", body: `<Response><Message>&lt;&gt;&amp;&quot;&apos;&#x1F44D;&#233;</Message></Response>`, want: one(`<>&"'👍é`)},
		{name: "CDATA and comments", body: `<Response><!-- a --><Message><![CDATA[<b> & ]]>c<!-- d --></Message><?php x?></Response>`, want: one("<b> & c")},
		{name: "a mark in front", body: "\ufeff<Response><Message>é</Message></Response>", want: one("é")},
		{name: "Latin-1, as HTTP says", kind: "text/xml; charset=ISO-8859-1", body: "<?xml version=\"1.0\" encoding=\"utf-8\"?><Response><Message>\xe9t\xe9</Message></Response>", want: one("été")},
		{name: "Latin-1, as the document says", body: "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><Response><Message>\xe9t\xe9</Message></Response>", want: one("été")},
		{name: "UTF-8, whatever the document says", kind: "text/xml; charset=utf-8", body: `<?xml version="1.0" encoding="utf-16"?><Response><Message>é</Message></Response>`, want: one("é")},
		{name: "empty text", body: `<Response><Message> </Message></Response>`, want: one("")},
		{name: "a namespace of its own", body: `<Response xmlns="http://x.example/"><Message>a</Message></Response>`, want: one("a")},

		{name: "text", kind: "text/plain", body: "thanks"},
		{name: "a page", kind: "text/html", body: "<html><Message>a</Message></html>"},
		{name: "nothing"},
		{name: "blanks", body: " \r\n\t"},
		{name: "JSON under a wrong name", body: `{"status":"ok"}`},
		{name: "no type", kind: "-", body: "OK"},
		{name: "an impossible type", kind: "application/xml; charset", body: "OK"},

		{name: "XML that is called something else", kind: "text/html; charset=utf-8", body: `<?xml version="1.0"?><Response><Message>a</Message></Response>`, note: notRead + "its Content-Type is neither application/xml nor text/xml"},
		{name: "XML without a type", kind: "-", body: `<Response/>`, note: notRead + "its Content-Type is neither application/xml nor text/xml"},
		{name: "a foreign element", body: `<Response><Speak>Hi</Speak><Message>a</Message><Dial><Number>1</Number></Dial></Response>`, want: one("a"), note: "an element Speak was ignored: only Message is one of messages; an element Dial was ignored: only Message is one of messages"},
		{name: "a foreign namespace", body: `<Response xmlns:x="http://x.example/"><x:Message>b</x:Message><Message>a</Message></Response>`, want: one("a"), note: "an element Message was ignored: only Message is one of messages"},
		{name: "another case", body: `<Response><message>a</message></Response>`, note: "an element message was ignored: only Message is one of messages"},
		{name: "another root", body: `<Reply><Message>a</Message></Reply>`, note: "the answer's root element is not Response: nothing was sent"},
		{name: "an element in the text", body: `<Response><Message>a<Media>b</Media></Message><Message>c</Message></Response>`, want: []xmlReply{{place: 2, text: "c"}}, note: "Message 1 was not sent: it has an element in its text"},
		{name: "an unknown attribute", body: `<Response><Message callbackURL="x" xml:lang="en" dst="1">a</Message></Response>`, want: []xmlReply{{place: 1, dst: "1", text: "a"}}, note: "the attribute callbackURL of Message 1 was ignored"},
		{name: "text beside", body: `<Response>a<Message>b</Message>c</Response>`, want: one("b"), note: "text outside of a Message element was ignored"},
		{name: "many remarks", body: `<Response><A/><B/><C/><D/><E/></Response>`, note: "an element A was ignored: only Message is one of messages; an element B was ignored: only Message is one of messages; an element C was ignored: only Message is one of messages; and 2 more"},
		{name: "a long name", body: `<Response><` + strings.Repeat("x", 40) + `/></Response>`, note: "an element " + strings.Repeat("x", 32) + "… was ignored: only Message is one of messages"},

		{name: "not closed", body: `<Response><Message>a</Message>`, note: notRead + "it ends too early"},
		{name: "cut in a tag", body: `<Response><Message>a</Mess`, note: notRead + "it ends too early"},
		{name: "wrongly closed", body: "<Response>\n<Message>a</Response>", note: notRead + "it is not well-formed XML, in line 2"},
		{name: "an unescaped ampersand", body: `<Response><Message>a & b</Message></Response>`, note: notRead + "it is not well-formed XML, in line 1"},
		{name: "an unescaped destination", body: `<Response><Message dst="1<2">a</Message></Response>`, note: notRead + "it is not well-formed XML, in line 1"},
		{name: "an unknown entity", body: `<Response><Message>a&nbsp;b</Message></Response>`, note: notRead + "it is not well-formed XML, in line 1"},
		{name: "an attribute twice", body: `<Response><Message dst="1" dst="2">a</Message></Response>`, note: notRead + "an element has an attribute twice"},
		{name: "two roots", body: `<Response/><Response><Message>a</Message></Response>`, note: notRead + "it has more than one root element"},
		{name: "text behind", body: `<Response><Message>a</Message></Response>ok`, note: notRead + "it has text beside its root element"},
		{name: "no root", body: `<!-- a -->`, note: notRead + "it ends too early"},
		{name: "a document type", body: `<!DOCTYPE Response SYSTEM "http://x.example/"><Response><Message>a</Message></Response>`, note: notRead + "it has a document type, which is not allowed"},
		{name: "a bomb", body: bomb, note: notRead + "it has a document type, which is not allowed"},
		{name: "a control character", body: "<Response><Message>a\x00b</Message></Response>", note: notRead + "it is not well-formed XML, in line 1"},
		{name: "not UTF-8", body: "<Response><Message>\xe9</Message></Response>", note: notRead + "it is not well-formed XML, in line 1"},
		{name: "another character set", body: `<?xml version="1.0" encoding="Shift_JIS"?><Response/>`, note: notRead + "its character set is neither UTF-8 nor ISO-8859-1"},
		{name: "another character set, as HTTP says", kind: "text/xml; charset=utf-16", body: `<Response/>`, note: notRead + "its character set is neither UTF-8 nor ISO-8859-1"},
		{name: "too deep", body: `<Response>` + strings.Repeat("<a>", 40) + strings.Repeat("</a>", 40) + `</Response>`, note: notRead + "its elements are nested too deeply"},
		{name: "too long", body: `<Response><Message>a</Message>` + strings.Repeat(" ", maxAnswer) + `</Response>`, note: notRead + "it has more than 65536 octets"},
	} {
		t.Run(test.name, func(t *testing.T) {
			kind := test.kind
			switch kind {
			case "":
				kind = "application/xml"
			case "-":
				kind = ""
			}
			got, said := readReplies(kind, []byte(test.body))
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(xmlReply{})); diff != "" {
				t.Error(diff)
			}
			if said.note() != test.note {
				t.Errorf("note %q, want %q", said.note(), test.note)
			}
		})
	}
}

func TestTooManyReplies(t *testing.T) {
	got, said := readReplies("text/xml", []byte("<Response>"+strings.Repeat("<Message>a</Message>", maxReplies+10)+"</Response>"))
	if len(got) != maxReplies || said.note() != "only the first 50 Message elements were sent" {
		t.Errorf("%d replies, %q", len(got), said.note())
	}
}

func TestLatin1(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		octets := rapid.SliceOf(rapid.Byte()).Draw(t, "octets")
		var want []rune
		for _, c := range octets {
			want = append(want, rune(c))
		}
		for _, from := range []io.Reader{bytes.NewReader(octets), iotest.OneByteReader(bytes.NewReader(octets)), iotest.DataErrReader(bytes.NewReader(octets))} {
			var got []byte
			l, size := &latin1{from: from}, rapid.IntRange(1, 7).Draw(t, "size")
			for {
				p := make([]byte, size)
				n, err := l.Read(p)
				got = append(got, p[:n]...)
				if err != nil {
					break
				}
			}
			if string(got) != string(want) {
				t.Fatalf("%q, want %q", got, string(want))
			}
		}
	})
}

// FuzzReadReplies: whatever an application answers, it is understood within bounds, and what is understood, written again, is understood alike.
func FuzzReadReplies(f *testing.F) {
	for _, seed := range []string{
		`<Response><Message src="1" dst="2&lt;3" type="sms" callbackUrl="http://a.example/" callbackMethod="GET">a</Message></Response>`, bomb,
		"<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><Response><Message>\xe9</Message><Speak>a</Speak></Response>", `<Response xmlns="a"><Message/>`, "OK",
		`<a:Response xmlns:a="b"><a:Message><![CDATA[x]]>&#10;</a:Message></a:Response>`,
	} {
		f.Add("text/xml", []byte(seed))
		f.Add("text/xml; charset=latin1", []byte(seed))
	}
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		replies, said := readReplies(kind, body)
		if len(replies) > maxReplies || len(said.note()) > 1000 || !utf8.ValidString(said.note()) {
			t.Fatalf("%d replies, note %q", len(replies), said.note())
		}
		var again bytes.Buffer
		again.WriteString("<Response>")
		for i := range replies {
			r := &replies[i]
			fmt.Fprintf(&again, `<Message src="%s" dst="%s" type="%s" callbackUrl="%s" callbackMethod="%s">%s</Message>`,
				escaped(r.src), escaped(r.dst), escaped(r.kind), escaped(r.callbackURL), escaped(r.callbackMethod), escaped(r.text))
			r.place = i + 1
		}
		again.WriteString("</Response>")
		if again.Len() > maxAnswer {
			return
		}
		got, said := readReplies("text/xml", again.Bytes())
		if diff := cmp.Diff(replies, got, cmp.AllowUnexported(xmlReply{})); diff != "" || len(said) > 0 {
			t.Fatalf("%s, %q", diff, said)
		}
	})
}

func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a builder fails at nothing
	return b.String()
}
