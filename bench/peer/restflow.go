package peer

import (
	"context"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
)

// ItemKey is a key struct with a type for each parameter.
type ItemKey struct {
	ID   int    `restflow:"path,id,partition"`
	Page int    `restflow:"query,page"`
	Sort string `restflow:"query,sort"`
	Q    string `restflow:"query,q"`
}

// UserKey keeps each user's answers apart.
type UserKey struct {
	ID   int    `restflow:"path,id,partition"`
	User int64  `restflow:"request,user.id,partition"`
	Page int    `restflow:"query,page"`
	Sort string `restflow:"query,sort"`
	Q    string `restflow:"query,q"`
}

var (
	restflowMemory = Peer{Name: "restflow", Stack: "bare-Echo", Kind: Ours, Open: func(env Env, o Origin) (*Site, error) {
		return inMemory(env, o, itemOf, nil)
	}}
	restflowTyped = Peer{Name: "restflow-typed-key", Stack: "bare-Echo", Kind: Ours, Open: func(env Env, o Origin) (*Site, error) {
		return inMemory(env, o, func(item int) (ItemKey, []string) { return ItemKey{ID: item}, nil }, nil)
	}}
	restflowUser = Peer{Name: "restflow-per-user", Stack: "bare-Echo-with-user", Kind: Ours, Open: func(env Env, o Origin) (*Site, error) {
		return inMemory(env, o, func(item int) (UserKey, []string) { return UserKey{ID: item}, []string{"id"} }, authenticate)
	}}
	restflowRedis = Peer{Name: "restflow-Redis", Stack: "bare-Echo", Kind: Ours, Redis: true, Open: func(env Env, o Origin) (*Site, error) {
		store, err := restflow.NewRedis(env.Redis, restflow.RedisConfig{Timeout: time.Minute, SyncSaves: true}) // what was filled is there
		if err != nil {
			return nil, err
		}
		return restflowSite(store, o, itemOf, nil)
	}}
)

// itemOf names an item by a value of the default key.
func itemOf(item int) (k echocache.DefaultKey, names []string) {
	return echocache.DefaultKey{Path: map[string][]string{"id": {strconv.Itoa(item)}}}, nil
}

func inMemory[K any](env Env, o Origin, of func(item int) (K, []string), before echo.MiddlewareFunc) (*Site, error) {
	store, err := restflow.NewMemory(restflow.MemoryConfig{MaxBytes: int64(env.budget())})
	if err != nil {
		return nil, err
	}
	return restflowSite(store, o, of, before)
}

// restflowSite is a site with a cache over key struct K, of which of makes the value
// that names an item's partition.
func restflowSite[K any](store *restflow.Store, o Origin, of func(item int) (K, []string), before echo.MiddlewareFunc) (*Site, error) {
	cache, err := echocache.New[K](echocache.Config{Store: store, NoExpiration: true})
	if err != nil {
		return nil, err
	}
	mw := []echo.MiddlewareFunc{cache.Middleware}
	if before != nil {
		mw = append([]echo.MiddlewareFunc{before}, mw...)
	}
	site := echoSite(o, mw...)
	site.Drop = func(item int) error {
		k, names := of(item)
		return cache.Invalidate(context.Background(), k, names...)
	}
	site.Close = func() { _ = store.Close() } // it is a benchmark's: nothing is left to flush
	return site, nil
}
