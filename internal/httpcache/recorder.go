package httpcache

import (
	"bufio"
	"errors"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

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
	lend   func(do func())  // does what outer middleware should see done; may be nil

	seed   seed
	header http.Header // what the handler sees

	status  int
	fields  []restflow.Field // the handler's changes, taken by WriteHeader
	length  int              // what Content-Length declares; -1 if nothing
	body    []byte
	passed  string // why the response passes through; empty while held back
	exposed bool   // somebody asked for the writer below
	settled bool   // the client's header has the fields
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
	r.settle()
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

// settle puts the recorded fields into the client's header. What is to have the
// last word there comes behind it. Fields that were set without a response go along,
// for whoever responds next.
func (r *recorder) settle() {
	if r.settled {
		return
	}
	r.settled = true
	fields := r.fields
	if r.status == 0 {
		fields = r.seed.changes(r.header)
	}
	apply(fields, r.outer.Header())
}

// release writes what was recorded to the client. Of a response that passed through
// only trailers are left.
func (r *recorder) release() {
	if r.passed == "" {
		r.settle()
		if r.status == 0 {
			return
		}
		r.passed = "released"
		if r.lend != nil {
			r.lend(r.send)
		} else {
			r.send()
		}
	}
	r.trailers(r.outer.Header())
}

func (r *recorder) send() {
	r.outer.WriteHeader(r.status)
	if len(r.body) > 0 {
		_, _ = r.outer.Write(r.body) // the client is gone; its handler need not know
	}
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
		h := r.outer.Header()
		apply(r.seed.changes(r.header), h)
		r.announce(whyExposed)
		r.seed = make(seed, len(h)) // only what changes from now on is left to apply
		for k, v := range r.header {
			r.seed[k] = seeded{slices.Clone(v), v}
		}
	}
	return r.outer
}

// end takes the client away from a goroutine that outlives the handler: what was the
// client's writer may be another's by then.
func (r *recorder) end() {
	r.onPass, r.lend, r.outer, r.passed = nil, nil, gone{}, "the run is over"
}

// gone is the client of a run that is over.
type gone struct{}

var errOver = errors.New("restflow: the handler has returned, and its response is over")

func (gone) Header() http.Header       { return http.Header{} }
func (gone) Write([]byte) (int, error) { return 0, errOver }
func (gone) WriteHeader(int)           {}
func (gone) FlushError() error         { return errOver }

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
