package echocache_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
	"github.com/restflow-go/restflow/signals"
)

// A predicate decides about what the policy would store.
func ExampleConfig_cacheIf() {
	cache := echocache.MustNew[echocache.DefaultKey](echocache.Config{
		Store:     newShop(),
		Namespace: "search",
		CacheIf: func(_ context.Context, res *echocache.Response) (bool, error) {
			return res.Status < 400 && len(res.Body) > 0, nil
		},
		SetCacheHeaders: true,
	})
	e := echo.New()
	e.GET("/search", func(c echo.Context) error {
		return c.String(http.StatusOK, strings.Repeat("x", len(c.QueryParam("q"))))
	}, cache.Middleware)
	ask(e, "/search?q=abc", "")
	ask(e, "/search?q=abc", "")
	ask(e, "/search?q=", "")
	ask(e, "/search?q=", "")
	// Output:
	// /search?q=abc  200 MISS xxx
	// /search?q=abc  200 HIT xxx
	// /search?q=  200 MISS
	// /search?q=  200 MISS
}

// OnEvent hears of every request, and why it was not cached.
func ExampleConfig_onEvent() {
	cache := echocache.MustNew[echocache.DefaultKey](echocache.Config{
		Store:     newShop(),
		Namespace: "events",
		OnEvent: func(_ context.Context, ev restflow.Event) {
			fmt.Printf("%s %s stored=%t %q\n", ev.Route, ev.Status, ev.Stored, ev.Reason)
		},
	})
	e := echo.New()
	e.GET("/events/:kind", func(c echo.Context) error {
		if c.Param("kind") == "login" {
			c.SetCookie(&http.Cookie{Name: "session", Value: "1"})
		}
		return c.NoContent(http.StatusNoContent)
	}, cache.Middleware)
	for _, target := range []string{"/events/login", "/events/view", "/events/view"} {
		e.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, target, nil))
	}
	// Output:
	// /events/:kind MISS stored=false "the response sets a cookie"
	// /events/:kind MISS stored=true ""
	// /events/:kind HIT stored=false ""
}

// Rules drop entries when a committed change is published. With package
// gormsignals every write that GORM commits is.
func ExampleConfig_invalidatesOn() {
	type Profile struct {
		ID    int64
		Name  string
		Seen  time.Time
		Owner string
	}
	bus := signals.NewBus(signals.BusConfig{})
	cache := echocache.MustNew[ProfileKey](echocache.Config{
		Store:           newShop(),
		SetCacheHeaders: true,
		Bus:             bus,
		InvalidatesOn: []signals.Rule{{
			Model: Profile{},
			Map:   map[string]string{"pk": "ID"},
			Watch: []string{"Name"},
		}},
	})
	e := echo.New()
	e.GET("/profiles/:pk", func(c echo.Context) error {
		return c.String(http.StatusOK, "profile")
	}, authenticated, cache.Middleware)
	ask(e, "/profiles/1", "ada")
	ask(e, "/profiles/2", "ada")

	p := Profile{ID: 1, Name: "Ada"}
	publish := func(fields ...string) {
		err := bus.Publish(context.Background(), signals.Change{Op: signals.Update, New: &p, Fields: fields})
		fmt.Println("committed", fields, err)
	}
	publish("Seen") // nobody watches it
	ask(e, "/profiles/1", "ada")
	publish("Name")
	ask(e, "/profiles/1", "ada")
	ask(e, "/profiles/2", "ada")
	// Output:
	// /profiles/1 ada 200 MISS profile
	// /profiles/2 ada 200 MISS profile
	// committed [Seen] <nil>
	// /profiles/1 ada 200 HIT profile
	// committed [Name] <nil>
	// /profiles/1 ada 200 MISS profile
	// /profiles/2 ada 200 HIT profile
}

// A page that is slow to make, and that nobody misses for seconds: whoever asks first
// after a commit gets it as it was, while it is made anew in the background.
func ExampleConfig_soft() {
	type Profile struct{ ID int64 }
	bus := signals.NewBus(signals.BusConfig{})
	cache := echocache.MustNew[ProfileKey](echocache.Config{
		Store:           newShop(),
		SetCacheHeaders: true,
		Bus:             bus,
		InvalidatesOn: []signals.Rule{{
			Model: Profile{},
			Map:   map[string]string{"pk": "ID"},
			Soft:  5 * time.Second,
		}},
	})
	var version atomic.Int64
	made := make(chan struct{}, 1)
	e := echo.New()
	e.GET("/profiles/:pk", func(c echo.Context) error {
		defer func() { made <- struct{}{} }()
		return c.String(http.StatusOK, fmt.Sprintf("version %d", version.Add(1)))
	}, authenticated, cache.Middleware)
	ask(e, "/profiles/1", "ada")
	<-made

	err := bus.Publish(context.Background(), signals.Change{Op: signals.Create, New: &Profile{ID: 1}})
	fmt.Println("committed", err)
	ask(e, "/profiles/1", "ada")
	<-made // in the background

	fmt.Println("all of them at once", cache.InvalidateAll(context.Background()))
	ask(e, "/profiles/1", "ada")
	// Output:
	// /profiles/1 ada 200 MISS version 1
	// committed <nil>
	// /profiles/1 ada 200 STALE version 1
	// all of them at once <nil>
	// /profiles/1 ada 200 MISS version 3
}

// A handler names what its answer is made from as it goes along, and sets the TTL.
func ExampleFrom() {
	cache := echocache.MustNew[echocache.DefaultKey](echocache.Config{
		Store: newShop(), Namespace: "orders", SetCacheHeaders: true,
	})
	e := echo.New()
	e.GET("/orders/:id", func(c echo.Context) error {
		control := echocache.From(c)
		control.SetTTL(10 * time.Second)
		id, _ := strconv.Atoi(c.Param("id"))
		customer := "customer:" + strconv.Itoa(id%2)
		// Tag before the data is read: a change in between is then not missed.
		if err := control.Tag(c.Request().Context(), customer); err != nil {
			c.Logger().Error(err) // the answer is not stored
		}
		return c.String(http.StatusOK, "an order of "+customer)
	}, cache.Middleware)
	ask(e, "/orders/1", "")
	ask(e, "/orders/2", "")
	ask(e, "/orders/3", "")
	fmt.Println(cache.InvalidateTags(context.Background(), "customer:1"))
	ask(e, "/orders/1", "")
	ask(e, "/orders/2", "")
	ask(e, "/orders/3", "")
	// Output:
	// /orders/1  200 MISS an order of customer:1
	// /orders/2  200 MISS an order of customer:0
	// /orders/3  200 MISS an order of customer:1
	// <nil>
	// /orders/1  200 MISS an order of customer:1
	// /orders/2  200 HIT an order of customer:0
	// /orders/3  200 MISS an order of customer:1
}
