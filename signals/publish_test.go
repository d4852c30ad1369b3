package signals_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/signals"
)

func created(ids ...int64) []signals.Change {
	var changes []signals.Change
	for _, id := range ids {
		changes = append(changes, signals.Change{Op: signals.Create, New: user(id)})
	}
	return changes
}

func TestOneDropPerTargetAndCommit(t *testing.T) {
	other := mapped("user.id", "Name")
	bus, target, _ := wire(t, mapped("pk", "ID"), mapped("pk", "ID"), other)
	second := newRecorder()
	require.NoError(t, bus.Bind(second, mapped("pk", "ID")))
	require.NoError(t, bus.Publish(context.Background(), created(1, 2, 1)...))
	require.Equal(t, []string{"pk=1 | user.id= | pk=2"}, target.take())
	require.Equal(t, []string{"pk=1 | pk=2"}, second.take())
}

// Many groups are told apart by a map, few by comparison; both must agree with the oracle.
func TestDuplicatesAreDroppedOnceWhateverTheNumber(t *testing.T) {
	for _, n := range []int64{1, 2, 8, 9, 10, 100, 1024} {
		bus, target, _ := wire(t, mapped("pk", "ID"))
		var ids []int64
		for i := range n {
			ids = append(ids, i, i/2)
		}
		require.NoError(t, bus.Publish(context.Background(), created(ids...)...))
		drops := target.take()
		require.Len(t, drops, 1)
		groups := strings.Split(drops[0], " | ")
		require.Len(t, groups, int(n))
		seen := map[string]bool{}
		for _, g := range groups {
			require.False(t, seen[g], g)
			seen[g] = true
		}
	}
}

func TestTooManyGroupsAreTheWholeCache(t *testing.T) {
	heard := &reports{}
	config := heard.config()
	config.MaxGroups = 3
	bus := signals.NewBus(config)
	target := newRecorder()
	require.NoError(t, bus.Bind(target, mapped("pk", "ID")))
	require.NoError(t, bus.Publish(context.Background(), created(1, 2, 3, 2, 1)...))
	require.Equal(t, []string{"pk=1 | pk=2 | pk=3"}, target.take())
	require.NoError(t, bus.Publish(context.Background(), created(1, 2, 3, 4)...))
	require.Equal(t, []string{"all"}, target.take())
	require.NoError(t, bus.Publish(context.Background(), created(5)...), "a plan keeps nothing for the next")
	require.Equal(t, []string{"pk=5"}, target.take())
}

// Keys whose fields cannot be compared are never taken for one another.
func TestKeysThatCannotBeCompared(t *testing.T) {
	type Key struct {
		M map[string]string
		S []string
		T time.Time
		F float64
		P *bool
		A [2]Address
	}
	target := &recorder{info: describe[Key]("T", "M:m*", "S:s*", "T:t*", "F:f*", "P:p*", "A:a*")}
	bus := signals.NewBus(signals.BusConfig{})
	require.NoError(t, bus.Bind(target, signals.On(func(*User) Key { return Key{} }, "m")))
	require.NoError(t, bus.Publish(context.Background(), created(1, 2)...))
	require.Equal(t, []string{"m=map[] | m=map[]"}, target.take())

	bus.Unbind(target)
	require.NoError(t, bus.Bind(target, signals.On(func(u *User) Key {
		k := Key{S: u.Tags, T: time.Unix(u.ID/2, 0), F: u.Score, P: &u.Active, A: [2]Address{{u.Name}, {u.Email}}}
		if u.Age > 0 {
			k.P = nil
		}
		return k
	}, "s", "t", "f", "p", "a")))
	same := func(change func(*User)) int {
		a, b := &User{Tags: []string{"x", "y"}}, &User{Tags: []string{"x", "y"}}
		change(b)
		require.NoError(t, bus.Publish(context.Background(), signals.Change{Op: signals.Create, New: a}, signals.Change{Op: signals.Create, New: b}))
		return len(target.sorted())
	}
	require.Equal(t, 1, same(func(*User) {}))
	require.Equal(t, 1, same(func(u *User) { u.ID = 1 }))
	for _, change := range []func(*User){
		func(u *User) { u.Tags = []string{"xy"} },
		func(u *User) { u.Tags = nil },
		func(u *User) { u.ID = 2 },
		func(u *User) { u.Score = 1 },
		func(u *User) { u.Active = true },
		func(u *User) { u.Age = 1 },
		func(u *User) { u.Name = "x" },
		func(u *User) { u.Email = "x" },
	} {
		require.Equal(t, 2, same(change))
	}
}

