package tagkey_test

import (
	"crypto/tls"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"github.com/restflow-go/restflow/tagkey"
	"github.com/stretchr/testify/require"
)

// The pairs of a table are requests: a query string, or edits of a request.
type requestPair struct {
	name string
	a, b *tagkey.Request
	same bool
}

func checkPairs[K any](t *testing.T, pairs []requestPair) {
	t.Helper()
	p := tagkey.MustCompile[K]()
	for _, tt := range pairs {
		a, b := requestKey(t, p, tt.a), requestKey(t, p, tt.b)
		require.Equal(t, tt.same, a == b, "%s:\n%q\n%q", tt.name, a, b)
	}
}

func TestAllQueryParameters(t *testing.T) {
	type key struct {
		Query url.Values `restflow:"query,*"`
	}
	checkPairs[key](t, []requestPair{
		{"order of names", get("a=1&b=2"), get("b=2&a=1"), true},
		{"order of values", get("a=1&a=2"), get("a=2&a=1"), false},
		{"interleaved", get("a=1&b=3&a=2"), get("a=1&a=2&b=3"), true},
		{"separator in a value", get("a=1||b:2"), get("a=1&b=2"), false},
		{"escaped separator", get("a=1%26b=2"), get("a=1&b=2"), false},
		{"escaped equals sign", get("a%3D1"), get("a=1"), false},
		{"absent and empty", get(""), get("a="), false},
		{"bare and empty", get("a"), get("a="), true},
		{"once and twice", get("a=1"), get("a=1&a=1"), false},
		{"no name", get("=1"), get(""), false},
		{"no name and a name", get("=a"), get("a="), false},
		{"empty segments", get("&&a=1&"), get("a=1"), true},
		{"space", get("a=+"), get("a=%20"), true},
		{"plus", get("a=%2B"), get("a=+"), false},
		{"escapes in a name", get("%61=1"), get("a=1"), true},
		{"case of escapes", get("a=%c3%a9"), get("a=%C3%A9"), true},
		{"case", get("a=X"), get("a=x"), false},
		{"NUL", get("a=%00"), get("a="), false},
		{"invalid UTF-8", get("a=%ff"), get("a=%fe"), false},
		{"invalid and replaced", get("a=%ff"), get("a=%EF%BF%BD"), false},
		{"composed and decomposed", get("a=%C3%A9"), get("a=e%CC%81"), false},
		{"brackets", get("a[]=1"), get("a=1"), false},
		{"our own delimiters", get("a=1%3B1:b"), get("a=1%3B1&b"), false},
		{"forged list", get("a=%5B1%3B1:x%5D"), get("a=x"), false},
		{"value moves to the next name", get("a=12&b=3"), get("a=1&b=23"), false},
		{"name takes the value", get("ab=c"), get("a=bc"), false},
	})
}

func TestNamedQueryParameter(t *testing.T) {
	type key struct {
		Page  int      `restflow:"query,page"`
		Q     string   `restflow:"query,q"`
		Tags  []string `restflow:"query,tag"`
		Codes []int    `restflow:"query,code,sorted"`
	}
	checkPairs[key](t, []requestPair{
		{"others do not count", get("page=1&x=1"), get("page=1&x=2"), true},
		{"leading zero", get("page=042"), get("page=42"), true},
		{"sign", get("page=%2B42"), get("page=42"), true},
		{"zero and absent", get("page=0"), get(""), false},
		{"empty and absent", get("q="), get(""), false},
		{"fields do not swap", get("q=1"), get("page=1"), false},
		{"list order", get("tag=a&tag=b"), get("tag=b&tag=a"), false},
		{"list borders", get("tag=ab&tag=c"), get("tag=a&tag=bc"), false},
		{"list and one", get("tag=a,b"), get("tag=a&tag=b"), false},
		{"empty element", get("tag="), get(""), false},
		{"sorted", get("code=2&code=010"), get("code=10&code=2"), true},
		{"sorted keeps count", get("code=2&code=2"), get("code=2"), false},
	})
}

func TestFlags(t *testing.T) {
	type key struct {
		Query  url.Values `restflow:"query,*,sorted,lower,ignore=utm_*|fbclid"`
		Secret string     `restflow:"header,X-Secret,hash"`
		Lang   []string   `restflow:"header,Accept-Language,lower"`
	}
	checkPairs[key](t, []requestPair{
		{"sorted", get("a=1&a=2"), get("a=2&a=1"), true},
		{"sorted after lower", get("a=B&a=a"), get("a=A&a=b"), true},
		{"lower is not for names", get("A=1"), get("a=1"), false},
		{"ignored prefix", get("a=1&utm_source=x&utm_=y"), get("a=1"), true},
		{"ignored name", get("fbclid=1"), get(""), true},
		{"not quite ignored", get("fbclids=1"), get(""), false},
		{"escaped ignored name", get("utm%5Fsource=x"), get(""), true},
		{"hash differs", get("", withHeader("X-Secret", "a")), get("", withHeader("X-Secret", "b")), false},
		{"hash of empty", get("", withHeader("X-Secret", "")), get(""), false},
		{"hash is not the hashed", get("", withHeader("X-Secret", "#")), get("", withHeader("X-Secret", "")), false},
		{"lower lines", get("", withHeader("Accept-Language", "DE", "En")), get("", withHeader("Accept-Language", "de", "en")), true},
		{"a line is one value", get("", withHeader("Accept-Language", "de,en")), get("", withHeader("Accept-Language", "de", "en")), false},
		{"lower in Unicode", get("a=%C3%84"), get("a=%C3%A4"), true},
		{"lower keeps invalid bytes", get("a=%C3%84%ff"), get("a=%C3%84%fe"), false},
		{"lower does not replace them", get("a=A%ff"), get("a=a%EF%BF%BD"), false},
		{"lower keeps them in lines", get("", withHeader("Accept-Language", "A\xff")), get("", withHeader("Accept-Language", "a\xfe")), false},
	})
	key1 := requestKey(t, tagkey.MustCompile[key](), get("", withHeader("X-Secret", "hunter2")))
	require.NotContains(t, key1, "hunter2")
}

