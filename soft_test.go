package restflow_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	redisstore "github.com/eko/gocache/store/redis/v4"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/internal/redistest"
)

// softly reads the body of what soft bumps have left of k, "" if nothing.
func softly(t *testing.T, s *restflow.Store, k *restflow.Key) string {
	t.Helper()
	var snap restflow.Snapshot
	require.NoError(t, s.Load(context.Background(), k, &snap))
	if snap.Soft == nil {
		return ""
	}
	require.Nil(t, snap.Entry, "an entry is alive or left, never both")
	require.Less(t, snap.Now, snap.SoftUntil)
	return string(snap.Soft.Body)
}

func bumpSoft(t *testing.T, s *restflow.Store, k *restflow.Key, i int, window time.Duration) {
	t.Helper()
	require.NoError(t, s.BumpSoft(context.Background(), k.Scopes[0], window, k.Scopes[i]))
}

func bumpHard(t *testing.T, s *restflow.Store, k *restflow.Key, i int) {
	t.Helper()
	require.NoError(t, s.Bump(context.Background(), k.Scopes[0], k.Scopes[i]))
}

func TestSoftWindowEndsToTheMillisecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := restflow.NewMemory(restflow.MemoryConfig{})
		require.NoError(t, err)
		defer s.Close()
		k := groupKey("Soft", "k", "1", "u")
		for i := range k.Scopes { // the whole cache, and each partition
			put(t, s, k, "old")
			bumpSoft(t, s, k, i, 5*time.Second)
			require.Empty(t, lookup(t, s, k), "it is not alive any more")
			require.Equal(t, "old", softly(t, s, k))
			time.Sleep(5*time.Second - time.Millisecond)
			require.Equal(t, "old", softly(t, s, k))
			time.Sleep(time.Millisecond)
			require.Empty(t, softly(t, s, k))
		}
	})
}

// Several groups that one bump invalidates have one window. What a second one
// invalidates as well would be late by both: it is gone.
func TestSoftWindowsOfTwoGroups(t *testing.T) {
	onSoftStores(t, func(t *testing.T, s, other *restflow.Store) {
		k := groupKey("Soft", "k", "1")
		put(t, s, k, "old")
		require.NoError(t, other.BumpSoft(t.Context(), k.Scopes[0], time.Minute, k.Scopes...))
		require.Equal(t, "old", softly(t, s, k))

		put(t, s, k, "older")
		bumpSoft(t, s, k, 1, time.Minute)
		require.Equal(t, "older", softly(t, s, k))
		bumpSoft(t, other, k, 0, time.Hour)
		require.Empty(t, softly(t, s, k))
	})
}

// A memory store keeps track of a bounded number of windows. Beyond it bumps are
// hard, until windows have ended.
func TestSoftWindowsInMemoryAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := restflow.NewMemory(restflow.MemoryConfig{})
		require.NoError(t, err)
		defer s.Close()
		k := groupKey("Soft", "k", "1")
		many := make([]restflow.Scope, 1<<14)
		for i := range many {
			many[i] = restflow.Scope(i) // a slot each
		}
		put(t, s, k, "old")
		require.NoError(t, s.BumpSoft(t.Context(), k.Scopes[0], time.Second, many...))
		if lookup(t, s, k) == "" { // by a shared slot
			put(t, s, k, "old")
		}
		bumpSoft(t, s, k, 0, time.Minute)
		require.Empty(t, softly(t, s, k), "no room: it was a hard one")
		time.Sleep(time.Second)
		put(t, s, k, "new")
		bumpSoft(t, s, k, 0, time.Minute)
		require.Equal(t, "new", softly(t, s, k))
	})
}

// onSoftStores runs a test where soft bumps are soft: on a and b, which share
// everything in memory, and no more than a server on Redis.
func onSoftStores(t *testing.T, test func(t *testing.T, a, b *restflow.Store)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) {
		s := openMemory(t)
		test(t, s, s)
	})
	t.Run("redis", func(t *testing.T) {
		server := redistest.Start(t)
		test(t, openRedis(t, server.Client()), openRedis(t, server.Client()))
	})
	t.Run("sentinels", func(t *testing.T) {
		t.Parallel()
		sentinels := redistest.StartSentinels(t)
		test(t, openRedis(t, sentinels.Client()), openRedis(t, sentinels.Client()))
	})
	t.Run("cluster", func(t *testing.T) {
		t.Parallel() // to form one is mostly waiting
		cluster := redistest.StartCluster(t, 6)
		test(t, openRedis(t, cluster.Client()), openRedis(t, cluster.Client()))
	})
}

