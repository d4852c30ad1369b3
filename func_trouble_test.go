package restflow_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/internal/redistest"
)

// The function answers whatever has become of the store.
func TestTheFunctionAnswersWhenTheStoreIsDown(t *testing.T) {
	server := redistest.Start(t)
	f, a, ev := newAdder(t, redisFor(t, server))
	_, err := f.Call(t.Context(), sum{A: 1})
	require.NoError(t, err)
	server.Kill()

	v, m, err := f.CallWithMetadata(t.Context(), sum{A: 1})
	require.NoError(t, err)
	require.Equal(t, 1, v.N)
	require.Equal(t, restflow.Metadata{Status: restflow.Bypass}, m)
	require.Equal(t, 2, a.count())
	lines := ev.take()
	require.Len(t, lines, 2)
	require.Contains(t, lines[1], "BYPASS because the store is in trouble: restflow: redis: load: ")

	v, m, err = f.Refresh(t.Context(), sum{A: 1})
	require.NoError(t, err)
	require.Equal(t, 1, v.N)
	require.Equal(t, restflow.Metadata{Status: restflow.Bypass}, m)

	_, _, err = f.Peek(t.Context(), sum{A: 1})
	require.ErrorContains(t, err, "restflow: redis: load: ")
	require.NotErrorIs(t, err, restflow.ErrMiss, "nobody knows whether it is cached")
	_, err = f.Metadata(t.Context(), sum{A: 1})
	require.Error(t, err)
	require.Error(t, f.Delete(t.Context(), sum{A: 1}))

	// An error of the function is the caller's, also then.
	boom := errors.New("boom")
	a.failing(boom)
	_, err = f.Call(t.Context(), sum{A: 1})
	require.ErrorIs(t, err, boom)
}

// A store that hangs costs a call its timeout, and a few calls later nothing.
func TestAStoreThatHangsCostsItsTimeout(t *testing.T) {
	server := redistest.Start(t)
	f, _, ev := newAdder(t, redisFor(t, server), func(c *restflow.FuncConfig[total]) { c.StoreTimeout = 50 * time.Millisecond })
	server.Pause()
	began := time.Now()
	v, err := f.Call(t.Context(), sum{A: 3})
	require.NoError(t, err)
	require.Equal(t, 3, v.N)
	require.Less(t, time.Since(began), 5*time.Second)
	require.Contains(t, ev.take()[0], "BYPASS because the store is in trouble")
	await(t, "the breaker opens", func() bool {
		_, err := f.Call(t.Context(), sum{})
		require.NoError(t, err)
		return ev.take()[0] == "BYPASS because the store is in trouble: restflow: the store is unavailable"
	})
	server.Resume()
}

func TestAResultThatCannotBeSavedIsReturned(t *testing.T) {
	s, err := restflow.NewMemory(restflow.MemoryConfig{MaxBytes: 1000})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	f, _, ev := newAdder(t, s, func(c *restflow.FuncConfig[total]) { c.Weigh = func(v total) int { return v.N } })
	want := restflow.Metadata{Status: restflow.Bypass}
	for _, n := range []int{5000, math.MaxInt} {
		v, m, err := f.CallWithMetadata(t.Context(), sum{A: n})
		require.NoError(t, err)
		require.Equal(t, n, v.N)
		require.Equal(t, want, m)
		_, m, err = f.Refresh(t.Context(), sum{A: n})
		require.NoError(t, err)
		require.Equal(t, want, m)
	}
	_, m, err := f.CallWithMetadata(t.Context(), sum{A: -1})
	require.NoError(t, err)
	require.Equal(t, restflow.Miss, m.Status, "what weighs less than nothing weighs nothing")
	require.False(t, m.CachedAt.IsZero())
	const large = "BYPASS because the result could not be saved: restflow: the entry is larger than the store"
	require.Equal(t, []string{large, large, large, large, "MISS stored"}, ev.take())
}

// badText makes no key.
type badText struct{}

func (badText) MarshalText() ([]byte, error) { return nil, errors.New("badText does not marshal") }

func TestCallsWithoutAKeyBypass(t *testing.T) {
	type key struct{ B badText }
	var ev events
	f, err := restflow.NewFunc(restflow.FuncConfig[int]{Store: memoryFor(t), OnEvent: ev.on}, runsFor[key])
	require.NoError(t, err)
	v, m, err := f.CallWithMetadata(t.Context(), key{})
	require.NoError(t, err)
	require.Equal(t, 1, v)
	require.Equal(t, restflow.Metadata{Status: restflow.Bypass}, m)
	_, m, err = f.Refresh(t.Context(), key{})
	require.NoError(t, err)
	require.Equal(t, restflow.Bypass, m.Status)
	for _, line := range ev.take() {
		require.Contains(t, line, "BYPASS because the key cannot be built: ")
	}
	_, _, err = f.Peek(t.Context(), key{})
	require.ErrorContains(t, err, "badText does not marshal")
	_, err = f.Metadata(t.Context(), key{})
	require.ErrorContains(t, err, "badText does not marshal")
	_, err = f.Key(key{})
	require.ErrorContains(t, err, "badText does not marshal")
	require.ErrorContains(t, f.Delete(t.Context(), key{}), "badText does not marshal")
}
