package restflow

import (
	"context"
	"fmt"
	"math"
	"slices"
	"unsafe"
)

// What tests in package restflow_test see of the inside.

// AppendEntry and DecodeEntry are the codec of stored entries.
var (
	AppendEntry = appendEntry
	DecodeEntry = decodeEntry
	ErrEncoding = errEncoding
)

// Inflated bounds what a compressed body of n bytes may hold.
var Inflated = inflated

// Seal writes the checksum of an encoded entry that a test has changed.
func Seal(raw []byte) {
	sum := checksum(raw)
	for i := range 8 {
		raw[4+i] = byte(sum >> (8 * i))
	}
}

// Waiting is how many wait for flights of k.
func (s *Store) Waiting(k *Key) (n int) {
	sh := s.flights.shard(k)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for _, f := range sh.of(k).all {
		n += f.Waiters()
	}
	return n
}

// Forgotten reports whether what a flight of k makes will not be stored.
func (s *Store) Forgotten(k *Key) bool {
	sh := s.flights.shard(k)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return slices.ContainsFunc(sh.of(k).all, func(f *Flight) bool { return f.forgotten.Load() })
}

// Pinned reports whether a lookup of k need not ask the eviction policy's cache.
func (k *Known) Pinned() bool { return k.entry.Load() != nil }

// Held is how many bytes the entries of a memory store have.
func (s *Store) Held() int64 { return s.memory.held.Load() }

// SaveInMemory saves e past the store's own look at whether it is closed.
func (s *Store) SaveInMemory(k *Key, e *Entry) error {
	return s.memory.save(context.Background(), k, e, 0)
}

// KnownRoom is how many bytes are left for known keys.
func (s *Store) KnownRoom() int64 { return s.known.room() }

// ForgetKnown lets all known keys go, as if their room were needed.
func (s *Store) ForgetKnown() { s.known.makeRoom(math.MaxInt64) }

// CheckKnown returns what the table of known keys must not hold: a key that leads to
// an entry which does not lead back, or has left the store; and a wrong sum of bytes.
func (s *Store) CheckKnown() (faults []string) {
	s.memory.pins.Lock()
	defer s.memory.pins.Unlock()
	size := int64(len(s.known.buckets)) * int64(unsafe.Sizeof(knownBucket{}))
	for i := range s.known.buckets {
		b := &s.known.buckets[i]
		for w := range b.ways {
			k := b.ways[w].Load()
			if k == nil {
				continue
			}
			size += k.cost
			if e := k.entry.Load(); e != nil && (!slices.Contains(e.homes, k) || !e.cached || k.dropped) {
				faults = append(faults, fmt.Sprintf("%q leads to an entry that does not lead back, cached: %v", k.texts, e.cached))
			}
		}
	}
	if used, limit := s.known.used.Load(), s.known.limit(); used != size || used > limit {
		faults = append(faults, fmt.Sprintf("%d bytes are used, %d are counted, and %d allowed", size, used, limit))
	}
	return faults
}

// SharePlace lets other keep what it reads in the place of k.
func (k *Known) SharePlace(other *Known) { other.Key.names.reading = k.Key.names.reading }

// Readings is how many bytes the readings of a store in Redis hold, by its own count and
// by adding them up, and how many they may.
func (s *Store) Readings() (counted, sum, limit int64) {
	rs := &s.backend.(*redisStore).readings
	for i := range rs.places {
		sum += rs.places[i].Load().size()
	}
	return rs.used.Load(), sum, readingsLimit
}
