// Package testutil tests caches: a user's own routes, and stores.
//
// # Routes
//
// [Run] sends requests to an http.Handler, one after the other, and compares how
// a cache answered each of them. Between requests, steps change data:
//
//	rec := testutil.NewRecorder() // its OnEvent goes into echocache.Config.OnEvent
//	testutil.Run(t, e, rec, []testutil.Step{
//		{Name: "first", Request: "GET /users/1", As: alice, Want: restflow.Miss},
//		{Name: "again", Request: "GET /users/1", As: alice, Want: restflow.Hit},
//		{Name: "rename", Do: func(t testing.TB) { db.Model(&user).Update("name", "Ada") }},
//		{Name: "dropped", Request: "GET /users/1", As: alice, Want: restflow.Miss, WantBody: `{"name":"Ada"}`},
//	})
//
// A failure names the step, the request, what was got and wanted, the key, and
// why the answer was not cached. [Script] is the same as a text that reads as a
// conversation.
//
// # Time
//
// Tests of lifetimes need no sleeping: run them in a bubble of testing/synctest,
// where time stands still until everybody waits, and time.Sleep returns at once
// with the clock moved on:
//
//	synctest.Test(t, func(t *testing.T) {
//		store, _ := restflow.NewMemory(restflow.MemoryConfig{})
//		defer store.Close() // inside the bubble: it ends the store's goroutine
//		testutil.Run(t, newHandler(store), rec, []testutil.Step{
//			{Request: "GET /users/1", Want: restflow.Miss},
//			{Name: "an hour later", Do: func(testing.TB) { time.Sleep(time.Hour) }},
//			{Request: "GET /users/1", Want: restflow.Miss},
//		})
//	})
//
// Make the store, the cache and the handler inside the bubble. A store that talks
// to a network cannot live in one: its clock is another machine's.
//
// # Stores
//
// [TestStore] is the conformance suite of a store, and [TestSharedStore] that of
// two processes' handles on a shared one. Whoever plugs a gocache store into
// restflow.NewStore runs them on it; what they check is what the caches rely on,
// above all that nothing made before an invalidation is served after it.
//
// Nothing here is for use outside of tests.
package testutil
