package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
)

// site is an origin that counts, and a gateway before it.
func site(t *testing.T, origin http.HandlerFunc) http.Handler {
	t.Helper()
	server := httptest.NewServer(origin)
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	require.NoError(t, err)
	store, err := restflow.NewMemory(restflow.MemoryConfig{EpochSlots: 1 << 10})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	gateway, err := newGateway(store, at)
	require.NoError(t, err)
	return gateway
}

func send(h http.Handler, method, target string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(context.Background(), method, target, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestGatewayCachesWhatSaysSo(t *testing.T) {
	count := 0
	gateway := site(t, func(w http.ResponseWriter, r *http.Request) {
		count++
		if v := r.URL.Query().Get("control"); v != "" {
			w.Header().Set("Cache-Control", v)
		}
		fmt.Fprintf(w, "%s %s %d", r.Method, r.URL.Path, count)
	})
	for _, step := range []struct {
		method, target string
		headers        []string
		status, body   string
	}{
		{"GET", "/test/1", nil, "MISS", "GET /test/1 1"},
		{"GET", "/test/1", nil, "MISS", "GET /test/1 2"},
		{"GET", "/test/1?control=max-age=60", nil, "MISS", "GET /test/1 3"},
		{"GET", "/test/1?control=max-age=60", nil, "HIT", "GET /test/1 3"},
		{"GET", "/test/1/2?control=max-age=60", nil, "MISS", "GET /test/1/2 4"},
		{"GET", "/test/1?control=max-age=60", []string{"Foo", "1"}, "MISS", "GET /test/1 5"},
		{"GET", "/test/1?control=max-age=60", []string{"Cache-Control", "no-cache"}, "REFRESH", "GET /test/1 6"},
		{"M-SEARCH", "/test/1", nil, "BYPASS", "M-SEARCH /test/1 7"},
		{"GET", "/test/1?control=max-age=60", nil, "MISS", "GET /test/1 8"},
		{"PUT", "/config/1", nil, "", "PUT /config/1 9"},
		{"GET", "/state/1?control=max-age=60", nil, "", "GET /state/1 10"},
		{"GET", "/state/1?control=max-age=60", nil, "", "GET /state/1 11"},
	} {
		w := send(gateway, step.method, step.target, step.headers...)
		require.Equal(t, step.status, w.Header().Get("X-Cache-Status"), "%v", step)
		require.Equal(t, step.body, w.Body.String(), "%v", step)
	}
}

// What the suite's tests stale-close-* mean, and cannot see.
func TestGatewayWithoutItsOrigin(t *testing.T) {
	down := false
	gateway := site(t, func(w http.ResponseWriter, _ *http.Request) {
		if down {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Cache-Control", "max-age=60")
	})
	require.Equal(t, http.StatusOK, send(gateway, "GET", "/test/1").Code)
	down = true
	require.Equal(t, http.StatusOK, send(gateway, "GET", "/test/1").Code)
	w := send(gateway, "GET", "/test/2")
	require.Equal(t, http.StatusBadGateway, w.Code)
	require.Equal(t, "MISS", w.Header().Get("X-Cache-Status"))
	require.Equal(t, `restflow; fwd=uri-miss; detail="CacheIf"`, w.Header().Get("Cache-Status"))
}

func TestRunNeedsTheSuite(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		o := options{suite: dir}
		require.EqualError(t, o.run(t.Context()), "-suite names no folder with the npm package http-cache-tests; see the cache-tests target of the Makefile")
	}
}
