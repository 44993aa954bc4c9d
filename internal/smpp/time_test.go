package smpp

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTimes(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		text string
		want time.Time // zero: an error
	}{
		{"261124120000000+", now},
		{"261124140000008+", now},
		{"261124070000020-", now},
		{"261124120000500+", now.Add(500 * time.Millisecond)},
		{"000000010203000R", now.Add(time.Hour + 2*time.Minute + 3*time.Second)},
		{"010203000000000R", time.Date(2028, 1, 27, 12, 0, 0, 0, time.UTC)},
		{"", time.Time{}},
		{"261324120000000+", time.Time{}},
		{"261124120000000", time.Time{}},
		{"261124120000000*", time.Time{}},
		{"26112412000000x+", time.Time{}},
		{"2611241200000490", time.Time{}},
		{"26112412000x000+", time.Time{}},
		{"261124120000049+", time.Time{}},
	} {
		got, err := ParseTime(test.text, now)
		if !got.Equal(test.want) || (err != nil) != test.want.IsZero() {
			t.Errorf("%q: %v, %v", test.text, got, err)
		}
	}
}

func TestRelativeTimeBounds(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second:            "000000000001000R",
		0:                       "000000000001000R",
		1001 * time.Millisecond: "000000000002000R",
		24 * time.Hour:          "000001000000000R",
		1000 * 24 * time.Hour:   "000099000000000R",
	} {
		if got := RelativeTime(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

func TestTimesComeBack(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(1, 99*86400).Draw(t, "seconds")) * time.Second
		for _, text := range []string{RelativeTime(d), AbsoluteTime(now.Add(d))} {
			if got, err := ParseTime(text, now); err != nil || !got.Equal(now.Add(d)) {
				t.Fatalf("%s: %v, %v; want %v", text, got, err, now.Add(d))
			}
		}
	})
}
