package echocache_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/labstack/echo/v4"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
)

// MenuKey is the key struct of the examples of management.
type MenuKey struct {
	_    struct{} `restflow:"namespace,Menu"`
	Day  string   `restflow:"path,day,partition"`
	Lang string   `restflow:"query,lang,optional"`
}

// newMenu returns a cache, and an Echo on whose route GET /menu/:day it stands. The
// handler counts how often it ran.
func newMenu() (*echocache.Cache[MenuKey], *echo.Echo, echo.HandlerFunc) {
	cache := echocache.MustNew[MenuKey](echocache.Config{Store: newShop(), SetCacheHeaders: true})
	runs := 0
	show := func(c echo.Context) error {
		runs++
		return c.String(http.StatusOK, fmt.Sprintf("%s, cooked %d times", c.Param("day"), runs))
	}
	e := echo.New()
	e.GET("/menu/:day", show, cache.Middleware)
	return cache, e, show
}

// send sends a request with any method and prints how it was answered.
func send(h http.Handler, method, target string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, nil))
	fmt.Println(method, w.Header().Get("X-Cache-Status"), w.Body)
}

// A route of the same path replaces what is cached by what the handler makes now.
func ExampleCache_Refresh() {
	cache, e, show := newMenu()
	e.GET("/menu/:day/now", func(c echo.Context) error {
		c.SetPath("/menu/:day") // the entry to replace is that of the other route
		return cache.Refresh(c, show)
	})
	send(e, "GET", "/menu/monday")
	send(e, "GET", "/menu/monday/now")
	send(e, "GET", "/menu/monday")
	// Output:
	// GET MISS monday, cooked 1 times
	// GET REFRESH monday, cooked 2 times
	// GET HIT monday, cooked 2 times
}

func ExampleCache_Bypass() {
	cache, e, show := newMenu()
	e.GET("/fresh/:day", func(c echo.Context) error { return cache.Bypass(c, show) })
	send(e, "GET", "/fresh/monday")
	send(e, "GET", "/fresh/monday")
	// Output:
	// GET BYPASS monday, cooked 1 times
	// GET BYPASS monday, cooked 2 times
}

func ExampleCache_Peek() {
	cache, e, _ := newMenu()
	e.OPTIONS("/menu/:day", func(c echo.Context) error {
		res, meta, err := cache.Peek(c)
		if err != nil {
			return c.String(http.StatusOK, err.Error())
		}
		return c.String(http.StatusOK, fmt.Sprint(meta.Status, " ", res.Status, " ", string(res.Body)))
	})
	send(e, "OPTIONS", "/menu/monday")
	send(e, "GET", "/menu/monday")
	send(e, "OPTIONS", "/menu/monday")
	// Output:
	// OPTIONS  restflow: not cached
	// GET MISS monday, cooked 1 times
	// OPTIONS  HIT 200 monday, cooked 1 times
}

func ExampleCache_Metadata() {
	cache, e, _ := newMenu()
	e.OPTIONS("/menu/:day", func(c echo.Context) error {
		meta, err := cache.Metadata(c)
		if err != nil {
			return err
		}
		return c.String(http.StatusOK, fmt.Sprint(meta.Status, " ", meta.ResetAt.Sub(meta.CachedAt)))
	})
	send(e, "GET", "/menu/monday")
	send(e, "OPTIONS", "/menu/monday")
	// Output:
	// GET MISS monday, cooked 1 times
	// OPTIONS  HIT 1h0m0s
}

func ExampleCache_Delete_request() {
	cache, e, _ := newMenu()
	e.DELETE("/menu/:day", func(c echo.Context) error {
		if err := cache.Delete(c); err != nil {
			return err
		}
		return c.String(http.StatusOK, "deleted")
	})
	send(e, "GET", "/menu/monday")
	send(e, "DELETE", "/menu/monday")
	send(e, "GET", "/menu/monday")
	// Output:
	// GET MISS monday, cooked 1 times
	// DELETE  deleted
	// GET MISS monday, cooked 2 times
}

func ExampleCache_Key() {
	cache, e, _ := newMenu()
	e.OPTIONS("/menu/:day", func(c echo.Context) error {
		key, err := cache.Key(c)
		if err != nil {
			return err
		}
		return c.String(http.StatusOK, key)
	})
	send(e, "OPTIONS", "/menu/monday?lang=fr")
	// Output:
	// OPTIONS  rf1|Menu|v1|path:day=6:monday|query:lang=2:fr|3:GET10:/menu/:day11:example.com
}

// Where no request is at hand, a key struct and the place lead to the entry.
func ExampleCache_PeekAt() {
	cache, e, _ := newMenu()
	at := echocache.At{Route: "/menu/:day", Host: "example.com"}
	ctx, k := context.Background(), MenuKey{Day: "monday"}
	send(e, "GET", "/menu/monday")
	res, meta, err := cache.PeekAt(ctx, k, at)
	fmt.Println(meta.Status, string(res.Body), err)
	fmt.Println(cache.DeleteAt(ctx, k, at))
	_, err = cache.MetadataAt(ctx, k, at)
	fmt.Println(err)
	fmt.Println(cache.KeyAt(k, at))
	// Output:
	// GET MISS monday, cooked 1 times
	// HIT monday, cooked 1 times <nil>
	// <nil>
	// restflow: not cached
	// rf1|Menu|v1|path:day=6:monday|query:lang=-|3:GET10:/menu/:day11:example.com <nil>
}

func ExampleSetHeaders() {
	sums, err := restflow.NewFunc(restflow.FuncConfig[int]{Store: newShop()},
		func(_ context.Context, n int) (int, error) { return n * (n + 1) / 2, nil })
	if err != nil {
		log.Fatal(err)
	}
	e := echo.New()
	e.GET("/sums", func(c echo.Context) error {
		n, meta, err := sums.CallWithMetadata(c.Request().Context(), 100)
		if err != nil {
			return err
		}
		echocache.SetHeaders(c, meta)
		return c.String(http.StatusOK, fmt.Sprint(n))
	})
	send(e, "GET", "/sums")
	send(e, "GET", "/sums")
	// Output:
	// GET MISS 5050
	// GET HIT 5050
}
