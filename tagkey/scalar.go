package tagkey

import (
	"encoding"
	"math"
	"reflect"
	"strconv"
	"time"
)

// scalar knows one Go type whose values are single texts. Both methods append
// the canonical text: equal values give equal texts, and different ones different.
type scalar interface {
	// fromValue takes a value of the type itself, never a pointer to it.
	fromValue(dst []byte, v reflect.Value) ([]byte, error)
	// fromText takes what a request sent.
	fromText(dst, text []byte) ([]byte, error)
}

var (
	timeType        = reflect.TypeFor[time.Time]()
	marshalerType   = reflect.TypeFor[encoding.TextMarshaler]()
	unmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// isScalar reports whether newScalar takes t.
func isScalar(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Interface:
		return false
	case reflect.String, reflect.Bool,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64,
		reflect.Float32, reflect.Float64:
		return true
	}
	return reflect.PointerTo(t).Implements(marshalerType)
}

func newScalar(t reflect.Type) scalar {
	if t == timeType {
		return timeScalar{}
	}
	if p := reflect.PointerTo(t); p.Implements(marshalerType) {
		return textScalar{typ: t, parse: p.Implements(unmarshalerType)}
	}
	switch t.Kind() {
	case reflect.String:
		return stringScalar{}
	case reflect.Bool:
		return boolScalar{}
	case reflect.Float32, reflect.Float64:
		return floatScalar{t}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return uintScalar{t}
	}
	return intScalar{t}
}

type stringScalar struct{ lower bool }

func (s stringScalar) fromValue(dst []byte, v reflect.Value) ([]byte, error) {
	if !s.lower {
		return append(dst, v.String()...), nil
	}
	return appendText(dst, v.String(), true), nil
}

func (s stringScalar) fromText(dst, text []byte) ([]byte, error) {
	return appendText(dst, text, s.lower), nil
}

type boolScalar struct{}

func (boolScalar) fromValue(dst []byte, v reflect.Value) ([]byte, error) {
	return strconv.AppendBool(dst, v.Bool()), nil
}

func (boolScalar) fromText(dst, text []byte) ([]byte, error) {
	b, err := strconv.ParseBool(string(text))
	if err != nil {
		return dst, because(ErrSyntax, "not a bool")
	}
	return strconv.AppendBool(dst, b), nil
}

type intScalar struct{ typ reflect.Type }

func (s intScalar) fromValue(dst []byte, v reflect.Value) ([]byte, error) {
	return strconv.AppendInt(dst, v.Int(), 10), nil
}

func (s intScalar) fromText(dst, text []byte) ([]byte, error) {
	n, err := strconv.ParseInt(string(text), 10, s.typ.Bits())
	if err != nil {
		return dst, because(ErrSyntax, "not a number that fits into %s", s.typ)
	}
	return strconv.AppendInt(dst, n, 10), nil
}

type uintScalar struct{ typ reflect.Type }

func (s uintScalar) fromValue(dst []byte, v reflect.Value) ([]byte, error) {
	return strconv.AppendUint(dst, v.Uint(), 10), nil
}

func (s uintScalar) fromText(dst, text []byte) ([]byte, error) {
	n, err := strconv.ParseUint(string(text), 10, s.typ.Bits())
	if err != nil {
		return dst, because(ErrSyntax, "not a number that fits into %s", s.typ)
	}
	return strconv.AppendUint(dst, n, 10), nil
}

// floatScalar writes the shortest text that parses to the same bits. The two
// zeros are equal in Go, so they are here.
type floatScalar struct{ typ reflect.Type }

func (s floatScalar) fromValue(dst []byte, v reflect.Value) ([]byte, error) {
	return s.append(dst, v.Float()), nil
}

func (s floatScalar) fromText(dst, text []byte) ([]byte, error) {
	f, err := strconv.ParseFloat(string(text), s.typ.Bits())
	if err != nil {
		return dst, because(ErrSyntax, "not a number that fits into %s", s.typ)
	}
	return s.append(dst, f), nil
}

func (s floatScalar) append(dst []byte, f float64) []byte {
	if f == 0 {
		f = math.Abs(f)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, s.typ.Bits())
}

// exact is the first integer that a float of the type may have been rounded to.
func (s floatScalar) exact() float64 {
	if s.typ.Bits() == 32 {
		return 1 << 24
	}
	return 1 << 53
}

// timeScalar writes the instant: two times in two zones are one.
type timeScalar struct{}

func (timeScalar) fromValue(dst []byte, v reflect.Value) ([]byte, error) {
	if v.CanAddr() { // spares the copy that Interface makes
		return appendTime(dst, *v.Addr().Interface().(*time.Time)), nil
	}
	return appendTime(dst, v.Interface().(time.Time)), nil
}

func (timeScalar) fromText(dst, text []byte) ([]byte, error) {
	var t time.Time
	if err := t.UnmarshalText(text); err != nil {
		return dst, because(ErrSyntax, "not a time as RFC 3339 writes it")
	}
	return appendTime(dst, t), nil
}

func appendTime(dst []byte, t time.Time) []byte { return t.UTC().AppendFormat(dst, time.RFC3339Nano) }
