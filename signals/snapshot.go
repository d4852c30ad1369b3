package signals

import (
	"reflect"
	"slices"
)

// snapshot copies the instances of a change as far as rules read them: the structs, and whatever
// the rules' paths reach through pointers. What lies behind other pointers, slices and maps is
// shared, which matters only to functions that read it.
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
		for _, index := range m.pointers {
			copyPointee(to.Elem(), index)
		}
	}
	return to.Interface()
}

// copyPointee gives the pointer field at index a pointee of its own. Outer pointers come first,
// so all structs on the way are copies already.
func copyPointee(v reflect.Value, index []int) {
	for _, i := range index {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	if !v.IsNil() && v.CanSet() {
		p := reflect.New(v.Type().Elem())
		p.Elem().Set(v.Elem())
		v.Set(p)
	}
}

// addPointers notes every pointer on the paths of a rule.
func (m *model) addPointers(r *rule) {
	for _, p := range r.paths() {
		typ := r.model
		for n, i := range p.index {
			typ = structType(typ).Field(i).Type
			index := p.index[:n+1]
			known := slices.ContainsFunc(m.pointers, func(x []int) bool { return slices.Equal(x, index) })
			if typ.Kind() == reflect.Pointer && !known {
				m.pointers = append(m.pointers, index)
			}
		}
	}
}
