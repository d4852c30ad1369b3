package restflow_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
)

// turnstile is a function that waits to be let through, run by run.
type turnstile struct {
	runs  atomic.Int32
	enter chan int                     // tells that run n has begun
	leave chan func() (int, error)     // ends any run
	own   [20]chan func() (int, error) // ends the run of that number
}

func newTurnstile() *turnstile {
	g := &turnstile{enter: make(chan int, 100), leave: make(chan func() (int, error))}
	for n := range g.own {
		g.own[n] = make(chan func() (int, error))
	}
	return g
}

func (g *turnstile) pass(ctx context.Context, _ int) (int, error) {
	n := int(g.runs.Add(1))
	g.enter <- n
	select {
	case f := <-g.leave:
		return f()
	case f := <-g.own[n]:
		return f()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func turning(t *testing.T, s *restflow.Store) (*restflow.Func[int, int], *turnstile, *events) {
	t.Helper()
	g, ev := newTurnstile(), &events{}
	f, err := restflow.NewFunc(restflow.FuncConfig[int]{Store: s, Name: "gate", OnEvent: ev.on}, g.pass)
	require.NoError(t, err)
	return f, g, ev
}

func is(n int) func() (int, error) { return func() (int, error) { return n, nil } }

// callers starts n calls and returns where their outcomes arrive.
func callers(n int, call func() (int, error)) <-chan string {
	out := make(chan string, n)
	for range n {
		go func() {
			defer func() {
				if p := recover(); p != nil {
					out <- fmt.Sprint("panic: ", p)
				}
			}()
			v, err := call()
			out <- fmt.Sprint(v, " ", err)
		}()
	}
	return out
}

// inBubble runs a test in a synctest bubble, with a store that lives in it.
func inBubble(t *testing.T, test func(t *testing.T, s *restflow.Store)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s, err := restflow.NewMemory(restflow.MemoryConfig{})
		require.NoError(t, err)
		defer func() { require.NoError(t, s.Close()) }()
		test(t, s)
	})
}

func TestConcurrentCallsRunOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, s *restflow.Store) {
		f, g, ev := turning(t, s)
		out := callers(10, func() (int, error) { return f.Call(t.Context(), 1) })
		synctest.Wait()
		g.leave <- is(5)
		for range 10 {
			require.Equal(t, "5 <nil>", <-out)
		}
		require.EqualValues(t, 1, g.runs.Load())
		shared := 0
		for _, line := range ev.take() {
			if line == "MISS shared" {
				shared++
			}
		}
		require.Equal(t, 9, shared)
	})
}

func TestWaitersOfAFailedRunRunThemselves(t *testing.T) {
	inBubble(t, func(t *testing.T, s *restflow.Store) {
		f, g, ev := turning(t, s)
		out := callers(3, func() (int, error) { return f.Call(t.Context(), 1) })
		synctest.Wait()
		g.leave <- func() (int, error) { return 0, errors.New("boom") }
		require.Equal(t, "0 boom", <-out)
		synctest.Wait()
		require.EqualValues(t, 3, g.runs.Load(), "both run, at once")
		g.leave <- is(6)
		g.leave <- is(6)
		require.Equal(t, "6 <nil>", <-out)
		require.Equal(t, "6 <nil>", <-out)
		const alone = "MISS because the result that it waited for was not stored"
		require.ElementsMatch(t, []string{"MISS because the function returned an error: boom", alone, alone}, ev.take())
	})
}

func TestWaitersOfAPanickedRunRunThemselves(t *testing.T) {
	inBubble(t, func(t *testing.T, s *restflow.Store) {
		f, g, _ := turning(t, s)
		out := callers(2, func() (int, error) { return f.Call(t.Context(), 1) })
		synctest.Wait()
		g.leave <- func() (int, error) { panic("ouch") }
		require.Equal(t, "panic: ouch", <-out)
		g.leave <- is(6)
		require.Equal(t, "6 <nil>", <-out)
	})
}

