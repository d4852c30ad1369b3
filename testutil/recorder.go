package testutil

import (
	"context"
	"slices"
	"sync"

	"github.com/restflow-go/restflow"
)

// Recorder keeps the events of caches. Give its OnEvent method to the OnEvent field of
// their configs; one Recorder serves any number of caches. The zero value is ready for use, and it is safe for
// concurrent use.
type Recorder struct {
	mu     sync.Mutex
	events []restflow.Event
}

// NewRecorder returns an empty Recorder.
func NewRecorder() *Recorder { return new(Recorder) }

// OnEvent keeps ev, also with the request of [Run] that ctx belongs to.
func (r *Recorder) OnEvent(ctx context.Context, ev restflow.Event) {
	r.mu.Lock()
	r.events = append(r.events, ev)
	r.mu.Unlock()
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		c.add(ev)
	}
}

// Events returns the events since the start or the last Reset, in order.
func (r *Recorder) Events() []restflow.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

// Reset forgets all events.
func (r *Recorder) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = nil
}

// callKey is where a request of Run carries its call, so that events told during
// concurrent requests are not mixed up.
type callKey struct{}

// call gathers the events of one request.
type call struct {
	mu     sync.Mutex
	events []restflow.Event
}

func (c *call) add(ev restflow.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events = append(c.events, ev)
}

// answer returns the event of the response: that of the outermost response
// cache, which tells last. It is nil when no cache told anything.
func (c *call) answer() *restflow.Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	var last *restflow.Event
	for i := range c.events {
		ev := &c.events[i]
		if last == nil || outranks(ev, last) {
			last = ev
		}
	}
	return last
}

// outranks reports whether ev, told after last, is more likely to be about the
// response: functions' events never beat those of routes, and nothing that was done in
// the background beats the answer that set it off, be it a stale or an early one.
func outranks(ev, last *restflow.Event) bool {
	switch {
	case ev.Background != last.Background:
		return last.Background
	case ev.Route == "" && last.Route != "":
		return false
	}
	return true
}
