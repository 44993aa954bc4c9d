package mm7test

import (
	"container/heap"
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/heliograph/heliograph/internal/mm7"
)

// report is a DeliveryReportReq or ReadReplyReq that is to be taken by the VASP.
type report struct {
	messageID string
	recipient string
	sender    string
	status    string
	text      string
	read      bool
	due       time.Time
	order     uint64 // among those due at the same time
	tries     int
}

// outbox holds reports until they are due.
type outbox struct {
	wake  chan struct{} // of capacity 1
	mu    sync.Mutex
	queue dueHeap
	count uint64
}

type dueHeap []report

func (h dueHeap) Len() int { return len(h) }
func (h dueHeap) Less(i, j int) bool {
	if !h[i].due.Equal(h[j].due) {
		return h[i].due.Before(h[j].due)
	}
	return h[i].order < h[j].order
}
func (h dueHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *dueHeap) Push(x any)   { *h = append(*h, x.(report)) }
func (h *dueHeap) Pop() any {
	last := len(*h) - 1
	r := (*h)[last]
	*h = (*h)[:last]
	return r
}

func (o *outbox) add(reports ...report) {
	o.mu.Lock()
	for _, r := range reports {
		o.count++
		r.order = o.count
		heap.Push(&o.queue, r)
	}
	o.mu.Unlock()
	o.signal()
}

func (o *outbox) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// next takes out what is due. wait is how long until there may be something, negative when nothing waits.
func (o *outbox) next() (r report, wait time.Duration, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.queue) == 0 {
		return report{}, -1, false
	}
	if wait := time.Until(o.queue[0].due); wait > 0 {
		return report{}, wait, false
	}
	return heap.Pop(&o.queue).(report), 0, true
}

// remove forgets the reports of a message and says how many they were.
func (o *outbox) remove(messageID string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	kept := o.queue[:0]
	for _, r := range o.queue {
		if r.messageID != messageID {
			kept = append(kept, r)
		}
	}
	n := len(o.queue) - len(kept)
	clear(o.queue[len(kept):])
	o.queue = kept
	heap.Init(&o.queue)
	return n
}

func (o *outbox) holds(messageID string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range o.queue {
		if r.messageID == messageID {
			return true
		}
	}
	return false
}

// reportsOf makes what is to be told of a message.
func (m *MMSC) reportsOf(cfg *Config, s *Submit) []report {
	var reports []report
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, recipient := range s.Recipients {
		end, delivered := m.endOf(cfg, recipient)
		if cfg.ReportURL == "" || !s.Report && !cfg.ReportAlways {
			continue
		}
		r := report{messageID: s.MessageID, recipient: recipient, sender: s.Sender, status: end.MMStatus, text: end.StatusText}
		reports = append(reports, r)
		if m.chance(cfg.DuplicateReports) {
			reports = append(reports, r)
		}
		if m.chance(cfg.UnknownReports) {
			stranger := r
			stranger.messageID = "unknown-" + strconv.FormatInt(m.taken, 10)
			reports = append(reports, stranger)
		}
		if delivered && s.ReadReply && m.chance(cfg.Read) {
			r.read, r.status, r.text = true, mm7.MMRead, ""
			reports = append(reports, r)
		}
	}
	m.counters.Reports += int64(len(reports))
	m.counters.ReportsPending += int64(len(reports))
	m.changed()
	return reports
}

// endOf decides about one recipient. mu is held.
func (m *MMSC) endOf(cfg *Config, recipient string) (Failure, bool) {
	end, chosen := cfg.ReportOf[strings.TrimPrefix(recipient, "+")]
	switch {
	case chosen:
	case m.chance(cfg.Undelivered):
		end = cfg.Failures[m.failures%len(cfg.Failures)]
		m.failures++
	default:
		end.MMStatus = mm7.MMRetrieved
	}
	delivered := end.MMStatus == mm7.MMRetrieved
	if delivered {
		m.counters.Delivered++
	} else {
		m.counters.Undelivered++
	}
	return end, delivered
}

func (m *MMSC) enqueue(reports []report, due time.Time) {
	if len(reports) == 0 {
		return
	}
	for i := range reports {
		reports[i].due = due
	}
	m.outbox.add(reports...)
}

// sendNow sends reports before the answer; those that are not taken follow later.
func (m *MMSC) sendNow(ctx context.Context, reports []report) {
	for _, r := range reports {
		m.send(ctx, r)
	}
}

// sendReports sends what is due until ctx ends.
func (m *MMSC) sendReports(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		r, wait, ok := m.outbox.next()
		if ok {
			m.outbox.signal() // there may be more, for another sender
			m.send(ctx, r)
			continue
		}
		if wait < 0 {
			timer.Stop()
		} else {
			timer.Reset(wait)
		}
		select {
		case <-timer.C:
		case <-m.outbox.wake:
		case <-ctx.Done():
		}
	}
}

// send posts a report; one that is not taken waits for its next try.
func (m *MMSC) send(ctx context.Context, r report) {
	m.count(func(c *Counters) { c.ReportsSent++ })
	err := m.post(ctx, r)
	m.mu.Lock()
	retry, tries := m.cfg.RetryDelay, m.cfg.MaxTries
	switch r.tries++; {
	case err == nil:
		m.counters.ReportsAcked++
		m.counters.ReportsPending--
	case r.tries >= tries:
		m.counters.ReportsRefused++
		m.counters.ReportsLost++
		m.counters.ReportsPending--
	default:
		m.counters.ReportsRefused++
	}
	m.changed()
	m.mu.Unlock()
	if err != nil && r.tries < tries {
		m.enqueue([]report{r}, time.Now().Add(retry))
	}
}

func (m *MMSC) post(ctx context.Context, r report) error {
	recipient, sender := numberOf(r.recipient), numberOf(r.sender)
	m.mu.Lock()
	name := m.cfg.Name
	m.mu.Unlock()
	if r.read {
		_, err := m.ReadReply(ctx, &mm7.ReadReplyReq{
			MMSRelayServerID: name, MessageID: r.messageID, Recipient: recipient, Sender: sender, TimeStamp: time.Now(), MMStatus: r.status,
		})
		return err
	}
	_, err := m.Report(ctx, &mm7.DeliveryReportReq{
		MMSRelayServerID: name, MessageID: r.messageID, Recipient: recipient, Sender: sender, Date: time.Now(), MMStatus: r.status, StatusText: r.text,
	})
	return err
}

func numberOf(value string) mm7.Address {
	if strings.Contains(value, "@") {
		return mm7.Address{Kind: mm7.RFC2822, Value: value}
	}
	return mm7.Address{Value: value}
}
