package httpcache

import (
	"github.com/restflow-go/restflow"
)

// refresh runs the handler whatever is stored, and stores what it makes. It joins
// no flight, since one that is under way may have begun before the data changed.
func (e *Engine) refresh(x *Exchange) error {
	var run *run
	entry, err := e.store.Replace(x.Request.HTTP.Context(), &x.key, &x.snap, func(*restflow.Flight) *restflow.Entry {
		run = e.record(x, restflow.Refresh)
		return run.entry
	})
	if run == nil {
		return e.bypass(x, "the store is in trouble", err)
	}
	return e.finish(x, run, entry, err)
}

// Delete removes the entry that answers the request of x.
func (e *Engine) Delete(x *Exchange) error {
	if err := e.build(x, &x.built); err != nil {
		return err
	}
	e.keyspace.Fill(&x.key, &x.built, x.built.Bytes())
	return e.store.Delete(x.Request.HTTP.Context(), &x.key)
}
