package tagkey_test

import (
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/restflow-go/restflow/tagkey"
	"github.com/stretchr/testify/require"
)

func argsPlan[K any](t *testing.T) *tagkey.Plan {
	t.Helper()
	p, err := tagkey.CompileArgs(reflect.TypeFor[K]())
	require.NoError(t, err)
	return p
}

type Paging struct {
	Limit int
	After *string
}

type reportArgs struct {
	_      struct{} `restflow:"namespace,Report"`
	Team   int64    `restflow:"arg,team,partition"`
	Hidden string   `restflow:"-"`
	Since  time.Time
	Paging
	Tags   []string `restflow:"arg,,sorted,lower"`
	Header string   `restflow:"header,X-A"`
}

func TestUntaggedFieldsAreArgs(t *testing.T) {
	p := argsPlan[reportArgs](t)
	require.Equal(t, "Report v1 {team=arg:team partition, Since=arg:Since, Limit=arg:Limit, After=arg:After, "+
		"Tags=arg:Tags sorted lower, X-A=header:X-A}", p.String())
	require.True(t, p.NeedsArgs())
	require.True(t, p.NeedsRequest())
	require.Equal(t, "Paging.Limit", p.Fields()[2].GoName)
	require.Equal(t, "rf1|Report|v1|arg:team=1:7|arg:Since=20:1970-01-01T00:00:00Z|arg:Limit=2:20|arg:After=-|arg:Tags=[2;1:a1:b]|header:X-A=0:|",
		valueKey(t, p, reportArgs{Team: 7, Hidden: "x", Since: time.Unix(0, 0), Paging: Paging{Limit: 20}, Tags: []string{"B", "a"}}))

	_, err := p.AppendKey(nil, get(""))
	require.ErrorIs(t, err, tagkey.ErrArgument)
	require.EqualError(t, err, "tagkey: Team (arg:team): an arg field has no value in a request")

	type requestless struct{ A int }
	require.False(t, argsPlan[requestless](t).NeedsRequest())
}

func TestArgTypesThatAreNoStructs(t *testing.T) {
	for _, tt := range []struct {
		p    *tagkey.Plan
		v    any
		want string
	}{
		{argsPlan[struct{}](t), struct{}{}, "rf1|struct%20%7B%7D|v1|"},
		{argsPlan[int64](t), int64(42), "rf1|int64|v1|arg:arg=2:42|"},
		{argsPlan[int64](t), new(int64(42)), "rf1|int64|v1|arg:arg=2:42|"},
		{argsPlan[string](t), "a|b", "rf1|string|v1|arg:arg=3:a|b|"},
		{argsPlan[time.Time](t), time.Unix(0, 5), "rf1|time.Time|v1|arg:arg=30:1970-01-01T00:00:00.000000005Z|"},
		{argsPlan[netip.Addr](t), netip.IPv6Loopback(), "rf1|net/netip.Addr|v1|arg:arg=3:::1|"},
		{argsPlan[[]byte](t), []byte{0, 'x'}, "rf1|[]uint8|v1|arg:arg=2:\x00x|"},
		{argsPlan[[]int](t), []int{1, 2}, "rf1|[]int|v1|arg:arg=[2;1:11:2]|"},
	} {
		require.Equal(t, tt.want, valueKey(t, tt.p, tt.v))
	}
	p := argsPlan[int64](t)
	require.Equal(t, "int64 v1 {arg=arg:arg}", p.String())
	require.Equal(t, []tagkey.Field{{Name: "arg", Source: "arg", SourceName: "arg", Type: reflect.TypeFor[int64]()}}, p.Fields())
	require.Equal(t, "rf1|double|v1|arg:arg=1:2|", valueKey(t, p.WithNamespace("double"), int64(2)))
	require.True(t, argsPlan[time.Time](t).NeedsArgs())
}

