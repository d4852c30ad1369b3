package restflow

import (
	"context"

	"github.com/restflow-go/restflow/tagkey"
)

// troubled is the reason that events give when the store failed before the
// function ran.
const troubled = "the store is in trouble"

// call is what one call needs besides its arguments, reused from call to call.
type call[K any] struct {
	arg   K // here, since the plan takes a pointer
	built tagkey.Key
	key   Key
	snap  Snapshot

	background bool // a rule asked for it, and nobody waits for the result
}

// open builds the key of k.
func (f *Func[K, V]) open(k K) (*call[K], error) {
	c := f.calls.Get().(*call[K])
	c.arg = k
	if err := f.keyspace.Plan.BuildValue(&c.built, &c.arg); err != nil {
		f.close(c)
		return nil, err
	}
	c.built.AppendString(f.identity.tail)
	f.keyspace.Fill(&c.key, &c.built, c.built.Bytes())
	return c, nil
}

// close takes c back, with its buffers and without what belongs to the caller.
func (f *Func[K, V]) close(c *call[K]) {
	var none K
	c.arg, c.background = none, false
	c.snap.Entry, c.snap.Soft, c.snap.Fault = nil, nil, nil
	f.calls.Put(c)
}

// outcome is what a call came to.
type outcome[V any] struct {
	value V
	meta  Metadata
	err   error  // the function's
	why   string // why nothing was stored, or ""
	cause error  // the failure behind why
}

func (o outcome[V]) unwrap() (V, Metadata, error) { return o.value, o.meta, o.err }

// hit answers from the entry that was loaded, if it is fresh and holds a V. What
// does not is noted as a fault, and the call is a miss.
func (f *Func[K, V]) hit(ctx context.Context, c *call[K]) (v V, m Metadata, ok bool) {
	e := c.snap.Entry
	if e == nil || !e.Fresh(c.snap.Now) {
		return v, m, false
	}
	v, err := f.results.unpack(e)
	if err != nil {
		c.snap.Fault = err
		return v, m, false
	}
	m = e.Metadata(Hit)
	f.tell(ctx, c, Event{Status: Hit})
	return v, m, true
}

// miss runs the function, or waits for another call's run. It does not wait where
// the last result was refused: this one will be as well, and every caller would have
// waited for nothing.
func (f *Func[K, V]) miss(ctx context.Context, k K, c *call[K]) outcome[V] {
	var r run[V]
	ran := false
	do := func(fl *Flight) *Entry {
		ran, r = true, f.run(ctx, k, fl)
		f.store.refused.Set(c.key.Bytes, r.refused)
		return r.entry
	}
	var e *Entry
	var err error
	if f.store.refused.Has(c.key.Bytes) {
		e, err = f.store.FillAlone(ctx, &c.key, &c.snap, do)
	} else {
		e, _, err = f.store.Fill(ctx, &c.key, &c.snap, do)
	}
	switch {
	case ran:
		return f.finish(ctx, c, Miss, &r, e, err)
	case err != nil:
		return f.plain(ctx, k, c, Bypass, troubled, err)
	case e != nil:
		return f.join(ctx, k, c, e)
	case ctx.Err() != nil:
		return f.gaveUp(ctx, c)
	}
	return f.plain(ctx, k, c, Miss, "the result that it waited for was not stored", nil)
}

// gaveUp ends a call whose context has ended while it waited.
func (f *Func[K, V]) gaveUp(ctx context.Context, c *call[K]) outcome[V] {
	const why = "the call ended while it waited"
	f.tell(ctx, c, Event{Status: Miss, Reason: why, Err: ctx.Err()})
	return outcome[V]{meta: Metadata{Status: Miss}, err: ctx.Err(), why: why, cause: ctx.Err()}
}

// join answers with what another call's run stored.
func (f *Func[K, V]) join(ctx context.Context, k K, c *call[K], e *Entry) outcome[V] {
	v, err := f.results.unpack(e)
	if err != nil {
		return f.plain(ctx, k, c, Miss, "the stored value was unreadable", err)
	}
	f.tell(ctx, c, Event{Status: Miss, Shared: true})
	return outcome[V]{value: v, meta: e.Metadata(Miss)}
}

// plain runs the function for this caller alone and stores nothing.
func (f *Func[K, V]) plain(ctx context.Context, k K, c *call[K], s Status, why string, cause error) outcome[V] {
	f.tell(ctx, c, Event{Status: s, Reason: why, Err: cause})
	v, err := f.compute(ctx, k)
	return outcome[V]{v, Metadata{Status: s}, err, why, cause}
}

// compute calls the function, under the context of whoever calls it: nobody's call
// lasts longer than they allow for the sake of others. It is the only place that does.
func (f *Func[K, V]) compute(ctx context.Context, k K) (V, error) { return f.fn(ctx, k) }

// tell reports what became of a call; c is nil if it has no key.
func (f *Func[K, V]) tell(ctx context.Context, c *call[K], ev Event) {
	if f.cfg.OnEvent == nil {
		return
	}
	ev.Cache = f.keyspace.Plan.Namespace()
	if c != nil {
		ev.Key, ev.Background = c.built.String(), c.background
	}
	f.cfg.OnEvent(context.WithoutCancel(ctx), ev)
}
