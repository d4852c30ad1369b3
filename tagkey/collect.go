package tagkey

import (
	"cmp"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// collector gathers the fields of a key struct and of those embedded in it.
type collector struct {
	typ        reflect.Type
	args       bool // untagged exported fields are arg fields
	place      int  // counts fields in the order of declaration
	fields     []found
	namespaces []found
	versions   []found
	faults     []fault
}

// found is a tagged field. Depth counts the structs around it: an outer field
// replaces an inner one.
type found struct {
	step
	tag
	text         string
	depth, place int
}

type fault struct {
	place int
	err   *FieldError
}

func collect(t reflect.Type, args bool) *collector {
	c := &collector{typ: t, args: args}
	c.walk(t, nil, "")
	return c
}

// walk visits the fields of t, which stands at index in the key struct. A struct
// cannot contain itself but by a pointer, and those are not followed.
func (c *collector) walk(t reflect.Type, index []int, path string) {
	for i := range t.NumField() {
		c.place++
		sf := t.Field(i)
		c.visit(sf, append(slices.Clone(index), i), path+sf.Name)
	}
}

func (c *collector) visit(sf reflect.StructField, index []int, path string) {
	text, tagged := sf.Tag.Lookup(tagName)
	switch {
	case text == "-":
	case tagged:
		c.tagged(sf, text, index, path)
	case malformed(sf.Tag):
		c.fault(path, "", "has a malformed struct tag", "write `restflow:\"...\"` without spaces around the colon")
	case embedsStruct(sf):
		c.walk(sf.Type, index, path+".")
	case embedsPointer(sf):
		c.fault(path, "", "embeds a pointer", "embed "+typeName(sf.Type.Elem())+" by value")
	case sf.IsExported() && c.args:
		c.tagged(sf, sourceArg, index, path)
	case sf.IsExported():
		c.fault(path, "", "has no restflow tag", "add one, or restflow:\"-\" to leave the field out")
	}
}

// malformed reports a tag that means ours but that Go does not read as such,
// for example restflow: "query,page".
func malformed(t reflect.StructTag) bool {
	before, after, found := strings.Cut(string(t), tagName)
	return found && strings.Count(before, `"`)%2 == 0 && (after == "" || after[0] == ' ' || after[0] == ':' || after[0] == '=')
}

func embedsStruct(sf reflect.StructField) bool {
	return sf.Anonymous && sf.Type.Kind() == reflect.Struct && (!isScalar(sf.Type) || isTagged(sf.Type))
}

func embedsPointer(sf reflect.StructField) bool {
	return sf.Anonymous && sf.Type.Kind() == reflect.Pointer && sf.Type.Elem().Kind() == reflect.Struct
}

// isTagged reports whether a struct has a tag of ours, be it in an embedded struct.
func isTagged(t reflect.Type) bool {
	for i := range t.NumField() {
		sf := t.Field(i)
		if _, ok := sf.Tag.Lookup(tagName); ok {
			return true
		}
		if sf.Anonymous && sf.Type.Kind() == reflect.Struct && isTagged(sf.Type) {
			return true
		}
	}
	return false
}

func (c *collector) fault(path, text, problem, mend string) {
	c.faultAt(c.place, path, text, problem, mend)
}

func (c *collector) faultAt(place int, path, text, problem, mend string) {
	c.faults = append(c.faults, fault{place, &FieldError{
		Type: typeName(c.typ), Field: path, Tag: text, Problem: problem, Mend: mend,
	}})
}

func (c *collector) tagged(sf reflect.StructField, text string, index []int, path string) {
	t, fl := parseTag(text)
	if fl == nil && t.source == sourceArg && t.name == "" {
		t.name = sf.Name
	}
	var s step
	if fl == nil {
		s, fl = newStep(t, sf)
	}
	if fl != nil {
		c.fault(path, text, fl.problem, fl.mend)
		return
	}
	s.GoName, s.Index = path, index
	f := found{step: s, tag: t, text: text, depth: len(index), place: c.place}
	switch t.source {
	case sourceNamespace:
		c.namespaces = append(c.namespaces, f)
	case sourceVersion:
		c.versions = append(c.versions, f)
	default:
		c.fields = append(c.fields, f)
	}
}

// steps are the fields that no outer one replaces.
func (c *collector) steps() []step {
	var steps []step
	partitions := 0
	places := make(map[string]int) // of the field that counts, by id
	for _, f := range c.fields {
		id := f.id()
		if _, ok := places[id]; !ok {
			places[id] = c.outermost(c.alike(id), id).place
		}
		if places[id] == f.place {
			steps = append(steps, f.step)
			partitions += btoi(f.Partition)
		}
	}
	if partitions > MaxPartitions {
		c.place++
		c.fault("", "", "has "+strconv.Itoa(partitions)+" partition fields, and "+strconv.Itoa(MaxPartitions)+" are allowed",
			"keep the flag where something is invalidated by the field alone")
	}
	return steps
}

// alike are the fields of one id, in the order of declaration.
func (c *collector) alike(id string) []found {
	var alike []found
	for _, f := range c.fields {
		if f.id() == id {
			alike = append(alike, f)
		}
	}
	return alike
}

// outermost is the one of a group that counts. Two at one depth are a fault of
// the second, since neither replaces the other.
func (c *collector) outermost(group []found, what string) found {
	slices.SortStableFunc(group, func(a, b found) int { return cmp.Compare(a.depth, b.depth) })
	for _, f := range group[1:] {
		if f.depth == group[0].depth {
			mend := "drop one"
			if f.depth > 1 {
				mend = "drop one, or declare it in " + typeName(c.typ) + " itself, which replaces both"
			}
			c.faultAt(f.place, f.GoName, f.text, what+" is declared by "+group[0].GoName+" as well", mend)
		}
	}
	return group[0]
}

// namespace is the declared one: the type's own before an embedded one.
func (c *collector) namespace() string {
	if len(c.namespaces) > 0 {
		return c.outermost(c.namespaces, sourceNamespace).name
	}
	if c.typ.PkgPath() == "" && !c.args {
		c.faults = append(c.faults, fault{0, &FieldError{
			Type: typeName(c.typ), Problem: "has no name to make a namespace of",
			Mend: "add _ struct{} `restflow:\"namespace,<name>\"`",
		}})
	}
	return defaultNamespace(c.typ)
}

func (c *collector) version() int {
	if len(c.versions) > 0 {
		return c.outermost(c.versions, sourceVersion).tag.version
	}
	return 1
}
