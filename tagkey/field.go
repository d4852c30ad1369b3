package tagkey

import (
	"reflect"
	"strings"
)

// Field describes one part of a key.
type Field struct {
	// Name is what Invalidate and String call the field: the name in its tag,
	// or the source ("query", "path") when that name is "*".
	Name string
	// Source is the source in the tag: query, path, request, header, cookie,
	// arg, const or schema.
	Source string
	// SourceName is the name in the tag: "*" for all parameters, the canonical
	// form for a header, the value for const.
	SourceName string
	// GoName is the field's Go name, dotted through embedding: "Base.Page". It
	// is empty when the key type itself is the only field.
	GoName string
	// Index leads to the field, as reflect.Value.FieldByIndex takes it.
	Index []int
	// Type is the field's Go type.
	Type reflect.Type

	// The flags of the tag.
	Partition, Hash, Optional, Sorted, Lower bool
	// Ignore holds the patterns of ignore=, each a name or a prefix with "*".
	Ignore []string
}

// BuiltIn reports whether the field is request,method, request,host or
// request,scheme: those need no context and say nothing about who asks.
func (f Field) BuiltIn() bool {
	return f.Source == sourceRequest && isBuiltIn(f.SourceName)
}

// String prints the field as [Plan.String] does: `pk=path:pk partition`.
func (f Field) String() string {
	var b strings.Builder
	b.WriteString(f.Name + "=" + f.id())
	for _, flag := range []struct {
		on   bool
		name string
	}{
		{f.Partition, flagPartition},
		{f.Hash, flagHash},
		{f.Optional, flagOptional},
		{f.Sorted, flagSorted},
		{f.Lower, flagLower},
		{len(f.Ignore) > 0, flagIgnore + strings.Join(f.Ignore, "|")},
	} {
		if flag.on {
			b.WriteString(" " + flag.name)
		}
	}
	return b.String()
}

// id is the field's identity: no plan has two fields of one id.
func (f Field) id() string { return f.Source + ":" + f.SourceName }

// covers reports whether the field keys on the value that source calls name.
func (f Field) covers(source, name string) bool {
	switch {
	case f.Source != source:
		return false
	case source == sourceHeader:
		return strings.EqualFold(f.SourceName, name)
	case f.SourceName == everything && takesEverything(source):
		return !ignored(f.Ignore, name)
	}
	return f.SourceName == name
}
