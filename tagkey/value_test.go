package tagkey_test

import (
	"errors"
	"math"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/restflow-go/restflow/tagkey"
	"github.com/stretchr/testify/require"
)

// Level marshals itself by a pointer method, and cannot do so when it is negative.
type Level int

func (l *Level) MarshalText() ([]byte, error) {
	if *l < 0 {
		return nil, errors.New("negative: hunter2")
	}
	return []byte(strings.Repeat("i", int(*l))), nil
}

func (l *Level) UnmarshalText(text []byte) error {
	if strings.Trim(string(text), "iI") != "" {
		return errors.New("no level: " + string(text))
	}
	*l = Level(len(text))
	return nil
}

type valueKeyStruct struct {
	_     struct{}   `restflow:"namespace,v"`
	Page  int        `restflow:"query,page"`
	Opt   int        `restflow:"query,opt,optional"`
	Ptr   *string    `restflow:"query,ptr"`
	List  []string   `restflow:"query,list"`
	Time  time.Time  `restflow:"query,time"`
	F     float64    `restflow:"query,f"`
	IP    net.IP     `restflow:"query,ip"`
	Level Level      `restflow:"query,level"`
	Ls    []*Level   `restflow:"query,ls,sorted"`
	Lower string     `restflow:"query,lower,lower"`
	Query url.Values `restflow:"query,*,ignore=utm_*"`
}

func TestValuePairs(t *testing.T) {
	p := tagkey.MustCompile[valueKeyStruct]()
	type K = valueKeyStruct
	instant := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name string
		a, b K
		same bool
	}{
		{"zero is present", K{}, K{Page: 1}, false},
		{"nil and empty pointer", K{}, K{Ptr: new("")}, false},
		{"nil and empty slice", K{}, K{List: []string{}}, false},
		{"empty slice and empty element", K{List: []string{}}, K{List: []string{""}}, false},
		{"element borders", K{List: []string{"a", "bc"}}, K{List: []string{"ab", "c"}}, false},
		{"element that looks encoded", K{List: []string{"1:a"}}, K{List: []string{"1", "a"}}, false},
		{"zones", K{Time: instant}, K{Time: instant.In(time.FixedZone("x", 3600))}, true},
		{"zeros", K{F: 0}, K{F: math.Copysign(0, -1)}, true},
		{"next float", K{F: 1}, K{F: math.Nextafter(1, 2)}, false},
		{"nil and empty IP", K{}, K{IP: net.IP{}}, false},
		{"IP spellings", K{IP: net.IPv4(1, 2, 3, 4)}, K{IP: net.IP{1, 2, 3, 4}}, true},
		{"sorted", K{Ls: []*Level{new(Level(2)), nil, new(Level(1))}}, K{Ls: []*Level{nil, new(Level(1)), new(Level(2))}}, true},
		{"nil and zero element", K{Ls: []*Level{nil}}, K{Ls: []*Level{new(Level)}}, false},
		{"lower", K{Lower: "ÄX"}, K{Lower: "äx"}, true},
		{"lower, invalid", K{Lower: "Ä\xff"}, K{Lower: "Ä\xfe"}, false},
		{"nil and empty map", K{}, K{Query: url.Values{}}, true},
		{"name without values", K{}, K{Query: url.Values{"a": nil}}, true},
		{"ignored name", K{}, K{Query: url.Values{"utm_x": {"1"}}}, true},
		{"name and value", K{Query: url.Values{"a": {"b"}}}, K{Query: url.Values{"ab": {""}}}, false},
		{"two names", K{Query: url.Values{"a": {"1"}, "b": {"2"}}}, K{Query: url.Values{"a": {"1", "2"}}}, false},
	} {
		a, b := valueKey(t, p, tt.a), valueKey(t, p, &tt.b)
		require.Equal(t, tt.same, a == b, "%s:\n%q\n%q", tt.name, a, b)
	}
}

func TestValueByPointerOrNot(t *testing.T) {
	p := tagkey.MustCompile[valueKeyStruct]()
	v := valueKeyStruct{Page: 3, Level: 2, Time: time.Unix(1, 0)}
	require.Equal(t, valueKey(t, p, v), valueKey(t, p, &v))
}

