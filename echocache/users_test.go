package echocache_test

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/echocache"
)

type user struct{ ID int }

type userKey struct {
	_     struct{} `restflow:"namespace,UserDetail"`
	PK    int      `restflow:"path,pk,partition"`
	User  int      `restflow:"request,user.id,partition"`
	Extra string   `restflow:"query,extra"`
}

// login puts the user that X-User names into the context.
func login(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		var id int
		if _, err := fmt.Sscan(c.Request().Header.Get("X-User"), &id); err == nil {
			c.Set("user", &user{ID: id})
		}
		return next(c)
	}
}

func TestUsersHaveTheirOwnEntries(t *testing.T) {
	cache := newCache[userKey](t, echocache.Config{})
	e := echo.New()
	e.Use(login)
	var runs atomic.Int32
	e.GET("/users/:pk", func(c echo.Context) error {
		return c.String(http.StatusOK, fmt.Sprint(c.Param("pk"), c.Get("user"), runs.Add(1)))
	}, cache.Middleware)

	require.Equal(t, "MISS", status(get(e, "/users/1", "X-User", "7")))
	require.Equal(t, "HIT", status(get(e, "/users/1", "X-User", "7")))
	require.Equal(t, "HIT", status(get(e, "/users/01", "X-User", "7")))
	require.Equal(t, "MISS", status(get(e, "/users/1", "X-User", "8")))
	require.Equal(t, "BYPASS", status(get(e, "/users/1")))
	require.Equal(t, "BYPASS", status(get(e, "/users/x", "X-User", "7")))

	ctx := context.Background()
	require.NoError(t, cache.Invalidate(ctx, userKey{PK: 1}, "pk"))
	require.Equal(t, "MISS", status(get(e, "/users/1", "X-User", "7")))
	require.Equal(t, "MISS", status(get(e, "/users/1", "X-User", "8")))
	require.NoError(t, cache.Invalidate(ctx, userKey{PK: 1, User: 7}))
	require.Equal(t, "MISS", status(get(e, "/users/1", "X-User", "7")))
	require.Equal(t, "HIT", status(get(e, "/users/1", "X-User", "8")))
	require.NoError(t, cache.Invalidate(ctx, userKey{User: 8}, "user.id"))
	require.Equal(t, "HIT", status(get(e, "/users/1", "X-User", "7")))
	require.Equal(t, "MISS", status(get(e, "/users/1", "X-User", "8")))
	require.NoError(t, cache.InvalidateAll(ctx))
	require.Equal(t, "MISS", status(get(e, "/users/1", "X-User", "7")))
}
