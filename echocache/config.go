package echocache

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/internal/httpcache"
	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/tagkey"
)

// DefaultKey is a key struct for caches that need none of their own: the whole
// query string, hashed, and the path parameters together as the partition "path", so
// that all responses about one item can be dropped together. A rule fills it with
// signals.On. Embed it to add fields.
type DefaultKey struct {
	Query url.Values `restflow:"query,*,hash"`
	Path  url.Values `restflow:"path,*,partition"`
}

// Response is a response as CacheIf and CacheUnless judge it: what the handler and
// inner middleware made. A predicate must not change or keep it. Peek returns one with
// the fields that the cache added.
type Response struct {
	Status int
	Header http.Header // what the handler and inner middleware set
	Body   []byte
}

// Predicate decides whether a response is stored. Its context is the request's; if it
// returns an error the response is not stored.
type Predicate func(ctx context.Context, res *Response) (bool, error)

// engine returns the predicate as the engine calls it, and nil for nil.
func (p Predicate) engine() httpcache.Predicate {
	if p == nil {
		return nil
	}
	return func(ctx context.Context, res *httpcache.Response) (bool, error) { return p(ctx, (*Response)(res)) }
}

// Config configures New. Only Store is required.
type Config struct {
	// Skipper selects requests that the cache leaves alone. They have no status.
	// Default: middleware.DefaultSkipper, which selects none.
	Skipper middleware.Skipper

	// Store keeps the entries. Required.
	Store *restflow.Store

	// Namespace replaces the key struct's. Caches that share a namespace and a
	// store are invalidated together.
	// Default: the key struct's, by default its package path and name.
	Namespace string

	// TTL is how long an entry is fresh. Cache-Control (s-maxage, max-age) or
	// Expires of a response can shorten it, and so does an Age or Date that says
	// the response is not new. At least a millisecond. Default 1 hour.
	TTL time.Duration

	// NoExpiration keeps entries until they are invalidated or evicted.
	// Excludes TTL.
	NoExpiration bool

	// Jitter is the share of the TTL, from 0 up to but not including 1, by
	// which each entry's is shortened at random, so that entries made together
	// do not expire together. Default 0.
	Jitter float64

	// CacheIf stores only responses for which it returns true, and makes
	// statuses of 400 to 499 eligible, except 401 and 429. Excludes
	// CacheUnless. Default: 2xx and 3xx are stored.
	CacheIf Predicate

	// CacheUnless keeps responses for which it returns true from being stored,
	// and is otherwise like CacheIf.
	CacheUnless Predicate

	// CacheStatuses lists statuses to store that are normally excluded: 401, 429,
	// 5xx.
	CacheStatuses []int

	// SetCacheHeaders adds X-Cache-Status to every response, and X-Cached-At and
	// X-Cache-Reset-At to those with an entry: not to a BYPASS, nor to a response
	// that was not stored. An entry without expiration has no X-Cache-Reset-At.
	SetCacheHeaders bool

	// MaxBodyBytes is the largest body that is stored. A larger one passes through
	// as it is written. Default 1 MiB.
	MaxBodyBytes int

	// StoreTimeout bounds each call of a shared store.
	// Default: the store's own, 250 ms.
	StoreTimeout time.Duration

	// Shared asserts that every user gets the same answer, so that requests with
	// credentials are cached although the key has no identity field. Nothing
	// verifies it.
	Shared bool

	// IgnoreCookies names cookies that are no credentials: "consent", or with a
	// prefix "_ga*". Every other cookie counts as one.
	IgnoreCookies []string

	// Identity recognises users who send no Authorization header, cookie or client
	// certificate, for example by an API key. A request for which it returns true
	// is cached only if the key has an identity field. It is called before the
	// handler and again after it.
	Identity func(c echo.Context) bool

	// IgnoreHost lets hosts share entries. Default: every host has its own.
	IgnoreHost bool

	// CacheStatusHeader adds this cache's member to the Cache-Status field of
	// every response (RFC 9211), with the reason if it was not cached.
	CacheStatusHeader bool

	// ETag adds a strong entity tag, made from the body, to stored responses of
	// status 200 that have none, so that clients can send conditional requests.
	ETag bool

	// HonorRequestDirectives follows no-cache, no-store, max-age, min-fresh and
	// only-if-cached in the Cache-Control of requests. Any client can then force
	// misses. Default: the directives of requests are ignored.
	HonorRequestDirectives bool

	// InvalidateOnUnsafe drops what is cached for a URI, for all users, when a
	// POST, PUT, PATCH, DELETE, or any other method that is not registered as
	// safe, succeeds on the same route pattern with a status below 400, before the
	// client gets the response. The middleware must be on those routes too. It
	// drops the group of the key's partition fields that are read from the path;
	// without such a field it drops the whole cache.
	InvalidateOnUnsafe bool

	// StaleWhileRevalidate is how long past its TTL an entry is still served, with
	// status STALE, while one background run refreshes it. That run gets an
	// echo.Context of its own with the request, the path parameters and, of the
	// values set with Set, those that the key reads. The values of the request's
	// context are all there; credentials only if the key identifies the user.
	// Default 0: never.
	StaleWhileRevalidate time.Duration

	// StaleIfError is how long past its TTL an entry is served, with status STALE,
	// in place of a handler that fails with a 5xx: one that it wrote, or an error to
	// which Echo's own error handler would give one, whatever an HTTPErrorHandler of
	// yours makes of it; so return an *echo.HTTPError for what is no failure. A HEAD
	// request gets the failure. Default 0: never.
	// Neither applies to responses with must-revalidate, proxy-revalidate or
	// s-maxage, and neither ever serves invalidated entries, except under the Soft
	// of a rule. A response can shorten each with stale-while-revalidate and
	// stale-if-error (RFC 5861).
	StaleIfError time.Duration

	// EarlyRefresh refreshes fresh entries in the background before they expire,
	// at random, and the earlier the longer they take to make (XFetch), so that a
	// popular entry never expires for everybody at once. 1 is the usual value.
	// The background run is that of StaleWhileRevalidate. Default 0: never.
	EarlyRefresh float64

	// FillTimeout bounds background runs, and the run of a handler whose client
	// has disconnected while others wait for its response. Default 30 seconds.
	FillTimeout time.Duration

	// Hermetic lets handlers see only the inputs that the key struct declares:
	// undeclared query values, header fields and cookies, the client's address
	// and its certificate are absent, so that an input that was forgotten in the
	// key cannot leak into other users' responses. The method, the host, the path
	// and the values of the context stay. The handler's echo.Context is then a
	// wrapper of the one that outer middleware sees.
	Hermetic bool

	// Audit is for development. It runs the handler again for each response that
	// is stored, without inputs that the key struct does not declare, and logs
	// each input that makes a difference.
	Audit bool

	// InvalidatesOn are the rules by which committed changes on Bus drop entries.
	// More can be added later with Bus.Bind(cache.Target(), …).
	InvalidatesOn []signals.Rule

	// Bus carries the changes. Required with InvalidatesOn.
	Bus *signals.Bus

	// OnEvent is called once for every request, on its goroutine: how it was
	// answered, and why it was not cached. It is also called for each background
	// refresh, with the status REFRESH, on that run's goroutine; and with Audit
	// for each input that makes a difference, once a route. It may be called
	// concurrently and should return quickly. Where it panics in the background, the
	// panic is logged and goes no further. Default: none.
	OnEvent func(ctx context.Context, ev restflow.Event)

	// Logger gets one warning for each route whose requests have credentials
	// that the key does not cover, or lack a request field of the key, with the fix,
	// and one error for each route whose handler, or OnEvent, panics in the background.
	// Default: slog.Default().
	Logger *slog.Logger
}

