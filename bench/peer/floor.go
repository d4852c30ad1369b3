package peer

import (
	"net/http"

	"github.com/labstack/echo/v4"
	"github.com/maypok86/otter/v2"
)

// floor is an Echo middleware that looks up a fixed key and writes bytes and header
// values that were made before: what is left when a cache has no key to build, no
// epoch to compare and no time to look at. It works for item 0 only.
var floor = Peer{Name: "floor", Stack: "bare-Echo", Kind: Floor, Open: func(_ Env, o Origin) (*Site, error) {
	type entry struct {
		contentType, one, two []string
		body                  []byte
	}
	cache, err := otter.New(&otter.Options[uint64, *entry]{MaximumSize: 16})
	if err != nil {
		return nil, err
	}
	cache.Set(42, &entry{[]string{contentType}, []string{one}, []string{two}, o("0")})
	site := echoSite(o, func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			e, ok := cache.GetIfPresent(42)
			if !ok {
				return next(c)
			}
			w := c.Response()
			h := w.Header()
			h["Content-Type"], h["X-One"], h["X-Two"] = e.contentType, e.one, e.two
			w.WriteHeader(http.StatusOK)
			_, err := w.Write(e.body)
			return err
		}
	})
	site.Close = func() { cache.StopAllGoroutines() }
	return site, nil
}}
