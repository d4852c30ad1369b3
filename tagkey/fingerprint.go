package tagkey

import "reflect"

// Fingerprint is a short text that changes when a type does: what a schema field
// puts into a key. It covers the type's name and kind, and the names, types and
// tags of its exported fields, all the way down, and is the same in every process.
// What a type's own methods make of unexported fields it cannot see.
func Fingerprint(t reflect.Type) string { return fingerprint(t) }
