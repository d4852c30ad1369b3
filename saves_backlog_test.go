package restflow_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
)

// What cannot wait any more is not stored, and those who waited get it all the same.
func TestBacklog(t *testing.T) {
	for name, c := range map[string]struct{ entries, size int }{"entries": {1024, 1}, "bytes": {31, 1 << 20}} {
		t.Run(name, func(t *testing.T) {
			s := newSavers(t, restflow.RedisConfig{})
			body := strings.Repeat("x", c.size)
			for i := range c.entries {
				s.fill(groupKey("Save", fmt.Sprint(i), "1"), body)
			}
			k := groupKey("Save", "too much", "1")
			var snap restflow.Snapshot
			require.NoError(t, s.a.Load(t.Context(), k, &snap))
			waiter := make(chan *restflow.Entry, 1)
			made := entryOf(strings.Repeat("x", max(c.size, 1)))
			e, led, err := s.a.Fill(t.Context(), k, &snap, func(f *restflow.Flight) *restflow.Entry {
				go func() {
					e, _, _ := s.a.Fill(t.Context(), k, &snap, func(*restflow.Flight) *restflow.Entry { return nil })
					waiter <- e
				}()
				await(t, "one waits", func() bool { return f.Waiters() == 1 })
				return made
			})
			require.ErrorIs(t, err, restflow.ErrBacklog)
			require.EqualError(t, err, "restflow: too much is waiting to be saved")
			require.True(t, led)
			require.Same(t, made, e)
			require.Same(t, made, <-waiter)
			require.Empty(t, lookup(t, s.a, k))
			s.arrive()
			s.fill(k, "there is room again")
			require.NoError(t, s.a.Flush(t.Context()))
			require.Equal(t, "there is room again", lookup(t, s.b, k))
		})
	}
}

// An entry that is refused leaves none behind that is older.
func TestBacklogOfANewerEntry(t *testing.T) {
	s := newSavers(t, restflow.RedisConfig{})
	s.occupy()
	k, large := groupKey("Save", "k", "1"), strings.Repeat("x", 1<<20)
	s.fill(k, "older")
	for i := range 31 {
		s.fill(groupKey("Save", fmt.Sprint(i), "1"), large)
	}
	_, err := s.a.Replace(t.Context(), k, snapshot(t, s.a, k), func(*restflow.Flight) *restflow.Entry { return entryOf(large) })
	require.ErrorIs(t, err, restflow.ErrBacklog)
	require.Empty(t, lookup(t, s.a, k))
	s.arrive()
	require.Empty(t, lookup(t, s.b, k))
}

func TestBacklogIsToldOf(t *testing.T) {
	s := newSavers(t, restflow.RedisConfig{})
	for i := range 1024 {
		s.fill(groupKey("Save", fmt.Sprint(i), "1"), "x")
	}
	f, _, ev := newAdder(t, s.a)
	v, m, err := f.CallWithMetadata(t.Context(), sum{A: 1})
	require.NoError(t, err)
	require.Equal(t, 1, v.N)
	require.Equal(t, restflow.Metadata{Status: restflow.Bypass}, m)
	require.Equal(t, []string{"BYPASS because the result could not be saved: restflow: too much is waiting to be saved"}, ev.take())
}
