package restflow

import (
	"context"
	"time"
)

// run is one run of the function and what may be stored of it.
type run[V any] struct {
	value V
	err   error  // the function's
	entry *Entry // nil if it may not be stored
	why   string // why not
	cause error  // the failure behind why

	refused bool // a predicate would not have the result, or no codec
}

// run runs the function and makes an entry of its result, if that may be stored.
// A run that the end of ctx has spoilt goes on in somebody else's hands.
func (f *Func[K, V]) run(ctx context.Context, k K, fl *Flight) (r run[V]) {
	began := time.Now()
	r.value, r.err = f.compute(fl.within(ctx), k)
	if r.why, r.cause = f.refuse(ctx, &r); r.why != "" {
		if ctx.Err() != nil {
			fl.Abandon()
		} else {
			r.refused = r.err == nil
		}
		return r
	}
	now := time.Now()
	expires := f.lifetime.Expires(now, f.lifetime.TTL)
	e := &Entry{Created: now.UnixNano(), Expires: expires, StaleUntil: expires, Delta: int64(now.Sub(began))}
	if err := f.results.pack(e, r.value); err != nil {
		r.why, r.cause, r.refused = "the result could not be encoded", err, true
		return r
	}
	r.entry = e
	return r
}

// refuse says why a result may not be stored. One that was made under a context
// which has ended may be only a part of what the function meant to return.
func (f *Func[K, V]) refuse(ctx context.Context, r *run[V]) (why string, cause error) {
	if r.err != nil {
		return "the function returned an error", r.err
	}
	if err := ctx.Err(); err != nil {
		return "the call ended first", err
	}
	predicate, want, name := f.cfg.CacheIf, true, "CacheIf"
	if predicate == nil {
		predicate, want, name = f.cfg.CacheUnless, false, "CacheUnless"
	}
	if predicate == nil {
		return "", nil
	}
	got, err := predicate(ctx, r.value)
	switch {
	case err != nil:
		return name + " failed", err
	case got != want:
		return name, nil
	}
	return "", nil
}

// finish tells what a run came to. e is what was stored of it, and err why it
// could not be.
func (f *Func[K, V]) finish(ctx context.Context, c *call[K], s Status, r *run[V], e *Entry, err error) outcome[V] {
	o := outcome[V]{value: r.value, meta: Metadata{Status: s}, err: r.err, why: r.why, cause: r.cause}
	stored := e != nil && err == nil
	switch {
	case stored:
		o.meta = e.Metadata(s)
	case err != nil:
		o.why, o.cause, o.meta = "the result could not be saved", err, Metadata{Status: Bypass}
	case r.entry != nil:
		o.why = "the entry was deleted meanwhile"
	}
	ev := Event{Status: o.meta.Status, Stored: stored, Reason: o.why, Err: o.cause}
	if ev.Reason == "" && c.snap.Fault != nil {
		ev.Reason, ev.Err = "the stored value was unreadable", c.snap.Fault
	}
	f.tell(ctx, c, ev)
	return o
}
