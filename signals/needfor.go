package signals

import "reflect"

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
	var firing []*rule
	for _, r := range m.rules {
		if r.ops.Has(op) && r.watched(&d) {
			firing = append(firing, r)
		}
	}
	if len(firing) == len(m.rules) {
		return m.need, true
	}
	for _, r := range firing {
		need.add(r)
	}
	return need, len(firing) > 0
}