func TestSoftBumps(t *testing.T) {
	onSoftStores(t, func(t *testing.T, a, b *restflow.Store) {
		k := groupKey("Soft", "k", "1", "u", "1u")
		for i := range k.Scopes {
			put(t, a, k, "first")
			bumpSoft(t, a, k, i, time.Hour)
			require.Empty(t, lookup(t, b, k))
			require.Equal(t, "first", softly(t, b, k))
			put(t, b, k, "second")
			require.Equal(t, "second", lookup(t, a, k))
			require.Empty(t, softly(t, a, k))

			bumpSoft(t, b, k, i, time.Hour)
			require.Equal(t, "second", softly(t, a, k))
			bumpSoft(t, a, k, i, time.Hour)
			require.Empty(t, softly(t, b, k), "two generations old")

			for hard := range k.Scopes {
				put(t, a, k, "third")
				bumpSoft(t, a, k, i, time.Hour)
				require.Equal(t, "third", softly(t, b, k))
				bumpHard(t, b, k, hard)
				require.Empty(t, softly(t, a, k), "a hard bump of %d ends what a soft one of %d has left", hard, i)
				require.Empty(t, softly(t, b, k))
				require.Empty(t, lookup(t, a, k))
			}
			put(t, a, k, "fourth")
			bumpHard(t, a, k, i)
			bumpSoft(t, b, k, i, time.Hour)
			require.Empty(t, softly(t, a, k), "a soft bump brings nothing back")
		}
		put(t, a, k, "x")
		require.NoError(t, a.BumpSoft(t.Context(), k.Scopes[0], 0, k.Scopes...), "without a window it is Bump")
		require.Empty(t, softly(t, b, k))
		require.NoError(t, a.BumpSoft(t.Context(), k.Scopes[0], time.Hour))
	})
}

// A late fill: it began before the soft bump, and what it saves after it is bound
// by the same window.
func TestSoftBumpDuringFill(t *testing.T) {
	onSoftStores(t, func(t *testing.T, a, b *restflow.Store) {
		k := groupKey("Soft", "k", "1")
		var snap restflow.Snapshot
		require.NoError(t, a.Load(t.Context(), k, &snap))
		_, led, err := a.Fill(t.Context(), k, &snap, func(*restflow.Flight) *restflow.Entry {
			bumpSoft(t, b, k, 1, time.Hour)
			put(t, b, k, "new") // joins no flight of the old epoch
			return entryOf("late")
		})
		require.NoError(t, err)
		require.True(t, led)
		require.NoError(t, a.Flush(t.Context()))
		require.Empty(t, lookup(t, b, k))
		require.Equal(t, "late", softly(t, b, k))
		bumpHard(t, a, k, 0)
		require.Empty(t, softly(t, b, k))
	})
}

func TestSoftEntriesDieWithTheirTags(t *testing.T) {
	onSoftStores(t, func(t *testing.T, a, b *restflow.Store) {
		k := groupKey("Soft", "k", "1")
		putTagged(t, a, k, "soft")
		bumpSoft(t, a, k, 1, time.Hour)
		require.Equal(t, "tagged soft", softly(t, b, k))
		require.NoError(t, b.InvalidateTags(t.Context(), "soft"))
		require.Empty(t, softly(t, a, k))
	})
}

// In a store that cannot keep an epoch while it replaces it, a soft bump is hard.
func TestSoftBumpOfGocacheStore(t *testing.T) {
	s := openGocache(t, redisstore.NewRedis(miniClient(t)), restflow.Shared)
	k := groupKey("Soft", "k", "1")
	put(t, s, k, "old")
	bumpSoft(t, s, k, 1, time.Hour)
	require.Empty(t, softly(t, s, k))
	require.Empty(t, lookup(t, s, k))
}
