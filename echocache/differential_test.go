package echocache_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/echocache"
)

// comparable drops what may differ between an answer with a cache and one
// without: the time of day, and what the cache says of itself.
func (r reply) comparable() reply {
	r.Header = maps.Clone(r.Header)
	for _, name := range []string{"Date", "Age", "X-Cache-Status", "X-Cached-At", "X-Cache-Reset-At"} {
		delete(r.Header, name)
	}
	return r
}

// TestAnswersAreThoseOfTheBareHandler sends the same requests to two servers that
// differ in nothing but the cache, and compares everything that a client can see.
func TestAnswersAreThoseOfTheBareHandler(t *testing.T) {
	require.GreaterOrEqual(t, len(kinds), 30)
	dir := fileTree(t)
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) { k.compare(t, dir, serve) })
		switch {
		case strings.Contains(k.name, "hijack"), slices.Contains(k.headers, "Upgrade"): // HTTP/2 has neither
		case k.name == "content length too small": // its server finds out later than that of HTTP/1
		default:
			t.Run(k.name+" over HTTP/2", func(t *testing.T) { k.compare(t, dir, serve2) })
		}
	}
}

func (k *kind) compare(t *testing.T, dir string, serve func(testing.TB, http.Handler) *httptest.Server) {
	bare, cached := newEcho(), newEcho()
	cache, log := defaultCache(t, echocache.Config{MaxBodyBytes: 64 << 10})
	k.register(bare, dir, func(next echo.HandlerFunc) echo.HandlerFunc { return next })
	k.register(cached, dir, cache.Middleware)
	without, with := serve(t, bare), serve(t, cached)

	for i, want := range []string{k.first, k.second, k.second} {
		a := fetch(t, k.method(), without.URL+k.target(), k.headers...)
		b := fetch(t, k.method(), with.URL+k.target(), k.headers...)
		assert.Equal(t, a.comparable(), b.comparable(), "request %d", i)
		ev := log.one(t)
		assert.Equal(t, want, ev.Status.String(), "request %d: %s", i, ev.Reason)
		assert.Equal(t, k.stored && i == 0, ev.Stored, "request %d: %s", i, ev.Reason)
		assert.Equal(t, k.reason, ev.Reason, "request %d", i)
	}
}

// kind is one way to answer a request.
type kind struct {
	name    string
	handler echo.HandlerFunc
	routes  func(e *echo.Echo, dir string, cache echo.MiddlewareFunc) // in place of handler
	request string                                                    // "METHOD target", by default "GET /k"
	headers []string

	stored        bool
	first, second string // statuses
	reason        string // why it is not stored
}

func (k *kind) register(e *echo.Echo, dir string, cache echo.MiddlewareFunc) {
	if k.routes != nil {
		k.routes(e, dir, cache)
		return
	}
	e.Match([]string{http.MethodGet, http.MethodHead, http.MethodPost}, "/k", k.handler, cache)
}

func (k *kind) method() string {
	if k.request == "" {
		return http.MethodGet
	}
	return strings.Fields(k.request)[0]
}

func (k *kind) target() string {
	if k.request == "" {
		return "/k"
	}
	return strings.Fields(k.request)[1]
}

// hit is a kind that is stored and then answered from the cache.
func hit(name string, h echo.HandlerFunc) kind {
	return kind{name: name, handler: h, stored: true, first: "MISS", second: "HIT"}
}

// miss is a kind that runs every time.
func miss(name, reason string, h echo.HandlerFunc) kind {
	return kind{name: name, handler: h, first: "MISS", second: "MISS", reason: reason}
}

// bypass is a request that the cache leaves alone.
func bypass(name, reason, request string, h echo.HandlerFunc, headers ...string) kind {
	return kind{name: name, handler: h, request: request, headers: headers, first: "BYPASS", second: "BYPASS", reason: reason}
}

var kinds = slices.Concat(bodyKinds, fileKinds, headerKinds, statusKinds, streamKinds, requestKinds)
