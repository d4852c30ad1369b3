package tagkey_test

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/restflow-go/restflow/tagkey"
	"github.com/stretchr/testify/require"
)

// checkRefused builds a key of a request and expects a ValueError of one field.
func checkRefused[K any](t *testing.T, r *tagkey.Request, kind error, want string) {
	t.Helper()
	p := tagkey.MustCompile[K]()
	var k tagkey.Key
	err := p.BuildRequest(&k, r)
	require.EqualError(t, err, want)
	require.ErrorIs(t, err, kind)
	var ve *tagkey.ValueError
	require.ErrorAs(t, err, &ve)
	require.Empty(t, k.Bytes())
	require.False(t, k.Present(0))
	dst, err := p.AppendKey([]byte("x"), r)
	require.EqualError(t, err, want)
	require.Equal(t, "x", string(dst))
}

func TestRequestsWithoutAKey(t *testing.T) {
	type key struct {
		Page  int        `restflow:"query,page"`
		Small int8       `restflow:"query,small"`
		U     uint       `restflow:"query,u"`
		F     float32    `restflow:"query,f"`
		B     bool       `restflow:"query,b"`
		At    time.Time  `restflow:"query,at"`
		Addr  netip.Addr `restflow:"query,addr"`
		Ints  []int      `restflow:"query,ints"`
		One   string     `restflow:"header,X-One"`
		Theme string     `restflow:"cookie,theme"`
		ID    string     `restflow:"path,id"`
	}
	for _, tt := range []struct {
		r    *tagkey.Request
		kind error
		want string
	}{
		{get("page=x"), tagkey.ErrSyntax, "tagkey: Page (query:page): not a number that fits into int"},
		{get("page="), tagkey.ErrSyntax, "tagkey: Page (query:page): not a number that fits into int"},
		{get("page=1.0"), tagkey.ErrSyntax, "tagkey: Page (query:page): not a number that fits into int"},
		{get("page=%D9%A1"), tagkey.ErrSyntax, "tagkey: Page (query:page): not a number that fits into int"},
		{get("small=128"), tagkey.ErrSyntax, "tagkey: Small (query:small): not a number that fits into int8"},
		{get("u=-1"), tagkey.ErrSyntax, "tagkey: U (query:u): not a number that fits into uint"},
		{get("f=1e39"), tagkey.ErrSyntax, "tagkey: F (query:f): not a number that fits into float32"},
		{get("b=yes"), tagkey.ErrSyntax, "tagkey: B (query:b): not a bool"},
		{get("at=2024-01-01"), tagkey.ErrSyntax, "tagkey: At (query:at): not a time as RFC 3339 writes it"},
		{get("addr=hunter2"), tagkey.ErrSyntax, "tagkey: Addr (query:addr): not a valid netip.Addr"},
		{get("ints=1&ints=x"), tagkey.ErrSyntax, "tagkey: Ints (query:ints): not a number that fits into int"},
		{get("page=1&page=1"), tagkey.ErrRepeated, "tagkey: Page (query:page): has 2 values; use a slice to key on all of them"},
		{get("", withHeader("X-One", "a", "b", "c")), tagkey.ErrRepeated, "tagkey: One (header:X-One): has 3 values; use a slice to key on all of them"},
		{get("", withHeader("Cookie", "theme=a; theme=b")), tagkey.ErrRepeated, "tagkey: Theme (cookie:theme): has 2 values; use a slice to key on all of them"},
		{get("", withPath("id", "1", "id", "2")), tagkey.ErrRepeated, "tagkey: ID (path:id): the route names the parameter 2 times"},
		{get("x=%zz"), tagkey.ErrSyntax, "tagkey: Page (query:page): the query string has a malformed escape"},
		{get("x=%"), tagkey.ErrSyntax, "tagkey: Page (query:page): the query string has a malformed escape"},
		{get("%4=x"), tagkey.ErrSyntax, "tagkey: Page (query:page): the query string has a malformed escape"},
		{get("x=1;y=2"), tagkey.ErrSyntax, "tagkey: Page (query:page): the query string has a semicolon"},
		{nil, tagkey.ErrAbsent, "tagkey: the request is nil"},
		{&tagkey.Request{}, tagkey.ErrAbsent, "tagkey: the request is nil"},
	} {
		checkRefused[key](t, tt.r, tt.kind, tt.want)
	}
}

func TestValueErrorHasItsParts(t *testing.T) {
	type key struct {
		Embedded struct{} `restflow:"const,x"`
		Pointed
	}
	err := tagkey.MustCompile[key]().BuildRequest(new(tagkey.Key), get("a=x"))
	var ve *tagkey.ValueError
	require.ErrorAs(t, err, &ve)
	require.Equal(t, "Pointed.A", ve.Field)
	require.Equal(t, "query", ve.Source)
	require.Equal(t, "a", ve.Name)
	require.EqualError(t, ve.Err, "not a number that fits into int")
}

