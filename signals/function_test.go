package signals_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/signals"
)

func keyOf(u *User) UserKey { return UserKey{PK: u.ID, Team: *u.TeamID} }

func TestOn(t *testing.T) {
	plain := signals.On(keyOf, "team", "pk")
	reading := plain
	reading.Reads = []string{"ID", "TeamID"}
	run(t, []firing{
		{"names stand in the target's order", plain, signals.Change{Op: signals.Create, New: team(1, 2)}, []string{"pk=1 team=2"}},
		{"previous and new", plain, signals.Change{Op: signals.Update, New: team(1, 2), Old: team(1, 3)}, []string{"pk=1 team=2 | pk=1 team=3"}},
		{"equal ones", plain, signals.Change{Op: signals.Update, New: team(1, 2), Old: team(1, 2)}, []string{"pk=1 team=2"}},
		{"delete", plain, signals.Change{Op: signals.Delete, Old: team(1, 2)}, []string{"pk=1 team=2"}},
		{"it may read any field", plain, signals.Change{Op: signals.Update, New: team(1, 2), Fields: []string{"Name"}}, []string{"all"}},
		{"unless Reads says which", reading, signals.Change{Op: signals.Update, New: team(1, 2), Fields: []string{"Name"}}, []string{"pk=1 team=2"}},
		{"one of which was set", reading, signals.Change{Op: signals.Update, New: team(1, 2), Fields: []string{"TeamID"}}, []string{"all"}},
		{"nothing was set", plain, signals.Change{Op: signals.Update, New: team(1, 2), Fields: []string{}}, []string{"pk=1 team=2"}},
		{"a part of the instance", plain, signals.Change{Op: signals.Create, New: team(1, 2), NewFields: []string{"ID", "TeamID"}}, []string{"all"}},
		{"is enough if Reads says so", reading, signals.Change{Op: signals.Create, New: team(1, 2), NewFields: []string{"ID", "TeamID"}}, []string{"pk=1 team=2"}},
		{"only the previous instance, untouched", reading, signals.Change{Op: signals.Update, Old: team(1, 2), Fields: []string{"Name"}}, []string{"pk=1 team=2"}},
		{"bulk", plain, signals.Change{Op: signals.Update, Model: typeOf[User](), Bulk: true}, []string{"all"}},
	})
}

func TestReadsAreWatchedForMoves(t *testing.T) {
	rule := signals.On(keyOf, "pk", "team")
	rule.Reads, rule.Watch = []string{"ID", "TeamID"}, []string{"Name"}
	run(t, []firing{
		{"unwatched", rule, signals.Change{Op: signals.Update, New: team(1, 2), Fields: []string{"Email"}}, nil},
		{"moved", rule, signals.Change{Op: signals.Update, New: team(1, 2), Old: team(1, 3), Fields: []string{"TeamID"}}, []string{"pk=1 team=2 | pk=1 team=3"}},
	})
}

func TestInvalidate(t *testing.T) {
	rule := signals.Rule{Model: User{}, Invalidate: func(_ context.Context, c signals.Change) ([]signals.Group, error) {
		if c.New.(*User).Age == 0 {
			return nil, nil
		}
		return []signals.Group{
			{Names: []string{"pk"}, Key: &UserKey{PK: c.New.(*User).ID}},
			{Names: []string{"team"}, Key: &UserKey{Team: 4}, Soft: 2 * time.Second},
			{Names: []string{"team"}, Key: &UserKey{Team: 4}, Soft: time.Second},
		}, nil
	}}
	run(t, []firing{
		{"its groups", rule, signals.Change{Op: signals.Create, New: &User{Base: Base{ID: 1}, Age: 1}}, []string{"pk=1 | team=4 softly for 1s"}},
		{"none", rule, signals.Change{Op: signals.Create, New: user(1)}, nil},
		{"bulk", rule, signals.Change{Op: signals.Update, Model: typeOf[User](), Bulk: true}, []string{"all"}},
		{"everything, softly", signals.Rule{Model: User{}, Invalidate: func(context.Context, signals.Change) ([]signals.Group, error) {
			return []signals.Group{{All: true, Soft: time.Second}}, nil
		}}, signals.Change{Op: signals.Create, New: user(1)}, []string{"all softly for 1s"}},
	})
}

