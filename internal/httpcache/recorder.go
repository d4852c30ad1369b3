package httpcache

import (
	"bufio"
	"net"
	"net/http"
	"slices"
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
// so that it can read what they set; only what it changes is recorded.
type recorder struct {
	outer  http.ResponseWriter
	limit  int
	onPass func(why string) // called once before a response passes through; may be nil

	seed   seed
	header http.Header // what the handler sees

	status  int
	fields  []restflow.Field // the handler's changes, taken by WriteHeader
	body    []byte
	passed  string // why the response passes through; empty while held back
	exposed bool   // somebody asked for the writer below
	control Control
}

func newRecorder(outer http.ResponseWriter, limit int, store *restflow.Store) *recorder {
	h := outer.Header()
	r := &recorder{outer: outer, limit: limit, control: Control{store: store}, seed: make(seed, len(h)), header: make(http.Header, len(h)+4)}
	for k, v := range h {
		given := slices.Clip(slices.Clone(v))
		r.seed[k] = seeded{v, given}
		r.header[k] = given
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
	if _, ok := r.header["Trailer"]; ok {
		r.pass("the response has trailers")
	}
}

// informational sends a 1xx response below any writer that would take it for
// the final one.
func informational(w http.ResponseWriter, h http.Header, status int) {
	for {
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			break
		}
		w = u.Unwrap()
	}
	for k, v := range h {
		w.Header()[k] = v
	}
	w.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.passed == "" {
		if r.status == 0 {
			r.WriteHeader(http.StatusOK)
		}
		if r.passed == "" && len(r.body)+len(p) <= r.limit {
			r.body = append(r.body, p...)
			return len(p), nil
		}
		r.pass("the body exceeds MaxBodyBytes")
	}
	return r.outer.Write(p)
}

// pass lets everything recorded go out and lets the rest pass through.
func (r *recorder) pass(why string) {
	if r.passed != "" {
		return
	}
	if r.onPass != nil {
		r.onPass(why)
	}
	r.release()
	r.passed = why
	r.header = r.outer.Header()
}

// release writes what was recorded to the client. Header fields that were set
// without a response go along, for whoever responds next.
func (r *recorder) release() {
	if r.passed != "" {
		return
	}
	h := r.outer.Header()
	if r.status == 0 {
		apply(r.seed.changes(r.header), h)
		return
	}
	apply(r.fields, h)
	r.outer.WriteHeader(r.status)
	if len(r.body) > 0 {
		_, _ = r.outer.Write(r.body) // the client is gone; its handler need not know
	}
	for k, v := range r.header { // trailers that were not declared
		if strings.HasPrefix(k, http.TrailerPrefix) {
			h[k] = v
		}
	}
	r.passed = "released"
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

// Hijack lets the handler take over the connection.
func (r *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if r.passed == "" {
		const why = "the connection was hijacked"
		if r.onPass != nil {
			r.onPass(why)
		}
		apply(r.seed.changes(r.header), r.outer.Header())
		r.passed, r.header = why, r.outer.Header()
	}
	return http.NewResponseController(r.outer).Hijack()
}

// Unwrap gives http.ResponseController the writer below, for deadlines and the
// like. Whoever has it can write past us, so that nothing is stored.
func (r *recorder) Unwrap() http.ResponseWriter {
	r.exposed = true
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
