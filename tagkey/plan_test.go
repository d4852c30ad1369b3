package tagkey_test

import (
	"net/url"
	"reflect"
	"testing"

	"github.com/restflow-go/restflow/tagkey"
	"github.com/stretchr/testify/require"
)

type UserKey struct {
	_     struct{}   `restflow:"namespace,UserDetail"`
	_     struct{}   `restflow:"version,1"`
	Query url.Values `restflow:"query,*,hash"`
	PK    int64      `restflow:"path,pk,partition"`
	User  string     `restflow:"request,user.id,partition"`
}

type everyFlagKey struct {
	namespace struct{}   `restflow:"namespace,every flag|1"`
	version   struct{}   `restflow:"version,12"`
	_         struct{}   `restflow:"const,v2"`
	_         UserKey    `restflow:"schema"`
	_         []UserKey  `restflow:"schema,list"`
	Query     url.Values `restflow:"query,*,sorted,lower,ignore=utm_*|fbclid"`
	Path      url.Values `restflow:"path,*,partition"`
	Tags      []string   `restflow:"query,tags,sorted,optional"`
	Accept    string     `restflow:"header,accept-language,lower,hash"`
	Theme     *string    `restflow:"cookie,theme"`
	Method    string     `restflow:"request,method"`
	Debug     bool       `restflow:"-"`
	private   int
}

func TestString(t *testing.T) {
	require.Equal(t, `UserDetail v1 {pk=path:pk partition, user.id=request:user.id partition, query=query:* hash}`,
		tagkey.MustCompile[UserKey]().String())
	require.Equal(t, `every flag|1 v12 {path=path:* partition, v2=const:v2, tagkey_test.UserKey=schema:tagkey_test.UserKey, `+
		`list=schema:list, query=query:* sorted lower ignore=utm_*|fbclid, tags=query:tags optional sorted, `+
		`Accept-Language=header:Accept-Language hash lower, theme=cookie:theme, method=request:method}`,
		tagkey.MustCompile[everyFlagKey]().String())
	_, _, _ = everyFlagKey{}.private, everyFlagKey{}.namespace, everyFlagKey{}.version
}

func TestFieldsAreInKeyOrderAndCopied(t *testing.T) {
	p := tagkey.MustCompile[UserKey]()
	fields := p.Fields()
	require.Equal(t, []tagkey.Field{
		{Name: "pk", Source: "path", SourceName: "pk", GoName: "PK", Index: []int{3}, Type: reflect.TypeFor[int64](), Partition: true},
		{Name: "user.id", Source: "request", SourceName: "user.id", GoName: "User", Index: []int{4}, Type: reflect.TypeFor[string](), Partition: true},
		{Name: "query", Source: "query", SourceName: "*", GoName: "Query", Index: []int{2}, Type: reflect.TypeFor[url.Values](), Hash: true},
	}, fields)
	require.Equal(t, fields[:2], p.Partitions())
	fields[0].Name, fields[0].Index[0] = "changed", 99
	require.Equal(t, "pk", p.Fields()[0].Name)
	require.Equal(t, []int{3}, p.Fields()[0].Index)
}

func TestAccessors(t *testing.T) {
	p := tagkey.MustCompile[UserKey]()
	require.Equal(t, reflect.TypeFor[UserKey](), p.Type())
	require.Equal(t, "UserDetail", p.Namespace())
	require.Equal(t, 1, p.Version())
	require.Equal(t, "rf1|UserDetail|v1|", p.Prefix())
	require.False(t, p.NeedsArgs())
	require.True(t, p.NeedsRequest())
	require.Equal(t, "rf1|every%20flag%7C1|v12|", tagkey.MustCompile[everyFlagKey]().Prefix())
}

func TestDefaultNamespaceHasThePackagePath(t *testing.T) {
	require.Equal(t, "github.com/restflow-go/restflow/tagkey_test.Pointed", tagkey.MustCompile[Pointed]().Namespace())
}

func TestCompilesOnce(t *testing.T) {
	first := tagkey.MustCompile[UserKey]()
	require.Same(t, first, tagkey.MustCompile[UserKey]())
	p, err := tagkey.CompileArgs(reflect.TypeFor[UserKey]())
	require.NoError(t, err)
	require.NotSame(t, tagkey.MustCompile[UserKey](), p)
}

