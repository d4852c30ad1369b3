package tagkey

import (
	"bytes"
	"reflect"
	"slices"
)

// form writes the value of a field after its label: from a value of the field's
// type, or from what the source of the field has gathered in the key's memory. An
// absent value is the absent marker and nothing else.
type form interface {
	value(k *Key, dst []byte, v reflect.Value) ([]byte, error)
	gathered(k *Key, dst []byte) ([]byte, error)
}

// scalarForm is a scalar, or a pointer to one that is nil when the value is absent.
type scalarForm struct {
	scalar
	pointer bool
	nilable bool // a value may be nil: a pointer, or a type such as net.IP
}

// newScalarForm is the form of the scalar type t, or of a pointer to it.
func newScalarForm(t reflect.Type, s scalar, pointer bool) *scalarForm {
	nilable := pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map
	return &scalarForm{scalar: s, pointer: pointer, nilable: nilable}
}

func (f *scalarForm) value(_ *Key, dst []byte, v reflect.Value) ([]byte, error) {
	if f.nilable {
		var ok bool
		if v, ok = present(v, f.pointer); !ok {
			return append(dst, absent), nil
		}
	}
	dst, frame := openFrame(dst)
	dst, err := f.fromValue(dst, v)
	if err != nil {
		return dst, err
	}
	return closeFrame(dst, frame), nil
}

// present follows a pointer and reports whether there is a value. Types that
// marshal themselves may be nil without a pointer, as net.IP.
func present(v reflect.Value, pointer bool) (reflect.Value, bool) {
	if pointer {
		if v.IsNil() {
			return v, false
		}
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		return v, !v.IsNil()
	}
	return v, true
}

func (f *scalarForm) gathered(k *Key, dst []byte) ([]byte, error) {
	switch len(k.texts) {
	case 0:
		return append(dst, absent), nil
	case 1:
		return appendElement(dst, f.scalar, k.text(k.texts[0]))
	}
	return dst, because(ErrRepeated, "has %d values; use a slice to key on all of them", len(k.texts))
}

func appendElement(dst []byte, s scalar, text []byte) ([]byte, error) {
	dst, frame := openFrame(dst)
	dst, err := s.fromText(dst, text)
	if err != nil {
		return dst, err
	}
	return closeFrame(dst, frame), nil
}

// listForm is a slice of scalars or of pointers to them. A nil slice is absent.
type listForm struct {
	scalar
	pointer, sorted bool
}

// value brings the elements into the arena, whence they are written as those of
// a request are.
func (f *listForm) value(k *Key, dst []byte, v reflect.Value) ([]byte, error) {
	if v.IsNil() {
		return append(dst, absent), nil
	}
	k.texts, k.hasList = k.texts[:0], true
	for i := range v.Len() {
		element, ok := present(v.Index(i), f.pointer)
		if !ok {
			k.texts = append(k.texts, span{-1, -1})
			continue
		}
		from := len(k.arena)
		var err error
		if k.arena, err = f.fromValue(k.arena, element); err != nil {
			return dst, err
		}
		k.texts = append(k.texts, span{from, len(k.arena)})
	}
	return f.write(k, dst), nil
}

func (f *listForm) gathered(k *Key, dst []byte) ([]byte, error) {
	if len(k.texts) == 0 && !k.hasList {
		return append(dst, absent), nil
	}
	for i, text := range k.texts {
		from := len(k.arena)
		var err error
		if k.arena, err = f.fromText(k.arena, k.text(text)); err != nil {
			return dst, err
		}
		k.texts[i] = span{from, len(k.arena)}
	}
	return f.write(k, dst), nil
}

// write writes the canonical texts.
func (f *listForm) write(k *Key, dst []byte) []byte {
	if f.sorted {
		slices.SortFunc(k.texts, func(a, b span) int { return compareTexts(k, a, b) })
	}
	dst = openList(dst, len(k.texts))
	for _, text := range k.texts {
		if text.from < 0 {
			dst = append(dst, absent)
			continue
		}
		dst = appendFramed(dst, k.text(text))
	}
	return append(dst, ']')
}

// compareTexts puts absent elements first.
func compareTexts(k *Key, a, b span) int {
	if a.from < 0 || b.from < 0 {
		return btoi(b.from < 0) - btoi(a.from < 0)
	}
	return bytes.Compare(k.text(a), k.text(b))
}
