package httpcache

import (
	"net/http"
	"slices"
	"strings"
	"unsafe"

	"github.com/restflow-go/restflow"
)

// seed holds the header fields of outer middleware: as they were, and the copies
// that the handler was given. A field that no longer is its copy was set by the
// handler, be it to the same values.
type (
	seed   map[string]seeded
	seeded struct{ values, given []string }
)

// changes tells what turned the seed into h.
func (s seed) changes(h http.Header) []restflow.Field {
	var fields []restflow.Field
	for k, v := range h {
		old, had := s[k]
		switch n := len(old.values); {
		case had && len(v) > n && slices.Equal(old.values, v[:n]):
			fields = append(fields, restflow.Field{Op: restflow.AddField, Name: k, Values: v[n:]})
		case !had || !slices.Equal(old.values, v) || unsafe.SliceData(v) != unsafe.SliceData(old.given):
			fields = append(fields, restflow.Field{Op: restflow.SetField, Name: k, Values: v})
		}
	}
	for k := range s {
		if _, still := h[k]; !still {
			fields = append(fields, restflow.Field{Op: restflow.DelField, Name: k})
		}
	}
	return fields
}

// apply makes the changes to h.
func apply(fields []restflow.Field, h http.Header) {
	for i := range fields {
		change(&fields[i], h)
	}
}

// change makes one change to h.
func change(f *restflow.Field, h http.Header) {
	switch {
	case isPrivate(f):
		if len(h[f.Name]) == 0 {
			h[f.Name] = []string{"private"}
		}
	case f.Op == restflow.DelField:
		delete(h, f.Name)
	case f.Op == restflow.AddField:
		h[f.Name] = append(h[f.Name], f.Values...)
	case f.Op == restflow.SetField:
		h[f.Name] = f.Values
	}
}

const headerCacheControl = "Cache-Control"

// private says that an answer is one user's, where nobody says anything else of it:
// neither the handler, nor outer middleware when the answer goes out. It is written
// as an addition of nothing, which no handler makes.
var private = restflow.Field{Op: restflow.AddField, Name: headerCacheControl}

func isPrivate(f *restflow.Field) bool { return f.Op == restflow.AddField && len(f.Values) == 0 }

// lay puts the fields of an entry over those of outer middleware, and its age. Values
// are copied, so that nobody who changes them in place reaches the entry.
func lay(entry *restflow.Entry, h http.Header, now int64) {
	room := make([]string, len(entry.Header)+1) // most fields have one value
	for i := range entry.Header {
		f := &entry.Header[i]
		switch {
		case f.Op != restflow.SetField || f.Name == headerVary && len(h[headerVary]) > 0:
			blend(f, h)
		case len(f.Values) == 1:
			room[i] = f.Values[0]
			h[f.Name] = room[i : i+1 : i+1] // nobody who appends reaches the next
		default:
			h[f.Name] = slices.Clone(f.Values)
		}
	}
	last := len(room) - 1
	room[last] = age(now - entry.Created)
	h[headerAge] = room[last:]
}

const headerVary = "Vary"

// blend joins a field with what outer middleware has set. A Vary keeps the names that
// outer middleware has put there: when the entry was made, there may have been fewer.
func blend(f *restflow.Field, h http.Header) {
	if outer := h[headerVary]; f.Name == headerVary && f.Op != restflow.DelField && len(outer) > 0 {
		h[headerVary] = union(outer, f.Values)
		return
	}
	change(f, h)
}

// union is a Vary field that names what outer middleware and the entry name.
func union(outer, stored []string) []string {
	all := slices.Clip(outer)
	for _, line := range stored {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.TrimSpace(name); name != "" && !names(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}

// names reports whether one of the lines names a header field.
func names(lines []string, field string) bool {
	for _, line := range lines {
		for name := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(name), field) {
				return true
			}
		}
	}
	return false
}
