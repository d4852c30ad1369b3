package tagkey

import (
	"math"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// lookup finds the value of a request field: the first segment is a key of the
// context, each other leads on from the value found so far.
type lookup struct {
	name     string
	root     string
	segments []*segment
	list     bool // the field is a slice
	decimal  bool // the field is no float: whole floats are written as integers
}

func newLookup(name string, f form) *lookup {
	parts := strings.Split(name, ".")
	l := &lookup{name: name, root: parts[0], decimal: true}
	for _, part := range parts[1:] {
		l.segments = append(l.segments, &segment{name: part})
	}
	var sc scalar
	switch f := f.(type) {
	case *scalarForm:
		sc = f.scalar
	case *listForm:
		sc, l.list = f.scalar, true
	}
	if _, ok := sc.(floatScalar); ok {
		l.decimal = false
	}
	return l
}

// gather finds the value and writes its text, or one for each element, into the
// key's arena. The context and the methods on the way are foreign code.
func (l *lookup) gather(k *Key, values Values) (err error) {
	defer catch(&err)
	if values == nil {
		return nil
	}
	v := deref(reflect.ValueOf(values.Get(l.root)))
	for _, s := range l.segments {
		if !v.IsValid() {
			return nil
		}
		if v, err = s.follow(v); err != nil {
			return err
		}
		v = deref(v)
	}
	if !v.IsValid() {
		return nil
	}
	return l.found(k, v)
}

// deref follows pointers and interfaces; nil gives the invalid value. The bound
// is for a pointer that points to itself.
func deref(v reflect.Value) reflect.Value {
	for range 16 {
		if v.Kind() != reflect.Pointer && v.Kind() != reflect.Interface {
			return v
		}
		if v.IsNil() {
			return reflect.Value{}
		}
		v = v.Elem()
	}
	return reflect.Value{}
}

func (l *lookup) found(k *Key, v reflect.Value) error {
	t := v.Type()
	several := (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) && !isScalar(t)
	switch {
	case several && !l.list:
		return because(ErrType, "the context has %s at %q; use a slice field", article(t), l.name)
	case several:
		return l.foundList(k, v)
	case l.list:
		return because(ErrType, "the context has %s at %q, no slice", article(t), l.name)
	}
	return l.foundScalar(k, v)
}

func (l *lookup) foundList(k *Key, v reflect.Value) error {
	k.hasList = v.Kind() == reflect.Array || !v.IsNil()
	for i := range v.Len() {
		element := deref(v.Index(i))
		if !element.IsValid() {
			return because(ErrType, "the context has nil in the slice at %q", l.name)
		}
		n := len(k.texts)
		if err := l.foundScalar(k, element); err != nil {
			return err
		}
		if len(k.texts) == n {
			return because(ErrType, "the context has nil in the slice at %q", l.name)
		}
	}
	return nil
}

func (l *lookup) foundScalar(k *Key, v reflect.Value) error {
	sc, ok := foundScalarOf(v.Type())
	if !ok {
		if embedded, other := promotedPast(v.Type()); other != "" {
			return because(ErrType, "the context has %s at %q, and its MarshalText is that of the embedded %s, which leaves out %s",
				article(v.Type()), l.name, embedded, other)
		}
		return because(ErrType, "the context has %s at %q; a key takes scalars", article(v.Type()), l.name)
	}
	v, ok = present(v, false)
	if !ok {
		return nil
	}
	from := len(k.arena)
	var err error
	if f, isFloat := sc.(floatScalar); isFloat && l.decimal {
		k.arena, err = l.appendDecimal(k.arena, f, v.Float())
	} else {
		k.arena, err = sc.fromValue(k.arena, v)
	}
	k.texts = append(k.texts, span{from, len(k.arena)})
	return err
}

// appendDecimal writes a float for a field that is none, as for a number in the
// claims of a token, which encoding/json makes a float64. From 2^53 on, two
// numbers may have become one: two users must not.
func (l *lookup) appendDecimal(dst []byte, f floatScalar, x float64) ([]byte, error) {
	if x != math.Trunc(x) {
		return f.append(dst, x), nil
	}
	if math.Abs(x) >= f.exact() {
		return dst, because(ErrType, "the context has a float at %q that is too large to be exact", l.name)
	}
	return strconv.AppendInt(dst, int64(x), 10), nil
}

// scalars keeps what foundScalarOf finds: a scalar, or nil.
var scalars sync.Map // reflect.Type -> scalar

func foundScalarOf(t reflect.Type) (scalar, bool) {
	if cached, ok := scalars.Load(t); ok {
		sc, ok := cached.(scalar)
		return sc, ok
	}
	if !isScalar(t) || promotionFlaw(t) != nil {
		scalars.Store(t, nil)
		return nil, false
	}
	sc := newScalar(t)
	scalars.Store(t, sc)
	return sc, true
}
