package main

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Conversions are counted over this time, and anew when somebody looks after this long.
const (
	conversionRange = 24 * time.Hour
	conversionFresh = time.Minute
)

// conversionMeter shows how trackable messages converted, by carrier: those are few. It implements prometheus.Collector.
type conversionMeter struct {
	desc  *prometheus.Desc
	count func(context.Context, gateway.ConversionFilter) ([]gateway.ConversionCount, error)
	until time.Duration // messages wait for feedback
	now   func() time.Time

	mu     sync.Mutex
	at     time.Time
	counts []gateway.ConversionCount
}

func newConversionMeter(s *server) *conversionMeter {
	return &conversionMeter{
		desc:  meter("conversions", "Trackable messages of the last 24 hours that a carrier took, by what their accounts said of them.", "carrier", "outcome"),
		count: s.store.Conversions, until: time.Duration(s.cfg.ConversionWindow), now: time.Now,
	}
}

// Describe names nothing beforehand: what there is depends on the carriers.
func (m *conversionMeter) Describe(chan<- *prometheus.Desc) {}

// Collect counts, unless that was done a short time ago. While the store cannot tell, the last counts stay.
func (m *conversionMeter) Collect(out chan<- prometheus.Metric) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := m.now(); now.Sub(m.at) >= conversionFresh {
		m.at = now
		filter := gateway.ConversionFilter{By: gateway.ByCarrier, After: now.Add(-conversionRange), Settled: now.Add(-m.until)}
		if counts, err := m.count(context.Background(), filter); err == nil {
			m.counts = counts
		}
	}
	for i := range m.counts {
		c := &m.counts[i]
		for outcome, n := range map[string]int{
			"converted": c.Converted, "converted_with_others": c.ConvertedWithOthers, "not_converted": c.NotConverted, "pending": c.Pending,
		} {
			out <- prometheus.MustNewConstMetric(m.desc, prometheus.GaugeValue, float64(n), c.Name, outcome)
		}
	}
}
