package restflow_test

import (
	"bytes"
	"context"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/internal/redistest"
)

// The same bytes need no decoding again; whatever else is found does, and epochs are
// compared as ever.
func TestReadingsStandForTheSameBytesOnly(t *testing.T) {
	client := redistest.Start(t).Client()
	ctx := context.Background()
	for _, compress := range []int{0, 1} {
		require.NoError(t, client.FlushAll(ctx).Err())
		s, err := restflow.NewRedis(client, restflow.RedisConfig{SyncSaves: true, Compress: compress})
		require.NoError(t, err)
		t.Cleanup(func() { _ = s.Close() })
		k := groupKey("Readings", "k", "1")
		old := string(bytes.Repeat([]byte("old"), 100))
		put(t, s, k, old)
		reread(t, s, "texts", k)
		e := recall(t, s, "texts", k).Entry
		require.Equal(t, old, string(e.Body))
		require.Same(t, e, recall(t, s, "texts", k).Entry)

		name := keysOf(t, client, "e")[0]
		good, err := client.Get(ctx, name).Bytes()
		require.NoError(t, err)
		for _, bad := range [][]byte{flipped(good, 20), flipped(good, len(good)-1), good[:len(good)-1], append(bytes.Clone(good), 0)} {
			require.NoError(t, client.Set(ctx, name, bad, 0).Err())
			snap := recall(t, s, "texts", k)
			require.Nil(t, snap.Entry)
			require.Error(t, snap.Fault)
		}
		require.NoError(t, client.Set(ctx, name, good, 0).Err())
		require.Same(t, e, recall(t, s, "texts", k).Entry)

		refill(t, s, k, "new")
		require.Equal(t, "new", string(recall(t, s, "texts", k).Entry.Body))
		require.NoError(t, s.Bump(ctx, k.Scopes[0], k.Scopes[1]))
		require.Nil(t, recall(t, s, "texts", k).Entry)
	}
}

// reread asks until what was read is kept.
func reread(t testing.TB, s *restflow.Store, texts string, k *restflow.Key) {
	t.Helper()
	for range 2 {
		require.NotNil(t, recall(t, s, texts, k).Entry)
	}
}

func flipped(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1
	return b
}

// Keys that share a place get what is theirs.
func TestReadingsInOnePlace(t *testing.T) {
	s := openRedis(t, redistest.Start(t).Client())
	a, b := groupKey("Readings", "a", "1"), groupKey("Readings", "b", "1")
	put(t, s, a, "a's")
	put(t, s, b, "b's")
	reread(t, s, "a", a)
	reread(t, s, "b", b)
	s.Recall([]byte("a")).SharePlace(s.Recall([]byte("b")))
	for range 3 {
		require.Equal(t, "a's", string(recall(t, s, "a", a).Entry.Body))
		require.Equal(t, "b's", string(recall(t, s, "b", b).Entry.Body))
	}
}

func TestReadingsAreBounded(t *testing.T) {
	s := openRedis(t, redistest.Start(t).Client())
	const keys, size = 100, 1 << 19
	put(t, s, groupKey("Readings", "huge", "1"), string(make([]byte, 3<<20)))
	reread(t, s, "huge", groupKey("Readings", "huge", "1"))
	counted, _, _ := s.Readings()
	require.Zero(t, counted, "one of many kilobytes would push all others out")
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := worker; i < keys; i += 4 {
				k := groupKey("Readings", strconv.Itoa(i), "1")
				put(t, s, k, string(make([]byte, size)))
				reread(t, s, strconv.Itoa(i), k)
			}
		})
	}
	all.Wait()
	counted, sum, limit := s.Readings()
	require.Equal(t, sum, counted)
	require.LessOrEqual(t, sum, limit)
	require.Greater(t, sum, limit/2)
}
