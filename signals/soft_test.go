package signals_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/signals"
)

func softened(r signals.Rule, d time.Duration) signals.Rule {
	r.Soft = d
	return r
}

func softGroups(groups ...signals.Group) signals.Rule {
	return signals.Rule{Model: User{}, Invalidate: func(context.Context, signals.Change) ([]signals.Group, error) { return groups, nil }}
}

func TestSoft(t *testing.T) {
	second := softened(mapped("pk", "ID"), time.Second)
	on := softened(signals.On(keyOf, "pk"), time.Second)
	pk := signals.Group{Names: []string{"pk"}, Key: &UserKey{PK: 1}}
	minute := pk
	minute.Soft = time.Minute
	created := signals.Change{Op: signals.Create, New: user(1)}
	run(t, []firing{
		{"mapped", second, created, []string{"pk=1 softly for 1s"}},
		{"both moments", second, signals.Change{Op: signals.Update, New: user(1), Old: user(2)}, []string{"pk=1 softly for 1s | pk=2 softly for 1s"}},
		{"unknown groups are the whole cache", second, signals.Change{Op: signals.Update, Model: typeOf[User](), Bulk: true}, []string{"all softly for 1s"}},
		{"all", softened(signals.Rule{Model: User{}, All: true}, time.Second), created, []string{"all softly for 1s"}},
		{"typed", on, signals.Change{Op: signals.Create, New: team(1, 2)}, []string{"pk=1 softly for 1s"}},
		{"typed, a part of the instance", on, signals.Change{Op: signals.Create, New: team(1, 2), NewFields: []string{"ID"}}, []string{"all softly for 1s"}},
		{"a group has its own", softened(softGroups(minute), time.Second), created, []string{"pk=1 softly for 1m0s"}},
		{"or the rule's", softened(softGroups(pk), time.Second), created, []string{"pk=1 softly for 1s"}},
	})
}

// What several rules say of one group: the smaller window counts, and none is the smallest.
func TestSoftGroupsMerge(t *testing.T) {
	other := func(pk int64) signals.Group { return signals.Group{Names: []string{"pk"}, Key: &UserKey{PK: pk}} }
	for _, c := range []struct {
		name  string
		rules []signals.Rule
		want  string
	}{
		{"the smaller", []signals.Rule{softened(mapped("pk", "ID"), time.Minute), softened(mapped("pk", "ID"), time.Second)}, "pk=1 softly for 1s"},
		{"hard wins", []signals.Rule{softened(mapped("pk", "ID"), time.Second), mapped("pk", "ID")}, "pk=1"},
		{"whichever comes first", []signals.Rule{mapped("pk", "ID"), softened(mapped("pk", "ID"), time.Second)}, "pk=1"},
		{"a hard whole cache covers all", []signals.Rule{softened(mapped("pk", "ID"), time.Second), {Model: User{}, All: true}}, "all"},
		{"a soft one covers what is not harder", []signals.Rule{
			softened(signals.Rule{Model: User{}, All: true}, time.Second), softened(mapped("pk", "ID"), time.Second), softGroups(other(2)),
		}, "pk=2 | all softly for 1s"},
		{"the smaller for the whole cache", []signals.Rule{
			softened(signals.Rule{Model: User{}, All: true}, time.Minute), softened(signals.Rule{Model: User{}, All: true}, time.Second),
		}, "all softly for 1s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			target, bus := newRecorder(), signals.NewBus(signals.BusConfig{})
			require.NoError(t, bus.Bind(target, c.rules...))
			require.NoError(t, bus.Publish(t.Context(), signals.Change{Op: signals.Create, New: user(1)}))
			require.Equal(t, []string{c.want}, target.take())
		})
	}
}

// Many groups are told apart by another index than few; each keeps its smallest window.
func TestManySoftGroupsMerge(t *testing.T) {
	target, bus := newRecorder(), signals.NewBus(signals.BusConfig{MaxGroups: 40})
	require.NoError(t, bus.Bind(target, softened(mapped("pk", "ID"), time.Minute)))
	var want []string
	var changes []signals.Change
	for i := range 30 {
		changes = append(changes, signals.Change{Op: signals.Create, New: user(int64(i))})
		want = append(want, fmt.Sprintf("pk=%d softly for 1m0s", i))
	}
	require.NoError(t, bus.Publish(t.Context(), changes...))
	require.ElementsMatch(t, want, target.sorted())

	require.NoError(t, bus.Bind(target, softened(mapped("pk", "ID"), time.Second)))
	for i := range want {
		want[i] = fmt.Sprintf("pk=%d softly for 1s", i)
	}
	require.NoError(t, bus.Publish(t.Context(), changes...))
	require.ElementsMatch(t, want, target.sorted())

	for i := range 20 {
		changes = append(changes, signals.Change{Op: signals.Create, New: user(int64(100 + i))})
	}
	require.NoError(t, bus.Publish(t.Context(), changes...))
	require.Equal(t, []string{"all softly for 1s"}, target.take(), "too many are the whole cache")
}

func TestSoftOverTheWire(t *testing.T) {
	rule := softened(mapped("pk", "ID"), 1500*time.Millisecond)
	var sent []byte
	rule.Dispatcher = signals.DispatcherFunc(func(_ context.Context, j signals.Job) (err error) {
		sent, err = j.MarshalJSON()
		return err
	})
	near, far := newRecorder(), newRecorder()
	bus, other := signals.NewBus(signals.BusConfig{}), signals.NewBus(signals.BusConfig{})
	require.NoError(t, bus.Bind(near, rule))
	require.NoError(t, other.Bind(far))
	for _, c := range []signals.Change{
		{Op: signals.Create, New: user(1)},
		{Op: signals.Update, Model: typeOf[User](), Bulk: true},
	} {
		require.NoError(t, bus.Publish(t.Context(), c))
		job, err := other.DecodeJob(sent)
		require.NoError(t, err)
		require.NoError(t, job.Run(t.Context()))
	}
	require.Equal(t, []string{"pk=1 softly for 1.5s", "all softly for 1.5s"}, far.take())
	require.Contains(t, bus.Rules().String(), "pk, soft 1.5s")
	require.Equal(t, rule.Soft, bus.Rules()[0].Soft)
}
