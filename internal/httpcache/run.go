package httpcache

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/tagkey"
)

const whyPanicked = "the handler panicked"

// run is one run of the handler into a recorder.
type run struct {
	rec   *recorder
	entry *restflow.Entry // nil if it may not be stored
	why   string          // why not
	cause error           // the failure behind why
	err   error           // the handler's

	began, ended time.Time
}

// response is what the policy sees of the run.
func (r *run) response() *response {
	return &response{status: r.rec.status, fields: r.rec.fields, body: r.rec.body, began: r.began, ended: r.ended}
}

// recorder returns a new one for the handler of x.
func (e *Engine) recorder(x *Exchange) *recorder {
	rec := newRecorder(x.Writer, e.cfg.MaxBodyBytes, e.store)
	rec.lend = func(do func()) { x.Handler.Outside(rec, do) }
	return rec
}

// record runs the handler and makes an entry of its response, if the policy
// allows. When the handler panics, what it wrote goes out before the panic goes on.
func (e *Engine) record(x *Exchange, s restflow.Status, f *restflow.Flight) *run {
	x.status = s
	if e.cfg.SetCacheHeaders { // for whoever answers if the handler does not
		SetHeaders(x.Writer.Header(), restflow.Metadata{Status: s})
	}
	r := &run{rec: e.recorder(x)}
	r.rec.onPass = func(why string) {
		e.uncacheable.Set(x.key.Bytes, true) // now, since a stream may last
		f.Alone()
		e.answer(x, s, nil, outcome{fwd: x.fwd(s), detail: why})
	}
	ctx, stop := f.Context(x.Request.HTTP.Context(), e.cfg.FillTimeout)
	defer stop()
	inside, leave := e.enclose(ctx, x, &r.rec.control)
	defer leave()
	ended := false
	defer func() {
		if !ended {
			e.panicked(x, r)
		}
	}()
	if len(e.identity.fields) > 0 {
		e.parts(x) // of the request as it is before the handler has its hands on it
	}
	r.began = time.Now()
	own := e.own(x)
	if own == nil {
		own = x.Request.HTTP
	}
	r.err = x.Handler.Run(own.WithContext(inside), r.rec)
	r.ended = time.Now()
	over := f.Over(ctx)
	if over != nil {
		f.Abandon()
	}
	if r.why, r.cause = e.refuse(x, r, over); r.why == "" {
		r.entry = e.entry(r)
	}
	if over == nil { // a client that goes says nothing of what the next run makes
		e.uncacheable.Set(x.key.Bytes, r.why != "")
	}
	if e.cfg.Audit && r.entry != nil {
		e.audit(x)
	}
	ended = true // and CacheIf, which may panic as well
	return r
}

// panicked ends a run whose handler has panicked.
func (e *Engine) panicked(x *Exchange, r *run) {
	e.uncacheable.Set(x.key.Bytes, true)
	r.rec.release()
	r.rec.end()
	if !x.alone { // else refill tells, which has the panic
		e.tell(x, restflow.Event{Reason: whyPanicked})
	}
}

// finish answers with what was recorded, or with a stale entry in place of a
// failure. err is why an entry could not be saved.
func (e *Engine) finish(x *Exchange, r *run, entry, stale *restflow.Entry, err error) error {
	defer r.rec.end()
	if now := r.ended.UnixNano(); stale != nil && r.failed(x.Handler) && x.stands(stale, now) {
		x.Handler.Disown()
		x.snap.Now, x.failure = now, r.err // for Age, and for the event
		return e.replay(x, stale, restflow.Stale, outcome{hit: true, detail: "the handler failed"})
	}
	ev := restflow.Event{Stored: entry != nil && err == nil, Reason: r.why, Err: r.cause}
	status, kept := x.status, entry
	switch {
	case err != nil:
		kept = nil
		status = restflow.Bypass
		ev.Reason, ev.Err = "the entry could not be saved", err
	case ev.Stored:
		e.remember(x, entry)
		if x.snap.Fault != nil {
			ev.Reason, ev.Err = "the stored value was unreadable", x.snap.Fault
		}
	case r.entry != nil:
		ev.Reason = "the entry was deleted meanwhile"
	}
	if r.rec.held() {
		r.rec.settle()
		e.answer(x, status, kept, outcome{fwd: x.fwd(x.status), stored: ev.Stored, detail: ev.Reason})
	}
	r.rec.release()
	e.tell(x, ev)
	return r.err
}

// failed reports whether the server is at fault and nothing has gone out yet.
func (r *run) failed(h Handler) bool {
	if !r.rec.held() {
		return false
	}
	return r.err != nil && h.Failed(r.err) || r.err == nil && r.rec.status >= 500
}

// errIdentity is why an answer is not stored whose key came out differently once
// the handler had run.
var errIdentity = errors.New("a request value changed while the handler ran; put the cache behind the authentication middleware")

