package echocache_test

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/restflow-go/restflow/echocache"
)

func hello(c echo.Context) error { return c.String(http.StatusOK, "hello") }

// A request with credentials is cached only if the key tells who asks, or if the
// author says that all users get the same answer.
func ExampleConfig_shared() {
	private := echocache.MustNew[echocache.DefaultKey](echocache.Config{
		Store: newShop(), Namespace: "private", SetCacheHeaders: true,
		Logger: slog.New(slog.DiscardHandler), // it would say what to do about it
	})
	public := echocache.MustNew[echocache.DefaultKey](echocache.Config{
		Store: newShop(), Namespace: "public", SetCacheHeaders: true,
		Shared: true,
	})
	e := echo.New()
	e.GET("/private", hello, authenticated, private.Middleware)
	e.GET("/public", hello, authenticated, public.Middleware)
	ask(e, "/private", "ada")
	ask(e, "/private", "ada")
	ask(e, "/public", "ada")
	ask(e, "/public", "bob")
	// Output:
	// /private ada 200 BYPASS hello
	// /private ada 200 BYPASS hello
	// /public ada 200 MISS hello
	// /public bob 200 HIT hello
}

// A cache that was put before the authentication middleware does no harm: the key
// cannot be built, and nothing is cached.
func Example_wrongOrder() {
	cache := echocache.MustNew[ProfileKey](echocache.Config{Store: newShop(), SetCacheHeaders: true})
	e := echo.New()
	e.GET("/profiles/:pk", hello, cache.Middleware, authenticated)
	ask(e, "/profiles/7", "ada")
	ask(e, "/profiles/7", "bob")
	// Output:
	// /profiles/7 ada 200 BYPASS hello
	// /profiles/7 bob 200 BYPASS hello
}

// With Hermetic a handler sees only what its key declares, so that a forgotten
// field shows in development and leaks nothing in production.
func ExampleConfig_hermetic() {
	type GreetingKey struct {
		_    struct{} `restflow:"namespace,Greeting"`
		Name string   `restflow:"query,name"`
	}
	cache := echocache.MustNew[GreetingKey](echocache.Config{Store: newShop(), SetCacheHeaders: true, Hermetic: true})
	e := echo.New()
	e.GET("/greet", func(c echo.Context) error {
		return c.String(http.StatusOK, "hello "+c.QueryParam("name")+c.QueryParam("title"))
	}, cache.Middleware)
	ask(e, "/greet?name=Ada&title=Countess", "")
	ask(e, "/greet?name=Ada", "")
	// Output:
	// /greet?name=Ada&title=Countess  200 MISS hello Ada
	// /greet?name=Ada  200 HIT hello Ada
}

// Entries that the management methods find are those of the request at hand.
func ExampleCache_Delete() {
	cache := echocache.MustNew[echocache.DefaultKey](echocache.Config{Store: newShop(), Namespace: "managed", SetCacheHeaders: true})
	e := echo.New()
	e.GET("/notes/:id", hello, cache.Middleware)
	e.GET("/notes/:id/fresh", func(c echo.Context) error { return cache.Refresh(c, hello) })
	ask(e, "/notes/1", "")
	ask(e, "/notes/1", "")
	ask(e, "/notes/1/fresh", "") // another route, and so another entry
	if err := cache.DeleteAt(context.Background(), echocache.DefaultKey{Path: map[string][]string{"id": {"1"}}}, echocache.At{
		Route: "/notes/:id",
		Host:  "example.com",
	}); err != nil {
		slog.Error(err.Error())
	}
	ask(e, "/notes/1", "")
	// Output:
	// /notes/1  200 MISS hello
	// /notes/1  200 HIT hello
	// /notes/1/fresh  200 REFRESH hello
	// /notes/1  200 MISS hello
}
