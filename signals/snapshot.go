package signals

import (
	"reflect"
	"slices"
)

// snapshot copies the instances of a change as far as rules read them: the structs, whatever the
// rules' paths reach through pointers, and the slices and maps at their ends. What lies behind
// others is shared, which matters only to functions that read it.
func (r *registry) snapshot(c Change) Change {
	m := r.models[c.Model]
	c.New = m.copyOf(c.New, c.Model)
	c.Old = m.copyOf(c.Old, c.Model)
	return c
}

func (m *model) copyOf(instance any, typ reflect.Type) any {
	from := newImage(instance, nil, typ)
	if !from.v.IsValid() {
		return instance
	}
	to := reflect.New(typ)
	to.Elem().Set(from.v)
	if m != nil {
		for _, index := range m.shared {
			unshare(to.Elem(), index)
		}
	}
	return to.Interface()
}

// unshare gives the field at index what it points to as its own. Outer pointers come first, so all
// structs on the way are copies already.
func unshare(v reflect.Value, index []int) {
	for _, i := range index {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	if v.CanSet() {
		v.Set(own(v))
	}
}

// own copies what a pointer, a slice or a map leads to; other values are copies already.
func own(v reflect.Value) reflect.Value {
	if !isNilable(v.Kind()) || v.IsNil() {
		return v
	}
	switch v.Kind() {
	case reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		p.Elem().Set(own(v.Elem()))
		return p
	case reflect.Slice:
		s := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(s, v)
		return s
	case reflect.Map:
		m := reflect.MakeMapWithSize(v.Type(), v.Len())
		for entry := v.MapRange(); entry.Next(); {
			m.SetMapIndex(entry.Key(), entry.Value())
		}
		return m
	}
	return v
}

// addShared notes every pointer on the paths of a rule, and the slice or map at their ends.
func (m *model) addShared(r *rule) {
	for _, p := range r.paths() {
		typ := r.model
		for n, i := range p.index {
			typ = structType(typ).Field(i).Type
			index := p.index[:n+1]
			known := slices.ContainsFunc(m.shared, func(x []int) bool { return slices.Equal(x, index) })
			if isNilable(typ.Kind()) && !known {
				m.shared = append(m.shared, index)
			}
		}
	}
}
