package httpcache

import (
	"net/http"
	"sync"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/internal/hint"
	"github.com/restflow-go/restflow/tagkey"
)

// Engine serves requests through a cache. It is safe for concurrent use.
type Engine struct {
	cfg         Config
	keyspace    *restflow.Keyspace
	store       *restflow.Store
	identity    identity
	statuses    map[int]bool    // CacheStatuses
	headers     map[string]bool // header fields in the key, which Vary may name
	paths       map[string]bool // path parameters in the key
	allPaths    bool            // the key has path,*
	uris        []int           // partition fields that are read from the path
	warned      sync.Map        // routes whose refusal was logged
	uncacheable hint.Table
	memo        *memo
	express     bool  // see Express
	seal        *seal // for Hermetic and Audit
}

// New checks cfg and returns its engine.
func New(cfg Config) (*Engine, error) {
	if err := cfg.normalize(); err != nil {
		return nil, err
	}
	e := &Engine{
		cfg: cfg, store: cfg.Store.WithTimeout(cfg.StoreTimeout),
		identity: newIdentity(&cfg),
		statuses: map[int]bool{}, headers: map[string]bool{}, paths: map[string]bool{},
	}
	e.keyspace = restflow.NewKeyspace(e.store, cfg.Plan)
	e.uncacheable.Init()
	e.memo = newMemo(cfg.Plan)
	e.express = e.store.Decoded() && cfg.EarlyRefresh == 0
	e.seal = newSeal(cfg.Plan)
	for _, s := range cfg.CacheStatuses {
		e.statuses[s] = true
	}
	for i, f := range cfg.Plan.Fields() {
		switch {
		case f.Source == "header":
			e.headers[f.SourceName] = true
			continue
		case f.Source != "path":
			continue
		case f.SourceName == "*":
			e.allPaths = true
		default:
			e.paths[f.SourceName] = true
		}
		if f.Partition {
			e.uris = append(e.uris, i) // partition fields stand first
		}
	}
	return e, nil
}

// Keyspace is the part of the cache that invalidation needs.
func (e *Engine) Keyspace() *restflow.Keyspace { return e.keyspace }

// Serve answers the request of x, from the cache if it can. The error is the
// handler's.
func (e *Engine) Serve(x *Exchange) error {
	if x.Mode == Bypass {
		return e.bypass(x, "Bypass was called", nil)
	}
	if e.cfg.InvalidateOnUnsafe && unsafeMethod(x.Request.HTTP.Method) {
		return e.unsafe(x)
	}
	if why, err := e.prepare(x); why != "" {
		return e.bypass(x, why, err)
	}
	if e.inside(x.Request.HTTP.Context(), x.key.Bytes) {
		return e.bypass(x, "the request is inside a run for the same key", nil)
	}
	if err := e.load(x); err != nil {
		return e.bypass(x, "the store is in trouble", err)
	}
	entry := x.snap.Entry
	if entry == nil {
		entry = x.snap.Soft
	}
	if why := x.unrouted(entry); why != "" {
		return e.bypass(x, why, nil)
	}
	if x.Mode == Refresh {
		return e.refresh(x)
	}
	if e.cfg.HonorRequestDirectives {
		if done, err := e.directed(x, entry); done {
			return err
		}
	}
	switch {
	case entry == nil:
		return e.miss(x, nil)
	case entry == x.snap.Soft:
		return e.soft(x, entry)
	}
	return e.found(x, entry)
}

// unrouted says that the route of the request is none for its method: then its
// pattern is known, but not its parameters, and the key lacks them. Nothing is stored
// under such a key, and only HEAD may find there what GET has stored.
func (x *Exchange) unrouted(entry *restflow.Entry) string {
	look := entry == nil || x.Mode == Refresh || x.Request.HTTP.Method == http.MethodHead
	if look && !x.Handler.Routed() {
		return "the method is not allowed on the route"
	}
	return ""
}

// load looks the entry up, and remembers the key of one that is there.
func (e *Engine) load(x *Exchange) error {
	ctx := x.Request.HTTP.Context()
	if x.known != nil {
		return e.store.LoadKnown(ctx, x.known, &x.snap)
	}
	err := e.store.Load(ctx, x.key, &x.snap)
	if x.snap.Entry != nil {
		e.remember(x, x.snap.Entry)
	}
	return err
}

// found answers a request whose entry is alive.
func (e *Engine) found(x *Exchange, entry *restflow.Entry) error {
	now := x.snap.Now
	switch {
	case entry.Fresh(now):
		if e.early(entry, now) {
			e.revalidate(x)
		}
		return e.replay(x, entry, restflow.Hit, outcome{hit: true})
	case !entry.Servable(now):
		return e.miss(x, nil)
	case e.revalidates(entry, now):
		e.revalidate(x)
		return e.replay(x, entry, restflow.Stale, outcome{hit: true})
	}
	return e.miss(x, entry)
}

// prepare builds the key, or says why the request is none for the cache.
func (e *Engine) prepare(x *Exchange) (why string, err error) {
	r := x.Request.HTTP
	if why := refuseRequest(r); why != "" {
		return why, nil
	}
	if x.Route == "" {
		return "the request has no route: none matches, or the cache stands before the router", nil
	}
	// Where no value of a key can cover a credential, and no event tells of the key,
	// it is built for those alone who may have what is stored under it.
	early := e.cfg.OnEvent == nil && len(e.identity.values) == 0
	if early {
		why = e.refuseCredentials(x)
	}
	if why == "" {
		if err := e.key(x); err != nil {
			return e.unkeyed(x, err), err
		}
	}
	if !early {
		why = e.refuseCredentials(x)
	}
	x.sealed = why == "" && e.cfg.Hermetic
	return why, nil
}

// refuseCredentials says which credential of the request the key does not cover.
func (e *Engine) refuseCredentials(x *Exchange) string {
	why := e.identity.refuse(&x.Visit, x.covered)
	if why != "" {
		e.warn(x.Route, why)
	}
	return why
}

// build makes the key: the plan's, and behind it what no key struct needs to
// name. All parts are framed, so that none can pass for another.
func (e *Engine) build(x *Exchange, k *tagkey.Key) error {
	if err := e.cfg.Plan.BuildRequest(k, &x.Request); err != nil {
		return err
	}
	r := x.Request.HTTP
	e.place(k, x.Route, r.Host, x.Request.ParamNames, x.Request.ParamValues)
	if r.URL.RawPath != "" {
		k.AppendString(escaped)
	}
	return nil
}

// escaped ends the key of a path that was not written as Go would. Routers match it
// as it was written, and others as they read: a%2Fb and a%252Fb give one parameter
// but are two paths.
const escaped = "escaped"

// place ends a key: where the response is from.
func (e *Engine) place(k *tagkey.Key, route, host string, names, values []string) {
	k.AppendString(http.MethodGet) // HEAD is answered from GET's entry
	k.AppendString(route)
	if !e.cfg.IgnoreHost {
		k.AppendString(lowerHost(host))
	}
	if e.allPaths {
		return
	}
	for i, name := range names {
		if i < len(values) && !e.paths[name] {
			k.AppendString(name)
			k.AppendString(values[i])
		}
	}
}

// lowerHost lowers A to Z and leaves all else alone. Unicode has other letters that
// fold to those of ASCII, and a host with one of them is another host.
func lowerHost(host string) string {
	for i := range len(host) {
		if isUpper(host[i]) {
			b := []byte(host)
			for ; i < len(b); i++ {
				if isUpper(b[i]) {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return host
}

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
