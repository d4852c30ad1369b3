package echocache_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/echocache"
)

// T1, the classic race.
//
//  1. a misses: it reads the epochs, its handler reads version 1
//  2. b commits version 2 and invalidates: the epoch is another one
//  3. a's handler ends, and version 1 is saved under the epochs of 1
//  4. requests on a and b find an entry that no epoch of theirs agrees with
func TestT1LateFill(t *testing.T) {
	onStores(t, echocache.Config{}, func(s *scene) {
		late, gate := s.hold(context.Background(), s.a)
		s.commit(s.b)
		close(gate)
		require.Equal(t, "row 1 version 1", receive(t, late).Body.String(), "it began before")
		s.want(s.a, "MISS", 2)
		s.want(s.b, "HIT", 2)
	})
}

// T1 with requests that wait for the run.
//
//  1. a misses and its handler reads version 1; more requests on a wait for it
//  2. b commits version 2 and invalidates
//  3. the handler ends: those who wait began before 2 and may get version 1
//  4. who comes now gets version 2
func TestT1LateFillWithWaiters(t *testing.T) {
	onStores(t, echocache.Config{}, func(s *scene) {
		late, gate := s.hold(context.Background(), s.a)
		waiters := make([]<-chan *httptest.ResponseRecorder, 20)
		for i := range waiters {
			waiters[i] = s.ask(context.Background(), s.a)
		}
		awaitWaiters(t, len(waiters))
		s.commit(s.b)
		close(gate)
		receive(t, late)
		for _, w := range waiters {
			require.Equal(t, "row 1 version 1", receive(t, w).Body.String())
		}
		s.want(s.b, "MISS", 2)
		s.want(s.a, "HIT", 2)
		require.EqualValues(t, 2, s.runs.Load())
	})
}

// T1 with a refresh in the background.
//
//  1. the entry of version 1 is past its TTL: a serves it, and refreshes it
//  2. the refresh has read version 1 and is held up
//  3. b commits version 2 and invalidates
//  4. the refresh ends and saves version 1 under the epochs of 1
//  5. neither the old entry nor the refreshed one is served
func TestT1LateBackgroundRefresh(t *testing.T) {
	onStores(t, echocache.Config{TTL: 10 * time.Millisecond, StaleWhileRevalidate: time.Hour}, func(s *scene) {
		s.want(s.a, "MISS", 1)
		s.event()
		s.holding.Store(true)
		require.Eventually(t, func() bool { return status(receive(t, s.ask(context.Background(), s.a))) == "STALE" }, sceneTimeout, time.Millisecond)
		gate := receive(t, s.held)
		s.commit(s.b)
		close(gate)
		for s.event().Status.String() != "REFRESH" {
		}
		s.want(s.b, "MISS", 2)
		w := receive(t, s.ask(context.Background(), s.a))
		require.Equal(t, "row 1 version 2", w.Body.String())
	})
}

// T2: who comes after a commit joins no older run.
//
//  1. a misses and its handler reads version 1
//  2. b commits version 2 and invalidates
//  3. a request on a reads other epochs than 1: it runs the handler itself, and is
//     answered while the older run still goes on
//  4. the older run saves version 1 over version 2: that entry is dead
func TestT2NobodyJoinsAnOlderRun(t *testing.T) {
	onStores(t, echocache.Config{}, func(s *scene) {
		older, gate := s.hold(context.Background(), s.a)
		s.commit(s.b)
		s.want(s.a, "MISS", 2)
		s.want(s.a, "HIT", 2)
		close(gate)
		require.Equal(t, "row 1 version 1", receive(t, older).Body.String())
		s.want(s.b, "MISS", 2)
		s.want(s.a, "HIT", 2)
	})
}

// T3: Redis loses any one key, by eviction or expiry, at any point of a fill.
//
//  1. a has an entry of version 1, or is about to make it
//  2. b commits version 2 and invalidates
//  3. a key is lost: before 1, between 1 and 2, after 2, or after the late save
//  4. version 1 does not return on any node: a lost epoch is replaced by a
//     random one, under which nothing was ever made
func TestT3AnyKeyIsLostAtAnyPoint(t *testing.T) {
	lose := map[string]func(context.Context, *redis.Client, string) error{
		"evicted": func(ctx context.Context, c *redis.Client, key string) error { return c.Del(ctx, key).Err() },
		"expired": func(ctx context.Context, c *redis.Client, key string) error {
			return c.PExpireAt(ctx, key, time.UnixMilli(1)).Err()
		},
		"everything": func(ctx context.Context, c *redis.Client, _ string) error { return c.FlushAll(ctx).Err() },
	}
	onRedis(t, echocache.Config{}, func(s *scene) {
		ctx, admin := context.Background(), s.server.Client()
		for how, lost := range lose {
			for which := range 3 { // the entry and two epochs
				for point := range 4 {
					s.lateFillWithLoss(point, func() {
						keys, err := admin.Keys(ctx, "restflow:*").Result()
						require.NoError(t, err)
						if which < len(keys) {
							require.NoError(t, lost(ctx, admin, keys[which]))
						}
					}, fmt.Sprintf("%s, key %d, point %d", how, which, point))
				}
			}
		}
	})
}

func (s *scene) lateFillWithLoss(point int, lose func(), what string) {
	s.t.Helper()
	old := s.version.Load()
	s.want(s.b, "MISS", int(old)) // something is there
	at := func(p int) {
		if p == point {
			s.flush()
			lose()
		}
	}
	at(0)
	s.commit(s.a)
	late, gate := s.hold(context.Background(), s.a)
	at(1)
	s.commit(s.b)
	at(2)
	close(gate)
	receive(s.t, late)
	at(3)
	for _, n := range []*sceneNode{s.a, s.b, s.a} {
		w := receive(s.t, s.ask(context.Background(), n))
		require.Equal(s.t, fmt.Sprintf("row 1 version %d", old+2), w.Body.String(), what)
	}
	s.commit(s.b)
}
