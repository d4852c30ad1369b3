package httpcache

import (
	"context"
	"sync/atomic"

	"github.com/restflow-go/restflow"
)

// enclosing is what the context of a request says of the run that the request is
// in. Caches may stand inside each other, so that there may be more than one.
type enclosing struct {
	store   *restflow.Store
	key     string
	control *Control
	over    atomic.Bool
	outer   *enclosing
}

type enclosingKey struct{}

// enclosed counts the runs under way in this process. While there are none, as
// under a load of hits, no request need look for one in its context.
var enclosed atomic.Int64

// enclose returns ctx as the handler of x gets it, and what ends the run.
func (e *Engine) enclose(ctx context.Context, x *Exchange, c *Control) (context.Context, func()) {
	in := &enclosing{store: e.cfg.Store, key: string(x.key.Bytes), control: c}
	in.outer, _ = ctx.Value(enclosingKey{}).(*enclosing)
	enclosed.Add(1)
	return context.WithValue(ctx, enclosingKey{}, in), func() {
		in.over.Store(true) // the context may live on
		enclosed.Add(-1)
	}
}

// inside reports whether a request comes from a run for the entry of the same key: it
// would wait for itself, or be answered with what it is to replace.
func (e *Engine) inside(ctx context.Context, key []byte) bool {
	if enclosed.Load() == 0 {
		return false
	}
	in, _ := ctx.Value(enclosingKey{}).(*enclosing)
	for ; in != nil; in = in.outer {
		if in.store == e.cfg.Store && in.key == string(key) && !in.over.Load() {
			return true
		}
	}
	return false
}
