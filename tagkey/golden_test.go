package tagkey_test

import (
	"flag"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/restflow-go/restflow/tagkey"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite testdata/golden.txt; a change of key format flushes every cache")

type goldenKey struct {
	_      struct{}    `restflow:"namespace,Golden/β"`
	_      struct{}    `restflow:"version,2"`
	_      struct{}    `restflow:"const,a=b"`
	ID     int64       `restflow:"path,id,partition"`
	User   *string     `restflow:"request,user.id,partition,optional"`
	Team   string      `restflow:"query,team,partition,optional"`
	Tags   []string    `restflow:"query,tag[],sorted"`
	Price  *float64    `restflow:"query,price"`
	Since  *time.Time  `restflow:"query,since"`
	From   *netip.Addr `restflow:"header,X-Real-Ip"`
	Debug  *bool       `restflow:"cookie,debug"`
	Lang   string      `restflow:"header,Accept-Language,lower,hash"`
	Query  url.Values  `restflow:"query,*,ignore=utm_*"`
	Path   url.Values  `restflow:"path,*,hash"`
	Method string      `restflow:"request,method"`
}

// The keys of testdata/golden.txt are those of every release with this format.
func TestGoldenKeys(t *testing.T) {
	p := tagkey.MustCompile[goldenKey]()
	id := withPath("id", "42")
	requests := []*tagkey.Request{
		get("", id),
		get("tag[]=b&tag[]=a&price=-1.50&since=2024-02-03T04:05:06.7%2B01:00&utm_source=x", id),
		get("team=red&q=%00%ff%C3%A9|&q=", withPath("id", "-7"), withValue("user", map[string]any{"id": "ann|bob"})),
		get("team=", id, withHeader("X-Real-Ip", "2001:DB8::1"), withHeader("Cookie", "debug=T"), withHeader("Accept-Language", "DE-at")),
		get(strings.Repeat("long=xxxxxxxxxxxxxxxx&", 8), id, withPath("slug", "a/b")),
	}
	var lines []string
	var k tagkey.Key
	for _, r := range requests {
		require.NoError(t, p.BuildRequest(&k, r))
		k.AppendString("/items/:id")
		lines = append(lines, k.String())
	}
	got := strings.Join(lines, "\n") + "\n"
	if *update {
		require.NoError(t, os.WriteFile("testdata/golden.txt", []byte(got), 0o644))
	}
	want, err := os.ReadFile("testdata/golden.txt")
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}
