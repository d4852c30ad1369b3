package lifetime_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/internal/lifetime"
)

func TestNormalize(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   lifetime.Lifetime
		want time.Duration
		err  string
	}{
		{"default", lifetime.Lifetime{}, time.Hour, ""},
		{"given", lifetime.Lifetime{TTL: time.Second, Jitter: 0.99}, time.Second, ""},
		{"never", lifetime.Lifetime{NoExpiration: true}, 0, ""},
		{"negative", lifetime.Lifetime{TTL: -time.Second}, -time.Second, "x: Config.TTL: -1s is negative; leave it 0 for 1h0m0s, or set NoExpiration"},
		{"seconds without their unit", lifetime.Lifetime{TTL: 60}, 60, "x: Config.TTL: 60ns is less than a millisecond; a number alone counts nanoseconds, write 60 * time.Second for seconds"},
		{"shortest", lifetime.Lifetime{TTL: time.Millisecond}, time.Millisecond, ""},
		{"both", lifetime.Lifetime{TTL: time.Second, NoExpiration: true}, time.Second, "x: Config.TTL: 1s and NoExpiration exclude each other; remove one"},
		{"all of it", lifetime.Lifetime{Jitter: 1}, time.Hour, "x: Config.Jitter: 1 is not at least 0 and below 1; it is the share of the TTL that may be cut off"},
		{"less than none", lifetime.Lifetime{Jitter: -0.5}, time.Hour, "x: Config.Jitter: -0.5 is not at least 0 and below 1; it is the share of the TTL that may be cut off"},
		{"no number", lifetime.Lifetime{Jitter: math.NaN()}, time.Hour, "x: Config.Jitter: NaN is not at least 0 and below 1; it is the share of the TTL that may be cut off"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := tt.in
			err := errors.Join(l.Normalize("x: Config.")...)
			if tt.err == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, tt.err)
			}
			require.Equal(t, tt.want, l.TTL)
		})
	}
}

func TestExpires(t *testing.T) {
	now := time.Unix(1000, 0)
	exact := lifetime.Lifetime{TTL: time.Minute}
	require.Equal(t, now.Add(time.Minute).UnixNano(), exact.Expires(now, exact.TTL))
	require.Equal(t, now.Add(time.Second).UnixNano(), exact.Expires(now, time.Second))
	require.Zero(t, exact.Expires(now, 0))
	require.Equal(t, now.Add(lifetime.Longest).UnixNano(), exact.Expires(now, math.MaxInt64))

	spread := lifetime.Lifetime{TTL: time.Minute, Jitter: 0.5}
	drawn := map[int64]bool{}
	for range 1000 {
		at := spread.Expires(now, time.Minute)
		require.Greater(t, at, now.Add(30*time.Second).UnixNano()-1)
		require.LessOrEqual(t, at, now.Add(time.Minute).UnixNano())
		drawn[at] = true
	}
	require.Greater(t, len(drawn), 900)
	require.Zero(t, spread.Expires(now, 0), "what never expires has nothing to cut off")
}
