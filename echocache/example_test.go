package echocache_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
	"github.com/restflow-go/restflow/signals"
)

// The examples' store.
var shop, _ = restflow.NewMemory(restflow.MemoryConfig{})

// ask sends a request and prints how it was answered.
func ask(h http.Handler, target, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	line := fmt.Sprintln(target, token, w.Code, w.Header().Get("X-Cache-Status"), w.Body)
	fmt.Println(strings.TrimSpace(line))
	return w
}

type account struct{ ID string }

// authenticated lets nobody pass without a token, and puts the user into the context.
func authenticated(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		token, ok := strings.CutPrefix(c.Request().Header.Get("Authorization"), "Bearer ")
		if !ok {
			return echo.ErrUnauthorized
		}
		c.Set("user", account{ID: token})
		return next(c)
	}
}

// ProfileKey has two partitions: the profile that is looked at, and who looks.
type ProfileKey struct {
	_      struct{} `restflow:"namespace,Profile"`
	PK     int64    `restflow:"path,pk,partition"`
	Viewer string   `restflow:"request,user.id,partition"`
	Page   *int     `restflow:"query,page"`
}

// Every user has entries of their own, and a typed key knows that 042 is 42.
func ExampleNew() {
	cache, err := echocache.New[ProfileKey](echocache.Config{
		Store:           shop,
		TTL:             5 * time.Minute,
		SetCacheHeaders: true,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer cache.InvalidateAll(context.Background())

	e := echo.New()
	e.GET("/profiles/:pk", func(c echo.Context) error {
		return c.String(http.StatusOK, "profile "+c.Param("pk")+" for "+c.Get("user").(account).ID)
	}, authenticated, cache.Middleware)

	ask(e, "/profiles/42", "ada")
	ask(e, "/profiles/42", "ada")
	ask(e, "/profiles/042", "ada")
	ask(e, "/profiles/42", "bob")
	ask(e, "/profiles/42?page=2", "bob")
	ask(e, "/profiles/42", "")
	// Output:
	// /profiles/42 ada 200 MISS profile 42 for ada
	// /profiles/42 ada 200 HIT profile 42 for ada
	// /profiles/042 ada 200 HIT profile 42 for ada
	// /profiles/42 bob 200 MISS profile 42 for bob
	// /profiles/42?page=2 bob 200 MISS profile 42 for bob
	// /profiles/42  401  {"message":"Unauthorized"}
}

// All faults are told at once, when the cache is made.
func ExampleNew_faults() {
	type key struct {
		PK   int64 `restflow:"param,pk,partition"`
		Page int   `restflow:"query,page,partiton"`
	}
	_, err := echocache.New[key](echocache.Config{Store: shop})
	fmt.Println(err)
	// Output:
	// tagkey: key.PK: tag "param,pk,partition": unknown source "param"; did you mean "path"?
	// tagkey: key.Page: tag "query,page,partiton": unknown flag "partiton"; did you mean "partition"?
}

// A partition's entries are dropped together, in one step, however many there are.
func ExampleCache_invalidate() {
	cache := echocache.MustNew[ProfileKey](echocache.Config{Store: shop, SetCacheHeaders: true})
	e := echo.New()
	e.GET("/profiles/:pk", func(c echo.Context) error {
		return c.String(http.StatusOK, "profile")
	}, authenticated, cache.Middleware)
	ask(e, "/profiles/1", "ada")
	ask(e, "/profiles/2", "ada")
	ask(e, "/profiles/1", "bob")

	ctx := context.Background()
	err := cache.Invalidate(ctx, ProfileKey{PK: 1}, "pk") // profile 1, whoever looked at it
	fmt.Println("invalidated profile 1:", err)
	ask(e, "/profiles/1", "ada")
	ask(e, "/profiles/1", "bob")
	ask(e, "/profiles/2", "ada")

	err = cache.Invalidate(ctx, ProfileKey{Viewer: "ada"}, "user.id") // all that ada has seen
	fmt.Println("invalidated ada's:", err)
	ask(e, "/profiles/2", "ada")
	ask(e, "/profiles/1", "bob")

	err = cache.Invalidate(ctx, ProfileKey{PK: 1, Viewer: "bob"}) // what bob has seen of 1
	fmt.Println("invalidated the pair:", err)
	ask(e, "/profiles/1", "bob")

	err = cache.InvalidateAll(ctx)
	fmt.Println("invalidated all:", err)
	// Output:
	// /profiles/1 ada 200 MISS profile
	// /profiles/2 ada 200 MISS profile
	// /profiles/1 bob 200 MISS profile
	// invalidated profile 1: <nil>
	// /profiles/1 ada 200 MISS profile
	// /profiles/1 bob 200 MISS profile
	// /profiles/2 ada 200 HIT profile
	// invalidated ada's: <nil>
	// /profiles/2 ada 200 MISS profile
	// /profiles/1 bob 200 HIT profile
	// invalidated the pair: <nil>
	// /profiles/1 bob 200 MISS profile
	// invalidated all: <nil>
}

// Embedding extends a key struct; here the default one gets a header.
func ExampleDefaultKey() {
	type LocalisedKey struct {
		echocache.DefaultKey
		Lang string `restflow:"header,Accept-Language,lower"`
	}
	cache := echocache.MustNew[LocalisedKey](echocache.Config{Store: shop, Namespace: "localised"})
	fmt.Println(cache.Plan())
	// Output:
	// localised v1 {path=path:* partition, query=query:* hash, Accept-Language=header:Accept-Language lower}
}

// A predicate decides about what the policy would store.
func ExampleConfig_cacheIf() {
	cache := echocache.MustNew[echocache.DefaultKey](echocache.Config{
		Store:     shop,
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
		Store:     shop,
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
		Store:           shop,
		SetCacheHeaders: true,
		Bus:             bus,
		InvalidatesOn: []signals.Rule{{
			Model: Profile{},
			Map:   map[string]string{"pk": "ID"},
			Watch: []string{"Name"},
		}},
	})
	defer cache.InvalidateAll(context.Background())
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

// A handler names what its answer is made from as it goes along, and sets the TTL.
func ExampleFrom() {
	cache := echocache.MustNew[echocache.DefaultKey](echocache.Config{
		Store: shop, Namespace: "orders", SetCacheHeaders: true,
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
