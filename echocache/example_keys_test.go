package echocache_test

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/restflow-go/restflow/echocache"
)

// SearchKey names the parameters that count; all others make no difference.
type SearchKey struct {
	_    struct{} `restflow:"namespace,Search"`
	Q    string   `restflow:"query,q,lower"`
	Tags []string `restflow:"query,tag,sorted"`
	Page *int     `restflow:"query,page"`
}

// Requests that mean the same share an entry, as far as the key struct says so.
func Example_keys() {
	cache := echocache.MustNew[SearchKey](echocache.Config{Store: newShop(), SetCacheHeaders: true})
	e := echo.New()
	e.GET("/search", func(c echo.Context) error { return c.String(http.StatusOK, "found") }, cache.Middleware)

	ask(e, "/search?q=Go&tag=a&tag=b", "")
	ask(e, "/search?tag=b&tag=a&q=go", "")
	ask(e, "/search?tag=b&tag=a&q=go&utm_source=mail", "")
	ask(e, "/search?tag=b&tag=a&q=go&page=1", "")
	ask(e, "/search?tag=b&tag=a&q=go&page=01", "")
	ask(e, "/search?tag=b&tag=a&q=go&page=one", "")
	// Output:
	// /search?q=Go&tag=a&tag=b  200 MISS found
	// /search?tag=b&tag=a&q=go  200 HIT found
	// /search?tag=b&tag=a&q=go&utm_source=mail  200 HIT found
	// /search?tag=b&tag=a&q=go&page=1  200 MISS found
	// /search?tag=b&tag=a&q=go&page=01  200 HIT found
	// /search?tag=b&tag=a&q=go&page=one  200 BYPASS found
}

// Product is what the catalogue's answers are made from.
type Product struct {
	SKU   string
	Cents int64
}

// CatalogueKey has one field of each kind that people ask for.
type CatalogueKey struct {
	_       struct{}   `restflow:"namespace,Catalogue"`
	_       struct{}   `restflow:"version,2"`
	_       Product    `restflow:"schema,Product"`
	Tenant  string     `restflow:"request,tenant.id,partition"`
	Section string     `restflow:"path,section,partition,lower"`
	Lang    string     `restflow:"header,Accept-Language,lower"`
	Theme   string     `restflow:"cookie,theme,optional"`
	Query   url.Values `restflow:"query,*,hash,ignore=utm_*|fbclid"`
}

// A plan prints what was compiled, and a key can be read.
func ExampleCache_plan() {
	cache := echocache.MustNew[CatalogueKey](echocache.Config{Store: newShop()})
	fmt.Println(cache.Plan())

	search := echocache.MustNew[SearchKey](echocache.Config{Store: newShop()})
	page := 2
	key, err := search.KeyAt(SearchKey{Q: "Go", Tags: []string{"b", "a"}, Page: &page}, echocache.At{
		Route: "/search",
		Host:  "shop.example",
	})
	fmt.Println(key, err)
	// Output:
	// Catalogue v2 {tenant.id=request:tenant.id partition, section=path:section partition lower, Product=schema:Product, Accept-Language=header:Accept-Language lower, theme=cookie:theme optional, query=query:* hash ignore=utm_*|fbclid}
	// rf1|Search|v1|query:q=2:go|query:tag=[2;1:a1:b]|query:page=1:2|3:GET7:/search12:shop.example <nil>
}

// A key struct that one cache alone uses needs no name of its own.
func ExampleNew_unnamed() {
	cache, err := echocache.New[struct {
		_  struct{} `restflow:"namespace,Inline"`
		ID int64    `restflow:"path,id,partition"`
	}](echocache.Config{Store: newShop()})
	fmt.Println(cache.Plan(), err)
	// Output:
	// Inline v1 {id=path:id partition} <nil>
}
