package testutil_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/testutil"
)

func TestFailuresTellWhatAndWhy(t *testing.T) {
	hit := restflow.Event{Status: restflow.Hit, Route: "/users/:id", Key: "User v1 {id=1}"}
	with := func(change func(ev *restflow.Event)) restflow.Event {
		ev := hit
		change(&ev)
		return ev
	}
	for _, c := range []struct {
		name  string
		event restflow.Event
		step  testutil.Step
		want  string // "" for none
	}{
		{"all as it should be", hit, testutil.Step{
			Want: restflow.Hit, WantStatus: 200, WantBody: "body",
			WantHeader: map[string]string{"X-One": "1", "x-two": "a, b", "X-None": ""},
		}, ""},
		{
			"a hit", hit,
			testutil.Step{Name: "first", Want: restflow.Miss},
			"step 1 \"first\": GET /users/1\n\tcache: got HIT, want MISS\n\tkey: User v1 {id=1}\n\tanswered from the cache",
		},
		{"everything else", hit, testutil.Step{
			Want: restflow.Hit, WantStatus: 404, WantBody: "other", WantReason: "why",
			WantHeader: map[string]string{"X-Two": "b, a", "X-One": ""},
		}, "step 1: GET /users/1\n\tstatus: got 200, want 404\n\tbody: got \"body\", want \"other\"\n\theader X-One: got \"1\", want \"\"" +
			"\n\theader X-Two: got \"a, b\", want \"b, a\"\n\treason: got \"\", want \"why\"\n\tkey: User v1 {id=1}\n\tanswered from the cache"},
		{
			"not stored", with(func(ev *restflow.Event) { ev.Status, ev.Reason = restflow.Miss, "the response sets a cookie" }),
			testutil.Step{Want: restflow.Hit},
			"step 1: GET /users/1\n\tcache: got MISS, want HIT\n\tkey: User v1 {id=1}\n\tnot stored because the response sets a cookie",
		},
		{
			"not stored on an error", with(func(ev *restflow.Event) {
				ev.Status, ev.Reason, ev.Err = restflow.Refresh, "the entry could not be saved", errDown
			}),
			testutil.Step{Want: restflow.Hit},
			"step 1: GET /users/1\n\tcache: got REFRESH, want HIT\n\tkey: User v1 {id=1}\n\tnot stored because the entry could not be saved: connection refused",
		},
		{
			"an error without a reason", with(func(ev *restflow.Event) { ev.Status, ev.Err = restflow.Miss, errDown }),
			testutil.Step{Want: restflow.Hit},
			"step 1: GET /users/1\n\tcache: got MISS, want HIT\n\tkey: User v1 {id=1}\n\tnot stored: connection refused",
		},
		{
			"stored", with(func(ev *restflow.Event) { ev.Status, ev.Stored = restflow.Miss, true }),
			testutil.Step{Want: restflow.Hit},
			"step 1: GET /users/1\n\tcache: got MISS, want HIT\n\tkey: User v1 {id=1}\n\tstored",
		},
		{
			"shared", with(func(ev *restflow.Event) { ev.Status, ev.Shared = restflow.Miss, true }),
			testutil.Step{Want: restflow.Hit},
			"step 1: GET /users/1\n\tcache: got MISS, want HIT\n\tkey: User v1 {id=1}\n\tanswered by another request's run",
		},
		{
			"bypassed",
			restflow.Event{Reason: "the key cannot be built"},
			testutil.Step{Want: restflow.Miss},
			"step 1: GET /users/1\n\tcache: got BYPASS, want MISS\n\tbypassed because the key cannot be built",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := testutil.NewRecorder()
			c.step.Request = "GET  /users/1\nAccept: */*"
			got := failures(t, func(t testing.TB) { testutil.Run(t, told(rec, c.event), rec, []testutil.Step{c.step}) })
			require.Equal(t, c.want, strings.Join(got, "\n"))
			require.Equal(t, []restflow.Event{c.event}, rec.Events())
		})
	}
}

