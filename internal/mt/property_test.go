package mt

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/heliograph/heliograph/internal/gateway"
)

// scenario is a random life of a gateway. Everything random is in it, so that a failure can be played again.
type scenario struct {
	Seed    uint64
	Hold    bool
	Doubt   bool // submits may go unanswered and processes may be killed
	Sticky  bool // so is the powerpack that has all senders
	Rates   []float64
	Homes   []int // of each sender: 0 by route, else the network that hosts it, from 1
	Caps    []int // of each sender, units a day; 0: none
	Shared  scenarioShared
	Latency int // of a store step, milliseconds at most
	Nets    []scenarioNet
	Steps   []scenarioStep
}

type scenarioNet struct {
	Places  int
	Latency int // milliseconds at most
	OnePart bool
	Rate    float64                       // parts a second
	Faults  map[gateway.OutcomeStatus]int // shares of 100
}

// scenarioShared is what senders share: the first Members of them a campaign.
type scenarioShared struct {
	Account  float64 // units a second; 0: unlimited
	Campaign float64
	Cap      int // units a day of the campaign; 0: none
	Members  int
	Start    time.Duration // after midnight
}

type scenarioStep struct {
	After  int // milliseconds after the step before
	Kind   string
	Who    int // sender or network
	To     int // route
	Units  int
	Burst  int
	Expiry int     // seconds
	Rate   float64 // new
}

var kinds = []string{
	"send", "send", "send", "send", "send", "send", "send", "send", "send", "burst", "burst", "pick", "pick", "pick", "pick", "pick", "picks",
	"down", "up", "pause", "resume", "full", "room", "restart", "rate", "refuse", "allow", "kill",
	"leave", "leave", "enter", "halt", "proceed",
}

func drawScenario(t *rapid.T) scenario {
	s := scenario{
		Seed: rapid.Uint64().Draw(t, "seed"), Hold: rapid.Bool().Draw(t, "hold"), Doubt: rapid.Bool().Draw(t, "doubt"),
		Sticky:  rapid.Bool().Draw(t, "sticky"),
		Latency: rapid.SampledFrom([]int{0, 2, 20, 400}).Draw(t, "storeLatency"),
	}
	rate := rapid.SampledFrom([]float64{0, 0, 0.0166, 0.25, 1, 7, 100})
	s.Rates = rapid.SliceOfN(rate, 1, 4).Draw(t, "rates")
	s.Homes = rapid.SliceOfN(rapid.IntRange(0, 2), len(s.Rates), len(s.Rates)).Draw(t, "homes")
	limit := rapid.SampledFrom([]int{0, 0, 0, 3, 20, 60})
	s.Caps = rapid.SliceOfN(limit, len(s.Rates), len(s.Rates)).Draw(t, "caps")
	shared := rapid.SampledFrom([]float64{0, 0, 0, 0.1, 2, 30})
	s.Shared = scenarioShared{
		Account: shared.Draw(t, "accountRate"), Campaign: shared.Draw(t, "campaignRate"), Cap: limit.Draw(t, "campaignCap"),
		Members: rapid.IntRange(0, len(s.Rates)).Draw(t, "members"),
		Start:   rapid.SampledFrom([]time.Duration{0, 24*time.Hour - 10*time.Second}).Draw(t, "start"),
	}
	for range 2 {
		n := scenarioNet{
			Places: rapid.SampledFrom([]int{1, 2, 10, 100}).Draw(t, "places"), Latency: rapid.SampledFrom([]int{0, 50, 3000}).Draw(t, "latency"),
			OnePart: rapid.Bool().Draw(t, "onePart"), Rate: rapid.SampledFrom([]float64{0, 0, 0, 20, 0.5}).Draw(t, "carrierRate"),
			Faults: map[gateway.OutcomeStatus]int{},
		}
		for _, status := range []gateway.OutcomeStatus{gateway.Rejected, gateway.Throttled, gateway.Deferred, gateway.NotSent, gateway.Unanswered} {
			if status != gateway.Unanswered || s.Doubt {
				n.Faults[status] = rapid.SampledFrom([]int{0, 0, 5, 15}).Draw(t, "share")
			}
		}
		s.Nets = append(s.Nets, n)
	}
	s.Steps = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) scenarioStep {
		return scenarioStep{
			After: rapid.SampledFrom([]int{0, 0, 1, 30, 1000, 7000}).Draw(t, "after"), Kind: rapid.SampledFrom(kinds).Draw(t, "kind"),
			Who: rapid.IntRange(0, 3).Draw(t, "who"), To: rapid.IntRange(1, 2).Draw(t, "to"), Units: rapid.IntRange(1, 4).Draw(t, "units"),
			Burst:  rapid.SampledFrom([]int{10, 30, 100}).Draw(t, "burst"),
			Expiry: rapid.SampledFrom([]int{5, 30, 10800, 10800, 10800}).Draw(t, "expiry"), Rate: rate.Draw(t, "rate"),
		}
	}), 5, 60).Draw(t, "steps")
	return s
}

