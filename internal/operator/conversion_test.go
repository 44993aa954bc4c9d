package operator

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/heliograph/heliograph/internal/gateway"
)

func (f *fixture) Conversions(_ context.Context, filter gateway.ConversionFilter) ([]gateway.ConversionCount, error) {
	f.counted = filter
	if f.countries != nil {
		return f.countries, f.fail
	}
	return []gateway.ConversionCount{
		{Name: "main", Converted: 3, ConvertedWithOthers: 1, NotConverted: 4, Pending: 2}, {Name: "", Pending: 1},
	}, f.fail
}

func (f *fixture) ConversionBlocks(_ context.Context, filter gateway.ConversionFilter) ([]gateway.ConversionCount, error) {
	f.counted = filter
	list := f.blocks[filter.Country]
	if f.manyBlocks && filter.Before.Sub(filter.After) > 6*time.Hour {
		list = make([]gateway.ConversionCount, filter.Limit)
	}
	return list, f.fail
}

// TestConversionsByNetwork: blocks of one network are counted together, where the numbering plan tells the network; those with the most messages come first.
func TestConversionsByNetwork(t *testing.T) {
	f := newFixture()
	f.countries = []gateway.ConversionCount{{Name: "CN"}, {Name: "US", Converted: 1, Pending: 1}, {Name: "CA", Converted: 1}, {Name: "", NotConverted: 1}, {Name: "GN"}}
	f.blocks = map[string][]gateway.ConversionCount{
		"CN": {
			{Name: "8613912345678", Converted: 1, NotConverted: 1}, {Name: "8613812345678", ConvertedWithOthers: 1, Pending: 2}, {Name: "8613012345678", Converted: 1},
		},
		"GN": {{Name: "not a number", NotConverted: 1}},
	}
	group := func(country, network string, counts ...any) map[string]any {
		return map[string]any{
			"country_iso2": country, "network": network, "messages": counts[0], "converted": counts[1], "converted_with_others": counts[2],
			"not_converted": counts[3], "pending": counts[4], "rate": counts[5],
		}
	}
	ask := func(query string, want ...any) {
		t.Helper()
		_, fields := f.call(t, "GET", "/admin/v1/conversions?by=network"+query, "", bearer)
		if diff := gocmp.Diff(want, fields["conversions"]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	ask("&limit=4",
		group("CN", "China Mobile", 5.0, 1.0, 1.0, 1.0, 2.0, 1.0/3),
		group("US", "", 2.0, 1.0, 0.0, 0.0, 1.0, 1.0),
		group("", "", 1.0, 0.0, 0.0, 1.0, 0.0, 0.0),
		group("CA", "", 1.0, 1.0, 0.0, 0.0, 0.0, 1.0))
	if f.counted.Limit != maxBlocks+1 || f.counted.Country != "GN" {
		t.Errorf("asked for %+v", f.counted)
	}
	f.manyBlocks, f.countries = true, f.countries[:1] // a day of them is taken in four parts
	ask("",
		group("CN", "China Mobile", 20.0, 4.0, 4.0, 4.0, 8.0, 1.0/3),
		group("CN", "China Unicom", 4.0, 4.0, 0.0, 0.0, 0.0, 1.0))
	f.fail = errors.New("no")
	if status, _ := f.call(t, "GET", "/admin/v1/conversions?by=network", "", bearer); status != http.StatusInternalServerError {
		t.Errorf("a store that fails: %d", status)
	}
}

func TestConversions(t *testing.T) {
	day := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	settled := noon.Add(-time.Hour)
	for query, want := range map[string]gateway.ConversionFilter{
		"": {After: noon.Add(-24 * time.Hour), Before: noon, Settled: settled, Limit: 100},
		"?by=sender&carrier=main&sender=%2B1+415&country_iso2=us&auth_id=" + string(anAccount) + "&limit=5": {
			By: gateway.BySender, Carrier: "main", Sender: "1415", Country: "US", Account: anAccount, After: noon.Add(-24 * time.Hour), Before: noon, Settled: settled, Limit: 5,
		},
		"?by=country&until=2026-05-02&from=2026-05-01T02:00:00%2B02:00": {
			By: gateway.ByCountry, After: day, Before: day.Add(24 * time.Hour), Settled: settled, Limit: 100,
		},
	} {
		f := newFixture()
		if status, fields := f.call(t, "GET", "/admin/v1/conversions"+query, "", bearer); status != http.StatusOK {
			t.Fatalf("%s: %d %v", query, status, fields)
		}
		if f.counted.After.Equal(want.After) {
			f.counted.After = want.After
		}
		if diff := gocmp.Diff(want, f.counted); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	for _, query := range []string{"?by=prefix", "?from=noon", "?until=1", "?limit=0", "?auth_id=x", "?status=CONVERTED"} {
		if status, _ := newFixture().call(t, "GET", "/admin/v1/conversions"+query, "", bearer); status != http.StatusBadRequest {
			t.Errorf("%s: %d", query, status)
		}
	}
}

func TestConversionsAreShown(t *testing.T) {
	counts := func(name string, value any, rest map[string]any) map[string]any {
		if name != "" {
			rest[name] = value
		}
		return rest
	}
	for by, names := range map[string][2]any{"carrier": {"main", nil}, "sender": {"main", nil}, "country": {"main", ""}} {
		field := map[string]string{"carrier": "carrier", "sender": "sender", "country": "country_iso2"}[by]
		second := field
		if names[1] == nil {
			second = ""
		}
		_, fields := newFixture().call(t, "GET", "/admin/v1/conversions?by="+by, "", bearer)
		want := []any{
			counts(field, names[0], map[string]any{
				"messages": 10.0, "converted": 3.0, "converted_with_others": 1.0, "not_converted": 4.0, "pending": 2.0, "rate": 0.375,
			}),
			counts(second, names[1], map[string]any{
				"messages": 1.0, "converted": 0.0, "converted_with_others": 0.0, "not_converted": 0.0, "pending": 1.0, "rate": nil,
			}),
		}
		if diff := gocmp.Diff(want, fields["conversions"]); diff != "" {
			t.Errorf("by %s (-want +got):\n%s", by, diff)
		}
		if fields["window_seconds"] != 3600.0 || fields["until"] != "2026-05-06T12:00:00Z" {
			t.Errorf("by %s: %v", by, fields)
		}
	}
}
