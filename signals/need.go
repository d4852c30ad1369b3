package signals

import (
	"reflect"
	"slices"
	"strings"
)

// Need is what the rules of one model read, for sources that must decide what to load. Its slices
// are shared: do not change them.
type Need struct {
	// Ops are the operations that some rule or subscriber listens to.
	Ops Op

	// Fields are the dotted Go paths that rules map, watch or compare, sorted.
	Fields []string

	// Whole says that a rule has a function which may read any field, so that only complete
	// instances keep it from widening.
	Whole bool

	// Narrow says that some rule can do with less than its whole cache. If it is false, a Bulk
	// change serves as well as one with instances, unless a subscriber wants those.
	Narrow bool

	// Subscribed says that there are subscribers, which get every change as it is.
	Subscribed bool
}

// Before reports whether the previous values of a row matter to a statement that sets fields
// (nil: unknown).
func (n Need) Before(op Op, fields []string) bool {
	switch {
	case op != 0 && !n.Ops.Has(op), op == Create:
		return false
	case n.Whole:
		return true
	case len(n.Fields) == 0:
		return false
	case fields == nil, op == 0, op.Has(Delete):
		return true
	}
	// Behind a dot any column may be read; see Change.Fields.
	return slices.ContainsFunc(n.Fields, func(path string) bool {
		return touches(fields, path) || len(fields) > 0 && strings.Contains(path, ".")
	})
}

// Wants reports whether anyone listens to changes of a model and what a source must supply. It
// takes no lock, and a model that nobody registered costs one map lookup. Pointers to the model
// count as the model.
func (b *Bus) Wants(model reflect.Type) (need Need, ok bool) {
	reg := b.registry.Load()
	m := reg.models[structType(model)]
	if m != nil {
		need = m.need
	}
	if len(reg.subscribers) > 0 {
		need.Ops, need.Subscribed = AnyOp, true
	}
	return need, m != nil || need.Subscribed
}

// Models lists the models that have rules, sorted by name.
func (b *Bus) Models() []reflect.Type { return b.Rules().Models() }
