package echocache_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
)

// eventLog collects the events of a cache.
type eventLog struct {
	mu     sync.Mutex
	events []restflow.Event
}

func (l *eventLog) add(_ context.Context, ev restflow.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, ev)
}

// take returns the events since the last call.
func (l *eventLog) take() []restflow.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	events := l.events
	l.events = nil
	return events
}

// one returns the only event since the last call. A real client may have its
// answer before the event is told.
func (l *eventLog) one(t testing.TB) restflow.Event {
	t.Helper()
	var events []restflow.Event
	require.Eventually(t, func() bool {
		events = append(events, l.take()...)
		return len(events) > 0
	}, 10*time.Second, time.Millisecond)
	require.Len(t, events, 1)
	return events[0]
}
