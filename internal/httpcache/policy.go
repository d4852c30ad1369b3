package httpcache

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/restflow-go/restflow"
)

// refuseRequest says why a request is none for a cache, before its key is built.
// Lookups are for GET and HEAD without a body; a range or an upgrade is the
// handler's own affair.
func refuseRequest(r *http.Request) string {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return "the method is " + r.Method
	}
	if r.ContentLength != 0 || len(r.TransferEncoding) > 0 {
		return "the request has a body"
	}
	if len(r.Header["Range"]) > 0 {
		return "the request asks for a range"
	}
	if len(r.Header["Upgrade"]) > 0 {
		return "the request asks for an upgrade"
	}
	return ""
}

// directives is what the policy needs of a Cache-Control field (RFC 9111, 5.2).
type directives struct {
	noStore, noCache, private    bool
	onlyIfCached, mustRevalidate bool
	maxAge, sMaxAge              time.Duration
	hasMaxAge, hasSMaxAge        bool
}

// parseCacheControl reads all lines of the field. Of a directive given twice, or
// an argument that is no number, the stricter reading counts (RFC 9111, 4.2.1).
func parseCacheControl(lines []string) directives {
	var d directives
	for _, line := range lines {
		for part := range strings.SplitSeq(line, ",") {
			name, arg, _ := strings.Cut(strings.TrimSpace(part), "=")
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "no-store":
				d.noStore = true
			case "no-cache":
				d.noCache = true
			case "private":
				d.private = true
			case "only-if-cached":
				d.onlyIfCached = true
			case "must-revalidate", "proxy-revalidate":
				d.mustRevalidate = true
			case "max-age":
				d.maxAge, d.hasMaxAge = stricter(d.maxAge, d.hasMaxAge, arg), true
			case "s-maxage":
				d.sMaxAge, d.hasSMaxAge = stricter(d.sMaxAge, d.hasSMaxAge, arg), true
			}
		}
	}
	return d
}

func stricter(before time.Duration, had bool, arg string) time.Duration {
	n, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(arg), `"`), 10, 64)
	if err != nil {
		return 0
	}
	d := time.Duration(min(n, 1<<31)) * time.Second // 1<<31: RFC 9111, 1.2.2
	if had {
		return min(before, d)
	}
	return d
}

// response is a recorded response as the policy sees it: only what the handler
// and inner middleware made.
type response struct {
	status int
	fields []restflow.Field
	body   []byte
}

// values returns the lines of a field that the handler set. A handler can write
// a name in any case past http.Header's methods, and net/http sends it so.
func (r *response) values(name string) []string {
	var lines []string
	for i := range r.fields {
		f := &r.fields[i]
		if len(f.Name) != len(name) || !strings.EqualFold(f.Name, name) {
			continue
		}
		if lines == nil {
			lines = f.Values
		} else {
			lines = append(slices.Clip(lines), f.Values...)
		}
	}
	return lines
}

// refuseResponse says why a response may not be stored (DESIGN section 6, RFC 9111
// section 3). identity says whether the key tells users apart.
func (e *Engine) refuseResponse(res *response, identity bool) string {
	if why := e.refuseStatus(res.status); why != "" {
		return why
	}
	if len(res.values("Set-Cookie")) > 0 {
		return "the response sets a cookie"
	}
	d := parseCacheControl(res.values("Cache-Control"))
	switch {
	case d.noStore:
		return "Cache-Control: no-store"
	case d.noCache:
		return "Cache-Control: no-cache"
	case d.private && !identity:
		return "Cache-Control: private, and the key has no identity field"
	case d.hasSMaxAge && d.sMaxAge == 0, !d.hasSMaxAge && d.hasMaxAge && d.maxAge == 0:
		return "Cache-Control: max-age=0"
	case !d.hasSMaxAge && !d.hasMaxAge:
		if at, lines := expires(res); len(lines) > 0 && !at.After(time.Now()) {
			return "Expires: " + lines[0]
		}
	}
	if why := e.refuseVary(res.values("Vary")); why != "" {
		return why
	}
	if len(res.values("Content-Range")) > 0 {
		return "the response is a range"
	}
	for _, n := range res.values("Content-Length") {
		if n != strconv.Itoa(len(res.body)) {
			return "Content-Length is " + n + ", but the body has " + strconv.Itoa(len(res.body)) + " bytes"
		}
	}
	return ""
}

