package restflow_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
)

// quiet keeps the client's log of the outages that tests make out of their output.
type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

func init() { redis.SetLogger(quiet{}) }

// trips counts what a client sends: single commands and pipelines, each of which
// is one round trip.
type trips struct {
	commands, pipelines atomic.Int64
	mu                  sync.Mutex
	names               []string // of the commands, in order
}

func (c *trips) DialHook(next redis.DialHook) redis.DialHook {
	return next
}

func (c *trips) note(cmds ...redis.Cmder) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cmd := range cmds {
		c.names = append(c.names, cmd.Name())
	}
}

func (c *trips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		c.commands.Add(1)
		c.note(cmd)
		return next(ctx, cmd)
	}
}

func (c *trips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		c.pipelines.Add(1)
		c.note(cmds...)
		return next(ctx, cmds)
	}
}

// during returns what f sends: commands, pipelines and the names in them.
func (c *trips) during(f func()) (commands, pipelines int64, names []string) {
	c.commands.Store(0)
	c.pipelines.Store(0)
	c.names = nil
	f()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.commands.Load(), c.pipelines.Load(), c.names
}

// gate decides about each DEL of a client, in their order: what it returns is
// what the client sees; calling send carries the command out.
type gate struct {
	mu     sync.Mutex
	decide func(n int, send func() error) error
	seen   int
}

func (g *gate) DialHook(next redis.DialHook) redis.DialHook { return next }

func (g *gate) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() != "del" {
			return next(ctx, cmd)
		}
		g.mu.Lock()
		g.seen++
		n, decide := g.seen, g.decide
		g.mu.Unlock()
		err := decide(n, func() error { return next(ctx, cmd) })
		cmd.SetErr(err)
		return err
	}
}

func (g *gate) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (g *gate) set(decide func(n int, send func() error) error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.decide = decide
}

var errShut = errors.New("the gate is shut")

func shut(int, func() error) error        { return errShut }
func open(_ int, send func() error) error { return send() }

func gated(t testing.TB, c *redis.Client) *gate {
	t.Helper()
	g := &gate{decide: open}
	c.AddHook(g)
	return g
}

// await looks until cond holds.
func await(t testing.TB, what string, cond func() bool) {
	t.Helper()
	require.Eventually(t, cond, 30*time.Second, 2*time.Millisecond, what)
}

// groupKey is a key of a cache with a scope for each of the groups it is in.
func groupKey(cache, name string, groups ...string) *restflow.Key {
	all := restflow.CacheScope(cache)
	k := &restflow.Key{Bytes: []byte(cache + "/" + name), Space: cache + ":v1", Scopes: []restflow.Scope{all}}
	for _, g := range groups {
		k.Scopes = append(k.Scopes, restflow.GroupScope(all, []byte(g)))
	}
	return k
}

// lookup returns the body of k's entry, "" if there is none.
func lookup(t testing.TB, s *restflow.Store, k *restflow.Key) string {
	t.Helper()
	var snap restflow.Snapshot
	require.NoError(t, s.Load(context.Background(), k, &snap))
	if snap.Entry == nil {
		return ""
	}
	return string(snap.Entry.Body)
}

func loadErr(s *restflow.Store, k *restflow.Key) error {
	var snap restflow.Snapshot
	return s.Load(context.Background(), k, &snap)
}

// put fills k, and waits until the entry is in the store.
func put(t testing.TB, s *restflow.Store, k *restflow.Key, body string) {
	t.Helper()
	var snap restflow.Snapshot
	require.NoError(t, s.Load(context.Background(), k, &snap))
	e, led, err := s.Fill(context.Background(), k, &snap, func(*restflow.Flight) *restflow.Entry { return entryOf(body) })
	require.NoError(t, err)
	require.True(t, led)
	require.NotNil(t, e)
	require.NoError(t, s.Flush(context.Background()))
}

func entryOf(body string) *restflow.Entry {
	return &restflow.Entry{Status: 200, Created: time.Now().UnixNano(), Body: []byte(body)}
}
