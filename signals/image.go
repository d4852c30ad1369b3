package signals

import (
	"reflect"
	"time"
)

// image is what is known of one instance at one moment.
type image struct {
	v      reflect.Value // the struct, addressable; invalid if nothing is known
	fields []string      // what v really holds; nil means everything
}

func newImage(instance any, fields []string, model reflect.Type) image {
	v := reflect.ValueOf(instance)
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	if !v.IsValid() || v.Type() != model {
		return image{} // a map, another struct or nil: unknown
	}
	return image{v: addressable(v), fields: fields}
}

func (i image) knows(p *path) bool { return i.v.IsValid() && p.in(i.fields) }

func (i image) knowsAll(paths []*path) bool {
	for _, p := range paths {
		if !i.knows(p) {
			return false
		}
	}
	return i.v.IsValid()
}

// delta is a change with its instances resolved for reading.
type delta struct {
	Change
	new, old image
}

func newDelta(c Change) delta {
	return delta{Change: c, new: newImage(c.New, c.NewFields, c.Model), old: newImage(c.Old, c.OldFields, c.Model)}
}

// blind reports that no instance is known.
func (d *delta) blind() bool { return d.Bulk || !d.new.v.IsValid() && !d.old.v.IsValid() }

func (d *delta) hasAfter() bool  { return d.Op.Has(Create | Update) }
func (d *delta) hasBefore() bool { return d.Op.Has(Update | Delete) }

// unset reports that the update certainly did not change what p reads, judged by Fields alone.
// An upsert proves nothing: its New holds what was to be inserted, not what an existing row kept.
func (d *delta) unset(p *path) bool {
	if d.Op != Update || d.Fields == nil {
		return false
	}
	return len(d.Fields) == 0 || p.direct && !p.touchedBy(d.Fields)
}

// unsetEverything reports an update that is known to have set nothing at all.
func (d *delta) unsetEverything() bool {
	return d.Op == Update && d.Fields != nil && len(d.Fields) == 0
}

func (d *delta) unsetAll(paths []*path) bool {
	for _, p := range paths {
		if !d.unset(p) {
			return false
		}
	}
	return true
}

// moment is one side of a change.
type moment bool

const (
	after  moment = true
	before moment = false
)

// at chooses the image from which p can be read for a moment: its own, or the other one if the
// update left p alone. The image is empty if the value is unknown.
func (d *delta) at(m moment, p *path) image {
	own, other := d.old, d.new
	if m == after {
		own, other = other, own
	}
	switch {
	case own.knows(p):
		return own
	case other.knows(p) && d.unset(p):
		return other
	}
	return image{}
}

// same reports that both images hold p with equal values, differ that they hold different ones.
// If either does not hold it, both report false.
func (d *delta) same(p *path) bool {
	held, equals := d.compare(p)
	return held && equals
}

func (d *delta) differ(p *path) bool {
	held, equals := d.compare(p)
	return held && !equals
}

// mayMove reports whether an update may have moved the row between groups that p tells apart. A
// field of the row has unless it is known to have stayed. A relation may change with any column,
// so it needs evidence: else it would fire every rule whose author listed what to watch.
func (d *delta) mayMove(p *path) bool {
	if p.direct {
		return !d.unset(p) && !d.same(p)
	}
	return p.touchedBy(d.Fields) && !d.same(p) || d.differ(p)
}

func (d *delta) compare(p *path) (held, equals bool) {
	if !d.new.knows(p) || !d.old.knows(p) {
		return false, false
	}
	a, aok := p.get(d.new.v)
	b, bok := p.get(d.old.v)
	return true, aok == bok && (!aok || equal(a, b))
}

// equal compares two values of one type: moments as such, the rest deeply. All nulls are equal, if
// they are a database's: another struct with a Valid may mean something by the value beside it.
func equal(a, b reflect.Value) bool {
	switch {
	case a.Kind() <= reflect.Complex128, a.Kind() == reflect.String:
		return a.Equal(b)
	case a.Type() == timeType:
		return a.Interface().(time.Time).Equal(b.Interface().(time.Time))
	case a.Kind() == reflect.Pointer && !a.IsNil() && !b.IsNil():
		return equal(a.Elem(), b.Elem())
	case isNullable(a.Type()) && (a.Field(1).Bool() || isScanner(a.Type())):
		return a.Field(1).Bool() == b.Field(1).Bool() && (!a.Field(1).Bool() || equal(a.Field(0), b.Field(0)))
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}