// refuse says why the recorded response may not be stored.
func (e *Engine) refuse(x *Exchange, r *run, over error) (why string, cause error) {
	rec := r.rec
	switch {
	case r.err != nil:
		return "the handler returned an error", r.err
	case rec.passed != "":
		return rec.passed, nil
	case rec.exposed:
		return whyExposed, nil
	case rec.status == 0:
		return "the handler wrote no response", nil
	case over != nil:
		return "the request ended first", over
	}
	for k := range rec.header {
		if strings.HasPrefix(k, http.TrailerPrefix) {
			return whyTrailers, nil
		}
	}
	if why := rec.control.verdict().reason; why != "" {
		return why, nil
	}
	if why, cause := e.recheck(x); why != "" {
		e.warn(x.Route, why)
		return why, cause
	}
	told := len(e.identity.fields) > 0 && e.identity.told(e.parts(x))
	e.restrict(rec, told)
	res := r.response()
	if why := e.refuseResponse(res, told); why != "" {
		return why, nil
	}
	if why, cause := e.ask(x, res); why != "" {
		return why, cause
	}
	e.tag(rec)
	return "", nil
}

// recheck looks at the identity again: authentication may run inside the cache.
// If the values of the request are others now, the key is another one, and
// somebody else's.
func (e *Engine) recheck(x *Exchange) (string, error) {
	if !e.unchanged(x) {
		var k tagkey.Key // x.built is the request's before the handler ran
		if err := e.build(x, &k); err != nil {
			return e.unkeyed(x, err), err
		}
		if !bytes.Equal(k.Bytes(), x.key.Bytes) {
			return "the key changed while the handler ran", errIdentity
		}
	}
	return e.identity.refuse(&x.Visit, x.covered), nil
}

// restrict adds what the handler left to the cache: that a user's own response is
// private.
func (e *Engine) restrict(rec *recorder, told bool) {
	res := response{fields: rec.fields}
	if told && !e.identity.shared && len(res.values(headerCacheControl)) == 0 {
		for i := range rec.fields { // of no values
			if f := &rec.fields[i]; strings.EqualFold(f.Name, headerCacheControl) {
				f.Op = restflow.DelField
			}
		}
		rec.fields = append(rec.fields, private)
	}
}

// tag adds an entity tag to a response that is stored and has none.
func (e *Engine) tag(rec *recorder) {
	res := response{fields: rec.fields}
	if e.cfg.ETag && rec.status == http.StatusOK && len(res.values("Etag")) == 0 {
		rec.fields = append(rec.fields, restflow.Field{Op: restflow.SetField, Name: "Etag", Values: []string{strongETag(rec.body)}})
	}
}

// ask asks the user's predicate.
func (e *Engine) ask(x *Exchange, res *response) (why string, cause error) {
	predicate, want, name := e.cfg.CacheIf, true, "CacheIf"
	if predicate == nil {
		predicate, want, name = e.cfg.CacheUnless, false, "CacheUnless"
	}
	if predicate == nil {
		return "", nil
	}
	h := make(http.Header, len(res.fields))
	for _, f := range res.fields {
		if f.Op != restflow.DelField && !isPrivate(&f) {
			h[f.Name] = f.Values
		}
	}
	got, err := predicate(x.Request.HTTP.Context(), &Response{Status: res.status, Header: h, Body: res.body})
	switch {
	case err != nil:
		return name + " failed", err
	case got != want:
		return name, nil
	}
	return "", nil
}

// entry makes an entry of what was recorded. The body passes to it uncopied.
func (e *Engine) entry(r *run) *restflow.Entry {
	res, control := r.response(), r.rec.control.verdict()
	d := parseCacheControl(res.values("Cache-Control"))
	fresh, _ := res.freshness(&d)
	entry := &restflow.Entry{
		Created: r.ended.Add(-fresh.age).UnixNano(), Delta: int64(r.ended.Sub(r.began)), Tags: control.tags,
		Status: res.status, Header: dated(storable(res), r), Body: slices.Clip(res.body),
	}
	ttl := fresh.left(e.cfg.lifetime.TTL)
	if control.hasTTL {
		ttl = control.ttl
	}
	if ttl == 0 {
		return entry
	}
	entry.Expires = e.cfg.lifetime.Expires(r.ended, ttl)
	revalidate, failure := e.windows(&d)
	entry.StaleUntil = entry.Expires + int64(max(revalidate, failure))
	return entry
}

// dated adds a Date to a response with Expires if nobody has set one, since the
// server would give each answer its own (RFC 9110, 6.6.1), and whoever subtracts
// it from Expires would be wrong. Without Expires, Age says all that matters.
func dated(fields []restflow.Field, r *run) []restflow.Field {
	_, has := r.rec.header["Date"]
	if _, expires := r.rec.header["Expires"]; has || !expires {
		return fields
	}
	return append(fields, restflow.Field{Op: restflow.SetField, Name: "Date", Values: []string{r.ended.UTC().Format(http.TimeFormat)}})
}
