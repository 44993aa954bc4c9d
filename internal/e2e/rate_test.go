package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// rateJitter is by how much later than it left a part may arrive, beyond what the SMSC knows of itself: the server and the kernel get no turn
// for that long. It makes the check of a fast sender coarser by some units, and that of a slow one not at all.
const rateJitter = 150 * time.Millisecond

// arrival is a part of a message at the foreign SMSC, by that one's clock.
type arrival struct {
	*submitLine
	total, part int
}

// sentMessage is a message as it was asked for.
type sentMessage struct {
	id, from, to string
	units        int
	expires      time.Time // at the latest
	state, code  string    // of its last callback
}

// rateRun is a server between an SMSC that measures and a customer who remembers.
type rateRun struct {
	data, config string
	smsc         *nodeProgram
	server       *process
	customer     *account
	sink         *httptest.Server

	arrivals []arrival
	senders  map[string][]*sentMessage // by sender, in the order of acceptance
	sends    int

	mu   sync.Mutex
	told map[string][2]string // final state and error code, by message
	news chan struct{}        // closed and replaced at every final callback
}

func newRateRun(t *testing.T) *rateRun {
	t.Helper()
	// The day of caps is far from its end in a zone where it is about noon: nobody may wait for the next one.
	zone := fmt.Sprintf("day_zone: Etc/GMT%+d\n", time.Now().UTC().Hour()-12)
	r := &rateRun{
		data: t.TempDir(), smsc: node(t, "smsc.js"), senders: map[string][]*sentMessage{}, told: map[string][2]string{}, news: make(chan struct{}),
	}
	r.config = zone + smppConfig(fmt.Sprintf("127.0.0.1:%d", r.smsc.port(t)), "")
	r.sink = httptest.NewServer(r)
	t.Cleanup(r.sink.Close)
	r.start(t)
	return r
}

func (r *rateRun) start(t *testing.T) {
	t.Helper()
	r.server = serve(t, r.data, r.config)
	r.customer = newAccount(t, r.server.url(t))
}

// stop ends the server in order; all that it has sent is at the SMSC then.
func (r *rateRun) stop(t *testing.T) {
	t.Helper()
	if status, _ := r.server.terminate(t); status != 0 {
		t.Errorf("the server ended with status %d", status)
	}
	for !r.read(t) {
	}
}

// read takes the SMSC's next line. It tells whether that was an unbind.
func (r *rateRun) read(t *testing.T) (unbound bool) {
	t.Helper()
	var line smscLine
	r.smsc.next(t, &line)
	if s := line.Submit; s != nil {
		a := arrival{submitLine: s, total: 1, part: 1}
		if len(s.UDH) > 0 {
			if _, err := fmt.Sscanf(s.UDH[0], "0003%02x%02x%02x", new(int), &a.total, &a.part); err != nil {
				t.Fatalf("user data header %v: %v", s.UDH, err)
			}
		}
		r.arrivals = append(r.arrivals, a)
	}
	return line.Unbind
}

// readMore reads until a sender has had some more parts arrive.
func (r *rateRun) readMore(t *testing.T, sender string, parts int) {
	t.Helper()
	for parts > 0 {
		before := len(r.arrivals)
		r.read(t)
		if len(r.arrivals) > before && r.arrivals[before].From == sender {
			parts--
		}
	}
}

// ServeHTTP takes callbacks.
func (r *rateRun) ServeHTTP(_ http.ResponseWriter, req *http.Request) {
	switch state := req.FormValue("Status"); state {
	case "delivered", "undelivered", "failed":
		r.mu.Lock()
		defer r.mu.Unlock()
		r.told[req.FormValue("MessageUUID")] = [2]string{state, req.FormValue("ErrorCode")}
		close(r.news)
		r.news = make(chan struct{})
	}
}

// owner is an account with its token.
type owner struct{ id, token string }

func (o owner) authorize(r *http.Request) { r.SetBasicAuth(o.id, o.token) }

