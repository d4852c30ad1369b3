package httpcache

import (
	"net/http"
	"slices"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/tagkey"
)

// unsafeMethod reports whether a method may change something: every one but those
// that are registered as safe (RFC 9111, 4.4), and CONNECT, which has no target.
func unsafeMethod(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodConnect,
		"PROPFIND", "QUERY", "REPORT", "SEARCH":
		return false
	}
	return true
}

// unsafe runs a handler that may change what the target URI stands for, and after
// a success drops what is cached of it, for all users (RFC 9111, 4.4). The client
// hears of the success only then, so that it reads what it wrote.
func (e *Engine) unsafe(x *Exchange) error {
	const why = "the method is not safe"
	target := x.Request // with its parameters: the handler may put others in their place
	target.ParamNames, target.ParamValues = slices.Clone(target.ParamNames), slices.Clone(target.ParamValues)
	drop := func() {
		ctx := x.Request.HTTP.Context()
		if err := e.store.Bump(ctx, e.keyspace.All(), e.target(&target)); err != nil {
			e.cfg.Logger.WarnContext(ctx, "restflow: invalidation after an unsafe method", "route", x.Route, "error", err)
		}
	}
	e.answer(x, restflow.Bypass, nil, outcome{fwd: "method"})
	rec := e.recorder(x)
	reached := false // for the writer below, before any answer
	var pass func(string)
	pass = func(string) {
		again := reached && rec.status == 0
		if rec.status == 0 { // an answer that comes through the recorder is told of as well
			reached, rec.onPass = true, pass
		}
		if rec.status < http.StatusBadRequest && !again {
			drop()
		}
	}
	rec.onPass = pass
	defer rec.end()
	defer rec.release()
	ev := restflow.Event{Reason: whyPanicked}
	defer func() { // also when the handler panics, since its answer goes out all the same
		if rec.status < http.StatusBadRequest && (rec.status != 0 || ev.Reason == why && ev.Err == nil) {
			drop() // again after a response that was streamed: the change may have come behind it
		}
		e.tell(x, ev)
	}()
	err := x.Handler.Run(nil, rec)
	ev = restflow.Event{Reason: why, Err: err}
	return err
}

// target is the narrowest scope that covers every entry of the target URI of r: of the
// partition fields that the path gives; without one, the whole cache.
func (e *Engine) target(r *tagkey.Request) restflow.Scope {
	var k tagkey.Key
	if e.cfg.Plan.BuildRequest(&k, r) != nil {
		return e.keyspace.All()
	}
	return e.keyspace.Covering(&k, e.uris)
}
