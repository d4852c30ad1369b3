package echocache

import (
	"errors"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/internal/httpcache"
	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/tagkey"
)

// Cache is a response cache over key struct K. Its Middleware method is an
// echo.MiddlewareFunc; one cache serves any number of routes, whose entries it
// keeps apart. It is safe for concurrent use.
//
// It has these methods of the embedded restflow.Space:
//
//	Invalidate(ctx, k, names...)   drops the entries that agree with k in partition fields
//	InvalidateAll(ctx)             drops every entry of the namespace
//	InvalidateTags(ctx, tags...)   drops tagged entries, in all caches of the store
//	Plan()                         returns the compiled key struct, which prints itself
//	Store()                        returns the store
type Cache[K any] struct {
	restflow.Space[K]

	engine  *httpcache.Engine
	skipper middleware.Skipper
	pool    sync.Pool // of *exchange
	wrapped [16]atomic.Pointer[wrapped]
}

// wrapped is what Middleware made of a handler. Echo wraps the handler of a route
// anew for each request, which would allocate each time.
type wrapped struct {
	next    unsafe.Pointer // to the handler's closure: handlers with the same pointer are the same
	handler echo.HandlerFunc
}

// New compiles K and returns a cache for it. All mistakes in K's tags and in the
// config are reported at once; those in the rules of InvalidatesOn once the rest is
// right, since rules are checked against the cache.
func New[K any](cfg Config) (*Cache[K], error) {
	plan, err := tagkey.Compile[K]()
	if err != nil {
		return nil, errors.Join(err, cfg.engine().Check(), cfg.check())
	}
	if cfg.Namespace != "" {
		plan = plan.WithNamespace(cfg.Namespace)
	}
	ec := cfg.engine()
	ec.Plan = plan
	engine, err := httpcache.New(ec)
	if err := errors.Join(err, cfg.check()); err != nil {
		return nil, err
	}
	c := &Cache[K]{
		Space: restflow.NewSpace[K](engine.Keyspace()), engine: engine,
		skipper: cfg.Skipper,
	}
	if c.skipper == nil {
		c.skipper = middleware.DefaultSkipper
	}
	values := requestValues(plan)
	c.pool.New = func() any {
		x := &exchange{values: values}
		x.Handler = x
		return x
	}
	if len(cfg.InvalidatesOn) > 0 {
		if err := cfg.Bus.Bind(c.Target(), cfg.InvalidatesOn...); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// MustNew is New for package variables and main: it panics on an error.
func MustNew[K any](cfg Config) *Cache[K] {
	c, err := New[K](cfg)
	if err != nil {
		panic(err)
	}
	return c
}

// check finds the faults that only this package knows of.
func (c *Config) check() error {
	if len(c.InvalidatesOn) > 0 && c.Bus == nil {
		return errors.New("echocache: Config.InvalidatesOn needs a Bus that carries the changes; set Config.Bus")
	}
	return nil
}

// Target is the cache as the rules of a signals.Bus know it.
func (c *Cache[K]) Target() signals.Target { return c.engine.Keyspace() }

// Middleware caches the responses of next. It is an echo.MiddlewareFunc, for a route,
// a group or Echo.Use, after authentication and rate limits:
//
//	e.GET("/users/:pk", getUser, cache.Middleware)
//
// As Echo.Pre it bypasses every request, since there is no route yet.
func (c *Cache[K]) Middleware(next echo.HandlerFunc) echo.HandlerFunc {
	f := next                                    // next itself would move to the heap, as the closure below needs it
	at := *(*unsafe.Pointer)(unsafe.Pointer(&f)) // keeps the closure, so that no other gets its address
	slot := &c.wrapped[uintptr(at)>>4%uintptr(len(c.wrapped))]
	kept := slot.Load()
	if kept != nil && kept.next == at {
		return kept.handler
	}
	h := func(ctx echo.Context) error {
		if c.skipper(ctx) {
			return next(ctx)
		}
		v := visit(ctx)
		if c.engine.Express(&v) {
			return nil
		}
		return c.serve(ctx, &v, next, httpcache.Serve)
	}
	if kept == nil {
		slot.CompareAndSwap(nil, &wrapped{at, h})
	}
	return h
}

func (c *Cache[K]) serve(ctx echo.Context, v *httpcache.Visit, next echo.HandlerFunc, mode httpcache.Mode) error {
	x := c.exchange(ctx, v, next, mode)
	err := c.engine.Serve(&x.Exchange)
	c.release(x) // not after a panic, which may have left it in any state
	return err
}

func (c *Cache[K]) exchange(ctx echo.Context, v *httpcache.Visit, next echo.HandlerFunc, mode httpcache.Mode) *exchange {
	x := c.pool.Get().(*exchange)
	x.ctx, x.next, x.Mode, x.lent = ctx, next, mode, nil
	x.Visit = *v
	return x
}

func visit(ctx echo.Context) httpcache.Visit {
	return httpcache.Visit{
		Request: tagkey.Request{
			HTTP:       ctx.Request(),
			ParamNames: ctx.ParamNames(), ParamValues: ctx.ParamValues(),
			Values: ctx,
		},
		Route: ctx.Path(), Writer: ctx.Response(),
	}
}

func (c *Cache[K]) release(x *exchange) {
	x.Reset()
	c.pool.Put(x)
}
