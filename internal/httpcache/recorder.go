package httpcache

import (
	"bufio"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/restflow-go/restflow"
)

// A recorder stands in for the client while a handler runs. It holds back what
// the handler writes, so that the status of the cache and the verdict of the
// policy can still go into the headers. When the handler does what cannot be
// held back (it flushes, hijacks, writes more than the limit, declares
// trailers), the recorder lets go: everything recorded goes out, the rest passes
// through, and nothing is stored.
//
// The handler gets a copy of the header that outer middleware has filled so far,
// so that it can read what they set; only what it changes is recorded. It keeps
// that one map for as long as it runs: trailers set there late find their way.
type recorder struct {
	outer  http.ResponseWriter
	limit  int
	onPass func(why string) // called once before a response passes through; may be nil

	seed   seed
	header http.Header // what the handler sees

	status  int
	fields  []restflow.Field // the handler's changes, taken by WriteHeader
	length  int              // what Content-Length declares; -1 if nothing
	body    []byte
	passed  string // why the response passes through; empty while held back
	exposed bool   // somebody asked for the writer below
	control Control
}

func newRecorder(outer http.ResponseWriter, limit int, store *restflow.Store) *recorder {
	h := outer.Header()
	r := &recorder{outer: outer, limit: limit, control: Control{store: store}, seed: make(seed, len(h)), header: make(http.Header, len(h)+4)}
	for k, v := range h {
		r.header[k] = slices.Clip(slices.Clone(v))
		r.seed[k] = seeded{v, r.header[k]}
	}
	return r
}

// seed holds the header fields of outer middleware: as they were, and the copies
// that the handler was given. A field that no longer is its copy was set by the
// handler, be it to the same values.
type (
	seed   map[string]seeded
	seeded struct{ values, given []string }
)

func (r *recorder) Header() http.Header { return r.header }

// WriteHeader records the status and takes the header fields. Informational
// responses go straight to the client.
func (r *recorder) WriteHeader(status int) {
	if r.passed != "" {
		r.outer.WriteHeader(status)
		return
	}
	if r.status != 0 {
		return // as net/http, which logs it
	}
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		informational(r.outer, r.header, status)
		return
	}
	r.status = status
	r.fields = r.seed.changes(r.header)
	for i := range r.fields { // later changes do not count, as with net/http
		r.fields[i].Values = slices.Clone(r.fields[i].Values)
	}
	r.length = declared(r.header)
	switch {
	case r.exposed: // whoever has the writer below may have written there
		r.pass(whyExposed)
	case len(r.header["Trailer"]) > 0:
		r.pass(whyTrailers)
	}
}

// Why a response passes through or is not stored, where two places say so.
const (
	whyExposed  = "the handler reached for the writer below"
	whyTrailers = "the response has trailers"
)

// declared reads Content-Length as net/http does.
func declared(h http.Header) int {
	if n, err := strconv.Atoi(h.Get("Content-Length")); err == nil && n >= 0 {
		return n
	}
	return -1
}

// informational sends a 1xx response below any writer that would take it for
// the final one. What stands in h now need not be in the final one.
func informational(w http.ResponseWriter, h http.Header, status int) {
	for {
		if r, ok := w.(*recorder); ok { // of a cache around this one, which need not know
			w = r.outer
			continue
		}
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			break
		}
		w = u.Unwrap()
	}
	own := w.Header()
	before := maps.Clone(own)
	maps.Copy(own, h)
	w.WriteHeader(status)
	clear(own)
	maps.Copy(own, before)
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.passed == "" {
		if r.status == 0 {
			r.WriteHeader(http.StatusOK)
		}
		if r.passed == "" {
			why := r.overflow(len(p))
			if why == "" {
				r.body = append(r.body, p...)
				return len(p), nil
			}
			r.pass(why)
		}
	}
	return r.outer.Write(p)
}

