package restflow

import "reflect"

// weight estimates the bytes that a value holds: its own and those that exported
// fields, elements and pointers lead to. It looks at what an encoder would look
// at, and no further: what a type hides may be in use by others. The work is bounded
// whatever the size: of long slices and maps a sample stands for all, and the
// walk ends after so many values, and so deep.
func weight(v reflect.Value) int {
	w := scale{left: 4096}
	return int(v.Type().Size()) + w.beyond(v, 0)
}

const (
	sampled   = 64
	deepest   = 32
	mapEntry  = 16 // what a map holds for an entry beside its key and value
	allocated = 8  // what an allocation holds beside its bytes, on average
)

type scale struct{ left int }

// beyond weighs what v refers to, without the bytes of v itself.
func (w *scale) beyond(v reflect.Value, depth int) int {
	if w.left--; w.left < 0 || depth > deepest {
		return 0
	}
	switch v.Kind() {
	case reflect.String:
		return v.Len()
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return 0
		}
		return allocated + int(v.Elem().Type().Size()) + w.beyond(v.Elem(), depth+1)
	case reflect.Slice:
		if v.IsNil() {
			return 0
		}
		return allocated + v.Cap()*int(v.Type().Elem().Size()) + w.elements(v, depth)
	case reflect.Array:
		return w.elements(v, depth)
	case reflect.Map:
		return w.mapped(v, depth)
	case reflect.Struct:
		return w.fields(v, depth)
	}
	return 0
}

// elements weighs what the elements of a slice or an array refer to.
func (w *scale) elements(v reflect.Value, depth int) int {
	n := v.Len()
	if n == 0 || flat(v.Type().Elem()) {
		return 0
	}
	look, sum := min(n, sampled), 0
	for i := range look {
		sum += w.beyond(v.Index(i*n/look), depth+1)
	}
	return sum * n / look
}

func (w *scale) mapped(v reflect.Value, depth int) int {
	n := v.Len()
	own := n * (mapEntry + int(v.Type().Key().Size()) + int(v.Type().Elem().Size()))
	if n == 0 || flat(v.Type().Key()) && flat(v.Type().Elem()) {
		return own
	}
	look, sum := min(n, sampled), 0
	for it, i := v.MapRange(), 0; i < look && it.Next(); i++ {
		sum += w.beyond(it.Key(), depth+1) + w.beyond(it.Value(), depth+1)
	}
	return own + sum*n/look
}

func (w *scale) fields(v reflect.Value, depth int) (sum int) {
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
