package restflow

import (
	"bytes"
	"slices"
	"sync/atomic"
	"time"
)

// Key addresses one entry and names the groups it belongs to. The caller owns
// its slices; a Store does not keep them.
type Key struct {
	// Bytes is the full key. It is compared on every hit, so that a store
	// which mixes values up costs a miss.
	Bytes []byte
	// Space is the namespace and version, for the names of keys in a shared
	// store: "UserDetail:v1".
	Space string
	// Scopes are the groups of the entry, the whole cache first.
	Scopes []Scope

	// Of a Known, by its store, else zero:
	hash  uint64 // of Bytes, in a memory store
	names *names // in Redis
}

// names are what a load reads in Redis: the entry and the epochs of the key's scopes.
type names struct {
	all     []string
	mget    []any // the command that reads them; nil where each has one
	reading *atomic.Pointer[reading]
}

// clone returns a key that owns its slices.
func (k *Key) clone() Key {
	return Key{Bytes: slices.Clone(k.Bytes), Space: k.Space, Scopes: slices.Clone(k.Scopes), hash: k.hash, names: k.names}
}

// Entry is one stored answer with the epochs it was made under. Entries are
// shared between requests: nobody may change one after it was saved.
type Entry struct {
	// What each hit reads stands first and together.

	// Epochs are those of the key's scopes, in their order, read before the
	// handler ran.
	Epochs []Epoch
	// Created, Expires and StaleUntil are Unix times in nanoseconds. An entry
	// is fresh before Expires and may be kept until StaleUntil, which is never
	// before Expires. Zero means never, for both of them.
	Created, Expires int64
	// Header, Body and Status are those of a response. A function's result is
	// kept in Body when it is encoded.
	Header     []Field
	Body       []byte
	Status     int
	StaleUntil int64
	epochs     [4]Epoch // room for Epochs, which few entries have more of

	// Key is the full key.
	Key []byte
	// Tags are scopes that the handler named, each with its epoch, and AnyTag if
	// there are any.
	Tags []Tag
	// Delta is how long the handler took, in nanoseconds (for XFetch).
	Delta int64
	// ETag is the entity tag of Body, when one was made for it.
	ETag string

	// Value is a function's result in a store that keeps entries decoded, and
	// Cost the bytes that it holds, by estimate; less than none is none.
	Value any
	Cost  int

	// In a memory store, and guarded by it:
	homes   []*Known // the keys that lead here
	crowded uint32   // not zero if no more may; atomic
	cached  bool     // the entry is in the store
	weight  int      // its size there
}

// Tag is a scope that a handler named while it ran, and the epoch that the
// scope had before the handler read what the tag stands for.
type Tag struct {
	Scope Scope
	Epoch Epoch
}

// Op says what the handler did to a header field.
type Op uint8

// The operations on a header field.
const (
	// SetField replaces the field.
	SetField Op = iota
	// AddField appends to values that outer middleware set.
	AddField
	// DelField removes what outer middleware set.
	DelField
)

// Field is one header field as the handler left it, relative to what outer
// middleware had set. Name is in canonical form.
type Field struct {
	Op     Op
	Name   string
	Values []string
}

// Fresh reports whether the entry may answer without revalidation at now, a Unix
// time in nanoseconds.
func (e *Entry) Fresh(now int64) bool { return e.Expires == 0 || now < e.Expires }

// Servable reports whether the entry is fresh or inside its stale window at now.
func (e *Entry) Servable(now int64) bool { return e.Expires == 0 || now < e.StaleUntil }

// Within reports whether an entry that is no longer fresh at now is so for less
// than window.
func (e *Entry) Within(now int64, window time.Duration) bool {
	return window > 0 && now < e.Expires+int64(window)
}

// Metadata describes the entry as the answer of a request.
func (e *Entry) Metadata(s Status) Metadata {
	m := Metadata{Status: s, CachedAt: time.Unix(0, e.Created)}
	if e.Expires != 0 {
		m.ResetAt = time.Unix(0, e.Expires)
	}
	return m
}

// alive reports whether the entry belongs to key and every epoch it was made
// under still stands.
func (e *Entry) alive(key []byte, epochs []Epoch) bool {
	if len(e.Epochs) != len(epochs) || !bytes.Equal(e.Key, key) {
		return false
	}
	for i, ep := range epochs {
		if ep == 0 || e.Epochs[i] != ep {
			return false
		}
	}
	return true
}

// size estimates the bytes that the entry holds in memory.
func (e *Entry) size() int {
	const entry, field, slice = 352, 48, 16 // an Entry and its place in the cache, a Field, a string
	n := entry + min(max(0, e.Cost), maxCost) + len(e.Key) + len(e.Body) + 8*len(e.Epochs) + 16*len(e.Tags) + len(e.ETag)
	for i := range e.Header {
		n += field + len(e.Header[i].Name)
		for _, v := range e.Header[i].Values {
			n += slice + len(v)
		}
	}
	return n
}
