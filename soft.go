package restflow

import (
	"bytes"
	"context"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"

	"github.com/restflow-go/restflow/internal/lifetime"
)

// BumpSoft is Bump for readers who may see old entries for a little longer: for at
// most window, counted from this call, Load returns entries of the groups in
// Snapshot.Soft, which caches may serve as Stale while they make new ones. Entries made
// from now on are made under new epochs, as after Bump. With a window of zero or less
// it is Bump.
//
// Only the epoch that was replaced last counts. So a second soft bump, or a Bump, of
// a group or of one that contains it ends the window of an earlier one at once. Entries
// with a tag that was invalidated are gone, too.
//
// It is a Bump wherever the old epoch cannot be kept: on a shared store of NewStore;
// on a Redis that is full or refuses scripts; and in memory while 16,384 windows are
// open. If it fails it is retried as a Bump, with its promises.
//
// On a shared store, each process compares the end of the window with its own clock.
func (s *Store) BumpSoft(ctx context.Context, within Scope, window time.Duration, scopes ...Scope) error {
	if window <= 0 || len(scopes) == 0 {
		return s.Bump(ctx, within, scopes...)
	}
	until := time.Now().Add(min(window, lifetime.Longest)).UnixNano() // of the call: a late delivery must not lengthen it
	return s.bumped(within, scopes, s.call(context.WithoutCancel(ctx), "bump", func(ctx context.Context) error {
		return s.backend.bumpSoft(ctx, scopes, until)
	}))
}

// spared reports whether e, which is not alive, is so by one soft bump alone, and
// notes in snap when its window ends. Bumps are told apart by the ends of their
// windows, which are read off the clock for each: an entry of two groups that were
// bumped one after the other would be late by both.
func (s *Store) spared(k *Key, e *Entry, snap *Snapshot) bool {
	if len(e.Epochs) != snap.scopes || !bytes.Equal(e.Key, k.Bytes) {
		return false
	}
	s.backend.predecessors(k.Scopes, snap)
	var until int64
	for i, now := range snap.Epochs() {
		switch p := &snap.before[i]; {
		case now == 0:
			return false
		case e.Epochs[i] == now:
		case e.Epochs[i] == p.epoch && (until == 0 || until == p.until):
			until = p.until
		default:
			return false
		}
	}
	snap.SoftUntil = until
	return snap.Now < until
}

// predecessor is the epoch that a soft bump replaced, and until when it counts, in
// Unix nanoseconds. The zero value is that of an epoch which has none.
type predecessor struct {
	epoch Epoch
	until int64
}

// maxSoft bounds the records of a softTable, at about 1 MiB.
const maxSoft = 1 << 14

// softTable is what soft bumps have replaced in an epochTable. A record counts only
// while the epoch that it led to stands, and epochs never come back: whatever bumps
// the slot next ends it, without a look at this table.
type softTable struct {
	mu      sync.RWMutex
	records map[*atomic.Uint64]succession
}

// succession is one record: to took the place of the predecessor.
type succession struct {
	predecessor
	to Epoch
}

// bumpSoft bumps scopes and remembers what stood before. The lock is held from
// before an epoch is replaced until its record is there, so that whoever has read
// the new epoch finds it.
func (t *epochTable) bumpSoft(scopes []Scope, until int64) {
	t.soft.mu.Lock()
	defer t.soft.mu.Unlock()
	for _, s := range scopes {
		slot, to := t.slot(s), newEpoch()
		from := Epoch(slot.Swap(uint64(to)))
		t.soft.put(slot, succession{predecessor{from, until}, to})
	}
}

// put adds a record. Without room the bump was a hard one.
func (t *softTable) put(slot *atomic.Uint64, r succession) {
	if t.records == nil {
		t.records = make(map[*atomic.Uint64]succession)
	}
	if _, ok := t.records[slot]; !ok && len(t.records) >= maxSoft {
		now := time.Now().UnixNano()
		for slot, r := range t.records {
			if r.until <= now {
				delete(t.records, slot)
			}
		}
		if len(t.records) >= maxSoft {
			return
		}
	}
	t.records[slot] = r
}

// predecessors completes a snapshot whose epochs have been read.
func (t *epochTable) predecessors(scopes []Scope, s *Snapshot) {
	t.soft.mu.RLock()
	defer t.soft.mu.RUnlock()
	for i, sc := range scopes {
		s.before[i] = predecessor{}
		if r, ok := t.soft.records[t.slot(sc)]; ok && r.to == s.epochs[i] {
			s.before[i] = r.predecessor
		}
	}
}

// A stored epoch is 8 bytes. One that a soft bump has made is followed by the epoch
// that it replaced and the end of the window.
const (
	plainEpochLen = 8
	softEpochLen  = 24
)

// parseEpoch reads a stored epoch. Whatever is none counts as absent.
func parseEpoch[S string | []byte](raw S) Epoch {
	if len(raw) != plainEpochLen && len(raw) != softEpochLen {
		return 0
	}
	return Epoch(binary.LittleEndian.Uint64([]byte(raw[:8])))
}

// parsePredecessor reads what a stored epoch says of the one before it.
func parsePredecessor(raw string) predecessor {
	if len(raw) != softEpochLen {
		return predecessor{}
	}
	return predecessor{
		Epoch(binary.LittleEndian.Uint64([]byte(raw[8:16]))),
		int64(binary.LittleEndian.Uint64([]byte(raw[16:]))),
	}
}
