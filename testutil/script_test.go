package testutil_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/testutil"
)

// names answers GET /who with the name of who asks, and remembers answers until
// it is told to forget: a cache of the simplest kind.
type names struct {
	rec   *testutil.Recorder
	known map[string]bool
}

func (n *names) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	who := r.Header.Get("X-User")
	ev := restflow.Event{Status: restflow.Miss, Route: "/who", Key: who, Stored: true}
	if n.known[who] {
		ev.Status = restflow.Hit
	}
	n.known[who] = true
	n.rec.OnEvent(r.Context(), ev)
	w.Header().Set("Content-Language", r.Header.Get("Accept-Language"))
	fmt.Fprintf(w, "you are\n%s", who)
}

func (n *names) script() *testutil.Script {
	return &testutil.Script{
		Handler: n, Recorder: n.rec,
		As: map[string]testutil.Identity{
			"alice": testutil.AsHeader("X-User", "alice"),
			"bob":   testutil.AsHeader("X-User", "bob"),
		},
		Do: map[string]func(t testing.TB, args ...string){
			"forget": func(_ testing.TB, args ...string) {
				for _, who := range args {
					delete(n.known, who)
				}
			},
		},
	}
}

func newNames() *names {
	return &names{rec: testutil.NewRecorder(), known: map[string]bool{}}
}

func TestScript(t *testing.T) {
	n := newNames()
	n.script().Run(t, `
		# everybody has a name of their own
		> GET /who as alice
		< 200 MISS
		| you are
		| alice
		> GET /who as bob
		> Accept-Language: de
		< 200 MISS
		< Content-Language: de
		< X-None:
		| you are
		| bob
		> GET /who as alice
		< 200 HIT

		! forget alice carol
		> GET /who as alice
		< 200 MISS
		> GET /who as bob
		< 200 HIT
	`)
	require.Len(t, n.rec.Events(), 5)
}

func TestScriptFailureNamesTheLine(t *testing.T) {
	n := newNames()
	require.Equal(t, []string{
		"line 3: GET /who\n\tcache: got MISS, want HIT\n\tbody: got \"you are\\nalice\", want \"you are\\n  bob\"\n\tkey: alice\n\tstored",
	}, failures(t, func(t testing.TB) {
		n.script().Run(t, `
			# a comment
			> GET /who as alice
			< 200 HIT
			| you are
			|   bob
		`)
	}))
}

func TestScriptFaults(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"x GET /", `line 1: "x GET /" has none of the signs # > < | ! before it`},
		{"> GET", `line 1: "GET" is no request; want "METHOD target" or "METHOD target as NAME"`},
		{"> GET /who for alice", `line 1: "GET /who for alice" is no request; want "METHOD target" or "METHOD target as NAME"`},
		{"> GET /who as carol", `line 1: Script.As has no "carol"`},
		{"\n> X-A: 1", `line 2: header line "X-A: 1" follows no request`},
		{"> GET /\n< 200\n> X-A: 1", `line 3: header line "X-A: 1" follows no request`},
		{"< 200", `line 1: answer "200" follows no request`},
		{"> GET /\n< X-A: 1", `line 2: header line "X-A: 1" comes before the status`},
		{"> GET /\n< 200 MISS\n< 200 HIT", `line 3: answer "200 HIT" is the second one of its request`},
		{"> GET /\n< 99", `line 2: "99" is no answer; want an HTTP status and HIT, MISS, STALE, BYPASS, REFRESH or nothing`},
		{"> GET /\n< 200 hit", `line 2: "200 hit" is no answer; want an HTTP status and HIT, MISS, STALE, BYPASS, REFRESH or nothing`},
		{"> GET /\n< HIT 200", `line 2: "HIT 200" is no answer; want an HTTP status and HIT, MISS, STALE, BYPASS, REFRESH or nothing`},
		{"> GET /\n<", `line 2: "" is no answer; want an HTTP status and HIT, MISS, STALE, BYPASS, REFRESH or nothing`},
		{"> GET /\n| x", `line 2: body line "x" follows no answer`},
		{"| x", `line 1: body line "x" follows no answer`},
		{"!", `line 1: "!" names no function`},
		{"! rename", `line 1: Script.Do has no "rename"`},
		{"> GET /a\n> GET /b", `line 2: request "GET /a" has no answer`},
		{"> GET /a\n! forget", `line 2: request "GET /a" has no answer`},
		{"> GET /a\n> X-A: 1", `request "GET /a" has no answer`},
	} {
		n := newNames()
		got := failures(t, func(t testing.TB) { n.script().Run(t, c.text) })
		require.Equal(t, c.want, strings.Join(got, "\n"), c.text)
		require.Empty(t, n.rec.Events(), "nothing is sent: %s", c.text)
	}
}
