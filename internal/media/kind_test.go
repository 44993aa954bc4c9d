package media

import (
	"encoding/base64"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// Beginnings of files.
const (
	jpegHead = "\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01"
	pngHead  = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
	gifHead  = "GIF89a\x01\x00\x01\x00"
	xcf      = "gimp xcf v001\x00\x00\x00\x00\x01"
	wav      = "RIFF\x24\x00\x00\x00WAVEfmt "
	amr      = "#!AMR\n\x3c\x91"
	m4a      = "\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00M4A mp42"
	mp4      = "\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
	mov      = "\x00\x00\x00\x14ftypqt  \x20\x05\x03\x00qt  "
	threG    = "\x00\x00\x00\x18ftyp3gp5\x00\x00\x00\x003gp53gp4"
	heic     = "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"
	oggV     = "OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x1e\x01vorbis"
	mpeg     = "\x00\x00\x01\xba\x21\x00\x01\x00\x01"
	pdf      = "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
	vcard    = "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Doe;Jane\r\nEND:VCARD\r\n"
	csv      = "a,b,c\n1,2,3\n4,5,6\n"
	zip      = "PK\x03\x04\x14\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00a.txt"
	html     = "  <!DOCTYPE HTML><html><body onload=alert(1)>"
	svg      = `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`
	exe      = "MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff"
	xlsxT    = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
)

func TestTypeOf(t *testing.T) {
	frames := strings.Repeat("\xff\xfb\x90\x64"+strings.Repeat("\x00", 413), 4) // MPEG-1, layer III, 128 kbit/s, 44.1 kHz
	ole := "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 600)
	for _, test := range []struct{ name, head, declared, file, want string }{
		{"a picture", jpegHead, "image/jpeg", "a.jpg", "image/jpeg"},
		{"by its other name", jpegHead, "image/jpg", "a.jpg", "image/jpeg"},
		{"in capitals with a parameter", jpegHead, "IMAGE/JPEG; q=1", "a.jpg", "image/jpeg"},
		{"nothing said", pngHead, "", "", "image/png"},
		{"nothing useful said", gifHead, "application/octet-stream", "a", "image/gif"},
		{"what is no type", gifHead, "gif;;", "", "image/gif"},
		{"an unknown extension", gifHead, "", "a.xyz", "image/gif"},
		{"GIMP", xcf, "image/x-xcf", "a.xcf", "image/x-xcf"},
		{"sound", "ID3\x03\x00\x00\x00\x00\x0f\x76TIT2" + strings.Repeat("\x00", 200), "audio/mp3", "a.mp3", "audio/mpeg"},
		{"sound without a tag", frames, "audio/mpeg", "a.mp3", "audio/mpeg"},
		{"sound", wav, "audio/x-wav", "a.wav", "audio/wav"},
		{"sound", amr, "audio/amr", "a.amr", "audio/amr"},
		{"sound in MPEG-4", m4a, "audio/x-m4a", "a.m4a", "audio/mp4"},
		{"film", mp4, "video/mp4", "a.mp4", "video/mp4"},
		{"film", mov, "video/quicktime", "a.mov", "video/quicktime"},
		{"film", threG, "video/3gpp", "a.3gp", "video/3gpp"},
		{"sound in 3GPP", threG, "audio/3gpp", "a.3gp", "audio/3gpp"},
		{"film", mpeg, "video/mpeg", "a.mpg", "video/mpeg"},
		{"one ISO medium as another", mp4, "video/3gpp", "a.3gp", "video/3gpp"},
		{"Ogg", oggV, "audio/ogg", "a.ogg", "audio/ogg"},
		{"Ogg by its name", oggV, "", "a.ogg", "audio/ogg"},
		{"PDF", pdf, "application/pdf", "a.pdf", "application/pdf"},
		{"a card", vcard, "text/x-vcard", "a.vcf", "text/vcard"},
		{"a card, nothing said", vcard, "", "", "text/vcard"},
		{"a card as text", vcard, "text/plain", "a.txt", "text/plain"},
		{"a table", csv, "text/csv", "a.csv", "text/csv"},
		{"a table by its name", csv, "", "a.CSV", "text/csv"},
		{"a text with commas", csv, "", "a", "text/plain"},
		{"text", "hello", "text/plain; charset=utf-8", "a.txt", "text/plain"},
		{"JSON as text", `{"a":1}`, "text/plain", "a.txt", "text/plain"},
		{"text, nothing said", "hello", "", "a", "text/plain"},
		{"UTF-16", "\xff\xfeh\x00i\x00", "text/plain", "a.txt", "text/plain"},
		{"XLSX that shows no more than a ZIP", zip, xlsxT, "a.xlsx", xlsxT},
		{"XLS that shows no more than OLE", ole, "application/vnd.ms-excel", "a.xls", "application/vnd.ms-excel"},

		{"a picture as another", pngHead, "image/jpeg", "a.jpg", ""},
		{"text as a picture", "hello", "image/png", "a.png", ""},
		{"a picture as text", pngHead, "text/plain", "a.txt", ""},
		{"by its name a film", pngHead, "", "a.mp4", ""},
		{"HTML", html, "text/html", "a.html", ""},
		{"HTML as text", html, "text/plain", "a.txt", ""},
		{"HTML as a picture", html, "image/gif", "a.gif", ""},
		{"HTML, nothing said", html, "", "", ""},
		{"SVG", svg, "image/svg+xml", "a.svg", ""},
		{"SVG as text", svg, "text/plain", "a.txt", ""},
		{"XML as text", `<?xml version="1.0"?><a/>`, "text/plain", "a.txt", ""},
		{"HEIC", heic, "image/heic", "a.heic", ""},
		{"HEIC as a film", heic, "video/mp4", "a.mp4", ""},
		{"HEIC, nothing said", heic, "", "", ""},
		{"a program", exe, "application/octet-stream", "a.exe", ""},
		{"a program as a table", exe, "text/csv", "a.csv", ""},
		{"a ZIP", zip, "application/zip", "a.zip", ""},
		{"a ZIP, nothing said", zip, "", "a", ""},
		{"a ZIP as XLS", zip, "application/vnd.ms-excel", "a.xls", ""},
		{"octets", "\x00\x01\x02\x03", "", "", ""},
		{"a type that is not taken", pngHead, "application/x-msdownload", "a.png", ""},
		{"a type without end", pngHead, "image/" + strings.Repeat("x", 1000), "a.png", "image/png"},
	} {
		got, err := TypeOf([]byte(test.head), test.declared, test.file)
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%s: %q, %v, want %q", test.name, got, err, test.want)
		}
	}
}

