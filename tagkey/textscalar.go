package tagkey

import (
	"encoding"
	"reflect"
)

// textScalar is a type that marshals itself. Text from a request takes the way
// through the type if it can unmarshal too, so that two spellings of one value
// meet; otherwise it is taken as it is.
type textScalar struct {
	typ   reflect.Type
	parse bool
}

func (s textScalar) fromValue(dst []byte, v reflect.Value) (_ []byte, err error) {
	if !v.CanAddr() { // the method may have a pointer receiver
		p := reflect.New(s.typ)
		p.Elem().Set(v)
		v = p.Elem()
	}
	return s.marshal(dst, v.Addr())
}

func (s textScalar) fromText(dst, text []byte) ([]byte, error) {
	if !s.parse {
		return append(dst, text...), nil
	}
	p := reflect.New(s.typ)
	if err := unmarshal(p, text); err != nil {
		return dst, &reason{text: "not a valid " + s.typ.String(), kind: ErrSyntax, cause: err}
	}
	return s.marshal(dst, p)
}

func unmarshal(p reflect.Value, text []byte) (err error) {
	defer catch(&err)
	return p.Interface().(encoding.TextUnmarshaler).UnmarshalText(text)
}

func (s textScalar) marshal(dst []byte, p reflect.Value) (_ []byte, err error) {
	defer catch(&err)
	text, err := p.Interface().(encoding.TextMarshaler).MarshalText()
	if err != nil {
		return dst, &reason{text: s.typ.String() + " does not marshal", kind: ErrMethod, cause: err}
	}
	return append(dst, text...), nil
}
