package restflow_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/internal/redistest"
)

// pendingErr is what Bump returns while the gate is shut.
const pendingErr = "restflow: invalidation failed, it is retried until it succeeds: restflow: redis: bump: the gate is shut"

func newClient(t *testing.T, o *redis.Options) *redis.Client {
	t.Helper()
	client := redis.NewClient(o)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// twoNodes returns two stores over one server, and the gate of the first.
func twoNodes(t *testing.T) (a, b *restflow.Store, g *gate) {
	server := redistest.Start(t)
	client := server.Client()
	g = gated(t, client)
	return openRedis(t, client), openRedis(t, server.Client()), g
}

func TestPendingBump(t *testing.T) {
	a, b, g := twoNodes(t)
	ctx := context.Background()
	k, other, elsewhere := groupKey("Pending", "k", "1"), groupKey("Pending", "other", "2"), groupKey("Elsewhere", "k", "1")
	put(t, a, k, "old")
	put(t, a, other, "other")
	put(t, a, elsewhere, "elsewhere")

	g.set(shut)
	require.EqualError(t, a.Bump(ctx, k.Scopes[0], k.Scopes[1]), pendingErr)
	err := loadErr(a, k)
	require.ErrorIs(t, err, restflow.ErrPending)
	require.EqualError(t, err, "restflow: an invalidation is pending")
	require.Equal(t, "other", lookup(t, a, other), "other groups are not affected")
	require.Equal(t, "elsewhere", lookup(t, a, elsewhere))
	require.Equal(t, "old", lookup(t, b, k), "another process cannot know yet")

	await(t, "it is retried", func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.seen >= 3
	})
	require.ErrorIs(t, loadErr(a, k), restflow.ErrPending)

	g.set(open)
	await(t, "it has reached the store", func() bool { return loadErr(a, k) == nil })
	require.Empty(t, lookup(t, a, k))
	require.Empty(t, lookup(t, b, k))
	require.Equal(t, "other", lookup(t, b, other))
	put(t, b, k, "new")
	require.Equal(t, "new", lookup(t, a, k))
}

func TestPendingTags(t *testing.T) {
	a, b, g := twoNodes(t)
	k, other := groupKey("Tags", "k", "1"), groupKey("Tags", "other", "1")
	putTagged(t, a, k, "t")
	putTagged(t, a, other, "u")
	g.set(shut)
	require.EqualError(t, a.InvalidateTags(context.Background(), "t"), pendingErr)
	require.ErrorIs(t, loadErr(a, k), restflow.ErrPending)
	require.Equal(t, "tagged u", lookup(t, a, other))
	g.set(open)
	await(t, "it has reached the store", func() bool { return loadErr(a, k) == nil })
	require.Empty(t, lookup(t, b, k))
	require.Equal(t, "tagged u", lookup(t, b, other))
}

// putTagged is put, with a tag.
func putTagged(t *testing.T, s *restflow.Store, k *restflow.Key, tag string) {
	t.Helper()
	fillTagged(t, s, k, tag)
	require.NoError(t, s.Flush(context.Background()))
}

func fillTagged(t *testing.T, s *restflow.Store, k *restflow.Key, tag string) {
	t.Helper()
	scopes := []restflow.Scope{restflow.AnyTag, restflow.TagScope(tag)}
	epochs := make([]restflow.Epoch, len(scopes))
	ctx := context.Background()
	require.NoError(t, s.Epochs(ctx, scopes, epochs, true))
	var snap restflow.Snapshot
	require.NoError(t, s.Load(ctx, k, &snap))
	_, _, err := s.Fill(ctx, k, &snap, func(*restflow.Flight) *restflow.Entry {
		e := entryOf("tagged " + tag)
		for i := range scopes {
			e.Tags = append(e.Tags, restflow.Tag{Scope: scopes[i], Epoch: epochs[i]})
		}
		return e
	})
	require.NoError(t, err)
}

