package restflow_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eko/gocache/store/go_cache/v4"
	gocache "github.com/patrickmn/go-cache"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/internal/redistest"
)

type reportV1 struct {
	_  struct{} `restflow:"namespace,Report"`
	ID int
}

type reportV2 struct {
	_  struct{} `restflow:"namespace,Report"`
	_  struct{} `restflow:"version,2"`
	ID int
}

type reportV3 struct {
	_  struct{} `restflow:"namespace,Report"`
	_  struct{} `restflow:"version,3"`
	ID int
}

// reports returns a function over one version of the key struct.
func reports[K any](t testing.TB, s *restflow.Store) *restflow.Func[K, int] {
	t.Helper()
	f, err := restflow.NewFunc(restflow.FuncConfig[int]{Store: s, Name: "report"}, func(context.Context, K) (int, error) { return 1, nil })
	require.NoError(t, err)
	return f
}

// keptReads calls f over and over until the test is done with it, and fails the
// test if a call is no hit.
func keptReads(t *testing.T, f *restflow.Func[reportV3, int]) (stop func()) {
	_, err := f.Call(t.Context(), reportV3{})
	require.NoError(t, err)
	done := make(chan struct{})
	var wg sync.WaitGroup
	reads := 0
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			if _, m, err := f.CallWithMetadata(t.Context(), reportV3{}); err != nil || m.Status != restflow.Hit {
				t.Errorf("a read during the sweep: %v, %v", m.Status, err)
			}
			reads++
		}
	})
	return func() {
		close(done)
		wg.Wait()
		require.Greater(t, reads, 10)
	}
}

const manyEntries = 200_000

func TestDeletePreviousVersionsInMemory(t *testing.T) {
	s, err := restflow.NewMemory(restflow.MemoryConfig{MaxBytes: 1 << 30})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	one, two, three := reports[reportV1](t, s), reports[reportV2](t, s), reports[reportV3](t, s)
	type reportDetail struct {
		_  struct{} `restflow:"namespace,ReportDetail"`
		ID int
	}
	other := reports[reportDetail](t, s)
	for i := range manyEntries {
		_, err := one.Call(t.Context(), reportV1{ID: i})
		require.NoError(t, err)
	}
	for i := range 100 {
		_, err := two.Call(t.Context(), reportV2{ID: i})
		require.NoError(t, err)
		_, err = three.Call(t.Context(), reportV3{ID: i})
		require.NoError(t, err)
		_, err = other.Call(t.Context(), reportDetail{ID: i})
		require.NoError(t, err)
	}
	stop := keptReads(t, three)
	defer stop()

	progress := 0
	sw, err := three.DeletePreviousVersions(t.Context(), restflow.SweepConfig{Progress: func(_ context.Context, sw restflow.Sweep) {
		require.Equal(t, progress+1, sw.Batches)
		progress = sw.Batches
	}})
	require.NoError(t, err)
	require.Equal(t, restflow.Sweep{Deleted: manyEntries + 100, Batches: progress}, sw)
	require.Equal(t, (manyEntries+300)/1000+1, progress)
	_, err = one.Metadata(t.Context(), reportV1{ID: 7})
	require.ErrorIs(t, err, restflow.ErrMiss)
	_, err = two.Metadata(t.Context(), reportV2{ID: 7})
	require.ErrorIs(t, err, restflow.ErrMiss)
	for i := range 100 {
		_, err = three.Metadata(t.Context(), reportV3{ID: i})
		require.NoError(t, err)
		_, err = other.Metadata(t.Context(), reportDetail{ID: i})
		require.NoError(t, err)
	}
}

// hash is what ends the name of an entry in Redis.
func hash(i int) string { return fmt.Sprintf("%022d", i) }

// fillRaw writes foreign keys, or entries whose content does not matter.
func fillRaw(t testing.TB, client redis.UniversalClient, n int, name func(i int) string) {
	t.Helper()
	for from := 0; from < n; from += 5000 {
		_, err := client.Pipelined(t.Context(), func(p redis.Pipeliner) error {
			for i := from; i < min(n, from+5000); i++ {
				p.Set(t.Context(), name(i), "x", 0)
			}
			return nil
		})
		require.NoError(t, err)
	}
}