func TestOptionalZeroStandsForAbsent(t *testing.T) {
	type key struct {
		_    struct{}        `restflow:"namespace,o"`
		Page int             `restflow:"query,page,optional"`
		F    float64         `restflow:"query,f,optional"`
		At   time.Time       `restflow:"query,at,optional"`
		L    Level           `restflow:"query,l,optional"`
		Ptr  *int            `restflow:"query,ptr,optional"`
		List []int           `restflow:"query,list,optional"`
		Tree struct{ A int } `restflow:"arg,tree,optional"`
	}
	p := tagkey.MustCompile[key]()
	none := valueKey(t, p, key{})
	require.Equal(t, "rf1|o|v1|query:page=-|query:f=-|query:at=-|query:l=-|query:ptr=-|query:list=-|arg:tree=-|", none)
	require.Equal(t, none, valueKey(t, p, key{F: math.Copysign(0, -1), At: time.Time{}.In(time.FixedZone("x", 3600))}))
	require.NotEqual(t, none, valueKey(t, p, key{Ptr: new(int)}))
	require.NotEqual(t, none, valueKey(t, p, key{List: []int{}}))
}

// grade cannot marshal its zero.
type grade byte

func (g grade) MarshalText() ([]byte, error) {
	if g == 0 {
		return nil, errors.New("no grade")
	}
	return []byte{byte(g)}, nil
}

func (g *grade) UnmarshalText(text []byte) error {
	*g = grade(text[0])
	return nil
}

func TestOptionalZeroThatDoesNotMarshal(t *testing.T) {
	type key struct {
		_     struct{}  `restflow:"namespace,o"`
		Grade grade     `restflow:"query,grade,partition,optional"`
		Panic explosive `restflow:"query,panic,optional"`
	}
	p := tagkey.MustCompile[key]()
	require.Equal(t, "rf1|o|v1|query:grade=-|query:panic=-|", valueKey(t, p, key{}))
	require.Equal(t, requestKey(t, p, get("")), valueKey(t, p, key{}))
	require.Equal(t, requestKey(t, p, get("grade=A")), valueKey(t, p, key{Grade: 'A'}))
	_, err := p.AppendKey(nil, get("grade=%00"))
	require.EqualError(t, err, "tagkey: Grade (query:grade): tagkey_test.grade does not marshal")
}

// An explicit zero in a request is another request than one without, and gets
// another entry. But a value of K has only one zero, which must reach both.
func TestOptionalZeroInAPartition(t *testing.T) {
	type key struct {
		_    struct{} `restflow:"namespace,o"`
		Team int      `restflow:"query,team,partition,optional"`
		Name string   `restflow:"query,name,partition,optional"`
		Page *int     `restflow:"query,page"`
	}
	p := tagkey.MustCompile[key]()
	var none, zero, zeros tagkey.Key
	require.NoError(t, p.BuildRequest(&none, get("")))
	require.NoError(t, p.BuildRequest(&zero, get("team=00")))
	require.NoError(t, p.BuildRequest(&zeros, get("team=0&name=")))
	require.Equal(t, "rf1|o|v1|query:team=-|query:name=-|query:page=-|", none.String())
	require.Equal(t, "rf1|o|v1|query:team=-|query:name=-|zero:0|query:page=-|", zero.String())
	require.Equal(t, "rf1|o|v1|query:team=-|query:name=-|zero:0|zero:1|query:page=-|", zeros.String())
	require.Equal(t, none.Partitions(), zeros.Partitions())
	require.Equal(t, []bool{false, false, false}, presence(&none, 3))
	require.Equal(t, []bool{true, false, false}, presence(&zero, 3))
	require.Equal(t, []bool{true, true, false}, presence(&zeros, 3))
	partition, err := p.AppendPartition(nil, 0, key{})
	require.NoError(t, err)
	require.Equal(t, zero.Partition(0), partition)
}

func presence(k *tagkey.Key, n int) []bool {
	var present []bool
	for i := range n {
		present = append(present, k.Present(i))
	}
	return present
}

