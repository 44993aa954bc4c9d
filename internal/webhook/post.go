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
	// mostPosters bounds the goroutines that post. It is more than the classes' posts together: those of an endpoint that falls silent
	// move to another class while they are out.
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

// next takes out the event to be posted next: endpoints of a class take turns. An endpoint gets no more posts than its class has left, so
// that a few which fall silent together leave some for the others.
func (w *Worker) next() *item {
	if !w.running || w.unrecorded >= mostUnrecorded {
		return nil
	}
	for c := range classes {
		if it := w.nextOf(c); it != nil {
			return it
		}
	}
	return nil
}

func (w *Worker) nextOf(c class) *item {
	line := &w.ready[c]
	for range line.len() {
		left := c.posts() - w.used[c]
		if left <= 0 {
			return nil
		}
		first := line.pop()
		ep := first.ep
		switch {
		case !ep.ready || first.stamp != ep.stamp:
			continue
		case ep.inflight >= left:
			line.push(first)
			continue
		}
		it := w.take(ep)
		ep.ready = false
		w.place(ep)
		if it != nil {
			return it
		}
	}
	return nil
}

// take takes an endpoint's next event out for posting; nil when there is none that may go. Retries come first: they are the older ones.
// An event of a message whose earlier event is in its first attempt waits for that.
func (w *Worker) take(ep *endpoint) *item {
	if ep.inflight >= ep.limit {
		return nil
	}
	if ep.retries.len() > 0 {
		return w.depart(ep, ep.retries.pop())
	}
	for ep.fresh.len() > 0 {
		it := ep.fresh.pop()
		ahead := w.firsts[it.event.Message.ID]
		if ahead == nil {
			w.firsts[it.event.Message.ID] = it
			return w.depart(ep, it)
		}
		w.waiting[ep.class]--
		for ahead.next != nil {
			ahead = ahead.next
		}
		ahead.next = it
	}
	return nil
}

func (w *Worker) depart(ep *endpoint, it *item) *item {
	w.waiting[ep.class]--
	if ep.inflight == 0 {
		ep.since = w.Now()
	}
	ep.inflight++
	w.used[ep.class]++
	return it
}

// outcome is what became of a post.
type outcome struct {
	started, ended time.Time
	status         int
	err            error
	unrenderable   bool // and never will be
	cutOff         bool // by the stop; nothing is known
}

func (o *outcome) told() bool { return o.err == nil && o.status >= 200 && o.status <= 299 }

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
	if err == nil {
		o.status = resp.StatusCode
		err = drained(resp, drain)
	}
	o.err, o.ended = err, w.Now()
	o.cutOff = err != nil && w.posting.Err() != nil
	return o
}

// drained reads the body to its end if that is near, and closes it.
func drained(resp *http.Response, buf []byte) error {
	defer resp.Body.Close()
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
	ep := it.ep
	ep.inflight--
	w.used[ep.class]--
	ep.since = o.ended
	if it.first() {
		w.follow(it)
	}
	if o.cutOff {
		w.release(it)
		return
	}
	w.describe(it, &o)
	change := noTurn
	switch {
	case !o.unrenderable:
		change = ep.judge(o.told(), o.ended.Sub(o.started))
		ep.lastStatus, ep.lastError, ep.garbled = it.attempt.Status, it.attempt.Error, false
	case !ep.garbled:
		ep.garbled, change = true, turnedGarbled
	}
	w.count(it, &o)
	w.record(it)
	w.place(ep)
	if change != noTurn {
		account, host := ep.account, ep.host
		w.mu.Unlock()
		w.tell(it, change, account, host)
		w.mu.Lock()
	}
}

// follow lets the event go that waited for the first attempt of the one before it.
func (w *Worker) follow(it *item) {
	delete(w.firsts, it.event.Message.ID)
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
		Latency: int(o.ended.Sub(o.started) / time.Millisecond), Error: reason(o),
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

// tell logs what people should know: once when an endpoint turns bad, once when it is well again, and the first of its events that can
// never be told.
func (w *Worker) tell(it *item, change turn, account gateway.AccountID, host string) {
	log := w.Log.With("account", account, "host", host)
	switch change {
	case turnedBad:
		log.Warn("callbacks to an endpoint fail; it gets one at a time until it takes them again", "reason", it.attempt.Error)
	case turnedWell:
		log.Info("an endpoint takes callbacks again")
	case turnedGarbled:
		log.Error("callbacks that cannot be rendered are given up", "message", it.event.Message.ID, "sequence", it.event.Sequence, "reason", it.attempt.Error)
	}
}