func TestFailuresWithoutEvents(t *testing.T) {
	rec := testutil.NewRecorder()
	steps := []testutil.Step{{Request: "POST /users"}, {Name: "cached", Request: "GET /", Want: restflow.Hit}}
	require.Equal(t, []string{
		"step 2 \"cached\": GET /\n\tcache: got no cache, want HIT\n\tno cache told the recorder of the request; is the middleware on the route, and the recorder's OnEvent in the cache's config?",
	}, failures(t, func(t testing.TB) { testutil.Run(t, told(rec), rec, steps) }))

	byHeader := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Cache-Status", "STALE") })
	steps = []testutil.Step{{Request: "GET /", Want: restflow.Stale}, {Request: "GET /", Want: restflow.Hit}}
	require.Equal(t, []string{
		"step 2: GET /\n\tcache: got STALE, want HIT\n\tgive Run a Recorder to learn the key and the reason",
	}, failures(t, func(t testing.TB) { testutil.Run(t, byHeader, nil, steps) }))

	silent := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	steps = []testutil.Step{{Request: "GET /", Want: restflow.Miss}}
	require.Equal(t, []string{"step 1: GET /\n\tcache: got no cache, want MISS\n\t" + noHeader},
		failures(t, func(t testing.TB) { testutil.Run(t, silent, nil, steps) }))
}

const noHeader = "the answer has no X-Cache-Status; is the middleware on the route? Set SetCacheHeaders in the cache's config, or give Run a Recorder"

func TestFaultySteps(t *testing.T) {
	boom := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/boom" {
			panic("boom")
		}
	})
	fails := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, strings.Repeat("x", 600), http.StatusServiceUnavailable)
	})
	do := func(testing.TB) {}
	for _, c := range []struct {
		handler http.Handler
		step    testutil.Step
		want    string
	}{
		{boom, testutil.Step{Name: "n"}, `step 1 "n" has neither Do nor Request`},
		{boom, testutil.Step{Request: "GET /", Do: do}, `step 1 has both Do and Request; make two steps of it`},
		{boom, testutil.Step{Request: "GET"}, `step 1: Request "GET": want "METHOD target", then header lines, an empty line and the body, all but the first optional`},
		{boom, testutil.Step{Request: "G{T /"}, `step 1: Request "G{T /": invalid method "G{T"`},
		{boom, testutil.Step{Request: "GET /%zz"}, `step 1: Request "GET /%zz": parse "/%zz": invalid URL escape "%zz"`},
		{boom, testutil.Step{Request: "GET /\nno colon"}, `step 1: Request "GET /\nno colon": malformed MIME header: missing colon: "no colon"`},
		{boom, testutil.Step{Request: "GET /boom"}, `step 1: GET /boom: the handler panicked: boom`},
		{fails, testutil.Step{Request: "GET /"}, "step 1: GET /\n\tstatus: got 503, want no server error\n\t" + noHeader},
		{fails, testutil.Step{Request: "GET /", WantStatus: 503, WantBody: "y"}, "step 1: GET /\n\tbody: got \"" + strings.Repeat("x", 500) +
			"\" and 100 bytes more, want \"y\"\n\t" + noHeader},
	} {
		got := failures(t, func(t testing.TB) { testutil.Run(t, c.handler, nil, []testutil.Step{c.step}) })
		require.Equal(t, []string{c.want}, got)
	}
}

func TestStepsRunInOrderPastFailures(t *testing.T) {
	var order []string
	step := func(name string) testutil.Step {
		return testutil.Step{Do: func(testing.TB) { order = append(order, name) }}
	}
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { order = append(order, r.URL.Path) })
	got := failures(t, func(t testing.TB) {
		testutil.Run(t, h, nil, []testutil.Step{
			step("a"),
			{Request: "GET /b", Want: restflow.Hit},
			step("c"),
			{Request: "GET /d"},
			{Do: func(t testing.TB) { t.Errorf("from %s", "Do") }},
			{Request: "GET /e", Check: func(t testing.TB, r testutil.Result) { t.Errorf("status %d, cached %t", r.Status, r.Cached) }},
		})
	})
	require.Equal(t, []string{"a", "/b", "c", "/d", "/e"}, order)
	require.Len(t, got, 3)
	require.Equal(t, []string{"from Do", "status 200, cached false"}, got[1:])
}