func TestKeyParts(t *testing.T) {
	p := tagkey.MustCompile[UserKey]()
	var k tagkey.Key
	require.Empty(t, k.Bytes())
	require.Nil(t, k.Partition(0))
	require.Empty(t, k.Partitions())
	require.False(t, k.Present(0))

	require.NoError(t, p.BuildRequest(&k, get("a=1", withPath("pk", "042"), withValue("user", map[string]any{"id": 7}))))
	require.Equal(t, "path:pk=2:42", string(k.Partition(0)))
	require.Equal(t, "request:user.id=1:7", string(k.Partition(1)))
	require.Nil(t, k.Partition(2))
	require.Nil(t, k.Partition(-1))
	require.Equal(t, "path:pk=2:42|request:user.id=1:7|", string(k.Partitions()))
	require.True(t, k.Present(0))
	require.False(t, k.Present(3))
	require.False(t, k.Present(-1))
	for i := range p.Partitions() {
		partition, err := p.AppendPartition([]byte("x"), i, &UserKey{PK: 42, User: "7"})
		require.NoError(t, err)
		require.Equal(t, "x"+string(k.Partition(i)), string(partition))
	}

	before := k.String()
	k.Append([]byte("GET"))
	k.AppendString("/users/:pk")
	require.Equal(t, before+"3:GET10:/users/:pk", k.String())
	k.Reset()
	require.Empty(t, k.Bytes())
	require.Nil(t, k.Partition(0))
}

func TestAKeyIsReusedWithoutTraces(t *testing.T) {
	p, q := tagkey.MustCompile[valueKeyStruct](), tagkey.MustCompile[UserKey]()
	requests := []*tagkey.Request{
		get("list=a&list=b&level=ii&ls=i&x=1&y=2"), get(""), get("a=1"), get("page=x"), get("list=c"),
	}
	var reused tagkey.Key
	for range 2 {
		for _, r := range requests {
			var fresh tagkey.Key
			require.Equal(t, p.BuildRequest(&fresh, r), p.BuildRequest(&reused, r))
			require.Equal(t, fresh.String(), reused.String())
			require.Equal(t, presence(&fresh, 11), presence(&reused, 11))
			require.NoError(t, q.BuildValue(&reused, UserKey{}))
			require.Equal(t, "path:pk=1:0|request:user.id=0:|", string(reused.Partitions()))
		}
	}
}

// shout marshals but does not unmarshal: text from a request is taken as it is.
type shout string

func (s shout) MarshalText() ([]byte, error) { return []byte(strings.ToUpper(string(s))), nil }

func TestTypesThatOnlyMarshal(t *testing.T) {
	type key struct {
		_ struct{} `restflow:"namespace,s"`
		S shout    `restflow:"query,s"`
	}
	p := tagkey.MustCompile[key]()
	require.Equal(t, "rf1|s|v1|query:s=2:HI|", valueKey(t, p, key{S: "hi"}))
	require.Equal(t, "rf1|s|v1|query:s=2:HI|", requestKey(t, p, get("s=HI")))
	require.Equal(t, "rf1|s|v1|query:s=2:hi|", requestKey(t, p, get("s=hi")))
}

func TestEveryMapTypeOfParameters(t *testing.T) {
	type parameters map[string][]string
	type named struct {
		_ struct{}   `restflow:"namespace,m"`
		Q parameters `restflow:"query,*"`
	}
	type plain struct {
		_ struct{}            `restflow:"namespace,m"`
		Q map[string][]string `restflow:"query,*"`
	}
	const want = "rf1|m|v1|query:*={1;1:a[2;1:y1:x]}|"
	values := map[string][]string{"a": {"y", "x"}}
	require.Equal(t, want, valueKey(t, tagkey.MustCompile[named](), named{Q: values}))
	require.Equal(t, want, valueKey(t, tagkey.MustCompile[plain](), &plain{Q: values}))
	require.Equal(t, want, requestKey(t, tagkey.MustCompile[named](), get("a=y&a=x")))
}
