package httpcache

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
)

func TestOfASetCookieInAnyCaseNothingIsMissed(t *testing.T) {
	res := &response{fields: []restflow.Field{
		{Op: restflow.SetField, Name: "set-cookie", Values: []string{"a"}},
		{Op: restflow.AddField, Name: "Set-Cookie", Values: []string{"b", "c"}},
		{Op: restflow.DelField, Name: "SET-COOKIE"},
		{Op: restflow.SetField, Name: "Set-Cookies", Values: []string{"d"}},
	}}
	require.Equal(t, []string{"a", "b", "c"}, res.values("Set-Cookie"))
	require.Equal(t, []string{"a"}, res.fields[0].Values, "nothing is appended to what was recorded")
	require.Empty(t, res.values("Vary"))
}

func TestConnectionFieldsAreNotStored(t *testing.T) {
	set := func(name string, values ...string) restflow.Field {
		return restflow.Field{Op: restflow.SetField, Name: name, Values: values}
	}
	values := []string{"1"}
	kept := storable(&response{fields: []restflow.Field{
		set("Connection", "close, X-Private", "x-other"), set("connection", "X-Third"), set("Keep-Alive", "timeout=5"),
		set("Transfer-Encoding", "chunked"), set("TE", "trailers"), set("Trailer", "X"), set("Upgrade", "h2c"),
		set("Proxy-Authenticate", "x"), set("Proxy-Authentication-Info", "x"), set("Proxy-Connection", "x"),
		set("X-Private", "1"), set("x-OTHER", "1"), set("X-Third", "1"), set("Age", "7"), set("age", "7"),
		set("X-Kept", values...),
	}})
	require.Equal(t, []restflow.Field{set("X-Kept", "1")}, kept)
	values[0] = "spoilt"
	require.Equal(t, "1", kept[0].Values[0], "values are copied")
}

func TestReplayableStatuses(t *testing.T) {
	for status, want := range map[int]bool{
		0: false, 100: false, 101: false, 103: false, 199: false, 200: true, 204: true, 206: false, 226: true,
		300: true, 301: true, 304: false, 308: true, 404: true, 412: false, 416: false, 451: true, 500: true, 599: true, 600: false, 999: false,
	} {
		require.Equal(t, want, replayable(status), status)
	}
}

func TestDeclaredLength(t *testing.T) {
	for text, want := range map[string]int{"": -1, "0": 0, "12": 12, "-1": -1, "x": -1, "1e3": -1, "99999999999999999999": -1} {
		require.Equal(t, want, declared(http.Header{"Content-Length": {text}}), text)
	}
	require.Equal(t, -1, declared(http.Header{}))
}

func TestIgnoredCookies(t *testing.T) {
	id := identity{ignored: []string{"consent", "_ga*", "*"}}
	require.True(t, id.ignores("anything"), "a star alone ignores all")
	id.ignored = id.ignored[:2]
	for name, want := range map[string]bool{"consent": true, "consent2": false, "Consent": false, "_ga": true, "_gat": true, "_g": false, "x_ga": false, "": false, "_ga*": true} {
		require.Equal(t, want, id.ignores(name), name)
	}
}

func TestMatchesEntityTags(t *testing.T) {
	for _, c := range []struct {
		line, etag string
		want       bool
	}{
		{`"a"`, `"a"`, true},
		{`W/"a"`, `"a"`, true},
		{`"a"`, `W/"a"`, true},
		{`"b", "a"`, `"a"`, true},
		{`"b" , W/"a" `, `"a"`, true},
		{`"a,b"`, `"a,b"`, true},
		{`"a,b"`, `"b"`, false},
		{`*`, `"a"`, true},
		{`*`, ``, true},
		{`a`, `"a"`, false},
		{`"a`, `"a"`, false},
		{`"A"`, `"a"`, false},
		{``, `"a"`, false},
		{``, ``, false},
		{`""`, ``, false},
		{`""`, `""`, true},
		{`w/"a"`, `"a"`, false},
		{`"x" garbage "a"`, `"a"`, false},
	} {
		require.Equal(t, c.want, matches([]string{c.line}, c.etag), "%s of %s", c.line, c.etag)
	}
	require.True(t, matches([]string{`"x"`, `"a"`}, `"a"`))
}
