// Package testutil tests caches: a user's own routes, and stores.
//
// # Routes
//
// [Run] sends requests to an http.Handler, one after the other, and checks how a
// cache answered each of them. Between requests, steps change data:
//
//	rec := testutil.NewRecorder() // its OnEvent goes into echocache.Config.OnEvent
//	testutil.Run(t, e, rec, []testutil.Step{
//		{Name: "first", Request: "GET /users/1", As: alice, Want: restflow.Miss},
//		{Name: "again", Request: "GET /users/1", As: alice, Want: restflow.Hit},
//		{Name: "rename", Do: func(t testing.TB) { db.Model(&user).Update("name", "Ada") }},
//		{Name: "dropped", Request: "GET /users/1", As: alice, Want: restflow.Miss, WantBody: `{"name":"Ada"}`},
//	})
//
// A failure names the step, the request, the actual and the wanted result, the key,
// and why the response was not cached. [Script] is the same as a text that reads as a
// conversation.
//
// # Time
//
// Tests of lifetimes need no sleeping: run them in a bubble of testing/synctest,
// where time stands still until all goroutines wait, and time.Sleep returns at once
// with the clock advanced:
//
//	synctest.Test(t, func(t *testing.T) {
//		store, _ := restflow.NewMemory(restflow.MemoryConfig{})
//		defer store.Close() // empties the store; it has no goroutine to end
//		testutil.Run(t, newHandler(store), rec, []testutil.Step{
//			{Request: "GET /users/1", Want: restflow.Miss},
//			{Name: "an hour later", Do: func(testing.TB) { time.Sleep(time.Hour) }},
//			{Request: "GET /users/1", Want: restflow.Miss},
//		})
//	})
//
// Make the store, the cache and the handler inside the bubble, and a database too:
// close its *sql.DB there, or the test ends with a deadlock error. A store that talks
// to a network cannot live in a bubble: its clock is another machine's.
//
// # Stores
//
// [TestStore] is the conformance suite of a store, and [TestSharedStore] that of the
// handles of two processes on a shared one. Run them on a gocache store that you use
// with restflow.NewStore. They check what the caches rely on, above all that no entry
// made before an invalidation is served after it.
//
// Nothing here is for use outside of tests.
package testutil
