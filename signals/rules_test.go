package signals_test

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/signals"
)

func TestRules(t *testing.T) {
	bus := signals.NewBus(signals.BusConfig{Dispatchers: map[string]signals.Dispatcher{"pool": signals.NewPool(signals.PoolConfig{})}})
	pooledRule := signals.On(keyOf, "team", "pk")
	pooledRule.Dispatcher, pooledRule.Batch = signals.Named("pool"), signals.Batch{Delay: time.Second}
	returning := signals.Rule{Name: "custom rule", Model: Team{}, Invalidate: custom, If: truth, OnError: signals.Return}
	returning.Dispatcher = signals.DispatcherFunc(func(ctx context.Context, j signals.Job) error { return j.Run(ctx) })
	w := newWarmer()
	w.info.Name = "UserFunc"
	require.NoError(t, bus.Bind(newRecorder(), signals.Rule{
		Model: User{}, Map: fields{"user.id": "Owner.ID", "pk": "ID"}, Ops: signals.Update | signals.Delete,
		Watch: []string{"Name", "Email"}, When: map[string]any{"!Age": 3, "Active": true},
	}, pooledRule, returning))
	require.NoError(t, bus.Bind(w, complete(), signals.Rule{Model: Team{}, All: true}))

	rules := bus.Rules()
	require.Equal(t, `RULE                MODEL              FIRES ON                                               TARGET      DROPS                     RUNS                    ON ERROR
User->UserDetail    signals_test.User  update|delete of Name,Email if Age!=3 and Active=true  UserDetail  pk+user.id                inline                  report
User->UserDetail#2  signals_test.User  any                                                    UserDetail  pk+team                   pool, batched 1s/1000   report
custom rule         signals_test.Team  any if func                                            UserDetail  custom                    signals.DispatcherFunc  return
User->UserFunc      signals_test.User  any                                                    UserFunc    pk+team+user.id, rewarms  inline                  report
Team->UserFunc      signals_test.Team  any                                                    UserFunc    all                       inline                  report
`, rules.String())
	require.Equal(t, []reflect.Type{typeOf[Team](), typeOf[User]()}, rules.Models())
	require.Equal(t, rules.Models(), bus.Models())
	require.Equal(t, []string{"UserDetail", "UserFunc"}, rules.Targets())

	rules[0].Watch[0], rules[0].Map["pk"] = "x", "x"
	require.Equal(t, signals.RuleInfo{
		Name: "User->UserDetail", Model: typeOf[User](), Ops: signals.Update | signals.Delete,
		Watch: []string{"Name", "Email"}, When: map[string]any{"!Age": 3, "Active": true},
		Target: "UserDetail", Drops: "pk+user.id", Map: fields{"user.id": "Owner.ID", "pk": "ID"}, Dispatcher: "inline",
	}, bus.Rules()[0], "the bus's own rules are out of reach")
}

// Two caches may share a name, as those of one key struct do. Each counts its own rules.
func TestDefaultRuleNames(t *testing.T) {
	bus, first, _ := wire(t, mapped("pk", "ID"), mapped("team", "TeamID"))
	second := newRecorder()
	require.NoError(t, bus.Bind(second, mapped("pk", "ID")))
	require.NoError(t, bus.Bind(second, mapped("team", "TeamID")))
	require.NoError(t, bus.Bind(first, mapped("user.id", "Owner.ID")))
	var names []string
	for _, r := range bus.Rules() {
		names = append(names, r.Name)
	}
	require.Equal(t, []string{
		"User->UserDetail", "User->UserDetail#2", "User->UserDetail", "User->UserDetail#2", "User->UserDetail#3",
	}, names)
	unfit := mapped("pk", "ID")
	unfit.Dispatcher = signals.Named("brokr")
	require.EqualError(t, bus.Bind(newRecorder(), unfit, unfit), `signals: rule User->UserDetail: Dispatcher: the bus has no dispatcher "brokr"; use one of inline
signals: rule User->UserDetail#2: Dispatcher: the bus has no dispatcher "brokr"; use one of inline`)
}