func TestPathHeaderCookieAndBuiltIns(t *testing.T) {
	type key struct {
		All     url.Values `restflow:"path,*,partition"`
		Tenant  *string    `restflow:"header,x-tenant"`
		Theme   *string    `restflow:"cookie,theme"`
		Host    string     `restflow:"request,host"`
		Scheme  string     `restflow:"request,scheme"`
		Method  string     `restflow:"request,method"`
		Private string     `restflow:"path,id"`
	}
	host := func(h string) func(*tagkey.Request) { return func(r *tagkey.Request) { r.HTTP.Host = h } }
	method := func(m string) func(*tagkey.Request) { return func(r *tagkey.Request) { r.HTTP.Method = m } }
	secure := func(r *tagkey.Request) { r.HTTP.TLS = &tls.ConnectionState{} }
	cookie := func(line string) func(*tagkey.Request) { return withHeader("Cookie", line) }
	checkPairs[key](t, []requestPair{
		{"path", get("", withPath("id", "1")), get("", withPath("id", "2")), false},
		{"path names", get("", withPath("id", "1", "x", "2")), get("", withPath("x", "2", "id", "1")), true},
		{"path escapes are the router's", get("", withPath("id", "a%2Fb")), get("", withPath("id", "a/b")), false},
		{"absent header", get(""), get("", withHeader("X-Tenant", "")), false},
		{"header", get("", withHeader("X-Tenant", "a")), get("", withHeader("X-Tenant", "A")), false},
		{"cookie", get("", cookie("theme=dark")), get("", cookie("a=b; theme=dark")), true},
		{"quoted cookie", get("", cookie(`theme="dark"`)), get("", cookie("theme=dark")), true},
		{"cookie case", get("", cookie("theme=dark")), get("", cookie("Theme=dark")), false},
		{"host case", get("", host("Example.com")), get("", host("example.COM")), true},
		{"host", get("", host("a.example")), get("", host("b.example")), false},
		{"host case in Unicode", get("", host("\u00c4.example")), get("", host("\u00e4.example")), true},
		{"host of invalid bytes", get("", host("a\xff")), get("", host("a\xfe")), false},
		{"invalid and replaced host", get("", host("A\xff")), get("", host("a\ufffd")), false},
		{"scheme", get(""), get("", secure), false},
		{"forwarded scheme", get(""), get("", withHeader("X-Forwarded-Proto", "https")), true},
		{"method", get(""), get("", method("HEAD")), false},
	})
}

func TestTypesNormaliseText(t *testing.T) {
	type key struct {
		F    *float64    `restflow:"query,f"`
		F32  *float32    `restflow:"query,f32"`
		Bool *bool       `restflow:"query,bool"`
		Time *time.Time  `restflow:"query,time"`
		Addr *netip.Addr `restflow:"query,addr"`
		U8   *uint8      `restflow:"query,u8"`
	}
	checkPairs[key](t, []requestPair{
		{"float", get("f=1.50"), get("f=15e-1"), true},
		{"negative zero", get("f=-0"), get("f=0"), true},
		{"float bits", get("f=0.1"), get("f=0.10000000000000001"), true},
		{"float next", get("f=0.1"), get("f=0.10000000000000002"), false},
		{"float32 rounds", get("f32=0.1"), get("f32=0.10000000149"), true},
		{"infinity", get("f=inf"), get("f=%2BInfinity"), true},
		{"bool", get("bool=1"), get("bool=TRUE"), true},
		{"bool differs", get("bool=0"), get("bool=1"), false},
		{"zone", get("time=2024-01-01T02:00:00%2B02:00"), get("time=2024-01-01T00:00:00Z"), true},
		{"nanosecond", get("time=2024-01-01T00:00:00.000000001Z"), get("time=2024-01-01T00:00:00Z"), false},
		{"text", get("addr=::FFFF"), get("addr=0:0::ffff"), true},
		{"unsigned", get("u8=007"), get("u8=7"), true},
	})
}

// What a tag calls a field cannot look like more than one field.
func TestNamesCannotForgeKeys(t *testing.T) {
	type two struct {
		_ struct{} `restflow:"namespace,n"`
		A string   `restflow:"query,a"`
		B string   `restflow:"query,b"`
	}
	type one struct {
		_ struct{} `restflow:"namespace,n"`
		A string   `restflow:"query,a=1:x|query:b"`
	}
	type none struct {
		_ struct{} `restflow:"namespace,n|v1|query:a=1:x|query:b=1:y|"`
	}
	r := get("a=x&b=y&a%3D1:x%7Cquery:b=y")
	require.Equal(t, "rf1|n|v1|query:a=1:x|query:b=1:y|", requestKey(t, tagkey.MustCompile[two](), r))
	require.Equal(t, "rf1|n|v1|query:a%3D1%3Ax%7Cquery%3Ab=1:y|", requestKey(t, tagkey.MustCompile[one](), r))
	require.Equal(t, "rf1|n%7Cv1%7Cquery%3Aa%3D1%3Ax%7Cquery%3Ab%3D1%3Ay%7C|v1|", requestKey(t, tagkey.MustCompile[none](), r))
}