func TestArgTypesRefused(t *testing.T) {
	type key struct{ C chan int }
	for _, tt := range []struct {
		typ  reflect.Type
		want string
	}{
		{nil, "tagkey: nil: there is no type to compile; give a struct"},
		{reflect.TypeFor[*int64](), "tagkey: *int64: is a pointer; use int64"},
		{reflect.TypeFor[*UserKey](), "tagkey: *tagkey_test.UserKey: is a pointer; use UserKey"},
		{reflect.TypeFor[any](), "tagkey: interface {}: type interface {} is not supported; use a scalar, a slice, an array, a map with string keys or a struct of these, or implement encoding.TextMarshaler"},
		{reflect.TypeFor[key](), `tagkey: key.C: tag "arg": type chan int is not supported; use a scalar, a slice, an array, a map with string keys or a struct of these, or implement encoding.TextMarshaler`},
	} {
		_, err := tagkey.CompileArgs(tt.typ)
		require.EqualError(t, err, tt.want)
	}
}

type nested struct {
	Names   map[string][]string
	Values  url.Values
	Grid    [2][]int
	Inner   *struct{ A, B string }
	Pointer **int
	Slice   *[]int
	Bytes   []byte
	Hash    [3]byte
	IPs     []net.IP
	Left    func() `restflow:"-"`
	_       func()
}

func TestNestedArgs(t *testing.T) {
	type key struct {
		_ struct{} `restflow:"namespace,n"`
		N nested
	}
	p := argsPlan[key](t)
	n := 5
	pn := &n
	require.Equal(t, "rf1|n|v1|arg:N={9;5:Names{2;1:a[2;1:x2:ab]1:b-}6:Values-4:Grid[2;[1;1:1]-]5:Inner{2;1:A0:1:B1:b}"+
		"7:Pointer[1;1:5]5:Slice[1;[0;]]5:Bytes1:x4:Hash3:\x00\x00\x003:IPs[2;-7:1.2.3.4]}|",
		valueKey(t, p, &key{N: nested{
			Names: map[string][]string{"b": nil, "a": {"x", "ab"}}, Grid: [2][]int{{1}}, Inner: &struct{ A, B string }{B: "b"},
			Pointer: &pn, Slice: &[]int{}, Bytes: []byte("x"), IPs: []net.IP{nil, net.IPv4(1, 2, 3, 4)},
		}}))
	for _, tt := range []struct {
		name string
		a, b nested
		same bool
	}{
		{"nil and empty map", nested{}, nested{Names: map[string][]string{}}, false},
		{"nil and empty list in a map", nested{Names: map[string][]string{"a": nil}}, nested{Names: map[string][]string{"a": {}}}, false},
		{"absent and nil value", nested{Names: map[string][]string{"a": nil}}, nested{Names: map[string][]string{}}, false},
		{"nil and empty bytes", nested{}, nested{Bytes: []byte{}}, false},
		{"nil pointer and pointer to nil", nested{}, nested{Pointer: new(*int)}, false},
		{"pointer to nil and to empty", nested{Slice: new([]int)}, nested{Slice: &[]int{}}, false},
		{"nil slice pointer", nested{}, nested{Slice: new([]int)}, false},
		{"swapped fields", nested{Inner: &struct{ A, B string }{A: "x"}}, nested{Inner: &struct{ A, B string }{B: "x"}}, false},
		{"left out", nested{}, nested{Left: func() {}}, true},
		{"same", nested{Hash: [3]byte{1}}, nested{Hash: [3]byte{1}}, true},
	} {
		a, b := valueKey(t, p, key{N: tt.a}), valueKey(t, p, key{N: tt.b})
		require.Equal(t, tt.same, a == b, "%s:\n%q\n%q", tt.name, a, b)
	}
}

func TestNestedValuesWithoutAKey(t *testing.T) {
	type key struct {
		List   [1]Level
		Map    map[string]Level
		Levels []Level
	}
	p := argsPlan[key](t)
	for field, v := range map[string]key{
		"List":   {List: [1]Level{-1}},
		"Map":    {Map: map[string]Level{"a": -1}},
		"Levels": {Levels: []Level{1, -1}},
	} {
		_, err := p.AppendValueKey(nil, v)
		require.ErrorIs(t, err, tagkey.ErrMethod)
		require.EqualError(t, err, "tagkey: "+field+" (arg:"+field+"): tagkey_test.Level does not marshal")
	}
	type inner struct{ L Level }
	type outer struct{ Inner *inner }
	_, err := argsPlan[outer](t).AppendValueKey(nil, outer{&inner{-1}})
	require.EqualError(t, err, "tagkey: Inner (arg:Inner): tagkey_test.Level does not marshal")
}
