package restflow_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/internal/redistest"
	"github.com/restflow-go/restflow/tagkey"
)

// scalars is the key of the budgets: three scalar fields.
type scalars struct {
	Team  int64 `restflow:"arg,team,partition"`
	Month int
	Kind  string
}

func runsFor[K any](context.Context, K) (int, error) { return 1, nil }

// A hit in memory allocates nothing; the budget is 2.
func TestFuncHitAllocations(t *testing.T) {
	f, err := restflow.NewFunc(restflow.FuncConfig[int]{Store: memoryFor(t)}, runsFor[scalars])
	require.NoError(t, err)
	k := scalars{42, 9, "monthly"}
	_, err = f.Call(t.Context(), k)
	require.NoError(t, err)
	ctx := t.Context()
	if raceEnabled {
		t.Skip("under the race detector pools drop what they are given")
	}
	got := testing.AllocsPerRun(1000, func() {
		if _, m, err := f.CallWithMetadata(ctx, k); err != nil || m.Status != restflow.Hit {
			t.Error(m.Status, err)
		}
	})
	require.LessOrEqual(t, got, 0.0)
}

// A hit in Redis is one round trip; a miss is three: the lookup, the epochs, and
// the entry.
func TestFuncRoundTrips(t *testing.T) {
	server := redistest.Start(t)
	client := server.Client()
	var c trips
	client.AddHook(&c)
	s, err := restflow.NewRedis(client, restflow.RedisConfig{})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	f, a, _ := newAdder(t, s)
	for i := range 3 { // until the connections stand
		_, err := f.Call(t.Context(), sum{A: -i})
		require.NoError(t, err)
		require.NoError(t, s.Flush(t.Context()))
	}
	runs := a.count()
	require.NoError(t, f.InvalidateAll(t.Context()))
	call := func() {
		_, err := f.Call(t.Context(), sum{A: 1})
		require.NoError(t, err)
		require.NoError(t, s.Flush(t.Context()))
	}
	commands, pipelines, names := c.during(call)
	require.EqualValues(t, 3, commands+pipelines, names)
	commands, pipelines, names = c.during(call)
	require.EqualValues(t, 1, commands+pipelines, names)
	require.Equal(t, []string{"mget"}, names)
	commands, pipelines, names = c.during(func() { require.NoError(t, f.Invalidate(t.Context(), sum{A: 1}, "a")) })
	require.EqualValues(t, 1, commands+pipelines, names)
	commands, pipelines, names = c.during(func() { require.NoError(t, f.Delete(t.Context(), sum{A: 1})) })
	require.EqualValues(t, 1, commands+pipelines, names)
	require.Equal(t, runs+1, a.count())
}

func BenchmarkFuncHit(b *testing.B) {
	k := scalars{42, 9, "monthly"}
	b.Run("Key", func(b *testing.B) { // what the others pay for the key alone
		plan, err := tagkey.CompileArgs(reflect.TypeFor[scalars]())
		require.NoError(b, err)
		var key tagkey.Key
		for b.Loop() {
			_ = plan.BuildValue(&key, &k)
		}
	})
	for name, s := range map[string]*restflow.Store{"Memory": memoryFor(b), "Redis": redisFor(b, redistest.Start(b))} {
		b.Run(name, func(b *testing.B) {
			f, err := restflow.NewFunc(restflow.FuncConfig[int]{Store: s, Name: "bench"}, runsFor[scalars])
			require.NoError(b, err)
			ctx := b.Context()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := f.Call(ctx, k); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkFuncMiss(b *testing.B) {
	f, err := restflow.NewFunc(restflow.FuncConfig[int]{Store: memoryFor(b), Name: "bench"}, runsFor[scalars])
	require.NoError(b, err)
	ctx := b.Context()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := f.Call(ctx, scalars{Month: i}); err != nil {
			b.Fatal(err)
		}
	}
}
