package echocache_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/echocache"
	"github.com/restflow-go/restflow/tagkey"
)

type failing struct{}

func (failing) ID() (string, error) { return "", errors.New("secret") }

// A request field that is absent, or whose path leads nowhere, is most likely a
// mistake of the program: the log says so once a route, and the reason names it.
func TestRequestFieldsThatGiveNoKeyAreWarnedOf(t *testing.T) {
	type key struct {
		ID string `restflow:"request,user.id"`
	}
	for name, c := range map[string]struct {
		user any
		kind error
	}{
		"absent":  {nil, tagkey.ErrAbsent},
		"nowhere": {struct{ Name string }{"secret"}, tagkey.ErrLookup},
		"type":    {map[string]any{"id": func() {}}, tagkey.ErrType},
		"method":  {failing{}, tagkey.ErrMethod},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			log := &eventLog{}
			cache := newCache[key](t, echocache.Config{
				CacheStatusHeader: true, OnEvent: log.add, Logger: slog.New(slog.NewTextHandler(&out, nil)),
			})
			e := newEcho()
			e.GET("/:id", func(c echo.Context) error { return c.NoContent(http.StatusOK) }, func(next echo.HandlerFunc) echo.HandlerFunc {
				return func(ctx echo.Context) error { ctx.Set("user", c.user); return next(ctx) }
			}, cache.Middleware)
			for range 2 {
				w := get(e, "/1", "Authorization", "a")
				ev := log.one(t)
				require.ErrorIs(t, ev.Err, c.kind)
				require.Equal(t, "the key cannot be built: user.id", ev.Reason)
				require.Equal(t, `restflow; fwd=bypass; detail="the key cannot be built: user.id"`, w.Header().Get("Cache-Status"))
			}
			require.Equal(t, 1, strings.Count(out.String(), "\n"), out.String())
			require.Contains(t, out.String(), "level=WARN")
			require.Contains(t, out.String(), "tagkey: ID (request:user.id): ")
			require.NotContains(t, out.String(), "secret")
		})
	}
}

// What a client can send that gives no key is its own affair.
func TestValuesThatDoNotParseAreSilent(t *testing.T) {
	type key struct {
		ID   int `restflow:"path,id"`
		User int `restflow:"request,user"`
	}
	var out bytes.Buffer
	log := &eventLog{}
	cache := newCache[key](t, echocache.Config{OnEvent: log.add, Logger: slog.New(slog.NewTextHandler(&out, nil))})
	e := newEcho()
	e.GET("/:id", func(c echo.Context) error { return c.NoContent(http.StatusOK) }, func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error { c.Set("user", c.QueryParam("user")); return next(c) }
	}, cache.Middleware)
	for _, target := range []string{"/x?user=1", "/1?user=x"} {
		get(e, target)
		require.Equal(t, "the key cannot be built", log.one(t).Reason)
	}
	require.Empty(t, out.String())
}
