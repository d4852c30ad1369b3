package signals

import (
	"fmt"
	"strings"
)

// article puts "a" or "an" before a type. A leading u sounds like "you" in uint64, url and UserKey.
func article(typ any) string {
	name := fmt.Sprint(typ)
	if strings.ContainsAny(name[:1], "aeioAEIO") {
		return "an " + name
	}
	return "a " + name
}
