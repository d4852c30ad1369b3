package restflow_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
)

func TestFuncAnswersFromTheCache(t *testing.T) {
	onStores(t, func(t *testing.T, s *restflow.Store) {
		f, a, ev := newAdder(t, s)
		ctx := t.Context()
		before := time.Now().Add(-time.Millisecond)

		v, m, err := f.CallWithMetadata(ctx, sum{A: 1, B: 2})
		require.NoError(t, err)
		require.Equal(t, total{3, []int{1, 2}}, v)
		require.Equal(t, restflow.Miss, m.Status)
		require.WithinRange(t, m.CachedAt, before, time.Now())
		require.Equal(t, time.Hour, m.ResetAt.Sub(m.CachedAt))

		v, again, err := f.CallWithMetadata(ctx, sum{A: 1, B: 2})
		require.NoError(t, err)
		require.Equal(t, total{3, []int{1, 2}}, v)
		require.Equal(t, restflow.Hit, again.Status)
		require.Equal(t, m.CachedAt, again.CachedAt)
		require.Equal(t, m.ResetAt, again.ResetAt)
		require.Positive(t, again.Age())

		v, err = f.Call(ctx, sum{A: 1, B: 2, Note: "another key"})
		require.NoError(t, err)
		require.Equal(t, 3, v.N)
		require.Equal(t, 2, a.count())
		require.Equal(t, []string{"MISS stored", "HIT", "MISS stored"}, ev.take())
	})
}

// A result that is kept for centuries is kept for 68 years: nothing overflows.
func TestFuncOfTheLongestTTL(t *testing.T) {
	onStores(t, func(t *testing.T, s *restflow.Store) {
		f, a, _ := newAdder(t, s, func(c *restflow.FuncConfig[total]) { c.TTL = math.MaxInt64 })
		for range 3 {
			_, err := f.Call(t.Context(), sum{A: 1})
			require.NoError(t, err)
			require.NoError(t, s.Flush(t.Context()))
		}
		require.Equal(t, 1, a.count())
	})
}

func TestFuncNeverCachesErrors(t *testing.T) {
	onStores(t, func(t *testing.T, s *restflow.Store) {
		f, a, ev := newAdder(t, s)
		boom := errors.New("boom")
		a.failing(boom)
		for range 2 {
			v, m, err := f.CallWithMetadata(t.Context(), sum{})
			require.ErrorIs(t, err, boom)
			require.Zero(t, v)
			require.Equal(t, restflow.Metadata{Status: restflow.Miss}, m)
		}
		a.failing(nil)
		_, err := f.Call(t.Context(), sum{})
		require.NoError(t, err)
		require.Equal(t, []string{
			"MISS because the function returned an error: boom",
			"MISS because the function returned an error: boom",
			"MISS stored",
		}, ev.take())
	})
}

func TestFuncPeekAndMetadataNeverRun(t *testing.T) {
	onStores(t, func(t *testing.T, s *restflow.Store) {
		f, a, ev := newAdder(t, s)
		k := sum{A: 1, B: 2}
		_, _, err := f.Peek(t.Context(), k)
		require.ErrorIs(t, err, restflow.ErrMiss)
		require.EqualError(t, err, "restflow: not cached")
		_, err = f.Metadata(t.Context(), k)
		require.ErrorIs(t, err, restflow.ErrMiss)
		require.Zero(t, a.count())

		_, made, err := f.CallWithMetadata(t.Context(), k)
		require.NoError(t, err)
		v, m, err := f.Peek(t.Context(), k)
		require.NoError(t, err)
		require.Equal(t, total{3, []int{1, 2}}, v)
		require.Equal(t, restflow.Hit, m.Status)
		require.Equal(t, made.CachedAt, m.CachedAt)
		only, err := f.Metadata(t.Context(), k)
		require.NoError(t, err)
		require.Equal(t, m, only)
		require.Equal(t, 1, a.count())
		require.Equal(t, []string{"MISS stored"}, ev.take(), "looking is no call")
	})
}

func TestFuncRefresh(t *testing.T) {
	onStores(t, func(t *testing.T, s *restflow.Store) {
		f, a, ev := newAdder(t, s)
		k := sum{A: 1, B: 2}
		_, first, err := f.CallWithMetadata(t.Context(), k)
		require.NoError(t, err)

		v, m, err := f.Refresh(t.Context(), k)
		require.NoError(t, err)
		require.Equal(t, 3, v.N)
		require.Equal(t, restflow.Refresh, m.Status)
		require.True(t, m.CachedAt.After(first.CachedAt))
		require.Equal(t, 2, a.count())
		_, hit, err := f.CallWithMetadata(t.Context(), k)
		require.NoError(t, err)
		require.Equal(t, restflow.Hit, hit.Status)
		require.Equal(t, m.CachedAt, hit.CachedAt)

		a.failing(errors.New("boom"))
		_, m, err = f.Refresh(t.Context(), k)
		require.EqualError(t, err, "boom")
		require.Equal(t, restflow.Metadata{Status: restflow.Refresh}, m)
		_, kept, err := f.CallWithMetadata(t.Context(), k)
		require.NoError(t, err)
		require.Equal(t, hit, kept, "a refresh that fails leaves the entry")
		require.Equal(t, []string{
			"MISS stored", "REFRESH stored", "HIT", "REFRESH because the function returned an error: boom", "HIT",
		}, ev.take())
	})
}

