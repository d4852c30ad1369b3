package peer

import (
	"net/http"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/cache"
	"github.com/valyala/fasthttp"
)

// dropHeader asks Fiber's cache to drop what it has for the request.
const dropHeader = "X-Drop"

var bareFiber = Peer{Name: "bare-Fiber", Stack: "bare-Fiber", Open: func(_ Env, o Origin) (*Site, error) {
	return fiberSite(o), nil
}}

// fiberCache is the cache middleware of github.com/gofiber/fiber/v3 in memory, by URI
// and with the header fields of the handler. Cache-Control is left out, as elsewhere.
var fiberCache = Peer{Name: "fiber-cache", Stack: "bare-Fiber", Kind: Theirs, Open: func(env Env, o Origin) (*Site, error) {
	site := fiberSite(o, cache.New(cache.Config{
		Expiration:           ttl,
		MaxBytes:             uint(env.budget()),
		StoreResponseHeaders: true,
		DisableCacheControl:  true,
		KeyGenerator:         func(c fiber.Ctx) string { return string([]byte(c.OriginalURL())) },
		CacheInvalidator:     func(c fiber.Ctx) bool { return c.Get(dropHeader) != "" },
	}))
	site.Drop = func(item int) error {
		c := site.Client().(*fiberClient)
		c.Aim(item)
		c.ctx.Request.Header.Set(dropHeader, "1")
		c.Ask()
		return nil
	}
	return site, nil
}}

func fiberSite(origin Origin, mw ...any) *Site {
	app := fiber.New()
	for _, m := range mw {
		app.Use(m)
	}
	app.Get("/items/:id", func(c fiber.Ctx) error {
		c.Set("X-One", one)
		c.Set("X-Two", two)
		c.Set("Content-Type", contentType)
		return c.Status(http.StatusOK).Send(origin(string([]byte(c.Params("id")))))
	})
	handler := app.Handler()
	return &Site{Client: func() Client {
		c := &fiberClient{handler: handler, ctx: new(fasthttp.RequestCtx)}
		c.ctx.Request.Header.SetMethod(http.MethodGet)
		c.ctx.Request.Header.SetHost("example.com")
		c.Aim(0)
		return c
	}}
}

// fiberClient asks the handler that Fiber gives to fasthttp. As with net/http the
// request was parsed before; the response, which fasthttp keeps in memory before it
// writes it, is reset in place of a writer's header.
type fiberClient struct {
	handler fasthttp.RequestHandler
	ctx     *fasthttp.RequestCtx
}

func (c *fiberClient) Aim(item int) { c.ctx.Request.SetRequestURI(URI(item)) }

func (c *fiberClient) Ask() {
	c.ctx.Response.Reset()
	c.handler(c.ctx)
}

func (c *fiberClient) Answer() Answer {
	c.Ask()
	a := Answer{Status: c.ctx.Response.StatusCode(), Header: map[string]string{}, Body: string(c.ctx.Response.Body())}
	for name, value := range c.ctx.Response.Header.All() {
		a.Header[string(name)] = string(value)
	}
	return a
}
