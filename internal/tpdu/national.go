package tpdu

// Language is a national language whose shift tables a header names: 3GPP TS 23.038, 6.2.1.2.4.
type Language uint8

// NoLanguage is the default alphabet, or its extension table.
const NoLanguage Language = 0

// The languages that have tables. Spanish has none for locking shift.
const (
	Turkish Language = iota + 1
	Spanish
	Portuguese
	Bengali
	Gujarati
	Hindi
	Kannada
	Malayalam
	Oriya
	Punjabi
	Tamil
	Telugu
	Urdu
)

// table is an alphabet of septets: a character by code. A zero is a code without a character.
type table = [128]rune

// lockingTables are those that take the place of the default alphabet, by language: 3GPP TS 23.038, A.3. A nil one does not exist.
var lockingTables = [Urdu + 1]*table{
	Turkish: changed(basic, map[uint8]rune{
		0x04: '€', 0x07: 'ı', 0x0b: 'Ğ', 0x0c: 'ğ', 0x1c: 'Ş', 0x1d: 'ş', 0x40: 'İ', 0x60: 'ç',
	}),
	Portuguese: changed(basic, map[uint8]rune{
		0x04: 'ê', 0x06: 'ú', 0x07: 'í', 0x08: 'ó', 0x09: 'ç', 0x0b: 'Ô', 0x0c: 'ô', 0x0e: 'Á', 0x0f: 'á', 0x12: 'ª', 0x13: 'Ç', 0x14: 'À', 0x15: '∞',
		0x16: '^', 0x17: '\\', 0x18: '€', 0x19: 'Ó', 0x1a: '|', 0x1c: 'Â', 0x1d: 'â', 0x1e: 'Ê', 0x24: 'º', 0x40: 'Í', 0x5b: 'Ã', 0x5c: 'Õ', 0x5d: 'Ú',
		0x60: '~', 0x7b: 'ã', 0x7c: 'õ', 0x7d: '`',
	}),
	Bengali:   indic(0x0980, "\x0d\x0e\x11\x12\x29\x31\x33\x34\x35\x45\x46\x49\x4a", "\x4e\x57\x5c\x5d\x70\x71"),
	Gujarati:  indic(0x0a80, "\x0e\x12\x29\x31\x34\x46\x4a", "\x50\x60\x61\x62\x63\x71"),
	Hindi:     indic(0x0900, "", "\x50\x72\x7b\x7c\x7e\x7f"),
	Kannada:   indic(0x0c80, "\x01\x0d\x11\x29\x34\x45\x49", "\x55\x56\x60\x61\x62\x63"),
	Malayalam: indic(0x0d00, "\x01\x0d\x11\x29\x3c\x45\x49", "\x57\x60\x61\x62\x63\x79"),
	Oriya:     indic(0x0b00, "\x0d\x0e\x11\x12\x29\x31\x34\x45\x46\x49\x4a", "\x56\x57\x60\x61\x62\x63"),
	Punjabi:   indic(0x0a00, "\x0b\x0c\x0d\x0e\x11\x12\x29\x31\x34\x37\x3d\x43\x44\x45\x46\x49\x4a", "\x51\x70\x71\x72\x73\x74"),
	Tamil: indic(0x0b80, "\x01\x0b\x0c\x0d\x11\x16\x17\x18\x1b\x1d\x20\x21\x22\x25\x26\x27\x2b\x2c\x2d\x3c\x3d\x43\x44\x45\x49",
		"\x50\x57\x70\x71\x72\x79"),
	Telugu: indic(0x0c00, "\x0d\x11\x29\x34\x3c\x45\x49", "\x55\x56\x60\x61\x62\x63"),
	Urdu: filled(lockingFrame, []rune("\u0627\u0622\u0628\u067b\u0680\u067e\u06a6\u062a\u06c2\u067f\u0679\u067d\u067a\u067c\u062b\u062c"+
		"\u0681\u0684\u0683\u0685\u0686\u0687\u062d\u062e\u062f\u068c\u0688\u0689\u068a\u068f\u068d\u0630\u0631\u0691\u0693\u0699\u0632\u0696\u0698"+
		"\u069a\u0633\u0634\u0635\u0636\u0637\u0638\u0639\u0641\u0642\u06a9\u06aa\u06ab\u06af\u06b3\u06b1\u0644\u0645\u0646\u06ba\u06bb\u06bc\u0648"+
		"\u06c4\u06d5\u06c1\u06be\u0621\u06cc\u06d0\u06d2\u064d\u0650\u064f\u0657\u0654\u0655\u0651\u0653\u0656\u0670")),
}

