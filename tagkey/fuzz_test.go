package tagkey_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/restflow-go/restflow/tagkey"
	"github.com/stretchr/testify/require"
)

// FuzzParseTag: no tag panics, and an error names the field and the tag.
func FuzzParseTag(f *testing.F) {
	for _, text := range []string{
		"query,page", "query,*,hash,ignore=utm_*|x", "request,user.id,partition", "path", ",", "-", "version,9999999999999999999",
		"header,\x00", "const,é", "query,\",partition", "request,.", "arg,,hash", "param,pk", strings.Repeat("x", 200), "schema,,",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, typ := range []reflect.Type{reflect.TypeFor[string](), reflect.TypeFor[struct{}](), reflect.TypeFor[url.Values]()} {
			k := reflect.StructOf([]reflect.StructField{
				{Name: "NS", Type: reflect.TypeFor[struct{}](), Tag: `restflow:"namespace,n"`},
				{Name: "F", Type: typ, Tag: reflect.StructTag("restflow:" + strconv.Quote(text))},
			})
			p, err := tagkey.CompileType(k)
			if err == nil {
				checkPlan(t, p)
				continue
			}
			var fe *tagkey.FieldError
			require.ErrorAs(t, err, &fe)
			require.Equal(t, text, fe.Tag)
			require.Equal(t, "F", fe.Field)
			require.NotEmpty(t, fe.Problem)
			require.NotEmpty(t, fe.Mend)
		}
	})
}

// checkPlan builds keys with a plan that some tag has made.
func checkPlan(t *testing.T, p *tagkey.Plan) {
	require.Contains(t, p.String(), p.Namespace()+" v"+strconv.Itoa(p.Version()))
	var k tagkey.Key
	if err := p.BuildRequest(&k, get("a=1")); err == nil {
		require.True(t, strings.HasPrefix(string(k.Bytes()), p.Prefix()))
	}
	zero := reflect.New(p.Type()).Interface()
	require.NoError(t, p.BuildValue(&k, zero))
	for i := range p.Partitions() {
		partition, err := p.AppendPartition(nil, i, zero)
		require.NoError(t, err)
		require.Equal(t, k.Partition(i), partition)
	}
}

// FuzzQuery: what url.ParseQuery accepts gives the key of the parsed values, and
// what it refuses gives none.
func FuzzQuery(f *testing.F) {
	for _, raw := range []string{
		"", "a=1&b=2", "a=1&a=2&a", "=", "=&=", "&&", "a=%20+%2B", "a=%", "a=%4", "a=%zz", "a;b", "%61=%C3%A9", "a=b=c", "a=\x00\xff", "%3B=1",
	} {
		f.Add(raw)
	}
	type key struct {
		Query url.Values `restflow:"query,*"`
		A     []string   `restflow:"query,a"`
	}
	p := tagkey.MustCompile[key]()
	f.Fuzz(func(t *testing.T, raw string) {
		if strings.Count(raw, "&") >= tagkey.MaxQueryParams || len(raw) > tagkey.MaxQueryBytes {
			return
		}
		values, err := url.ParseQuery(raw)
		got, keyErr := p.AppendKey(nil, get(raw))
		if err != nil {
			require.ErrorIs(t, keyErr, tagkey.ErrSyntax)
			return
		}
		require.NoError(t, keyErr)
		require.Equal(t, valueKey(t, p, key{Query: values, A: values["a"]}), string(got))
	})
}

// richKey has a field of every form; its values are made of few bytes, so that
// the fuzzer meets neighbours.
type richKey struct {
	_       struct{} `restflow:"namespace,Rich"`
	Str     string   `restflow:"query,str,partition"`
	Str2    string   `restflow:"query,str2,partition,optional"`
	Ptr     *string  `restflow:"header,ptr"`
	Int     int16
	F       float32
	OptInt  *int8      `restflow:"query,opt,optional"`
	List    []string   `restflow:"query,list,hash"`
	Sorted  []string   `restflow:"query,sorted,sorted"`
	Ptrs    []*string  `restflow:"query,ptrs"`
	Lower   string     `restflow:"cookie,lower,lower"`
	Query   url.Values `restflow:"query,*,ignore=i*"`
	Hashed  url.Values `restflow:"path,*,hash"`
	At      time.Time
	Bytes   []byte
	Grid    [2][]int8
	Tree    struct{ A, B map[string]*string }
	Pointer **string
}