func TestSubscribe(t *testing.T) {
	bus, target, heard := wire(t, mapped("pk", "ID"))
	type key struct{}
	var got []string
	cancel := bus.Subscribe(func(ctx context.Context, changes []signals.Change) {
		require.NotEmpty(t, target.take(), "rules have run")
		require.Equal(t, "value", ctx.Value(key{}))
		for _, c := range changes {
			got = append(got, c.String())
		}
	})
	panics := bus.Subscribe(func(context.Context, []signals.Change) { panic("oh") })
	ctx := context.WithValue(context.Background(), key{}, "value")
	require.NoError(t, bus.Publish(ctx, append(created(1), signals.Change{Op: signals.Delete, New: &Team{}})...))
	require.Equal(t, []string{"create User", "delete Team"}, got)
	require.Equal(t, []string{"signals: subscribe: panic: oh"}, heard.take())
	cancel()
	cancel()
	panics()
	require.NoError(t, bus.Publish(ctx, created(1)...))
	require.Len(t, got, 2)
}

// The writer's context may be dead; the work has a deadline of its own.
func TestWorkOutlivesTheWritersContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus, target, _ := wire(t, mapped("pk", "ID"))
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		target.hook = func() { time.Sleep(time.Second) }
		require.NoError(t, bus.Publish(ctx, created(1)...))
		require.Equal(t, []string{"pk=1"}, target.take())
		deadline, ok := target.ctx.Deadline()
		require.True(t, ok)
		require.Equal(t, 4*time.Second, time.Until(deadline))
		require.ErrorIs(t, target.ctx.Err(), context.Canceled, "the work is over")
		<-target.ctx.Done()
	})
}

// waiting is a target that works until its context ends.
type waiting struct {
	*recorder
	ask func(context.Context) error
}

func (w *waiting) Drop(ctx context.Context, groups []signals.Group) error {
	_ = w.recorder.Drop(ctx, groups)
	return w.ask(ctx)
}

func TestTimeout(t *testing.T) {
	ways := map[string]func(context.Context) error{
		"done": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"err":  func(ctx context.Context) error { time.Sleep(5 * time.Second); return ctx.Err() },
		"child": func(ctx context.Context) error {
			c, cancel := context.WithCancel(ctx)
			defer cancel()
			<-c.Done()
			return c.Err()
		},
		"both": func(ctx context.Context) error {
			time.Sleep(6 * time.Second)
			_ = ctx.Err()
			<-ctx.Done()
			return ctx.Err()
		},
	}
	for name, ask := range ways {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				heard := &reports{}
				bus := signals.NewBus(heard.config())
				rule := mapped("pk", "ID")
				rule.OnError = signals.Return
				require.NoError(t, bus.Bind(&waiting{newRecorder(), ask}, rule))
				require.ErrorIs(t, bus.Publish(context.Background(), created(1)...), context.DeadlineExceeded)
				require.Equal(t, []string{"signals: User->UserDetail: drop: context deadline exceeded"}, heard.take())
			})
		})
	}
}

func TestNoTimeout(t *testing.T) {
	bus := signals.NewBus(signals.BusConfig{Timeout: -1})
	target := newRecorder()
	require.NoError(t, bus.Bind(target, mapped("pk", "ID")))
	require.NoError(t, bus.Publish(context.Background(), created(1)...))
	_, ok := target.ctx.Deadline()
	require.False(t, ok)
	require.NoError(t, target.ctx.Err())
}

func TestFailedDrops(t *testing.T) {
	down := errors.New("redis is down")
	returning := mapped("pk", "ID")
	returning.OnError = signals.Return
	for name, c := range map[string]struct {
		rules []signals.Rule
		hook  func()
		want  string
		fails bool
	}{
		"reported":                {[]signals.Rule{mapped("pk", "ID")}, nil, "signals: User->UserDetail: drop: redis is down", false},
		"returned":                {[]signals.Rule{returning}, nil, "signals: User->UserDetail: drop: redis is down", true},
		"returned if one says so": {[]signals.Rule{mapped("pk", "ID"), returning}, nil, "signals: User->UserDetail, User->UserDetail#2: drop: redis is down", true},
		"panic":                   {[]signals.Rule{returning}, func() { panic("oh") }, "signals: User->UserDetail: drop: panic: oh", true},
	} {
		t.Run(name, func(t *testing.T) {
			bus, target, heard := wire(t, c.rules...)
			target.fail, target.hook = down, c.hook
			err := bus.Publish(context.Background(), created(1)...)
			require.Equal(t, []string{c.want}, heard.take())
			require.Contains(t, heard.log.String(), "signals: drop failed")
			if !c.fails {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, c.want)
		})
	}
}

