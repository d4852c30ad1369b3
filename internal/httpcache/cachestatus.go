package httpcache

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/restflow-go/restflow"
)

const headerCacheStatus = "Cache-Status"

// outcome is how a request was handled, in the words of RFC 9211.
type outcome struct {
	hit       bool
	fwd       string // why the request went to the handler
	stored    bool
	collapsed bool // it was answered by another request's run
	detail    string
}

// append adds the cache's member to the Cache-Status field (RFC 9211, section 2).
func (o outcome) append(h http.Header, resetAt time.Time) {
	b := append(make([]byte, 0, 64), "restflow"...)
	switch {
	case o.hit:
		b = append(b, "; hit"...)
		if !resetAt.IsZero() {
			b = append(b, "; ttl="...)
			b = strconv.AppendInt(b, int64(time.Until(resetAt)/time.Second), 10)
		}
	default:
		b = append(b, "; fwd="...)
		b = append(b, o.fwd...)
		if o.stored {
			b = append(b, "; stored"...)
		}
		if o.collapsed {
			b = append(b, "; collapsed"...)
		}
	}
	if o.detail != "" {
		b = append(b, `; detail="`...)
		b = append(b, sfString(o.detail)...)
		b = append(b, '"')
	}
	h[headerCacheStatus] = append(h[headerCacheStatus], string(b))
}

// sfString makes s the inside of a string of RFC 8941: printable ASCII, with
// quotes and backslashes escaped.
func sfString(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r > '~':
			b.WriteByte('?')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// forward is the fwd parameter of a request that the policy refuses.
func forward(r *http.Request) string {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return "method"
	}
	return "bypass"
}

// fwd is the fwd parameter of a run with the status s: what made it necessary.
func (x *Exchange) fwd(s restflow.Status) string {
	switch {
	case s == restflow.Refresh:
		return "request"
	case x.snap.Entry != nil || x.snap.Soft != nil:
		return "stale"
	}
	return "uri-miss"
}
