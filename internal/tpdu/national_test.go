package tpdu

import (
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestNationalTables(t *testing.T) {
	for _, test := range []struct {
		name, septets   string
		locking, single Language
		want            string
	}{
		{"Turkish", "I\x1d\x07k \x04 \x60ok \x40", Turkish, 0, "Işık € çok İ"},
		{"Turkish, single shift", "I\x1bs\x1bik \x1be", 0, Turkish, "Işık €"},
		{"Spanish, single shift", "Qu\x05 est\x1ba \x1bI\x09", 0, Spanish, "Qué está ÍÇ"},
		{"Spanish has no locking shift", "\x60", Spanish, 0, "¿"},
		{"Portuguese", "S\x7bo, cora\x09\x7bo \x18", Portuguese, 0, "São, coração €"},
		{"Portuguese, single shift", "S\x1b\x7bo \x1b\x12\x1b\x1f\x1b\x7f", 0, Portuguese, "São ΦÊâ"},
		{"Portuguese, both", "\x08\x1b\x15", Portuguese, Portuguese, "óΩ"},
		{"Bengali", "\x40\x50\x01\x46\x50 5\x1b\x23\x1b\x34", Bengali, Bengali, "বাংলা 5৯৺"},
		{"Gujarati", "\x17\x53\x1d\x44\x50\x27 \x1b\x1c\x1b\x19\x7f", Gujarati, Gujarati, "ગુજરાત ૦।૱"},
		{"Hindi", "\x2f\x42\x4c\x5f\x27\x59 \x1b\x25\x1b\x1a\x60", Hindi, Hindi, "नमस्ते ९॥ॐ"},
		{"Kannada", "\x15\x2f\x5f\x2f\x24 \x1b\x1d\x1b\x2a", Kannada, Kannada, "ಕನ್ನಡ ೧ೲ"},
		{"Malayalam", "\x42\x46\x43\x50\x47\x01 \x1b\x34", Malayalam, Malayalam, "മലയാളം ൿ"},
		{"Oriya", "\x13\x1b\x26\x51\x04", Oriya, Oriya, "ଓ\u0b5cିଆ"},
		{"Punjabi", "\x3d\x7b\x1d\x50\x40\x52 \x1b\x2d", Punjabi, Punjabi, "ਪੰਜਾਬੀ ੵ"},
		{"Tamil", "\x27\x42\x51\x48\x5f \x1b\x2e", Tamil, Tamil, "தமிழ் ௺"},
		{"Telugu", "\x27\x58\x46\x53\x17\x53 \x1b\x32", Telugu, Telugu, "తెలుగు ౿"},
		{"Urdu", "\x00\x25\x1a\x53 \x1b\x1c\x1b\x3f\x1b\x19", Urdu, Urdu, "اردو ۰۔\u0600"},
		{"letters and digits stay", "abc 09:;?!.,", Hindi, 0, "abc 09:;?!.,"},
		{"capitals by single shift", "\x1bA\x1bZ\x1b@\x1be", Hindi, Hindi, "AZ|€"},
		{"an extension that the single table lacks", "\x1b\x61", Hindi, Hindi, "a"},
		{"likewise, and the locking table has another letter", "\x1b\x60", Turkish, Turkish, "ç"},
		{"a code without a character", "a\x0c", Bengali, 0, "a\ufffd"},
		{"likewise, shifted", "a\x1b\x0c\x1b\x3f", Bengali, Bengali, "a+?"},
		{"escape at the end", "\x2f\x1b", Hindi, Hindi, "न "},
		{"escape twice", "\x1b\x1b\x2f", Hindi, Hindi, " न"},
		{"no septet", "\x2f\x80", Hindi, 0, "न\ufffd"},
		{"languages that nobody knows", "\x04\x1b\x65\x1bs", 14, 200, "è€s"},
	} {
		c := Coding{GSM7, test.locking, test.single}
		got, _ := Join([]Segment{{Number: 1, Total: 1, Coding: c, Octets: []byte(test.septets)}}, "")
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// TestNationalReserved: no table has a character of its own where all must have the same.
func TestNationalReserved(t *testing.T) {
	for language := range Urdu + 1 {
		letters, shifted := tables(language, language)
		if letters['\n'] != '\n' || letters['\r'] != '\r' || letters[escape] != ' ' {
			t.Errorf("language %d: %q, %q and %q in the locking shift table", language, letters['\n'], letters['\r'], letters[escape])
		}
		if shifted[escape] != 0 || shifted['\r'] != 0 || shifted['\n'] != '\f' || shifted[0x65] != '€' {
			t.Errorf("language %d: %q, %q, %q and %q in the single shift table", language, shifted[escape], shifted['\r'], shifted['\n'], shifted[0x65])
		}
		for code := range letters {
			for _, r := range [...]rune{letters[code], shifted[code]} {
				if r == slot && language >= Bengali {
					t.Errorf("language %d: code %#02x was not filled", language, code)
				}
			}
		}
	}
}

// nationalEncode is the decoder's other half, as a handset has it; what no table has becomes a question mark.
func nationalEncode(text string, c Coding) []byte {
	letters, shifted := tables(c.Locking, c.Single)
	var septets []byte
	for _, r := range text {
		septets = append(septets, find(r, letters, shifted)...)
	}
	return septets
}

func find(r rune, letters, shifted *table) []byte {
	for code, have := range letters {
		if have == r && code != escape {
			return []byte{byte(code)}
		}
	}
	for code, have := range shifted {
		if have == r {
			return []byte{escape, byte(code)}
		}
	}
	return []byte{'?'}
}

// TestNationalRoundTrip: what each code of each table stands for comes back.
func TestNationalRoundTrip(t *testing.T) {
	for language := range Urdu + 1 {
		c := Coding{GSM7, language, language}
		letters, shifted := tables(language, language)
		for code := range 128 {
			for _, septets := range [][]byte{{byte(code)}, {escape, byte(code)}} {
				want := letters[code]
				if len(septets) == 2 {
					want = shifted[code]
				}
				if want == 0 || code == escape {
					continue
				}
				text := string(c.appendDecoded(nil, septets))
				if text != string(want) {
					t.Errorf("language %d, % x: %q, want %q", language, septets, text, want)
				}
				if again := string(c.appendDecoded(nil, nationalEncode(text, c))); again != text {
					t.Errorf("language %d, % x: %q comes back as %q", language, septets, text, again)
				}
			}
		}
	}
}

// TestNationalTexts: a text of what the tables have comes back, also when its segments split it anywhere.
func TestNationalTexts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Coding{
			GSM7, Language(rapid.IntRange(0, int(Urdu)+1).Draw(t, "locking")), Language(rapid.IntRange(0, int(Urdu)+1).Draw(t, "single")),
		}
		letters, shifted := tables(c.Locking, c.Single)
		var alphabet []rune
		for code := range 128 {
			for _, r := range [...]rune{letters[code], shifted[code]} {
				if r != 0 {
					alphabet = append(alphabet, r)
				}
			}
		}
		text := string(rapid.SliceOfN(rapid.SampledFrom(alphabet), 0, 40).Draw(t, "text"))
		septets := nationalEncode(text, c)
		at := rapid.IntRange(0, len(septets)).Draw(t, "split")
		got, whole := Join([]Segment{
			{Number: 2, Total: 2, Coding: c, Octets: septets[at:]}, {Number: 1, Total: 2, Coding: c, Octets: septets[:at]},
		}, "")
		if !whole || got != text {
			t.Fatalf("%v, split at %d: %q comes back as %q", c, at, text, got)
		}
	})
}

func FuzzNational(f *testing.F) {
	f.Add([]byte("\x2f\x42\x4c\x5f\x27\x59"), uint8(Hindi), uint8(Hindi))
	f.Add([]byte("\x1bs\x1b\x1b\x80\x1b"), uint8(0), uint8(Turkish))
	f.Add([]byte("\x00\x0c\x60"), uint8(Spanish), uint8(99))
	f.Fuzz(func(t *testing.T, octets []byte, locking, single uint8) {
		c := Coding{GSM7, Language(locking), Language(single)}
		text := string(c.appendDecoded(nil, octets))
		if !utf8.ValidString(text) || utf8.RuneCountInString(text) > len(octets) {
			t.Fatalf("%v: % x gives %q", c, octets, text)
		}
	})
}
