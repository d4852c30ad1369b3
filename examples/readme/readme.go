// A server that answers from the cache until an item is written to.
package main

import (
	"log"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
)

// ItemKey says what an answer depends on. All languages of an item are dropped together.
type ItemKey struct {
	ID   int64  `restflow:"path,id,partition"`
	Lang string `restflow:"header,Accept-Language"`
}

func app(store *restflow.Store) *echo.Echo {
	items := echocache.MustNew[ItemKey](echocache.Config{
		Store: store, TTL: time.Minute, SetCacheHeaders: true, InvalidateOnUnsafe: true,
	})
	item := func(c echo.Context) error {
		time.Sleep(time.Second) // the slow part
		return c.String(http.StatusOK, "item "+c.Param("id")+", made at "+time.Now().String())
	}
	e := echo.New()
	e.GET("/items/:id", item, items.Middleware) // MISS, then HIT
	e.PUT("/items/:id", item, items.Middleware) // a success drops the item
	return e
}

func main() {
	store, err := restflow.NewMemory(restflow.MemoryConfig{})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(app(store).Start("localhost:8080"))
}
