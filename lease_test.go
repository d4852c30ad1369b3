package restflow_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/internal/redistest"
	"github.com/restflow-go/restflow/testutil"
)

func TestLeaseOneRunForAll(t *testing.T) {
	for name, client := range map[string]func(t *testing.T) func() redis.UniversalClient{
		"server": func(t *testing.T) func() redis.UniversalClient {
			server := redistest.Start(t)
			return func() redis.UniversalClient { return server.Client() }
		},
		"cluster": func(t *testing.T) func() redis.UniversalClient {
			cluster := redistest.StartCluster(t, 6)
			return func() redis.UniversalClient { return cluster.Client() }
		},
	} {
		t.Run(name, func(t *testing.T) {
			open := client(t)
			const nodes, requests = 3, 50
			k := groupKey("Lease", "k", "1", "u")
			var runs, led atomic.Int32
			var wg sync.WaitGroup
			for range nodes {
				s := openLeasing(t, open(), long)
				for range requests {
					wg.Go(func() {
						r := ask(t.Context(), s, k, func(*restflow.Flight) *restflow.Entry {
							runs.Add(1)
							time.Sleep(50 * time.Millisecond)
							return entryOf("one for all")
						})
						if r.led {
							led.Add(1)
						}
						if r.err != nil || r.body != "one for all" {
							t.Errorf("%+v", r)
						}
					})
				}
			}
			wg.Wait()
			require.EqualValues(t, 1, runs.Load())
			require.EqualValues(t, 1, led.Load())
		})
	}
}

// The suites hold, with a lease, what they hold without.
func TestRedisStoreWithLeases(t *testing.T) {
	server := redistest.Start(t)
	open := func(t *testing.T) *restflow.Store { return openLeasing(t, server.Client(), 5*time.Second) }
	testutil.TestStore(t, open)
	testutil.TestSharedStore(t, func(t *testing.T) (a, b *restflow.Store) { return open(t), open(t) })
}

// The lease is given back when the entry has arrived, and not before.
func TestLeaseLastsUntilTheSaveHasArrived(t *testing.T) {
	s := newSavers(t, restflow.RedisConfig{Lease: long})
	b := openLeasing(t, s.server.Client(), long)
	k := groupKey("Lease", "k", "1")
	s.fill(k, "made by a")
	s.begun()
	require.Len(t, keysOf(t, s.admin, "l"), 1)
	done := make(chan filled, 1)
	go func() {
		done <- ask(t.Context(), b, k, func(*restflow.Flight) *restflow.Entry { return entryOf("made by b") })
	}()
	s.valve.open()
	require.Equal(t, filled{body: "made by a"}, receive(t, done))
	await(t, "the lease has been given back", func() bool { return len(keysOf(t, s.admin, "l")) == 0 })
}

// The lease is given back as well when the entry is deleted or replaced before its turn,
// and nothing keeps those who come next from taking it.
func TestLeaseOfAnEntryThatIsNotSent(t *testing.T) {
	k := groupKey("Lease", "k", "1")
	for name, outdate := range map[string]func(s *savers){
		"deleted":  func(s *savers) { require.NoError(t, s.a.Delete(t.Context(), k)) },
		"replaced": func(s *savers) { s.replace(k, "newer") },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSavers(t, restflow.RedisConfig{Lease: long})
			s.occupy()
			before := len(keysOf(t, s.admin, "l"))
			s.fill(k, "old")
			require.Len(t, keysOf(t, s.admin, "l"), before+1)
			outdate(s)
			await(t, "the lease has been given back", func() bool {
				left := keysOf(t, s.admin, "l")
				for _, name := range left {
					require.NotEqual(t, "-", s.admin.Get(t.Context(), name).Val(), "a mark")
				}
				return len(left) == before
			})
		})
	}
}

// A process dies with its lease: when that is over, another one runs.
func TestLeaseOfADeadProcess(t *testing.T) {
	l := newLeasing(t, 2, 300*time.Millisecond)
	l.hold(0)
	began := time.Now()
	require.Equal(t, filled{body: "b", led: true}, receive(t, l.wait(t.Context(), 1, "b")))
	require.Less(t, time.Since(began), 10*time.Second)
}

