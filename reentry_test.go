package restflow_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
)

// A function that calls itself with its own key runs once more in place of waiting for
// itself, also where another function lies between.
func TestAFunctionThatCallsItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := restflow.NewMemory(restflow.MemoryConfig{})
		require.NoError(t, err)
		defer s.Close()
		runs := 0
		var f, g *restflow.Func[int, int]
		f = restflow.MustNewFunc(restflow.FuncConfig[int]{Store: s, Name: "f"}, func(ctx context.Context, n int) (int, error) {
			if runs++; runs%3 != 1 {
				return n, nil
			}
			if v, err := f.Call(ctx, n); err != nil || v != n {
				return v, err
			}
			return g.Call(ctx, n)
		})
		g = restflow.MustNewFunc(restflow.FuncConfig[int]{Store: s, Name: "g"}, func(ctx context.Context, n int) (int, error) {
			return f.Call(ctx, n)
		})
		v, err := f.Call(t.Context(), 7)
		require.NoError(t, err)
		require.Equal(t, 7, v)
		require.Equal(t, 3, runs)
		_, m, err := f.CallWithMetadata(t.Context(), 7)
		require.NoError(t, err)
		require.Equal(t, restflow.Hit, m.Status)
	})
}
