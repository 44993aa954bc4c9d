package mt

import (
	"context"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

// Estimate tells when messages are expected to leave, in their order; zero for those that do not wait, or wait for an operator. It counts what waits
// before each of them, by the rates and caps of their senders, campaigns and accounts as they are now; a carrier's own pace and outages come on top.
func (s *Service) Estimate(ctx context.Context, messages []*gateway.Message) ([]time.Time, error) {
	times := make([]time.Time, len(messages))
	var places []gateway.LanePosition
	var of []int // the message of each place
	for i, m := range messages {
		if m.State == gateway.Queued && m.Direction == gateway.Outbound {
			places, of = append(places, gateway.LanePosition{LaneKey: m.Lane(), Seq: m.ID.Seq()}), append(of, i)
		}
	}
	if len(places) == 0 {
		return times, nil
	}
	before, err := s.Store.UnitsBefore(ctx, places)
	if err != nil {
		return nil, err
	}
	d := s.Dispatcher
	now := s.Now().UnixNano()
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, units := range before {
		m := messages[of[i]]
		l := d.lanes[m.Lane()]
		if l == nil {
			continue
		}
		if _, flying := d.flying[m.ID.Seq()]; flying { // it is leaving just now, or was refused for the moment
			times[of[i]] = moment(now)
			continue
		}
		times[of[i]] = l.estimate(m, max(0, units-l.gone), now)
	}
	return times, nil
}

// estimate is when a message of the lane is expected to leave that has so many units before it. Of what waits for a campaign or an account, the part is
// taken to be before it that is before it in its lane: lanes take turns.
func (l *lane) estimate(m *gateway.Message, before int, now int64) time.Time {
	at := l.sender.BehindAt(now, before, l.sender.aboard, m.Units)
	for _, shared := range [...]*scope{l.sender.campaign, l.account} {
		if shared == nil || !shared.Limited() {
			continue
		}
		ahead := before
		if l.units > 0 {
			ahead = int(float64(shared.queued) * min(1, float64(before)/float64(l.units)))
		}
		at = max(at, shared.BehindAt(now, max(before, ahead), shared.aboard, m.Units))
	}
	if !m.DueAt.IsZero() {
		at = max(at, m.DueAt.UnixNano())
	}
	return moment(at)
}