func (c *Config) engine() httpcache.Config {
	return httpcache.Config{
		Adapter: "echocache", Store: c.Store,
		TTL: c.TTL, NoExpiration: c.NoExpiration, Jitter: c.Jitter,
		CacheIf: c.CacheIf.engine(), CacheUnless: c.CacheUnless.engine(), CacheStatuses: c.CacheStatuses,
		SetCacheHeaders: c.SetCacheHeaders, MaxBodyBytes: c.MaxBodyBytes, StoreTimeout: c.StoreTimeout,
		Shared: c.Shared, IgnoreCookies: c.IgnoreCookies, IgnoreHost: c.IgnoreHost, Identified: c.identified(),
		OnEvent: c.OnEvent, Logger: c.Logger,
		CacheStatus: c.CacheStatusHeader, ETag: c.ETag,
		HonorRequestDirectives: c.HonorRequestDirectives, InvalidateOnUnsafe: c.InvalidateOnUnsafe,
		StaleWhileRevalidate: c.StaleWhileRevalidate, StaleIfError: c.StaleIfError,
		EarlyRefresh: c.EarlyRefresh, FillTimeout: c.FillTimeout,
		Hermetic: c.Hermetic, Audit: c.Audit,
	}
}

// identified is Identity as the engine asks it: the values are those of a context.
func (c *Config) identified() func(tagkey.Values) bool {
	identity := c.Identity
	if identity == nil {
		return nil
	}
	return func(v tagkey.Values) bool {
		ctx, ok := v.(echo.Context)
		return !ok || identity(ctx)
	}
}
