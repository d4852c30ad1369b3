package httpcache

import (
	"bytes"
	"hash/maphash"
	"slices"
	"sync/atomic"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/tagkey"
)

// A memo remembers the keys of recent requests by the raw texts that they were
// built from, since parsing, sorting and hashing a query costs more than all the
// rest of a hit. A key is a function of those texts alone, so that a memo is never
// out of date. It is for plans that read nothing but the path, the query string,
// headers and cookies.
//
// The table is fixed. A key gets a slot when its texts come twice in a row there,
// so that a wide spread of keys does not pay for slots which nobody asks for again.
type memo struct {
	on      bool
	headers []string // header fields in the key, "Cookie" for cookies
	seed    maphash.Seed
	slots   [memoSlots]memoSlot
}

const (
	memoSlots = 1 << 11
	memoLimit = 512 // bytes of raw texts, beyond which a key is built each time
)

type memoSlot struct {
	last  atomic.Uint64 // hash of the texts that came last
	known atomic.Pointer[known]
}

// known is a key that was built. It is immutable and shared.
type known struct {
	raw []byte
	key restflow.Key
}

func newMemo(plan *tagkey.Plan) *memo {
	m := &memo{on: true, seed: maphash.MakeSeed()}
	for _, f := range plan.Fields() {
		switch f.Source {
		case "path", "query", "const", "schema":
		case "header":
			m.headers = append(m.headers, f.SourceName)
		case "cookie":
			m.headers = append(m.headers, "Cookie")
		default:
			m.on = false
		}
	}
	slices.Sort(m.headers)
	m.headers = slices.Compact(m.headers)
	return m
}

// raw collects the texts, each with its length. It returns false if they are
// too long to be remembered.
func (m *memo) raw(dst []byte, x *Exchange) ([]byte, bool) {
	r := x.Request.HTTP
	n := len(x.Route) + len(r.Host) + len(r.URL.RawQuery)
	if n > memoLimit {
		return dst, false
	}
	dst = appendText(dst, x.Route)
	dst = appendText(dst, r.Host)
	dst = appendText(dst, r.URL.RawQuery)
	dst = append(dst, byte(min(len(r.URL.RawPath), 1)))
	for _, v := range x.Request.ParamValues {
		if n += len(v); n > memoLimit {
			return dst, false
		}
		dst = appendText(dst, v)
	}
	for _, name := range m.headers {
		lines := r.Header[name]
		dst = append(dst, byte(len(lines)), byte(len(lines)>>8))
		for _, v := range lines {
			if n += len(v) + 2; n > memoLimit {
				return dst, false
			}
			dst = appendText(dst, v)
		}
	}
	return dst, true
}

// appendText frames a text of at most memoLimit bytes.
func appendText(dst []byte, s string) []byte {
	return append(append(dst, byte(len(s)), byte(len(s)>>8)), s...)
}

// key fills in the key of x from what is remembered, or builds it.
func (e *Engine) key(x *Exchange) error {
	x.isBuilt = false
	m := e.memo
	if !m.on {
		return e.buildKey(x)
	}
	raw, ok := m.raw(x.raw[:0], x)
	x.raw = raw
	if !ok {
		return e.buildKey(x)
	}
	hash := maphash.Bytes(m.seed, raw)
	slot := &m.slots[hash%memoSlots]
	if k := slot.known.Load(); k != nil && bytes.Equal(k.raw, raw) {
		x.key = k.key
		return nil
	}
	if err := e.buildKey(x); err != nil {
		return err
	}
	if slot.last.Swap(hash) == hash && len(x.key.Bytes) <= 2*memoLimit {
		k := &known{slices.Clone(raw), restflow.Key{
			Bytes: slices.Clone(x.key.Bytes), Space: x.key.Space, Scopes: slices.Clone(x.key.Scopes),
		}}
		e.store.Index(&k.key)
		slot.known.Store(k)
	}
	return nil
}

// buildKey builds the key of x.
func (e *Engine) buildKey(x *Exchange) error {
	if err := e.build(x, &x.built); err != nil {
		return err
	}
	x.isBuilt = true
	x.key.Scopes = x.scopes[:0] // never those of a known key
	e.keyspace.Fill(&x.key, &x.built, x.built.Bytes())
	return nil
}

// parts returns the built key of x, for what its bytes do not tell.
func (e *Engine) parts(x *Exchange) *tagkey.Key {
	if !x.isBuilt {
		if e.build(x, &x.built) != nil {
			x.built.Reset() // cannot be: the same texts were built before
		}
		x.isBuilt = true
	}
	return &x.built
}
