package echocache_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
)

// Requests whose keys are remembered are told apart by all that a key can hold,
// down to values of the context, on every store, and however many of them come.
func TestRememberedKeysTellRequestsApart(t *testing.T) {
	type account struct {
		ID    any
		Roles []string
	}
	type key struct {
		ID    string   `restflow:"path,id,partition"`
		Page  int      `restflow:"query,page"`
		Tag   []string `restflow:"query,tag,sorted"`
		Lang  []string `restflow:"header,X-Lang"`
		Theme string   `restflow:"cookie,theme"`
		User  string   `restflow:"request,user.ID,partition,optional"`
		Roles []string `restflow:"request,user.Roles,optional"`
		Host  string   `restflow:"request,host"`
	}
	users := []any{nil, account{ID: "1"}, account{ID: 1, Roles: []string{"a"}}, &account{ID: 2.0, Roles: []string{"a", "b"}}, account{ID: "", Roles: []string{"ab"}}, account{Roles: []string{}}}
	paths := []string{"/items/1", "/items/2", "/items/a%2Fb", "/items/a%252Fb", "/other/1"}
	queries := []string{"", "page=1", "page=01", "page=2", "page=1&tag=a&tag=b", "tag=b&page=1&tag=a", "page=1&tag=a%26tag%3Db", "page=1&other=1"}
	langs := [][]string{nil, {""}, {"de"}, {"de", "en"}, {"de,en"}}
	themes := []string{"", "theme=", "theme=dark", "theme=dark; theme=light"}

	site := func(mw ...echo.MiddlewareFunc) *echo.Echo {
		e := newEcho()
		e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				var user int
				_, _ = fmt.Sscan(c.Request().Header.Get("X-User"), &user)
				c.Set("user", users[user])
				return next(c)
			}
		})
		h := func(c echo.Context) error { // says what it was asked, as the key has it
			id, roles := any(nil), []string(nil)
			switch u := c.Get("user").(type) {
			case account:
				id, roles = u.ID, u.Roles
			case *account:
				id, roles = u.ID, u.Roles
			}
			page := strings.TrimLeft(c.QueryParam("page"), "0")
			tags := c.QueryParams()["tag"]
			if len(tags) == 2 {
				tags = []string{min(tags[0], tags[1]), max(tags[0], tags[1])}
			}
			theme, err := c.Cookie("theme")
			return c.String(http.StatusOK, fmt.Sprintf("%s %q %s %q %q %v %v %v %q %s",
				c.Path(), c.Param("id"), page, tags, c.Request().Header["X-Lang"], theme, err, id, roles, c.Request().Host))
		}
		e.GET("/items/:id", h, mw...)
		e.GET("/other/:id", h, mw...)
		return e
	}
	stores := map[string]func(t *testing.T) *restflow.Store{
		"memory": func(t *testing.T) *restflow.Store { t.Helper(); return memoryStore(t) },
		"little memory": func(t *testing.T) *restflow.Store {
			s, err := restflow.NewMemory(restflow.MemoryConfig{MaxBytes: 64 << 10, EpochSlots: 1 << 10})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			return s
		},
		"redis": func(t *testing.T) *restflow.Store { t.Helper(); return redisStore(t) },
	}
	for name, store := range stores {
		t.Run(name, func(t *testing.T) {
			cache := newCache[key](t, echocache.Config{Store: store(t), IgnoreCookies: []string{"*"}})
			cached, bare := site(cache.Middleware), site()
			statuses := map[string]int{}
			for range 4000 {
				r := httptest.NewRequest(http.MethodGet, paths[rand.IntN(len(paths))]+"?"+queries[rand.IntN(len(queries))], nil)
				r.Header.Set("X-User", fmt.Sprint(rand.IntN(len(users))))
				r.Host = []string{"a.example", "b.example"}[rand.IntN(2)]
				if lang := langs[rand.IntN(len(langs))]; lang != nil {
					r.Header["X-Lang"] = lang
				}
				if theme := themes[rand.IntN(len(themes))]; theme != "" {
					r.Header.Set("Cookie", theme)
				}
				want, got := httptest.NewRecorder(), httptest.NewRecorder()
				bare.ServeHTTP(want, r)
				for range 1 + rand.IntN(3) {
					*got = *httptest.NewRecorder()
					cached.ServeHTTP(got, r)
					require.Equal(t, want.Body.String(), got.Body.String(), "%s %s %v", status(got), r.URL, r.Header)
					statuses[status(got)]++
				}
			}
			require.Greater(t, statuses["HIT"], 1000, statuses)
		})
	}
}

// Middleware may name path parameters anew. What is remembered goes by the names
// as well as by the values.
func TestRememberedKeysTellParameterNamesApart(t *testing.T) {
	type key struct {
		Team string `restflow:"path,team,optional"`
		User string `restflow:"path,user,optional"`
	}
	cache := newCache[key](t, echocache.Config{Store: memoryStore(t)})
	e := newEcho()
	rename := func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			names := strings.Split(c.Request().Header.Get("X-Names"), ",")
			values := c.ParamValues()
			c.SetParamNames(names...)
			c.SetParamValues(values[:min(len(names), len(values))]...)
			return next(c)
		}
	}
	e.GET("/:a/:b", func(c echo.Context) error {
		return c.String(http.StatusOK, "team "+c.Param("team")+" user "+c.Param("user"))
	}, rename, cache.Middleware)
	for range 3 {
		for names, want := range map[string]string{"team,user": "team 1 user 2", "user,team": "team 2 user 1", "team": "team 1 user ", "user": "team  user 1"} {
			r, rec := httptest.NewRequest(http.MethodGet, "/1/2", nil), httptest.NewRecorder()
			r.Header.Set("X-Names", names)
			e.ServeHTTP(rec, r)
			require.Equal(t, want, rec.Body.String(), names)
		}
	}
}