// send asks for a message of some units to each of count destinations, in one request.
func (r *rateRun) send(t *testing.T, o owner, from string, units, count int, expiry time.Duration) (*reply, []*sentMessage) {
	t.Helper()
	var destinations []string
	for range count {
		r.sends++
		destinations = append(destinations, destination(r.sends))
	}
	body := map[string]any{
		"src": from, "dst": strings.Join(destinations, "<"), "text": strings.Repeat("x", 153*units), "url": r.sink.URL,
		"message_expiry": int(expiry / time.Second),
	}
	answer := r.customer.json(t, http.MethodPost, "/v1/Account/"+o.id+"/Message/", body, o.authorize)
	ids := answer.messages(t)
	if len(ids) != count {
		t.Fatalf("%d messages for %d destinations", len(ids), count)
	}
	var sent []*sentMessage
	for i, id := range ids {
		sent = append(sent, &sentMessage{id: id, from: from, to: destinations[i], units: units, expires: time.Now().Add(expiry)})
	}
	r.senders[from] = append(r.senders[from], sent...)
	return answer, sent
}

// awaitEnd waits for the final callbacks of messages.
func (r *rateRun) awaitEnd(t *testing.T, messages []*sentMessage) {
	t.Helper()
	deadline := time.After(patience)
	for _, m := range messages {
		for {
			r.mu.Lock()
			end, ok := r.told[m.id]
			news := r.news
			r.mu.Unlock()
			if ok {
				m.state, m.code = end[0], end[1]
				break
			}
			select {
			case <-news:
			case <-deadline:
				t.Fatalf("the end of message %s of %s to %s was not told", m.id, m.from, m.to)
			}
		}
	}
}

// wantFailed wants messages to have ended as expired, and without a part at the SMSC.
func (r *rateRun) wantFailed(t *testing.T, messages []*sentMessage) {
	t.Helper()
	r.awaitEnd(t, messages)
	for _, m := range messages {
		if m.state != "failed" || m.code != "420" {
			t.Errorf("message %s of %s ended as %s with code %s, want failed with 420", m.id, m.from, m.state, m.code)
		}
		if record := r.customer.record(t, m.id); record.text("message_state") != "failed" || record.text("error_code") != "420" {
			t.Errorf("the record of message %s says %s", m.id, record.body)
		}
	}
}

// of gives the arrivals of some senders.
func (r *rateRun) of(senders ...string) []arrival {
	var list []arrival
	for _, a := range r.arrivals {
		if slices.Contains(senders, a.From) {
			list = append(list, a)
		}
	}
	return list
}

// checkRate holds every window against the rate that senders have together: no window of any length holds more units than rate × length and
// those of one message.
func (r *rateRun) checkRate(t *testing.T, what string, rate float64, senders ...string) {
	t.Helper()
	list, most := r.of(senders...), 0
	for _, sender := range senders {
		for _, m := range r.senders[sender] {
			most = max(most, m.units)
		}
	}
	if len(list) <= most {
		t.Fatalf("%s: only %d units arrived, nothing can be said of the rate", what, len(list))
	}
	for i := range list {
		for j := i + 1; j < len(list); j++ {
			length := (list[j].At-list[i].NotBefore)/1000 + rateJitter.Seconds()
			if units := j - i + 1; float64(units) > rate*length+float64(most) {
				t.Errorf("%s: %d units within %.3f s, at most %.1f/s and %d of one message may arrive", what, units, length, rate, most)
				return
			}
		}
	}
}

