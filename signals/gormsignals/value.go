package gormsignals

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm/schema"
)

// set sets a field of a row to what its column holds when it has been given a value. false means
// that only the database knows: GORM and it read some values by different rules.
func set(ctx context.Context, f *schema.Field, row reflect.Value, v any) bool {
	v, ok := given(f, v)
	return ok && f.Serializer == nil && f.Set(ctx, row, v) == nil
}

// given returns a value as it goes to the database. false means that the column may then hold something
// else than Go makes of the value.
func given(f *schema.Field, v any) (any, bool) {
	switch {
	case !plain(v):
		return nil, false
	case f.Serializer != nil: // a row of the user's holds what will be read, and nothing else does
		return v, true
	case isNull(v): // of a nil pointer GORM makes what was there before
		return nil, !f.PrimaryKey // and of a missing key a database makes one
	}
	if valuer, ok := v.(driver.Valuer); ok && indirect(v).Type() != f.IndirectFieldType {
		var err error
		if v, err = valuer.Value(); err != nil {
			return nil, false
		}
	}
	return v, faithful(f, v)
}

func indirect(v any) reflect.Value {
	rv := reflect.ValueOf(v)
	for rv.Kind() == reflect.Pointer && !rv.IsNil() {
		rv = rv.Elem()
	}
	return rv
}

// faithful reports whether a column of a field certainly holds what Go makes of a value. Of text for
// a number, GORM takes "010" for eight, and databases for ten. Some columns change what they are
// given: to lower case, to a day, to fewer digits, or to their full width.
func faithful(f *schema.Field, v any) bool {
	rv, typ := indirect(v), f.IndirectFieldType
	column, _, _ := strings.Cut(strings.ToLower(string(f.DataType)), "(")
	switch {
	case column == "date":
		return false // it keeps no time of day
	case column == "uuid" && rv.Kind() == reflect.String:
		return isCanonicalUUID(rv.String())
	case typ.Kind() == reflect.String && !slices.Contains(plainText, column):
		return !rv.IsValid()
	case typ.Kind() == reflect.Float32, typ.Kind() == reflect.Float64:
		if f.DataType != schema.Float || f.Precision > 0 || f.Size < typ.Bits() {
			return !rv.IsValid()
		}
	case rv.IsValid() && rv.Type() == reflect.TypeFor[time.Time]():
		// Columns keep what part of a second they please, and some no zone.
		return f.DataType == schema.Time && rv.Interface().(time.Time).Nanosecond() == 0
	}
	switch {
	case !rv.IsValid(), rv.Type() == typ:
		return true
	case scans(typ): // GORM hands structs and arrays to Scan, as it does what it reads
		return typ.Kind() == reflect.Struct || typ.Kind() == reflect.Array
	}
	switch typ.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, ok := wholeNumber(rv)
		return ok && !typ.OverflowInt(n)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, ok := wholeNumber(rv)
		return ok && n >= 0 && !typ.OverflowUint(uint64(n))
	case reflect.Float32, reflect.Float64:
		return rv.CanFloat() || rv.CanInt() || rv.CanUint()
	case reflect.Bool:
		return rv.Kind() == reflect.Bool
	case reflect.String:
		number := rv.CanInt() || rv.CanUint()
		return rv.Kind() == reflect.String || isBytes(rv) || number && rv.Type().PkgPath() == ""
	}
	return rv.Type().ConvertibleTo(typ)
}

// plainText are the columns that keep a text as it is, if it fits.
var plainText = []string{string(schema.String), "text", "varchar", "character varying", "tinytext", "mediumtext", "longtext"}

func scans(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[sql.Scanner]())
}

func isBytes(v reflect.Value) bool {
	return v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8
}

// wholeNumber reads a number about which nobody can disagree.
func wholeNumber(v reflect.Value) (int64, bool) {
	switch {
	case v.CanInt():
		return v.Int(), true
	case v.CanUint():
		return int64(v.Uint()), v.Uint() <= math.MaxInt64
	case v.CanFloat():
		return int64(v.Float()), v.Float() == math.Trunc(v.Float()) && math.Abs(v.Float()) < 1<<53
	case v.Kind() == reflect.String:
		n, err := strconv.ParseInt(v.String(), 10, 64)
		return n, err == nil && strconv.FormatInt(n, 10) == v.String()
	case isBytes(v):
		return wholeNumber(reflect.ValueOf(string(v.Bytes())))
	}
	return 0, false
}

func isGiven(f *schema.Field, v any) bool {
	_, ok := given(f, v)
	return ok
}

// isCanonicalUUID recognises the one form in which a database writes a UUID that it may read in several.
func isCanonicalUUID(text string) bool {
	return len(text) == 36 && text == strings.ToLower(text) && strings.Count(text, "-") == 4
}