// life plays a scenario and keeps what is needed to judge it.
type life struct {
	scenario
	w        *world
	mu       sync.Mutex
	accepted map[gateway.ID]bool
	kills    int
	dropped  bool     // a process stopped without being able to write what it knew
	moves    bool     // numbers left the pool
	stale    []string // what was wrong with the pools' indexes meanwhile
	full     bool
	rates    map[string]float64 // greatest of each sender; 0: unlimited
	wg       sync.WaitGroup
}

const testCampaign = "campaign"

func senderName(i int) string { return fmt.Sprintf("1415555010%d", i) }

func playScenario(s scenario) *life {
	var nets []*network
	for i, n := range s.Nets {
		net := &network{
			name: fmt.Sprintf("net%d", i+1), places: n.Places, latency: time.Duration(n.Latency) * time.Millisecond, onePart: n.OnePart,
		}
		for status := gateway.Accepted; status <= gateway.Unanswered; status++ {
			net.shares = append(net.shares, outcomeShare{status, n.Faults[status]})
		}
		nets = append(nets, net)
	}
	l := &life{scenario: s, w: newWorld(s.Seed, nets...), accepted: map[gateway.ID]bool{}, rates: map[string]float64{}}
	l.w.settings = func(i int) CarrierSettings {
		return CarrierSettings{Hold: s.Hold, Rate: s.Nets[i].Rate}
	}
	time.Sleep(s.Shared.Start)
	if s.Latency > 0 {
		random, mu := rand.New(rand.NewPCG(s.Seed, 99)), sync.Mutex{}
		l.w.store.latency = func() time.Duration {
			mu.Lock()
			defer mu.Unlock()
			return time.Duration(random.IntN(s.Latency*1000)) * time.Microsecond
		}
	}
	for i, rate := range s.Rates {
		home := ""
		if s.Homes[i] > 0 {
			home = nets[s.Homes[i]-1].name
		}
		l.w.number(senderName(i), home, rate)
		l.rates[senderName(i)] = rate
		n := &l.w.store.numbers[i]
		n.DailyCap = s.Caps[i]
		if i < s.Shared.Members {
			n.Campaign = testCampaign
		}
	}
	l.w.store.campaigns = []gateway.Campaign{{ID: testCampaign, Account: testAccount, Rate: s.Shared.Campaign, DailyCap: s.Shared.Cap}}
	if s.Shared.Account > 0 {
		l.w.store.rates = map[gateway.AccountID]float64{testAccount: s.Shared.Account}
	}
	l.w.pack(gateway.Powerpack{Sticky: s.Sticky})
	l.w.start()
	for _, step := range s.Steps {
		time.Sleep(time.Duration(step.After) * time.Millisecond)
		l.do(step)
		l.stale = append(l.stale, l.w.process.auditPools()...)
	}
	l.heal()
	l.wg.Wait()
	l.w.settleDown(6 * time.Hour)
	time.Sleep(20 * time.Minute) // lanes of slow senders find out at their next turn that they are empty
	synctest.Wait()
	return l
}

