package tagkey_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/restflow-go/restflow/tagkey"
	"github.com/stretchr/testify/require"
)

type Account struct {
	ID     int64
	Email  string
	secret string
	Team   *Team
	*Audit
	Profile  any
	IP       net.IP
	SSO, Sso string
	At       time.Time
	Roles    []string
	Grants   []any
	Loop     Loop
}

type Team struct{ Name string }

type Audit struct{ CreatedBy string }

type Loop *Loop

func (a Account) Display() string           { return "<" + a.Email + ">" }
func (a *Account) Token() (string, error)   { return a.Email + "-token", nil }
func (a *Account) Broken() (string, error)  { return "hunter2", errors.New("hunter2") }
func (a *Account) Panics() string           { panic("hunter2") }
func (a *Account) Greet(name string) string { return name }
func (a *Account) Pair() (string, string)   { return "a", "b" }
func (a *Account) Nobody() (*Team, error)   { return nil, nil }
func (a *Account) Shadow() string           { return "exact" }
func (a *Account) SHADOW() string           { return "other" }

// Claims is a map with a method, as the claims of a token are.
type Claims map[string]any

func (c Claims) GetSubject() (string, error) {
	s, ok := c["sub"].(string)
	if !ok {
		return "", errors.New("no subject")
	}
	return s, nil
}

// found compiles a request field of type T for a path and builds a key.
func found[T any](path string, values tagkey.Values) (string, error) {
	p, err := tagkey.CompileType(field[T]("request," + path))
	if err != nil {
		return "", err
	}
	r := get("")
	r.Values = values
	key, err := p.AppendKey(nil, r)
	if err != nil {
		return "", err
	}
	_, value, _ := strings.Cut(string(key), "=")
	return strings.TrimSuffix(value, "|"), nil
}

func TestRequestPaths(t *testing.T) {
	account := &Account{
		ID: 7, Email: "ann@x", secret: "s", Team: &Team{"red"}, Audit: &Audit{"bob"}, Profile: &Team{"any"},
		IP: net.IPv4(1, 2, 3, 4), SSO: "one", Sso: "two", At: time.Unix(0, 0), Roles: []string{"b", "a"}, Grants: []any{1, "x", 2.0},
	}
	claims := Claims{"sub": "ann", "uid": 1234567.0, "exp": json.Number("17"), "nested": map[string]any{"a": true}, "nil": nil}
	values := contextValues{
		"user": account, "value": *account, "claims": claims, "name": "ann", "count": 3, "typed": map[Level]int{1: 1},
		"names": map[fmtKey]string{"k": "v"}, "pp": &account, "guest": guest{member: member{"field"}, iD: "unseen", NAME: "shout"},
	}
	for _, tt := range []struct{ path, want string }{
		{"name", "3:ann"},
		{"count", "1:3"},
		{"user.ID", "1:7"},
		{"user.id", "1:7"},
		{"value.id", "1:7"},
		{"pp.id", "1:7"},
		{"user.Team.Name", "3:red"},
		{"user.createdby", "3:bob"},
		{"user.audit.createdBy", "3:bob"},
		{"user.profile.name", "3:any"},
		{"user.ip", "7:1.2.3.4"},
		{"user.at", "20:1970-01-01T00:00:00Z"},
		{"user.SSO", "3:one"},
		{"user.Sso", "3:two"},
		{"user.display", "7:<ann@x>"},
		{"value.Display", "7:<ann@x>"},
		{"user.token", "11:ann@x-token"},
		{"value.token", "11:ann@x-token"},
		{"user.Shadow", "5:exact"},
		{"claims.sub", "3:ann"},
		{"claims.uid", "7:1234567"},
		{"claims.exp", "2:17"},
		{"claims.nested.a", "4:true"},
		{"claims.GetSubject", "3:ann"},
		{"claims.getsubject", "3:ann"},
		{"names.k", "1:v"},
		{"guest.Id", "5:field"},
		{"guest.ID", "6:method"},
		{"guest.NAME", "5:shout"},
	} {
		got, err := found[string](tt.path, values)
		require.NoError(t, err, tt.path)
		require.Equal(t, tt.want, got, tt.path)
	}
}

type fmtKey string

// member, guest and hiding have fields and methods whose names differ in case at most.
type member struct{ Id string }

func (member) ID() string { return "method" }

