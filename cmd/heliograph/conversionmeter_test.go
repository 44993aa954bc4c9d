package main

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/heliograph/heliograph/internal/gateway"
)

// TestConversionMeter: however often somebody looks, the store is asked once a minute; what it said stays when it cannot say.
func TestConversionMeter(t *testing.T) {
	now := time.Date(2026, 5, 6, 12, 0, 0, 0, time.UTC)
	var asked []gateway.ConversionFilter
	var fail error
	m := &conversionMeter{
		desc: meter("conversions", "", "carrier", "outcome"), until: time.Hour, now: func() time.Time { return now },
		count: func(_ context.Context, f gateway.ConversionFilter) ([]gateway.ConversionCount, error) {
			asked = append(asked, f)
			return []gateway.ConversionCount{{Name: "main", Converted: len(asked), Pending: 3}}, fail
		},
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(m)
	values := func() (list []float64) {
		t.Helper()
		families, err := registry.Gather()
		if err != nil || len(families) != 1 || families[0].GetName() != "heliograph_conversions" {
			t.Fatalf("gathered %v, %v", families, err)
		}
		for _, metric := range families[0].GetMetric() {
			list = append(list, metric.GetGauge().GetValue())
		}
		return list
	}
	for range 3 {
		if got := values(); !slices.Equal(got, []float64{1, 0, 0, 3}) {
			t.Errorf("shows %v", got)
		}
	}
	now, fail = now.Add(time.Minute), errors.New("busy")
	if got := values(); !slices.Equal(got, []float64{1, 0, 0, 3}) {
		t.Errorf("shows %v while the store is busy", got)
	}
	now, fail = now.Add(time.Minute), nil
	if got := values(); !slices.Equal(got, []float64{3, 0, 0, 3}) {
		t.Errorf("shows %v later", got)
	}
	if want := (gateway.ConversionFilter{After: now.Add(-24 * time.Hour), Settled: now.Add(-time.Hour)}); len(asked) != 3 || asked[2] != want {
		t.Errorf("asked for %+v, want %+v at last", asked, want)
	}
}
