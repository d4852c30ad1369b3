package tagkey

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// argForm chooses the form of an arg field, which no request has to fill: so
// its type may be nested as well.
func argForm(t reflect.Type, tg tag) (form, *flaw) {
	if f, fl := plainForm(t, tg); !isBytes(t) && (fl == nil || isPlain(t)) {
		return f, fl
	}
	switch {
	case tg.sorted:
		return nil, &flaw{`flag "sorted" is for slices of scalars, not for ` + t.String(), `drop "sorted"`}
	case tg.lower:
		return nil, &flaw{`flag "lower" is for strings, not for ` + t.String(), `drop "lower"`}
	}
	w, fl := newWriter(t, nil)
	return &treeForm{w}, fl
}

// supportedArg is what an arg field's type may be.
const supportedArg = "use a scalar, a slice, an array, a map with string keys or a struct of these, or implement encoding.TextMarshaler"

func isBytes(t reflect.Type) bool {
	return (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) && t.Elem().Kind() == reflect.Uint8 && !isScalar(t) && !isScalarMarshaler(t.Elem())
}

func isScalarMarshaler(t reflect.Type) bool { return reflect.PointerTo(t).Implements(marshalerType) }

// treeForm is the form of a nested value: a tree, since recursive types are refused.
type treeForm struct{ writer }

func (f *treeForm) value(_ *Key, dst []byte, v reflect.Value) ([]byte, error) { return f.write(dst, v) }

func (*treeForm) gathered(*Key, []byte) ([]byte, error) {
	return nil, because(ErrArgument, "an arg field has no value in a request")
}

// writer writes a value of one type, self-delimiting.
type writer interface {
	write(dst []byte, v reflect.Value) ([]byte, error)
}

// newWriter compiles the writer of a type; around are the types that it stands in.
func newWriter(t reflect.Type, around []reflect.Type) (writer, *flaw) {
	if slices.Contains(around, t) {
		return nil, &flaw{"type " + t.String() + " is recursive", "implement encoding.TextMarshaler"}
	}
	around = append(slices.Clone(around), t)
	switch {
	case isScalar(t):
		return scalarWriter{newScalarForm(t, newScalar(t), false)}, promotionFlaw(t)
	case isBytes(t):
		return bytesWriter{}, nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		inner, fl := newWriter(t.Elem(), around)
		return pointerWriter{inner}, fl
	case reflect.Slice, reflect.Array:
		inner, fl := newWriter(t.Elem(), around)
		return listWriter{inner}, fl
	case reflect.Map:
		return newMapWriter(t, around)
	case reflect.Struct:
		return newStructWriter(t, around)
	}
	return nil, &flaw{"type " + t.String() + " is not supported", supportedArg}
}

type scalarWriter struct{ *scalarForm }

func (w scalarWriter) write(dst []byte, v reflect.Value) ([]byte, error) {
	return w.value(nil, dst, v)
}

type bytesWriter struct{}

func (bytesWriter) write(dst []byte, v reflect.Value) ([]byte, error) {
	if v.Kind() == reflect.Slice {
		if v.IsNil() {
			return append(dst, absent), nil
		}
		return appendFramed(dst, v.Bytes()), nil
	}
	dst, frame := openFrame(dst)
	for i := range v.Len() {
		dst = append(dst, byte(v.Index(i).Uint()))
	}
	return closeFrame(dst, frame), nil
}

// pointerWriter writes what is pointed to. A pointer to a nil pointer or slice
// would look like a nil pointer, so what is there is put into a list.
type pointerWriter struct{ inner writer }

func (w pointerWriter) write(dst []byte, v reflect.Value) ([]byte, error) {
	if v.IsNil() {
		return append(dst, absent), nil
	}
	v = v.Elem()
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		dst, err := w.inner.write(openList(dst, 1), v)
		return append(dst, ']'), err
	}
	return w.inner.write(dst, v)
}

type listWriter struct{ inner writer }

func (w listWriter) write(dst []byte, v reflect.Value) (_ []byte, err error) {
	if v.Kind() == reflect.Slice && v.IsNil() {
		return append(dst, absent), nil
	}
	dst = openList(dst, v.Len())
	for i := range v.Len() {
		if dst, err = w.inner.write(dst, v.Index(i)); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

// mapWriter sorts the names, so that the order of a Go map does not matter.
type mapWriter struct{ inner writer }

func newMapWriter(t reflect.Type, around []reflect.Type) (writer, *flaw) {
	if t.Key().Kind() != reflect.String || isScalarMarshaler(t.Key()) {
		return nil, &flaw{"type " + t.String() + " has keys that are no strings", "use string keys, or implement encoding.TextMarshaler"}
	}
	inner, fl := newWriter(t.Elem(), around)
	return mapWriter{inner}, fl
}

func (w mapWriter) write(dst []byte, v reflect.Value) (_ []byte, err error) {
	if v.IsNil() {
		return append(dst, absent), nil
	}
	names := v.MapKeys()
	slices.SortFunc(names, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	dst = openMap(dst, len(names))
	for _, name := range names {
		dst = appendFramed(dst, name.String())
		if dst, err = w.inner.write(dst, v.MapIndex(name)); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// structWriter writes a struct as a map of its fields, with their names: a
// renamed or added field changes the key, as it changes what is meant.
type structWriter struct{ fields []structField }

type structField struct {
	name  []byte // framed
	index int
	inner writer
}

func newStructWriter(t reflect.Type, around []reflect.Type) (writer, *flaw) {
	var w structWriter
	for i := range t.NumField() {
		sf := t.Field(i)
		if sf.Name == "_" || sf.Tag.Get(tagName) == "-" {
			continue
		}
		if !sf.IsExported() {
			return nil, &flaw{"type " + t.String() + " has an unexported field " + strconv.Quote(sf.Name), "export it, or implement encoding.TextMarshaler, or leave it out by restflow:\"-\""}
		}
		inner, fl := newWriter(sf.Type, around)
		if fl != nil {
			return nil, fl
		}
		w.fields = append(w.fields, structField{appendFramed(nil, sf.Name), i, inner})
	}
	return w, nil
}

func (w structWriter) write(dst []byte, v reflect.Value) (_ []byte, err error) {
	dst = openMap(dst, len(w.fields))
	for _, f := range w.fields {
		dst = append(dst, f.name...)
		if dst, err = f.inner.write(dst, v.Field(f.index)); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}
