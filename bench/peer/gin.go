package peer

import (
	"errors"

	gincache "github.com/chenyahui/gin-cache"
	"github.com/chenyahui/gin-cache/persist"
	"github.com/jellydator/ttlcache/v2"
)

// ginCache is github.com/chenyahui/gin-cache in memory, by request URI.
var ginCache = Peer{Name: "gin-cache", Stack: "bare-Gin", Kind: Theirs, Open: func(_ Env, o Origin) (*Site, error) {
	store := persist.NewMemoryStore(ttl)
	site := ginSite(o, gincache.CacheByRequestURI(store, ttl))
	site.Drop = func(item int) error {
		if err := store.Delete(URI(item)); !errors.Is(err, ttlcache.ErrNotFound) {
			return err
		}
		return nil
	}
	site.Close = func() { _ = store.Cache.Close() }
	return site, nil
}}
