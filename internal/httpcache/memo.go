package httpcache

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/tagkey"
)

// A memo gathers the texts that a key is built from, by which the store remembers
// it: parsing, sorting and hashing a query costs more than all the rest of a hit. A
// key is a function of those texts alone, so that what is remembered is never out
// of date.
type memo struct {
	id      uint32   // of the engine, since caches share the memory of their store
	headers []string // header fields in the key, "Cookie" for cookies
	values  bool     // the key has request fields
	seed    maphash.Seed
}

// memoLimit is how many bytes of texts are remembered. Beyond it, a key is built
// each time.
const memoLimit = 512

// memoFrame is what is written beside those texts: whose they are, three lengths, and
// three counts. The frames of the other texts count as text.
const memoFrame = 4 + 3*2 + 3

var memos atomic.Uint32

func newMemo(plan *tagkey.Plan) *memo {
	m := &memo{id: memos.Add(1), seed: maphash.MakeSeed()}
	for _, f := range plan.Fields() {
		switch f.Source {
		case "header":
			m.headers = append(m.headers, f.SourceName)
		case "cookie":
			m.headers = append(m.headers, "Cookie")
		case "request":
			m.values = true
		}
	}
	slices.Sort(m.headers)
	m.headers = slices.Compact(m.headers)
	return m
}

// texts collects what the key of v is a function of but for the values of request
// fields, each text with its length. It returns none if they have more than limit bytes.
func (m *memo) texts(dst []byte, v *Visit, limit int) []byte {
	r := v.Request.HTTP
	n := len(v.Route) + len(r.Host) + len(r.URL.RawQuery)
	if n > limit {
		return dst
	}
	none := dst
	dst = binary.LittleEndian.AppendUint32(dst, m.id)
	dst = appendText(dst, v.Route)
	dst = appendText(dst, r.Host)
	dst = appendText(dst, r.URL.RawQuery)
	names, values := len(v.Request.ParamNames), len(v.Request.ParamValues) // middleware may have set others
	dst = append(dst, byte(min(len(r.URL.RawPath), 1)), byte(names), byte(values))
	for _, name := range v.Request.ParamNames {
		dst = appendText(dst, name)
		n += len(name) + 2
	}
	if n > limit {
		return none
	}
	for _, value := range v.Request.ParamValues {
		if n += len(value) + 2; n > limit {
			return none
		}
		dst = appendText(dst, value)
	}
	for _, name := range m.headers {
		lines := r.Header[name]
		dst = append(dst, byte(len(lines)), byte(len(lines)>>8))
		n += 2
		for _, line := range lines {
			if n += len(line) + 2; n > limit {
				return none
			}
			dst = appendText(dst, line)
		}
	}
	return dst
}

// appendText frames a text of at most memoLimit bytes.
func appendText(dst []byte, s string) []byte {
	return append(append(dst, byte(len(s)), byte(len(s)>>8)), s...)
}

// gather writes the texts of v into dst, with k to work in. There are none if they are
// too long to be remembered, or no key can be made of them.
func (e *Engine) gather(dst []byte, k *tagkey.Key, v *Visit) []byte {
	dst = e.memo.texts(dst[:0], v, memoLimit)
	if len(dst) == 0 || !e.memo.values {
		return dst
	}
	dst, err := e.cfg.Plan.AppendRequestValues(dst, k, &v.Request)
	if err != nil || len(dst) > 2*memoLimit {
		return dst[:0]
	}
	return dst
}

// A draft is room to gather texts in.
type draft struct {
	key   tagkey.Key
	texts []byte
}

var drafts = sync.Pool{New: func() any { return new(draft) }}

// unchanged reports whether the request of x certainly gives the same key as before.
func (e *Engine) unchanged(x *Exchange) bool {
	if len(x.texts) == 0 {
		return false
	}
	d := drafts.Get().(*draft)
	defer drafts.Put(d)
	d.texts = e.gather(d.texts, &d.key, &x.Visit)
	return bytes.Equal(d.texts, x.texts)
}

// key recalls the key of x, or builds it.
func (e *Engine) key(x *Exchange) error {
	x.texts = e.gather(x.texts, &x.built, &x.Visit)
	if len(x.texts) > 0 {
		if k := e.store.Recall(x.texts); k != nil {
			x.known, x.key, x.covered = k, &k.Key, k.Note
			return nil
		}
	}
	return e.buildKey(x)
}

// remember lets the texts of x lead to the entry that was found or stored for it.
func (e *Engine) remember(x *Exchange, entry *restflow.Entry) {
	if x.known == nil && len(x.texts) > 0 {
		x.known = e.store.Remember(x.texts, x.key, entry, x.covered)
	}
	if x.known != nil {
		e.store.Lead(x.known, entry)
	}
}

// buildKey builds the key of x.
func (e *Engine) buildKey(x *Exchange) error {
	if err := e.build(x, &x.built); err != nil {
		return err
	}
	e.fill(x)
	return nil
}

// fill makes the store's key of the one that was built.
func (e *Engine) fill(x *Exchange) {
	x.isBuilt, x.covered = true, e.identity.covers(&x.built)
	x.own.Scopes = x.scopes[:0]
	e.keyspace.Fill(&x.own, &x.built, x.built.Bytes())
	x.key = &x.own
}

// parts returns the built key of x, for what its bytes do not tell.
func (e *Engine) parts(x *Exchange) *tagkey.Key {
	if !x.isBuilt {
		if e.build(x, &x.built) != nil {
			x.built.Reset() // cannot be: the same texts gave the key that was recalled
		}
		x.isBuilt = true
	}
	return &x.built
}
