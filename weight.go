package restflow

import (
	"math"
	"reflect"
	"unsafe"
)

// maxCost is what the largest of values weighs, so that nothing which is added to it
// overflows.
const maxCost = math.MaxInt / 4

// weight estimates the bytes that a value holds: its own and those that exported
// fields, elements and pointers lead to. It looks at what an encoder would look
// at, and no further: what a type hides may be in use by others. What several
// paths lead to weighs once. The work is bounded whatever the size: of long slices
// and maps a sample stands for all, and the walk ends after so many values, and so
// deep.
func weight(v reflect.Value) int {
	w := scale{left: 4096}
	return int(min(float64(v.Type().Size())+w.beyond(v, 0), maxCost))
}

const (
	sampled   = 64
	deepest   = 32
	mapEntry  = 16 // what a map holds for an entry beside its key and value
	allocated = 8  // what an allocation holds beside its bytes, on average
)

// scale weighs in floating point, which cannot overflow: estimates multiply where
// samples are taken within samples.
type scale struct {
	left int
	seen map[reference]struct{}
}

// reference is what tells the places apart that pointers, slices and maps lead to.
// A struct and its first field are at one address.
type reference struct {
	to  unsafe.Pointer
	typ reflect.Type
}

// leads reports whether v leads anywhere that the walk has not been to.
func (w *scale) leads(v reflect.Value) bool {
	if v.IsNil() {
		return false
	}
	r := reference{v.UnsafePointer(), v.Type()}
	if _, ok := w.seen[r]; ok {
		return false
	}
	if w.seen == nil {
		w.seen = make(map[reference]struct{})
	}
	w.seen[r] = struct{}{}
	return true
}

// beyond weighs what v refers to, without the bytes of v itself.
func (w *scale) beyond(v reflect.Value, depth int) float64 {
	if w.left--; w.left < 0 || depth > deepest {
		return 0
	}
	switch v.Kind() {
	case reflect.String:
		return float64(v.Len())
	case reflect.Interface:
		if !v.IsNil() {
			return w.pointed(v.Elem(), depth)
		}
	case reflect.Pointer:
		if w.leads(v) {
			return w.pointed(v.Elem(), depth)
		}
	case reflect.Slice:
		if w.leads(v) {
			return allocated + float64(v.Cap())*float64(v.Type().Elem().Size()) + w.elements(v, depth)
		}
	case reflect.Array:
		return w.elements(v, depth)
	case reflect.Map:
		if w.leads(v) {
			return w.mapped(v, depth)
		}
	case reflect.Struct:
		return w.fields(v, depth)
	}
	return 0
}

func (w *scale) pointed(v reflect.Value, depth int) float64 {
	return allocated + float64(v.Type().Size()) + w.beyond(v, depth+1)
}

// elements weighs what the elements of a slice or an array refer to.
func (w *scale) elements(v reflect.Value, depth int) float64 {
	n := v.Len()
	if flat(v.Type().Elem()) {
		return 0
	}
	at := func(i int) int { return i }
	if n > sampled { // spread over all of them, in both halves of the sample
		at = func(i int) int { return (2*i%sampled + 2*i/sampled) * (n / sampled) }
	}
	return sample(n, func(i int) float64 { return w.beyond(v.Index(at(i)), depth+1) })
}

func (w *scale) mapped(v reflect.Value, depth int) float64 {
	key, elem := v.Type().Key(), v.Type().Elem()
	own := float64(v.Len()) * float64(mapEntry+key.Size()+elem.Size())
	if flat(key) && flat(elem) {
		return own
	}
	it := v.MapRange()
	return own + sample(v.Len(), func(int) float64 {
		if !it.Next() {
			return 0
		}
		return w.beyond(it.Key(), depth+1) + w.beyond(it.Value(), depth+1)
	})
}

// sample weighs n parts by no more than 64 of them. What parts share weighs where
// it is met first, which is in the first half of the sample, if many do: that half
// stands for itself, and the second one for all the rest.
func sample(n int, part func(i int) float64) (sum float64) {
	const half = sampled / 2
	for i := range min(n, half) {
		sum += part(i)
	}
	if n <= half {
		return sum
	}
	look, rest := min(n, sampled)-half, 0.0
	for i := range look {
		rest += part(half + i)
	}
	return sum + rest*float64(n-half)/float64(look)
}

func (w *scale) fields(v reflect.Value, depth int) (sum float64) {
	for i := range v.NumField() {
		if v.Type().Field(i).IsExported() {
			sum += w.beyond(v.Field(i), depth+1)
		}
	}
	return sum
}

// flat reports whether values of a type refer to nothing.
func flat(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String, reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Array, reflect.Map, reflect.Struct:
		return false
	}
	return true
}