// TestTypes: every type that is taken is of those that mean something, and what is shown carries no script.
func TestTypes(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range kinds {
		for _, name := range append([]string{k.name}, k.aliases...) {
			if seen[name] || bare(name) != name || kindOf(name).name != k.name {
				t.Errorf("%s is there twice, or is no type", name)
			}
			seen[name] = true
		}
		for _, extension := range k.extensions {
			if seen[extension] || extension[0] != '.' || extension != strings.ToLower(extension) {
				t.Errorf("%s is there twice, or is no extension", extension)
			}
			seen[extension] = true
		}
		if class, _, _ := strings.Cut(k.name, "/"); k.inline && class != "image" && class != "audio" && class != "video" {
			t.Errorf("%s is shown", k.name)
		}
	}
	for _, name := range active {
		if kindOf(name) != nil || shownInline(name) {
			t.Errorf("%s is taken", name)
		}
	}
}

// FuzzTypeOf: whatever a file begins with, its type is one that is taken, or it is refused; and what is taken once is taken again as such.
func FuzzTypeOf(f *testing.F) {
	for _, head := range []string{jpegHead, mp4, oggV, vcard, csv, zip, html, svg, exe, "hello", base64.StdEncoding.EncodeToString([]byte(pngHead))} {
		f.Add([]byte(head), "image/png", "a.png")
		f.Add([]byte(head), "", "a.txt")
	}
	f.Fuzz(func(t *testing.T, head []byte, declared, name string) {
		got, err := TypeOf(head, declared, name)
		if err != nil {
			return
		}
		if k := kindOf(got); k == nil || k.name != got {
			t.Errorf("taken as %q", got)
		}
		if again, err := TypeOf(head, got, name); err != nil || again != got {
			t.Errorf("taken as %q, then as %q, %v", got, again, err)
		}
	})
}

func TestCleanName(t *testing.T) {
	for given, want := range map[string]string{
		"a.png": "a.png", "": "file", "/": "file", `\`: "file", "..": "file", "../..": "file", ". .": "file", "../../etc/passwd": "passwd",
		`C:\Users\me\a.png`: "a.png", "a/b\\c.png": "c.png", "a\x00b\r\n\tc.png": "abc.png", "\xff\xfea.png": "a.png", "grüße ☃.png": "grüße ☃.png",
		"evil\u202egnp.exe": "evilgnp.exe", " a .png ": "a .png", ".htaccess": "htaccess", "a.png\x7f": "a.png", "\u2028x": "x",
	} {
		if got := CleanName(given); got != want {
			t.Errorf("%q became %q, want %q", given, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		given := rapid.OneOf(rapid.String(), rapid.StringN(150, 400, -1), rapid.Custom(func(t *rapid.T) string {
			return string(rapid.SliceOf(rapid.Byte()).Draw(t, "octets")) + ".jpeg"
		})).Draw(t, "name")
		got := CleanName(given)
		switch {
		case got == "" || got == "." || got == ".." || len(got) > maxNameLength || !utf8.ValidString(got):
			t.Fatalf("%q became %q", given, got)
		case strings.ContainsAny(got, `/\`) || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsGraphic(r) }):
			t.Fatalf("%q became %q", given, got)
		case strings.HasSuffix(given, ".jpeg") && !strings.HasSuffix(got, "jpeg"):
			t.Fatalf("%q lost its extension: %q", given, got)
		case CleanName(got) != got:
			t.Fatalf("%q became %q and then %q", given, got, CleanName(got))
		}
	})
}
