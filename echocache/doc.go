// Package echocache caches the responses of Echo v4 handlers. A key struct says what a
// response depends on, and the cache's Middleware runs in front of the handlers:
//
//	type UserKey struct {
//		_     struct{}   `restflow:"namespace,UserDetail"`
//		PK    int64      `restflow:"path,pk,partition"`
//		User  string     `restflow:"request,user.id,partition"`
//		Query url.Values `restflow:"query,*,hash"`
//	}
//
//	cache := echocache.MustNew[UserKey](echocache.Config{Store: store, TTL: time.Minute})
//	e.GET("/users/:pk", getUser, authenticate, cache.Middleware)
//
// The grammar of the tags is that of package tagkey. A hit runs neither the handler
// nor anything else inside the middleware; status, header fields and body are the
// recorded ones, and outer middleware processes hits like any other response. A miss
// runs the handler once for all requests for the same key at the same time. Besides
// its fields, every key contains the route pattern, the host (see IgnoreHost) and
// every path parameter that no field names, so one cache can serve any number of
// routes.
//
// # Statuses
//
// Every request has one of five statuses. It is in X-Cache-Status if
// SetCacheHeaders is on, and in the event that OnEvent gets.
//
//	HIT      a fresh entry answered; the handler did not run
//	MISS     no entry answered; the handler, or another request's run of it, did
//	STALE    an entry answered that is past its TTL or was dropped by a rule with
//	         Soft, inside a window that the config or the rule allows
//	BYPASS   the cache took no part: see below
//	REFRESH  Refresh ran the handler, to replace the entry; also the status of events
//	         of background refreshes
//
// # What is never looked up
//
// These requests bypass the cache. The handler answers as if there were none:
//
//   - methods other than GET and HEAD, and requests with a body, Range or Upgrade;
//   - a request whose key cannot be built: a value that does not parse as its
//     field's type, a required request field that is absent, a query string that is
//     malformed or too large;
//   - a request with credentials that the key does not cover (see Security);
//   - a request whose route exists for other methods only, or that comes from inside a
//     run for the same key, as when a cache is on a route twice;
//   - a request for which the store fails or is too slow, or in a group with a
//     pending invalidation.
//
// HEAD is answered from GET's entry and fills none. Echo routes HEAD only where it
// is registered: e.Match([]string{"GET", "HEAD"}, …).
//
// # What is never stored
//
//   - a handler that returns an error, panics, writes nothing, or whose client has
//     disconnected while nobody else is waiting;
//   - the statuses 1xx, 206, 304, 412 and 416; 401, 429 and 5xx, unless CacheStatuses names
//     them; the other 4xx, unless CacheIf, CacheUnless or CacheStatuses asks for them;
//   - Set-Cookie;
//   - Cache-Control with no-store, no-cache, max-age=0 or s-maxage=0, and private
//     unless the key identifies the user; must-understand with an unknown status; a
//     Cache-Control that cannot be parsed;
//   - a response that is stale already: an Expires that has passed or is no date, an
//     Age beyond its lifetime;
//   - Vary with "*" or with a header that is no field of the key;
//   - a range, a Content-Length that is not the body's, trailers, and responses that
//     are streamed (Flush), hijacked, or larger than MaxBodyBytes: these pass through
//     as written;
//   - a handler that unwraps the http.ResponseWriter, for example to set deadlines
//     with http.ResponseController;
//   - a response whose key changed while the handler ran;
//   - a response that CacheIf, CacheUnless or the handler itself (From(c).NoStore)
//     refuses.
//
// The stored header fields are those that the handler and inner middleware set, add
// or delete: never those that outer middleware had set before (a request id, CORS,
// the encoding of an outer gzip), and never fields of the connection. The event's
// Reason, and the detail of Cache-Status if CacheStatusHeader is on, say which of
// these applied.
//
// # Security
//
// No user gets another user's response. A request that carries credentials (an
// Authorization header, a cookie that IgnoreCookies does not name, a client
// certificate, or anything that Config.Identity recognises) is cached only if the key
// identifies the user: by any request field that has a value, or by that header or
// cookie. A cookie that outer middleware gives the client counts as well if it comes
// with Vary: Cookie, as a CSRF token does: the page may show it. Otherwise the request
// bypasses the cache, and a warning is logged once per route. Set Config.Shared to
// assert that every user gets the same answer.
//
// The key is built again after the handler, and credentials are checked again. So a
// cache that was placed before the authentication middleware caches nothing rather
// than one user's page for all. A request field is required unless it is flagged
// optional; with optional, all requests without a value share one entry, except those
// that carry credentials.
//
// If a per-user response has no Cache-Control, Cache-Control: private is added, so
// that caches between here and the user do not share it.
//
// # Order of middleware
//
//	recover, request id, logging, CORS, compression   outside: they see hits too
//	authentication, authorization, rate limits        outside: a hit must not skip them
//	cache.Middleware
//	middleware that changes the response itself       inside: its result is stored
//
// Be careful with permissions: if a response depends on the user's role, put the
// role in the key or check it in middleware outside the cache. Echo runs Use, then a
// group's middleware, then a route's, each from left to right. With Pre there is no
// route yet, and every request is BYPASS.
//
// The handler gets an echo.Response of its own. Functions that outer middleware
// registered with Response.Before and After run when the client is answered, hit or
// miss; those that the handler registers run when its response is recorded.
//
// # Contexts
//
// Calls to the store use the request's context and StoreTimeout. The handler runs
// under the request's context too; but while other requests wait for its response,
// the run does not end with its own client, only after FillTimeout.
//
// A background refresh runs on a goroutine of its own, without outer middleware, for
// at most FillTimeout. Its echo.Context has, of the values set with Set, only those
// that the key reads; the values of the request's context are all there. A panic in
// it becomes an error, which is logged and given to OnEvent.
package echocache
