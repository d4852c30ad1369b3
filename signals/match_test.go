package signals_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/signals"
)

// firing is a table line: what one Publish of one change drops, each Drop as a line.
type firing struct {
	name   string
	rule   signals.Rule
	change signals.Change
	want   []string
}

func run(t *testing.T, cases []firing) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			bus, target, _ := wire(t, c.rule)
			require.NoError(t, bus.Publish(context.Background(), c.change))
			require.Equal(t, c.want, target.take())
		})
	}
}

func team(id, team int64) *User {
	return &User{Base: Base{ID: id}, TeamID: &team}
}

var both = signals.Rule{Model: User{}, Map: map[string]string{"pk": "ID", "team": "TeamID"}}

func TestOperations(t *testing.T) {
	deleted := mapped("pk", "ID")
	deleted.Ops = signals.Delete
	run(t, []firing{
		{"create", mapped("pk", "ID"), signals.Change{Op: signals.Create, New: user(1)}, []string{"pk=1"}},
		{"update", mapped("pk", "ID"), signals.Change{Op: signals.Update, New: user(1), Old: user(1)}, []string{"pk=1"}},
		{"delete tells its instance by Old", mapped("pk", "ID"), signals.Change{Op: signals.Delete, Old: user(1)}, []string{"pk=1"}},
		{"or by New", mapped("pk", "ID"), signals.Change{Op: signals.Delete, New: user(1)}, []string{"pk=1"}},
		{"partly", both, signals.Change{Op: signals.Delete, New: user(1), NewFields: []string{"ID"}}, []string{"pk=1"}},
		{"selected", deleted, signals.Change{Op: signals.Delete, Old: user(1)}, []string{"pk=1"}},
		{"not selected", deleted, signals.Change{Op: signals.Create, New: user(1)}, nil},
		{"a set that overlaps, with a value that is unknown", deleted, signals.Change{Op: signals.Update | signals.Delete, Old: user(1)}, []string{"all"}},
		{"no operation may be any, so the previous value is unknown", mapped("pk", "ID"), signals.Change{New: user(1)}, []string{"all"}},
		{"an upsert likewise", mapped("pk", "ID"), signals.Change{Op: signals.Create | signals.Update, New: user(1), Fields: []string{"Name"}}, []string{"all"}},
		{"an upsert of a row that is known", mapped("pk", "ID"), signals.Change{Op: signals.Create | signals.Update, New: user(1), Old: user(1)}, []string{"pk=1"}},
		{"a model given as a pointer", mapped("pk", "ID"), signals.Change{Op: signals.Create, Model: typeOf[**User](), New: new(user(1))}, []string{"pk=1"}},
		{"an instance given as a value", mapped("pk", "ID"), signals.Change{Op: signals.Create, New: *user(1)}, []string{"pk=1"}},
		{"another model", mapped("pk", "ID"), signals.Change{Op: signals.Create, New: &Team{ID: 1}}, nil},
		{"no model at all", mapped("pk", "ID"), signals.Change{Op: signals.Create}, nil},
	})
}

