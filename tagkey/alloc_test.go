package tagkey_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/restflow-go/restflow/tagkey"
	"github.com/stretchr/testify/require"
)

type hotKey struct {
	ID     int64      `restflow:"path,id,partition"`
	Slug   string     `restflow:"path,slug"`
	Page   int        `restflow:"query,page"`
	Price  float64    `restflow:"query,price"`
	Debug  bool       `restflow:"query,debug"`
	Since  time.Time  `restflow:"query,since"`
	Tags   []string   `restflow:"query,tag,sorted,hash"`
	Lang   string     `restflow:"header,Accept-Language,lower"`
	Host   string     `restflow:"request,host"`
	Method string     `restflow:"request,method"`
	All    url.Values `restflow:"query,*,hash,sorted,lower,ignore=utm_*"`
}

// A reused Key makes a build free of allocations once it has grown.
func TestBuildsDoNotAllocate(t *testing.T) {
	p := tagkey.MustCompile[hotKey]()
	r := get("page=3&price=1.5&debug=1&tag=b&tag=a&utm_source=x&q=%20+A&since=2024-01-01T00:00:00.5Z",
		withPath("id", "42", "slug", "a"), withHeader("Accept-Language", "DE"))
	v := &hotKey{ID: 42, Slug: "a", Tags: []string{"b", "a"}, All: url.Values{"q": {"A", "b"}, "p": {""}}}
	var k tagkey.Key
	dst := make([]byte, 0, 1024)
	for name, build := range map[string]func() error{
		"BuildRequest": func() error { return p.BuildRequest(&k, r) },
		"BuildValue":   func() error { return p.BuildValue(&k, v) },
		"Append": func() error {
			k.AppendString("GET")
			return nil
		},
		"AppendPartition": func() (err error) {
			dst, err = p.AppendPartition(dst[:0], 0, v)
			return err
		},
	} {
		require.NoError(t, build())
		allocs := testing.AllocsPerRun(200, func() { _ = build() })
		if raceEnabled && name == "AppendPartition" {
			continue // the race detector makes sync.Pool forget at random
		}
		require.Zero(t, allocs, name)
	}
}

// The request does not escape, so callers need not keep one.
func TestRequestStaysOnTheStack(t *testing.T) {
	type key struct {
		ID   int64    `restflow:"path,id,partition"`
		Page []string `restflow:"query,page"`
	}
	p := tagkey.MustCompile[key]()
	base := get("page=3", withPath("id", "42"))
	var k tagkey.Key
	allocs := testing.AllocsPerRun(200, func() {
		r := tagkey.Request{HTTP: base.HTTP, ParamNames: base.ParamNames, ParamValues: base.ParamValues, Values: base.Values}
		_ = p.BuildRequest(&k, &r)
	})
	require.Zero(t, allocs)
}
