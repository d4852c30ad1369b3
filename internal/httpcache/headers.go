package httpcache

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/restflow-go/restflow"
)

// The header fields that tell of the cache.
const (
	headerStatus   = "X-Cache-Status"
	headerCachedAt = "X-Cached-At"
	headerResetAt  = "X-Cache-Reset-At"
)

// isoTime is ISO 8601 with milliseconds.
const isoTime = "2006-01-02T15:04:05.000Z07:00"

// SetHeaders writes m into h, replacing what an outer cache said.
func SetHeaders(h http.Header, m restflow.Metadata) {
	h[headerStatus] = []string{m.Status.String()}
	setTime(h, headerCachedAt, m.CachedAt)
	setTime(h, headerResetAt, m.ResetAt)
}

func setTime(h http.Header, name string, t time.Time) {
	if t.IsZero() {
		delete(h, name)
		return
	}
	h[name] = []string{t.UTC().Format(isoTime)}
}

// ages are the Age values of the first hour, so that a hit need not format one.
var ages = sync.OnceValue(func() []string {
	values := make([]string, 3600)
	for i := range values {
		values[i] = strconv.Itoa(i)
	}
	return values
})

// age is the Age field (RFC 9111, 5.1) of an entry made nanos ago.
func age(nanos int64) string {
	seconds := max(0, nanos/int64(time.Second))
	if seconds < 100 {
		return strconv.FormatInt(seconds, 10) // which has them ready
	}
	if known := ages(); seconds < int64(len(known)) {
		return known[seconds]
	}
	return strconv.FormatInt(seconds, 10)
}

// setLength tells of a body that is not sent what the server would count.
func setLength(h http.Header, n int) {
	if n > 0 && len(h["Content-Length"]) == 0 && len(h["Transfer-Encoding"]) == 0 && len(h["Content-Encoding"]) == 0 {
		h["Content-Length"] = []string{strconv.Itoa(n)}
	}
}

// dropRepresentation removes from a 304 what describes the body that it has not.
func dropRepresentation(h http.Header) {
	for _, name := range []string{"Content-Type", "Content-Length", "Content-Encoding", "Content-Language", "Content-Range"} {
		delete(h, name)
	}
}