// singleTables are those that take the place of the extension table, by language: 3GPP TS 23.038, A.2.
var singleTables = [Urdu + 1]*table{
	Turkish: changed(extension, map[uint8]rune{0x47: 'Ğ', 0x49: 'İ', 0x53: 'Ş', 0x63: 'ç', 0x67: 'ğ', 0x69: 'ı', 0x73: 'ş'}),
	Spanish: changed(extension, map[uint8]rune{
		0x09: 'ç', 0x41: 'Á', 0x49: 'Í', 0x4f: 'Ó', 0x55: 'Ú', 0x61: 'á', 0x69: 'í', 0x6f: 'ó', 0x75: 'ú',
	}),
	Portuguese: changed(extension, map[uint8]rune{
		0x05: 'ê', 0x09: 'ç', 0x0b: 'Ô', 0x0c: 'ô', 0x0e: 'Á', 0x0f: 'á', 0x12: 'Φ', 0x13: 'Γ', 0x15: 'Ω', 0x16: 'Π', 0x17: 'Ψ', 0x18: 'Σ', 0x19: 'Θ',
		0x1f: 'Ê', 0x41: 'À', 0x49: 'Í', 0x4f: 'Ó', 0x55: 'Ú', 0x5b: 'Ã', 0x5c: 'Õ', 0x61: 'Â', 0x69: 'í', 0x6f: 'ó', 0x75: 'ú', 0x7b: 'ã', 0x7c: 'õ',
		0x7f: 'â',
	}),
	Bengali: filled(singleFrame, []rune("\u09e6\u09e7\u09e8\u09e9\u09ea\u09eb\u09ec\u09ed\u09ee\u09ef\u09df\u09e0\u09e1\u09e2\u09e3"+
		"\u09f2\u09f3\u09f4\u09f5\u09f6\u09f7\u09f8\u09f9\u09fa")),
	Gujarati: filled(singleFrame, digits(dandas, 0x0ae6)),
	Hindi: filled(singleFrame, digits(dandas, 0x0966,
		0x0951, 0x0952, 0x0953, 0x0954, 0x0958, 0x0959, 0x095a, 0x095b, 0x095c, 0x095d, 0x095e, 0x095f, 0x0960, 0x0961, 0x0962, 0x0963, 0x0970, 0x0971)),
	Kannada:   filled(singleFrame, digits(dandas, 0x0ce6, 0x0cde, 0x0cf1, 0x0cf2)),
	Malayalam: filled(singleFrame, digits(dandas, 0x0d66, 0x0d70, 0x0d71, 0x0d72, 0x0d73, 0x0d74, 0x0d75, 0x0d7a, 0x0d7b, 0x0d7c, 0x0d7d, 0x0d7e, 0x0d7f)),
	Oriya:     filled(singleFrame, digits(dandas, 0x0b66, 0x0b5c, 0x0b5d, 0x0b5f, 0x0b70, 0x0b71)),
	Punjabi:   filled(singleFrame, digits(dandas, 0x0a66, 0x0a59, 0x0a5a, 0x0a5b, 0x0a5c, 0x0a5e, 0x0a75)),
	Tamil:     filled(singleFrame, digits(dandas, 0x0be6, 0x0bf3, 0x0bf4, 0x0bf5, 0x0bf6, 0x0bf7, 0x0bf8, 0x0bfa)),
	Telugu:    filled(singleFrame, digits(noDandas, 0x0c66, 0x0c58, 0x0c59, 0x0c78, 0x0c79, 0x0c7a, 0x0c7b, 0x0c7c, 0x0c7d, 0x0c7e, 0x0c7f)),
	Urdu: filled(singleFrame, digits("\u0600\u0601", 0x06f0, 0x060c, 0x060d, 0x060e, 0x060f, 0x0610, 0x0611, 0x0612, 0x0613, 0x0614, 0x061b, 0x061f, 0x0640,
		0x0652, 0x0658, 0x066b, 0x066c, 0x0672, 0x0673, 0x06cd, 0x06d4)),
}

// What most single shift tables have before their digits.
const (
	dandas   = "\u0964\u0965"
	noDandas = "\x00\x00"
)

// What the tables of all languages of India and Pakistan have in common; a slot is for the language's own characters, in the order of the codes.
const (
	slot  = '·'
	never = '\x00'

	lockingFrame = "··········\n··\r··" + "··········· ····" + " !······)(··,·.·" + "0123456789:;···?" +
		"················" + "················" + "·abcdefghijklmno" + "pqrstuvwxyz·····"
	singleFrame = "@£$¥¿\"¤%&'\f*+\x00-/" + "<=>¡^¡_#*··\x00····" + "········{}·····\\" + "············[~]·" +
		"|ABCDEFGHIJKLMNO" + "PQRSTUVWXYZ\x00\x00\x00\x00\x00" + "\x00\x00\x00\x00\x00€"
)

// changed is a table with other characters at some codes.
func changed(t table, at map[uint8]rune) *table {
	for code, r := range at {
		t[code] = r
	}
	return &t
}

// filled puts a language's characters into the slots of a frame. There may be fewer than slots: the others have none.
func filled(frame string, own []rune) *table {
	var t table
	code := 0
	for _, r := range frame {
		if r == slot {
			r = never
			if len(own) > 0 {
				r, own = own[0], own[1:]
			}
		}
		t[code] = r
		code++
	}
	return &t
}

// digits gives what fills a single shift table: two characters, ten digits, and others.
func digits(before string, zero rune, others ...rune) []rune {
	own := []rune(before)
	for d := range rune(10) {
		own = append(own, zero+d)
	}
	return append(own, others...)
}

// indic makes a locking shift table of a script whose Unicode block has the layout that all scripts of India share: signs, vowels, consonants and vowel
// signs stand in the order of the block, but for those that the table leaves out. What follows the vowel signs is each script's own. Both are
// offsets in the block.
func indic(block rune, without, others string) *table {
	var own []rune
	for _, part := range [...]struct{ first, last rune }{{0x01, 0x03}, {0x05, 0x39}, {0x3c, 0x4d}} {
		for offset := part.first; offset <= part.last; offset++ {
			r := block + offset
			for _, w := range without {
				if w == offset {
					r = never
				}
			}
			own = append(own, r)
		}
	}
	for _, offset := range others {
		own = append(own, block+offset)
	}
	return filled(lockingFrame, own)
}

// tables gives those of the languages. A language that has none, or that nobody knows, stands for the default: 3GPP TS 23.040, 9.2.3.24.15 and 16.
func tables(locking, single Language) (letters, shifted *table) {
	letters, shifted = &basic, &extension
	if int(locking) < len(lockingTables) && lockingTables[locking] != nil {
		letters = lockingTables[locking]
	}
	if int(single) < len(singleTables) && singleTables[single] != nil {
		shifted = singleTables[single]
	}
	return letters, shifted
}
