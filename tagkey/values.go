package tagkey

import (
	"bytes"
	"cmp"
	"net/url"
	"reflect"
	"slices"
)

var valuesType = reflect.TypeFor[map[string][]string]()

// isValues reports whether t is url.Values or has its structure.
func isValues(t reflect.Type) bool {
	return t.Kind() == reflect.Map && t.ConvertibleTo(valuesType) && !isScalar(t)
}

// valuesForm is a "*" field: names with their values, names sorted. It is never
// absent: no request tells "no parameters" from "none were sent". For the same
// reason a name without values does not count.
type valuesForm struct {
	ignore        []string
	sorted, lower bool
}

func newValuesForm(t reflect.Type, tg tag) (form, *flaw) {
	if !isValues(t) {
		return nil, &flaw{"type " + t.String() + ` cannot hold "*"`, "use url.Values"}
	}
	return &valuesForm{ignore: tg.ignore, sorted: tg.sorted, lower: tg.lower}, nil
}

func (f *valuesForm) value(k *Key, dst []byte, v reflect.Value) ([]byte, error) {
	k.pairs = k.pairs[:0]
	for name, values := range asValues(v) {
		if len(values) == 0 {
			continue
		}
		at := k.keep(name)
		for _, value := range values {
			k.pairs = append(k.pairs, pair{at, k.keep(value), len(k.pairs)})
		}
	}
	return f.gathered(k, dst)
}

// asValues avoids the copy of a conversion for the two types that people use.
func asValues(v reflect.Value) map[string][]string {
	switch m := v.Interface().(type) {
	case url.Values:
		return m
	case map[string][]string:
		return m
	}
	return v.Convert(valuesType).Interface().(map[string][]string)
}

func (f *valuesForm) gathered(k *Key, dst []byte) ([]byte, error) {
	f.prepare(k)
	slices.SortFunc(k.pairs, func(a, b pair) int { return comparePairs(k, a, b, f.sorted) })
	dst = openMap(dst, countNames(k))
	for rest := k.pairs; len(rest) > 0; {
		n := sameName(k, rest)
		dst = appendFramed(dst, k.text(rest[0].name))
		dst = openList(dst, n)
		for _, p := range rest[:n] {
			dst = appendFramed(dst, k.text(p.value))
		}
		dst = append(dst, ']')
		rest = rest[n:]
	}
	return append(dst, '}'), nil
}

// prepare drops ignored names and lowers values.
func (f *valuesForm) prepare(k *Key) {
	if len(f.ignore) > 0 {
		k.pairs = slices.DeleteFunc(k.pairs, func(p pair) bool { return ignored(f.ignore, k.text(p.name)) })
	}
	if !f.lower {
		return
	}
	for i, p := range k.pairs {
		from := len(k.arena)
		k.arena = appendText(k.arena, k.text(p.value), true)
		k.pairs[i].value = span{from, len(k.arena)}
	}
}

// comparePairs orders by name, then as sent, or by value if sorted.
func comparePairs(k *Key, a, b pair, sorted bool) int {
	if c := bytes.Compare(k.text(a.name), k.text(b.name)); c != 0 {
		return c
	}
	if sorted {
		return bytes.Compare(k.text(a.value), k.text(b.value))
	}
	return cmp.Compare(a.place, b.place)
}

func countNames(k *Key) (n int) {
	for rest := k.pairs; len(rest) > 0; n++ {
		rest = rest[sameName(k, rest):]
	}
	return n
}

// sameName counts the pairs at the front that share a name.
func sameName(k *Key, pairs []pair) int {
	n := 1
	for n < len(pairs) && bytes.Equal(k.text(pairs[n].name), k.text(pairs[0].name)) {
		n++
	}
	return n
}
