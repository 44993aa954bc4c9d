package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/heliograph/heliograph/internal/gateway"
)

const (
	// answerTimeout is for a whole answer, its body included.
	answerTimeout = 8 * time.Second
	// mostPosters bounds the goroutines that post. It is as many as the classes' posts together, so that no class waits for another's.
	mostPosters = 2048
	// mostAsleep is how many of them wait for work; others end when there is none.
	mostAsleep = 128
	// drainOctets is how much of a body is read, to use the connection again. What it says does not matter.
	drainOctets = 16 << 10
)

// rouse makes a goroutine look for something to post, if there may be something. Each that finds something rouses the next, so one on
// its way is enough, and as many are up as there is work for. Guarded by mu.
func (w *Worker) rouse() {
	if w.roused || !w.running || w.unrecorded >= mostUnrecorded {
		return
	}
	for c := range classes {
		if w.ready[c].len() == 0 || w.used[c] >= c.posts() {
			continue
		}
		switch {
		case w.asleep > 0:
			w.asleep--
			w.roused = true
			w.wake.Signal()
		case w.posters < mostPosters:
			w.posters++
			w.roused = true
			w.group.Go(w.poster)
		}
		return
	}
}

// poster posts events, one at a time, until the worker stops.
func (w *Worker) poster() {
	drain := make([]byte, 2048)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.roused = false
	for {
		it := w.next()
		switch {
		case it != nil:
			w.rouse()
			w.mu.Unlock()
			o := w.post(it, drain)
			w.mu.Lock()
			w.posted(it, o)
		case !w.running, w.asleep >= mostAsleep:
			w.posters--
			return
		default:
			w.asleep++
			w.wake.Wait()
			w.roused = false
		}
	}
}

// outcome is what became of a post.
type outcome struct {
	started, ended time.Time
	status         int
	err            error
	unrenderable   bool   // and never will be
	cutOff         bool   // by the stop; nothing is known
	note           string // about the answer to a message from a handset
	untaken        error  // why that answer could not be taken: not the endpoint's fault
}

// heard tells whether the endpoint did its part.
func (o *outcome) heard() bool { return o.err == nil && succeeded(o.status) }

// told tells whether the event need not be told again.
func (o *outcome) told() bool { return o.heard() && o.untaken == nil }

func succeeded(status int) bool { return status >= 200 && status <= 299 }

// post makes one attempt.
func (w *Worker) post(it *item, drain []byte) (o outcome) {
	ctx, cancel := context.WithTimeout(w.posting, answerTimeout)
	defer cancel()
	o.started = w.Now()
	req, err := w.Render(ctx, &it.event)
	if err != nil {
		o.err, o.ended = err, w.Now()
		var refused *gateway.Error
		passing := errors.As(err, &refused) && refused.Code == gateway.Unavailable || ctx.Err() != nil
		o.unrenderable, o.cutOff = !passing, passing && w.posting.Err() != nil
		return o
	}
	if req.Context() != ctx {
		req = req.WithContext(ctx)
	}
	// Lets the transport send it again on a new connection, at once, when a kept one turns out to be closed. The header's absence of
	// values keeps it off the wire.
	if _, set := req.Header["Idempotency-Key"]; !set {
		req.Header["Idempotency-Key"] = nil
	}
	resp, err := w.Client.Do(req)
	var answer []byte
	if err == nil {
		o.status = resp.StatusCode
		if w.listens(&it.event) {
			answer, err = readAnswer(resp)
		}
		err = drained(resp, drain, err)
	}
	o.err, o.ended = err, w.Now()
	if w.listens(&it.event) && o.heard() {
		w.handOn(it, &o, resp.Header.Get("Content-Type"), answer)
	}
	o.cutOff = (o.err != nil || o.untaken != nil) && w.posting.Err() != nil
	return o
}

