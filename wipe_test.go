package restflow_test

import (
	"context"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
)

func TestWipeReachesEveryCacheOfAKeyStruct(t *testing.T) {
	type key struct {
		Team int `restflow:"path,team,partition"`
	}
	one, two := memoryFor(t), memoryFor(t)
	make1 := func(s *restflow.Store, namespace string) *restflow.Func[key, int] {
		f, err := restflow.NewFunc(restflow.FuncConfig[int]{Store: s, Namespace: namespace, Name: "team"},
			func(_ context.Context, k key) (int, error) { return k.Team, nil })
		require.NoError(t, err)
		return f
	}
	functions := []*restflow.Func[key, int]{make1(one, "A"), make1(one, "A"), make1(one, "B"), make1(two, "A")}
	pages, err := echocache.New[key](echocache.Config{Store: two, Namespace: "Page"})
	require.NoError(t, err)
	e := echo.New()
	e.GET("/teams/:team", func(c echo.Context) error { return c.String(http.StatusOK, c.Param("team")) }, pages.Middleware)
	fill := func() {
		for team := range 3 {
			for _, f := range functions {
				_, err := f.Call(t.Context(), key{team})
				require.NoError(t, err)
			}
			answer(e, "/teams/"+string(rune('0'+team)))
		}
	}
	left := func(team int) (n int) {
		for _, f := range functions {
			if _, err := f.Metadata(t.Context(), key{team}); err == nil {
				n++
			}
		}
		at := echocache.At{Route: "/teams/:team", Host: "example.com"}
		if _, err := pages.MetadataAt(t.Context(), key{team}, at); err == nil {
			n++
		}
		return n
	}
	fill()
	require.Equal(t, []int{5, 5, 5}, []int{left(0), left(1), left(2)})
	require.NoError(t, restflow.Wipe(t.Context(), key{1}, "team"))
	require.Equal(t, []int{5, 0, 5}, []int{left(0), left(1), left(2)})
	require.NoError(t, restflow.Wipe(t.Context(), key{2}))
	require.Equal(t, []int{5, 0, 0}, []int{left(0), left(1), left(2)})
	fill()
	require.NoError(t, restflow.WipeAll[key](t.Context()))
	require.Equal(t, []int{0, 0, 0}, []int{left(0), left(1), left(2)})

	require.ErrorContains(t, restflow.Wipe(t.Context(), key{}, "teem"), `partition "teem" is unknown; did you mean "team"?`)
	runtime.KeepAlive(functions)
	runtime.KeepAlive(pages)
}

func TestWipeOfNothingSaysSo(t *testing.T) {
	type stranger struct{ A int }
	err := restflow.Wipe(t.Context(), stranger{})
	require.ErrorIs(t, err, restflow.ErrNoCache)
	require.EqualError(t, err, "restflow: no cache in this process has the key struct restflow_test.stranger")
	require.ErrorIs(t, restflow.WipeAll[stranger](t.Context()), restflow.ErrNoCache)
}

func TestWipeLeavesClosedStoresAlone(t *testing.T) {
	type key struct{ A int }
	s, err := restflow.NewMemory(restflow.MemoryConfig{})
	require.NoError(t, err)
	f, err := restflow.NewFunc(restflow.FuncConfig[int]{Store: s}, func(context.Context, key) (int, error) { return 0, nil })
	require.NoError(t, err)
	require.NoError(t, restflow.WipeAll[key](t.Context()))
	require.NoError(t, s.Close())
	require.ErrorIs(t, restflow.WipeAll[key](t.Context()), restflow.ErrNoCache)
	runtime.KeepAlive(f)
}

// A cache that nobody holds any more is not kept for the sake of Wipe.
func TestWipeHoldsNoCache(t *testing.T) {
	type key struct{ A int }
	s := memoryFor(t)
	for i := range 100 {
		_, err := restflow.NewFunc(restflow.FuncConfig[int]{Store: s, Name: string(rune('a' + i))}, func(context.Context, key) (int, error) { return 0, nil })
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool {
		runtime.GC()
		return restflow.WipeAll[key](t.Context()) != nil
	}, 10*time.Second, time.Millisecond)
}
