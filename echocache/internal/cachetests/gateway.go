package main

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
)

// gatewayKey tells answers apart by URI and by the header fields that the tests
// name in Vary: a key struct says beforehand what an answer depends on.
type gatewayKey struct {
	_        struct{}   `restflow:"namespace,cachetests"`
	Path     url.Values `restflow:"path,*,partition"`
	Query    url.Values `restflow:"query,*"`
	Foo      []string   `restflow:"header,Foo"`
	Bar      []string   `restflow:"header,Bar"`
	Baz      []string   `restflow:"header,Baz"`
	Language []string   `restflow:"header,Accept-Language"`
}

// staleFor is how long past its end an answer may stand in for a failing origin.
const staleFor = time.Minute

// newGateway returns an Echo server that answers from the origin: what is tested
// through the cache, the client's talk with the origin past it.
func newGateway(store *restflow.Store, origin *url.URL) (*echo.Echo, error) {
	cache, err := echocache.New[gatewayKey](echocache.Config{
		Store:                  store,
		NoExpiration:           true, // the origin says how long
		CacheIf:                explicit,
		CacheStatuses:          []int{500, 502, 503, 504, 599},
		HonorRequestDirectives: true,
		InvalidateOnUnsafe:     true,
		StaleIfError:           staleFor,
		SetCacheHeaders:        true,
		CacheStatusHeader:      true,
	})
	if err != nil {
		return nil, err
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(origin) },
		ErrorLog: log.New(io.Discard, "", 0), // the origin breaks connections on purpose
	}
	e := echo.New()
	handler := echo.WrapHandler(proxy)
	for _, method := range []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, "M-SEARCH",
	} {
		e.Add(method, "/test/*", handler, cache.Middleware)
		e.Add(method, "/*", handler)
	}
	return e, nil
}

// explicit stores only what says how long it is fresh. A cache for which that is
// the TTL's business would keep everything else as well, and most of the tests
// begin with an answer that must not be kept.
func explicit(_ context.Context, res *echocache.Response) (bool, error) {
	return len(res.Header["Cache-Control"]) > 0 || len(res.Header["Expires"]) > 0, nil
}