func TestUpdatesDropPreviousAndNewGroups(t *testing.T) {
	moved := signals.Change{Op: signals.Update, New: team(1, 2), Old: team(1, 1)}
	run(t, []firing{
		{"a move", mapped("team", "TeamID"), moved, []string{"team=2 | team=1"}},
		{"of one field among others", both, moved, []string{"pk=1 team=2 | pk=1 team=1"}},
		{
			"the mapped field was not set", mapped("pk", "ID"),
			signals.Change{Op: signals.Update, New: user(1), Fields: []string{"Name"}},
			[]string{"pk=1"},
		},
		{
			"named with its embedded struct", mapped("pk", "ID"),
			signals.Change{Op: signals.Update, New: user(1), Fields: []string{"Base.ID"}},
			[]string{"all"},
		},
		{
			"or by that struct alone", mapped("pk", "ID"),
			signals.Change{Op: signals.Update, New: user(1), Fields: []string{"Base"}},
			[]string{"all"},
		},
		{
			"a path that spells the embedded struct", mapped("pk", "Base.ID"),
			signals.Change{Op: signals.Update, New: user(1), Fields: []string{"Name"}},
			[]string{"pk=1"},
		},
		{
			"and a field named without it", mapped("pk", "Base.ID"),
			signals.Change{Op: signals.Update, New: user(1), Fields: []string{"ID"}},
			[]string{"all"},
		},
		{
			"previous value unknown: the rest of the key covers it", both,
			signals.Change{Op: signals.Update, New: team(1, 2), Fields: []string{"TeamID"}},
			[]string{"pk=1 team=2 | pk=1"},
		},
		{
			"nothing remains", mapped("team", "TeamID"),
			signals.Change{Op: signals.Update, New: team(1, 2), Fields: []string{"TeamID"}},
			[]string{"all"},
		},
		{"fields unknown", mapped("team", "TeamID"), signals.Change{Op: signals.Update, New: team(1, 2)}, []string{"all"}},
		{
			"nothing was set", mapped("team", "TeamID"),
			signals.Change{Op: signals.Update, New: team(1, 2), Fields: []string{}},
			[]string{"team=2"},
		},
		{
			"the previous value holds what the new one does not", both,
			signals.Change{Op: signals.Update, New: team(1, 0), NewFields: []string{"ID"}, Old: team(0, 3), OldFields: []string{"TeamID"}, Fields: []string{"Name"}},
			[]string{"pk=1 team=3"},
		},
		{
			"only the previous one is known", mapped("team", "TeamID"),
			signals.Change{Op: signals.Update, Old: team(1, 3), Fields: []string{"Name"}},
			[]string{"team=3"},
		},
		{
			"and the field was set", mapped("team", "TeamID"),
			signals.Change{Op: signals.Update, Old: team(1, 3), Fields: []string{"TeamID"}},
			[]string{"all"},
		},
		{
			"a relation may change with any column", mapped("user.id", "Owner.ID"),
			signals.Change{Op: signals.Update, New: &User{Owner: &Owner{ID: 5}}, Fields: []string{"Name"}},
			[]string{"all"},
		},
		{
			"unless both hold it", mapped("user.id", "Owner.ID"),
			signals.Change{Op: signals.Update, New: &User{Owner: &Owner{ID: 5}}, Old: &User{Owner: &Owner{ID: 6}}},
			[]string{"user.id=5 | user.id=6"},
		},
		{
			"or nothing was set", mapped("user.id", "Owner.ID"),
			signals.Change{Op: signals.Update, New: &User{Owner: &Owner{ID: 5}}, Fields: []string{}},
			[]string{"user.id=5"},
		},
	})
}

func TestBulkWidens(t *testing.T) {
	watching := mapped("pk", "ID")
	watching.Watch = []string{"Name"}
	never := mapped("pk", "ID")
	never.If = func(context.Context, signals.Change) (bool, error) { return false, errors.New("not to be called") }
	all := signals.Rule{Model: User{}, All: true}
	run(t, []firing{
		{"bulk", mapped("pk", "ID"), signals.Change{Op: signals.Update, Model: typeOf[User](), Bulk: true}, []string{"all"}},
		{"instances do not count then", mapped("pk", "ID"), signals.Change{Op: signals.Update, New: user(1), Bulk: true}, []string{"all"}},
		{"no instances", mapped("pk", "ID"), signals.Change{Op: signals.Delete, Model: typeOf[User]()}, []string{"all"}},
		{
			"an instance of another type", mapped("pk", "ID"),
			signals.Change{Op: signals.Create, Model: typeOf[User](), New: map[string]any{"ID": 1}},
			[]string{"all"},
		},
		{"a nil instance", mapped("pk", "ID"), signals.Change{Op: signals.Create, New: (*User)(nil)}, []string{"all"}},
		{"a watched field may have changed", watching, signals.Change{Op: signals.Update, Model: typeOf[User](), Bulk: true}, []string{"all"}},
		{"it was not set", watching, signals.Change{Op: signals.Update, Model: typeOf[User](), Bulk: true, Fields: []string{"Email"}}, nil},
		{"predicates are not asked", never, signals.Change{Op: signals.Update, Model: typeOf[User](), Bulk: true}, []string{"all"}},
		{"a rule for the whole cache", all, signals.Change{Op: signals.Create, New: user(1)}, []string{"all"}},
	})
}