// foreign are keys that a sweep of Report, version 3, must leave.
var foreign = []string{
	"restflow:e:Report:v3:" + hash(1),        // the version itself
	"restflow:e:Report:v4:" + hash(1),        // a later one: somebody has deployed it
	"restflow:e:Report:v10:" + hash(1),       // a later one that begins like an old one
	"restflow:e:Report:v01:" + hash(1),       // no version that we write
	"restflow:e:Report:v0:" + hash(1),        //
	"restflow:e:Report:v-1:" + hash(1),       //
	"restflow:e:Report:v1:" + hash(1) + "x",  // no entry
	"restflow:e:Report:v1:short",             //
	"restflow:e:Report:v1:" + hash(1) + ":1", //
	"restflow:e:Report:v:" + hash(1),         //
	"restflow:e:ReportDetail:v1:" + hash(1),  // another namespace
	"restflow:e:Report%3Av1:v1:" + hash(1),   // that of "Report:v1"
	"restflow:e:xReport:v1:" + hash(1),       //
	"restflow:s:0123456789abcdef",            // an epoch
	"other:e:Report:v1:" + hash(1),           // another prefix
	"Report:v1:" + hash(1),                   // another program
}

func TestDeletePreviousVersionsInRedis(t *testing.T) {
	server := redistest.Start(t)
	client := server.Client()
	s := redisFor(t, server)
	one, three := reports[reportV1](t, s), reports[reportV3](t, s)
	for i := range 10 {
		_, err := one.Call(t.Context(), reportV1{ID: i})
		require.NoError(t, err)
	}
	fillRaw(t, client, manyEntries, func(i int) string { return fmt.Sprintf("restflow:e:Report:v%d:%s", 1+i%2, hash(i)) })
	fillRaw(t, client, len(foreign), func(i int) string { return foreign[i] })
	stop := keptReads(t, three)
	defer stop()

	last := restflow.Sweep{}
	sw, err := three.DeletePreviousVersions(t.Context(), restflow.SweepConfig{Progress: func(_ context.Context, sw restflow.Sweep) { last = sw }})
	require.NoError(t, err)
	require.Equal(t, manyEntries+10, sw.Deleted)
	require.Empty(t, sw.Cursor)
	require.Greater(t, sw.Batches, manyEntries/2000)
	require.Equal(t, sw.Deleted, last.Deleted)
	left, err := client.Exists(t.Context(), foreign...).Result()
	require.NoError(t, err)
	require.EqualValues(t, len(foreign), left)
	old, err := client.Keys(t.Context(), "restflow:e:Report:v[12]:??????????????????????").Result()
	require.NoError(t, err)
	require.Empty(t, old)

	again, err := three.DeletePreviousVersions(t.Context(), restflow.SweepConfig{})
	require.NoError(t, err)
	require.Zero(t, again.Deleted)
}

