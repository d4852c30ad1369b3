package signals

import (
	"reflect"
	"time"
)

// alike reports whether two values of one type make the same key: moments as such, what marshals
// itself by its text, and the rest part by part. nil and empty differ.
func alike(a, b reflect.Value) bool {
	if isNilable(a.Kind()) && (a.IsNil() || b.IsNil()) {
		return a.IsNil() && b.IsNil()
	}
	switch {
	case a.Kind() == reflect.Pointer, a.Kind() == reflect.Interface:
		return a.Elem().Type() == b.Elem().Type() && alike(a.Elem(), b.Elem())
	case a.CanInterface() && a.Type() == timeType:
		return a.Interface().(time.Time).Equal(b.Interface().(time.Time))
	case a.CanInterface() && isText(a.Type()):
		return sameText(a, b)
	}
	switch a.Kind() {
	case reflect.Struct:
		return allAlike(a.NumField(), a.Field, b.Field)
	case reflect.Slice, reflect.Array:
		return a.Len() == b.Len() && allAlike(a.Len(), a.Index, b.Index)
	case reflect.Map:
		return a.Len() == b.Len() && mapsAlike(a, b)
	}
	return a.Comparable() && a.Equal(b)
}

func isNilable(k reflect.Kind) bool {
	switch k {
	case reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Map:
		return true
	}
	return false
}

func allAlike(n int, a, b func(int) reflect.Value) bool {
	for i := range n {
		if !alike(a(i), b(i)) {
			return false
		}
	}
	return true
}

func mapsAlike(a, b reflect.Value) bool {
	for entry := a.MapRange(); entry.Next(); {
		if other := b.MapIndex(entry.Key()); !other.IsValid() || !alike(entry.Value(), other) {
			return false
		}
	}
	return true
}

func sameText(a, b reflect.Value) bool {
	one, err := textOf(a)
	other, otherErr := textOf(b)
	return err == nil && otherErr == nil && one == other
}