func TestRequestsArriveAsAServerWouldHandThem(t *testing.T) {
	var got *http.Request
	var body string
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("body: %v", err)
		}
		got, body = r, string(b)
	})
	run := func(request string, as testutil.Identity) {
		testutil.Run(t, h, nil, []testutil.Step{{Request: request, As: as}})
	}
	run(`
		POST /users?a=1&a=2
		Content-Type: text/plain
		X-Many: 1
		X-Many: 2

Ada, and

Bob`, testutil.AsBoth(testutil.AsBearer("t"), testutil.AsCookie("session", "s")))
	require.Equal(t, "POST", got.Method)
	require.Equal(t, "/users", got.URL.Path)
	require.Equal(t, []string{"1", "2"}, got.URL.Query()["a"])
	require.Equal(t, "/users?a=1&a=2", got.RequestURI)
	require.Equal(t, "Ada, and\n\nBob", body)
	require.EqualValues(t, 13, got.ContentLength)
	require.Equal(t, []string{"1", "2"}, got.Header["X-Many"])
	require.Equal(t, "Bearer t", got.Header.Get("Authorization"))
	require.Equal(t, "session=s", got.Header.Get("Cookie"))
	require.Equal(t, "example.com", got.Host)
	require.Equal(t, "192.0.2.1:1234", got.RemoteAddr)
	require.Nil(t, got.TLS)

	run("GET /\nhost: tenant.example", testutil.AsBasic("u", "p"))
	require.Equal(t, "tenant.example", got.Host)
	user, password, ok := got.BasicAuth()
	require.Equal(t, []any{"u", "p", true}, []any{user, password, ok})
	require.Equal(t, http.NoBody, got.Body)

	run("GET https://secure.example/x", testutil.AsHeader("X-User", "ada"))
	require.Equal(t, "secure.example", got.Host)
	require.Equal(t, "/x", got.URL.Path)
	require.NotNil(t, got.TLS)
	require.Equal(t, "ada", got.Header.Get("X-User"))
}

// The event of a response is that of the outermost response cache, whatever
// functions and background refreshes tell meanwhile.
func TestTheAnswerAmongManyEvents(t *testing.T) {
	fn := restflow.Event{Cache: "f", Status: restflow.Hit}
	inner := restflow.Event{Cache: "in", Route: "/", Status: restflow.Miss, Key: "1"}
	outer := restflow.Event{Cache: "out", Route: "/", Status: restflow.Stale, Key: "2"}
	refresh := restflow.Event{Cache: "out", Route: "/", Status: restflow.Refresh, Key: "2", Stored: true, Background: true}
	innerRefresh := restflow.Event{Cache: "in", Route: "/", Status: restflow.Refresh, Key: "1", Stored: true, Background: true}
	hit := restflow.Event{Cache: "out", Route: "/", Status: restflow.Hit, Key: "2"}
	rewarm := restflow.Event{Cache: "f", Status: restflow.Refresh, Background: true}
	for _, c := range []struct {
		events []restflow.Event
		want   restflow.Status
	}{
		{[]restflow.Event{fn}, restflow.Hit},
		{[]restflow.Event{fn, inner}, restflow.Miss},
		{[]restflow.Event{inner, fn}, restflow.Miss},
		{[]restflow.Event{fn, inner, outer}, restflow.Stale},
		{[]restflow.Event{inner, outer, refresh}, restflow.Stale},
		{[]restflow.Event{refresh, outer}, restflow.Stale},
		{[]restflow.Event{hit, refresh}, restflow.Hit},
		{[]restflow.Event{inner, hit, innerRefresh}, restflow.Hit},
		{[]restflow.Event{fn, rewarm}, restflow.Hit},
		{[]restflow.Event{refresh}, restflow.Refresh},
	} {
		rec := testutil.NewRecorder()
		testutil.Run(t, told(rec, c.events...), rec, []testutil.Step{{Request: "GET /", Want: c.want}})
		require.Len(t, rec.Events(), len(c.events))
		rec.Reset()
		require.Empty(t, rec.Events())
	}
}

func TestEventsOfOtherRequestsAreNotMixedUp(t *testing.T) {
	rec := testutil.NewRecorder()
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		rec.OnEvent(r.Context(), restflow.Event{Status: restflow.Hit, Route: "/"})
		rec.OnEvent(context.Background(), restflow.Event{Status: restflow.Miss, Route: "/"})
	})
	testutil.Run(t, h, rec, []testutil.Step{{Request: "GET /", Want: restflow.Hit}})
	require.Len(t, rec.Events(), 2)
}
