package signals

import (
	"reflect"
	"slices"
)

// mapper makes keys of instances by a rule's compiled Map.
type mapper struct {
	key      reflect.Type
	fields   []mapped // partition fields first
	names    []string // of the partition fields, in the target's order
	paths    []*path  // of all fields
	complete bool     // every field of the key is mapped, as Rewarm needs
}

// mapped is one key field and where its value comes from.
type mapped struct {
	dst      TargetField
	src      *path
	set      setter
	required bool
}

// keyed is what a mapper made of an instance at one moment.
type keyed struct {
	key      any      // *K
	names    []string // the partition fields that are filled; none means the whole cache
	skip     bool     // a required field is nil: the rule does not fire for this moment
	complete bool     // every field of the key is filled
}

// build reads the instance as it was at one moment. Whatever is nil, unknown or unfit is left
// out, which makes the group wider.
func (m *mapper) build(d *delta, at moment) keyed {
	key := reflect.New(m.key)
	k := keyed{names: m.names, complete: m.complete}
	for i := range m.fields {
		f := &m.fields[i]
		switch f.fill(key.Elem(), d.at(at, f.src)) {
		case isSet:
			continue
		case isNil:
			if f.required {
				return keyed{skip: true}
			}
		}
		k.complete = false
		if f.dst.Partition {
			k.names = without(k.names, f.dst.Name)
		}
	}
	k.key = key.Interface()
	return k
}

func (f *mapped) fill(key reflect.Value, from image) outcome {
	if !from.v.IsValid() {
		return isUnfit
	}
	v, ok := f.src.get(from.v)
	if !ok {
		return isNil
	}
	return f.set(key.FieldByIndex(f.dst.Index), v)
}

// without leaves names itself alone: it is shared.
func without(names []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == name })
}

func (k keyed) group() Group {
	if len(k.names) == 0 {
		return Group{All: true}
	}
	return Group{Names: k.names, Key: k.key}
}
