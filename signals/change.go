package signals

import (
	"reflect"
	"strings"
)

// Change is one committed create, update or delete of a model instance.
//
// A source fills in what it knows and leaves the rest at its zero value. That is always safe: if
// a value is unknown, a rule invalidates a wider group.
type Change struct {
	// Model is the model's struct type. Nil means the type that New or Old points to.
	Model reflect.Type

	// Table is the table's name, for printing only.
	Table string

	// Op is what happened. A set of several operations means that it was one of them, and zero
	// that it may have been any. Give exactly one if you can: with several, an unknown previous
	// value widens.
	Op Op

	// New points to the model as it is after the change. It is nil for a Delete, and whenever the
	// instance is unknown. Rules read it when the change is published; a Tx takes a copy, so the
	// caller may keep using its own.
	New any

	// Old points to the model as it was before the change; nil when that is unknown. A Delete
	// whose Old is nil uses New in its place.
	Old any

	// NewFields and OldFields name the fields that New and Old really hold, as dotted Go names
	// ("TeamID", "Address.City"); naming a struct names all its fields. Nil means all of them.
	// A source that loads no associations must leave them out here: an association that was not
	// loaded looks like one whose values are zero.
	NewFields, OldFields []string

	// Fields names what an update set, as dotted Go names. Nil means unknown, empty means that
	// nothing was set, and a name that is no field of the model may mean any of them. It is
	// trusted for fields of the row itself. What lies behind a named struct ("Owner.ID") may
	// depend on any column, so it counts as unchanged only if Fields is empty or if New and Old
	// both hold it and agree.
	Fields []string

	// Bulk marks a statement whose instances are unknown: New and Old are nil. It invalidates the
	// whole cache of every rule that its Op fires, unless Fields shows that no watched field was
	// set.
	Bulk bool
}

// normalize strips pointers from Model, finds it if it was left out, and puts a deleted
// instance where rules look for it.
func (c *Change) normalize() {
	c.Model = c.model()
	if c.Op == 0 {
		c.Op = AnyOp
	}
	if c.Op == Delete && c.Old == nil {
		c.Old, c.OldFields = c.New, c.NewFields
		c.New, c.NewFields = nil, nil
	}
}

// model is the model's struct type, told or found; nil if there is no telling.
func (c *Change) model() reflect.Type {
	switch {
	case c.Model != nil:
		return structType(c.Model)
	case c.New != nil:
		return structType(reflect.TypeOf(c.New))
	}
	return structType(typeOf(c.Old))
}

// String prints a change for logs: `update User{Name,Email}`, `delete User in bulk`. It prints
// no values.
func (c Change) String() string {
	var b strings.Builder
	b.WriteString(c.Op.String())
	b.WriteByte(' ')
	b.WriteString(typeName(c.Model))
	if c.Fields != nil {
		b.WriteString("{" + strings.Join(c.Fields, ",") + "}")
	}
	if c.Bulk {
		b.WriteString(" in bulk")
	}
	if c.Table != "" {
		b.WriteString(" (" + c.Table + ")")
	}
	return b.String()
}

func typeOf(v any) reflect.Type {
	if v == nil {
		return nil
	}
	return reflect.TypeOf(v)
}

// structType strips pointers.
func structType(t reflect.Type) reflect.Type {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// typeName is the type's name without its package, or its whole spelling if it has no name.
func typeName(t reflect.Type) string {
	switch {
	case t == nil:
		return "?"
	case t.Name() != "":
		return t.Name()
	}
	return t.String()
}
