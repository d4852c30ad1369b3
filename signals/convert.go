package signals

import (
	"encoding"
	"reflect"
	"strconv"
	"time"
)

// A setter stores a model's value in a key field.
type setter func(dst, src reflect.Value) outcome

type outcome uint8

const (
	isSet   outcome = iota
	isNil           // the source is a nil pointer or an invalid sql.Null
	isUnfit         // the destination cannot hold the value: an overflow, a text that does not parse
)

var (
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	scanner         = reflect.TypeFor[interface{ Scan(value any) error }]()
	timeType        = reflect.TypeFor[time.Time]()
)

// compileSetter picks the conversion between two types once. It refuses every conversion that
// could give two values one key, or one value a key that differs from what a request builds. The
// error is a *flaw.
func compileSetter(src, dst reflect.Type) (setter, error) {
	switch {
	case src.Kind() == reflect.Pointer:
		return through(src.Elem(), dst, func(v reflect.Value) (reflect.Value, bool) {
			return v.Elem(), !v.IsNil()
		})
	case isNullable(src):
		return through(src.Field(0).Type, dst, func(v reflect.Value) (reflect.Value, bool) {
			return v.Field(0), v.Field(1).Bool()
		})
	case isNullable(dst):
		return intoNullable(src, dst)
	case dst.Kind() == reflect.Pointer:
		return intoPointer(src, dst)
	case src == dst:
		return func(dst, src reflect.Value) outcome { dst.Set(src); return isSet }, nil
	}
	return compileConversion(src, dst)
}

// through unwraps a pointer or a nullable struct.
func through(inner, dst reflect.Type, unwrap func(reflect.Value) (reflect.Value, bool)) (setter, error) {
	set, err := compileSetter(inner, dst)
	if err != nil {
		return nil, err
	}
	return func(dst, src reflect.Value) outcome {
		v, ok := unwrap(src)
		if !ok {
			return isNil
		}
		return set(dst, v)
	}, nil
}

func intoPointer(src, dst reflect.Type) (setter, error) {
	set, err := compileSetter(src, dst.Elem())
	if err != nil {
		return nil, err
	}
	return func(dst, src reflect.Value) outcome {
		p := reflect.New(dst.Type().Elem())
		out := set(p.Elem(), src)
		if out == isSet {
			dst.Set(p)
		}
		return out
	}, nil
}

func intoNullable(src, dst reflect.Type) (setter, error) {
	set, err := compileSetter(src, dst.Field(0).Type)
	if err != nil {
		return nil, err
	}
	return func(dst, src reflect.Value) outcome {
		out := set(dst.Field(0), src)
		dst.Field(1).SetBool(out == isSet)
		return out
	}, nil
}

// isNullable recognises sql.NullInt64, sql.Null[T], gorm.DeletedAt and their like by their shape:
// a value and a boolean Valid.
func isNullable(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.NumField() == 2 &&
		t.Field(0).IsExported() && t.Field(1).Name == "Valid" && t.Field(1).Type.Kind() == reflect.Bool
}

// isScanner reports whether a database fills values of the type, as it does sql.Null's.
func isScanner(t reflect.Type) bool { return reflect.PointerTo(t).Implements(scanner) }

func compileConversion(src, dst reflect.Type) (setter, error) {
	switch {
	case isInteger(src) && isInteger(dst):
		return integerSetter(src, dst), nil
	case dst.Kind() == reflect.String && isText(src):
		return setText, nil
	case dst.Kind() == reflect.String && isInteger(src):
		return integerToString(src), nil
	case src.Kind() == reflect.String && reflect.PointerTo(dst).Implements(textUnmarshaler):
		return setParsed, nil
	case src.Kind() == dst.Kind() && src.ConvertibleTo(dst):
		return func(dst, src reflect.Value) outcome { dst.Set(src.Convert(dst.Type())); return isSet }, nil
	case src.AssignableTo(dst):
		return func(dst, src reflect.Value) outcome { dst.Set(src); return isSet }, nil
	}
	return nil, flawf("give both one type, or make the rule with On", "%s does not become %s without loss", article(src), article(dst))
}

func isInteger(t reflect.Type) bool {
	return t.Kind() >= reflect.Int && t.Kind() <= reflect.Uintptr
}

// isText excludes time.Time: a request may spell one moment in many ways.
func isText(t reflect.Type) bool {
	return t != timeType && (t.Implements(textMarshaler) || reflect.PointerTo(t).Implements(textMarshaler))
}

func integerSetter(src, dst reflect.Type) setter {
	switch {
	case src.Kind() <= reflect.Int64 && dst.Kind() <= reflect.Int64:
		return func(dst, src reflect.Value) outcome { return setInt(dst, src.Int()) }
	case src.Kind() <= reflect.Int64:
		return func(dst, src reflect.Value) outcome {
			if src.Int() < 0 {
				return isUnfit
			}
			return setUint(dst, uint64(src.Int()))
		}
	case dst.Kind() <= reflect.Int64:
		return func(dst, src reflect.Value) outcome {
			if src.Uint() > 1<<63-1 {
				return isUnfit
			}
			return setInt(dst, int64(src.Uint()))
		}
	}
	return func(dst, src reflect.Value) outcome { return setUint(dst, src.Uint()) }
}

func setInt(dst reflect.Value, i int64) outcome {
	if dst.OverflowInt(i) {
		return isUnfit
	}
	dst.SetInt(i)
	return isSet
}

func setUint(dst reflect.Value, u uint64) outcome {
	if dst.OverflowUint(u) {
		return isUnfit
	}
	dst.SetUint(u)
	return isSet
}

func integerToString(src reflect.Type) setter {
	if src.Kind() <= reflect.Int64 {
		return func(dst, src reflect.Value) outcome {
			dst.SetString(strconv.FormatInt(src.Int(), 10))
			return isSet
		}
	}
	return func(dst, src reflect.Value) outcome {
		dst.SetString(strconv.FormatUint(src.Uint(), 10))
		return isSet
	}
}

func setText(dst, src reflect.Value) outcome {
	text, err := textOf(src)
	if err != nil {
		return isUnfit
	}
	dst.SetString(text)
	return isSet
}

func setParsed(dst, src reflect.Value) outcome {
	if dst.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(src.String())) != nil {
		return isUnfit
	}
	return isSet
}

func textOf(v reflect.Value) (string, error) {
	if !v.Type().Implements(textMarshaler) {
		v = addressable(v).Addr()
	}
	text, err := v.Interface().(encoding.TextMarshaler).MarshalText()
	return string(text), err
}

// addressable returns v, or a copy of it that has an address.
func addressable(v reflect.Value) reflect.Value {
	if v.CanAddr() {
		return v
	}
	p := reflect.New(v.Type()).Elem()
	p.Set(v)
	return p
}
