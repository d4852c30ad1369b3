package signals

import (
	"reflect"
	"strings"
)

// condition is one entry of a rule's When.
type condition struct {
	src    *path
	want   reflect.Value // of the type that the path reads, stripped of pointers; invalid for nil
	negate bool
}

// compileCondition converts the wanted value to the field's type, so that matching only compares.
func compileCondition(model reflect.Type, text string, want any) (condition, error) {
	name, negate := strings.CutPrefix(text, "!")
	p, err := compilePath(model, name)
	if err != nil {
		return condition{}, err
	}
	c := condition{src: p, negate: negate}
	if want == nil {
		if settled(p.typ) == p.typ && !strings.Contains(p.full, ".") {
			return c, flawf("compare it with a value", "%s is %s and never nil", name, article(p.typ))
		}
		return c, nil
	}
	c.want, err = convertWanted(reflect.ValueOf(want), settled(p.typ))
	return c, err
}

// settled is the type of the value behind pointers and nullable structs.
func settled(t reflect.Type) reflect.Type {
	for {
		switch {
		case t.Kind() == reflect.Pointer:
			t = t.Elem()
		case isNullable(t):
			t = t.Field(0).Type
		default:
			return t
		}
	}
}

// settle is settled for values; false means nil.
func settle(v reflect.Value) (reflect.Value, bool) {
	for {
		switch {
		case v.Kind() == reflect.Pointer:
			if v.IsNil() {
				return reflect.Value{}, false
			}
			v = v.Elem()
		case isNullable(v.Type()):
			if !v.Field(1).Bool() {
				return reflect.Value{}, false
			}
			v = v.Field(0)
		default:
			return v, true
		}
	}
}

func convertWanted(v reflect.Value, typ reflect.Type) (reflect.Value, error) {
	dst := reflect.New(typ).Elem()
	set, err := compileSetter(v.Type(), typ)
	if err != nil {
		return dst, flawf("give "+article(typ), "%s cannot be compared with %s", article(v.Type()), article(typ))
	}
	if set(dst, v) != isSet {
		return dst, flawf("give a value that does", "%v does not fit %s", v, article(typ))
	}
	return dst, nil
}

// holds reports whether the condition may be true at a moment: what is unknown may be.
func (c *condition) holds(d *delta, at moment) bool {
	from := d.at(at, c.src)
	if !from.v.IsValid() {
		return true
	}
	v, ok := c.src.get(from.v)
	if ok {
		v, ok = settle(v)
	}
	matches := ok == c.want.IsValid() && (!ok || equal(v, c.want))
	return matches != c.negate
}
