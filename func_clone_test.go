package restflow_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
)

func cloneTotal(cfg *restflow.FuncConfig[total]) {
	cfg.Clone = func(v total) total {
		v.Parts = slices.Clone(v.Parts)
		return v
	}
}

// What a caller does to its result reaches nobody else: with Clone on any store,
// and without it where results are encoded.
func TestCallersOwnTheirResults(t *testing.T) {
	onStores(t, func(t *testing.T, s *restflow.Store) {
		f, a, _ := newAdder(t, s, cloneTotal)
		for range 3 { // the first result is the function's own
			v, err := f.Call(t.Context(), sum{A: 1, B: 2})
			require.NoError(t, err)
			require.Equal(t, []int{1, 2}, v.Parts)
			v.Parts[0] = 99
		}
		v, _, err := f.Peek(t.Context(), sum{A: 1, B: 2})
		require.NoError(t, err)
		v.Parts[0] = 99
		v, _, err = f.Refresh(t.Context(), sum{A: 1, B: 2})
		require.NoError(t, err)
		v.Parts[0] = 99
		v, err = f.Call(t.Context(), sum{A: 1, B: 2})
		require.NoError(t, err)
		require.Equal(t, []int{1, 2}, v.Parts)
		require.Equal(t, 2, a.count())
	})
}

// The other half of the documentation of Clone: without it, memory shares.
func TestWithoutCloneResultsFromMemoryAreShared(t *testing.T) {
	f, _, _ := newAdder(t, memoryFor(t))
	for i := range 3 {
		v, err := f.Call(t.Context(), sum{A: 1})
		require.NoError(t, err)
		require.Equal(t, 1+i, v.Parts[0])
		v.Parts[0]++
	}
}

func TestClonesAreMadeOnlyWhereValuesAreKept(t *testing.T) {
	clones := 0
	count := func(cfg *restflow.FuncConfig[total]) {
		cfg.Clone = func(v total) total {
			clones++
			return v
		}
	}
	f, _, _ := newAdder(t, miniStore(t), count)
	for range 3 {
		_, err := f.Call(t.Context(), sum{})
		require.NoError(t, err)
	}
	require.Zero(t, clones)
}
