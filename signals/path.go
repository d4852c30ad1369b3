package signals

import (
	"reflect"
	"slices"
	"strings"
	"sync"
)

// path is a dotted Go path into a model, compiled to field indexes.
type path struct {
	name   string       // as Go selects it, without embedded structs: "ID"
	full   string       // with every embedded struct: "Model.ID"
	index  []int        // one hop a struct; pointers between them are followed
	fields selectors    // of the model
	typ    reflect.Type // of the field at the end
	direct bool         // no named struct lies between: the field belongs to the row itself
}

// compilePath resolves a path as a Go selector would, promotion through embedded structs
// included. The error is a *flaw.
func compilePath(model reflect.Type, text string) (*path, error) {
	p, hops, err := resolve(model, text)
	if err != nil {
		return nil, err
	}
	var named, full []string
	for i, hop := range hops {
		full = append(full, hop.Name)
		if last := i == len(hops)-1; last || !hop.Anonymous {
			named = append(named, hop.Name)
			p.direct = last && len(named) == 1
		}
	}
	p.full, p.name = strings.Join(full, "."), strings.Join(named, ".")
	// A field of the same name further out hides an embedded one: then only the full path means it.
	if promoted, _, err := resolve(model, p.name); err != nil || !slices.Equal(promoted.index, p.index) {
		p.name = p.full
	}
	return p, nil
}

// resolve follows a path and returns every field on the way, embedded ones included.
func resolve(model reflect.Type, text string) (*path, []reflect.StructField, error) {
	p := &path{typ: model, fields: selectorsOf(model)}
	var hops []reflect.StructField
	for segment := range strings.SplitSeq(text, ".") {
		owner := structType(p.typ)
		field, err := findField(owner, segment)
		if err != nil {
			return nil, nil, err
		}
		for _, i := range field.Index {
			hop := structType(owner).Field(i)
			hops, owner = append(hops, hop), hop.Type
		}
		p.index, p.typ = append(p.index, field.Index...), field.Type
	}
	return p, hops, nil
}

func findField(owner reflect.Type, name string) (reflect.StructField, error) {
	if owner.Kind() != reflect.Struct {
		return reflect.StructField{}, flawf("end the path before it", "%s is no struct and has no field %q", owner, name)
	}
	field, ok := owner.FieldByName(name)
	switch {
	case !ok:
		return field, flawf(choices(name, fieldNames(owner)), "%s has no field %q", typeName(owner), name)
	case !field.IsExported():
		return field, flawf("export it, or name another field", "%s.%s is not exported", typeName(owner), name)
	}
	return field, nil
}

func fieldNames(t reflect.Type) []string {
	var names []string
	for _, f := range reflect.VisibleFields(t) {
		if f.IsExported() && !f.Anonymous {
			names = append(names, f.Name)
		}
	}
	return names
}

// get reads the field; false means that a pointer on the way is nil.
func (p *path) get(v reflect.Value) (reflect.Value, bool) {
	for _, i := range p.index {
		for v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return reflect.Value{}, false
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v, true
}

// in reports whether a list of known fields holds the whole of what p reads. Nil lists everything.
func (p *path) in(known []string) bool {
	return known == nil || slices.ContainsFunc(known, func(f string) bool { return p.placeOf(f) == within })
}

// touchedBy reports whether setting one of fields can change what p reads. A name that means no
// field of the model may mean any.
func (p *path) touchedBy(fields []string) bool {
	return slices.ContainsFunc(fields, func(f string) bool { return p.placeOf(f) != apart })
}

// place says where what a path reads lies, seen from a field.
type place uint8

const (
	apart   place = iota // elsewhere
	within               // it is the field, or a part of it
	around               // the field is a part of it
	nowhere              // the model has no such field
)

// placeOf compares indexes, since a selector may name or leave out each embedded struct on its
// way: TeamID, Base.TeamID and Model.Base.TeamID are one field.
func (p *path) placeOf(name string) place {
	if name == p.name {
		return within
	}
	fields, rest := p.fields, p.index
	for {
		segment, deeper, more := strings.Cut(name, ".")
		f, ok := fields[segment]
		if !ok {
			return nowhere
		}
		n := min(len(f.index), len(rest))
		switch {
		case !slices.Equal(f.index[:n], rest[:n]):
			return apart
		case len(f.index) > n, n == len(rest) && more:
			return around
		case !more:
			return within
		}
		fields, rest, name = selectorsOf(f.typ), rest[n:], deeper
	}
}

// selectors are the fields of a struct by the names that select them, promoted ones included.
type selectors map[string]selected

type selected struct {
	index []int
	typ   reflect.Type
}

var knownSelectors sync.Map // reflect.Type -> selectors

func selectorsOf(t reflect.Type) selectors {
	t = structType(t)
	if known, ok := knownSelectors.Load(t); ok {
		return known.(selectors)
	}
	made := selectors{}
	if t.Kind() == reflect.Struct {
		for _, f := range reflect.VisibleFields(t) {
			made[f.Name] = selected{f.Index, f.Type}
		}
	}
	kept, _ := knownSelectors.LoadOrStore(t, made)
	return kept.(selectors)
}

// touches reports whether setting one of fields can change what the dotted path reads: a field
// equal to it, a struct that holds it, or a part of it.
func touches(fields []string, path string) bool {
	for _, f := range fields {
		if covers(f, path) || covers(path, f) {
			return true
		}
	}
	return false
}

// covers reports whether the field named outer is, or holds, the one that path names.
func covers(outer, path string) bool {
	rest, ok := strings.CutPrefix(path, outer)
	return ok && (rest == "" || rest[0] == '.')
}