// A lease that has ended meanwhile is another's, and stays it.
func TestLeaseIsGivenBackByItsOwnerOnly(t *testing.T) {
	l := newLeasing(t, 1, 200*time.Millisecond)
	l.nodes = append(l.nodes, openLeasing(t, l.server.Client(), long))
	endA := l.hold(0)
	await(t, "the lease of a is over", func() bool { return len(l.leases()) == 0 })
	endB := l.hold(1)
	token := l.admin.Get(t.Context(), l.leases()[0]).Val()
	require.True(t, endA(nil).led)
	await(t, "a gives back what it had", func() bool { return l.calls("eval") == 1 })
	require.Equal(t, token, l.admin.Get(t.Context(), l.leases()[0]).Val())
	require.Equal(t, filled{body: "b", led: true}, endB(entryOf("b")))
	await(t, "b has given it back", func() bool { return len(l.leases()) == 0 })
}

// An answer that cannot be shared sends everybody off at once, in all processes.
func TestLeaseOfWhatCannotBeShared(t *testing.T) {
	for name, spoil := range map[string]func(ctx context.Context, f *restflow.Flight){
		"nothing": func(context.Context, *restflow.Flight) {},
		"a panic": func(context.Context, *restflow.Flight) { panic("boom") },
		"a stream": func(ctx context.Context, f *restflow.Flight) {
			f.Alone()
			<-ctx.Done() // it may go on for hours
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLeasing(t, 2, long)
			began, spoiled := make(chan struct{}), make(chan struct{})
			go func() {
				defer func() { _ = recover() }()
				ask(context.Background(), l.nodes[0], l.k, func(f *restflow.Flight) *restflow.Entry {
					close(began)
					<-spoiled
					spoil(t.Context(), f)
					return nil
				})
			}()
			receive(t, began)
			const together = 20
			var meet, wg sync.WaitGroup
			meet.Add(together)
			for range together {
				wg.Go(func() {
					here := func(*restflow.Flight) *restflow.Entry {
						meet.Done()
						meet.Wait() // for ever, if one of them waits for another one
						return nil
					}
					if r := ask(t.Context(), l.nodes[1], l.k, here); !r.led {
						here(nil)
					}
				})
			}
			await(t, "they wait", func() bool { return l.nodes[1].Waiting(l.k) == together-1 })
			close(spoiled)
			wg.Wait()
			left := l.admin.PTTL(t.Context(), l.leases()[0]).Val()
			require.Positive(t, left, "the mark ends by itself")
			require.LessOrEqual(t, left, 2*time.Second, "and before the lease, since the next answer may be stored")
		})
	}
}

// A run that Delete has outdated says nothing of the next one: one of those who waited
// for it leads that for all, in all processes.
func TestLeaseOfADeletedRun(t *testing.T) {
	l := newLeasing(t, 2, long)
	end := l.hold(0)
	const together = 10
	var runs atomic.Int32
	var wg sync.WaitGroup
	for i := range 2 * together {
		wg.Go(func() {
			r := ask(t.Context(), l.nodes[i%2], l.k, func(*restflow.Flight) *restflow.Entry {
				runs.Add(1)
				return entryOf("new")
			})
			require.Equal(t, "new", r.body)
		})
	}
	await(t, "they wait", func() bool { return l.nodes[0].Waiting(l.k) == together && l.nodes[1].Waiting(l.k) == together-1 })
	require.NoError(t, l.nodes[0].Delete(t.Context(), l.k))
	require.Equal(t, filled{led: true}, end(entryOf("old")))
	wg.Wait()
	require.EqualValues(t, 1, runs.Load())
}

// T2 across processes: who comes after an invalidation waits for no older run, and
// who has waited since before does not any longer.
func TestLeaseIsOfItsEpochs(t *testing.T) {
	l := newLeasing(t, 3, long)
	end := l.hold(0)
	older := l.wait(t.Context(), 1, "older")
	require.NoError(t, bumpAll(l.nodes[2], l.k))
	require.True(t, receive(t, older).led)
	newer := make(chan filled, 1)
	go func() {
		newer <- ask(t.Context(), l.nodes[2], l.k, func(*restflow.Flight) *restflow.Entry { return entryOf("newer") })
	}()
	require.Equal(t, filled{body: "newer", led: true}, receive(t, newer))
	require.NoError(t, l.nodes[2].Flush(t.Context()))
	require.True(t, end(entryOf("oldest")).led)
	require.NoError(t, l.nodes[0].Flush(t.Context()))
	require.NotEqual(t, "oldest", lookup(t, l.nodes[1], l.k))
}

func TestLeaseWhenRedisDies(t *testing.T) {
	l := newLeasing(t, 2, long)
	end := l.hold(0)
	waiter := l.wait(t.Context(), 1, "b")
	l.server.Kill()
	r := receive(t, waiter)
	require.True(t, r.led)
	require.Equal(t, "b", r.body)
	require.True(t, end(entryOf("a")).led)
}

