package signals

import "strings"

// touches reports whether setting one of fields can change what the dotted path reads: a field
// equal to it, a struct that holds it, or a part of it.
func touches(fields []string, path string) bool {
	for _, f := range fields {
		if covers(f, path) || covers(path, f) {
			return true
		}
	}
	return false
}

// covers reports whether the field named outer is, or holds, the one that path names.
func covers(outer, path string) bool {
	rest, ok := strings.CutPrefix(path, outer)
	return ok && (rest == "" || rest[0] == '.')
}
