package peer

import (
	"bytes"
	"context"
	"encoding/gob"
	"maps"
	"net/http"

	"github.com/eko/gocache/lib/v4/cache"
	"github.com/eko/gocache/lib/v4/store"
	gocachestore "github.com/eko/gocache/store/go_cache/v4"
	redisstore "github.com/eko/gocache/store/redis/v4"
	"github.com/labstack/echo/v4"
	gocache "github.com/patrickmn/go-cache"
)

// page is a response as a middleware written by hand over gocache keeps it.
type page struct {
	Status int
	Header http.Header
	Body   []byte
}

func (p *page) write(c echo.Context) error {
	w := c.Response()
	maps.Copy(w.Header(), p.Header)
	w.WriteHeader(p.Status)
	_, err := w.Write(p.Body)
	return err
}

// pageKey tells paths and queries apart, whatever the order of the query.
func pageKey(c echo.Context) string {
	return c.Request().URL.Path + "?" + c.QueryParams().Encode()
}

// tee records what a handler writes while it goes out.
type tee struct {
	http.ResponseWriter
	body bytes.Buffer
}

func (t *tee) Write(p []byte) (int, error) {
	t.body.Write(p)
	return t.ResponseWriter.Write(p)
}

// record runs the handler and returns its response, which is written already.
func record(c echo.Context, next echo.HandlerFunc) (*page, error) {
	w := c.Response()
	t := &tee{ResponseWriter: w.Writer}
	w.Writer = t
	err := next(c)
	w.Writer = t.ResponseWriter
	return &page{w.Status, w.Header().Clone(), t.body.Bytes()}, err
}

func goCacheStore() *gocachestore.GoCacheStore {
	return gocachestore.NewGoCache(gocache.New(ttl, 0))
}

// gocacheTags is a middleware by hand over github.com/eko/gocache with its go-cache
// store and a tag for each item.
var gocacheTags = Peer{Name: "gocache-tags", Stack: "bare-Echo", Kind: Theirs, Open: func(_ Env, o Origin) (*Site, error) {
	pages := cache.New[*page](goCacheStore())
	site := echoSite(o, func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			ctx, key := c.Request().Context(), pageKey(c)
			if p, err := pages.Get(ctx, key); err == nil {
				return p.write(c)
			}
			p, err := record(c, next)
			if err != nil {
				return err
			}
			return pages.Set(ctx, key, p, store.WithExpiration(ttl), store.WithTags([]string{"item:" + c.Param("id")}))
		}
	})
	site.Drop = func(item int) error {
		return pages.Invalidate(context.Background(), store.WithInvalidateTags([]string{"item:" + itemText(item)}))
	}
	return site, nil
}}

// gocacheRedis is the same over its Redis store, with pages encoded by gob.
var gocacheRedis = Peer{Name: "gocache-tags-Redis", Stack: "bare-Echo", Kind: Theirs, Redis: true, Open: func(env Env, o Origin) (*Site, error) {
	pages := cache.New[string](redisstore.NewRedis(env.Redis))
	site := echoSite(o, func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			ctx, key := c.Request().Context(), pageKey(c)
			if raw, err := pages.Get(ctx, key); err == nil {
				p := new(page)
				if err := gob.NewDecoder(bytes.NewReader([]byte(raw))).Decode(p); err != nil {
					return err
				}
				return p.write(c)
			}
			p, err := record(c, next)
			if err != nil {
				return err
			}
			var raw bytes.Buffer
			if err := gob.NewEncoder(&raw).Encode(p); err != nil {
				return err
			}
			return pages.Set(ctx, key, raw.String(), store.WithExpiration(ttl), store.WithTags([]string{"item:" + c.Param("id")}))
		}
	})
	site.Drop = func(item int) error {
		return pages.Invalidate(context.Background(), store.WithInvalidateTags([]string{"item:" + itemText(item)}))
	}
	return site, nil
}}
