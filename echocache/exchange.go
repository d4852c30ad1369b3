package echocache

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/restflow-go/restflow/internal/httpcache"
	"github.com/restflow-go/restflow/tagkey"
)

// requestValues names the context values that the key reads.
func requestValues(plan *tagkey.Plan) (names []string) {
	for _, f := range plan.Fields() {
		if f.Source == "request" && !f.BuiltIn() {
			name, _, _ := strings.Cut(f.SourceName, ".")
			names = append(names, name)
		}
	}
	return names
}

// exchange is one request of Echo in the hands of the engine.
type exchange struct {
	httpcache.Exchange
	ctx    echo.Context
	next   echo.HandlerFunc
	values []string // requestValues

	outer *echo.Response // the client's, while the handler has one of its own
	lent  *echo.Response // the handler's, whose hooks wait for another answer
}

// errRecycled is what becomes of a handler that outlived its request: outer
// middleware ran it on another goroutine and did not wait for it.
var errRecycled = errors.New("echocache: the context was reused while the handler ran; the timeout middleware does not wait for it")

// Run lets the handler answer into w. Unless that is the client itself, the
// handler gets an echo.Response of its own: what outer middleware registered with
// Response.Before runs when the client is answered, and not for what is stored.
func (x *exchange) Run(r *http.Request, w http.ResponseWriter) error {
	c, outer, before := x.ctx, x.ctx.Response(), x.ctx.Request()
	if r == nil {
		r = before
	}
	isSealed := r.URL != before.URL // asked now, since inner middleware may rewrite the URL
	if w == http.ResponseWriter(outer) {
		defer x.revive(r.Context(), r, before, isSealed)
		return x.runAs(r)
	}
	r = r.WithContext(context.WithValue(r.Context(), mark{}, x))
	given, inner := r.Context(), echo.NewResponse(w, c.Echo())
	c.SetResponse(inner)
	x.outer = outer
	defer func() {
		x.outer = nil
		if !x.ours(w) {
			return
		}
		c.SetResponse(outer)
		if !isSealed {
			handBack(r, before)
		}
		x.revive(given, r, before, isSealed)
		if !inner.Committed {
			x.lent = inner
			lend(inner, outer)
		}
	}()
	err := x.runAs(r)
	if !x.ours(w) {
		return errors.Join(errRecycled, err)
	}
	return err
}

// handBack gives the request the form that was parsed of r, a copy of it: the server
// removes the files of a form, and outer middleware reads it. What the seal has left
// of a request is not the request's.
func handBack(r, before *http.Request) {
	before.Form, before.PostForm, before.MultipartForm = r.Form, r.PostForm, r.MultipartForm
}

// runAs runs the handler with r as its request.
func (x *exchange) runAs(r *http.Request) error {
	c := x.ctx
	before := c.Request()
	if r != before {
		c.SetRequest(r)
	}
	if r.URL != before.URL {
		return x.next(&sealed{Context: c})
	}
	return x.next(c)
}

// mark is the key under which the context of a request that the handler gets
// names its exchange.
type mark struct{}

// ours reports whether the context still is the one that the handler was given,
// and not another request's by now. Inner middleware may have left a writer of
// its own behind, or a request, but hardly both without a trace of ours.
func (x *exchange) ours(w http.ResponseWriter) bool {
	return httpcache.Reaches(x.ctx.Response(), w) || x.ctx.Request().Context().Value(mark{}) == x
}

// revive gives the context its request back in place of r, which the handler got
// with the context given. A request that inner middleware left behind stays, and
// so do values that were put into r, as gorilla/sessions does; but not their life,
// which ends with the handler while outer middleware goes on.
func (x *exchange) revive(given context.Context, r, before *http.Request, isSealed bool) {
	switch left := x.ctx.Request(); {
	case left == before:
	case left == r && r.Context() == given:
		x.ctx.SetRequest(before)
	case left == r:
		x.ctx.SetRequest(before.WithContext(revived{before.Context(), r.Context()}))
	case isSealed && (left.URL == r.URL || left.Context().Value(mark{}) == x):
		// What the seal has left of the request is not outer middleware's.
		x.ctx.SetRequest(before.WithContext(revived{before.Context(), left.Context()}))
	case left.Context().Value(mark{}) == x:
		x.ctx.SetRequest(left.WithContext(revived{before.Context(), left.Context()}))
	}
}

// revived has the life of one context and the values of another.
type revived struct {
	context.Context
	values context.Context
}

func (r revived) Value(key any) any {
	if key == (mark{}) { // that of a cache around this one, which is still to know its own
		return r.Context.Value(key)
	}
	return r.values.Value(key)
}

// Routed looks at what Echo leaves in the context for its answer of 405.
func (x *exchange) Routed() bool { return x.ctx.Get(echo.ContextKeyHeaderAllow) == nil }

// Failed reports whether Echo's own error handler would answer err with a 5xx: it
// looks at the error and the one inside, and unwraps neither.
func (x *exchange) Failed(err error) bool {
	he, ok := err.(*echo.HTTPError) //nolint:errorlint // as Echo
	if !ok {
		return true
	}
	if inner, ok := he.Internal.(*echo.HTTPError); ok { //nolint:errorlint // as Echo
		he = inner
	}
	return he.Code >= http.StatusInternalServerError
}

// Background copies what the handler needs into a context of its own, since Echo
// reuses that of the request.
func (x *exchange) Background(r *http.Request) (httpcache.Handler, tagkey.Request) {
	old := x.ctx
	c := old.Echo().NewContext(r, nil)
	c.SetPath(old.Path())
	c.SetHandler(old.Handler())
	c.SetParamNames(slices.Clone(old.ParamNames())...)
	c.SetParamValues(slices.Clone(old.ParamValues())...)
	for _, name := range x.values {
		if v := old.Get(name); v != nil {
			c.Set(name, v)
		}
	}
	bg := &exchange{ctx: c, next: x.next, values: x.values}
	return bg, tagkey.Request{HTTP: r, ParamNames: c.ParamNames(), ParamValues: c.ParamValues(), Values: c}
}
