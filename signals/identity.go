package signals

import (
	"encoding/binary"
	"math"
	"reflect"
	"time"
)

// Two groups with equal identities are the same group. The converse need not hold: a group that
// is dropped twice costs a little, one that is taken for another would be lost. Therefore
// identities compare Go values, which is finer than the key bytes made of them, each one behind
// its length or a tag, so that no two values run together.

// identify appends what tells a group of the target apart but for Soft. false means that some field cannot be
// told (a map, an interface, a pointer cycle); such groups are never merged.
func (t *target) identify(dst []byte, g Group) ([]byte, bool) {
	key := reflect.ValueOf(g.Key).Elem()
	var ok bool
	for _, name := range g.Names {
		f, _ := t.field(name)
		dst = appendText(dst, name)
		if dst, ok = appendValue(dst, key.FieldByIndex(f.Index), 0); !ok {
			return dst, false
		}
	}
	return dst, true
}

const maxDepth = 8

func appendValue(dst []byte, v reflect.Value, depth int) ([]byte, bool) {
	switch {
	case depth > maxDepth:
		return dst, false
	case v.CanInt():
		return binary.BigEndian.AppendUint64(dst, uint64(v.Int())), true
	case v.CanUint():
		return binary.BigEndian.AppendUint64(dst, v.Uint()), true
	case v.CanFloat():
		return binary.BigEndian.AppendUint64(dst, math.Float64bits(v.Float())), true
	case v.Type() == timeType && v.CanInterface():
		return appendMoment(dst, v.Interface().(time.Time)), true
	}
	switch v.Kind() {
	case reflect.String:
		return appendText(dst, v.String()), true
	case reflect.Bool:
		return appendFlag(dst, v.Bool()), true
	case reflect.Pointer:
		if dst = appendFlag(dst, !v.IsNil()); v.IsNil() {
			return dst, true
		}
		return appendValue(dst, v.Elem(), depth+1)
	case reflect.Struct:
		return appendParts(dst, v.NumField(), v.Field, depth)
	case reflect.Array:
		return appendParts(dst, v.Len(), v.Index, depth)
	case reflect.Slice:
		dst = binary.BigEndian.AppendUint64(appendFlag(dst, !v.IsNil()), uint64(v.Len()))
		return appendParts(dst, v.Len(), v.Index, depth)
	}
	return dst, false
}

func appendParts(dst []byte, n int, part func(int) reflect.Value, depth int) ([]byte, bool) {
	var ok bool
	for i := range n {
		if dst, ok = appendValue(dst, part(i), depth+1); !ok {
			return dst, false
		}
	}
	return dst, true
}

// appendMoment appends the instant and the offset, whose seconds RFC 3339 would leave out.
func appendMoment(dst []byte, t time.Time) []byte {
	_, offset := t.Zone()
	return binary.BigEndian.AppendUint64(appendText(dst, t.UTC().Format(time.RFC3339Nano)), uint64(offset))
}

func appendText(dst []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint64(dst, uint64(len(s))), s...)
}

func appendFlag(dst []byte, b bool) []byte {
	if b {
		return append(dst, 1)
	}
	return append(dst, 0)
}
