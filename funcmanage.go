package restflow

import (
	"context"
	"errors"
)

// Peek returns the cached result for k and never runs the function. The status is
// Hit, or Stale when the entry is kept past its TTL. The error is ErrMiss if there is
// no entry, the store's, or that of a key that cannot be built.
func (f *Func[K, V]) Peek(ctx context.Context, k K) (v V, m Metadata, err error) {
	c, m, err := f.find(ctx, k)
	if err != nil {
		return v, m, err
	}
	defer f.close(c)
	if v, err = f.results.unpack(c.snap.Entry); err != nil {
		return v, Metadata{}, errors.Join(ErrMiss, err)
	}
	return v, m, nil
}

// Metadata is Peek without the result, which is not decoded.
func (f *Func[K, V]) Metadata(ctx context.Context, k K) (Metadata, error) {
	c, m, err := f.find(ctx, k)
	if err != nil {
		return m, err
	}
	f.close(c)
	return m, nil
}

// find loads the entry of k. On success the caller closes the call.
func (f *Func[K, V]) find(ctx context.Context, k K) (*call[K], Metadata, error) {
	c, err := f.open(k)
	if err != nil {
		return nil, Metadata{}, err
	}
	var m Metadata
	if err = f.store.Load(ctx, &c.key, &c.snap); err == nil {
		m, err = c.snap.Peek()
	}
	if err != nil {
		f.close(c)
		return nil, Metadata{}, err
	}
	return c, m, nil
}

// Refresh runs the function whatever is cached, and replaces the entry with the result.
// It joins no run that is under way, and such a run's result is no longer stored. If
// the function fails, its error is returned and the entry stays as it was. The status
// is Refresh, or Bypass if the result could not be stored; it is returned anyway.
func (f *Func[K, V]) Refresh(ctx context.Context, k K) (V, Metadata, error) {
	return f.refresh(ctx, k, false).unwrap()
}

func (f *Func[K, V]) refresh(ctx context.Context, k K, background bool) outcome[V] {
	c, err := f.open(k)
	if err != nil {
		return f.plain(ctx, k, &call[K]{background: background}, Bypass, "the key cannot be built", err)
	}
	defer f.close(c)
	c.background = background
	if err := f.store.Load(ctx, &c.key, &c.snap); err != nil {
		return f.plain(ctx, k, c, Bypass, troubled, err)
	}
	var r run[V]
	ran := false
	e, err := f.store.Replace(ctx, &c.key, &c.snap, func(fl *Flight) *Entry {
		ran, r = true, f.run(ctx, k, fl)
		return r.entry
	})
	if !ran {
		return f.plain(ctx, k, c, Bypass, troubled, err)
	}
	return f.finish(ctx, c, Refresh, &r, e, err)
}

// Bypass runs the function without the cache: nothing is looked up or stored.
func (f *Func[K, V]) Bypass(ctx context.Context, k K) (V, error) {
	o := f.plain(ctx, k, nil, Bypass, "Bypass was called", nil)
	return o.value, o.err
}

// Delete removes the cached result for k, and keeps runs for it that are under way
// in this process from being stored. It is no error if there is no entry. Only
// Invalidate also reaches runs in other processes.
func (f *Func[K, V]) Delete(ctx context.Context, k K) error {
	c, err := f.open(k)
	if err != nil {
		return err
	}
	defer f.close(c)
	return f.store.Delete(ctx, &c.key)
}

// Key returns the full key of k, printable, as in events. It does not call the store.
// An error says why no key can be built from k; a call with such a k is a Bypass.
func (f *Func[K, V]) Key(k K) (string, error) {
	c, err := f.open(k)
	if err != nil {
		return "", err
	}
	defer f.close(c)
	return c.built.String(), nil
}
