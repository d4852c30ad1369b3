package tagkey

import (
	"reflect"
	"strings"
)

// article puts "a" or "an" before a type. A leading u sounds like "you" in uint64, url and UserKey.
func article(t reflect.Type) string {
	if strings.ContainsAny(t.String()[:1], "aeioAEIO") {
		return "an " + t.String()
	}
	return "a " + t.String()
}
