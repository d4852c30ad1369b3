package echocache_test

import (
	"context"
	"expvar"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/labstack/echo/v4"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
)

// answers is shown by GET /debug/vars.
var answers = expvar.NewMap("cache_answers")

// Statuses are counted by route.
func ExampleConfig_metrics() {
	answers.Init()
	cache := echocache.MustNew[echocache.DefaultKey](echocache.Config{
		Store:     newShop(),
		Namespace: "counted",
		OnEvent: func(_ context.Context, ev restflow.Event) {
			answers.Add(ev.Route+" "+ev.Status.String(), 1)
		},
	})
	e := echo.New()
	// GET alone would leave HEAD, as of curl -I, to a 405.
	e.Match([]string{http.MethodGet, http.MethodHead}, "/items/:id", hello, cache.Middleware)
	for _, method := range []string{http.MethodGet, http.MethodGet, http.MethodHead} {
		e.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, "/items/1", nil))
	}
	fmt.Println(answers)
	// Output:
	// {"/items/:id HIT": 2, "/items/:id MISS": 1}
}