func TestHostileQueryStringsAreBoundedWork(t *testing.T) {
	type key struct {
		Query url.Values `restflow:"query,*,hash"`
	}
	parameters := func(n int) string { return strings.Repeat("a=1&", n) }
	p := tagkey.MustCompile[key]()
	_, err := p.AppendKey(nil, get(parameters(tagkey.MaxQueryParams)))
	require.NoError(t, err)
	_, err = p.AppendKey(nil, get(strings.Repeat("a", tagkey.MaxQueryBytes)))
	require.NoError(t, err)
	_, err = p.AppendKey(nil, get(strings.Repeat("&", tagkey.MaxQueryBytes)))
	require.NoError(t, err)

	checkRefused[key](t, get(parameters(1001)), tagkey.ErrTooLarge, "tagkey: Query (query:*): the query string has more than 1000 parameters")
	checkRefused[key](t, get(parameters(10_000)), tagkey.ErrTooLarge, "tagkey: Query (query:*): the query string has more than 1000 parameters")
	checkRefused[key](t, get(strings.Repeat("a", 1<<16+1)), tagkey.ErrTooLarge, "tagkey: Query (query:*): the query string has 65537 bytes, and 65536 are allowed")
}

func TestQueryStringsMatterOnlyToPlansWithQueryFields(t *testing.T) {
	type key struct {
		_  struct{} `restflow:"namespace,p"`
		ID string   `restflow:"path,id"`
	}
	require.Equal(t, "rf1|p|v1|path:id=1:1|", requestKey(t, tagkey.MustCompile[key](), get("%zz;", withPath("id", "1"))))
}

func TestValuesWithoutAKey(t *testing.T) {
	type key struct {
		User  *string `restflow:"request,user.id,partition"`
		Level Level   `restflow:"query,level,partition"`
	}
	p := tagkey.MustCompile[key]()
	for _, tt := range []struct {
		v    any
		kind error
		want string
	}{
		{nil, tagkey.ErrType, "tagkey: got nil, want tagkey_test.key or *tagkey_test.key"},
		{(*key)(nil), tagkey.ErrType, "tagkey: got a nil *tagkey_test.key"},
		{42, tagkey.ErrType, "tagkey: got int, want tagkey_test.key or *tagkey_test.key"},
		{&UserKey{}, tagkey.ErrType, "tagkey: got *tagkey_test.UserKey, want tagkey_test.key or *tagkey_test.key"},
		{key{}, tagkey.ErrAbsent, "tagkey: User (request:user.id): the value is nil; set it, or flag the field optional"},
		{key{User: new(""), Level: -1}, tagkey.ErrMethod, "tagkey: Level (query:level): tagkey_test.Level does not marshal"},
	} {
		dst, err := p.AppendValueKey([]byte("x"), tt.v)
		require.EqualError(t, err, tt.want)
		require.ErrorIs(t, err, tt.kind)
		require.Equal(t, "x", string(dst))
	}
	dst, err := p.AppendPartition([]byte("x"), 2, key{})
	require.EqualError(t, err, "tagkey: "+p.Namespace()+" has no partition 2")
	require.Equal(t, "x", string(dst))
	dst, err = p.AppendPartition([]byte("x"), 0, key{Level: -1})
	require.EqualError(t, err, "tagkey: User (request:user.id): the value is nil; set it, or flag the field optional")
	require.Equal(t, "x", string(dst))
	_, err = p.AppendPartition(nil, 0, 42)
	require.EqualError(t, err, "tagkey: got int, want tagkey_test.key or *tagkey_test.key")
	_, err = p.AppendPartition(nil, 1, key{})
	require.NoError(t, err, "the other fields are not looked at")
}

// explosive panics where a value of it is read or written.
type explosive string

func (explosive) MarshalText() ([]byte, error)  { panic("hunter2") }
func (*explosive) UnmarshalText(b []byte) error { panic(errors.New(string(b))) }

func TestForeignPanicsAreErrors(t *testing.T) {
	type key struct {
		E explosive `restflow:"query,e,optional,partition"`
	}
	p := tagkey.MustCompile[key]()
	_, err := p.AppendValueKey(nil, key{E: "x"})
	require.EqualError(t, err, "tagkey: E (query:e): a method panicked")
	require.ErrorIs(t, err, tagkey.ErrMethod)
	checkRefused[key](t, get("e=hunter2"), tagkey.ErrMethod, "tagkey: E (query:e): not a valid tagkey_test.explosive")
}
