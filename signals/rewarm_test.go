package signals_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/signals"
)

// complete is a rule that fills every key field and rewarms.
func complete() signals.Rule {
	return signals.Rule{Model: User{}, Rewarm: true, Map: fields{"pk": "ID", "team": "TeamID", "user.id": "Name", "page": "Age"}}
}

func full(id int64) signals.Change {
	u := team(id, 2)
	u.Name, u.Age = "n", 3
	return signals.Change{Op: signals.Create, New: u}
}

func TestRewarm(t *testing.T) {
	typed := signals.On(func(u *User) UserKey { return UserKey{PK: u.ID} }, "pk")
	typed.Rewarm = true
	whole := complete()
	whole.Map, whole.All = complete().Map, true
	moved := full(1)
	moved.Op, moved.Old = signals.Update, team(1, 5)
	gone := full(1)
	gone.Op = signals.Delete
	partial := full(1)
	partial.New.(*User).TeamID = nil
	for name, c := range map[string]struct {
		rule    signals.Rule
		changes []signals.Change
		drops   []string
		warm    []string
	}{
		"create":             {complete(), []signals.Change{full(1)}, []string{"pk=1 team=2 user.id=n"}, []string{"{PK:1 Team:2 User:n Page:3}"}},
		"each instance once": {complete(), []signals.Change{full(1), full(2), full(1)}, []string{"pk=1 team=2 user.id=n | pk=2 team=2 user.id=n"}, []string{"{PK:1 Team:2 User:n Page:3}", "{PK:2 Team:2 User:n Page:3}"}},
		"only the new value": {complete(), []signals.Change{moved}, []string{"pk=1 team=2 user.id=n | pk=1 team=5 user.id="}, []string{"{PK:1 Team:2 User:n Page:3}"}},
		"not a deleted one":  {complete(), []signals.Change{gone}, []string{"pk=1 team=2 user.id=n"}, nil},
		"not a partial key":  {complete(), []signals.Change{partial}, []string{"pk=1 user.id=n"}, nil},
		"typed":              {typed, []signals.Change{full(1)}, []string{"pk=1"}, []string{"{PK:1 Team:0 User: Page:0}"}},
		"the whole cache":    {whole, []signals.Change{full(1), full(2)}, []string{"all"}, []string{"{PK:1 Team:2 User:n Page:3}", "{PK:2 Team:2 User:n Page:3}"}},
		"not in bulk":        {complete(), []signals.Change{{Op: signals.Update, Model: typeOf[User](), Bulk: true}}, []string{"all"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWarmer()
			bus := signals.NewBus(signals.BusConfig{})
			require.NoError(t, bus.Bind(w, c.rule))
			require.NoError(t, bus.Publish(context.Background(), c.changes...))
			require.Equal(t, c.drops, w.take())
			require.Equal(t, c.warm, w.rewarmed)
		})
	}
}

// A function without arguments has one entry, and its key has no fields.
func TestRewarmWithoutKeyFields(t *testing.T) {
	type Key struct{}
	w := &warmer{recorder: &recorder{info: describe[Key]("Totals")}}
	w.info.Rewarm = true
	bus := signals.NewBus(signals.BusConfig{})
	require.NoError(t, bus.Bind(w, signals.Rule{Model: User{}, All: true, Rewarm: true}))
	require.NoError(t, bus.Publish(context.Background(), created(1, 2)...))
	require.Equal(t, []string{"all"}, w.take())
	require.Equal(t, []string{"{}"}, w.rewarmed)
}

func TestRewarmIsBounded(t *testing.T) {
	w := newWarmer()
	bus := signals.NewBus(signals.BusConfig{MaxGroups: 2})
	require.NoError(t, bus.Bind(w, complete()))
	require.NoError(t, bus.Publish(context.Background(), full(1), full(2), full(3)))
	require.Equal(t, []string{"all"}, w.take())
	require.Empty(t, w.rewarmed)
}

// A failed rewarm leaves the plain invalidation, a failed drop has nothing to rewarm.
func TestFailedRewarms(t *testing.T) {
	heard := &reports{}
	w := newWarmer()
	w.warmFail = errors.New("no rows")
	bus := signals.NewBus(heard.config())
	rule := complete()
	rule.OnError = signals.Return
	require.NoError(t, bus.Bind(w, rule))
	require.NoError(t, bus.Publish(context.Background(), full(1)))
	require.Equal(t, []string{"signals: User->UserDetail: rewarm: no rows"}, heard.take())
	require.Len(t, w.rewarmed, 1)

	w.fail = errors.New("down")
	require.EqualError(t, bus.Publish(context.Background(), full(1)), "signals: User->UserDetail: drop: down")
	require.Equal(t, []string{"signals: User->UserDetail: drop: down"}, heard.take())
	require.Len(t, w.rewarmed, 1)

	panicking := &panickyWarmer{newRecorder()}
	panicking.info.Rewarm, panicking.info.Name = true, "Panicky"
	require.NoError(t, bus.Bind(panicking, complete()))
	w.fail = nil
	require.NoError(t, bus.Publish(context.Background(), full(1)))
	require.Contains(t, heard.take(), "signals: User->Panicky: rewarm: panic: oh")
}

type panickyWarmer struct{ *recorder }

func (*panickyWarmer) Rewarm(context.Context, []any) error { panic("oh") }
