package tagkey_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/restflow-go/restflow/tagkey"
)

type threeScalars struct {
	ID   int64  `restflow:"path,id,partition"`
	Page int    `restflow:"query,page"`
	Sort string `restflow:"query,sort"`
}

type pathAndQuery struct {
	PK    int64      `restflow:"path,pk,partition"`
	Query url.Values `restflow:"query,*,hash"`
}

func BenchmarkBuildValue(b *testing.B) {
	p := tagkey.MustCompile[threeScalars]()
	v := &threeScalars{ID: 42, Page: 3, Sort: "name"}
	var k tagkey.Key
	b.ReportAllocs()
	for b.Loop() {
		_ = p.BuildValue(&k, v)
	}
}

func BenchmarkBuildRequest(b *testing.B) {
	r := &tagkey.Request{
		HTTP:       httptest.NewRequest(http.MethodGet, "/users/42?page=3&sort=name&limit=20", nil),
		ParamNames: []string{"pk"}, ParamValues: []string{"42"},
	}
	var k tagkey.Key
	b.Run("PathAndHashedQuery", func(b *testing.B) {
		p := tagkey.MustCompile[pathAndQuery]()
		b.ReportAllocs()
		for b.Loop() {
			_ = p.BuildRequest(&k, r)
		}
	})
	b.Run("NamedFields", func(b *testing.B) {
		p := tagkey.MustCompile[threeScalars]()
		b.ReportAllocs()
		for b.Loop() {
			_ = p.BuildRequest(&k, r)
		}
	})
}

func BenchmarkCompileAgain(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_, _ = tagkey.Compile[threeScalars]()
	}
}

func BenchmarkAppendPartition(b *testing.B) {
	p := tagkey.MustCompile[threeScalars]()
	v := &threeScalars{ID: 42}
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst, _ = p.AppendPartition(dst[:0], 0, v)
	}
}

func BenchmarkRequestPath(b *testing.B) {
	type user struct{ ID int64 }
	type key struct {
		User string `restflow:"request,user.id,partition"`
	}
	p := tagkey.MustCompile[key]()
	r := get("", withValue("user", &user{7}))
	var k tagkey.Key
	b.ReportAllocs()
	for b.Loop() {
		_ = p.BuildRequest(&k, r)
	}
}