func (l *life) do(step scenarioStep) {
	net := l.w.networks[step.Who%len(l.w.networks)]
	switch step.Kind {
	case "send":
		l.send(senderName(step.Who%len(l.Rates)), step)
	case "burst":
		for range step.Burst {
			l.send(senderName(step.Who%len(l.Rates)), step)
		}
	case "pick":
		l.send("", step)
	case "picks":
		for range step.Burst {
			l.send("", step)
		}
	case "down":
		net.set(func() { net.down = true })
	case "up":
		net.set(func() { net.down = false })
	case "refuse":
		net.set(func() { net.refuse = true })
	case "allow":
		net.set(func() { net.refuse = false })
	case "pause":
		_ = l.w.process.dispatcher.Pause(net.name)
	case "resume":
		_ = l.w.process.dispatcher.Resume(net.name)
	case "full", "room":
		l.full = step.Kind == "full"
		l.w.store.setFull(l.full)
	case "rate":
		l.setRate(senderName(step.Who%len(l.Rates)), step.Rate)
	case "leave", "enter":
		l.moves = true
		l.change(step, func(n *gateway.Number) {
			if n.Pool = (gateway.ID{}); step.Kind == "enter" {
				n.Pool = l.w.store.powerpacks[0].Pool
			}
		})
	case "halt", "proceed":
		l.change(step, func(n *gateway.Number) { n.Paused = step.Kind == "halt" })
	case "restart":
		if l.full && !l.Doubt { // what cannot be written at a stop is in doubt afterwards
			return
		}
		l.dropped = l.dropped || l.full
		l.w.store.setFull(false)
		l.w.process.stop()
		l.w.start()
		l.full = false
	case "kill":
		if !l.Doubt {
			return
		}
		l.kills++
		l.w.process.kill()
		l.w.store.setFull(false)
		l.full = false
		time.Sleep(time.Duration(2*l.Latency) * time.Millisecond) // steps of the dead process that had begun
		l.w.start()
	}
}

// send accepts a message from a sender, or from the powerpack when from is empty.
func (l *life) send(from string, step scenarioStep) {
	to := fmt.Sprintf("%d2025550%03d", step.To, step.Units)
	p := l.w.process
	l.wg.Go(func() {
		id, err := p.send(from, to, step.Units, time.Duration(step.Expiry)*time.Second)
		l.mu.Lock()
		defer l.mu.Unlock()
		if err == nil {
			l.accepted[id] = true
		}
	})
}

// change changes a sender in the roster.
func (l *life) change(step scenarioStep, change func(*gateway.Number)) {
	l.w.store.mu.Lock()
	change(&l.w.store.numbers[step.Who%len(l.Rates)])
	l.w.store.mu.Unlock()
	if err := l.w.process.service.Refresh(context.Background()); err != nil {
		panic(err)
	}
}

// setRate changes a sender's rate while it runs. The bound that is checked afterwards is the greatest it had.
func (l *life) setRate(sender string, rate float64) {
	l.w.setRate(sender, rate)
	if err := l.w.process.service.Refresh(context.Background()); err != nil {
		panic(err)
	}
	if rate == 0 || l.rates[sender] != 0 && rate > l.rates[sender] {
		l.rates[sender] = rate
	}
}

// heal takes all faults away.
func (l *life) heal() {
	l.w.store.setFull(false)
	for i := range l.Rates {
		l.change(scenarioStep{Who: i}, func(n *gateway.Number) { n.Paused = false })
	}
	for _, n := range l.w.networks {
		n.set(func() { n.down, n.refuse, n.shares = false, false, nil })
		_ = l.w.process.dispatcher.Resume(n.name)
	}
}

// judge lists what is wrong with a life.
func (l *life) judge() (wrong []string) {
	attempts := l.w.attempts()
	slices.SortStableFunc(attempts, func(a, b attempt) int { return a.at.Compare(b.at) })
	wrong = append(wrong, l.judgeRates(attempts)...)
	wrong = append(wrong, l.judgeOrder(attempts)...)
	wrong = append(wrong, l.judgeEnds(attempts)...)
	wrong = append(wrong, l.judgeChoices()...)
	return append(wrong, l.judgeMemory()...)
}

// judgeRates: no window of any length holds more units than its rate allows and one message.
func (l *life) judgeRates(attempts []attempt) (wrong []string) {
	for i := range l.Rates {
		name := senderName(i)
		wrong = append(wrong, judgeScope(attempts, name, l.rates[name], l.Caps[i], func(m *gateway.Message) bool { return m.From == name })...)
	}
	wrong = append(wrong, judgeScope(attempts, "the campaign", l.Shared.Campaign, l.Shared.Cap, func(m *gateway.Message) bool {
		return slices.ContainsFunc(l.w.store.numbers[:l.Shared.Members], func(n gateway.Number) bool { return n.Number == m.From })
	})...)
	wrong = append(wrong, judgeScope(attempts, "the account", l.Shared.Account, 0, func(*gateway.Message) bool { return true })...)
	for i, n := range l.w.networks {
		if len(l.w.past) > 1 { // a carrier's pace is not kept over a restart
			break
		}
		wrong = append(wrong, judgeCarrierRate(n.seen(), l.Nets[i].Rate)...)
	}
	return wrong
}

