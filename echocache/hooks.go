package echocache

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// Outside lets hooks of outer middleware find the client's response in the context,
// when it is answered before the handler has ended.
func (x *exchange) Outside(w http.ResponseWriter, do func()) {
	outer := x.outer
	if outer == nil || !x.ours(w) {
		do()
		return
	}
	inner := x.ctx.Response()
	x.ctx.SetResponse(outer)
	defer x.ctx.SetResponse(inner)
	do()
}

// Disown takes back the hooks that were lent.
func (x *exchange) Disown() {
	if x.lent != nil {
		x.lent.Writer = disowned{}
	}
}

// disowned is the writer of a response that does not go out.
type disowned struct{ http.ResponseWriter }

// lend runs the hooks of a response that was not written with the one that is
// written in its place, as when the handler returns an error.
func lend(inner, outer *echo.Response) {
	own := func() bool { return inner.Writer != disowned{} }
	outer.Before(func() {
		if !own() {
			return
		}
		inner.Writer = silent{outer}
		inner.WriteHeader(outer.Status)
		outer.Status = inner.Status
	})
	outer.After(func() {
		if own() {
			_, _ = inner.Write(nil)
		}
	})
}

// silent lends out nothing of a writer but its header.
type silent struct{ http.ResponseWriter }

func (silent) WriteHeader(int)             {}
func (silent) Write(p []byte) (int, error) { return len(p), nil }