// A failure that comes while an earlier one's retry is under way is not settled
// by it. In order: a bump fails; its retry is carried out but not yet known to
// be; another process fills; a second bump fails; the retry returns. What the
// other process filled is older than the second bump.
func TestPendingBumpFailsAgainDuringRetry(t *testing.T) {
	a, b, g := twoNodes(t)
	ctx := context.Background()
	k := groupKey("Pending", "k", "1")
	put(t, a, k, "old")
	sent, goOn, last := make(chan struct{}), make(chan struct{}), make(chan struct{})
	g.set(func(n int, send func() error) error {
		switch n {
		case 2: // the retry
			err := send()
			close(sent)
			<-goOn
			return err
		case 1, 3: // the two bumps
			return errShut
		}
		<-last
		return send()
	})
	require.EqualError(t, a.Bump(ctx, k.Scopes[0], k.Scopes[1]), pendingErr)
	<-sent
	put(t, b, k, "between the bumps")
	require.EqualError(t, a.Bump(ctx, k.Scopes[0], k.Scopes[1]), pendingErr)
	close(goOn)
	await(t, "the first retry has returned", func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.seen == 4
	})
	require.ErrorIs(t, loadErr(a, k), restflow.ErrPending)
	close(last)
	await(t, "the second has reached the store", func() bool { return loadErr(a, k) == nil })
	require.Empty(t, lookup(t, a, k))
	require.Empty(t, lookup(t, b, k))
}

// Beyond 10,000 pending groups the whole caches that they belong to are pending,
// and those only.
func TestPendingBumpsAreBounded(t *testing.T) {
	a, b, g := twoNodes(t)
	ctx := context.Background()
	k, elsewhere := groupKey("Many", "k", "never bumped"), groupKey("Elsewhere", "k", "1")
	put(t, a, k, "old")
	put(t, a, elsewhere, "elsewhere")
	g.set(shut)
	scopes := make([]restflow.Scope, 10_001)
	for i := range scopes {
		scopes[i] = restflow.GroupScope(k.Scopes[0], fmt.Append(nil, i))
	}
	require.EqualError(t, a.Bump(ctx, k.Scopes[0], scopes[:10_000]...), pendingErr)
	require.Equal(t, "old", lookup(t, a, k))
	require.EqualError(t, a.Bump(ctx, k.Scopes[0], scopes[10_000]), pendingErr)
	require.ErrorIs(t, loadErr(a, k), restflow.ErrPending)
	require.Equal(t, "elsewhere", lookup(t, a, elsewhere))
	g.set(open)
	await(t, "it has reached the store", func() bool { return loadErr(a, k) == nil })
	require.Empty(t, lookup(t, b, k))
	require.Equal(t, "elsewhere", lookup(t, b, elsewhere))
}

// The same for tags: entries with any tag are dropped then, others are not.
func TestPendingTagsAreBounded(t *testing.T) {
	a, b, g := twoNodes(t)
	k, other, without := groupKey("Tags", "k", "1"), groupKey("Tags", "other", "1"), groupKey("Tags", "without", "1")
	putTagged(t, a, k, "t1")
	putTagged(t, a, other, "of no one")
	put(t, a, without, "without tags")
	g.set(shut)
	tags := make([]string, 10_001)
	for i := range tags {
		tags[i] = fmt.Sprint("t", i)
	}
	require.EqualError(t, a.InvalidateTags(context.Background(), tags...), pendingErr)
	require.ErrorIs(t, loadErr(a, k), restflow.ErrPending)
	require.ErrorIs(t, loadErr(a, other), restflow.ErrPending)
	require.Equal(t, "without tags", lookup(t, a, without))
	g.set(open)
	await(t, "it has reached the store", func() bool { return loadErr(a, k) == nil })
	require.Empty(t, lookup(t, b, k))
	require.Equal(t, "without tags", lookup(t, b, without))
}

func TestCloseWithPendingBumps(t *testing.T) {
	t.Run("the store does not take them", func(t *testing.T) {
		a, b, g := twoNodes(t)
		k := groupKey("Close", "k", "1", "u")
		put(t, a, k, "old")
		g.set(shut)
		require.EqualError(t, a.Bump(context.Background(), k.Scopes[0], k.Scopes[1:]...), pendingErr)
		require.EqualError(t, a.Close(), "restflow: Close: 2 invalidations never reached the store\nthe gate is shut")
		require.Equal(t, "old", lookup(t, b, k), "lost, as the error says")
		err := a.Close()
		require.ErrorIs(t, err, restflow.ErrClosed)
		require.EqualError(t, err, "restflow: the store is closed")
	})
	t.Run("the store takes them at last", func(t *testing.T) {
		a, b, g := twoNodes(t)
		k := groupKey("Close", "k", "1")
		put(t, a, k, "old")
		g.set(func(n int, send func() error) error {
			if n == 1 {
				return errShut
			}
			return send()
		})
		require.EqualError(t, a.Bump(context.Background(), k.Scopes[0], k.Scopes[1]), pendingErr)
		require.NoError(t, a.Close())
		require.Empty(t, lookup(t, b, k))
	})
}
