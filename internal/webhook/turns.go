package webhook

// next takes out the event to be posted next. Within a class accounts take turns, of an account its lanes, of a lane its endpoints.
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
		if w.used[c] >= c.posts() {
			return nil
		}
		a := line.front()
		it := w.nextOfAccount(a, c)
		if a.lined[c] = a.ready[c].len() > 0; a.lined[c] {
			line.rotate()
		} else {
			line.pop()
		}
		if it != nil {
			return it
		}
	}
	return nil
}

// nextOfAccount takes out an account's next event. A lane gets no more posts than a part of what its account may still take, so that many
// which fall silent together leave some for the account's others.
func (w *Worker) nextOfAccount(a *account, c class) *item {
	may := allowance(c.posts(), w.used[c], a.used[c])
	if may <= 0 {
		return nil
	}
	line := &a.ready[c]
	for range line.len() {
		first := line.front()
		l := first.who
		switch {
		case !l.lined || first.stamp != l.stamp:
			line.pop()
			continue
		case l.inflight >= max(1, may/laneParts):
			line.rotate()
			continue
		}
		it := w.nextOfLane(l)
		if l.lined = l.postable(); l.lined {
			line.rotate()
		} else {
			line.pop()
		}
		if it != nil {
			return it
		}
	}
	return nil
}

func (w *Worker) nextOfLane(l *lane) *item {
	for l.postable() {
		first := l.ready.front()
		ep := first.who
		if !ep.ready || first.stamp != ep.stamp {
			l.ready.pop()
			continue
		}
		it := w.take(ep)
		if ep.ready = ep.postable(); ep.ready {
			l.ready.rotate()
		} else {
			l.ready.pop()
		}
		w.place(ep)
		if it != nil {
			return it
		}
	}
	return nil
}

// line puts an endpoint at the end of its lane's line; a place that it may have in another is void.
func (w *Worker) line(ep *endpoint) {
	ep.ready = true
	ep.stamp++
	ep.lane.ready.push(entry[endpoint]{ep, ep.stamp})
	w.lineLane(ep.lane)
}

// lineLane puts a lane that may post at the end of its account's line, unless it stands there.
func (w *Worker) lineLane(l *lane) {
	if l.lined || !l.postable() {
		return
	}
	l.lined = true
	l.stamp++
	l.account.ready[l.class].push(entry[lane]{l, l.stamp})
	w.lineAccount(l.account, l.class)
}

func (w *Worker) lineAccount(a *account, c class) {
	if !a.lined[c] && a.ready[c].len() > 0 {
		a.lined[c] = true
		w.ready[c].push(a)
	}
}

// take takes an endpoint's next event out for posting; nil when there is none that may go. Retries come first: they are the older ones.
// An event of a message (or a registration) whose earlier event is in its first attempt waits for that.
func (w *Worker) take(ep *endpoint) *item {
	if ep.own.inflight >= ep.own.limit {
		return nil
	}
	if ep.retries.len() > 0 {
		return w.depart(ep, ep.retries.pop())
	}
	for ep.fresh.len() > 0 {
		it := ep.fresh.pop()
		subject := it.event.Subject()
		ahead := w.firsts[subject]
		if ahead == nil {
			w.firsts[subject] = it
			return w.depart(ep, it)
		}
		w.wait(ep, -1)
		for ahead.next != nil {
			ahead = ahead.next
		}
		ahead.next = it
	}
	return nil
}

func (w *Worker) depart(ep *endpoint, it *item) *item {
	w.wait(ep, -1)
	l := ep.lane
	ep.own.depart(w.Now)
	if l != &ep.own {
		l.depart(w.Now)
	}
	it.class = l.class
	w.used[it.class]++
	l.account.used[it.class]++
	return it
}

// arrive takes a post off what it was charged to.
func (w *Worker) arrive(it *item, o *outcome) {
	ep := it.ep
	ep.own.arrive(o.ended)
	if ep.lane != &ep.own {
		ep.lane.arrive(o.ended)
	}
	w.used[it.class]--
	ep.host.account.used[it.class]--
}

// wait counts events that begin or end to wait in memory.
func (w *Worker) wait(ep *endpoint, n int) {
	l := ep.lane
	l.waiting += n
	w.waiting[l.class] += n
	l.account.waiting[l.class] += n
}