// expires reads the Expires field, the zero time if it is no date, which means
// that the response has expired (RFC 9111, 5.3). Lines is empty if there is none.
func expires(res *response) (at time.Time, lines []string) {
	lines = res.values("Expires")
	if len(lines) == 1 {
		at, _ = http.ParseTime(lines[0])
	}
	return at, lines
}

// refuseStatus: what never makes sense for another request is refused always;
// errors of the moment unless CacheStatuses names them; of the rest 2xx and 3xx
// are stored, and others where a predicate or CacheStatuses asks for them.
func (e *Engine) refuseStatus(status int) string {
	switch {
	case !replayable(status):
	case e.statuses[status]:
		return ""
	case status == http.StatusUnauthorized, status == http.StatusTooManyRequests, status >= 500:
	case status < 400, e.cfg.CacheIf != nil, e.cfg.CacheUnless != nil:
		return ""
	}
	return "the status is " + strconv.Itoa(status)
}

// replayable reports whether a status can answer another request: not one that
// speaks of its request's range or preconditions.
func replayable(status int) bool {
	switch status {
	case http.StatusPartialContent, http.StatusNotModified,
		http.StatusPreconditionFailed, http.StatusRequestedRangeNotSatisfiable:
		return false
	}
	return 200 <= status && status <= 599
}

// refuseVary: a response that varies on what the key does not hold cannot be
// told apart from its siblings.
func (e *Engine) refuseVary(lines []string) string {
	for _, line := range lines {
		for name := range strings.SplitSeq(line, ",") {
			name = http.CanonicalHeaderKey(strings.TrimSpace(name))
			if name != "" && !e.headers[name] {
				return "Vary: " + name + ", which the key does not hold"
			}
		}
	}
	return ""
}

// lifetime is how long a response stays fresh: the cache's TTL, or less if the
// response allows less (RFC 9111, 4.2.1). Zero means for ever.
func (e *Engine) lifetime(res *response) time.Duration {
	ttl := e.cfg.lifetime.TTL
	d := parseCacheControl(res.values("Cache-Control"))
	switch {
	case d.hasSMaxAge:
		ttl = shorter(ttl, d.sMaxAge)
	case d.hasMaxAge:
		ttl = shorter(ttl, d.maxAge)
	default:
		if at, lines := expires(res); len(lines) > 0 {
			ttl = shorter(ttl, max(time.Until(at), 1)) // 1: zero would mean for ever
		}
	}
	return ttl
}

// shorter returns the shorter of two lifetimes, of which the first may be zero for ever.
func shorter(ttl, d time.Duration) time.Duration {
	if ttl == 0 {
		return d
	}
	return min(ttl, d)
}

// hop tells fields that belong to one connection (RFC 9110, 7.6.1).
var hop = map[string]bool{
	"Connection": true, "Keep-Alive": true, "Proxy-Authenticate": true, "Proxy-Authorization": true,
	"Proxy-Authentication-Info": true, "Proxy-Connection": true, "Te": true, "Trailer": true,
	"Transfer-Encoding": true, "Upgrade": true,
}

// storable leaves out the fields that belong to the connection, among them those
// that Connection names, and copies the rest.
func storable(res *response) []restflow.Field {
	named := map[string]bool{}
	for _, line := range res.values("Connection") {
		for name := range strings.SplitSeq(line, ",") {
			named[http.CanonicalHeaderKey(strings.TrimSpace(name))] = true
		}
	}
	fields := make([]restflow.Field, 0, len(res.fields))
	for _, f := range res.fields {
		if name := http.CanonicalHeaderKey(f.Name); !hop[name] && !named[name] {
			f.Values = slices.Clone(f.Values)
			fields = append(fields, f)
		}
	}
	return fields
}
