// Package restflow caches by declaration: a key struct says what a response, or the
// result of a function, depends on, and committed changes of models drop exactly
// the entries that depend on them.
//
// This is the tutorial. Package tagkey has the grammar of key structs, echocache
// the response cache for Echo, signals the rules, and signals/gormsignals the
// plugin that sees what GORM commits.
//
// # A key struct
//
// A page about a user depends on the user, on who looks at it, and on the query
// string. A Go type says so once, and cannot be got wrong at one call of many:
//
//	type UserKey struct {
//		_      struct{}   `restflow:"namespace,UserDetail"`
//		_      struct{}   `restflow:"version,1"`
//		PK     int64      `restflow:"path,pk,partition"`
//		Viewer string     `restflow:"request,user.id,partition"`
//		Query  url.Values `restflow:"query,*,hash"`
//	}
//
// Fields flagged partition name groups of entries that can be dropped together:
// all pages about user 42, all pages that ada has seen, or the pages about 42 that
// ada has seen. The other fields tell entries inside a group apart. A tag that is
// wrong is told when the cache is made, never while a request is served.
//
// # A cache on a route
//
// A [Store] keeps the entries; a cache reads key structs and stands before handlers:
//
//	store, err := restflow.NewMemory(restflow.MemoryConfig{})
//	if err != nil {
//		return nil, err
//	}
//	users, err := echocache.New[UserKey](echocache.Config{
//		Store:           store,
//		TTL:             5 * time.Minute,
//		SetCacheHeaders: true,
//		Bus:             bus,
//		InvalidatesOn: []signals.Rule{{
//			Model: User{},
//			Map:   map[string]string{"pk": "ID"},
//			Watch: []string{"Name"},
//		}},
//	})
//	if err != nil {
//		return nil, err
//	}
//	e.GET("/users/:pk", show, authenticate, users.Middleware)
//
// The first request is a MISS, and its answer is stored; the second a HIT, for which
// the handler does not run. Another viewer has entries of their own. Somebody
// whom authentication has not put into the context has no key, and so no entry:
// that is a BYPASS. Requests with credentials of which the key knows nothing are not
// cached at all, and neither are answers that a shared cache may not keep:
// echocache has the list.
//
// # Invalidation
//
// The rule above says that a changed User drops the pages about it, if its name
// changed. What changes is told by a bus. Give it to GORM, and every committed write
// is a change, while one that is rolled back is none:
//
//	if err := db.Use(gormsignals.New(bus)); err != nil {
//		return nil, err
//	}
//
// Or publish changes yourself, or invalidate by hand:
//
//	err = users.Invalidate(ctx, UserKey{PK: 42}, "pk")
//
// Once an invalidation has returned, no later request is answered with what a
// handler began to make before it: in any process that shares the store, also if
// that handler was still running, and whatever the store evicted in between. It
// costs the same however many entries it drops.
//
// This is how. For each group the store keeps an epoch, a random token. An entry
// remembers the epochs that stood before its handler ran, and answers only while
// all of them still stand. To invalidate a group is to do away with its epoch.
//
// # Stores
//
// [NewMemory] is bounded by bytes and belongs to one process. [NewRedis] is shared by
// any number of them; a hit costs one round trip, an invalidation one command.
// [NewStore] takes any store of gocache. A store that is down or slow never fails a
// request: the handler answers, and the status is BYPASS. An invalidation that does
// not reach it is retried until it does, and meanwhile this process serves nothing
// of that group from the cache.
//
// # Functions
//
// [NewFunc] caches what a function returns in the same way: a key struct is its
// argument list, and the same rules drop its results.
//
// # Contexts
//
// There is one API, not a second one for asynchronous code: handlers and functions
// run on goroutines, and every call that may block takes a context. The context of a
// request bounds its lookups and its handler. It does not bound what others
// depend on: an invalidation outlives it, and so does a handler whose response
// others wait for, under timeouts of their own. A function runs under the context of
// the call that leads; if that ends, one of those who wait leads the next run.
//
// Everything here is safe for concurrent use unless it says otherwise.
package restflow
