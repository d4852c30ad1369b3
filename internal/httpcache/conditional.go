package httpcache

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/restflow-go/restflow"
)

// notModified reports whether the request's preconditions say that the client
// has what the entry holds (RFC 9110, 13.2.2). They are evaluated for 200 only.
func notModified(r *http.Request, e *restflow.Entry) bool {
	if e.Status != http.StatusOK {
		return false
	}
	if lines := r.Header["If-None-Match"]; len(lines) > 0 {
		etag := field(e, "Etag")
		return matches(lines, etag)
	}
	lines := r.Header["If-Modified-Since"]
	if len(lines) != 1 {
		return false
	}
	since, err := http.ParseTime(lines[0])
	if err != nil {
		return false
	}
	modified, err := http.ParseTime(field(e, "Last-Modified"))
	return err == nil && !modified.After(since)
}

// field returns the single value of a header field of the entry.
func field(e *restflow.Entry, name string) string {
	for i := range e.Header {
		if f := &e.Header[i]; f.Name == name && f.Op == restflow.SetField && len(f.Values) == 1 {
			return f.Values[0]
		}
	}
	return ""
}

// matches compares an If-None-Match field with an entity tag. The comparison is
// the weak one (RFC 9110, 8.8.3.2 and 13.1.2).
func matches(lines []string, etag string) bool {
	opaque := strings.TrimPrefix(etag, "W/")
	for _, line := range lines {
		if strings.TrimSpace(line) == "*" {
			return true // there is a representation: the entry's
		}
		for line != "" {
			line = strings.TrimLeft(line, " \t,")
			tag, rest, ok := cutTag(line)
			if !ok {
				break
			}
			if opaque != "" && strings.TrimPrefix(tag, "W/") == opaque {
				return true
			}
			line = rest
		}
	}
	return false
}

// cutTag takes one entity tag off a list. Commas may stand inside the quotes.
func cutTag(s string) (tag, rest string, ok bool) {
	start := 0
	if strings.HasPrefix(s, "W/") {
		start = 2
	}
	if len(s) <= start || s[start] != '"' {
		return "", "", false
	}
	end := strings.IndexByte(s[start+1:], '"')
	if end < 0 {
		return "", "", false
	}
	end += start + 2
	return s[:end], s[end:], true
}

// strongETag makes an entity tag of a body: 128 bits of its SHA-256.
func strongETag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
}
