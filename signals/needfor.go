package signals

import (
	"reflect"
	"slices"
)

// NeedFor is Wants for one statement: what the rules need that a change with this operation and
// these set fields (nil: unknown) may fire. It is false if there are none such and nobody
// subscribes, so that the change need not be made at all.
func (b *Bus) NeedFor(model reflect.Type, op Op, fields []string) (Need, bool) {
	reg := b.registry.Load()
	need, fires := reg.models[structType(model)].needFor(op, fields)
	if len(reg.subscribers) > 0 {
		need.Ops, need.Subscribed = AnyOp, true
	}
	return need, fires || need.Subscribed
}

func (m *model) needFor(op Op, fields []string) (need Need, fires bool) {
	if m == nil {
		return need, false
	}
	if op == 0 {
		op = AnyOp
	}
	d := delta{Change: Change{Op: op, Fields: fields}}
	fire := func(r *rule) bool { return r.ops.Has(op) && r.watched(&d) }
	if !slices.ContainsFunc(m.rules, func(r *rule) bool { return !fire(r) }) {
		return m.need, true
	}
	for _, r := range m.rules {
		if fire(r) {
			need.add(r)
			fires = true
		}
	}
	return need, fires
}
