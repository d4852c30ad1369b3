package restflow

import (
	"sync/atomic"
	"unsafe"
)

// A reading is an entry and what it was decoded from. A lookup that gets the same bytes
// again has no need to check and decode them, which for large ones takes longer than all
// else that a hit from Redis takes beside the round trip.
type reading struct {
	raw   string
	entry *Entry
}

// size estimates the bytes that r holds. A body that was not compressed is a part of raw.
func (r *reading) size() int64 {
	if r == nil {
		return 0
	}
	n := r.entry.size()
	if r.raw[3]&flagS2 != 0 {
		n += len(r.raw)
	}
	return int64(n)
}

// readings are those of keys that are known. Each has a place, which it shares with others
// when there are many: who comes last has it.
type readings struct {
	places [2048]atomic.Pointer[reading]
	next   atomic.Uint32 // place to give
	used   atomic.Int64  // bytes
	hand   atomic.Uint32 // place to clear, where there is no room
}

// readingsLimit is how many bytes all readings may hold.
const readingsLimit = 32 << 20

func (rs *readings) place() *atomic.Pointer[reading] {
	return &rs.places[rs.next.Add(1)%uint32(len(rs.places))]
}

// decode returns the entry that raw, which was found under k, is the encoding of.
func (rs *readings) decode(k *Key, raw string) (*Entry, error) {
	if k.names == nil {
		return decodeString(raw)
	}
	if r := k.names.reading.Load(); r != nil && r.raw == raw {
		return r.entry, nil
	}
	e, err := decodeString(raw)
	if err == nil {
		rs.keep(k.names.reading, &reading{raw, e})
	}
	return e, err
}

// keep puts r into its place, and clears others until there is room.
func (rs *readings) keep(place *atomic.Pointer[reading], r *reading) {
	size := r.size()
	if size > readingsLimit/16 {
		return
	}
	rs.used.Add(size - place.Swap(r).size())
	for range rs.places {
		if rs.used.Load() <= readingsLimit {
			return
		}
		at := rs.hand.Add(1) % uint32(len(rs.places))
		rs.used.Add(-rs.places[at].Swap(nil).size())
	}
}

// decodeString decodes a text that the client has made for us alone: the entry keeps
// its bytes without a copy.
func decodeString(raw string) (*Entry, error) {
	return decodeEntry(unsafe.Slice(unsafe.StringData(raw), len(raw)))
}
