package httpcache

import (
	"context"
	"net/http"
	"slices"

	"github.com/restflow-go/restflow"
)

// Locate finds out which entry answers the request of x, whether or not the
// policy lets it be answered from the cache. What follows looks at that entry.
func (e *Engine) Locate(x *Exchange) error { return e.buildKey(x) }

// LocateValue is Locate where no request is at hand: v, a K or *K, fills the key
// struct, and the exchange needs no more than Route, and of the Request the
// parameters that no field names. A path has one of two keys by how it was written,
// which asWritten tells.
func (e *Engine) LocateValue(x *Exchange, v any, host string, asWritten bool) error {
	if err := e.cfg.Plan.BuildValue(&x.built, v); err != nil {
		return err
	}
	e.place(&x.built, x.Route, host, x.Request.ParamNames, x.Request.ParamValues)
	if asWritten {
		x.built.AppendString(escaped)
	}
	e.fill(x)
	return nil
}

// NeedsParam reports whether keys hold a path parameter beside the key struct.
func (e *Engine) NeedsParam(name string) bool { return !e.allPaths && !e.paths[name] }

// NeedsHost reports whether keys hold the host.
func (e *Engine) NeedsHost() bool { return !e.cfg.IgnoreHost }

// Key returns the located key, printable.
func (x *Exchange) Key() string { return x.built.String() }

// Peek returns what the located entry holds and runs nothing. The response is the
// caller's own. The error is restflow.ErrMiss if there is no entry, or the store's.
func (e *Engine) Peek(ctx context.Context, x *Exchange) (*Response, restflow.Metadata, error) {
	m, err := e.Describe(ctx, x)
	if err != nil {
		return nil, m, err
	}
	entry := x.snap.Entry
	if entry == nil {
		entry = x.snap.Soft
	}
	h := make(http.Header, len(entry.Header))
	lay(entry, h, x.snap.Now)
	return &Response{Status: entry.Status, Header: h, Body: slices.Clone(entry.Body)}, m, nil
}

// Describe tells of the located entry. Errors are those of Peek.
func (e *Engine) Describe(ctx context.Context, x *Exchange) (restflow.Metadata, error) {
	if err := e.store.Load(ctx, x.key, &x.snap); err != nil {
		return restflow.Metadata{}, err
	}
	if entry := x.snap.Soft; entry != nil && softens(entry, x.snap.Now) {
		return x.metadata(entry, restflow.Stale), nil
	}
	return x.snap.Peek()
}

// Delete removes the located entry. It is no error when there is none.
func (e *Engine) Delete(ctx context.Context, x *Exchange) error { return e.store.Delete(ctx, x.key) }