// Where the last result was refused nobody waits for the next one, for a while.
func TestNobodyWaitsForWhatIsRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, s *restflow.Store) {
		g := newTurnstile()
		f, err := restflow.NewFunc(restflow.FuncConfig[int]{
			Store: s, Name: "refused",
			CacheIf: func(_ context.Context, n int) (bool, error) { return n > 0, nil },
		}, g.pass)
		require.NoError(t, err)
		wave := func(runs int32) <-chan string {
			t.Helper()
			before := g.runs.Load()
			out := callers(3, func() (int, error) { return f.Call(t.Context(), 1) })
			synctest.Wait()
			require.Equal(t, runs, g.runs.Load()-before)
			return out
		}
		end := func(out <-chan string, runs, with int) {
			t.Helper()
			for range runs {
				g.leave <- is(with)
			}
			for range 3 {
				require.Equal(t, fmt.Sprint(with, " <nil>"), <-out)
			}
		}
		end(wave(1), 3, 0) // one runs and two wait, in vain
		end(wave(3), 3, 0) // none waits
		time.Sleep(2 * time.Second)
		end(wave(1), 3, 0) // forgotten
		end(wave(3), 3, 5) // a result that is stored
		require.NoError(t, f.Delete(t.Context(), 1))
		end(wave(1), 1, 5) // ends it
	})
}

// When the leader's caller gives up, one of those who wait takes over, and the
// others go on to wait: none of them is let down and they do not run all at once.
func TestALeaderThatGivesUpIsRelieved(t *testing.T) {
	inBubble(t, func(t *testing.T, s *restflow.Store) {
		f, g, ev := turning(t, s)
		impatient, cancel := context.WithCancel(t.Context())
		first := callers(1, func() (int, error) { return f.Call(impatient, 1) })
		require.Equal(t, 1, <-g.enter)
		out := callers(5, func() (int, error) { return f.Call(t.Context(), 1) })
		synctest.Wait()
		cancel()
		require.Equal(t, "0 context canceled", <-first)
		synctest.Wait()
		require.EqualValues(t, 2, g.runs.Load())
		g.leave <- is(7)
		for range 5 {
			require.Equal(t, "7 <nil>", <-out)
		}
		require.EqualValues(t, 2, g.runs.Load())
		require.Equal(t, "MISS because the function returned an error: context canceled", ev.take()[0])
	})
}

