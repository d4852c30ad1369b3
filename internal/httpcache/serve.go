package httpcache

import (
	"net/http"
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
	h[headerStatus] = statusValues[m.Status]
	setTime(h, headerCachedAt, m.CachedAt)
	setTime(h, headerResetAt, m.ResetAt)
}

// statusValues saves an allocation for each response. They have no room to
// append to.
var statusValues = func() (v [restflow.Refresh + 1][]string) {
	for s := range v {
		v[s] = []string{restflow.Status(s).String()}
	}
	return v
}()

func setTime(h http.Header, name string, t time.Time) {
	if t.IsZero() {
		delete(h, name)
		return
	}
	h[name] = []string{t.UTC().Format(isoTime)}
}

// answer settles how the exchange is answered and says so in the headers.
func (e *Engine) answer(x *Exchange, m restflow.Metadata) {
	x.meta = m
	if e.cfg.SetCacheHeaders {
		SetHeaders(x.Writer.Header(), m)
	}
}

// bypass lets the handler answer, untouched.
func (e *Engine) bypass(x *Exchange, why string, err error) error {
	e.answer(x, restflow.Metadata{Status: restflow.Bypass})
	e.tell(x, restflow.Event{Reason: why, Err: err})
	return x.Handler.Run(x.Writer)
}

// replay answers with an entry.
func (e *Engine) replay(x *Exchange, entry *restflow.Entry, s restflow.Status, why string) error {
	w := x.Writer
	entry.Apply(w.Header())
	e.answer(x, entry.Metadata(s))
	w.WriteHeader(entry.Status)
	if x.Request.HTTP.Method != http.MethodHead && len(entry.Body) > 0 {
		_, _ = w.Write(entry.Body) // the client is gone; nobody is left to tell
	}
	e.tell(x, restflow.Event{Shared: s == restflow.Miss, Reason: why})
	return nil
}

// miss lets the handler answer, or waits for another request's that does.
func (e *Engine) miss(x *Exchange) error {
	if x.Request.HTTP.Method == http.MethodHead {
		return e.plain(x, "a HEAD request fills no entry")
	}
	var run *run
	entry, led, err := e.store.Fill(x.Request.HTTP.Context(), &x.key, &x.snap, func(*restflow.Flight) *restflow.Entry {
		run = e.record(x, restflow.Miss)
		return run.entry
	})
	switch {
	case led:
		return e.finish(x, run, entry, err)
	case err != nil:
		return e.bypass(x, "the store is in trouble", err)
	case entry != nil:
		return e.replay(x, entry, restflow.Miss, "")
	}
	return e.plain(x, "the answer that it waited for was not stored")
}

// plain is a miss that nothing is stored of: the handler writes to the client.
func (e *Engine) plain(x *Exchange, why string) error {
	e.answer(x, restflow.Metadata{Status: restflow.Miss})
	e.tell(x, restflow.Event{Reason: why})
	return x.Handler.Run(x.Writer)
}
