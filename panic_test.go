package restflow_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	gocachestore "github.com/eko/gocache/store/go_cache/v4"
	gocache "github.com/patrickmn/go-cache"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
)

func aBug(context.Context, string) error { panic("a bug") }

// A panic of a shared store's adapter or of a hook of its client is a failure as any
// other: an invalidation is retried, and a call answered by the function.
func TestStorePanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h heard
		s, m := openMoody(t, restflow.StoreConfig{OnError: h.on})
		f, _, _ := newAdder(t, s)
		k := groupKey("Panic", "k", "1")
		put(t, s, k, "old")
		require.NoError(t, s.Flush(t.Context()))

		m.be(aBug)
		for op, call := range map[string]func() error{
			"bump":   func() error { return s.Bump(t.Context(), k.Scopes[0], k.Scopes[1]) },
			"load":   func() error { return loadErr(s, groupKey("Panic", "other")) },
			"delete": func() error { return s.Delete(t.Context(), k) },
		} {
			require.ErrorContains(t, call(), "restflow: go-cache: "+op+": restflow: panic in the store: a bug\ngoroutine ")
			lines := h.take()
			require.Len(t, lines, 1)
			require.Contains(t, lines[0], op+": restflow: panic in the store: a bug\n")
		}
		require.ErrorIs(t, loadErr(s, k), restflow.ErrPending)
		v, meta, err := f.CallWithMetadata(t.Context(), sum{A: 1})
		require.NoError(t, err)
		require.Equal(t, 1, v.N)
		require.Equal(t, restflow.Bypass, meta.Status)

		m.be(fine)
		time.Sleep(10 * time.Second)
		require.Empty(t, lookup(t, s, k), "the invalidation was retried")
	})
}

// So is that of an in-process store's adapter, which cannot be down but may have a bug.
func TestInProcessStorePanics(t *testing.T) {
	m := &moody{GoCacheStore: gocachestore.NewGoCache(gocache.New(time.Hour, 0))}
	m.be(aBug)
	s, err := restflow.NewStore(m, restflow.StoreConfig{Kind: restflow.InProcess})
	s = opened(t, s, err)
	k := groupKey("Panic", "k", "1")
	var snap restflow.Snapshot
	for op, call := range map[string]func() error{
		"load":   func() error { return loadErr(s, k) },
		"delete": func() error { return s.Delete(t.Context(), k) },
		"save": func() error {
			_, _, err := s.Fill(t.Context(), k, &snap, func(*restflow.Flight) *restflow.Entry { return entryOf("new") })
			return err
		},
	} {
		require.NotPanics(t, func() { err = call() }, op)
		require.ErrorContains(t, err, "restflow: panic in the store: a bug\ngoroutine ", op)
	}
}