// checkOrder wants each sender's messages in the order of their acceptance, each once, its parts together and in order, those that were not
// delivered left out.
func (r *rateRun) checkOrder(t *testing.T) {
	t.Helper()
	for sender, messages := range r.senders {
		list := r.of(sender)
		for _, m := range messages {
			if m.state != "delivered" {
				continue
			}
			for part := 1; part <= m.units; part++ {
				if len(list) == 0 || list[0].To != m.to || list[0].part != part || list[0].total != m.units {
					t.Fatalf("sender %s: part %d of %d to %s was next, %d arrivals are left and begin with %+v", sender, part, m.units, m.to, len(list), list[:min(1, len(list))])
				}
				if left := time.UnixMicro(int64(list[0].NotBefore * 1000)); left.After(m.expires.Add(rateJitter)) {
					t.Errorf("sender %s: part %d to %s arrived %s after the message's time was over", sender, part, m.to, left.Sub(m.expires))
				}
				list = list[1:]
			}
		}
		if len(list) > 0 {
			t.Errorf("sender %s: %d parts arrived that should not, the first is %+v", sender, len(list), list[0])
		}
	}
}

// checkCap wants what some senders may send in a day to be used up and not exceeded: what is left is too little for a message of three units.
func (r *rateRun) checkCap(t *testing.T, what string, units int, senders ...string) {
	t.Helper()
	if n := len(r.of(senders...)); n > units || n < units-2 {
		t.Errorf("%s: %d units arrived of the day's %d", what, n, units)
	}
}

// Senders of the test of rates, and what they may send.
const (
	quick, medium, slow, unlimited = "14155550120", "14155550105", "14155550102", "14155550100"
	brief, glacial, capped         = "14155550103", "14155550104", "14155550106"
	shared1, shared2               = "14155550111", "14155550112" // 10 units a second together
	spent1, spent2                 = "14155550113", "14155550114" // 10 units a day together
	theirs1, theirs2               = "14155550131", "14155550132" // of an account with 8 units a second
)

// setUp makes the senders, the campaigns and a second account.
func (r *rateRun) setUp(t *testing.T) (mine, theirs owner) {
	t.Helper()
	mine = owner{authID, authToken}
	made := r.customer.operate(t, http.MethodPost, "/accounts", map[string]any{"name": "Second", "rate": 8}).want(t, http.StatusCreated)
	theirs = owner{made.text("auth_id"), made.text("auth_token")}
	r.customer.operate(t, http.MethodPost, "/campaigns", map[string]any{"campaigns": []map[string]any{
		{"id": "CSHARED", "auth_id": authID, "rate": 10},
		{"id": "CSPENT", "auth_id": authID, "daily_cap": 10},
	}}).want(t, http.StatusOK)
	number := func(number, account, campaign string, rate float64) map[string]any {
		return map[string]any{"number": number, "auth_id": account, "campaign": campaign, "rate": rate}
	}
	limited := number(capped, authID, "", 0)
	limited["daily_cap"] = 10
	r.customer.operate(t, http.MethodPost, "/numbers", map[string]any{"numbers": []map[string]any{
		number(quick, authID, "", 20), number(medium, authID, "", 5), number(slow, authID, "", 2), number(unlimited, authID, "", 0),
		number(brief, authID, "", 2), number(glacial, authID, "", 0.0001), limited,
		number(shared1, authID, "CSHARED", 0), number(shared2, authID, "CSHARED", 0),
		number(spent1, authID, "CSPENT", 0), number(spent2, authID, "CSPENT", 0),
		number(theirs1, theirs.id, "", 0), number(theirs2, theirs.id, "", 0),
	}}).want(t, http.StatusOK)
	return mine, theirs
}