func TestWants(t *testing.T) {
	need := func(rules ...signals.Rule) signals.Need {
		bus, _, _ := wire(t, rules...)
		n, ok := bus.Wants(typeOf[*User]())
		require.True(t, ok)
		_, ok = bus.Wants(typeOf[Team]())
		require.False(t, ok)
		_, ok = bus.Wants(nil)
		require.False(t, ok)
		return n
	}
	watching := mapped("team", "TeamID")
	watching.Ops, watching.Watch, watching.When = signals.Update, []string{"Name", "Address.City"}, map[string]any{"!Base.Deleted": nil}
	require.Equal(t, signals.Need{Ops: signals.Update, Fields: []string{"Address.City", "Deleted", "Name", "TeamID"}, Narrow: true}, need(watching))

	all := signals.Rule{Model: User{}, All: true, Ops: signals.Create}
	require.Equal(t, signals.Need{Ops: signals.Create}, need(all))
	all.If = truth
	require.Equal(t, signals.Need{Ops: signals.Create, Whole: true, Narrow: true}, need(all))
	all.Reads = []string{"Age"}
	require.Equal(t, signals.Need{Ops: signals.AnyOp, Fields: []string{"Age", "ID"}, Narrow: true}, need(all, mapped("pk", "ID")))
	require.True(t, need(signals.On(keyOf, "pk")).Whole)

	bus, _, _ := wire(t, all)
	cancel := bus.Subscribe(func(context.Context, []signals.Change) {})
	n, ok := bus.Wants(typeOf[Team]())
	require.True(t, ok)
	require.Equal(t, signals.Need{Ops: signals.AnyOp, Subscribed: true}, n)
	n, _ = bus.Wants(typeOf[User]())
	require.Equal(t, signals.Need{Ops: signals.AnyOp, Fields: []string{"Age"}, Narrow: true, Subscribed: true}, n)
	cancel()
	_, ok = bus.Wants(typeOf[Team]())
	require.False(t, ok)
}

func TestNeedBefore(t *testing.T) {
	some := signals.Need{Ops: signals.AnyOp, Fields: []string{"ID", "Name"}}
	for _, c := range []struct {
		name   string
		need   signals.Need
		op     signals.Op
		fields []string
		want   bool
	}{
		{"create", some, signals.Create, nil, false},
		{"delete", some, signals.Delete, nil, true},
		{"unknown operation", some, 0, []string{"Age"}, true},
		{"upsert", some, signals.Create | signals.Update, []string{"Name"}, true},
		{"update of a field that is read", some, signals.Update, []string{"Name"}, true},
		{"update of another", some, signals.Update, []string{"Age"}, false},
		{"update of unknown fields", some, signals.Update, nil, true},
		{"update of nothing", some, signals.Update, []string{}, false},
		{"update that may reach a relation", signals.Need{Ops: signals.AnyOp, Fields: []string{"Owner.ID"}}, signals.Update, []string{"Age"}, true},
		{"update of nothing, with a relation", signals.Need{Ops: signals.AnyOp, Fields: []string{"Owner.ID"}}, signals.Update, []string{}, false},
		{"operation without listeners", signals.Need{Ops: signals.Create, Fields: []string{"ID"}}, signals.Update, nil, false},
		{"a function reads anything", signals.Need{Ops: signals.AnyOp, Whole: true}, signals.Update, []string{"Age"}, true},
		{"rules that read nothing", signals.Need{Ops: signals.AnyOp}, signals.Update, nil, false},
	} {
		require.Equal(t, c.want, c.need.Before(c.op, c.fields), c.name)
	}
}

func TestGeneration(t *testing.T) {
	bus, target, _ := wire(t, mapped("pk", "ID"))
	before := bus.Generation()
	require.Equal(t, before, bus.Generation())
	bus.Unbind(target)
	require.NotSame(t, before, bus.Generation())
}

func TestNeedFor(t *testing.T) {
	named := signals.Rule{Model: User{}, Map: fields{"pk": "ID"}, Watch: []string{"Name"}, Ops: signals.Update}
	deleted := signals.Rule{Model: User{}, Map: fields{"team": "TeamID"}, Ops: signals.Delete}
	bus, _, _ := wire(t, named, deleted)
	for _, c := range []struct {
		name   string
		op     signals.Op
		fields []string
		want   []string
		ok     bool
	}{
		{"watched", signals.Update, []string{"Name"}, []string{"ID", "Name"}, true},
		{"unwatched", signals.Update, []string{"Age"}, nil, false},
		{"unknown fields", signals.Update, nil, []string{"ID", "Name"}, true},
		{"another operation", signals.Delete, nil, []string{"TeamID"}, true},
		{"no rule's operation", signals.Create, nil, nil, false},
		{"unknown operation", 0, nil, []string{"ID", "Name", "TeamID"}, true},
	} {
		need, ok := bus.NeedFor(typeOf[*User](), c.op, c.fields)
		require.Equal(t, c.ok, ok, c.name)
		require.Equal(t, c.want, need.Fields, c.name)
	}
	_, ok := bus.NeedFor(typeOf[Team](), signals.Update, nil)
	require.False(t, ok)
	defer bus.Subscribe(func(context.Context, []signals.Change) {})()
	need, ok := bus.NeedFor(typeOf[Team](), signals.Update, nil)
	require.True(t, ok)
	require.Equal(t, signals.Need{Ops: signals.AnyOp, Subscribed: true}, need)
}
