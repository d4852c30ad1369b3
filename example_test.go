package restflow_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
	"github.com/restflow-go/restflow/signals"
)

// The program of the tutorial: two viewers, a rule, an invalidation by hand.
func Example() {
	type User struct {
		ID    int64
		Name  string
		Email string
	}
	type UserKey struct {
		_      struct{}   `restflow:"namespace,UserDetail"`
		_      struct{}   `restflow:"version,1"`
		PK     int64      `restflow:"path,pk,partition"`
		Viewer string     `restflow:"request,user.id,partition"`
		Query  url.Values `restflow:"query,*,hash"`
	}

	type viewer struct{ ID string }
	authenticate := func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if name, ok := strings.CutPrefix(c.Request().Header.Get("Authorization"), "Bearer "); ok {
				c.Set("user", viewer{ID: name})
			}
			return next(c)
		}
	}
	row := User{ID: 42, Name: "Ada"}
	show := func(c echo.Context) error { return c.String(http.StatusOK, row.Name) }

	bus := signals.NewBus(signals.BusConfig{})
	e := echo.New()
	wire := func() (*echocache.Cache[UserKey], error) {
		store, err := restflow.NewMemory(restflow.MemoryConfig{})
		if err != nil {
			return nil, err
		}
		users, err := echocache.New[UserKey](echocache.Config{
			Store:           store,
			TTL:             5 * time.Minute,
			SetCacheHeaders: true,
			Bus:             bus,
			InvalidatesOn: []signals.Rule{{
				Model: User{},
				Map:   map[string]string{"pk": "ID"},
				Watch: []string{"Name"},
			}},
		})
		if err != nil {
			return nil, err
		}
		e.GET("/users/:pk", show, authenticate, users.Middleware)
		return users, nil
	}
	users, err := wire()
	if err != nil {
		log.Fatal(err)
	}

	look := func(as string) {
		r := httptest.NewRequest(http.MethodGet, "/users/42", nil)
		if as != "" {
			r.Header.Set("Authorization", "Bearer "+as)
		}
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		fmt.Printf("%q sees %s: %s\n", as, w.Body, w.Header().Get("X-Cache-Status"))
	}
	look("ada")
	look("ada")
	look("bob")
	look("")

	ctx := context.Background()
	row.Email = "ada@example.org"
	fmt.Println("changed:", bus.Publish(ctx, signals.Change{Op: signals.Update, New: &row, Fields: []string{"Email"}}))
	look("ada")
	row.Name = "Lovelace"
	fmt.Println("changed:", bus.Publish(ctx, signals.Change{Op: signals.Update, New: &row, Fields: []string{"Name"}}))
	look("ada")
	look("bob")

	err = users.Invalidate(ctx, UserKey{PK: 42}, "pk")
	fmt.Println("invalidated:", err)
	look("bob")
	// Output:
	// "ada" sees Ada: MISS
	// "ada" sees Ada: HIT
	// "bob" sees Ada: MISS
	// "" sees Ada: BYPASS
	// changed: <nil>
	// "ada" sees Ada: HIT
	// changed: <nil>
	// "ada" sees Lovelace: MISS
	// "bob" sees Lovelace: MISS
	// invalidated: <nil>
	// "bob" sees Lovelace: MISS
}