// A function that fails widens, and the log and the hook hear of it.
func TestFunctionsThatFail(t *testing.T) {
	boom := errors.New("boom")
	invalid := func(groups ...signals.Group) signals.Rule {
		return signals.Rule{Model: User{}, Invalidate: func(context.Context, signals.Change) ([]signals.Group, error) { return groups, nil }}
	}
	predicate := func(f func() (bool, error)) signals.Rule {
		r := mapped("pk", "ID")
		r.If = func(context.Context, signals.Change) (bool, error) { return f() }
		return r
	}
	for _, c := range []struct {
		name   string
		rule   signals.Rule
		drops  string
		report string
	}{
		{"predicate: an error counts as true", predicate(func() (bool, error) { return false, boom }), "pk=1", "signals: User->UserDetail: match: boom"},
		{"predicate: panic", predicate(func() (bool, error) { panic("oh") }), "all", "signals: User->UserDetail: match: panic: oh"},
		{"key: panic", signals.On(keyOf, "pk"), "all", "signals: User->UserDetail: match: panic: runtime error: invalid memory address or nil pointer dereference"},
		{"invalidator: error", signals.Rule{Model: User{}, Invalidate: func(context.Context, signals.Change) ([]signals.Group, error) {
			return []signals.Group{{Names: []string{"pk"}, Key: &UserKey{}}}, boom
		}}, "all", "signals: User->UserDetail: match: boom"},
		{"invalidator: panic", signals.Rule{Model: User{}, Invalidate: func(context.Context, signals.Change) ([]signals.Group, error) {
			panic(boom)
		}}, "all", "signals: User->UserDetail: match: panic: boom"},
		{
			"group with a negative Soft", invalid(signals.Group{All: true, Soft: -time.Second}), "all",
			"signals: User->UserDetail: match: a group that Invalidate returned: a group's Soft is -1s; give how long entries may answer as stale, or 0 for not at all",
		},
		{
			"group without names", invalid(signals.Group{Key: &UserKey{}}), "all",
			"signals: User->UserDetail: match: a group that Invalidate returned: a group has no names; set Names, or All for the whole cache",
		},
		{
			"group of an unknown field", invalid(signals.Group{Names: []string{"tem"}, Key: &UserKey{}}), "all",
			`signals: User->UserDetail: match: a group that Invalidate returned: UserKey has no partition field "tem"; did you mean "team"?`,
		},
		{
			"group of no partition field", invalid(signals.Group{Names: []string{"page"}, Key: &UserKey{}}), "all",
			`signals: User->UserDetail: match: a group that Invalidate returned: key field "page" of UserKey is no partition field; flag it partition, or map another field`,
		},
		{
			"group with a value as key", invalid(signals.Group{Names: []string{"pk"}, Key: UserKey{}}), "all",
			"signals: User->UserDetail: match: a group that Invalidate returned: a group's key is signals_test.UserKey; give a *signals_test.UserKey that is not nil",
		},
		{
			"group with a nil key", invalid(signals.Group{Names: []string{"pk"}, Key: (*UserKey)(nil)}), "all",
			"signals: User->UserDetail: match: a group that Invalidate returned: a group's key is *signals_test.UserKey; give a *signals_test.UserKey that is not nil",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			bus, target, heard := wire(t, c.rule)
			require.NoError(t, bus.Publish(context.Background(), signals.Change{Op: signals.Create, New: user(1)}))
			require.Equal(t, []string{c.drops}, target.take())
			require.Equal(t, []string{c.report}, heard.take())
			require.Contains(t, heard.log.String(), `level=ERROR msg="signals: match failed" rule=User->UserDetail target=UserDetail`)

			c.rule.OnError = signals.Return
			bus, target, heard = wire(t, c.rule)
			require.EqualError(t, bus.Publish(context.Background(), signals.Change{Op: signals.Create, New: user(1)}), c.report)
			require.Equal(t, []string{c.drops}, target.take())
			require.Equal(t, []string{c.report}, heard.take())
		})
	}
}

func TestPanicsKeepTheirCauseAndStack(t *testing.T) {
	boom := errors.New("boom")
	rule := mapped("pk", "ID")
	rule.OnError = signals.Return
	rule.If = func(context.Context, signals.Change) (bool, error) { panic(boom) }
	bus, _, heard := wire(t, rule)
	err := bus.Publish(context.Background(), signals.Change{Op: signals.Create, New: user(1)})
	require.ErrorIs(t, err, boom)
	var panicked *signals.PanicError
	require.ErrorAs(t, err, &panicked)
	require.Contains(t, string(panicked.Stack), "function_test.go")
	var work *signals.WorkError
	require.ErrorAs(t, err, &work)
	require.Equal(t, signals.StageMatch, work.Stage)
	heard.take()
}