func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events []signals.Event
		bus := signals.NewBus(signals.BusConfig{
			Logger:  slog.New(slog.DiscardHandler),
			OnEvent: func(_ context.Context, e signals.Event) { events = append(events, e) },
		})
		w := newWarmer()
		w.hook = func() { time.Sleep(time.Second) }
		rule := complete()
		require.NoError(t, bus.Bind(w, rule))
		ctx := context.Background()
		require.NoError(t, bus.Publish(ctx, full(1)))
		require.NoError(t, bus.Publish(ctx, signals.Change{Op: signals.Update, Model: typeOf[User](), Bulk: true}))
		w.fail = errors.New("down")
		require.NoError(t, bus.Publish(ctx, full(2)))
		failed := &signals.WorkError{Stage: signals.StageDrop, Rule: "User->UserDetail", Target: "UserDetail", Err: w.fail}
		require.Equal(t, []signals.Event{
			{Target: "UserDetail", Rules: []string{"User->UserDetail"}, Groups: 1, Rewarmed: 1, Duration: time.Second},
			{Target: "UserDetail", Rules: []string{"User->UserDetail"}, Groups: 1, All: true, Duration: time.Second},
			{Target: "UserDetail", Rules: []string{"User->UserDetail"}, Groups: 1, Duration: time.Second, Err: failed},
		}, events)
	})
}

// A hook that panics breaks nothing, and the log says so.
func TestHooksThatPanic(t *testing.T) {
	heard := &reports{}
	config := heard.config()
	config.OnError = func(context.Context, error) { panic("on error") }
	config.OnEvent = func(context.Context, signals.Event) { panic("on event") }
	bus := signals.NewBus(config)
	target := newRecorder()
	target.fail = errors.New("down")
	require.NoError(t, bus.Bind(target, mapped("pk", "ID")))
	require.NoError(t, bus.Publish(context.Background(), created(1)...))
	require.Contains(t, heard.log.String(), `msg="signals: hook failed" hook=OnError error="panic: on error"`)
	require.Contains(t, heard.log.String(), `msg="signals: hook failed" hook=OnEvent error="panic: on event"`)
}

func TestDefaultLogger(t *testing.T) {
	heard := &reports{}
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	slog.SetDefault(slog.New(slog.NewTextHandler(heard, nil)))
	bus := signals.NewBus(signals.BusConfig{OnEvent: func(context.Context, signals.Event) { panic("oh") }})
	target := newRecorder()
	target.fail = errors.New("down")
	require.NoError(t, bus.Bind(target, mapped("pk", "ID")))
	require.NoError(t, bus.Publish(context.Background(), created(1)...))
	require.Contains(t, heard.log.String(), "error=down")
	require.Contains(t, heard.log.String(), "hook=OnEvent")
}

// Everything at once, for the race detector.
func TestConcurrentUse(t *testing.T) {
	bus, target, _ := wire(t, mapped("pk", "ID"))
	pool := signals.NewPool(signals.PoolConfig{Queue: 2})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 50 {
				require.NoError(t, bus.Publish(context.Background(), created(int64(i*1000+j))...))
			}
		})
		wg.Go(func() {
			rule := mapped("team", "ID")
			rule.Dispatcher = pool
			other := newRecorder()
			require.NoError(t, bus.Bind(other, rule))
			cancel := bus.Subscribe(func(context.Context, []signals.Change) { _ = bus.Rules().String() })
			ctx, tx := signals.Begin(context.Background(), bus)
			require.NoError(t, signals.Publish(ctx, bus, created(int64(i))...))
			require.NoError(t, tx.Commit(ctx))
			bus.Wants(typeOf[User]())
			cancel()
			bus.Unbind(other)
		})
	}
	wg.Wait()
	require.NoError(t, bus.Close(context.Background()))
	require.Len(t, target.take(), 8*50+8)
}
