package restflow_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/internal/redistest"
)

// keysOf returns the names in Redis of the entries, or of the epochs, of tests
// that use one key.
func keysOf(t *testing.T, c redis.UniversalClient, kind string) []string {
	t.Helper()
	names, err := c.Keys(context.Background(), "restflow:"+kind+":*").Result()
	require.NoError(t, err)
	return names
}

func TestRedisNames(t *testing.T) {
	client := redistest.Start(t).Client()
	s, err := restflow.NewRedis(client, restflow.RedisConfig{Prefix: "shop:", Timeout: unhurried})
	opened(t, s, err)
	put(t, s, groupKey("Names", "k", "1"), "x")
	names, err := client.Keys(context.Background(), "*").Result()
	require.NoError(t, err)
	// Golden: stores of all releases have to agree on them.
	require.ElementsMatch(t, []string{
		"shop:e:Names:v1:4FTHc4wys2FS_Ml4rlacSA",
		"shop:s:9051f546c520d554",
		"shop:s:05d69b265f4b4b30",
	}, names)
	for _, n := range names {
		ttl, err := client.TTL(context.Background(), n).Result()
		require.NoError(t, err)
		require.InDelta(t, 30*24*time.Hour, ttl, float64(time.Minute), n)
	}
}

// What is no entry under an entry's name is a miss that tells why, and is
// replaced by the next fill.
func TestRedisUnreadableEntry(t *testing.T) {
	client := redistest.Start(t).Client()
	s := openRedis(t, client)
	ctx := context.Background()
	k := groupKey("Garbage", "k", "1")
	put(t, s, k, strings.Repeat("body ", 20))
	name := keysOf(t, client, "e")[0]
	whole, err := client.Get(ctx, name).Bytes()
	require.NoError(t, err)
	flipped := []byte(string(whole))
	flipped[len(whole)/2] ^= 0x10

	const differs = "not an entry: checksum differs"
	for _, c := range []struct {
		name  string
		value []byte
		fault string // "" if it counts as absent
	}{
		{"garbage", []byte("garbage of some length"), "not an entry: no head"},
		{"short garbage", []byte("rf"), "not an entry: no head"},
		{"another program's JSON", []byte(`{"status":200,"body":"e30="}`), "not an entry: no head"},
		{"a later format", append([]byte("rf\x63"), whole[3:]...), "not an entry: version 99, flags 0x0"},
		{"unknown flags", append([]byte("rf\x01\x80"), whole[4:]...), "not an entry: version 1, flags 0x80"},
		{"a flipped bit", flipped, differs},
		{"one byte short", whole[:len(whole)-1], differs},
		{"half", whole[:len(whole)/2], differs},
		{"twice", append(slices.Clip(whole), whole...), differs},
		{"nothing", nil, ""},
	} {
		require.NoError(t, client.Set(ctx, name, c.value, 0).Err())
		var snap restflow.Snapshot
		require.NoError(t, s.Load(ctx, k, &snap), c.name)
		require.Nil(t, snap.Entry, c.name)
		if c.fault == "" {
			require.NoError(t, snap.Fault, c.name)
		} else {
			require.EqualError(t, snap.Fault, c.fault, c.name)
		}
		_, led, err := s.Fill(ctx, k, &snap, func(*restflow.Flight) *restflow.Entry { return entryOf("new") })
		require.NoError(t, err, c.name)
		require.True(t, led, c.name)
		require.NoError(t, s.Flush(ctx))
		require.Equal(t, "new", lookup(t, s, k), c.name)
	}
}

// Another key's entry under this key's name: the full key is compared.
func TestRedisEntryOfAnotherKey(t *testing.T) {
	client := redistest.Start(t).Client()
	s := openRedis(t, client)
	ctx := context.Background()
	mine, other := groupKey("Swap", "mine", "1"), groupKey("Swap", "other", "1")
	put(t, s, other, "other's")
	value, err := client.Get(ctx, keysOf(t, client, "e")[0]).Result()
	require.NoError(t, err)
	put(t, s, mine, "mine")
	for _, name := range keysOf(t, client, "e") {
		require.NoError(t, client.Set(ctx, name, value, 0).Err())
	}
	require.Equal(t, "other's", lookup(t, s, other))
	require.Empty(t, lookup(t, s, mine))
}

// Values of other types, under the names of entries and epochs alike, are misses
// that the next fill replaces.
func TestRedisForeignTypes(t *testing.T) {
	t.Parallel()
	for name, client := range map[string]redis.UniversalClient{
		"server":  redistest.Start(t).Client(),
		"cluster": redistest.StartCluster(t, 6).Client(),
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			s := openRedis(t, client)
			k := groupKey("Foreign", "k", "1")
			put(t, s, k, "old")
			for _, name := range allKeys(t, client) {
				for _, foreign := range []func(){
					func() { client.LPush(ctx, name, "a list") },
					func() { client.SAdd(ctx, name, "a set") },
					func() { client.Set(ctx, name, "short", 0) },
					func() { client.Set(ctx, name, "\x00\x00\x00\x00\x00\x00\x00\x00", 0) },
					func() { client.Set(ctx, name, "nine byte", 0) },
				} {
					require.NoError(t, client.Del(ctx, name).Err())
					foreign()
					require.Empty(t, lookup(t, s, k))
					put(t, s, k, "new")
					require.Equal(t, "new", lookup(t, s, k))
				}
			}
		})
	}
}

func allKeys(t *testing.T, client redis.UniversalClient) []string {
	t.Helper()
	cluster, ok := client.(*redis.ClusterClient)
	if !ok {
		return append(keysOf(t, client, "e"), keysOf(t, client, "s")...)
	}
	var mu sync.Mutex // nodes are asked at once
	var names []string
	require.NoError(t, cluster.ForEachMaster(context.Background(), func(ctx context.Context, node *redis.Client) error {
		found, err := node.Keys(ctx, "restflow:*").Result()
		mu.Lock()
		defer mu.Unlock()
		names = append(names, found...)
		return err
	}))
	return names
}

// shortAnswers takes the place of a server, or of a proxy, that leaves values out.
type shortAnswers struct{ values int }

func (*shortAnswers) DialHook(next redis.DialHook) redis.DialHook { return next }

func (a *shortAnswers) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(_ context.Context, cmd redis.Cmder) error {
		cmd.(*redis.SliceCmd).SetVal(make([]any, a.values))
		return nil
	}
}

func (*shortAnswers) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// An answer of another length than the question is none.
func TestRedisAnswersOfAnotherLength(t *testing.T) {
	client := newClient(t, &redis.Options{Addr: "127.0.0.1:1", ContextTimeoutEnabled: true}) // nothing is sent
	answers := &shortAnswers{}
	client.AddHook(answers)
	s := openRedis(t, client)
	k := groupKey("Short", "k", "1")
	for n, want := range map[int]string{
		0: "restflow: redis: load: 0 values for 3 keys",
		2: "restflow: redis: load: 2 values for 3 keys",
		4: "restflow: redis: load: 4 values for 3 keys",
	} {
		answers.values = n
		require.EqualError(t, loadErr(s, k), want)
	}
	answers.values = 0
	require.EqualError(t, s.Epochs(t.Context(), k.Scopes, make([]restflow.Epoch, 2), false), "restflow: redis: epochs: 0 values for 2 keys")
}