func TestLeaseWaitsNoLongerThanItsRequest(t *testing.T) {
	l := newLeasing(t, 2, long)
	end := l.hold(0)
	ctx, cancel := context.WithCancel(t.Context())
	waiter := l.wait(ctx, 1, "b")
	cancel()
	require.Equal(t, filled{body: "b", led: true}, receive(t, waiter), "and runs under its context")
	require.True(t, end(entryOf("a")).led)
}

// A run whose client gave up says nothing about the answer: the next one leads.
func TestLeaseOfAnAbandonedRun(t *testing.T) {
	l := newLeasing(t, 2, long)
	r := ask(t.Context(), l.nodes[0], l.k, func(f *restflow.Flight) *restflow.Entry {
		f.Abandon()
		return nil
	})
	require.True(t, r.led)
	await(t, "it has been given back", func() bool { return len(l.leases()) == 0 })
}

func TestReplaceWaitsForNoLease(t *testing.T) {
	l := newLeasing(t, 2, long)
	l.hold(0)
	var snap restflow.Snapshot
	require.NoError(t, l.nodes[1].Load(t.Context(), l.k, &snap))
	e, err := l.nodes[1].Replace(t.Context(), l.k, &snap, func(*restflow.Flight) *restflow.Entry { return entryOf("new") })
	require.NoError(t, err)
	require.NotNil(t, e)
	require.NoError(t, l.nodes[1].Flush(t.Context()))
	require.Equal(t, "new", lookup(t, l.nodes[0], l.k))
}

// Of the processes that would refresh in the background one does.
func TestLaunchUnderALease(t *testing.T) {
	l := newLeasing(t, 2, long)
	put(t, l.nodes[0], l.k, "old")
	await(t, "its lease has been given back", func() bool { return len(l.leases()) == 0 })
	launch := func(node int) *restflow.Launch {
		var snap restflow.Snapshot
		require.NoError(t, l.nodes[node].Load(t.Context(), l.k, &snap))
		return l.nodes[node].Launch(l.k, &snap)
	}
	e, err := launch(0).Run(t.Context(), func(*restflow.Flight) *restflow.Entry {
		e, err := launch(1).Run(t.Context(), func(*restflow.Flight) *restflow.Entry {
			t.Error("both ran")
			return nil
		})
		require.NoError(t, err)
		require.Nil(t, e)
		return entryOf("new")
	})
	require.NoError(t, err)
	require.NotNil(t, e)
	require.NoError(t, l.nodes[0].Flush(t.Context()))
	require.Equal(t, "new", lookup(t, l.nodes[1], l.k))
	l.server.Kill()
	ran := false
	var snap restflow.Snapshot
	_, err = l.nodes[1].Launch(groupKey("Lease", "no scopes"), &snap).Run(t.Context(), func(*restflow.Flight) *restflow.Entry {
		ran = true
		return nil
	})
	require.NoError(t, err)
	require.True(t, ran, "trouble means run")
}

// What a lease costs: nothing where something is stored, or where it is off, for
// which see TestRedisRoundTrips.
func TestLeaseRoundTrips(t *testing.T) {
	client := redistest.Start(t).Client()
	count := &trips{}
	client.AddHook(count)
	s := openLeasing(t, client, long)
	k := groupKey("Trips", "k", "1")
	put(t, s, groupKey("Trips", "other", "1"), "makes connections and epochs, and the script known")
	await(t, "its lease has been given back", func() bool { return len(keysOf(t, client, "l")) == 0 })

	_, _, names := count.during(func() {
		put(t, s, k, "here")
		await(t, "the lease has been given back", func() bool {
			count.mu.Lock()
			defer count.mu.Unlock()
			return count.names[len(count.names)-1] == "evalsha"
		})
	})
	require.Equal(t, []string{"mget", "set", "get", "mget", "set", "pexpire", "pexpire", "evalsha"}, names)
	commands, pipelines, names := count.during(func() { require.Equal(t, "here", lookup(t, s, k)) })
	require.EqualValues(t, 1, commands+pipelines)
	require.Equal(t, []string{"mget"}, names)
}

func TestLeaseConfig(t *testing.T) {
	_, err := restflow.NewRedis(miniClient(t), restflow.RedisConfig{Lease: -time.Second})
	require.EqualError(t, err, "restflow: RedisConfig.Lease: -1s is negative; leave it 0 for none, or give about what the slowest handler takes")
}