// overflow says why n more bytes are not held back. Bytes that a server refuses
// pass through to it, since its error is for the handler.
func (r *recorder) overflow(n int) string {
	switch total := len(r.body) + n; {
	case n == 0:
		return ""
	case r.status < 200, r.status == http.StatusNoContent, r.status == http.StatusNotModified:
		return "a response of status " + strconv.Itoa(r.status) + " has no body"
	case r.length >= 0 && total > r.length:
		return "Content-Length is " + strconv.Itoa(r.length) + ", but the body is longer"
	case total > r.limit:
		return "the body exceeds MaxBodyBytes"
	}
	return ""
}

// held reports whether the client has seen nothing of the response yet.
func (r *recorder) held() bool { return r.passed == "" && !r.exposed }

// pass lets everything recorded go out and lets the rest pass through.
func (r *recorder) pass(why string) {
	if r.passed != "" {
		return
	}
	r.announce(why)
	r.release()
	r.passed = why
}

// announce tells once that the response is not held back.
func (r *recorder) announce(why string) {
	if tell := r.onPass; tell != nil {
		r.onPass = nil
		tell(why)
	}
}

// release writes what was recorded to the client. Header fields that were set
// without a response go along, for whoever responds next. Of a response that
// passed through only trailers are left.
func (r *recorder) release() {
	h := r.outer.Header()
	switch {
	case r.passed != "":
		r.trailers(h)
		return
	case r.status == 0:
		apply(r.seed.changes(r.header), h)
		return
	}
	apply(r.fields, h)
	r.passed = "released"
	r.outer.WriteHeader(r.status)
	if len(r.body) > 0 {
		_, _ = r.outer.Write(r.body) // the client is gone; its handler need not know
	}
	r.trailers(h)
}

// trailers copies what the handler set after the header went out and the server
// sends after the body (see http.TrailerPrefix and the example of trailers there).
func (r *recorder) trailers(h http.Header) {
	for k, v := range r.header {
		if strings.HasPrefix(k, http.TrailerPrefix) {
			h[k] = v
		}
	}
	for _, line := range r.header["Trailer"] {
		for name := range strings.SplitSeq(line, ",") {
			name = http.CanonicalHeaderKey(strings.TrimSpace(name))
			if v, ok := r.header[name]; ok {
				h[name] = v
			}
		}
	}
}

// Flush is what http.Flusher and http.ResponseController call.
func (r *recorder) Flush() { _ = r.FlushError() }

// FlushError lets the response pass through and flushes it.
func (r *recorder) FlushError() error {
	if r.passed == "" && r.status == 0 {
		r.WriteHeader(http.StatusOK)
	}
	r.pass("the response is streamed")
	return http.NewResponseController(r.outer).Flush()
}

// Hijack lets the handler take over the connection, behind what it wrote before.
func (r *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	const why = "the connection was hijacked"
	if r.status != 0 {
		r.pass(why)
	}
	conn, rw, err := http.NewResponseController(r.outer).Hijack()
	if err == nil && r.passed == "" {
		r.announce(why)
		r.passed = why
	}
	return conn, rw, err
}

// Unwrap gives http.ResponseController the writer below, for deadlines and the
// like. Whoever has it can write past us, so that nothing is held back from then
// on, and nothing stored.
func (r *recorder) Unwrap() http.ResponseWriter {
	switch {
	case r.passed != "":
	case r.status != 0:
		r.pass(whyExposed)
	default:
		r.exposed = true
		r.announce(whyExposed)
		h := r.outer.Header()
		apply(r.seed.changes(r.header), h)
		r.seed = make(seed, len(h)) // only what changes from now on is left to apply
		for k, v := range r.header {
			r.seed[k] = seeded{slices.Clone(v), v}
		}
	}
	return r.outer
}

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
	for _, f := range fields {
		switch f.Op {
		case restflow.DelField:
			delete(h, f.Name)
		case restflow.AddField:
			h[f.Name] = append(h[f.Name], f.Values...)
		case restflow.SetField:
			h[f.Name] = f.Values
		}
	}
}

// Reaches reports whether a write to w arrives at target.
func Reaches(w, target http.ResponseWriter) bool {
	for w != target {
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return false
		}
		w = u.Unwrap()
	}
	return true
}
