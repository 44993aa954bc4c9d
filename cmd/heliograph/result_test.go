package main

import (
	"testing"
	"time"
)

func TestPercentiles(t *testing.T) {
	l := newLatencies(100)
	for i := 100; i >= 1; i-- {
		l.add(time.Duration(i) * time.Millisecond)
	}
	if got, want := l.percentiles(), (percentiles{51, 91, 100, 100}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := newLatencies(0).percentiles(); got != (percentiles{}) {
		t.Errorf("nothing has the percentiles %+v", got)
	}
}