func TestFuncBypass(t *testing.T) {
	onStores(t, func(t *testing.T, s *restflow.Store) {
		f, a, ev := newAdder(t, s)
		for range 2 {
			v, err := f.Bypass(t.Context(), sum{A: 1})
			require.NoError(t, err)
			require.Equal(t, 1, v.N)
		}
		_, err := f.Metadata(t.Context(), sum{A: 1})
		require.ErrorIs(t, err, restflow.ErrMiss)
		require.Equal(t, 2, a.count())
		require.Equal(t, []string{"BYPASS because Bypass was called", "BYPASS because Bypass was called"}, ev.take())
	})
}

func TestFuncDeleteRemovesOneEntry(t *testing.T) {
	onStores(t, func(t *testing.T, s *restflow.Store) {
		f, _, _ := newAdder(t, s)
		for _, note := range []string{"", "x"} {
			_, err := f.Call(t.Context(), sum{Note: note})
			require.NoError(t, err)
		}
		require.NoError(t, f.Delete(t.Context(), sum{}))
		require.NoError(t, f.Delete(t.Context(), sum{}), "nothing there is no error")
		_, err := f.Metadata(t.Context(), sum{})
		require.ErrorIs(t, err, restflow.ErrMiss)
		_, err = f.Metadata(t.Context(), sum{Note: "x"})
		require.NoError(t, err)
	})
}

func TestFuncInvalidate(t *testing.T) {
	all := []sum{{A: 1, B: 1}, {A: 1, B: 2}, {A: 2, B: 1}, {A: 2, B: 2}}
	for name, tt := range map[string]struct {
		drop func(ctx context.Context, f *restflow.Func[sum, total]) error
		left []sum
	}{
		"one field": {func(ctx context.Context, f *restflow.Func[sum, total]) error {
			return f.Invalidate(ctx, sum{A: 1}, "a")
		}, all[2:]},
		"the other": {func(ctx context.Context, f *restflow.Func[sum, total]) error {
			return f.Invalidate(ctx, sum{B: 2}, "b")
		}, []sum{all[0], all[2]}},
		"the tuple": {func(ctx context.Context, f *restflow.Func[sum, total]) error { return f.Invalidate(ctx, all[1]) }, []sum{all[0], all[2], all[3]}},
		"both named": {func(ctx context.Context, f *restflow.Func[sum, total]) error {
			return f.Invalidate(ctx, all[1], "b", "a")
		}, []sum{all[0], all[2], all[3]}},
		"everything": {func(ctx context.Context, f *restflow.Func[sum, total]) error { return f.InvalidateAll(ctx) }, nil},
		"by wiping": {func(ctx context.Context, _ *restflow.Func[sum, total]) error {
			return restflow.Wipe(ctx, sum{A: 1}, "a")
		}, all[2:]},
		"wiping all": {func(ctx context.Context, _ *restflow.Func[sum, total]) error { return restflow.WipeAll[sum](ctx) }, nil},
		"wiping two": {func(ctx context.Context, _ *restflow.Func[sum, total]) error { return restflow.Wipe(ctx, all[0]) }, all[1:]},
		"nobody else": {func(ctx context.Context, f *restflow.Func[sum, total]) error {
			return f.Invalidate(ctx, sum{A: 3}, "a")
		}, all},
	} {
		t.Run(name, func(t *testing.T) {
			onStores(t, func(t *testing.T, s *restflow.Store) {
				f, _, _ := newAdder(t, s)
				for _, k := range all {
					_, err := f.Call(t.Context(), k)
					require.NoError(t, err)
				}
				require.NoError(t, tt.drop(t.Context(), f))
				var left []sum
				for _, k := range all {
					if _, err := f.Metadata(t.Context(), k); err == nil {
						left = append(left, k)
					}
				}
				require.Equal(t, tt.left, left)
			})
		})
	}
}

func TestFuncKey(t *testing.T) {
	f, _, _ := newAdder(t, memoryFor(t))
	key, err := f.Key(sum{A: 1, B: 2, Note: "a|b"})
	require.NoError(t, err)
	// Golden: a change of it flushes what functions have cached everywhere.
	require.Equal(t, `rf1|Sum|v1|arg:a=1:1|arg:b=1:2|arg:Note=3:a|b|52:4:func3:add4:json32:cd58e82e6a25d248fb4749dd48403449`, key)
}

func TestFuncInvalidateNamesWhatThereIs(t *testing.T) {
	f, _, _ := newAdder(t, memoryFor(t))
	require.ErrorContains(t, f.Invalidate(t.Context(), sum{}, "c"), `partition "c" is unknown`)
	require.ErrorContains(t, f.Invalidate(t.Context(), sum{}, "Note"), `partition "Note" is no partition field`)
}
