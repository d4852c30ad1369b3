package restflow_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
)

// snapshot loads k and returns what was read.
func snapshot(t testing.TB, s *restflow.Store, k *restflow.Key) *restflow.Snapshot {
	t.Helper()
	var snap restflow.Snapshot
	require.NoError(t, s.Load(context.Background(), k, &snap))
	return &snap
}

// lead starts a fill of k that runs run, and returns its flight once it has begun
// and a function that waits for its end.
func lead(t testing.TB, s *restflow.Store, k *restflow.Key, run restflow.Run) (f *restflow.Flight, wait func()) {
	t.Helper()
	snap, began := snapshot(t, s, k), make(chan *restflow.Flight, 1)
	var wg sync.WaitGroup
	wg.Go(func() {
		_, led, err := s.Fill(context.Background(), k, snap, func(f *restflow.Flight) *restflow.Entry {
			began <- f
			return run(f)
		})
		if !led || err != nil {
			t.Errorf("a leader: led %t, %v", led, err)
		}
	})
	return <-began, wg.Wait
}

// One of those who wait for a leader that gave up leads in its place, and the
// others get what that one makes.
func TestAbandonedFlightIsRelayed(t *testing.T) {
	s := openMemory(t)
	k := groupKey("Relay", "k", "1")
	const waiters = 10
	giveUp := make(chan struct{})
	first, wait := lead(t, s, k, func(f *restflow.Flight) *restflow.Entry {
		<-giveUp
		f.Abandon()
		return nil
	})
	var runs, shared atomic.Int32
	var wg sync.WaitGroup
	for range waiters {
		snap := snapshot(t, s, k)
		wg.Go(func() {
			e, led, err := s.Fill(context.Background(), k, snap, func(f *restflow.Flight) *restflow.Entry {
				runs.Add(1)
				for end := time.Now().Add(30 * time.Second); f.Waiters() < waiters-1 && time.Now().Before(end); {
					time.Sleep(time.Millisecond) // until the others wait again
				}
				return entryOf("by a waiter")
			})
			if err != nil || e == nil || string(e.Body) != "by a waiter" {
				t.Errorf("a waiter: %v, %v", e, err)
			}
			if !led {
				shared.Add(1)
			}
		})
	}
	await(t, "all wait", func() bool { return first.Waiters() == waiters })
	close(giveUp)
	wait()
	wg.Wait()
	require.EqualValues(t, 1, runs.Load())
	require.EqualValues(t, waiters-1, shared.Load())
}

// Waiters that came after the invalidation of a tag do not get what was made
// before it, though tags are not among what a flight goes by.
func TestWaiterAfterTagInvalidation(t *testing.T) {
	s := openMemory(t)
	ctx := context.Background()
	k := groupKey("Tags", "waiter", "1")
	scopes := []restflow.Scope{restflow.AnyTag, restflow.TagScope("t")}
	epochs := make([]restflow.Epoch, 2)
	read, land := make(chan struct{}), make(chan struct{})
	f, wait := lead(t, s, k, func(*restflow.Flight) *restflow.Entry {
		if err := s.Epochs(ctx, scopes, epochs, true); err != nil {
			t.Error(err)
		}
		close(read)
		<-land
		e := entryOf("old")
		e.Tags = []restflow.Tag{{Scope: scopes[0], Epoch: epochs[0]}, {Scope: scopes[1], Epoch: epochs[1]}}
		return e
	})
	<-read
	require.NoError(t, s.InvalidateTags(ctx, "t"))
	snap := snapshot(t, s, k)
	var wg sync.WaitGroup
	wg.Go(func() {
		e, led, err := s.Fill(ctx, k, snap, func(*restflow.Flight) *restflow.Entry { return entryOf("new") })
		if e != nil || led || err != nil {
			t.Errorf("a waiter: %v, led %t, %v; want nothing, so that it runs itself", e, led, err)
		}
	})
	await(t, "it waits", func() bool { return f.Waiters() == 1 })
	close(land)
	wg.Wait()
	wait()
	require.Empty(t, lookup(t, s, k))
}

// FillAlone runs beside others and is joined by nobody, but Delete reaches it.
func TestFillAlone(t *testing.T) {
	s := openMemory(t)
	ctx := context.Background()
	k := groupKey("Alone", "k", "1")
	var outer atomic.Pointer[restflow.Flight]
	e, err := s.FillAlone(ctx, k, snapshot(t, s, k), func(f *restflow.Flight) *restflow.Entry {
		outer.Store(f)
		put(t, s, k, "by another run meanwhile")
		return entryOf("alone")
	})
	require.NoError(t, err)
	require.NotNil(t, e)
	require.Zero(t, outer.Load().Waiters())
	require.Equal(t, "alone", lookup(t, s, k))

	require.NoError(t, s.Delete(ctx, k))
	e, err = s.FillAlone(ctx, k, snapshot(t, s, k), func(*restflow.Flight) *restflow.Entry {
		require.NoError(t, s.Delete(ctx, k))
		return entryOf("deleted meanwhile")
	})
	require.NoError(t, err)
	require.Nil(t, e)
	require.Empty(t, lookup(t, s, k))
}