func TestNilValues(t *testing.T) {
	required := both
	required.Require = []string{"team"}
	alias := signals.Rule{Model: User{}, Map: map[string]string{"user.id": "Alias"}}
	run(t, []firing{
		{"nil is left out", both, signals.Change{Op: signals.Create, New: user(1)}, []string{"pk=1"}},
		{"nothing remains", mapped("team", "TeamID"), signals.Change{Op: signals.Create, New: user(1)}, []string{"all"}},
		{"required: the rule does not fire", required, signals.Change{Op: signals.Create, New: user(1)}, nil},
		{"required: each value for itself", required, signals.Change{Op: signals.Update, New: user(1), Old: team(1, 2)}, []string{"pk=1 team=2"}},
		{"required, but unknown", required, signals.Change{Op: signals.Create, New: user(1), NewFields: []string{"ID"}}, []string{"pk=1"}},
		{"nil on the way", mapped("user.id", "Owner.ID"), signals.Change{Op: signals.Create, New: user(1)}, []string{"all"}},
		{"an invalid sql.Null", alias, signals.Change{Op: signals.Create, New: user(1)}, []string{"all"}},
		{"a valid one", alias, signals.Change{Op: signals.Create, New: &User{Alias: sql.NullString{String: "x", Valid: true}}}, []string{"user.id=x"}},
	})
}

func TestWatch(t *testing.T) {
	rule := both
	rule.Watch = []string{"Name", "Address.City"}
	in := func(name, city string) *User {
		u := team(1, 2)
		u.Name, u.Address.City = name, city
		return u
	}
	update := func(c signals.Change) signals.Change { c.Op = signals.Update; return c }
	conditional, related := mappedWatching("Name"), mapped("user.id", "Owner.ID")
	conditional.When, related.Watch = map[string]any{"Active": true}, []string{"Name"}
	run(t, []firing{
		{"changed", rule, update(signals.Change{New: in("a", "x"), Old: in("b", "x")}), []string{"pk=1 team=2"}},
		{"unchanged", rule, update(signals.Change{New: in("a", "x"), Old: in("a", "x")}), nil},
		{"set but unchanged", rule, update(signals.Change{New: in("a", "x"), Old: in("a", "x"), Fields: []string{"Name"}}), nil},
		{"set, previous value unknown", rule, update(signals.Change{New: in("a", "x"), Fields: []string{"Name"}}), []string{"pk=1 team=2"}},
		{"set as a whole struct", rule, update(signals.Change{New: in("a", "x"), Fields: []string{"Address"}}), []string{"pk=1 team=2"}},
		{"nothing is known", rule, update(signals.Change{New: in("a", "x")}), []string{"all"}},
		{"another field was set, and no relation can hide", mappedWatching("Name"), update(signals.Change{New: user(1), Fields: []string{"Email"}}), nil},
		{"a city might live in another row", rule, update(signals.Change{New: in("a", "x"), Fields: []string{"Email"}}), []string{"pk=1 team=2"}},
		{"unless both hold it", rule, update(signals.Change{New: in("a", "x"), Old: in("a", "x"), OldFields: []string{"Address"}, Fields: []string{"Email"}}), nil},
		{"a mapped field moves the row", rule, update(signals.Change{New: in("a", "x"), Old: team(1, 9), OldFields: []string{"TeamID", "Address"}, Fields: []string{"TeamID"}}), []string{"pk=1 team=2 | pk=1 team=9"}},
		{"a mapped field may have moved the row", mappedWatching("Name"), update(signals.Change{New: in("a", "x"), Old: in("a", ""), OldFields: []string{"Name"}}), []string{"all"}},
		{"or stayed, as both show", mappedWatching("Name"), update(signals.Change{New: in("a", "x"), Old: in("a", ""), OldFields: []string{"Name", "ID"}}), nil},
		{"or as Fields show", mappedWatching("Name"), update(signals.Change{New: in("a", "x"), Old: in("a", ""), OldFields: []string{"Name"}, Fields: []string{"Email"}}), nil},
		{"a condition may have come to hold", conditional, update(signals.Change{New: user(1), Old: user(1), OldFields: []string{"ID", "Name"}, NewFields: []string{"ID", "Name"}}), []string{"pk=1"}},
		{"a relation may hide in any column, and the author did not watch it", related, update(signals.Change{New: user(1), Old: user(1), OldFields: []string{"ID", "Name"}}), nil},
		{"creates fire", rule, signals.Change{Op: signals.Create, New: in("a", "x")}, []string{"pk=1 team=2"}},
		{"deletes fire", rule, signals.Change{Op: signals.Delete, Old: in("a", "x")}, []string{"pk=1 team=2"}},
		{"an empty list watches everything", mappedWatching(), update(signals.Change{New: user(1), Fields: []string{"Name"}}), []string{"pk=1"}},
		{"the key itself changes", mappedWatching("Name"), update(signals.Change{New: user(2), Old: user(1)}), []string{"pk=2 | pk=1"}},
	})
}

