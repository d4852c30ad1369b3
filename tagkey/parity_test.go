package tagkey_test

import (
	"encoding"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/restflow-go/restflow/tagkey"
	"github.com/stretchr/testify/require"
)

// parityKey has every source that a request can fill and every kind of type.
// Where a request may have nothing, the type can say so.
type parityKey struct {
	_      struct{}    `restflow:"namespace,Parity"`
	ID     int64       `restflow:"path,id,partition"`
	User   string      `restflow:"request,user.id,partition"`
	Roles  []string    `restflow:"request,user.roles,optional,sorted"`
	Seen   *time.Time  `restflow:"request,seen,optional,partition"`
	Str    *string     `restflow:"query,str,partition"`
	Bool   *bool       `restflow:"query,bool"`
	I8     *int8       `restflow:"query,i8,hash"`
	U16    *uint16     `restflow:"query,u16"`
	F32    *float32    `restflow:"query,f32"`
	F64    *float64    `restflow:"query,f64"`
	At     *time.Time  `restflow:"query,at"`
	Addr   *netip.Addr `restflow:"query,addr"`
	Level  *Level      `restflow:"query,level"`
	Strs   []string    `restflow:"query,strs"`
	Sorted []string    `restflow:"query,strs2,sorted,lower"`
	Ints   []int       `restflow:"query,ints,sorted"`
	Ptrs   []*string   `restflow:"query,ptrs"`
	Lines  []string    `restflow:"header,X-Lines,hash"`
	Lang   *string     `restflow:"header,Accept-Language,lower"`
	Theme  *string     `restflow:"cookie,theme"`
	Host   string      `restflow:"request,host"`
	Scheme string      `restflow:"request,scheme"`
	Method string      `restflow:"request,method"`
	Query  url.Values  `restflow:"query,*,hash,sorted,ignore=utm_*"`
	Path   url.Values  `restflow:"path,*,partition"`
}

// A request and the value that a handler would bind from it have one key and
// one set of partitions.
func TestRequestsAndValuesHaveOneKey(t *testing.T) {
	p := tagkey.MustCompile[parityKey]()
	rng := rand.New(rand.NewPCG(1, 2))
	var a, b tagkey.Key
	for range 3000 {
		r := randomRequest(rng)
		k := bindKey(t, p, r)
		require.NoError(t, p.BuildRequest(&a, r), r.HTTP.URL.RawQuery)
		require.NoError(t, p.BuildValue(&b, k))
		require.Equal(t, a.String(), b.String(), r.HTTP.URL.RawQuery)
		for i, f := range p.Fields() {
			require.Equal(t, a.Present(i), b.Present(i), f.GoName)
		}
		for i := range p.Partitions() {
			partition, err := p.AppendPartition(nil, i, k)
			require.NoError(t, err)
			require.Equal(t, string(a.Partition(i)), string(partition))
		}
	}
}

var spellings = map[string][]string{
	"str":   {"", "a", "a|b", "\x00\xff", "é", "2:ab"},
	"bool":  {"1", "true", "F", "FALSE"},
	"i8":    {"0", "-0", "+7", "007", "-128"},
	"u16":   {"0", "65535", "042"},
	"f32":   {"0.1", "1e3", "-0", "16777217"},
	"f64":   {"0.1", ".5", "-0.0", "1e300", "Inf"},
	"at":    {"2024-01-02T03:04:05Z", "2024-01-02T03:04:05.5+02:00", "0001-01-01T00:00:00Z"},
	"addr":  {"::1", "0:0:0:0::1", "1.2.3.4", "::FFFF:1.2.3.4", "fe80::1%eth0"},
	"level": {"", "i", "II"},
	"strs":  {"", "a", "b", "a,b"}, "strs2": {"B", "b", "a", ""}, "ints": {"2", "10", "+2"}, "ptrs": {"", "x"},
	"utm_x": {"1"}, "other": {"1", ""}, "": {"x"},
}

func pick[T any](rng *rand.Rand, from ...T) T { return from[rng.IntN(len(from))] }

