package peer

import (
	"hash/fnv"
	"net/http"
	"net/url"
	"strconv"
	"time"

	echohttp "github.com/SporkHubr/echo-http-cache"
	echohttpmemory "github.com/SporkHubr/echo-http-cache/adapter/memory"
	"github.com/go-chi/stampede"
	httpcache "github.com/victorspringer/http-cache"
	httpmemory "github.com/victorspringer/http-cache/adapter/memory"
)

// ttl is longer than any benchmark runs.
const ttl = time.Hour

// echoHTTPCache is github.com/SporkHubr/echo-http-cache with its memory adapter.
var echoHTTPCache = Peer{Name: "echo-http-cache", Stack: "bare-Echo", Kind: Theirs, Open: func(env Env, o Origin) (*Site, error) {
	adapter, err := echohttpmemory.NewAdapter(
		echohttpmemory.AdapterWithAlgorithm(echohttpmemory.LRU),
		echohttpmemory.AdapterWithCapacity(env.capacity()),
	)
	if err != nil {
		return nil, err
	}
	client, err := echohttp.NewClient(echohttp.ClientWithAdapter(adapter), echohttp.ClientWithTTL(ttl))
	if err != nil {
		return nil, err
	}
	site := echoSite(o, client.Middleware())
	site.Drop = func(item int) error {
		adapter.Release(sortedHash(item))
		return nil
	}
	return site, nil
}}

// httpCache is github.com/victorspringer/http-cache with its memory adapter.
var httpCache = Peer{Name: "http-cache", Stack: "bare-net/http", Kind: Theirs, Open: func(env Env, o Origin) (*Site, error) {
	adapter, err := httpmemory.NewAdapter(
		httpmemory.AdapterWithAlgorithm(httpmemory.LRU),
		httpmemory.AdapterWithCapacity(env.capacity()),
	)
	if err != nil {
		return nil, err
	}
	client, err := httpcache.NewClient(httpcache.ClientWithAdapter(adapter), httpcache.ClientWithTTL(ttl))
	if err != nil {
		return nil, err
	}
	site := muxSite(o, client.Middleware)
	site.Drop = func(item int) error {
		adapter.Release(sortedHash(item))
		return nil
	}
	return site, nil
}}

// sortedHash is the key of an item in both of these caches: FNV-1a of the URL as
// httptest makes it, with the query sorted by name.
func sortedHash(item int) uint64 {
	q, _ := url.ParseQuery(Query) // a constant that is well formed
	h := fnv.New64a()
	_, _ = h.Write([]byte(Path(item) + "?" + q.Encode()))
	return h.Sum64()
}

// stampedeCache is github.com/go-chi/stampede. Its key is the path alone by default,
// so the query is added. It offers no way to drop an answer.
var stampedeCache = Peer{Name: "stampede", Stack: "bare-net/http", Kind: Theirs, Open: func(env Env, o Origin) (*Site, error) {
	mw := stampede.HandlerWithKey(env.capacity(), ttl, func(r *http.Request) uint64 {
		return stampede.StringToHash(r.Method, r.URL.Path, "?", r.URL.RawQuery)
	})
	return muxSite(o, mw), nil
}}

// itemText is an item as it stands in the path.
func itemText(item int) string { return strconv.Itoa(item) }
