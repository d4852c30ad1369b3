package peer

import (
	"net/http"
	"net/url"

	"github.com/coocood/freecache"
	goechocache "github.com/gitsight/go-echo-cache"
)

// goEchoCache is github.com/gitsight/go-echo-cache, over freecache.
var goEchoCache = Peer{Name: "go-echo-cache", Stack: "bare-Echo", Kind: Theirs, Open: func(env Env, o Origin) (*Site, error) {
	// freecache refuses values over 1/1024 of its size.
	store := freecache.NewCache(max(env.budget(), 2048*(env.BodyBytes+1024)))
	site := echoSite(o, goechocache.New(&goechocache.Config{TTL: ttl}, store))
	query, err := url.ParseQuery(Query)
	site.Drop = func(item int) error {
		store.Del([]byte(http.MethodGet + "|" + Path(item) + "|" + query.Encode()))
		return nil
	}
	return site, err
}}
