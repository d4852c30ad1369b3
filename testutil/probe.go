package testutil

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/restflow-go/restflow"
)

// patience is how long anything may take. It is generous since tests share their
// machine; it costs nothing when all is well.
const patience = 30 * time.Second

// probe is one check's way to a store: keys of a namespace of its own, and steps
// that fail the test on errors. Its methods are for the goroutine of the test.
type probe struct {
	t     *testing.T
	s     *restflow.Store
	ctx   context.Context
	space string
	all   restflow.Scope
}

func newProbe(t *testing.T, s *restflow.Store) *probe {
	p := &probe{t: t, s: s, ctx: t.Context()}
	p.renew()
	return p
}

// renew moves to a new namespace. It is random because a store can outlive tests.
func (p *probe) renew() {
	p.space = "conformance-" + rand.Text()
	p.all = restflow.CacheScope(p.space)
}

// on is the same probe on another handle.
func (p *probe) on(s *restflow.Store) *probe {
	q := *p
	q.s = s
	return &q
}

// key returns a key with a scope for each of the partition values, and one for
// their tuple if there are several.
func (p *probe) key(name string, values ...string) *restflow.Key {
	k := &restflow.Key{
		Bytes: []byte(p.space + "\x00" + name), Space: p.space,
		Scopes: []restflow.Scope{p.all},
	}
	for i, v := range values {
		k.Scopes = append(k.Scopes, p.group(i, v))
	}
	if len(values) > 1 {
		k.Scopes = append(k.Scopes, restflow.TupleScope(k.Scopes[1:]))
	}
	return k
}

// group is the scope of the keys whose i-th partition value is v.
func (p *probe) group(i int, v string) restflow.Scope {
	return restflow.GroupScope(p.all, append([]byte{byte(i)}, v...))
}

// text returns an entry that does not expire.
func text(body string) *restflow.Entry {
	return &restflow.Entry{Status: 200, Created: time.Now().UnixNano(), Body: []byte(body)}
}

// load reads k; the entry may be nil.
func (p *probe) load(k *restflow.Key) *restflow.Snapshot {
	p.t.Helper()
	var snap restflow.Snapshot
	if err := p.s.Load(p.ctx, k, &snap); err != nil {
		p.t.Fatalf("Load: %v", err)
	}
	if snap.Fault != nil {
		p.t.Fatalf("Load: unreadable value: %v", snap.Fault)
	}
	if got, want := len(snap.Epochs()), len(k.Scopes); got != want {
		p.t.Fatalf("Load: %d epochs for %d scopes", got, want)
	}
	return &snap
}

// body returns the body of k's entry, "" if there is none.
func (p *probe) body(k *restflow.Key) string {
	p.t.Helper()
	if e := p.load(k).Entry; e != nil {
		return string(e.Body)
	}
	return ""
}

// want fails unless k's entry has this body, "" meaning no entry.
func (p *probe) want(k *restflow.Key, body string) {
	p.t.Helper()
	if got := p.body(k); got != body {
		p.t.Fatalf("entry of %q: got %q, want %q", k.Bytes[len(p.space)+1:], got, body)
	}
}

// fill stores e under k, which must be a miss.
func (p *probe) fill(k *restflow.Key, e *restflow.Entry) {
	p.t.Helper()
	snap := p.load(k)
	if snap.Entry != nil {
		p.t.Fatalf("fill: %q is there already", k.Bytes)
	}
	got, led, err := p.s.Fill(p.ctx, k, snap, func(*restflow.Flight) *restflow.Entry { return e })
	if got != e || !led || err != nil {
		p.t.Fatalf("Fill: got entry %t, led %t, error %v; want the entry that was made, led and no error", got != nil, led, err)
	}
	p.flush()
}

// flush waits until what was filled is in the store, so that lookups are answered
// from there, in every process. It may be called from any goroutine.
func (p *probe) flush() {
	if err := p.s.Flush(p.ctx); err != nil && p.ctx.Err() == nil {
		p.t.Errorf("Flush: %v", err)
	}
}

// bump invalidates scopes.
func (p *probe) bump(scopes ...restflow.Scope) {
	p.t.Helper()
	if err := p.s.Bump(p.ctx, p.all, scopes...); err != nil {
		p.t.Fatalf("Bump: %v", err)
	}
}

// await looks until cond holds.
func (p *probe) await(what string, cond func() bool) {
	p.t.Helper()
	for end := time.Now().Add(patience); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("%s: not so after %v", what, patience)
		}
	}
}

// luckily retries a check that coincidence can fail: scopes of a store in this
// process share slots, so that a bump can drop more than was asked.
func (p *probe) luckily(check func() error) {
	p.t.Helper()
	var err error
	for range 3 {
		if err = check(); err == nil {
			return
		}
		p.renew()
	}
	p.t.Fatal(err)
}