func randomRequest(rng *rand.Rand) *tagkey.Request {
	var query []string
	for name, values := range spellings {
		n := rng.IntN(2)
		if strings.HasSuffix(name, "s") || strings.HasSuffix(name, "s2") || name == "other" {
			n = rng.IntN(4)
		}
		for range n {
			query = append(query, url.QueryEscape(name)+"="+url.QueryEscape(pick(rng, values...)))
		}
	}
	r := get(strings.Join(query, "&"),
		withPath("id", pick(rng, "42", "042", "-1", "0"), "slug", pick(rng, "", "a b", "%2F")),
		withValue("user", map[string]any{"id": pick[any](rng, 7, "ann", "", 1.0, int8(-3)), "roles": pick[any](rng, nil, []string{"b", "a"}, []any{"x", 1}, []string{})}),
		withValue("seen", pick[any](rng, nil, time.Unix(1, 0), (*time.Time)(nil), new(time.Unix(2, 3)))))
	if rng.IntN(2) == 0 {
		r.HTTP.Header["X-Lines"] = pick(rng, []string{"a", "b"}, []string{""}, []string{"a,b"})
		r.HTTP.Header.Set("Accept-Language", pick(rng, "DE", "", "Ä"))
		r.HTTP.Header.Set("Cookie", pick(rng, "theme=dark", "a=b", `theme="x"`, "theme="))
	}
	r.HTTP.Host, r.HTTP.Method = pick(rng, "a.example", "A.Example:80"), pick(rng, http.MethodGet, http.MethodHead)
	return r
}

// bindKey reads a request by the means that handlers use.
func bindKey(t *testing.T, p *tagkey.Plan, r *tagkey.Request) *parityKey {
	k := new(parityKey)
	for _, f := range p.Fields() {
		v := reflect.ValueOf(k).Elem().FieldByIndex(f.Index)
		if f.SourceName == "*" {
			v.Set(reflect.ValueOf(allParameters(f.Source, r)))
			continue
		}
		texts, ok := textsOf(f, r)
		switch {
		case !ok:
		case v.Kind() == reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), len(texts), len(texts)))
			for i, text := range texts {
				bind(t, v.Index(i), text)
			}
		default:
			bind(t, v, texts[0])
		}
	}
	return k
}

func allParameters(source string, r *tagkey.Request) url.Values {
	if source == "query" {
		return r.HTTP.URL.Query()
	}
	values := url.Values{}
	for i, name := range r.ParamNames {
		values.Add(name, r.ParamValues[i])
	}
	return values
}

func textsOf(f tagkey.Field, r *tagkey.Request) ([]string, bool) {
	var texts []string
	switch f.Source {
	case "query":
		texts = r.HTTP.URL.Query()[f.SourceName]
	case "header":
		texts = r.HTTP.Header.Values(f.SourceName)
	case "cookie":
		if c, err := r.HTTP.Cookie(f.SourceName); err == nil {
			texts = []string{c.Value}
		}
	case "path":
		texts = allParameters("path", r)[f.SourceName]
	case "request":
		return contextTexts(f.SourceName, r)
	}
	return texts, len(texts) > 0
}

func contextTexts(name string, r *tagkey.Request) ([]string, bool) {
	user := r.Values.Get("user").(map[string]any)
	switch name {
	case "host":
		return []string{r.HTTP.Host}, true
	case "method":
		return []string{r.HTTP.Method}, true
	case "scheme":
		return []string{"http"}, true
	case "user.id":
		return []string{fmt.Sprint(user["id"])}, true
	case "user.roles":
		v := reflect.ValueOf(user["roles"])
		if !v.IsValid() {
			return nil, false
		}
		texts := []string{}
		for i := range v.Len() {
			texts = append(texts, fmt.Sprint(v.Index(i).Interface()))
		}
		return texts, true
	}
	switch seen := r.Values.Get("seen").(type) {
	case time.Time:
		return []string{seen.Format(time.RFC3339Nano)}, true
	case *time.Time:
		if seen != nil {
			return []string{seen.Format(time.RFC3339Nano)}, true
		}
	}
	return nil, false
}

func bind(t *testing.T, v reflect.Value, text string) {
	t.Helper()
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if u, ok := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr()); ok {
		require.NoError(t, u.UnmarshalText([]byte(text)))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		require.NoError(t, err)
		v.SetBool(b)
	case reflect.Float32, reflect.Float64:
		f, err := strconv.ParseFloat(text, v.Type().Bits())
		require.NoError(t, err)
		v.SetFloat(f)
	case reflect.Uint16:
		n, err := strconv.ParseUint(text, 10, 16)
		require.NoError(t, err)
		v.SetUint(n)
	default:
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		require.NoError(t, err)
		v.SetInt(n)
	}
}
