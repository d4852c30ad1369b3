package testutil_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
	"github.com/restflow-go/restflow/testutil"
)

// PageKey is a page in a language.
type PageKey struct {
	_        struct{} `restflow:"namespace,Page"`
	ID       int      `restflow:"path,id,partition"`
	Language string   `restflow:"header,Accept-Language,optional"`
}

// printer stands in for the *testing.T of a test, so that failures can be shown.
type printer struct{ testing.TB }

func (printer) Helper()                           {}
func (printer) Context() context.Context          { return context.Background() }
func (printer) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }

func ExampleRun() {
	var t printer // in a test: t *testing.T

	store, err := restflow.NewMemory(restflow.MemoryConfig{})
	if err != nil {
		panic(err)
	}
	defer store.Close()
	rec := testutil.NewRecorder()
	cache := echocache.MustNew[PageKey](echocache.Config{Store: store, OnEvent: rec.OnEvent})

	e := echo.New()
	title := "Hello"
	e.GET("/pages/:id", func(c echo.Context) error { return c.String(http.StatusOK, title) }, cache.Middleware)

	german := testutil.AsHeader("Accept-Language", "de")
	testutil.Run(t, e, rec, []testutil.Step{
		{Name: "first", Request: "GET /pages/1", Want: restflow.Miss, WantBody: "Hello"},
		{Name: "again", Request: "GET /pages/1", Want: restflow.Hit, WantBody: "Hello"},
		{Name: "in German", Request: "GET /pages/1", As: german, Want: restflow.Miss},
		{Name: "rename", Do: func(testing.TB) {
			title = "Goodbye"
			if err := cache.Invalidate(context.Background(), PageKey{ID: 1}); err != nil {
				t.Errorf("invalidate: %v", err)
			}
		}},
		{Name: "dropped", Request: "GET /pages/1", Want: restflow.Miss, WantBody: "Goodbye"},
		{Name: "no number", Request: "GET /pages/one", Want: restflow.Miss},
	})
	// Output:
	// step 6 "no number": GET /pages/one
	// 	cache: got BYPASS, want MISS
	// 	bypassed because the key cannot be built: tagkey: ID (path:id): not a number that fits into int
}

func ExampleScript() {
	var t printer // in a test: t *testing.T

	store, err := restflow.NewMemory(restflow.MemoryConfig{})
	if err != nil {
		panic(err)
	}
	defer store.Close()
	rec := testutil.NewRecorder()
	cache := echocache.MustNew[PageKey](echocache.Config{Store: store, OnEvent: rec.OnEvent})
	e := echo.New()
	title := "Hello"
	e.GET("/pages/:id", func(c echo.Context) error { return c.String(http.StatusOK, title) }, cache.Middleware)

	script := testutil.Script{
		Handler: e, Recorder: rec,
		As: map[string]testutil.Identity{"german": testutil.AsHeader("Accept-Language", "de")},
		Do: map[string]func(testing.TB, ...string){
			"rename": func(_ testing.TB, args ...string) {
				title = args[0]
				_ = cache.InvalidateAll(context.Background())
			},
		},
	}
	script.Run(t, `
		> GET /pages/1
		< 200 MISS
		| Hello
		> GET /pages/1
		< 200 HIT
		> GET /pages/1 as german
		< 200 MISS
		! rename Goodbye
		> GET /pages/1
		< 200 MISS
		| Goodbye
	`)
	for _, ev := range rec.Events() {
		fmt.Println(ev.Route, ev.Status)
	}
	// Output:
	// /pages/:id MISS
	// /pages/:id HIT
	// /pages/:id MISS
	// /pages/:id MISS
}