// FuzzInjective: two values have one key if and only if they are equal, apart
// from what the package comment says is the same.
func FuzzInjective(f *testing.F) {
	f.Add([]byte("abc"), []byte("ab"))
	f.Add([]byte{1, 'a', 1, 'b'}, []byte{2, 'a', 'b', 0})
	p, err := tagkey.CompileArgs(reflect.TypeFor[richKey]())
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, a, b []byte) { checkInjective(t, p, a, b) })
}

// TestInjective walks the neighbourhood of random values without a fuzzer.
func TestInjective(t *testing.T) {
	p, err := tagkey.CompileArgs(reflect.TypeFor[richKey]())
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(3, 4))
	for range 5000 {
		a := make([]byte, rng.IntN(60))
		for i := range a {
			a[i] = byte(rng.IntN(6))
		}
		b := slices.Clone(a)
		if len(b) > 0 {
			b[rng.IntN(len(b))] = byte(rng.IntN(6))
		}
		checkInjective(t, p, a, b)
	}
}

func checkInjective(t *testing.T, p *tagkey.Plan, a, b []byte) {
	x, y := richFrom(a), richFrom(b)
	keyX, keyY := valueKey(t, p, &x), valueKey(t, p, y)
	same := reflect.DeepEqual(normalise(x), normalise(y))
	require.Equal(t, same, keyX == keyY, "%#v\n%#v\n%q\n%q", x, y, keyX, keyY)
}

// feed makes values of bytes; when they run out it makes zeros.
type feed struct{ left []byte }

func (f *feed) next() byte {
	if len(f.left) == 0 {
		return 0
	}
	c := f.left[0]
	f.left = f.left[1:]
	return c
}

func (f *feed) text() string {
	var text []byte
	for n := f.next() % 4; n > 0; n-- {
		const alphabet = "a1:;[]{}|#-A\x00\xffi2="
		text = append(text, alphabet[int(f.next())%len(alphabet)])
	}
	return string(text)
}

func (f *feed) pointer() *string {
	if f.next()%3 == 0 {
		return nil
	}
	return new(f.text())
}

func (f *feed) texts() []string {
	n := int(f.next() % 4)
	if n == 3 {
		return nil
	}
	texts := []string{}
	for range n {
		texts = append(texts, f.text())
	}
	return texts
}

func (f *feed) values() url.Values {
	n := int(f.next() % 4)
	if n == 3 {
		return nil
	}
	values := url.Values{}
	for range n {
		values[f.text()] = f.texts()
	}
	return values
}

func (f *feed) pointers() map[string]*string {
	n := int(f.next() % 4)
	if n == 3 {
		return nil
	}
	pointers := map[string]*string{}
	for range n {
		pointers[f.text()] = f.pointer()
	}
	return pointers
}

func richFrom(data []byte) richKey {
	f := &feed{data}
	k := richKey{Str: f.text(), Str2: f.text(), Ptr: f.pointer(), Int: int16(f.next()) - 2, List: f.texts(), Sorted: f.texts()}
	k.F = []float32{0, float32(math.Copysign(0, -1)), 1, 1.5, math.Float32frombits(0x3f800001), 1e30}[f.next()%6]
	if n := f.next() % 4; n > 0 {
		k.OptInt = new(int8(n) - 1)
	}
	for range f.next() % 3 {
		k.Ptrs = append(k.Ptrs, f.pointer())
	}
	k.Lower, k.Query, k.Hashed = f.text(), f.values(), f.values()
	k.At = time.Unix(int64(f.next()%2), int64(f.next()%2)).In(time.FixedZone("", int(f.next()%2)*60))
	if n := f.next() % 3; n > 0 {
		k.Bytes = binary.AppendUvarint([]byte{}, uint64(n-1))
	}
	for i := range k.Grid {
		if n := f.next() % 3; n > 0 {
			k.Grid[i] = make([]int8, n-1)
		}
	}
	k.Tree.A, k.Tree.B = f.pointers(), f.pointers()
	if f.next()%2 == 1 {
		k.Pointer = new(f.pointer())
	}
	return k
}

// normalise makes equal what the package comment says is the same.
func normalise(k richKey) richKey {
	slices.Sort(k.Sorted)
	k.Lower = string(bytes.ToLower([]byte(strings.ReplaceAll(k.Lower, "\xff", "\x01"))))
	k.Query, k.Hashed = withoutNothing(k.Query, "i"), withoutNothing(k.Hashed, "none")
	k.At = k.At.UTC()
	return k
}

func withoutNothing(values url.Values, ignore string) url.Values {
	kept := url.Values{}
	for name, list := range values {
		if len(list) > 0 && !strings.HasPrefix(name, ignore) {
			kept[name] = list
		}
	}
	return kept
}
