package main

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// timings are the durations that are watched: they are counted as they happen.
type timings struct {
	requests  *prometheus.HistogramVec
	callbacks *prometheus.HistogramVec
}

func newTimings() *timings {
	buckets := []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	return &timings{
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "heliograph_request_seconds", Help: "Requests of the account API, by route and status.", Buckets: buckets,
		}, []string{"method", "route", "status"}),
		callbacks: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "heliograph_callback_seconds", Help: "Attempts to tell an account of an event.", Buckets: buckets,
		}, []string{"told"}),
	}
}

// served counts an answered request. A caller may invent methods: they must not become metrics.
func (t *timings) served(method, route string, status int, took time.Duration) {
	switch method {
	case http.MethodGet, http.MethodPost, http.MethodDelete:
	default:
		method = "other"
	}
	t.requests.WithLabelValues(method, route, strconv.Itoa(status)).Observe(took.Seconds())
}

// posted counts an attempt to tell an account of an event.
func (t *timings) posted(took time.Duration, told bool) {
	t.callbacks.WithLabelValues(strconv.FormatBool(told)).Observe(took.Seconds())
}

// registry gathers everything that /metrics shows. The parts count for themselves; they are read when somebody looks.
func (s *server) registry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		s.timings.requests,
		s.timings.callbacks,
		&meters{server: s},
		newConversionMeter(s),
	)
	return r
}

// meters reads the counters of the parts. It implements prometheus.Collector.
type meters struct{ server *server }

// meter describes one metric of ours; labels are the names of what its values are told apart by.
func meter(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("heliograph_"+name, help, labels, nil)
}

var (
	acceptedMeter    = meter("messages_accepted_total", "Messages accepted since the start.")
	waitingMeter     = meter("queue_messages", "Messages waiting in lanes.")
	lanesMeter       = meter("queue_lanes", "Lanes: senders with messages for a carrier.")
	bufferedMeter    = meter("queue_buffered", "Waiting messages that are in memory.")
	submitMeter      = meter("submits_total", "Parts submitted, by the carrier's answer.", "carrier", "answer")
	inFlightMeter    = meter("carrier_in_flight", "Parts without an answer.", "carrier")
	placesMeter      = meter("carrier_places", "Parts that may be outstanding at once; 0 while the carrier is down.", "carrier")
	slowedMeter      = meter("carrier_slowed_to", "Parts per second that a throttling carrier is slowed to; 0: not slowed.", "carrier")
	receiptMeter     = meter("receipts_total", "Delivery receipts that came from a carrier.", "carrier")
	broughtMeter     = meter("carrier_inbound_total", "Messages from handsets that a carrier brought, by what became of them.", "carrier", "outcome")
	intruderMeter    = meter("carrier_intruders_total", "Requests to a carrier's address with wrong credentials, or none.", "carrier")
	eventMeter       = meter("carrier_events_total", "What else carriers count, by what happened: what of it there is depends on the protocol.", "carrier", "event")
	parkedMeter      = meter("receipts_parked_total", "Receipts that came before their part was known.")
	inboundMeter     = meter("inbound_parts_total", "Parts of messages from handsets, by what became of them; what waited for other segments and was given up counts once more, as stored.", "outcome")
	partialMeter     = meter("inbound_partial_total", "Messages from handsets that were delivered without all of their segments.")
	answersMeter     = meter("inbound_answers_total", "Automatic answers to keywords that became messages.")
	optOutsMeter     = meter("opt_outs_total", "Changes of opt-outs that keywords asked for.", "change")
	sendersMeter     = meter("senders", "Senders that rest or probe because they deliver badly, over all countries.", "standing")
	replacedMeter    = meter("senders_replaced_total", "Numbers that kept falling behind and were replaced in their pools.")
	callbackMeter    = meter("callbacks_total", "Attempts to tell an account of an event, by what became of them.", "outcome")
	callbackQueue    = meter("callbacks_waiting", "Events that are not told yet.")
	callbackInFlight = meter("callbacks_in_flight", "Callbacks without an answer.")
	storeMeter       = meter("store_bytes", "Size of the store's files.", "file")
)

// Describe names nothing beforehand: what there is depends on the carriers.
func (m *meters) Describe(chan<- *prometheus.Desc) {}

// Collect reads the counters.
func (m *meters) Collect(out chan<- prometheus.Metric) {
	count := func(d *prometheus.Desc, value int64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), labels...)
	}
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	s := m.server
	count(acceptedMeter, s.service.Accepted())
	totals := s.dispatcher.Totals()
	gauge(waitingMeter, float64(totals.Messages))
	gauge(lanesMeter, float64(totals.Lanes))
	gauge(bufferedMeter, float64(totals.Buffered))
	for _, c := range s.dispatcher.Carriers() {
		for answer, n := range map[string]int64{
			"accepted": c.Accepted, "rejected": c.Rejected, "throttled": c.Throttled, "deferred": c.Deferred,
			"unanswered": c.Unanswered, "not_sent": c.NotSent,
		} {
			count(submitMeter, n, c.Name, answer)
		}
		gauge(inFlightMeter, float64(c.InFlight), c.Name)
		gauge(placesMeter, float64(c.Places), c.Name)
		gauge(slowedMeter, c.Brake, c.Name)
		count(receiptMeter, s.carriers.receipted(c.Name), c.Name)
		brought, intruders := s.carriers.brought(c.Name)
		for outcome, n := range brought {
			count(broughtMeter, n, c.Name, outcome)
		}
		if brought != nil && intruders >= 0 {
			count(intruderMeter, intruders, c.Name)
		}
		for event, n := range s.carriers.counted(c.Name) {
			count(eventMeter, n, c.Name, event)
		}
	}
	count(parkedMeter, s.receipts.Stats().Parked)
	inbound := s.inbound.Stats()
	for outcome, n := range map[string]int64{
		"stored": inbound.Stored, "waits": inbound.Waited, "repeated": inbound.Repeated, "unowned": inbound.Unowned, "failed": inbound.Failed,
	} {
		count(inboundMeter, n, outcome)
	}
	count(partialMeter, inbound.Partial)
	count(answersMeter, inbound.Answered)
	count(optOutsMeter, inbound.OptedOut, "opted_out")
	count(optOutsMeter, inbound.OptedIn, "opted_in")
	health := s.service.Health()
	gauge(sendersMeter, float64(health.Resting), "resting")
	gauge(sendersMeter, float64(health.Probing), "probing")
	count(replacedMeter, health.Replaced)
	told := s.callbacks.Stats()
	count(callbackMeter, told.Told, "told")
	count(callbackMeter, told.Failed, "failed")
	count(callbackMeter, told.GivenUp, "given_up")
	gauge(callbackQueue, float64(told.Waiting))
	gauge(callbackInFlight, float64(told.InFlight))
	if sizes, err := s.store.Stats(); err == nil {
		gauge(storeMeter, float64(sizes.Database), "database")
		gauge(storeMeter, float64(sizes.Log), "wal")
	}
}
