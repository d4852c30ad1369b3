// Package restflow caches by declaration: a key struct says what a response, or the
// result of a function, depends on, and committed changes to models drop exactly
// the entries that depend on them.
//
// This is the tutorial. Package tagkey has the grammar of key structs, echocache
// the response cache for Echo, signals the rules, and signals/gormsignals the
// plugin that sees what GORM commits.
//
// # A key struct
//
// A page about a user depends on the user, on who looks at it, and on the query
// string. A Go type states this once, instead of at every call site:
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
// ada has seen. The other fields distinguish entries inside a group. A bad tag is an
// error when the cache is created, never at request time.
//
// # A cache on a route
//
// A [Store] keeps the entries; a cache is middleware in front of handlers:
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
// The first request is a MISS, and its response is stored; the second is a HIT, for
// which the handler does not run. Another viewer has entries of their own. Without
// an authenticated user no key can be built, so the request bypasses the cache. So
// do requests with credentials that the key does not include. Responses that a
// shared cache may not keep are not stored: echocache has the list.
//
// # Invalidation
//
// The rule above drops the pages about a User when its name has changed. A bus
// carries changes. Connect it to GORM, and every committed write becomes a change;
// rolled-back writes do not:
//
//	if err := db.Use(gormsignals.New(bus)); err != nil {
//		return nil, err
//	}
//
// Or publish changes yourself, or invalidate by hand:
//
//	err = users.Invalidate(ctx, UserKey{PK: 42}, "pk")
//
// Once an invalidation has returned, no later request is answered from a handler run
// that started earlier: in any process that shares the store, even if that handler
// was still running, and whatever the store evicted in between. It costs the same
// however many entries it drops.
//
// It works like this. For each group the store keeps an epoch, a random token. An
// entry records the epochs that were current before its handler ran, and is served
// only while all of them are. Invalidating a group removes its epoch.
//
// # Stores
//
// [NewMemory] is bounded by bytes and belongs to one process. [NewRedis] is shared by
// any number of them; a hit costs one round trip, an invalidation one command.
// [NewStore] takes any store of gocache. A store that is down or slow never fails a
// request: the handler answers, and the status is BYPASS. An invalidation that does
// not reach the store is retried until it does; meanwhile this process serves
// nothing of that group from the cache.
//
// # Functions
//
// [NewFunc] caches the results of a function in the same way: a key struct is its
// argument list, and the same rules drop its results.
//
// # Contexts
//
// There is one API, not a second one for asynchronous code: handlers and functions
// run on goroutines, and every call that may block takes a context. The context of a
// request bounds its lookups and its handler. An invalidation is not cancelled with
// the request, nor is a handler run that other requests are waiting for; both have
// their own timeouts. A function runs under the context of the call that started the
// run; if that ends, one of the waiting calls starts the next run.
//
// Everything here is safe for concurrent use unless it says otherwise.
package restflow
