// Package echocache caches what Echo v4 handlers answer. A key struct says what an
// answer depends on, and the cache's Middleware stands before the handlers:
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
// nor anything behind the middleware; status, header fields and body are those
// that were recorded, and what outer middleware does to a response it does to a hit
// as well. A miss runs the handler once for all who ask for the same key at the same
// time. Besides its fields, every key carries the route pattern, the host (see
// IgnoreHost) and every path parameter that no field names, so that one cache can
// stand on any number of routes.
//
// # Statuses
//
// Every request has one of five statuses. It stands in X-Cache-Status if
// SetCacheHeaders is on, and in the event that OnEvent gets.
//
//	HIT      a fresh entry answered; the handler did not run
//	MISS     no entry answered; the handler, or another request's run of it, did
//	STALE    an entry past its TTL answered, inside a window that the config allows
//	BYPASS   the cache took no part: see below
//	REFRESH  the handler ran and its answer took the entry's place
//
// # What is never looked up
//
// These requests are BYPASS. The handler answers as if there were no cache:
//
//   - methods other than GET and HEAD, and requests with a body, Range or Upgrade;
//   - a request of which the key cannot be built: a value that does not parse as
//     its field's type, a required request field that is absent, a query string
//     that is malformed or too large;
//   - a request with credentials which the key does not cover (see Security);
//   - a request whose route allows other methods alone, and one that comes from inside
//     a run for the same key, as where a cache stands twice;
//   - every request for which the store fails, is too slow, or still owes an
//     invalidation.
//
// HEAD is answered from GET's entry and fills none. Echo routes HEAD only where it
// is registered: e.Match([]string{"GET", "HEAD"}, …).
//
// # What is never stored
//
//   - a handler that returns an error, panics, writes nothing, or whose client has
//     gone with nobody else waiting;
//   - the statuses 1xx, 206, 304, 412 and 416; 401, 429 and 5xx, unless CacheStatuses names
//     them; the other 4xx, unless CacheIf, CacheUnless or CacheStatuses asks for them;
//   - Set-Cookie;
//   - Cache-Control with no-store, no-cache, max-age=0 or s-maxage=0, and private
//     unless the key tells users apart; must-understand with a status that nobody
//     knows; a Cache-Control that cannot be read;
//   - what is no longer fresh when it is made: an Expires that has passed or is no
//     date, an Age that is up;
//   - Vary with "*" or with a header that is no field of the key;
//   - a range, a Content-Length that is not the body's, trailers, what is streamed
//     (Flush), hijacked, or larger than MaxBodyBytes: these pass through as written;
//   - a handler that reaches for the http.ResponseWriter below, as the deadlines of
//     http.ResponseController do;
//   - an answer whose key is another one after the handler has run than before;
//   - what CacheIf, CacheUnless or the handler itself (From(c).NoStore) refuses.
//
// Of the header fields, those that the handler and inner middleware set, add or
// delete are stored: never what outer middleware had set before (a request id,
// CORS, the encoding of an outer gzip), and never fields of the connection. The
// event's Reason, and the detail of Cache-Status if CacheStatusHeader is on, tell
// which rule an answer fell under.
//
// # Security
//
// Nobody is shown another's answer. A request that carries credentials (an
// Authorization header, a cookie that IgnoreCookies does not name, also one that outer
// middleware is about to give the client, a client certificate, or what
// Config.Identity recognises) is cached only if the key has a field that tells who
// asks: any request field that has a value, or that very header or cookie. Otherwise it
// is BYPASS, and the log says so once a route. Config.Shared is the word of the author
// that all users get the same answer.
//
// The key is built again after the handler, and credentials are looked at again. So
// a cache that was put before the authentication middleware caches nothing rather
// than one user's page for all. A request field is required unless it is flagged
// optional; with optional, all for whom it is absent share one entry, except those
// who carry credentials.
//
// An answer that the key keeps for one user, and of which nobody says anything else, is
// given Cache-Control: private, for the caches between here and the user.
//
// # Order of middleware
//
//	recover, request id, logging, CORS, compression   outside: they see hits too
//	authentication, authorization, rate limits        outside: a hit must not pass them by
//	cache.Middleware
//	what shapes the answer itself                     inside: stored with it
//
// Permissions are what is cached last: a handler that answers by the user's role
// needs the role in the key, or its check outside. Echo runs a route's middleware
// from left to right, behind a group's, behind Use. With Pre there is no route yet,
// and every request is BYPASS.
//
// The handler gets an echo.Response of its own. What outer middleware registered
// with Response.Before and After runs when the client is answered, hit or miss;
// what the handler registers there runs when it is recorded.
//
// # Contexts
//
// The store is asked with the request's context, under StoreTimeout. The handler
// runs under the request's context too, but while others wait for its answer, the
// end of its own client does not end the run: FillTimeout does.
package echocache