func mappedWatching(fields ...string) signals.Rule {
	r := mapped("pk", "ID")
	r.Watch = append([]string{}, fields...)
	return r
}

func TestWhen(t *testing.T) {
	rule := func(when map[string]any) signals.Rule {
		r := mapped("pk", "ID")
		r.When = when
		return r
	}
	active := rule(map[string]any{"Active": true})
	adult := func(age int) *User { return &User{Base: Base{ID: 1}, Age: age, Active: true} }
	run(t, []firing{
		{"holds", active, signals.Change{Op: signals.Create, New: adult(1)}, []string{"pk=1"}},
		{"does not hold", active, signals.Change{Op: signals.Create, New: user(1)}, nil},
		{"held before", active, signals.Change{Op: signals.Update, New: user(1), Old: adult(1)}, []string{"pk=1"}},
		{"holds now", active, signals.Change{Op: signals.Update, New: adult(1), Old: user(1)}, []string{"pk=1"}},
		{"neither", active, signals.Change{Op: signals.Update, New: user(1), Old: user(1)}, nil},
		{"held when it was deleted", active, signals.Change{Op: signals.Delete, Old: adult(1)}, []string{"pk=1"}},
		{"not set, so it was false before", active, signals.Change{Op: signals.Update, New: user(1), Fields: []string{"Name"}}, nil},
		{"unknown before", active, signals.Change{Op: signals.Update, New: user(1), Fields: []string{"Active"}}, []string{"pk=1"}},
		{"unknown now", active, signals.Change{Op: signals.Create, New: user(1), NewFields: []string{"ID"}}, []string{"pk=1"}},
		{"two of two", rule(map[string]any{"Active": true, "Age": 3}), signals.Change{Op: signals.Create, New: adult(3)}, []string{"pk=1"}},
		{"one of two", rule(map[string]any{"Active": true, "Age": 3}), signals.Change{Op: signals.Create, New: adult(4)}, nil},
		{"negated", rule(map[string]any{"!Age": 3}), signals.Change{Op: signals.Create, New: adult(4)}, []string{"pk=1"}},
		{"negated and equal", rule(map[string]any{"!Age": 3}), signals.Change{Op: signals.Create, New: adult(3)}, nil},
		{"nil", rule(map[string]any{"TeamID": nil}), signals.Change{Op: signals.Create, New: user(1)}, []string{"pk=1"}},
		{"not nil", rule(map[string]any{"TeamID": nil}), signals.Change{Op: signals.Create, New: team(1, 2)}, nil},
		{"nil negated", rule(map[string]any{"!TeamID": nil}), signals.Change{Op: signals.Create, New: team(1, 2)}, []string{"pk=1"}},
		{"an invalid sql.Null is nil", rule(map[string]any{"Deleted": nil}), signals.Change{Op: signals.Create, New: user(1)}, []string{"pk=1"}},
		{"a value behind a pointer, converted", rule(map[string]any{"TeamID": uint8(2)}), signals.Change{Op: signals.Create, New: team(1, 2)}, []string{"pk=1"}},
		{"nil differs from a value", rule(map[string]any{"TeamID": 2}), signals.Change{Op: signals.Create, New: user(1)}, nil},
		{"nil on the way", rule(map[string]any{"Owner.ID": nil}), signals.Change{Op: signals.Create, New: user(1)}, []string{"pk=1"}},
		{"a struct", rule(map[string]any{"Address": Address{City: "x"}}), signals.Change{Op: signals.Create, New: user(1)}, nil},
	})
}

