package restflow

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	mathrand "math/rand/v2"
	"slices"
	"sync/atomic"
	"time"
)

// A leaser is a backend that can lend a name to one process at a time.
type leaser interface {
	// claim lends name for d to whoever has token, unless it is lent already.
	claim(ctx context.Context, name, token string, d time.Duration) (claimed, error)
	// release gives name back if token has it. With mark a mark stays in its
	// place for the time that is left, and hint.Life at most.
	release(ctx context.Context, name, token string, mark bool) error
}

// claimed is what came of a claim.
type claimed uint8

const (
	lent   claimed = iota // to somebody else
	ours                  // to us
	marked                // to nobody, since what was made under it cannot be shared
)

// lease is the right of one process to run on behalf of all for one key under the
// same epochs. It is a matter of thrift alone: whoever is in doubt runs.
//
// Its name holds the epochs, so that a request which comes after an invalidation never
// waits for an older run. A nil lease is that of a run without one.
type lease struct {
	store  *Store
	name   string
	token  string
	passed atomic.Bool // to the saver, which gives it back when the entry has arrived
	ended  atomic.Bool
}

func (s *Store) newLease(k *Key, f *Flight) *lease {
	b := append(make([]byte, 0, len(k.Bytes)+8*MaxScopes), k.Bytes...)
	for _, e := range f.epochs[:f.scopes] {
		b = binary.LittleEndian.AppendUint64(b, uint64(e))
	}
	sum := sha256.Sum256(b)
	return &lease{store: s, name: base64.RawURLEncoding.EncodeToString(sum[:16]), token: rand.Text()}
}

func (l *lease) claim(ctx context.Context) (got claimed, err error) {
	err = l.store.call(ctx, "lease", func(ctx context.Context) error {
		got, err = l.store.leases.claim(ctx, l.name, l.token, l.store.lease)
		return err
	})
	return got, err
}

// Pauses between two looks for what another process makes.
const (
	leasePause    = 4 * time.Millisecond
	leasePauseMax = 50 * time.Millisecond
)

// awaitLease is for the leader of a flight. It returns the entry that another process
// has made meanwhile, or lets f run under a lease, or without one: if the store is in
// trouble, the other's answer cannot be shared, it takes longer than a lease lasts,
// ctx has ended, or the epochs are others now, so that nobody will find what it makes.
func (s *Store) awaitLease(ctx context.Context, k *Key, f *Flight) *Entry {
	l := s.newLease(k, f)
	end := time.Now().Add(s.lease)
	for pause := leasePause; ; pause = min(2*pause, leasePauseMax) {
		got, err := l.claim(ctx)
		switch {
		case err != nil:
			return nil
		case got == marked:
			f.Alone() // as is whoever waits for it here
			return nil
		case got == ours:
			e, _ := s.made(ctx, k, f) // the one before us may have ended since we looked
			if e != nil {
				l.leave(false)
			} else {
				f.lease = l
			}
			return e
		}
		if !rest(ctx, min(pause/2+mathrand.N(pause/2), time.Until(end))) {
			return nil
		}
		if e, over := s.made(ctx, k, f); e != nil || over {
			return e
		}
	}
}

// made looks for the entry, and tells whether there is no use in looking again.
func (s *Store) made(ctx context.Context, k *Key, f *Flight) (e *Entry, over bool) {
	var snap Snapshot
	if s.Load(ctx, k, &snap) != nil {
		return nil, true
	}
	if e := snap.Entry; e != nil && e.Fresh(snap.Now) {
		return e, false
	}
	return nil, !slices.Equal(snap.Epochs(), f.epochs[:f.scopes])
}

// rest waits for d and reports whether there was any time left, and ctx goes on.
func rest(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// pass gives the lease to the saver.
func (l *lease) pass() *lease {
	if l != nil {
		l.passed.Store(true)
	}
	return l
}

// leave is end for whoever may not wait. It does nothing where the saver has it.
func (l *lease) leave(mark bool) {
	if l != nil && !l.passed.Load() && !l.ended.Swap(true) {
		go l.release(mark)
	}
}

// end gives the lease back. With mark those who wait for it elsewhere run at once.
func (l *lease) end(mark bool) {
	if l != nil && !l.ended.Swap(true) {
		l.release(mark)
	}
}

// release need not succeed: the lease ends by itself.
func (l *lease) release(mark bool) {
	_ = l.store.call(context.Background(), "lease", func(ctx context.Context) error {
		return l.store.leases.release(ctx, l.name, l.token, mark)
	})
}