func TestLaunch(t *testing.T) {
	s := openMemory(t)
	ctx := context.Background()
	k := groupKey("Launch", "k", "1")
	put(t, s, k, "old")

	l := s.Launch(k, snapshot(t, s, k))
	require.NotNil(t, l)
	require.Nil(t, s.Launch(k, snapshot(t, s, k)), "one at a time")
	before := *k
	k.Bytes = []byte("changed by its owner")
	e, err := l.Run(ctx, func(*restflow.Flight) *restflow.Entry { return entryOf("new") })
	require.NoError(t, err)
	require.Equal(t, "new", string(e.Body))
	require.Equal(t, "new", lookup(t, s, &before))

	l = s.Launch(&before, snapshot(t, s, &before))
	require.NotNil(t, l, "the one before has ended")
	l.Cancel()
	require.NotNil(t, s.Launch(&before, snapshot(t, s, &before)))
}

func TestLaunchTurnsPanicsIntoErrors(t *testing.T) {
	s := openMemory(t)
	k := groupKey("Launch", "panics", "1")
	e, err := s.Launch(k, snapshot(t, s, k)).Run(context.Background(), func(*restflow.Flight) *restflow.Entry { panic("boom") })
	require.Nil(t, e)
	first, stack, _ := strings.Cut(err.Error(), "\n")
	require.Equal(t, "restflow: panic in a background fill: boom", first)
	require.Contains(t, stack, "TestLaunchTurnsPanicsIntoErrors")
}

// Without epochs there is nothing to launch under: only an entry that was alive
// is refreshed in the background.
func TestLaunchNeedsEpochs(t *testing.T) {
	s := openRedis(t, miniClient(t))
	k := groupKey("Launch", "k", "1")
	require.Nil(t, s.Launch(k, snapshot(t, s, k)))
	put(t, s, k, "here")
	require.NotNil(t, s.Launch(k, snapshot(t, s, k)))
}

func TestLaunchesAreBounded(t *testing.T) {
	s := openMemory(t)
	var all []*restflow.Launch
	for i := range 1024 {
		k := groupKey("Launch", string(rune('a'+i)))
		l := s.Launch(k, snapshot(t, s, k))
		require.NotNil(t, l)
		all = append(all, l)
	}
	k := groupKey("Launch", "one more")
	require.Nil(t, s.Launch(k, snapshot(t, s, k)))
	all[0].Cancel()
	require.NotNil(t, s.Launch(k, snapshot(t, s, k)))
}

// Who waits for a launch that is given up runs for itself.
func TestWaitersOfACancelledLaunch(t *testing.T) {
	s := openMemory(t)
	k := groupKey("Launch", "k", "1")
	snap := snapshot(t, s, k)
	l := s.Launch(k, snap)
	done := make(chan struct{})
	go func() {
		defer close(done)
		e, led, err := s.Fill(context.Background(), k, snap, func(*restflow.Flight) *restflow.Entry { return entryOf("x") })
		if e != nil || led || err != nil {
			t.Errorf("a waiter: %v, led %t, %v", e, led, err)
		}
	}()
	await(t, "it waits", func() bool { return s.Waiting(k) == 1 })
	l.Cancel()
	<-done
}

// Those who wait for a run that a refresh has outdated, or Delete has forbidden to
// store, do not all run at once.
func TestForgottenFlightIsRelayed(t *testing.T) {
	for name, c := range map[string]struct {
		forget func(s *restflow.Store, k *restflow.Key) error
		runs   int32
		want   string
	}{
		"refresh": {runs: 0, want: "refreshed", forget: func(s *restflow.Store, k *restflow.Key) error {
			_, err := s.Replace(t.Context(), k, snapshot(t, s, k), func(*restflow.Flight) *restflow.Entry { return entryOf("refreshed") })
			return err
		}},
		"delete": {runs: 1, want: "again", forget: func(s *restflow.Store, k *restflow.Key) error { return s.Delete(t.Context(), k) }},
	} {
		t.Run(name, func(t *testing.T) {
			s := openMemory(t)
			k := groupKey("Relay", "k", "1")
			end := make(chan struct{})
			first, wait := lead(t, s, k, func(*restflow.Flight) *restflow.Entry {
				<-end
				return entryOf("old")
			})
			const waiters = 10
			var runs atomic.Int32
			var wg sync.WaitGroup
			for range waiters {
				snap := snapshot(t, s, k)
				wg.Go(func() {
					e, _, err := s.Fill(context.Background(), k, snap, func(*restflow.Flight) *restflow.Entry {
						runs.Add(1)
						return entryOf("again")
					})
					if err != nil || e == nil || string(e.Body) != c.want {
						t.Errorf("%v, %v", e, err)
					}
				})
			}
			await(t, "all wait", func() bool { return first.Waiters() == waiters })
			require.NoError(t, c.forget(s, k))
			close(end)
			wait()
			wg.Wait()
			require.Equal(t, c.runs, runs.Load())
		})
	}
}