// TestRatesAtTheWire sends from senders of many rates and caps, through a pause of the carrier and a restart, to an SMSC that is not ours and
// measures when each part arrives. Nothing here asks how fast the server is, only that it is never too fast, early or late.
func TestRatesAtTheWire(t *testing.T) {
	const hours = 10_000 * time.Second
	r := newRateRun(t)
	mine, theirs := r.setUp(t)

	// A sender of one unit in 10,000 seconds: the second message has to wait for that long, the third cannot leave before its expiry.
	r.send(t, mine, glacial, 1, 1, hours)
	answer, waiting := r.send(t, mine, glacial, 1, 1, 10_799*time.Second)
	estimate, err := time.Parse(time.RFC3339, answer.header.Get("X-Estimated-Send-Time"))
	if wait := time.Until(estimate); err != nil || wait < hours-patience || wait > hours {
		t.Errorf("the second message of the slowest sender is expected in %s (%v)", wait, err)
	}
	_, late := r.send(t, mine, glacial, 1, 1, 10_799*time.Second)
	r.wantFailed(t, late)

	for range 3 {
		r.send(t, mine, quick, 1, 17, hours)
		r.send(t, mine, quick, 3, 2, hours)
		r.send(t, mine, medium, 1, 6, hours)
		r.send(t, mine, medium, 2, 1, hours)
		r.send(t, mine, slow, 1, 4, hours)
		r.send(t, mine, unlimited, 1, 20, hours)
		r.send(t, mine, unlimited, 2, 5, hours)
		r.send(t, mine, shared1, 1, 7, hours)
		r.send(t, mine, shared2, 1, 7, hours)
		r.send(t, mine, shared1, 3, 1, hours)
		r.send(t, mine, shared2, 3, 1, hours)
		r.send(t, theirs, theirs1, 1, 9, hours)
		r.send(t, theirs, theirs2, 2, 3, hours)
		r.send(t, mine, capped, 3, 1, hours)
		r.send(t, mine, spent1, 1, 2, hours)
		r.send(t, mine, spent2, 2, 1, hours)
	}
	// Of these some leave, some wait until their time is over, and some cannot leave in time from the beginning.
	_, briefly := r.send(t, mine, brief, 1, 16, 5*time.Second)
	r.readMore(t, brief, 2)
	r.customer.operate(t, http.MethodPost, "/carriers/main/pause", nil).want(t, http.StatusOK)
	_, paused := r.send(t, mine, unlimited, 1, 3, 5*time.Second)
	r.wantFailed(t, paused)
	r.awaitEnd(t, briefly)
	r.customer.operate(t, http.MethodPost, "/carriers/main/resume", nil).want(t, http.StatusOK)
	r.readMore(t, slow, 2)

	r.stop(t)
	r.start(t)
	_, late = r.send(t, mine, glacial, 1, 1, 10_799*time.Second)
	r.wantFailed(t, late)
	for _, sender := range []string{capped, spent1, spent2} { // more than their day has left
		r.send(t, mine, sender, 3, 1, hours)
		r.send(t, mine, sender, 1, 2, hours)
	}
	for _, messages := range r.senders {
		r.awaitEnd(t, slices.DeleteFunc(slices.Clone(messages), func(m *sentMessage) bool { return m == waiting[0] }))
	}
	if record := r.customer.record(t, waiting[0].id); record.text("message_state") != "queued" {
		t.Errorf("the message that must wait for hours is %s", record.body)
	}
	r.stop(t)

	r.checkOrder(t)
	r.checkRate(t, "20 units a second", 20, quick)
	r.checkRate(t, "5 units a second", 5, medium)
	r.checkRate(t, "2 units a second", 2, slow)
	r.checkRate(t, "2 units a second, for 5 seconds", 2, brief)
	r.checkRate(t, "a campaign of 10 units a second", 10, shared1, shared2)
	r.checkRate(t, "an account of 8 units a second", 8, theirs1, theirs2)
	r.checkCap(t, "a number's cap", 10, capped)
	r.checkCap(t, "a campaign's cap", 10, spent1, spent2)
	for sender, messages := range r.senders {
		mayExpire := slices.Contains([]string{brief, glacial, capped, spent1, spent2}, sender)
		for _, m := range messages {
			if m.state != "delivered" && !(mayExpire && m.code == "420") && m != waiting[0] && !slices.Contains(paused, m) {
				t.Errorf("message %s of %s ended as %q with code %q", m.id, m.from, m.state, m.code)
			}
		}
	}
}