// judgeScope: no window of any length holds more units of some messages than a rate allows and one message, and no day more than a cap.
func judgeScope(attempts []attempt, name string, rate float64, dailyCap int, of func(*gateway.Message) bool) []string {
	var sent []attempt
	largest := 0
	days := map[time.Time]int{}
	for _, a := range attempts {
		if !a.left() || !of(a.message) {
			continue
		}
		sent = append(sent, a)
		largest = max(largest, a.message.Units)
		if a.status != gateway.Throttled && a.status != gateway.Deferred { // the carrier does not count what it does not take
			days[a.at.UTC().Truncate(24*time.Hour)] += a.units()
		}
	}
	for day, units := range days {
		if dailyCap > 0 && units > dailyCap {
			return []string{fmt.Sprintf("%s may send %d units a day and sent %d on %v", name, dailyCap, units, day)}
		}
	}
	for i := range sent {
		units := 0
		for j := i; j < len(sent) && rate > 0; j++ {
			units += sent[j].units()
			late := min(1, rate*0.002) // what may be made up for
			if allowed := rate*sent[j].at.Sub(sent[i].at).Seconds() + float64(largest) + late; float64(units) > allowed+1e-6 {
				return []string{fmt.Sprintf("%s at %v/s sent %d units in %v", name, rate, units, sent[j].at.Sub(sent[i].at))}
			}
		}
	}
	return nil
}

// judgeCarrierRate: a carrier's own rate holds for all its senders together, but for the lateness that may be made up for.
func judgeCarrierRate(attempts []attempt, rate float64) []string {
	for i := range attempts {
		for j := i; j < len(attempts) && rate > 0; j++ {
			took := attempts[j].at.Sub(attempts[i].at)
			if allowed := rate*(took+time.Duration(2*paceTolerance)).Seconds() + 1; float64(j-i+1) > allowed+1e-6 {
				return []string{fmt.Sprintf("%s at %v/s had %d parts in %v", attempts[i].carrier, rate, j-i+1, took)}
			}
		}
	}
	return nil
}

// judgeOrder: messages of a lane are first submitted in the order in which they were accepted, and their parts in order.
func (l *life) judgeOrder(attempts []attempt) (wrong []string) {
	last := map[gateway.LaneKey]gateway.ID{}
	seen := map[gateway.ID]bool{}
	for _, a := range attempts {
		key := gateway.LaneKey{Sender: a.message.From, Carrier: a.carrier}
		if seen[a.message.ID] || l.w.store.rows[a.message.ID].moved {
			continue
		}
		seen[a.message.ID] = true
		if a.part != 1 {
			wrong = append(wrong, fmt.Sprintf("%s began with part %d", a.message.ID, a.part))
		}
		if a.message.ID.Seq() < last[key].Seq() {
			wrong = append(wrong, fmt.Sprintf("%v: %s left after %s", key, a.message.ID, last[key]))
		}
		last[key] = a.message.ID
	}
	return wrong
}

// judgeEnds: everything accepted has ended as it should, and left as often as it may.
func (l *life) judgeEnds(attempts []attempt) (wrong []string) {
	type partID struct {
		id   gateway.ID
		part int
	}
	mayHave := map[partID]int{} // how often the carrier has the part, or may have it
	parts := map[gateway.ID]int{}
	for _, a := range attempts {
		if a.status == gateway.Accepted || a.status == gateway.Unanswered {
			mayHave[partID{a.message.ID, a.part}]++
			parts[a.message.ID] = max(parts[a.message.ID], a.total)
		}
		if !a.at.Before(a.message.ExpiresAt) {
			wrong = append(wrong, fmt.Sprintf("%s left after its expiry", a.message.ID))
		}
		if !l.accepted[a.message.ID] && l.kills == 0 {
			wrong = append(wrong, fmt.Sprintf("%s left and was never accepted", a.message.ID))
		}
	}
	exactly := !l.Doubt || l.Hold && !l.dropped
	for id := range l.accepted {
		row := l.w.store.rows[id]
		m := &row.message
		switch {
		case m.State == gateway.Queued && !(row.marked && l.Hold && l.Doubt):
			wrong = append(wrong, fmt.Sprintf("%s is still queued", id))
		case m.State == gateway.Failed && m.Reason == gateway.Expired && m.UpdatedAt.Before(m.ExpiresAt) && m.From != "" && m.Carrier != "" && !row.moved: // else it was known when it was chosen
			wrong = append(wrong, fmt.Sprintf("%s expired too early", id))
		}
		for part := 1; part <= parts[id]; part++ {
			times := mayHave[partID{id, part}]
			if m.State == gateway.Sent && times == 0 {
				wrong = append(wrong, fmt.Sprintf("%s is sent, but part %d never left", id, part))
			}
			if exactly && times > 1 {
				wrong = append(wrong, fmt.Sprintf("part %d of %s left %d times", part, id, times))
			}
		}
	}
	return wrong
}