// What a function returns after its context has ended may be half of the truth.
func TestResultsOfAnEndedCallAreNotStored(t *testing.T) {
	f, a, ev := newAdder(t, memoryFor(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	v, err := f.Call(ctx, sum{A: 1})
	require.NoError(t, err)
	require.Equal(t, 1, v.N)
	_, err = f.Call(t.Context(), sum{A: 1})
	require.NoError(t, err)
	require.Equal(t, 2, a.count())
	require.Equal(t, []string{"MISS because the call ended first: context canceled", "MISS stored"}, ev.take())
}

func TestWaitersKeepTheirDeadline(t *testing.T) {
	inBubble(t, func(t *testing.T, s *restflow.Store) {
		f, g, ev := turning(t, s)
		first := callers(1, func() (int, error) { return f.Call(t.Context(), 1) })
		require.Equal(t, 1, <-g.enter)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, m, err := f.CallWithMetadata(ctx, 1)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, restflow.Metadata{Status: restflow.Miss}, m)
		require.Equal(t, time.Second, time.Since(began))
		require.Equal(t, []string{"MISS because the call ended while it waited: context deadline exceeded"}, ev.take())
		g.leave <- is(1)
		require.Equal(t, "1 <nil>", <-first)
	})
}

// T1 and T2: a run that began before an invalidation stores nothing that answers
// after it, and who comes after it joins no such run. Whichever ends first.
func TestALateResultDoesNotOutliveAnInvalidation(t *testing.T) {
	for _, first := range []int{1, 2} {
		inBubble(t, func(t *testing.T, s *restflow.Store) {
			f, g, _ := turning(t, s)
			early := callers(1, func() (int, error) { return f.Call(t.Context(), 1) })
			require.Equal(t, 1, <-g.enter)
			require.NoError(t, f.InvalidateAll(t.Context()))
			late := callers(1, func() (int, error) { return f.Call(t.Context(), 1) })
			require.Equal(t, 2, <-g.enter)

			g.own[first] <- is(first)
			synctest.Wait()
			g.own[3-first] <- is(3 - first)
			require.Equal(t, "1 <nil>", <-early)
			require.Equal(t, "2 <nil>", <-late)
			v, _, err := f.Peek(t.Context(), 1)
			if first == 1 {
				require.NoError(t, err)
			}
			if err == nil { // the early run may have put its dead entry over the other
				require.Equal(t, 2, v)
			} else {
				require.ErrorIs(t, err, restflow.ErrMiss)
			}
		})
	}
}

func TestDeleteKeepsARunUnderWayFromBeingStored(t *testing.T) {
	inBubble(t, func(t *testing.T, s *restflow.Store) {
		f, g, ev := turning(t, s)
		out := callers(1, func() (int, error) { return f.Call(t.Context(), 1) })
		require.Equal(t, 1, <-g.enter)
		require.NoError(t, f.Delete(t.Context(), 1))
		g.leave <- is(1)
		require.Equal(t, "1 <nil>", <-out)
		_, err := f.Metadata(t.Context(), 1)
		require.ErrorIs(t, err, restflow.ErrMiss)
		require.Equal(t, []string{"MISS because the entry was deleted meanwhile"}, ev.take())
	})
}

func TestRefreshJoinsNoRun(t *testing.T) {
	inBubble(t, func(t *testing.T, s *restflow.Store) {
		f, g, _ := turning(t, s)
		older := callers(1, func() (int, error) { return f.Call(t.Context(), 1) })
		require.Equal(t, 1, <-g.enter)
		fresh := callers(1, func() (int, error) {
			v, _, err := f.Refresh(t.Context(), 1)
			return v, err
		})
		require.Equal(t, 2, <-g.enter)
		g.leave <- is(3)
		g.leave <- is(3)
		require.Equal(t, "3 <nil>", <-older)
		require.Equal(t, "3 <nil>", <-fresh)
	})
}

func TestResultsExpire(t *testing.T) {
	inBubble(t, func(t *testing.T, s *restflow.Store) {
		f, err := restflow.NewFunc(restflow.FuncConfig[int]{Store: s, TTL: time.Minute}, double)
		require.NoError(t, err)
		at := func(d time.Duration, want restflow.Status) restflow.Metadata {
			t.Helper()
			time.Sleep(d)
			_, m, err := f.CallWithMetadata(t.Context(), 1)
			require.NoError(t, err)
			require.Equal(t, want, m.Status)
			return m
		}
		made := at(0, restflow.Miss)
		require.Equal(t, time.Now().Add(time.Minute), made.ResetAt)
		require.Equal(t, time.Minute-1, at(time.Minute-1, restflow.Hit).Age())
		_, err = f.Metadata(t.Context(), 1)
		require.NoError(t, err)
		time.Sleep(time.Nanosecond)
		_, err = f.Metadata(t.Context(), 1)
		require.ErrorIs(t, err, restflow.ErrMiss)
		at(0, restflow.Miss)
	})
}

func TestResultsWithoutExpiration(t *testing.T) {
	inBubble(t, func(t *testing.T, s *restflow.Store) {
		f, err := restflow.NewFunc(restflow.FuncConfig[int]{Store: s, NoExpiration: true}, double)
		require.NoError(t, err)
		_, err = f.Call(t.Context(), 1)
		require.NoError(t, err)
		time.Sleep(2 * time.Hour) // the store's own clock ticks every second
		_, m, err := f.CallWithMetadata(t.Context(), 1)
		require.NoError(t, err)
		require.Equal(t, restflow.Hit, m.Status)
		require.Zero(t, m.ResetAt)
	})
}

// Callers, refreshers and invalidators at once: no caller gets a version older
// than the last one that an invalidation which had returned made invalid.
func TestFuncHammer(t *testing.T) {
	onStores(t, func(t *testing.T, s *restflow.Store) {
		var version, floor atomic.Int64
		f, err := restflow.NewFunc(restflow.FuncConfig[int64]{Store: s, Name: "version", StoreTimeout: 10 * time.Second},
			func(context.Context, sum) (int64, error) { return version.Load(), nil })
		require.NoError(t, err)
		deadline := time.Now().Add(300 * time.Millisecond)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for time.Now().Before(deadline) {
					least := floor.Load()
					v, err := f.Call(t.Context(), sum{A: i % 2})
					if err != nil || v < least {
						t.Errorf("got version %d, %v; an invalidation that had returned demands %d", v, err, least)
						return
					}
				}
			})
		}
		wg.Go(func() {
			for time.Now().Before(deadline) {
				if _, _, err := f.Refresh(t.Context(), sum{A: 1}); err != nil {
					t.Error(err)
				}
				_ = f.Delete(t.Context(), sum{A: 1})
			}
		})
		wg.Go(func() {
			for time.Now().Before(deadline) {
				v := version.Add(1)
				if err := f.InvalidateAll(t.Context()); err != nil {
					t.Error(err)
				}
				floor.Store(v)
			}
		})
		wg.Wait()
		require.Positive(t, version.Load())
	})
}
