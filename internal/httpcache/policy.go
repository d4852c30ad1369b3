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

// response is a recorded response as the policy sees it: only what the handler
// and inner middleware made, and when they did.
type response struct {
	status       int
	fields       []restflow.Field
	body         []byte
	began, ended time.Time
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
	case d.noStore: // also with must-understand, which lets a cache ignore it
		return "Cache-Control: no-store"
	case d.noCache: // also the form that names fields (5.2.2.4)
		return "Cache-Control: no-cache"
	case d.private && !identity:
		return "Cache-Control: private, and the key has no identity field"
	case d.mustUnderstand && http.StatusText(res.status) == "":
		return "Cache-Control: must-understand, and the status is " + strconv.Itoa(res.status)
	case d.garbled:
		return "Cache-Control cannot be parsed"
	}
	if _, why := res.freshness(&d); why != "" {
		return why
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

// hop tells fields that belong to one connection (RFC 9110, 7.6.1).
var hop = map[string]bool{
	"Connection": true, "Keep-Alive": true, "Proxy-Authenticate": true, "Proxy-Authorization": true,
	"Proxy-Authentication-Info": true, "Proxy-Connection": true, "Te": true, "Trailer": true,
	"Transfer-Encoding": true, "Upgrade": true,
}

// Age is told anew with each answer.
const headerAge = "Age"

// storable leaves out the fields that belong to the connection, among them those
// that Connection names, and copies the rest, the values in one piece.
func storable(res *response) []restflow.Field {
	named := map[string]bool{}
	for _, line := range res.values("Connection") {
		for name := range strings.SplitSeq(line, ",") {
			named[http.CanonicalHeaderKey(strings.TrimSpace(name))] = true
		}
	}
	n := 0
	for _, f := range res.fields {
		n += len(f.Values)
	}
	near := new(struct {
		fields [4]restflow.Field
		values [4]string
	})
	fields, values := near.fields[:0], near.values[:0]
	if len(res.fields) > 4 || n > 4 {
		fields, values = make([]restflow.Field, 0, len(res.fields)), make([]string, 0, n)
	}
	for _, f := range res.fields {
		if name := http.CanonicalHeaderKey(f.Name); !hop[name] && !named[name] && name != headerAge {
			from := len(values)
			values = append(values, f.Values...)
			f.Values = slices.Clip(values[from:])
			fields = append(fields, f)
		}
	}
	return fields
}
