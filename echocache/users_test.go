package echocache_test

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
	"github.com/restflow-go/restflow/testutil"
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
	rec := testutil.NewRecorder()
	cache := newCache[userKey](t, echocache.Config{OnEvent: rec.OnEvent})
	e := newEcho()
	e.Use(login)
	var runs atomic.Int32
	e.GET("/users/:pk", func(c echo.Context) error {
		return c.String(http.StatusOK, fmt.Sprint(c.Param("pk"), c.Get("user"), runs.Add(1)))
	}, cache.Middleware)
	seven, eight := testutil.AsHeader("X-User", "7"), testutil.AsHeader("X-User", "8")
	dropping := func(err func(context.Context) error) func(testing.TB) {
		return func(t testing.TB) { require.NoError(t, err(t.Context())) }
	}

	testutil.Run(t, e, rec, []testutil.Step{
		{Request: "GET /users/1", As: seven, Want: restflow.Miss},
		{Request: "GET /users/1", As: seven, Want: restflow.Hit},
		{Name: "typed fields normalise", Request: "GET /users/01", As: seven, Want: restflow.Hit},
		{Name: "another user", Request: "GET /users/1", As: eight, Want: restflow.Miss},
		{Name: "nobody", Request: "GET /users/1", Want: restflow.Bypass, WantReason: "the key cannot be built: user.id"},
		{Name: "no number", Request: "GET /users/x", As: seven, Want: restflow.Bypass, WantReason: "the key cannot be built"},

		{Name: "drop the page for all", Do: dropping(func(ctx context.Context) error { return cache.Invalidate(ctx, userKey{PK: 1}, "pk") })},
		{Request: "GET /users/1", As: seven, Want: restflow.Miss},
		{Request: "GET /users/1", As: eight, Want: restflow.Miss},

		{Name: "drop it for one", Do: dropping(func(ctx context.Context) error { return cache.Invalidate(ctx, userKey{PK: 1, User: 7}) })},
		{Request: "GET /users/1", As: seven, Want: restflow.Miss},
		{Request: "GET /users/1", As: eight, Want: restflow.Hit},

		{Name: "drop all of one user's", Do: dropping(func(ctx context.Context) error { return cache.Invalidate(ctx, userKey{User: 8}, "user.id") })},
		{Request: "GET /users/1", As: seven, Want: restflow.Hit},
		{Request: "GET /users/1", As: eight, Want: restflow.Miss},

		{Name: "drop everything", Do: dropping(cache.InvalidateAll)},
		{Request: "GET /users/1", As: seven, Want: restflow.Miss},
	})
}
