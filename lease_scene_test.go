package restflow_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/internal/redistest"
)

// long is a lease that no test waits for the end of.
const long = time.Minute

func openLeasing(t testing.TB, client redis.UniversalClient, d time.Duration) *restflow.Store {
	t.Helper()
	s, err := restflow.NewRedis(client, restflow.RedisConfig{Timeout: unhurried, Lease: d})
	return opened(t, s, err)
}

// leasing are processes that share a server, each with its store.
type leasing struct {
	t      *testing.T
	server *redistest.Server
	admin  *redis.Client
	nodes  []*restflow.Store
	k      *restflow.Key
}

func newLeasing(t *testing.T, nodes int, d time.Duration) *leasing {
	t.Helper()
	l := &leasing{t: t, server: redistest.Start(t), k: groupKey("Lease", "k", "1")}
	l.admin = l.server.Client()
	for range nodes {
		l.nodes = append(l.nodes, openLeasing(t, l.server.Client(), d))
	}
	return l
}

// filled is what came of a request.
type filled struct {
	body string
	led  bool
	err  error
}

// ask answers a request on a node, as caches do.
func ask(ctx context.Context, s *restflow.Store, k *restflow.Key, run func(f *restflow.Flight) *restflow.Entry) (r filled) {
	var snap restflow.Snapshot
	if r.err = s.Load(ctx, k, &snap); r.err != nil {
		return r
	}
	e := snap.Entry
	if e == nil {
		e, r.led, r.err = s.Fill(ctx, k, &snap, run)
	}
	if e != nil {
		r.body = string(e.Body)
	}
	return r
}

// hold lets a node run until the returned function is called with what it makes.
func (l *leasing) hold(node int) (end func(*restflow.Entry) filled) {
	l.t.Helper()
	began, land, done := make(chan struct{}), make(chan *restflow.Entry, 1), make(chan filled, 1)
	go func() {
		done <- ask(context.Background(), l.nodes[node], l.k, func(*restflow.Flight) *restflow.Entry {
			close(began)
			return <-land
		})
	}()
	select {
	case <-began:
	case r := <-done:
		require.FailNow(l.t, "it did not run", "%+v", r)
	case <-time.After(30 * time.Second):
		require.FailNow(l.t, "it neither runs nor ends")
	}
	l.t.Cleanup(func() {
		select {
		case land <- nil:
		default:
		}
	})
	return func(e *restflow.Entry) filled {
		land <- e
		return receive(l.t, done)
	}
}

func receive[T any](t *testing.T, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(30 * time.Second):
		require.FailNow(t, "nothing came")
	}
	return v
}

// wait starts a request on a node that waits for the lease of another one, and
// returns where its outcome will be.
func (l *leasing) wait(ctx context.Context, node int, body string) <-chan filled {
	l.t.Helper()
	done := make(chan filled, 1)
	before := l.claims()
	go func() {
		done <- ask(ctx, l.nodes[node], l.k, func(*restflow.Flight) *restflow.Entry { return entryOf(body) })
	}()
	await(l.t, "it has asked twice for the lease", func() bool { return l.claims() >= before+2 })
	require.Empty(l.t, done)
	return done
}

// claims is how often GET was called: by claims alone, once the epochs are there.
func (l *leasing) claims() int { return l.calls("get") }

// calls is how often the server has carried a command out.
func (l *leasing) calls(name string) (n int) {
	l.t.Helper()
	stats, err := l.admin.InfoMap(context.Background(), "commandstats").Result()
	require.NoError(l.t, err)
	_, _ = fmt.Sscanf(stats["Commandstats"]["cmdstat_"+name], "calls=%d,", &n) // none is zero
	return n
}

func (l *leasing) leases() []string { return keysOf(l.t, l.admin, "l") }