// judgeChoices: the indexes of the pools were right at any time, and who is used to a sender had it whenever a message went by that rule.
func (l *life) judgeChoices() (wrong []string) {
	wrong = append(l.stale, l.w.process.auditPools()...)
	for id := range l.accepted {
		m := &l.w.store.rows[id].message
		if habit := l.w.store.sticky[gateway.StickyKey{Powerpack: testPack, To: m.To}]; m.PickedBy == gateway.BySticky && m.From != habit && !l.moves {
			wrong = append(wrong, fmt.Sprintf("%s went from %s as sticky, its destination is used to %s", id, m.From, habit))
		}
		if m.PickedBy == gateway.BySticky && !l.Sticky {
			wrong = append(wrong, fmt.Sprintf("%s was sticky", id))
		}
	}
	return wrong
}

// judgeMemory: nothing of what is over is remembered.
func (l *life) judgeMemory() (wrong []string) {
	d := l.w.process.dispatcher
	d.mu.Lock()
	defer d.mu.Unlock()
	for s := range d.scopes() {
		if s.queued != 0 || s.aboard != 0 || s.leaving != nil || len(s.gates) != 0 {
			wrong = append(wrong, fmt.Sprintf("%v %s: %d units, %d gates, leaving %v", s.kind, s.name, s.queued, len(s.gates), s.leaving != nil))
		}
	}
	for _, s := range d.senders {
		if s.queued != 0 || s.aboard != 0 || s.leaving != nil || len(s.lanes) != 0 {
			wrong = append(wrong, fmt.Sprintf("sender %s: %d units, %d lanes, leaving %v", s.name, s.queued, len(s.lanes), s.leaving != nil))
		}
	}
	for _, l := range d.lanes {
		wrong = append(wrong, fmt.Sprintf("lane %v: waiting %d, held %d, more %v, filling %v, busy %d, place %d, after %d",
			l.key, l.waiting, l.held(), l.more, l.filling, l.busy, l.place, l.after))
	}
	for _, line := range d.lines {
		if line.inflight != 0 || line.unrecorded != 0 || line.open != nil || line.buffered != 0 || line.lanes != 0 ||
			len(line.queue) != 0 || len(line.gates) != 0 || len(line.retries) != 0 || len(line.doubts) != 0 {
			wrong = append(wrong, fmt.Sprintf("line %s is not at rest: %+v", line.name, *line))
		}
	}
	if len(d.lanes) != 0 || len(d.flying) != 0 || len(d.inHand) != 0 || len(d.toFill) != 0 || len(d.astray) != 0 {
		wrong = append(wrong, fmt.Sprintf("%d lanes, %d in flight, %d in hand", len(d.lanes), len(d.flying), len(d.inHand)))
	}
	for _, n := range l.w.networks {
		if n.most > n.places {
			wrong = append(wrong, fmt.Sprintf("%s had %d of %d places in use", n.name, n.most, n.places))
		}
	}
	return wrong
}

func TestLives(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := drawScenario(rt)
		var wrong []string
		synctest.Test(t, func(*testing.T) {
			l := playScenario(s)
			wrong = l.judge()
			l.w.end()
		})
		if len(wrong) > 0 {
			rt.Fatalf("%d things are wrong:\n%s", len(wrong), strings.Join(wrong[:min(len(wrong), 10)], "\n"))
		}
	})
}
