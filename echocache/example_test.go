package echocache_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
)

// newShop returns an example's store.
func newShop() *restflow.Store {
	store, err := restflow.NewMemory(restflow.MemoryConfig{})
	if err != nil {
		log.Fatal(err)
	}
	return store
}

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
		Store:           newShop(),
		TTL:             5 * time.Minute,
		SetCacheHeaders: true,
	})
	if err != nil {
		log.Fatal(err)
	}

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
	_, err := echocache.New[key](echocache.Config{Store: newShop()})
	fmt.Println(err)
	// Output:
	// tagkey: key.PK: tag "param,pk,partition": unknown source "param"; did you mean "path"?
	// tagkey: key.Page: tag "query,page,partiton": unknown flag "partiton"; did you mean "partition"?
}

// A partition's entries are dropped together, in one step, however many there are.
func ExampleCache_invalidate() {
	cache := echocache.MustNew[ProfileKey](echocache.Config{Store: newShop(), SetCacheHeaders: true})
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
	cache := echocache.MustNew[LocalisedKey](echocache.Config{Store: newShop(), Namespace: "localised"})
	fmt.Println(cache.Plan())
	// Output:
	// localised v1 {path=path:* partition, query=query:* hash, Accept-Language=header:Accept-Language lower}
}
