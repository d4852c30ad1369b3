package echocache_test

import (
	"log/slog"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
)

// What is answered in haste, from memory, is what would be answered at leisure: the
// same status, header fields, body and event. EarlyRefresh, here too little to ever come,
// takes the haste away.
func TestHasteMakesNoDifference(t *testing.T) {
	type key struct {
		ID    string     `restflow:"path,id,partition"`
		Query url.Values `restflow:"query,*,hash"`
		Inner *string    `restflow:"header,X-Inner"`
		User  string     `restflow:"request,user,optional"`
	}
	type answer struct {
		code   int
		header http.Header
		body   string
		event  restflow.Event
	}
	outer := func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.Response().Header().Set("Vary", "Origin")
			c.Response().Header().Set("X-Outer", "1")
			c.Set("user", c.Request().Header.Get("X-User"))
			return next(c)
		}
	}
	configs := []struct {
		name string
		cfg  echocache.Config
	}{
		{"plain", echocache.Config{}},
		{"headers", echocache.Config{SetCacheHeaders: true, CacheStatusHeader: true}},
		{"no expiration", echocache.Config{SetCacheHeaders: true, CacheStatusHeader: true, NoExpiration: true}},
		{"directives", echocache.Config{HonorRequestDirectives: true}},
		{"shared", echocache.Config{Shared: true}},
		{"cookies", echocache.Config{IgnoreCookies: []string{"seen"}}},
		{"identity", echocache.Config{Identity: func(c echo.Context) bool { return c.Request().Header.Get("X-Api-Key") != "" }}},
		{"hermetic", echocache.Config{Hermetic: true, ETag: true}},
	}
	requests := []struct {
		name    string
		method  string
		headers []string
	}{
		{"again", http.MethodGet, nil},
		{"as a user", http.MethodGet, []string{"X-User", "ann", "Authorization", "Bearer a"}},
		{"head", http.MethodHead, nil},
		{"post", http.MethodPost, nil},
		{"same tag", http.MethodGet, []string{"If-None-Match", `"v1"`}},
		{"other tag", http.MethodGet, []string{"If-None-Match", `"v0"`}},
		{"range", http.MethodGet, []string{"Range", "bytes=0-1"}},
		{"upgrade", http.MethodGet, []string{"Upgrade", "websocket"}},
		{"token", http.MethodGet, []string{"Authorization", "Bearer a"}},
		{"cookie", http.MethodGet, []string{"Cookie", "session=1"}},
		{"harmless cookie", http.MethodGet, []string{"Cookie", "seen=1"}},
		{"api key", http.MethodGet, []string{"X-Api-Key", "a"}},
		{"no-cache", http.MethodGet, []string{"Cache-Control", "no-cache"}},
		{"max-age", http.MethodGet, []string{"Cache-Control", "max-age=1"}},
		{"only-if-cached", http.MethodGet, []string{"Cache-Control", "only-if-cached"}},
		{"pragma", http.MethodGet, []string{"Pragma", "no-cache"}},
	}
	for _, c := range configs {
		for _, r := range requests {
			t.Run(c.name+"/"+r.name, func(t *testing.T) {
				var answers [2]answer
				for i, early := range [...]float64{0, 1e-300} {
					synctest.Test(t, func(t *testing.T) {
						log := &eventLog{}
						cfg := c.cfg
						cfg.Store, cfg.OnEvent, cfg.EarlyRefresh, cfg.Logger = memoryStore(t), log.add, early, slog.New(slog.DiscardHandler)
						cache, err := echocache.New[key](cfg)
						require.NoError(t, err)
						e := newEcho()
						e.Any("/items/:id", func(c echo.Context) error {
							h := c.Response().Header()
							h.Set("Etag", `"v1"`)
							h.Set("Vary", "X-Inner")
							h["X-Many"] = []string{"1", "2"}
							h.Del("X-Outer")
							return c.String(http.StatusOK, "body of "+c.Param("id"))
						}, outer, cache.Middleware)
						get(e, "/items/1?b=2&a=1")
						get(e, "/items/1?b=2&a=1", "X-User", "ann")
						time.Sleep(3 * time.Second)
						log.take()
						w := do(e, r.method, "/items/1?b=2&a=1", r.headers...)
						answers[i] = answer{w.Code, w.Header(), w.Body.String(), log.one(t)}
					})
				}
				require.Equal(t, answers[1], answers[0])
			})
		}
	}
}
