package httpcache

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func lim(d time.Duration) limit { return limit{d, true} }

func TestParseCacheControl(t *testing.T) {
	for _, c := range []struct {
		lines []string
		want  directives
	}{
		{nil, directives{}},
		{[]string{"", " , ,"}, directives{}},
		{[]string{"no-store"}, directives{noStore: true}},
		{[]string{"NO-Store"}, directives{noStore: true}},
		{[]string{" no-store = 1 "}, directives{noStore: true}},
		{[]string{"no-storey"}, directives{}},
		{[]string{"public", "no-cache"}, directives{noCache: true}},
		{[]string{`no-cache="set-cookie, x"`}, directives{noCache: true}},
		{[]string{"private, max-age=5"}, directives{private: true, maxAge: lim(5 * time.Second)}},
		{[]string{`private="x, no-store"`}, directives{private: true}},
		{[]string{`ext="no-store`}, directives{garbled: true}},
		{[]string{`ext="a\", no-store"`}, directives{}},
		{[]string{"no-store; max-age=5"}, directives{garbled: true}},
		{[]string{"private max-age=5"}, directives{garbled: true}},
		{[]string{"private: x, no-cache"}, directives{noCache: true, garbled: true}},
		{[]string{"public; private", "no-store"}, directives{noStore: true, garbled: true}},
		{[]string{"max-age=5; private"}, directives{maxAge: lim(0), garbled: true}},
		{[]string{"ext=a; private"}, directives{garbled: true}},
		{[]string{`ext="a"; private`}, directives{garbled: true}},
		{[]string{`ext="a" "b"`, `"no-store"`}, directives{garbled: true}},
		{[]string{"no-caché"}, directives{garbled: true}},
		{[]string{"ext=, ext='a b', "}, directives{garbled: true}},
		{[]string{"ext=, ext='a', !#$%&*+-.^_`|~09AZ"}, directives{}},
		{[]string{"max-age=5", "max-age=3", "max-age=9"}, directives{maxAge: lim(3 * time.Second)}},
		{[]string{`max-age="5"`}, directives{maxAge: lim(5 * time.Second)}},
		{[]string{"max-age"}, directives{maxAge: lim(0)}},
		{[]string{"max-age=-1"}, directives{maxAge: lim(0)}},
		{[]string{"max-age=1.5"}, directives{maxAge: lim(0)}},
		{[]string{"max-age=99999999999999999999"}, directives{maxAge: lim(1 << 31 * time.Second)}},
		{[]string{"max-age=9999999999"}, directives{maxAge: lim(1 << 31 * time.Second)}},
		{[]string{"s-maxage=7, must-revalidate"}, directives{sMaxAge: lim(7 * time.Second), mustRevalidate: true}},
		{[]string{"proxy-revalidate, must-understand"}, directives{mustRevalidate: true, mustUnderstand: true}},
		{[]string{"only-if-cached, min-fresh=3"}, directives{onlyIfCached: true, minFresh: lim(3 * time.Second)}},
		{[]string{"stale-while-revalidate=1, stale-if-error=2"}, directives{staleWhileRevalidate: lim(time.Second), staleIfError: lim(2 * time.Second)}},
	} {
		require.Equal(t, c.want, parseCacheControl(c.lines), "%q", c.lines)
	}
}

func FuzzParseCacheControl(f *testing.F) {
	f.Add(`no-store, max-age="1\"", private="a,b"`)
	f.Add(`"`)
	f.Fuzz(func(t *testing.T, line string) {
		one := parseCacheControl([]string{line})
		// A further line only makes it stricter.
		two := parseCacheControl([]string{line, "no-store, max-age=0"})
		if !one.garbled {
			require.True(t, two.noStore)
			require.Zero(t, two.maxAge.Duration)
		}
		require.Equal(t, one.private, two.private)
		require.GreaterOrEqual(t, one.maxAge.Duration, time.Duration(0))
	})
}
