package echocache_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/echocache"
)

func TestAtIsChecked(t *testing.T) {
	cache := newCache[itemKey](t, echocache.Config{})
	for _, tt := range []struct {
		at   echocache.At
		want string
	}{
		{echocache.At{}, "echocache: At.Route is empty; give the route as it was registered"},
		{
			echocache.At{Route: at.Route, Params: map[string]string{"id": "7", "sop": "a"}},
			`echocache: At.Host is empty, and each host has its own entries; give it, or set Config.IgnoreHost
echocache: At.Params: /shops/:shop/items/:id has the parameter "shop", which no field of echocache_test.itemKey names; give its value
echocache: At.Params: "id" is a field of echocache_test.itemKey already; leave it out
echocache: At.Params: "sop" is no parameter of "/shops/:shop/items/:id"; leave it out`,
		},
	} {
		_, err := cache.KeyAt(itemKey{}, tt.at)
		require.EqualError(t, err, tt.want)
		_, _, err = cache.PeekAt(t.Context(), itemKey{}, tt.at)
		require.EqualError(t, err, tt.want)
		_, err = cache.MetadataAt(t.Context(), itemKey{}, tt.at)
		require.EqualError(t, err, tt.want)
		require.EqualError(t, cache.DeleteAt(t.Context(), itemKey{}, tt.at), tt.want)
	}
	anywhere := newCache[itemKey](t, echocache.Config{IgnoreHost: true})
	_, err := anywhere.KeyAt(itemKey{}, echocache.At{Route: "/items/:id"})
	require.NoError(t, err)
}

// The parameters of a place come in the order that Echo gives them to a request.
func TestPlacesFollowEchosRoutes(t *testing.T) {
	type bare struct {
		_ struct{} `restflow:"namespace,Bare"`
	}
	cache := newCache[bare](t, echocache.Config{})
	for route, target := range map[string]string{
		"/":                    "/",
		"/users/:id":           "/users/7",
		"/:b/x/:a":             "/1/x/2",
		"/files/*":             "/files/a/b",
		"/:v/files/*":          "/1/files/a/b",
		`/escaped\:colon/:id`:  "/escaped:colon/7",
		"/users/:id/":          "/users/7/",
		"/mixed-:id":           "/mixed-7",
		"/pages/:page.html":    "/pages/1",
		"/quotes/:a/:a/:other": "/quotes/1/2/3",
	} {
		t.Run(route, func(t *testing.T) {
			e := echo.New()
			var key string
			params := map[string]string{}
			e.GET(route, func(c echo.Context) (err error) {
				for i, name := range c.ParamNames() {
					if _, twice := params[name]; !twice {
						params[name] = c.ParamValues()[i]
					}
				}
				key, err = cache.Key(c)
				return err
			})
			w := httptest.NewRecorder()
			e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
			require.NotEmpty(t, key, w.Body)
			got, err := cache.KeyAt(bare{}, echocache.At{Route: route, Host: "example.com", Params: params})
			require.NoError(t, err)
			if strings.Contains(route, ":a/:a") {
				require.NotEqual(t, key, got, "a map cannot tell two parameters of one name apart")
				return
			}
			require.Equal(t, key, got)
		})
	}
}
