package httpcache

import (
	"net/http"
	"time"

	"github.com/restflow-go/restflow"
)

// answer settles how the exchange is answered and says so in the headers.
// entry is nil if none was stored.
func (e *Engine) answer(x *Exchange, s restflow.Status, entry *restflow.Entry, o outcome) {
	x.status = s
	m := restflow.Metadata{Status: s}
	if entry != nil && e.announces() {
		m = x.metadata(entry, s)
	}
	e.announce(x.Writer.Header(), m, o)
}

// announces reports whether headers tell of the cache.
func (e *Engine) announces() bool { return e.cfg.SetCacheHeaders || e.cfg.CacheStatus }

// announce says in the headers how a request is answered.
func (e *Engine) announce(h http.Header, m restflow.Metadata, o outcome) {
	if e.cfg.SetCacheHeaders {
		SetHeaders(h, m)
	}
	if e.cfg.CacheStatus {
		o.append(h, m.ResetAt)
	}
}

// bypass lets the handler answer, untouched.
func (e *Engine) bypass(x *Exchange, why string, err error) error {
	e.answer(x, restflow.Bypass, nil, outcome{fwd: forward(x.Request.HTTP), detail: why})
	e.tell(x, restflow.Event{Reason: why, Err: err})
	return x.Handler.Run(e.own(x), x.Writer)
}

// own is what the handler gets in place of the request: nil for itself.
func (e *Engine) own(x *Exchange) *http.Request {
	if x.sealed {
		return without(x.Request.HTTP, e.seal.seals)
	}
	return nil
}

// replay answers with an entry: all of it, or 304 if the client has it.
func (e *Engine) replay(x *Exchange, entry *restflow.Entry, s restflow.Status, o outcome) error {
	unchanged := x.open(entry, x.snap.Now)
	e.answer(x, s, entry, o)
	x.send(entry, unchanged)
	e.tell(x, restflow.Event{Shared: o.collapsed, Reason: o.detail})
	return nil
}

// open begins the answer of an entry with its header fields. unchanged says that the
// client has what it holds.
func (v *Visit) open(entry *restflow.Entry, now int64) (unchanged bool) {
	h := v.Writer.Header()
	lay(entry, h, now)
	if unchanged = notModified(v.Request.HTTP, entry); unchanged {
		dropRepresentation(h)
	}
	return unchanged
}

// send ends what open began.
func (v *Visit) send(entry *restflow.Entry, unchanged bool) {
	if unchanged {
		v.Writer.WriteHeader(http.StatusNotModified)
		return
	}
	head := v.Request.HTTP.Method == http.MethodHead
	if head {
		setLength(v.Writer.Header(), len(entry.Body))
	}
	v.Writer.WriteHeader(entry.Status)
	if !head && len(entry.Body) > 0 {
		_, _ = v.Writer.Write(entry.Body) // the client is gone; nobody is left to tell
	}
}

// miss lets the handler answer, or waits for another request's that does. A
// stale entry stands in if the handler fails.
func (e *Engine) miss(x *Exchange, stale *restflow.Entry) error {
	if x.Request.HTTP.Method == http.MethodHead {
		return e.plain(x, "a HEAD request fills no entry")
	}
	ctx := x.Request.HTTP.Context()
	var r *run
	record := func(f *restflow.Flight) *restflow.Entry {
		r = e.record(x, restflow.Miss, f)
		return r.entry
	}
	var entry *restflow.Entry
	var err error
	led := true
	if e.uncacheable.Has(x.key.Bytes) {
		entry, err = e.store.FillAlone(ctx, x.key, &x.snap, record)
	} else {
		entry, led, err = e.store.Fill(ctx, x.key, &x.snap, record)
		if stale != nil && r == nil && entry == nil && err == nil {
			// The run that it waited for has most likely failed, and its own may, too.
			entry, err = e.store.FillAlone(ctx, x.key, &x.snap, record)
		}
	}
	switch {
	case r != nil:
		return e.finish(x, r, entry, stale, err)
	case err != nil:
		return e.bypass(x, "the store is in trouble", err)
	case !led && entry != nil:
		x.snap.Now = time.Now().UnixNano() // for Age: it may have waited long
		return e.replay(x, entry, restflow.Miss, outcome{fwd: x.fwd(restflow.Miss), collapsed: true})
	}
	return e.plain(x, "the answer that it waited for was not stored")
}

// plain is a miss that nothing is stored of: the handler writes to the client.
func (e *Engine) plain(x *Exchange, why string) error {
	e.answer(x, restflow.Miss, nil, outcome{fwd: x.fwd(restflow.Miss), detail: why})
	e.tell(x, restflow.Event{Reason: why})
	return x.Handler.Run(e.own(x), x.Writer)
}

// refresh runs the handler whatever is stored, and stores what it makes. It joins
// no flight, since one that is under way may have begun before the data changed.
func (e *Engine) refresh(x *Exchange) error {
	if x.Request.HTTP.Method == http.MethodHead {
		return e.bypass(x, "a HEAD request fills no entry", nil) // its answer may lack the body
	}
	var r *run
	entry, err := e.store.Replace(x.Request.HTTP.Context(), x.key, &x.snap, func(f *restflow.Flight) *restflow.Entry {
		r = e.record(x, restflow.Refresh, f)
		return r.entry
	})
	if r == nil {
		return e.bypass(x, "the store is in trouble", err)
	}
	return e.finish(x, r, entry, nil, err)
}
