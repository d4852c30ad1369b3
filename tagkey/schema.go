package tagkey

import (
	"crypto/sha256"
	"encoding/hex"
	"reflect"
	"strconv"
	"strings"
)

// Fingerprint is a short text that changes when a type does: what a schema field
// puts into a key. It covers the type's name and kind, and the names, types and
// tags of its exported fields, all the way down, and is the same in every process.
// Unexported fields are left out, since encoders do not see them, and so that
// another Go release does not change the fingerprint of a time.Time; what a type's
// own methods make of them it cannot see.
func Fingerprint(t reflect.Type) string {
	d := describer{seen: make(map[reflect.Type]int)}
	d.describe(t)
	sum := sha256.Sum256([]byte(d.text.String()))
	return hex.EncodeToString(sum[:16])
}

// describer writes a type as text. A type that it has met is written as its
// number, so that a recursive type ends.
type describer struct {
	text strings.Builder
	seen map[reflect.Type]int
}

func (d *describer) describe(t reflect.Type) {
	if n, ok := d.seen[t]; ok {
		d.put("#", strconv.Itoa(n))
		return
	}
	d.seen[t] = len(d.seen)
	d.put(t.PkgPath(), t.Name(), t.Kind().String())
	switch t.Kind() {
	case reflect.Struct:
		d.describeFields(t)
	case reflect.Pointer, reflect.Slice:
		d.describe(t.Elem())
	case reflect.Array:
		d.put(strconv.Itoa(t.Len()))
		d.describe(t.Elem())
	case reflect.Map:
		d.describe(t.Key())
		d.describe(t.Elem())
	case reflect.Interface, reflect.Func, reflect.Chan:
		d.put(t.String())
	}
}

func (d *describer) describeFields(t reflect.Type) {
	for i := range t.NumField() {
		sf := t.Field(i)
		if !sf.IsExported() && !sf.Anonymous {
			continue
		}
		d.put("field", sf.Name, string(sf.Tag), strconv.FormatBool(sf.Anonymous))
		d.describe(sf.Type)
	}
	d.put("end")
}

// put writes words with their lengths, so that no two descriptions are equal by chance.
func (d *describer) put(words ...string) {
	for _, word := range words {
		d.text.WriteString(strconv.Itoa(len(word)) + ":" + word)
	}
}
