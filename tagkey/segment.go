package tagkey

import (
	"reflect"
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
			return reflect.Value{}, nil
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
	return reflect.Value{}, because(ErrLookup, "%s has no field, key or method %q", v.Type(), s.name)
}

func (s *segment) way(t reflect.Type) *way {
	if w, ok := s.ways.Load(t); ok {
		return w.(*way)
	}
	w := &way{method: findMethod(reflect.PointerTo(t), s.name)}
	switch t.Kind() {
	case reflect.Struct:
		w.field = findField(t, s.name)
	case reflect.Map:
		if t.Key().Kind() == reflect.String {
			w.key = reflect.ValueOf(s.name).Convert(t.Key())
		}
	}
	kept, _ := s.ways.LoadOrStore(t, w)
	return kept.(*way)
}

// findField finds an exported field, promoted ones included: the exact name,
// else the only one that differs in case.
func findField(t reflect.Type, name string) []int {
	if f, ok := t.FieldByName(name); ok && f.IsExported() {
		return f.Index
	}
	f, ok := t.FieldByNameFunc(func(n string) bool { return isExported(n) && strings.EqualFold(n, name) })
	if !ok {
		return nil
	}
	return f.Index
}

func isExported(name string) bool {
	r, _ := utf8.DecodeRuneInString(name)
	return unicode.IsUpper(r)
}

// findMethod finds a method without arguments that returns a value, or a value
// and an error: the exact name, else the only one that differs in case.
func findMethod(pointer reflect.Type, name string) int {
	if m, ok := pointer.MethodByName(name); ok && isGetter(m.Type) {
		return m.Index
	}
	index := -1
	for i := range pointer.NumMethod() {
		m := pointer.Method(i)
		if !strings.EqualFold(m.Name, name) || !isGetter(m.Type) {
			continue
		}
		if index >= 0 {
			return -1
		}
		index = i
	}
	return index
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