func TestDeletePreviousVersionsGoesOnWhereItEnded(t *testing.T) {
	server := redistest.Start(t)
	client := server.Client()
	three := reports[reportV3](t, redisFor(t, server))
	fillRaw(t, client, 5000, func(i int) string { return "restflow:e:Report:v2:" + hash(i) })
	batch := restflow.SweepConfig{BatchSize: 100, Limit: 1000}

	first, err := three.DeletePreviousVersions(t.Context(), batch)
	require.NoError(t, err)
	require.GreaterOrEqual(t, first.Deleted, 1000)
	require.Less(t, first.Deleted, 1500)
	require.NotEmpty(t, first.Cursor)

	ctx, cancel := context.WithCancel(t.Context())
	second, err := three.DeletePreviousVersions(ctx, restflow.SweepConfig{
		BatchSize: 100, Cursor: first.Cursor,
		Progress: func(_ context.Context, sw restflow.Sweep) {
			if sw.Deleted >= 1000 {
				cancel()
			}
		},
	})
	require.ErrorIs(t, err, context.Canceled)
	require.GreaterOrEqual(t, second.Deleted, 1000)

	server.Pause()
	lame, err := three.DeletePreviousVersions(t.Context(), restflow.SweepConfig{Cursor: second.Cursor})
	require.ErrorContains(t, err, "restflow: redis: sweep: ")
	require.Equal(t, second.Cursor, lame.Cursor, "what failed can be tried again")
	server.Resume()

	var rest restflow.Sweep
	require.Eventually(t, func() bool { // the breaker may be open for a moment
		rest, err = three.DeletePreviousVersions(t.Context(), restflow.SweepConfig{BatchSize: 100, Cursor: second.Cursor})
		return err == nil
	}, 20*time.Second, 50*time.Millisecond)
	require.Empty(t, rest.Cursor)
	require.Equal(t, 5000, first.Deleted+second.Deleted+rest.Deleted)
	left, err := client.Keys(t.Context(), "restflow:e:*").Result()
	require.NoError(t, err)
	require.Empty(t, left)
}

// A cursor of SCAN means nothing to a server that has started anew.
func TestASweepBeginsAgainOnARestartedServer(t *testing.T) {
	server := redistest.Start(t)
	three := reports[reportV3](t, redisFor(t, server))
	fillRaw(t, server.Client(), 3000, func(i int) string { return "restflow:e:Report:v1:" + hash(i) })
	first, err := three.DeletePreviousVersions(t.Context(), restflow.SweepConfig{BatchSize: 10, Limit: 2000})
	require.NoError(t, err)
	server.Restart()
	fillRaw(t, server.Client(), 3000, func(i int) string { return "restflow:e:Report:v1:" + hash(i) })
	var rest restflow.Sweep
	require.Eventually(t, func() bool {
		rest, err = three.DeletePreviousVersions(t.Context(), restflow.SweepConfig{Cursor: first.Cursor})
		return err == nil
	}, 20*time.Second, 50*time.Millisecond)
	require.Equal(t, 3000, rest.Deleted)
}

func TestDeletePreviousVersionsOnACluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 6)
	client := cluster.Client()
	s, err := restflow.NewRedis(client, restflow.RedisConfig{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	three := reports[reportV3](t, s)
	fillRaw(t, client, 6000, func(i int) string { return "restflow:e:Report:v1:" + hash(i) })
	fillRaw(t, client, len(foreign), func(i int) string { return foreign[i] })
	stop := keptReads(t, three)
	defer stop()

	deleted, calls, cursor := 0, 0, ""
	for {
		sw, err := three.DeletePreviousVersions(t.Context(), restflow.SweepConfig{BatchSize: 50, Limit: 700, Cursor: cursor})
		require.NoError(t, err)
		deleted, calls, cursor = deleted+sw.Deleted, calls+1, sw.Cursor
		if cursor == "" {
			break
		}
	}
	require.Equal(t, 6000, deleted)
	require.GreaterOrEqual(t, calls, 5)
	for _, name := range foreign {
		n, err := client.Exists(t.Context(), name).Result()
		require.NoError(t, err)
		require.EqualValues(t, 1, n, name)
	}
}

// Namespaces may hold what a pattern of Redis gives a meaning to.
func TestDeletePreviousVersionsTakesNamespacesLiterally(t *testing.T) {
	server := redistest.Start(t)
	s := redisFor(t, server)
	for _, namespace := range []string{"*", "a*", "a?", "[ab]", `a\`, "a:v1", "%2A", "ä", "{a}"} {
		fillRaw(t, server.Client(), 1, func(int) string { return "restflow:e:ab:v1:" + hash(1) })
		_, err := call(t, s, namespace, func(reportV1) {}).Call(t.Context(), reportV1{})
		require.NoError(t, err)
		sw, err := call(t, s, namespace, func(reportV3) {}).DeletePreviousVersions(t.Context(), restflow.SweepConfig{})
		require.NoError(t, err)
		require.Equal(t, 1, sw.Deleted, namespace)
		left, err := server.Client().Keys(t.Context(), "restflow:e:*").Result()
		require.NoError(t, err)
		require.Equal(t, []string{"restflow:e:ab:v1:" + hash(1)}, left, namespace)
	}
}

func call[K any](t *testing.T, s *restflow.Store, namespace string, _ func(K)) *restflow.Func[K, int] {
	t.Helper()
	f, err := restflow.NewFunc(restflow.FuncConfig[int]{Store: s, Name: "call", Namespace: namespace}, func(context.Context, K) (int, error) { return 1, nil })
	require.NoError(t, err)
	return f
}

func TestDeletePreviousVersionsRefuses(t *testing.T) {
	memory := reports[reportV3](t, memoryFor(t))
	for cfg, want := range map[*restflow.SweepConfig]string{
		{BatchSize: -1, Limit: -2}: "restflow: SweepConfig.BatchSize: -1 is negative; leave it 0 for 1000\nrestflow: SweepConfig.Limit: -2 is negative; leave it 0 for none",
		{Cursor: "x"}:              `restflow: SweepConfig.Cursor is none of this cache's; give what an earlier call returned, or "" to start again`,
	} {
		sw, err := memory.DeletePreviousVersions(t.Context(), *cfg)
		require.EqualError(t, err, want)
		require.Equal(t, cfg.Cursor, sw.Cursor)
	}

	g, err := restflow.NewStore(go_cache.NewGoCache(gocache.New(0, 0)), restflow.StoreConfig{Kind: restflow.InProcess})
	require.NoError(t, err)
	_, err = reports[reportV3](t, g).DeletePreviousVersions(t.Context(), restflow.SweepConfig{})
	require.ErrorIs(t, err, restflow.ErrNoListing)
	require.EqualError(t, err, "restflow: go-cache: the store cannot list its entries; wait until those of previous versions expire, or use NewRedis or NewMemory")

	server := redistest.Start(t)
	s := redisFor(t, server)
	fillRaw(t, server.Client(), 100, func(i int) string { return "restflow:e:Report:v1:" + hash(i) })
	two, three := reports[reportV2](t, s), reports[reportV3](t, s)
	sw, err := two.DeletePreviousVersions(t.Context(), restflow.SweepConfig{BatchSize: 1, Limit: 1})
	require.NoError(t, err)
	for _, cursor := range []string{sw.Cursor, strings.ToLower(sw.Cursor), "memory", "e30"} {
		_, err = three.DeletePreviousVersions(t.Context(), restflow.SweepConfig{Cursor: cursor})
		require.ErrorContains(t, err, "restflow: SweepConfig.Cursor is none of this cache's", cursor)
	}
	sw, err = reports[reportV1](t, s).DeletePreviousVersions(t.Context(), restflow.SweepConfig{})
	require.NoError(t, err)
	require.Zero(t, sw, "the first version has no predecessor")
}

func TestASweepInMemoryEndsWithItsContextOrLimit(t *testing.T) {
	s := memoryFor(t)
	one, three := reports[reportV1](t, s), reports[reportV3](t, s)
	for i := range 100 {
		_, err := one.Call(t.Context(), reportV1{ID: i})
		require.NoError(t, err)
	}
	sw, err := three.DeletePreviousVersions(t.Context(), restflow.SweepConfig{BatchSize: 10, Limit: 20})
	require.NoError(t, err)
	require.Equal(t, 20, sw.Deleted)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	sw, err = three.DeletePreviousVersions(ctx, restflow.SweepConfig{BatchSize: 10, Cursor: sw.Cursor})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 10, sw.Deleted)
	sw, err = three.DeletePreviousVersions(t.Context(), restflow.SweepConfig{Cursor: sw.Cursor})
	require.NoError(t, err)
	require.Equal(t, restflow.Sweep{Deleted: 70, Batches: 1}, sw)
}