func TestIf(t *testing.T) {
	var asked []signals.Change
	rule := mapped("pk", "ID")
	rule.If = func(_ context.Context, c signals.Change) (bool, error) {
		asked = append(asked, c)
		return c.New.(*User).Age > 17, nil
	}
	bus, target, _ := wire(t, rule)
	require.NoError(t, bus.Publish(context.Background(),
		signals.Change{Op: signals.Create, New: &User{Base: Base{ID: 1}, Age: 3}},
		signals.Change{Op: signals.Create, New: &User{Base: Base{ID: 2}, Age: 30}},
	))
	require.Equal(t, []string{"pk=2"}, target.take())
	require.Len(t, asked, 2)
	require.Equal(t, typeOf[User](), asked[0].Model)
}

// Outer hides a field of the struct that it embeds.
type Outer struct {
	Base
	ID string
}

func TestHiddenFields(t *testing.T) {
	bus := signals.NewBus(signals.BusConfig{})
	target := newRecorder()
	require.NoError(t, bus.Bind(target, signals.Rule{Model: Outer{}, Map: fields{"pk": "Base.ID"}}))
	n, _ := bus.Wants(typeOf[Outer]())
	require.Equal(t, []string{"Base.ID"}, n.Fields)
	o := &Outer{Base: Base{ID: 1}, ID: "x"}
	require.NoError(t, bus.Publish(context.Background(), signals.Change{Op: signals.Update, New: o, Fields: []string{"ID"}}))
	require.Equal(t, []string{"pk=1"}, target.take(), "the outer ID was set, not the mapped one")
}

// Parcel has a field behind two embedded structs, which may be written in four ways.
type Parcel struct {
	Placed
	ID     int64
	Weight int
	Sender *Owner
}

type Placed struct{ Zone }

type Zone struct{ TeamID int64 }

func TestFieldsByAnySelector(t *testing.T) {
	watching := func(path string) signals.Rule {
		return signals.Rule{Model: Parcel{}, Map: fields{"pk": "ID"}, Watch: []string{path}}
	}
	set := func(names ...string) signals.Change {
		return signals.Change{Op: signals.Update, New: &Parcel{ID: 1}, Fields: names}
	}
	var cases []firing
	for _, watched := range []string{"TeamID", "Zone.TeamID", "Placed.TeamID", "Placed.Zone.TeamID", "Zone", "Placed.Zone", "Placed"} {
		for _, name := range []string{"TeamID", "Zone.TeamID", "Placed.TeamID", "Placed.Zone.TeamID", "Zone", "Placed.Zone", "Placed"} {
			cases = append(cases, firing{watched + " by " + name, watching(watched), set("Weight", name), []string{"pk=1"}})
		}
		cases = append(cases,
			firing{watched + " by another", watching(watched), set("Weight", "Sender.ID"), nil},
			firing{watched + " by a column's name", watching(watched), set("team_id"), []string{"all"}},
			firing{watched + " by no name", watching(watched), set(""), []string{"all"}},
		)
	}
	run(t, append(cases, []firing{
		{"a part of a relation", watching("Sender"), set("Sender.ID"), []string{"pk=1"}},
		{"which has no such part", watching("Sender.ID"), set("Sender.Age"), []string{"pk=1"}},
		{
			"known by the middle of its way",
			signals.Rule{Model: Parcel{}, Map: fields{"team": "TeamID"}},
			signals.Change{Op: signals.Create, New: &Parcel{Placed: Placed{Zone{3}}}, NewFields: []string{"Zone.TeamID"}},
			[]string{"team=3"},
		},
		{
			"known by a name that means nothing",
			signals.Rule{Model: Parcel{}, Map: fields{"team": "TeamID"}},
			signals.Change{Op: signals.Create, New: &Parcel{Placed: Placed{Zone{3}}}, NewFields: []string{"team_id"}},
			[]string{"all"},
		},
	}...))
}