func TestWithNamespace(t *testing.T) {
	p := tagkey.MustCompile[UserKey]()
	q := p.WithNamespace("a|v1|b")
	v := UserKey{PK: 42, User: "7"}
	require.Equal(t, "UserDetail", p.Namespace())
	require.Equal(t, "a|v1|b", q.Namespace())
	require.Equal(t, "rf1|UserDetail|v1|path:pk=2:42|request:user.id=1:7|query:*={0;}|", valueKey(t, p, v))
	require.Equal(t, "rf1|a%7Cv1%7Cb|v1|path:pk=2:42|request:user.id=1:7|query:*={0;}|", valueKey(t, q, v))
}

func TestBuiltIn(t *testing.T) {
	for _, f := range tagkey.MustCompile[everyFlagKey]().Fields() {
		require.Equal(t, f.GoName == "Method", f.BuiltIn(), f.GoName)
	}
	require.False(t, tagkey.Field{Source: "query", SourceName: "method"}.BuiltIn())
}

func TestCovers(t *testing.T) {
	p := tagkey.MustCompile[everyFlagKey]()
	for _, tt := range []struct {
		source, name string
		want         bool
	}{
		{"path", "anything", true},
		{"query", "page", true},
		{"query", "utm_source", false},
		{"query", "fbclid", false},
		{"query", "fbclid2", true},
		{"header", "accept-language", true},
		{"header", "Accept", false},
		{"cookie", "theme", true},
		{"cookie", "Theme", false},
		{"request", "method", true},
		{"request", "user", false},
	} {
		require.Equal(t, tt.want, p.Covers(tt.source, tt.name), "%s %s", tt.source, tt.name)
	}
}

type ambiguousKey struct {
	_      struct{} `restflow:"namespace,Ambiguous"`
	PathID int      `restflow:"path,id,partition"`
	ID     int      `restflow:"query,id,partition"`
	Tenant string   `restflow:"header,X-Tenant,partition"`
	Sort   string   `restflow:"query,sort"`
}

func TestResolvePartitions(t *testing.T) {
	p := tagkey.MustCompile[ambiguousKey]()
	for _, tt := range []struct {
		names []string
		want  []int
	}{
		{nil, []int{}},
		{[]string{"path:id"}, []int{0}},
		{[]string{"X-Tenant", "query:id"}, []int{2, 1}},
		{[]string{"x-tenant"}, []int{2}},
		{[]string{"header:x-tenant", "path:id", "query:id"}, []int{2, 0, 1}},
	} {
		got, err := p.ResolvePartitions(tt.names...)
		require.NoError(t, err)
		require.Equal(t, tt.want, got)
	}
	for _, tt := range []struct {
		names []string
		want  string
	}{
		{[]string{"id"}, `tagkey: ambiguousKey: partition "id" is ambiguous; write "path:id" or "query:id"`},
		{[]string{"path:id", "path:id"}, `tagkey: ambiguousKey: partition "path:id" is given twice; give each field once`},
		{[]string{"X-Tenant", "x-tenant"}, `tagkey: ambiguousKey: partition "x-tenant" is given twice; give each field once`},
		{[]string{"sort"}, `tagkey: ambiguousKey: partition "sort" is no partition field; flag it partition; the partition fields are path:id, query:id, X-Tenant`},
		{[]string{"tenant"}, `tagkey: ambiguousKey: partition "tenant" is unknown; did you mean "X-Tenant"? the partition fields are path:id, query:id, X-Tenant`},
		{[]string{""}, `tagkey: ambiguousKey: partition "" is unknown; the partition fields are path:id, query:id, X-Tenant`},
	} {
		got, err := p.ResolvePartitions(tt.names...)
		require.EqualError(t, err, tt.want)
		require.Nil(t, got)
	}
	_, err := tagkey.MustCompile[Pointed]().ResolvePartitions("a")
	require.EqualError(t, err, `tagkey: Pointed: partition "a" is no partition field; flag it partition; there are no partition fields`)
}
