package httpcache

import (
	"net/http"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/tagkey"
)

// Handler is what an adapter lets the engine do with the request.
type Handler interface {
	// Run lets the handler answer into w. If r is not nil, it takes the place of
	// the request.
	Run(r *http.Request, w http.ResponseWriter) error
	// Outside does what outer middleware should see done as its own, while the
	// handler that writes into w may still run.
	Outside(w http.ResponseWriter, do func())
	// Disown says that another answer takes the place of what the handler left.
	Disown()
	// Failed reports whether an error of Run is the server's fault (5xx).
	Failed(err error) bool
	// Background returns a handler for r, a copy of the request, that can be run
	// after the request has ended, and what a plan reads of it.
	Background(r *http.Request) (Handler, tagkey.Request)
	// Routed reports whether the route is one for the method of the request, and not
	// for others alone.
	Routed() bool
}

// Mode says what is asked of the cache.
type Mode uint8

const (
	// Serve looks up, and stores what it misses.
	Serve Mode = iota
	// Refresh runs the handler and stores what it makes in place of the entry.
	Refresh
	// Bypass only runs the handler.
	Bypass
)

// Visit is a request on its way in.
type Visit struct {
	Request tagkey.Request
	Route   string
	Writer  http.ResponseWriter
}

// Exchange is one request in the hands of the engine. Adapters reuse exchanges;
// Reset comes between two uses.
type Exchange struct {
	Visit
	Handler Handler
	Mode    Mode

	key     *restflow.Key   // known's, or own
	known   *restflow.Known // if the key was remembered
	own     restflow.Key
	built   tagkey.Key // what key was built from, if isBuilt
	isBuilt bool
	covered bool                               // the key has a value that tells the user apart
	sealed  bool                               // the handler gets only what the plan declares
	alone   bool                               // started by the cache, in the background
	scopes  [restflow.MaxScopes]restflow.Scope // room for own's
	texts   []byte                             // what the key is remembered by; empty for nothing
	snap    restflow.Snapshot
	status  restflow.Status
	failure error // the handler's, for which an entry stands in
}

// Reset makes the exchange ready for the next request. What the next one sets
// anyway stays till then, as do the buffers.
func (x *Exchange) Reset() {
	x.key, x.known, x.isBuilt, x.sealed, x.covered = nil, nil, false, false, false
	x.snap.Entry, x.snap.Soft, x.snap.Fault = nil, nil, nil
	x.status, x.failure = restflow.Bypass, nil
}
