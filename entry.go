package restflow

import (
	"bytes"
	"net/http"
	"slices"
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

	hash uint64 // of Bytes, by the store that Store.Index was called on; or zero
}

// clone returns a key that owns its slices.
func (k *Key) clone() Key {
	return Key{Bytes: slices.Clone(k.Bytes), Space: k.Space, Scopes: slices.Clone(k.Scopes), hash: k.hash}
}

// Entry is one stored answer with the epochs it was made under. Entries are
// shared between requests: nobody may change one after it was saved.
type Entry struct {
	// Key is the full key.
	Key []byte
	// Epochs are those of the key's scopes, in their order, read before the
	// handler ran.
	Epochs []Epoch
	// Tags are scopes that the handler named, each with its epoch, and AnyTag if
	// there are any.
	Tags []Tag
	// Created, Expires and StaleUntil are Unix times in nanoseconds. An entry
	// is fresh before Expires and may be kept until StaleUntil, which is never
	// before Expires. Zero means never, for both of them.
	Created, Expires, StaleUntil int64
	// Delta is how long the handler took, in nanoseconds (for XFetch).
	Delta int64

	// Status, Header and Body are those of a response. A function's result is
	// kept in Body when it is encoded.
	Status int
	Header []Field
	Body   []byte
	// ETag is the entity tag of Body, when one was made for it.
	ETag string

	// Value is a function's result in a store that keeps entries decoded, and
	// Cost the bytes that it holds, by estimate.
	Value any
	Cost  int
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

// Fresh reports whether the entry may answer without revalidation.
func (e *Entry) Fresh(now time.Time) bool {
	return e.Expires == 0 || now.UnixNano() < e.Expires
}

// Servable reports whether the entry is fresh or inside its stale window.
func (e *Entry) Servable(now time.Time) bool {
	return e.Expires == 0 || now.UnixNano() < e.StaleUntil
}

// Within reports whether an entry that is no longer fresh is so for less than window.
func (e *Entry) Within(now time.Time, window time.Duration) bool {
	return window > 0 && now.UnixNano() < e.Expires+int64(window)
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
	const entry, field, slice = 256, 56, 16
	n := entry + e.Cost + len(e.Key) + len(e.Body) + 8*len(e.Epochs) + 16*len(e.Tags) + len(e.ETag)
	for i := range e.Header {
		n += field + len(e.Header[i].Name)
		for _, v := range e.Header[i].Values {
			n += slice + len(v)
		}
	}
	return n
}

// Apply writes the entry's header fields onto h, which holds what outer
// middleware set. Values are copied, so that nobody who changes h in place
// reaches the entry. It returns room for as many more values as spare says.
func (e *Entry) Apply(h http.Header, spare int) []string {
	n := 0
	for i := range e.Header {
		n += len(e.Header[i].Values)
	}
	values, at := make([]string, n, n+spare), 0
	for i := range e.Header {
		f := &e.Header[i]
		switch f.Op {
		case DelField:
			delete(h, f.Name)
		case AddField:
			h[f.Name] = append(h[f.Name], f.Values...)
		case SetField:
			end := at + len(f.Values)
			if end == at+1 { // nearly always, and cheaper than a copy
				values[at] = f.Values[0]
			} else {
				copy(values[at:end], f.Values)
			}
			h[f.Name] = values[at:end:end]
			at = end
		}
	}
	return values[n:]
}
