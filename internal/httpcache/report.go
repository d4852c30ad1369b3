package httpcache

import (
	"context"
	"errors"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/tagkey"
)

// warn logs once a route why its requests are not cached.
func (e *Engine) warn(route, why string) {
	if _, before := e.warned.LoadOrStore(route, struct{}{}); !before {
		e.cfg.Logger.Warn("restflow: not cached", "cache", e.cfg.Plan.Namespace(), "route", route, "reason", why,
			"fix", `add an identity field such as restflow:"request,user.id,partition" and put the cache behind the authentication middleware, or set Shared if every user gets the same answer`)
	}
}

// unkeyed says that no key can be built. That a request field is absent, or its path
// leads nowhere, is most likely a mistake of the program, which the log tells once a
// route; what a client sends that does not parse is the client's affair.
func (e *Engine) unkeyed(x *Exchange, err error) string {
	const why = "the key cannot be built"
	var value *tagkey.ValueError
	if !errors.As(err, &value) || value.Source != "request" || !faulty(err) {
		return why
	}
	if _, before := e.warned.LoadOrStore(x.Route+" "+value.Name, struct{}{}); !before {
		e.cfg.Logger.Warn("restflow: not cached", "cache", e.cfg.Plan.Namespace(), "route", x.Route, "reason", value.Error(),
			"fix", `set the value before the cache runs, correct the path, or flag the field optional`)
	}
	return why + ": " + value.Name
}

// faulty reports whether a value is not there, rather than one that does not parse.
func faulty(err error) bool {
	for _, kind := range []error{tagkey.ErrAbsent, tagkey.ErrLookup, tagkey.ErrMethod, tagkey.ErrType} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// tell reports what became of the request.
func (e *Engine) tell(x *Exchange, ev restflow.Event) {
	ev.Status, ev.Background = x.status, x.alone
	if ev.Err == nil {
		ev.Err = x.failure
	}
	e.emit(&x.Visit, x.key, ev)
}

func (e *Engine) emit(v *Visit, k *restflow.Key, ev restflow.Event) {
	if e.cfg.OnEvent == nil {
		return
	}
	ev.Cache, ev.Route = e.cfg.Plan.Namespace(), v.Route
	if k != nil {
		ev.Key = tagkey.Printable(k.Bytes)
	}
	e.cfg.OnEvent(context.WithoutCancel(v.Request.HTTP.Context()), ev)
}
