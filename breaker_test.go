package restflow_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
)

// loadWithin looks k up for a caller who gives it so much time; none means that the
// caller has gone already.
func loadWithin(t *testing.T, s *restflow.Store, k *restflow.Key, d time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	var snap restflow.Snapshot
	return s.Load(ctx, k, &snap)
}

// Callers who are in a hurry, or gone, come between those who wait in vain. They are
// no sign of life of the store.
func TestHurriedCallersDoNotResetTheBreaker(t *testing.T) {
	const timeout = 100 * time.Millisecond
	for name, given := range map[string]time.Duration{"hurried": time.Millisecond, "gone": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, m := openMoody(t, restflow.StoreConfig{Timeout: timeout})
				k := groupKey("Breaker", "k", "1")
				m.be(hanging)
				began := time.Now()
				for range 5 {
					require.EqualError(t, loadWithin(t, s, k, given), "restflow: go-cache: load: context deadline exceeded")
					require.EqualError(t, loadErr(s, k), "restflow: go-cache: load: context deadline exceeded")
				}
				require.Equal(t, restflow.ErrUnavailable, loadErr(s, k))
				require.Equal(t, 5*(given+timeout), time.Since(began))
			})
		})
	}
}

// The one caller that may try whether the store is back is in a hurry, or gone: that
// does not close the breaker, and the next one tries.
func TestHurriedCallersDoNotCloseTheBreaker(t *testing.T) {
	for name, given := range map[string]time.Duration{"hurried": time.Millisecond, "gone": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, m := openMoody(t, restflow.StoreConfig{})
				k := groupKey("Breaker", "k", "1")
				m.be(hanging)
				for range 5 {
					require.Error(t, loadErr(s, k))
				}
				require.Equal(t, restflow.ErrUnavailable, loadErr(s, k))
				time.Sleep(time.Second + time.Millisecond)
				require.ErrorIs(t, loadWithin(t, s, k, given), context.DeadlineExceeded)
				require.EqualError(t, loadErr(s, k), "restflow: go-cache: load: context deadline exceeded")
				require.Equal(t, restflow.ErrUnavailable, loadErr(s, k))

				m.be(fine)
				time.Sleep(time.Second + time.Millisecond)
				require.NoError(t, loadErr(s, k))
			})
		})
	}
}

// Nobody is asked on behalf of a caller who has gone.
func TestGoneCallersAskNobody(t *testing.T) {
	s, m := openMoody(t, restflow.StoreConfig{})
	var calls atomic.Int32
	m.be(counting(&calls, fine))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var snap restflow.Snapshot
	err := s.Load(ctx, groupKey("Breaker", "k", "1"), &snap)
	require.EqualError(t, err, "restflow: go-cache: load: context canceled")
	require.Zero(t, calls.Load())
}
