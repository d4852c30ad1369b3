package peer

import (
	"context"
	"errors"
	"net/url"

	"github.com/eko/gocache/lib/v4/cache"
	"github.com/eko/gocache/lib/v4/store"
	"github.com/labstack/echo/v4"
)

// call is a request on its way through a Loadable: what the load function runs, and
// whether it did.
type call struct {
	c    echo.Context
	next echo.HandlerFunc
	ran  bool
}

type callKey struct{}

var errNoCall = errors.New("peer: the context has no call; use it behind the middleware")

// gocacheLoadable is a middleware by hand over gocache's Loadable, which loads once
// for all who wait.
var gocacheLoadable = Peer{Name: "gocache-Loadable", Stack: "bare-Echo", Kind: Theirs, Open: func(_ Env, o Origin) (*Site, error) {
	load := func(ctx context.Context, _ any) (*page, []store.Option, error) {
		call, ok := ctx.Value(callKey{}).(*call)
		if !ok {
			return nil, nil, errNoCall
		}
		call.ran = true
		p, err := record(call.c, call.next)
		return p, []store.Option{store.WithExpiration(ttl)}, err
	}
	pages := cache.NewLoadable(load, cache.New[*page](goCacheStore()))
	site := echoSite(o, func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			call := &call{c: c, next: next}
			p, err := pages.Get(context.WithValue(c.Request().Context(), callKey{}, call), pageKey(c))
			if err != nil || call.ran {
				return err
			}
			return p.write(c)
		}
	})
	query, err := url.ParseQuery(Query)
	site.Drop = func(item int) error {
		return pages.Delete(context.Background(), Path(item)+"?"+query.Encode())
	}
	site.Close = func() { _ = pages.Close() }
	return site, err
}}
