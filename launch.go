package restflow

import (
	"context"
	"fmt"
	"runtime/debug"
)

// maxBackground bounds the launches that have not ended.
const maxBackground = 1024

// Launch is a flight that nobody leads yet: the right to fill one entry in the
// background. Either Run or Cancel must be called, once.
type Launch struct {
	store  *Store
	key    Key
	flight *Flight
}

// Launch takes the right to fill the entry of k, copying k. It returns nil if the
// entry is being filled already, or too much else is.
func (s *Store) Launch(k *Key, snap *Snapshot) *Launch {
	if absent(snap.Epochs()) {
		return nil
	}
	if s.background.Add(1) > maxBackground {
		s.background.Add(-1)
		return nil
	}
	f := s.flights.tryLaunch(k, snap.Epochs())
	if f == nil {
		s.background.Add(-1)
		return nil
	}
	return &Launch{s, k.clone(), f}
}

// Run calls run and saves what it returns, as Fill does for a leader. A panic of
// run becomes an error, since no request is there to recover it. If another process has
// the lease of the key (see RedisConfig.Lease), it does the same, and run is not called.
func (l *Launch) Run(ctx context.Context, run Run) (e *Entry, err error) {
	defer l.Cancel()
	if !l.lease(ctx) {
		return nil, nil
	}
	defer func() {
		if p := recover(); p != nil {
			e, err = nil, fmt.Errorf("restflow: panic in a background fill: %v\n%s", p, debug.Stack())
		}
	}()
	return l.store.lead(ctx, &l.key, l.flight, run)
}

// lease reports whether to run, which only the lease of somebody else speaks against.
func (l *Launch) lease(ctx context.Context) bool {
	if l.store.leases == nil {
		return true
	}
	held := l.store.newLease(&l.key, l.flight)
	got, err := held.claim(ctx)
	if err == nil && got == ours {
		l.flight.lease = held
	}
	return err != nil || got != lent
}

// Cancel gives the right up.
func (l *Launch) Cancel() {
	l.store.flights.land(&l.key, l.flight)
	l.store.background.Add(-1)
}
