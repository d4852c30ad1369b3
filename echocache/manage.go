package echocache

import (
	"context"
	"errors"

	"github.com/labstack/echo/v4"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/internal/httpcache"
)

// The methods of this file look at one entry, drop it or replace it. They locate it by
// the request of an echo.Context, as if that were a GET. So the route, the host and the
// path parameters must be those of the cached request, as in a PUT handler on the same
// path. Elsewhere use their forms with At.
//
// They do not apply the policy: a request that would be bypassed, for credentials that
// the key does not cover, has the entry of requests without credentials.

// Refresh answers the request by running next, whatever is cached, and replaces the
// entry with the response. It joins no run that is under way, and such a run's response
// is no longer stored. If the new response may not be cached the entry stays as it was.
// The status is REFRESH, or BYPASS for a request that cannot be cached, such as a POST.
//
// The entry is that of the request's route: on another GET route, call SetPath with the
// route of the entry first.
func (c *Cache[K]) Refresh(ctx echo.Context, next echo.HandlerFunc) error {
	v := visit(ctx)
	return c.serve(ctx, &v, next, httpcache.Refresh)
}

// Bypass answers the request by running next without the cache. The status is BYPASS.
func (c *Cache[K]) Bypass(ctx echo.Context, next echo.HandlerFunc) error {
	v := visit(ctx)
	return c.serve(ctx, &v, next, httpcache.Bypass)
}

// Peek returns the cached response to the request and runs nothing. It is the
// caller's own copy: status, body, and the header fields that the handler set or the
// cache added (an ETag, Cache-Control: private). The metadata's status is Hit, or Stale
// when the entry is kept past its TTL or by a rule's Soft. The error is
// restflow.ErrMiss if there is no entry, the store's, or a *tagkey.ValueError if no key
// can be built from the request.
func (c *Cache[K]) Peek(ctx echo.Context) (*Response, restflow.Metadata, error) {
	x, err := c.locate(ctx)
	if err != nil {
		return nil, restflow.Metadata{}, err
	}
	defer c.release(x)
	return c.peek(ctx.Request().Context(), x)
}

func (c *Cache[K]) peek(ctx context.Context, x *exchange) (*Response, restflow.Metadata, error) {
	res, m, err := c.engine.Peek(ctx, &x.Exchange)
	return (*Response)(res), m, err
}

// Metadata describes the cached response to the request. It is about the entry, not
// about how the current request is answered: for that see X-Cache-Status and OnEvent.
// Errors are those of Peek.
func (c *Cache[K]) Metadata(ctx echo.Context) (restflow.Metadata, error) {
	x, err := c.locate(ctx)
	if err != nil {
		return restflow.Metadata{}, err
	}
	defer c.release(x)
	return c.engine.Describe(ctx.Request().Context(), &x.Exchange)
}

// Delete removes the cached response to the request, and keeps fills of it that
// are under way in this process from being stored. It is no error if there is no
// entry. Only Invalidate also reaches fills in other processes.
func (c *Cache[K]) Delete(ctx echo.Context) error {
	x, err := c.locate(ctx)
	if err != nil {
		return err
	}
	defer c.release(x)
	return c.engine.Delete(ctx.Request().Context(), &x.Exchange)
}

// Key returns the full key of the request, printable, as in events. It does not call
// the store.
func (c *Cache[K]) Key(ctx echo.Context) (string, error) {
	x, err := c.locate(ctx)
	if err != nil {
		return "", err
	}
	defer c.release(x)
	return x.Key(), nil
}

// locate finds the entry of a request. On success the caller releases the exchange.
func (c *Cache[K]) locate(ctx echo.Context) (*exchange, error) {
	v := visit(ctx)
	x := c.exchange(ctx, &v, nil, httpcache.Serve)
	if err := c.engine.Locate(&x.Exchange); err != nil {
		c.release(x)
		return nil, err
	}
	return x, nil
}

// PeekAt is Peek without a request. A path with characters that Go would
// escape ("it's"), or escaped ones that it would not, has an entry of its own, since
// Echo matches it as it was written: it is found where there is no other.
func (c *Cache[K]) PeekAt(ctx context.Context, k K, at At) (res *Response, m restflow.Metadata, err error) {
	err = c.findAt(k, at, func(x *exchange) (err error) {
		res, m, err = c.peek(ctx, x)
		return err
	})
	return res, m, err
}

// MetadataAt is Metadata without a request, of the entry that PeekAt finds.
func (c *Cache[K]) MetadataAt(ctx context.Context, k K, at At) (m restflow.Metadata, err error) {
	err = c.findAt(k, at, func(x *exchange) (err error) {
		m, err = c.engine.Describe(ctx, &x.Exchange)
		return err
	})
	return m, err
}

// DeleteAt is Delete without a request, however the path was written.
func (c *Cache[K]) DeleteAt(ctx context.Context, k K, at At) error {
	var errs []error
	for _, asWritten := range [...]bool{false, true} {
		x, err := c.locateAt(k, at, asWritten)
		if err != nil {
			return err
		}
		errs = append(errs, c.engine.Delete(ctx, &x.Exchange))
		c.release(x)
	}
	return errors.Join(errs...)
}

// KeyAt is Key without a request: that of a path as Go writes it. The key
// of one that Echo matches as it was written (see PeekAt) has "7:escaped" behind it.
func (c *Cache[K]) KeyAt(k K, at At) (string, error) {
	x, err := c.locateAt(k, at, false)
	if err != nil {
		return "", err
	}
	defer c.release(x)
	return x.Key(), nil
}

// SetHeaders writes X-Cache-Status, X-Cached-At and X-Cache-Reset-At for a handler
// whose answer comes from a restflow.Func, before it writes the response:
//
//	report, meta, err := reports.CallWithMetadata(ctx, key)
//	echocache.SetHeaders(c, meta)
//
// If a Cache with SetCacheHeaders is around the handler, it overwrites these fields.
func SetHeaders(c echo.Context, meta restflow.Metadata) {
	httpcache.SetHeaders(c.Response().Header(), meta)
}
