package restflow_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
)

// status makes a function of fn on s, calls it with a zero key and returns how
// that was answered.
func status[K, V any](t *testing.T, s *restflow.Store, codecName string, fn func(K) V) string {
	t.Helper()
	f, err := restflow.NewFunc(restflow.FuncConfig[V]{Store: s, Name: "f", Namespace: "Status", Codec: codec{name: codecName}},
		func(_ context.Context, k K) (V, error) { return fn(k), nil })
	require.NoError(t, err)
	var k K
	got, m, err := f.CallWithMetadata(t.Context(), k)
	require.NoError(t, err)
	require.Equal(t, fn(k), got)
	return m.Status.String()
}

// A result that is nil or zero is cached like any other.
func TestACachedNilIsNoMiss(t *testing.T) {
	onStores(t, func(t *testing.T, s *restflow.Store) {
		check := func(call func() string) {
			t.Helper()
			require.Equal(t, "MISS", call())
			require.Equal(t, "HIT", call())
		}
		check(func() string { return status(t, s, "json", func(int) *total { return nil }) })
		check(func() string { return status(t, s, "json", func(int) []string { return nil }) })
		check(func() string { return status(t, s, "json", func(int) map[string]int { return nil }) })
		check(func() string { return status(t, s, "json", func(int) any { return nil }) })
		check(func() string { return status(t, s, "json", func(int) int { return 0 }) })
		check(func() string { return status(t, s, "json", func(int) string { return "" }) })
		check(func() string { return status(t, s, "json", func(int) struct{} { return struct{}{} }) })
	})
}

func TestFunctionsWithoutArguments(t *testing.T) {
	onStores(t, func(t *testing.T, s *restflow.Store) {
		require.Equal(t, "MISS", status(t, s, "json", func(struct{}) string { return "now" }))
		require.Equal(t, "HIT", status(t, s, "json", func(struct{}) string { return "now" }))
	})
}
