package restflow_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	gocachestore "github.com/eko/gocache/store/go_cache/v4"
	gocache "github.com/patrickmn/go-cache"

	"github.com/restflow-go/restflow"
)

// moody is a gocache store that is asked before each call what it is to do.
type moody struct {
	*gocachestore.GoCacheStore
	mood atomic.Pointer[mood]
}

// mood is what comes before a call: "get", "set" or "delete". An error is the call's.
type mood func(ctx context.Context, op string) error

// openMoody returns a shared store over one in good mood.
func openMoody(t *testing.T, cfg restflow.StoreConfig) (*restflow.Store, *moody) {
	t.Helper()
	m := &moody{GoCacheStore: gocachestore.NewGoCache(gocache.New(time.Hour, 0))}
	m.be(fine)
	cfg.Kind = restflow.Shared
	s, err := restflow.NewStore(m, cfg)
	return opened(t, s, err), m
}

func (m *moody) be(now mood) { m.mood.Store(&now) }

func (m *moody) ask(ctx context.Context, op string) error { return (*m.mood.Load())(ctx, op) }

var errDown = errors.New("down")

func fine(context.Context, string) error { return nil }
func down(context.Context, string) error { return errDown }

// hanging takes as long as it is given.
func hanging(ctx context.Context, _ string) error {
	<-ctx.Done()
	return ctx.Err()
}

// counting counts the calls of a mood.
func counting(n *atomic.Int32, then mood) mood {
	return func(ctx context.Context, op string) error {
		n.Add(1)
		return then(ctx, op)
	}
}

func (m *moody) Get(ctx context.Context, key any) (any, error) {
	if err := m.ask(ctx, "get"); err != nil {
		return nil, err
	}
	return m.GoCacheStore.Get(ctx, key)
}

func (m *moody) Set(ctx context.Context, key, value any, options ...store.Option) error {
	if err := m.ask(ctx, "set"); err != nil {
		return err
	}
	return m.GoCacheStore.Set(ctx, key, value, options...)
}

func (m *moody) Delete(ctx context.Context, key any) error {
	if err := m.ask(ctx, "delete"); err != nil {
		return err
	}
	return m.GoCacheStore.Delete(ctx, key)
}
