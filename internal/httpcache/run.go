package httpcache

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/tagkey"
)

// run is one run of the handler into a recorder.
type run struct {
	rec   *recorder
	entry *restflow.Entry // nil if it may not be stored
	why   string          // why not
	cause error           // the failure behind why
	err   error           // the handler's
}

// record runs the handler and makes an entry of its response, if the policy
// allows. When the handler panics, what it wrote goes out before the panic goes on.
func (e *Engine) record(x *Exchange, s restflow.Status) *run {
	e.answer(x, restflow.Metadata{Status: s})
	r := &run{rec: newRecorder(x.Writer, e.cfg.MaxBodyBytes)}
	ended := false
	defer func() {
		if !ended {
			r.rec.release()
		}
	}()
	began := time.Now()
	r.err = x.Handler.Run(r.rec)
	if r.why, r.cause = e.refuse(x, r); r.why == "" {
		r.entry = e.entry(r.rec, began)
	}
	ended = true
	return r
}

// finish answers with what was recorded. err is why an entry could not be saved.
func (e *Engine) finish(x *Exchange, r *run, entry *restflow.Entry, err error) error {
	if entry != nil && err == nil {
		e.answer(x, entry.Metadata(x.meta.Status))
	}
	ev := restflow.Event{Stored: entry != nil && err == nil, Reason: r.why, Err: r.cause}
	switch {
	case err != nil:
		ev.Reason, ev.Err = "the entry could not be saved", err
		if r.rec.passed == "" {
			e.answer(x, restflow.Metadata{Status: restflow.Bypass})
		}
	case r.entry != nil && entry == nil:
		ev.Reason = "the entry was deleted meanwhile"
	case r.why == "" && x.snap.Fault != nil:
		ev.Reason, ev.Err = "the stored value was unreadable", x.snap.Fault
	}
	r.rec.release()
	e.tell(x, ev)
	return r.err
}

// errIdentity is why an answer is not stored whose key came out differently once
// the handler had run.
var errIdentity = errors.New("a request value changed while the handler ran; put the cache behind the authentication middleware")

// refuse says why the recorded response may not be stored.
func (e *Engine) refuse(x *Exchange, r *run) (why string, cause error) {
	rec, req := r.rec, x.Request.HTTP
	switch {
	case r.err != nil:
		return "the handler returned an error", r.err
	case rec.passed != "":
		return rec.passed, nil
	case rec.exposed:
		return "the handler reached for the writer below", nil
	case rec.status == 0:
		return "the handler wrote no response", nil
	case req.Context().Err() != nil:
		return "the request ended first", req.Context().Err()
	}
	for k := range rec.header {
		if len(k) > len(http.TrailerPrefix) && k[:len(http.TrailerPrefix)] == http.TrailerPrefix {
			return "the response has trailers", nil
		}
	}
	if why, cause := e.recheck(x); why != "" {
		e.warn(x.Route, why)
		return why, cause
	}
	res := &response{status: rec.status, fields: rec.fields, body: rec.body}
	if why := e.refuseResponse(res, e.identity.told(&x.built)); why != "" {
		return why, nil
	}
	return e.ask(x, res)
}

// recheck looks at the identity again: authentication may run inside the cache.
// If the values of the request are others now, the key is another one, and
// somebody else's.
func (e *Engine) recheck(x *Exchange) (string, error) {
	k := &x.built
	if e.cfg.Plan.NeedsRequest() {
		k = new(tagkey.Key) // x.built is what the flight goes by
		if err := e.build(x, k); err != nil {
			return "the key cannot be built", err
		}
		if !bytes.Equal(k.Bytes(), x.built.Bytes()) {
			return "the key changed while the handler ran", errIdentity
		}
	}
	return e.identity.refuse(x.Request.HTTP, k, x.Handler.Identified()), nil
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
		if f.Op != restflow.DelField {
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
func (e *Engine) entry(rec *recorder, began time.Time) *restflow.Entry {
	res := &response{status: rec.status, fields: rec.fields, body: rec.body}
	now := time.Now()
	expires := e.expiry(now, res)
	return &restflow.Entry{
		Created: now.UnixNano(), Expires: expires, StaleUntil: expires,
		Delta:  int64(now.Sub(began)),
		Status: rec.status, Header: storable(res), Body: slices.Clip(rec.body),
	}
}
