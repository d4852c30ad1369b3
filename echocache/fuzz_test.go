package echocache_test

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/echocache"
)

// declared answers with every input that the key declares, in the form in which
// a handler reads it, and nothing else.
func declared(c echo.Context) error {
	r := c.Request()
	cookie, err := c.Cookie("tenant")
	value := ""
	if err == nil {
		value = cookie.Value
	}
	return c.String(http.StatusOK, fmt.Sprintf("%q %q %q %q %q %q %q %t %q", c.Path(), c.ParamNames(), c.ParamValues(), r.URL.Path,
		r.URL.Query(), strings.ToLower(r.Host), r.Header.Values("X-Lang"), err == nil, value))
}

type hostileKey struct {
	echocache.DefaultKey
	Lang   []string `restflow:"header,X-Lang"`
	Tenant *string  `restflow:"cookie,tenant"`
}

func hostileSite(m echo.MiddlewareFunc) *echo.Echo {
	e := newEcho()
	for _, route := range []string{"/", "/items/:id", "/items/:id/parts/:part", "/files/*", "/items/:id/*"} {
		e.GET(route, declared, m)
	}
	return e
}

// FuzzRequest sends raw requests to one server that has a cache for all of them,
// and to one that has none: the answers must be the same whatever was asked
// before. A request comes twice, so that it meets what it has stored itself, and
// with a variation in between.
func FuzzRequest(f *testing.F) {
	for _, seed := range [][3]string{
		{"/items/1?a=1&b=2", "", ""},
		{"/items/1?a=1%7C%7Cb:2", "X-Lang: de", "tenant=1"},
		{"/items/a%2Fb", "X-Lang: de\r\nX-Lang: en", "tenant=\"1\""},
		{"/items/a%252Fb", "X-Lang: de, en", "tenant"},
		{"/files/a/../b//c?x", "X-Lang:", "tenant=; tenant=1"},
		{"/items/1/parts/2?a=&a", "Host: EXAMPLE.com", "other=1"},
		{"/items/%00?%00=%ff", "X-Lang: \x80", "tenant=\x7f"},
		{"/?a=1;b=2", "Authorization: x", ""},
		{"/items/1/2?" + strings.Repeat("a=1&", 1100), "Range: bytes=0-1", ""},
		{"http://other.example/items/1", "Upgrade: x", ""},
		{"/items/:id?a[]=1&a%5B%5D=2", "Content-Length: 1", ""},
		{"*", "", ""},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	cache := newCache[hostileKey](f, echocache.Config{IgnoreCookies: []string{"other"}})
	cached := hostileSite(cache.Middleware)
	bare := hostileSite(func(next echo.HandlerFunc) echo.HandlerFunc { return next })
	f.Fuzz(func(t *testing.T, target, header, cookie string) {
		raw := "GET " + target + " HTTP/1.1\r\nHost: example.com\r\n" + header + "\r\nCookie: " + cookie + "\r\n\r\n"
		for _, text := range []string{raw, strings.Replace(raw, "%", "%25", 1), raw, strings.Replace(raw, "=", "%3D", 1), raw} {
			ask := func(h http.Handler) *httptest.ResponseRecorder {
				r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
				if err != nil {
					return nil
				}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				return w
			}
			want, got := ask(bare), ask(cached)
			if want == nil {
				return
			}
			require.Equal(t, want.Code, got.Code, "%q", text)
			require.Equal(t, want.Body.String(), got.Body.String(), "%s of %q", status(got), text)
			require.Equal(t, want.Header().Get("Content-Type"), got.Header().Get("Content-Type"))
		}
	})
}