// drained reads the body to its end if that is near and nothing went wrong before, and closes it.
func drained(resp *http.Response, buf []byte, err error) error {
	defer resp.Body.Close()
	if err != nil {
		return err
	}
	for left := drainOctets; left > 0; {
		n, err := resp.Body.Read(buf)
		left -= n
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// posted takes up what became of a post. It is called with mu held, and lets go of it while it logs.
func (w *Worker) posted(it *item, o outcome) {
	w.arrive(it, &o)
	if it.first() {
		w.follow(it)
	}
	if o.cutOff || o.untaken != nil && !w.running { // who takes answers may have stopped already
		w.release(it)
		return
	}
	w.describe(it, &o)
	news := w.judge(it, &o)
	w.count(it, &o)
	w.record(it)
	w.place(it.ep)
	if news != noNews {
		account, host := it.ep.host.account.id, it.ep.host.name
		w.mu.Unlock()
		w.tell(it, news, account, host)
		w.mu.Lock()
	}
}

// news is what people should know of a host.
type news int

const (
	noNews news = iota
	badNews
	goodNews
	garbledNews
)

// judge takes up how an attempt went: for the endpoint, for the lane that it shares with others, and for what is said of the host.
func (w *Worker) judge(it *item, o *outcome) news {
	ep, h := it.ep, it.ep.host
	if o.unrenderable {
		if h.garbled {
			return noNews
		}
		h.garbled = true
		return garbledNews
	}
	ep.lastStatus, ep.lastError = it.attempt.Status, it.attempt.Error
	told, latency := o.heard(), o.ended.Sub(o.started)
	change := ep.own.judge(told, latency, ep.own.inflight)
	if ep.lane != &ep.own {
		ep.lane.judge(told, latency, ep.lane.inflight)
	}
	switch change {
	case turnedBad:
		h.bads++
	case turnedWell: // what failed with it may be well with it
		h.bads--
		h.newcomers.absolve()
	}
	w.reclassify(&h.newcomers)
	return h.report(told, o.ended)
}

// follow lets the event go that waited for the first attempt of the one before it.
func (w *Worker) follow(it *item) {
	delete(w.firsts, it.event.Subject())
	next := it.next
	if it.next = nil; next == nil {
		return
	}
	// Those behind it wait in the queue again: it is ahead of them there.
	for next != nil {
		after := next.next
		next.next = nil
		w.queueFresh(next)
		next = after
	}
}

// describe makes the record of an attempt.
func (w *Worker) describe(it *item, o *outcome) {
	a := gateway.Attempt{
		Event: it.event.ID, Number: it.event.Attempt + 1, AtMicro: o.started.UnixMicro(), Status: o.status,
		Latency: int(o.ended.Sub(o.started) / time.Millisecond), Error: reason(o), Note: o.note,
	}
	if fromHandset(&it.event) {
		a.Inbound = it.event.Message.ID
	}
	if a.Done = o.told(); !a.Done {
		due, again := gateway.NextCallback(a.Number, o.ended)
		if again && !o.unrenderable {
			a.DueAtMicro = due.UnixMicro()
		} else {
			a.GaveUp = true
		}
	}
	it.attempt = a
}

// reasonOctets bounds what is kept of an error's words.
const reasonOctets = 200

// reason says why an attempt failed, without the URL: its query may hold secrets.
func reason(o *outcome) string {
	var text string
	switch {
	case o.told():
		return ""
	case o.untaken != nil:
		text = "the answer cannot be taken now: " + o.untaken.Error()
	case o.err == nil:
		return fmt.Sprintf("answered with status %d", o.status)
	case o.unrenderable:
		text = "cannot be rendered: " + plainly(o.err)
	case errors.Is(o.err, context.DeadlineExceeded):
		return "no whole answer within 8 s"
	default:
		text = plainly(o.err)
	}
	return text[:min(len(text), reasonOctets)]
}

// plainly is an error's words without the URL.
func plainly(err error) string {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return err.Error()
}

// tell logs what people should know: once when something at a host turns bad, once when nothing there is bad any more, and the first of
// its events that can never be told.
func (w *Worker) tell(it *item, what news, account gateway.AccountID, host string) {
	log := w.Log.With("account", account, "host", host)
	switch what {
	case badNews:
		log.Warn("callbacks to a host fail; what fails there gets one at a time until it takes them again", "reason", it.attempt.Error)
	case goodNews:
		log.Info("a host takes callbacks again")
	case garbledNews:
		log.Error("callbacks that cannot be rendered are given up", "about", it.event.About(), "sequence", it.event.Sequence, "reason", it.attempt.Error)
	}
}
