package httpcache

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"runtime/debug"

	"github.com/restflow-go/restflow"
)

// early decides at random whether a fresh entry is refreshed ahead of its end, the
// sooner the longer it takes to make (XFetch: Vattani, Chierichetti, Lowenstein,
// "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015).
func (e *Engine) early(entry *restflow.Entry, now int64) bool {
	if e.cfg.EarlyRefresh == 0 || entry.Expires == 0 {
		return false
	}
	gap := float64(entry.Delta) * e.cfg.EarlyRefresh * -math.Log(1-rand.Float64()) //nolint:gosec // not a secret
	return float64(now)+gap >= float64(entry.Expires)
}

// revalidate refreshes the entry in the background, unless somebody does already.
func (e *Engine) revalidate(x *Exchange) {
	if x.Request.HTTP.Method == http.MethodHead {
		return
	}
	l := e.store.Launch(x.key, &x.snap)
	if l == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.Request.HTTP.Context()), e.cfg.FillTimeout)
	// The handler sees the fields of outer middleware, since what it does to them is stored.
	bg := &Exchange{Visit: Visit{Route: x.Route, Writer: &nobody{x.Writer.Header().Clone()}}, sealed: x.sealed, alone: true}
	r := impersonal(x.Request.HTTP.Clone(ctx), e.identity.told(e.parts(x)))
	bg.Handler, bg.Request = x.Handler.Background(r)
	if e.buildKey(bg) != nil || !bytes.Equal(bg.key.Bytes, x.key.Bytes) {
		cancel()
		l.Cancel() // what the key needs does not outlive the request
		return
	}
	go func() {
		defer cancel()
		e.refill(ctx, bg, l)
	}()
}

// impersonal takes from r what is about the client that asks and not about the entry:
// the conditions on its own copy, and its credentials unless the key tells users apart.
func impersonal(r *http.Request, told bool) *http.Request {
	for _, name := range []string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range"} {
		delete(r.Header, name)
	}
	if told {
		return r
	}
	delete(r.Header, "Authorization")
	delete(r.Header, "Cookie")
	if r.TLS != nil {
		state := *r.TLS
		state.PeerCertificates, state.VerifiedChains = nil, nil
		r.TLS = &state
	}
	return r
}

// refill runs the handler for nobody but the store.
func (e *Engine) refill(ctx context.Context, bg *Exchange, l *restflow.Launch) {
	var r *run
	panicked := false
	entry, err := l.Run(ctx, func(f *restflow.Flight) *restflow.Entry {
		panicked = true
		r = e.record(bg, restflow.Refresh, f)
		panicked = false
		return r.entry
	})
	ev := restflow.Event{Stored: entry != nil && err == nil, Err: err}
	switch {
	case panicked:
		ev.Reason = whyPanicked
		e.logPanic("the handler", bg.Route, err)
	case err != nil:
		ev.Reason = "the background refresh failed"
	case r == nil:
		ev.Reason = "another process refreshes the entry"
	case entry == nil:
		ev.Reason, ev.Err = r.why, r.cause
	}
	bg.status = restflow.Refresh
	defer func() { // where OnEvent runs there is nobody either, and the process would end
		if p := recover(); p != nil {
			e.logPanic("OnEvent", bg.Route, fmt.Errorf("%v\n%s", p, debug.Stack()))
		}
	}()
	e.tell(bg, ev)
}

// logPanic logs once a route that a handler, or a hook, has panicked where nobody is
// there to recover it. The error has the value and the stack.
func (e *Engine) logPanic(who, route string, err error) {
	if _, before := e.warned.LoadOrStore(route+" panic of "+who, struct{}{}); !before {
		e.cfg.Logger.Error("restflow: "+who+" panicked in the background", "cache", e.cfg.Plan.Namespace(), "route", route, "error", err)
	}
}

// nobody is the client of a background refresh.
type nobody struct{ header http.Header }

func (n *nobody) Header() http.Header         { return n.header }
func (n *nobody) Write(p []byte) (int, error) { return len(p), nil }
func (n *nobody) WriteHeader(int)             {}
