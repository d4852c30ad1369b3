package echocache_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/restflow-go/restflow/echocache"
	"github.com/restflow-go/restflow/signals"
)

// Four kinds of pages about one model, each with its rule.
func ExampleConfig_recipes() {
	type (
		Item struct {
			ID, TeamID int64
			OwnerID    string
		}
		itemKey struct {
			_  struct{} `restflow:"namespace,Recipes.Item"`
			ID int64    `restflow:"path,id,partition"`
		}
		listKey struct {
			_    struct{} `restflow:"namespace,Recipes.List"`
			Page *int     `restflow:"query,page"`
		}
		teamKey struct {
			_    struct{} `restflow:"namespace,Recipes.Team"`
			Team int64    `restflow:"path,team,partition"`
			Page *int     `restflow:"query,page"`
		}
		mineKey struct {
			_     struct{} `restflow:"namespace,Recipes.Mine"`
			Owner string   `restflow:"request,user.id,partition"`
		}
	)
	bus, store := signals.NewBus(signals.BusConfig{}), newShop()
	config := func(r signals.Rule) echocache.Config {
		return echocache.Config{Store: store, SetCacheHeaders: true, Bus: bus, InvalidatesOn: []signals.Rule{r}}
	}
	show := func(c echo.Context) error { return c.NoContent(http.StatusNoContent) }
	e := echo.New()
	e.GET("/items/:id", show, echocache.MustNew[itemKey](config(
		signals.Rule{Model: Item{}, Map: map[string]string{"id": "ID"}},
	)).Middleware)
	e.GET("/items", show, echocache.MustNew[listKey](config(
		signals.Rule{Model: Item{}, All: true},
	)).Middleware)
	e.GET("/teams/:team/items", show, echocache.MustNew[teamKey](config(
		signals.Rule{Model: Item{}, Map: map[string]string{"team": "TeamID"}},
	)).Middleware)
	e.GET("/mine", show, authenticated, echocache.MustNew[mineKey](config(
		signals.Rule{Model: Item{}, Map: map[string]string{"user.id": "OwnerID"}},
	)).Middleware)

	all := func() {
		for _, target := range []string{"/items/1", "/items/2", "/items?page=2", "/teams/7/items", "/teams/8/items"} {
			ask(e, target, "")
		}
		ask(e, "/mine", "ada")
		ask(e, "/mine", "bob")
	}
	all()
	change := signals.Change{Op: signals.Create, New: &Item{ID: 1, TeamID: 7, OwnerID: "ada"}}
	fmt.Println("committed", bus.Publish(context.Background(), change))
	all()
	// Output:
	// /items/1  204 MISS
	// /items/2  204 MISS
	// /items?page=2  204 MISS
	// /teams/7/items  204 MISS
	// /teams/8/items  204 MISS
	// /mine ada 204 MISS
	// /mine bob 204 MISS
	// committed <nil>
	// /items/1  204 MISS
	// /items/2  204 HIT
	// /items?page=2  204 MISS
	// /teams/7/items  204 MISS
	// /teams/8/items  204 HIT
	// /mine ada 204 MISS
	// /mine bob 204 HIT
}

// The partition of DefaultKey is all path parameters together: a rule in Go makes it.
func ExampleDefaultKey_rule() {
	type Item struct {
		ID   int64
		Name string
	}
	bus := signals.NewBus(signals.BusConfig{})
	rule := signals.On(func(i *Item) echocache.DefaultKey {
		return echocache.DefaultKey{Path: url.Values{"id": {strconv.FormatInt(i.ID, 10)}}}
	}, "path")
	rule.Reads = []string{"ID"} // what the function reads
	cache := echocache.MustNew[echocache.DefaultKey](echocache.Config{
		Store: newShop(), Namespace: "items", SetCacheHeaders: true,
		Bus: bus, InvalidatesOn: []signals.Rule{rule},
	})
	e := echo.New()
	e.GET("/items/:id", hello, cache.Middleware)
	ask(e, "/items/1?sort=name", "")
	ask(e, "/items/2", "")
	err := bus.Publish(context.Background(), signals.Change{
		Op: signals.Update, New: &Item{ID: 1, Name: "lamp"}, Fields: []string{"Name"},
	})
	fmt.Println("committed", err)
	ask(e, "/items/1?sort=name", "")
	ask(e, "/items/2", "")
	// Output:
	// /items/1?sort=name  200 MISS hello
	// /items/2  200 MISS hello
	// committed <nil>
	// /items/1?sort=name  200 MISS hello
	// /items/2  200 HIT hello
}