type guest struct {
	member
	iD   string // not seen
	NAME string
	audited
}

type audited struct{ Name string }

type identity struct{ ID string }

type hiding struct{ identity }

func (hiding) ID() string { return "method" }

func TestAbsentRequestFields(t *testing.T) {
	values := contextValues{
		"nil": nil, "user": (*Account)(nil), "empty": &Account{}, "claims": Claims{"nil": nil}, "loop": selfPointer(),
	}
	for _, path := range []string{
		"missing", "missing.id", "nil", "nil.id", "user", "user.id", "empty.team.name", "empty.createdBy", "empty.profile",
		"empty.profile.name", "empty.ip", "empty.nobody.name", "claims.missing", "claims.nil", "claims.nil.x", "loop",
	} {
		_, err := found[string](path, values)
		require.ErrorIs(t, err, tagkey.ErrAbsent, path)
		require.EqualError(t, err, "tagkey: F (request:"+path+"): the request has none; let what sets it run before the cache, or flag the field optional")
		got, err := found[string](path+",optional", values)
		require.NoError(t, err, path)
		require.Equal(t, "-", got)
	}
	_, err := found[string]("user.id", nil)
	require.ErrorIs(t, err, tagkey.ErrAbsent)
	got, err := found[[]string]("empty.roles,optional", values)
	require.NoError(t, err)
	require.Equal(t, "-", got)
}

func selfPointer() any {
	var p Loop
	p = &p
	return p
}

