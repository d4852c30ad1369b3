package tagkey

import (
	"reflect"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// segment is one step of a request path. Where it leads depends on the concrete
// type that it meets; that is worked out once a type.
type segment struct {
	name string
	ways sync.Map // reflect.Type -> *way
}

// way leads from a value of one type to the next.
type way struct {
	field  []int         // of a struct
	key    reflect.Value // of a map
	method int           // of the pointer type; -1 for none
}

var errorType = reflect.TypeFor[error]()

// follow takes one step from a value that is neither a pointer nor an interface.
// The invalid value means absent.
func (s *segment) follow(v reflect.Value) (reflect.Value, error) {
	w := s.way(v.Type())
	if w.field != nil {
		field, err := v.FieldByIndexErr(w.field)
		if err != nil { // a nil pointer to an embedded struct
			return reflect.Value{}, nil //nolint:nilerr // what it would hold is absent
		}
		return field, nil
	}
	if w.key.IsValid() {
		if value := v.MapIndex(w.key); value.IsValid() || w.method < 0 {
			return value, nil
		}
	}
	if w.method >= 0 {
		return s.call(v, w.method)
	}
	return reflect.Value{}, because(ErrLookup, "%q names no single field, key or method of %s", s.name, v.Type())
}

func (s *segment) way(t reflect.Type) *way {
	if w, ok := s.ways.Load(t); ok {
		return w.(*way)
	}
	w := &way{method: -1}
	w.find(t, s.name)
	kept, _ := s.ways.LoadOrStore(t, w)
	return kept.(*way)
}

// find looks for a name in a type: as a field, promoted ones included, a map key
// or a method. The exact name goes before one that differs in case, and there
// must be only one: also where a method hides a promoted field of its name.
func (w *way) find(t reflect.Type, name string) {
	if t.Kind() == reflect.Map && t.Key().Kind() == reflect.String {
		w.key = reflect.ValueOf(name).Convert(t.Key())
	}
	exact := func(n string) bool { return n == name }
	folded := func(n string) bool { return strings.EqualFold(n, name) }
	for _, match := range []func(string) bool{exact, folded} {
		fields, getters := fieldsOf(t, match), gettersOf(reflect.PointerTo(t), match)
		switch found := len(fields) + len(getters); {
		case found == 0:
			continue
		case found > 1: // nothing says which
		case len(fields) > 0:
			w.field = fields[0].Index
		default:
			w.method = getters[0].Index
		}
		return
	}
}

func isExported(name string) bool {
	r, _ := utf8.DecodeRuneInString(name)
	return unicode.IsUpper(r)
}

// fieldsOf are the exported fields of a struct that a selector reaches by a matching name.
func fieldsOf(t reflect.Type, match func(string) bool) (fields []reflect.StructField) {
	if t.Kind() != reflect.Struct {
		return nil
	}
	return slices.DeleteFunc(reflect.VisibleFields(t), func(f reflect.StructField) bool {
		return !match(f.Name) || !isExported(f.Name)
	})
}

// gettersOf are the methods with a matching name that have no arguments and
// return a value, or a value and an error.
func gettersOf(pointer reflect.Type, match func(string) bool) (getters []reflect.Method) {
	for i := range pointer.NumMethod() {
		if m := pointer.Method(i); match(m.Name) && isGetter(m.Type) {
			getters = append(getters, m)
		}
	}
	return getters
}

// isGetter looks at a method's type, whose first argument is the receiver.
func isGetter(t reflect.Type) bool {
	return t.NumIn() == 1 && (t.NumOut() == 1 || t.NumOut() == 2 && t.Out(1) == errorType)
}

// call calls a method. An error that it returns is one, not absence: a failure
// to tell who asks must not look like nobody asking.
func (s *segment) call(v reflect.Value, method int) (reflect.Value, error) {
	if !v.CanAddr() {
		p := reflect.New(v.Type())
		p.Elem().Set(v)
		v = p.Elem()
	}
	results := v.Addr().Method(method).Call(nil)
	if len(results) == 2 && !results[1].IsNil() {
		cause := results[1].Interface().(error)
		return reflect.Value{}, &reason{text: "method " + s.name + " returned an error", kind: ErrMethod, cause: cause}
	}
	return results[0], nil
}
