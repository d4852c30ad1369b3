package consistency_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/sync/singleflight"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
	"github.com/restflow-go/restflow/tagkey"
)

// itemKey is what all nodes cache by.
type itemKey struct {
	_    struct{} `restflow:"namespace,Item"`
	PK   int      `restflow:"path,pk,partition"`
	User int      `restflow:"header,X-User,partition"`
}

const ttl = 10 * time.Second

// made is what a handler makes: which run it was and when, in logical time, it began.
type made struct{ Run, Began int }

// reader answers a read through some cache, running handler if it must.
type reader func(k itemKey, handler func() made) made

// protocol makes the reader of a node, right or broken on purpose.
type protocol func(s *restflow.Store) reader

// responses reads through the middleware.
func responses(s *restflow.Store) reader { return over(echocache.Config{Store: s, TTL: ttl}) }

// staleResponses reads through the middleware with background refreshes.
func staleResponses(s *restflow.Store) reader {
	return over(echocache.Config{Store: s, TTL: ttl, StaleWhileRevalidate: ttl, StaleIfError: ttl, EarlyRefresh: 1})
}

func over(cfg echocache.Config) reader {
	cache := echocache.MustNew[itemKey](cfg)
	return func(k itemKey, handler func() made) made {
		e := echo.New()
		e.GET("/items/:pk", func(c echo.Context) error { return c.JSON(http.StatusOK, handler()) }, cache.Middleware)
		r := httptest.NewRequest(http.MethodGet, fmt.Sprintf("/items/%d", k.PK), nil)
		r.Header.Set("X-User", fmt.Sprint(k.User))
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		var m made
		if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil {
			panic(fmt.Sprintf("%d %s: %v", w.Code, w.Body, err))
		}
		return m
	}
}

// bare reads by the protocol of the store itself, which the mutants vary.
type bare struct {
	store *restflow.Store
	space *restflow.Keyspace
}

func newBare(s *restflow.Store) *bare {
	return &bare{s, restflow.NewKeyspace(s, tagkey.MustCompile[itemKey]())}
}

func (b *bare) key(k itemKey) *restflow.Key {
	var built tagkey.Key
	if err := b.space.Plan.BuildValue(&built, &k); err != nil {
		panic(err)
	}
	var key restflow.Key
	b.space.Fill(&key, &built, built.Bytes())
	return &key
}

func entryOf(m made) *restflow.Entry {
	body, _ := json.Marshal(m)
	now := time.Now()
	until := now.Add(ttl).UnixNano()
	return &restflow.Entry{Status: http.StatusOK, Body: body, Created: now.UnixNano(), Expires: until, StaleUntil: until}
}

func madeOf(e *restflow.Entry) (m made) {
	if err := json.Unmarshal(e.Body, &m); err != nil {
		panic(err)
	}
	return m
}

// fill answers a read that snap was taken for.
func (b *bare) fill(k *restflow.Key, snap *restflow.Snapshot, handler func() made) made {
	var mine made
	e, led, err := b.store.Fill(context.Background(), k, snap, func(*restflow.Flight) *restflow.Entry {
		mine = handler()
		return entryOf(mine)
	})
	switch {
	case led:
		return mine
	case err == nil && e != nil:
		return madeOf(e)
	}
	return handler()
}

func fresh(snap *restflow.Snapshot) bool { return snap.Entry != nil && snap.Entry.Fresh(snap.Now) }

// storeProtocol is the right one, without HTTP.
func storeProtocol(s *restflow.Store) reader {
	b := newBare(s)
	return func(k itemKey, handler func() made) made {
		key, snap := b.key(k), new(restflow.Snapshot)
		if b.store.Load(context.Background(), key, snap) != nil {
			return handler()
		}
		if fresh(snap) {
			return madeOf(snap.Entry)
		}
		return b.fill(key, snap, handler)
	}
}

// epochsAfterHandler is a mutant: what is stored carries the epochs that stand
// when the handler has ended.
func epochsAfterHandler(s *restflow.Store) reader {
	b := newBare(s)
	return func(k itemKey, handler func() made) made {
		key, snap := b.key(k), new(restflow.Snapshot)
		if b.store.Load(context.Background(), key, snap) == nil && fresh(snap) {
			return madeOf(snap.Entry)
		}
		m := handler()
		if b.store.Load(context.Background(), key, snap) == nil {
			b.fill(key, snap, func() made { return m })
		}
		return m
	}
}

// flightsByKey is a mutant: whoever asks for a key joins the run that is under
// way, whatever was invalidated since it began.
func flightsByKey(s *restflow.Store) reader {
	right := storeProtocol(s)
	var group singleflight.Group
	return func(k itemKey, handler func() made) made {
		v, _, _ := group.Do(fmt.Sprint(k), func() (any, error) { return right(k, handler), nil })
		return v.(made)
	}
}