func TestRequestValuesThroughTypes(t *testing.T) {
	values := contextValues{
		"int": 42, "u64": uint64(1<<64 - 1), "float": 42.0, "half": 0.5, "f32": float32(16777215), "text": "042", "json": json.Number("42"),
		"roles": []string{"b", "a"}, "any": []any{2.0, "x", new(3)}, "array": [2]int{1, 2}, "empty": []string{}, "true": true,
	}
	check := func(want, got string, err error) {
		t.Helper()
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	got, err := found[int64]("float", values)
	check("2:42", got, err)
	got, err = found[int64]("text", values)
	check("2:42", got, err)
	got, err = found[int]("json", values)
	check("2:42", got, err)
	got, err = found[string]("text", values)
	check("3:042", got, err)
	got, err = found[string]("int", values)
	check("2:42", got, err)
	got, err = found[uint64]("u64", values)
	check("20:18446744073709551615", got, err)
	got, err = found[string]("f32", values)
	check("8:16777215", got, err)
	got, err = found[string]("half", values)
	check("3:0.5", got, err)
	got, err = found[float64]("int", values)
	check("2:42", got, err)
	got, err = found[*bool]("true", values)
	check("4:true", got, err)
	got, err = found[[]string]("roles", values)
	check("[2;1:b1:a]", got, err)
	got, err = found[[]string]("any", values)
	check("[3;1:21:x1:3]", got, err)
	got, err = found[[]int]("array", values)
	check("[2;1:11:2]", got, err)
	got, err = found[[]string]("empty", values)
	check("[0;]", got, err)
}

func TestUnusableRequestValues(t *testing.T) {
	values := contextValues{
		"user": &Account{Grants: []any{1, nil}}, "name": "ann", "roles": []string{"a"}, "big": float64(1 << 53), "big32": float32(1 << 24),
		"inf": 1e300, "bytes": []byte("x"), "ips": []net.IP{nil}, "nested": [][]int{{1}}, "claims": Claims{}, "typed": map[int]int{1: 1},
		"slot": slot{Room: "red"}, "member": member{}, "guest": guest{}, "hidden": hiding{}, "reader": io.LimitedReader{},
	}
	for _, tt := range []struct {
		path string
		kind error
		want string
	}{
		{"user", tagkey.ErrType, `the context has a tagkey_test.Account at "user"; a key takes scalars`},
		{"slot", tagkey.ErrType, `the context has a tagkey_test.slot at "slot", and its MarshalText is that of the embedded Time, which leaves out Room`},
		{"user.secret", tagkey.ErrLookup, `"secret" names no single field, key or method of tagkey_test.Account`},
		{"user.idd", tagkey.ErrLookup, `"idd" names no single field, key or method of tagkey_test.Account`},
		{"user.sSO", tagkey.ErrLookup, `"sSO" names no single field, key or method of tagkey_test.Account`},
		{"user.shadow", tagkey.ErrLookup, `"shadow" names no single field, key or method of tagkey_test.Account`},
		{"user.greet", tagkey.ErrLookup, `"greet" names no single field, key or method of tagkey_test.Account`},
		{"user.pair", tagkey.ErrLookup, `"pair" names no single field, key or method of tagkey_test.Account`},
		{"member.id", tagkey.ErrLookup, `"id" names no single field, key or method of tagkey_test.member`},
		{"guest.id", tagkey.ErrLookup, `"id" names no single field, key or method of tagkey_test.guest`},
		{"guest.nAME", tagkey.ErrLookup, `"nAME" names no single field, key or method of tagkey_test.guest`},
		{"hidden.ID", tagkey.ErrLookup, `"ID" names no single field, key or method of tagkey_test.hiding`},
		{"name.first", tagkey.ErrLookup, `"first" names no single field, key or method of string`},
		{"typed.1", tagkey.ErrLookup, `"1" names no single field, key or method of map[int]int`},
		{"user.broken", tagkey.ErrMethod, `method broken returned an error`},
		{"claims.getSubject", tagkey.ErrMethod, `method getSubject returned an error`},
		{"user.panics", tagkey.ErrMethod, `a method panicked`},
		{"reader", tagkey.ErrType, `the context has an io.LimitedReader at "reader"; a key takes scalars`},
		{"roles", tagkey.ErrType, `the context has a []string at "roles"; use a slice field`},
		{"bytes", tagkey.ErrType, `the context has a []uint8 at "bytes"; use a slice field`},
		{"big", tagkey.ErrType, `the context has a float at "big" that is too large to be exact`},
		{"big32", tagkey.ErrType, `the context has a float at "big32" that is too large to be exact`},
		{"inf", tagkey.ErrType, `the context has a float at "inf" that is too large to be exact`},
	} {
		_, err := found[string](tt.path, values)
		require.ErrorIs(t, err, tt.kind, tt.path)
		require.EqualError(t, err, "tagkey: F (request:"+tt.path+"): "+tt.want)
		_, err = found[string](tt.path+",optional", values)
		require.ErrorIs(t, err, tt.kind, "optional makes no difference: %s", tt.path)
	}
	for path, want := range map[string]string{
		"name":        `the context has a string at "name", no slice`,
		"ips":         `the context has nil in the slice at "ips"`,
		"user.grants": `the context has nil in the slice at "user.grants"`,
		"nested":      `the context has a []int at "nested"; a key takes scalars`,
	} {
		_, err := found[[]string](path, values)
		require.ErrorIs(t, err, tagkey.ErrType)
		require.EqualError(t, err, "tagkey: F (request:"+path+"): "+want)
	}
	_, err := found[int]("name", values)
	require.EqualError(t, err, "tagkey: F (request:name): not a number that fits into int")
}

func TestRequestErrorsKeepTheirCause(t *testing.T) {
	cause := errors.New("cause")
	_, err := found[string]("user", getter(func(string) any { panic(cause) }))
	require.ErrorIs(t, err, cause)
	require.EqualError(t, err, "tagkey: F (request:user): a method panicked")
	_, err = found[string]("user.broken", contextValues{"user": &Account{}})
	require.NotContains(t, fmt.Sprint(err), "hunter2")
}

type getter func(string) any

func (g getter) Get(key string) any { return g(key) }

// One field meets values of many types, from many goroutines.
func TestOnePathOverManyTypes(t *testing.T) {
	type key struct {
		_    struct{} `restflow:"namespace,n"`
		User string   `restflow:"request,user.id"`
	}
	users := []any{
		map[string]int{"id": 7}, struct{ ID string }{"7"}, &struct{ Id int8 }{7}, map[fmtKey]any{"id": new(7)}, identified{}, &identified{},
	}
	p := tagkey.MustCompile[key]()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			var k tagkey.Key
			for range 50 {
				for _, user := range users {
					if err := p.BuildRequest(&k, get("", withValue("user", user))); err != nil || k.String() != "rf1|n|v1|request:user.id=1:7|" {
						t.Errorf("%T: %v %s", user, err, k.String())
					}
				}
			}
		})
	}
	wg.Wait()
}

type identified struct{}

func (identified) ID() uint { return 7 }
