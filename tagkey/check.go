package tagkey

import "reflect"

// newStep makes the step of a tagged field, or says why its tag, its type and
// its name do not go together. GoName and Index are the caller's to set.
func newStep(t tag, sf reflect.StructField) (step, *flaw) {
	s := step{Field: Field{
		Name: t.name, Source: t.source, SourceName: t.name, Type: sf.Type,
		Partition: t.partition, Hash: t.hash, Optional: t.optional, Sorted: t.sorted, Lower: t.lower, Ignore: t.ignore,
	}}
	if f := checkFlags(t); f != nil {
		return s, f
	}
	switch t.source {
	case sourceNamespace, sourceVersion, sourceConst:
		return s.withoutValue(sf)
	case sourceSchema:
		if t.name == "" {
			s.Name, s.SourceName = sf.Type.String(), sf.Type.String()
		}
		s.prepare()
		return s, nil
	}
	if sf.Name == "_" {
		return s, &flaw{"a blank field holds no value", "give the field a name"}
	}
	if !sf.IsExported() {
		return s, &flaw{"the field is not exported", "begin its name with a capital letter"}
	}
	return s.withValue(t)
}

// withoutValue finishes a field that only carries its tag.
func (s step) withoutValue(sf reflect.StructField) (step, *flaw) {
	if sf.Type.Kind() != reflect.Struct || sf.Type.NumField() > 0 {
		return s, &flaw{"type " + sf.Type.String() + " would hold a value, and " + s.Source + " has none", "use _ struct{}"}
	}
	s.prepare()
	return s, nil
}

// withValue finishes a field that has a value in K.
func (s step) withValue(t tag) (step, *flaw) {
	form, f := formFor(s.Type, t)
	if f != nil {
		return s, f
	}
	if t.name == everything && takesEverything(t.source) {
		s.Name = t.source
	}
	s.form = form
	s.prepare()
	return s, nil
}

// checkFlags refuses flags that mean nothing at a source.
func checkFlags(t tag) *flaw {
	all := t.name == everything && takesEverything(t.source)
	switch t.source {
	case sourceNamespace, sourceVersion, sourceConst, sourceSchema:
		if t.partition || t.hash || t.optional || t.sorted || t.lower || t.ignore != nil {
			return &flaw{t.source + " takes no flags", "drop them"}
		}
	}
	switch {
	case t.ignore != nil && (t.source != sourceQuery || !all):
		return &flaw{`flag "ignore=" is for "query,*"`, "drop the flag, or leave the field out"}
	case t.optional && all:
		return &flaw{"all parameters together are never absent", `drop "optional"`}
	case t.optional && t.source == sourceRequest && isBuiltIn(t.name):
		return &flaw{"request," + t.name + " is never absent", `drop "optional"`}
	case t.sorted && t.source == sourcePath:
		return &flaw{"a path parameter has one value", `drop "sorted"`}
	}
	return nil
}

// supported is what a field's type may be.
const supported = "use a string, a bool, an integer, a float, time.Time, an encoding.TextMarshaler, a pointer to one of these or a slice of them"

// formFor chooses how a field's value stands in the key.
func formFor(t reflect.Type, tg tag) (form, *flaw) {
	switch {
	case tg.source == sourceArg:
		return argForm(t, tg)
	case tg.name == everything && takesEverything(tg.source):
		return newValuesForm(t, tg)
	case isValues(t):
		return nil, &flaw{"type " + t.String() + " holds all parameters", nameMends[tg.source] + ", or use a slice for several values"}
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 && !isScalar(t):
		return nil, &flaw{"type " + t.String() + " is not supported from a request", "use string, which holds any bytes"}
	}
	form, f := plainForm(t, tg)
	if f != nil {
		return nil, f
	}
	return form, checkSource(t, form, tg)
}

// plainType takes a scalar, a pointer to one, or a slice of either apart.
func plainType(t reflect.Type) (base reflect.Type, slice, pointer bool) {
	slice = t.Kind() == reflect.Slice && !isScalar(t)
	if slice {
		t = t.Elem()
	}
	pointer = t.Kind() == reflect.Pointer
	if pointer {
		t = t.Elem()
	}
	return t, slice, pointer
}

func isPlain(t reflect.Type) bool {
	base, _, _ := plainType(t)
	return isScalar(base)
}

// plainForm is the form of what plainType takes apart.
func plainForm(t reflect.Type, tg tag) (form, *flaw) {
	base, slice, pointer := plainType(t)
	if !isScalar(base) {
		return nil, &flaw{"type " + t.String() + " is not supported", supported}
	}
	if fl := promotionFlaw(base); fl != nil {
		return nil, fl
	}
	sc := newScalar(base)
	if tg.lower {
		if !isString(sc) {
			return nil, &flaw{`flag "lower" is for strings, not for ` + t.String(), `drop "lower"`}
		}
		sc = stringScalar{lower: true}
	}
	if slice {
		return &listForm{scalar: sc, pointer: pointer, sorted: tg.sorted}, nil
	}
	if tg.sorted {
		return nil, &flaw{`flag "sorted" is for several values, not for ` + t.String(), `drop "sorted", or use a slice`}
	}
	return newScalarForm(base, sc, pointer), nil
}

func isString(s scalar) bool {
	_, ok := s.(stringScalar)
	return ok
}

// checkSource refuses types that a source can never fill.
func checkSource(t reflect.Type, f form, tg tag) *flaw {
	sf, one := f.(*scalarForm)
	builtIn := tg.source == sourceRequest && isBuiltIn(tg.name)
	switch {
	case one && !builtIn:
	case tg.source == sourcePath:
		return &flaw{"a path parameter has one value, and type " + t.String() + " holds several", "use " + t.Elem().String()}
	case builtIn:
		if !one || sf.pointer || !isString(sf.scalar) {
			return &flaw{"request," + tg.name + " is a string, and type " + t.String() + " is none", "use string"}
		}
	}
	return nil
}
