package signals_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/signals"
)

func custom(context.Context, signals.Change) ([]signals.Group, error) { return nil, nil }

func truth(context.Context, signals.Change) (bool, error) { return true, nil }

type fields = map[string]string

// Every text that Bind can return for a rule.
func TestRuleErrors(t *testing.T) {
	const detail = "signals: rule User->UserDetail: "
	pk := fields{"pk": "ID"}
	_ = User{}.secret // there to be refused
	for want, rule := range map[string]signals.Rule{
		"signals: rule ?->UserDetail: Model: it is missing; set it to a value of the model, as User{}, or make the rule with On":                     {Map: pk},
		"signals: rule int->UserDetail: Model: int is no struct; give a value of the model's struct type, as User{}":                                 {Model: 3, Map: pk},
		"signals: rule Team->UserDetail: Model: it is Team, but On's function takes a User; leave it as On set it":                                   withModel(signals.On(keyOf, "pk"), Team{}),
		"signals: rule int->UserDetail: On: its function takes a *int; take a pointer to the model's struct":                                         signals.On(func(*int) UserKey { return UserKey{} }, "pk"),
		"signals: rule User->UserDetail: On: its function takes a **signals_test.User; take a pointer to the model's struct":                         signals.On(func(**User) UserKey { return UserKey{} }, "pk"),
		detail + "it says nothing to invalidate; set Map, All or Invalidate, or make the rule with On":                                               {Model: User{}},
		detail + "it says more than one thing to invalidate; keep one of Map, All, Invalidate and On":                                                {Model: User{}, All: true, Invalidate: custom},
		"signals: rule mine: Map: All drops the whole cache already; remove Map or All":                                                              {Name: "mine", Model: User{}, All: true, Map: pk},
		detail + `Map["pkk"]: UserKey has no key field "pkk"; did you mean "pk"?`:                                                                    {Model: &User{}, Map: fields{"pkk": "ID"}},
		detail + `Map["anything"]: UserKey has no key field "anything"; use one of pk, team, user.id`:                                                {Model: &User{}, Map: fields{"anything": "ID"}},
		detail + `Map["page"]: key field "page" of UserKey is no partition field; flag it partition, or map another field`:                           {Model: User{}, Map: fields{"page": "ID", "pk": "ID"}},
		detail + `Map["pk"]: User has no field "Id"; did you mean "ID"?`:                                                                             {Model: (*User)(nil), Map: fields{"pk": "Id"}},
		detail + `Map["pk"]: User has no field "Quux"; use one of ID, Deleted, Name, Email, Age, TeamID, Owner, Address, Alias, Score, Tags, Active`: {Model: User{}, Map: fields{"pk": "Quux"}},
		detail + `Map["pk"]: Owner has no field "id"; did you mean "ID"?`:                                                                            {Model: User{}, Map: fields{"pk": "Owner.id"}},
		detail + `Map["pk"]: int64 is no struct and has no field "X"; end the path before it`:                                                        {Model: User{}, Map: fields{"pk": "ID.X"}},
		detail + `Map["pk"]: User.secret is not exported; export it, or name another field`:                                                          {Model: User{}, Map: fields{"pk": "secret"}},
		detail + `Map["pk"]: a string does not become an int64 without loss; give both one type, or make the rule with On`:                           {Model: User{}, Map: fields{"pk": "Name"}},
		detail + `Require: "tem" is not in Map; did you mean "team"?`:                                                                                {Model: User{}, Map: fields{"team": "TeamID"}, Require: []string{"tem"}},
		detail + `Require: "pk" is not in Map; there are none`:                                                                                       {Model: User{}, All: true, Require: []string{"pk"}},
		detail + "Ops: Op(8) is no set of operations; join Create, Update and Delete by |":                                                           {Model: User{}, Map: pk, Ops: 8},
		detail + `Watch: User has no field "name"; did you mean "Name"?`:                                                                             {Model: User{}, Map: pk, Watch: []string{"name"}},
		detail + `Reads: User has no field "Nme"; did you mean "Name"?`:                                                                              {Model: User{}, Map: pk, If: truth, Reads: []string{"Nme"}},
		detail + "Reads: the rule has no function that could read; remove it":                                                                        {Model: User{}, Map: pk, Reads: []string{"Name"}},
		detail + `When["!active"]: User has no field "active"; did you mean "Active"?`:                                                               {Model: User{}, Map: pk, When: map[string]any{"!active": true}},
		detail + `When["Active"]: a string cannot be compared with a bool; give a bool`:                                                              {Model: User{}, Map: pk, When: map[string]any{"Active": "yes"}},
		detail + `When["Base.ID"]: a float64 cannot be compared with an int64; give an int64`:                                                        {Model: User{}, Map: pk, When: map[string]any{"Base.ID": 1.5}},
		detail + `When["ID"]: 9223372036854775808 does not fit an int64; give a value that does`:                                                     {Model: User{}, Map: pk, When: map[string]any{"ID": uint64(1 << 63)}},
		detail + `When["Name"]: Name is a string and never nil; compare it with a value`:                                                             {Model: User{}, Map: pk, When: map[string]any{"Name": nil}},
		detail + "On: its function is nil; pass a function that makes a key":                                                                         signals.On[User, UserKey](nil, "pk"),
		detail + "On: its function makes a signals_test.Team; return a signals_test.UserKey":                                                         signals.On(func(*User) Team { return Team{} }, "pk"),
		detail + "On: it names no key field; name the partition fields that the key fills: pk, team, user.id":                                        signals.On(keyOf),
		detail + `On: key field "pk" is named twice; name it once`:                                                                                   signals.On(keyOf, "pk", "team", "pk"),
		detail + `On: UserKey has no partition field "user"; did you mean "user.id"?`:                                                                signals.On(keyOf, "user"),
		detail + `On: key field "page" of UserKey is no partition field; flag it partition, or map another field`:                                    signals.On(keyOf, "page"),
		detail + `Dispatcher: the bus has no dispatcher "brokr"; did you mean "broker"?`:                                                             {Model: User{}, Map: pk, Dispatcher: signals.Named("brokr")},
		detail + `Dispatcher: the bus's dispatcher "loop" is a signals.Named; put one that runs jobs into BusConfig.Dispatchers`:                     {Model: User{}, Map: pk, Dispatcher: signals.Named("loop")},
		detail + `Dispatcher: the bus's dispatcher "none" is a <nil>; put one that runs jobs into BusConfig.Dispatchers`:                             {Model: User{}, Map: pk, Dispatcher: signals.Named("none")},
		detail + "Dispatcher: the pool is nil; make it with NewPool":                                                                                 {Model: User{}, Map: pk, Dispatcher: (*signals.Pool)(nil)},
		detail + "Soft: 5ns is less than a millisecond; a number alone counts nanoseconds; write 5 * time.Second for seconds":                        {Model: User{}, Map: pk, Soft: 5},
		detail + "Soft: -1s is negative; give how long entries may answer as stale, or leave it 0 for not at all":                                    {Model: User{}, Map: pk, Soft: -time.Second},
		detail + "Batch: it is negative; give a Delay and a Size of zero or more":                                                                    {Model: User{}, Map: pk, Batch: signals.Batch{Delay: -1}},
		detail + "Batch: it has a Size and no Delay; set Delay":                                                                                      {Model: User{}, Map: pk, Batch: signals.Batch{Size: 3}},
		detail + "Batch: Inline work cannot wait; set Dispatcher to a Pool":                                                                          {Model: User{}, Map: pk, Batch: signals.Batch{Delay: time.Second}},
		detail + "OnError: there is no policy 7; use Report or Return":                                                                               {Model: User{}, Map: pk, OnError: 7},
		detail + "OnError: a pool's work ends after Publish has returned; use Report, or the Inline dispatcher":                                      {Model: User{}, Map: pk, OnError: signals.Return, Dispatcher: signals.NewPool(signals.PoolConfig{})},
		detail + "OnError: batched work ends after Publish has returned; use Report, or remove Batch":                                                {Model: User{}, Map: pk, OnError: signals.Return, Dispatcher: signals.Named("broker"), Batch: signals.Batch{Delay: 1}},
		detail + "Rewarm: UserDetail cannot rewarm; remove Rewarm":                                                                                   {Model: User{}, Map: pk, Rewarm: true},
	} {
		bus := signals.NewBus(signals.BusConfig{Dispatchers: map[string]signals.Dispatcher{
			"broker": signals.DispatcherFunc(nil), "loop": signals.Named("loop"), "none": nil,
		}})
		require.EqualError(t, bus.Bind(newRecorder(), rule), want)
		require.Empty(t, bus.Rules())
	}
}

func withModel(r signals.Rule, model any) signals.Rule { r.Model = model; return r }

func TestRewarmErrors(t *testing.T) {
	const detail = "signals: rule User->UserDetail: Rewarm: "
	response := newRecorder()
	response.info.RewarmWhy = "a response needs its request"
	mute := newRecorder()
	mute.info.Rewarm = true // and yet it is no Rewarmer
	for _, c := range []struct {
		want   string
		target signals.Target
		rule   signals.Rule
	}{
		{"UserDetail cannot rewarm: a response needs its request; remove Rewarm", response, mapped("pk", "ID")},
		{"UserDetail cannot rewarm; remove Rewarm", mute, mapped("pk", "ID")},
		{"Map does not fill every key field; map team, user.id, page too", newWarmer(), mapped("pk", "ID")},
		{"Map does not fill every key field; map pk, team, user.id, page too", newWarmer(), signals.Rule{Model: User{}, All: true}},
		{"Invalidate makes groups, no complete keys; use Map or On", newWarmer(), signals.Rule{Model: User{}, Invalidate: custom}},
	} {
		c.rule.Rewarm = true
		require.EqualError(t, signals.NewBus(signals.BusConfig{}).Bind(c.target, c.rule), detail+c.want)
	}
	onlyPage := signals.Rule{Model: User{}, Map: fields{"page": "Age"}, Rewarm: true}
	require.EqualError(t, signals.NewBus(signals.BusConfig{}).Bind(newWarmer(), onlyPage), strings.Join([]string{
		"signals: rule User->UserDetail: Map: it fills no partition field; map a partition field too, or set All",
		"signals: rule User->UserDetail: Rewarm: Map does not fill every key field; map pk, team, user.id too",
	}, "\n"))
}

func TestTargetErrors(t *testing.T) {
	type Key struct {
		A      int
		hidden int
		P      *struct{ B int }
	}
	field := func(name string, typ any, index ...int) signals.TargetField {
		f := signals.TargetField{Name: name, Index: index}
		if typ != nil {
			f.Type = typeOfValue(typ)
		}
		return f
	}
	key := func(fields ...signals.TargetField) signals.TargetInfo {
		return signals.TargetInfo{Name: "T", KeyType: typeOf[Key](), Fields: fields}
	}
	_ = Key{}.hidden
	for want, info := range map[string]signals.TargetInfo{
		`signals: target "": it has no name; name it in Describe`:                                                                        {KeyType: typeOf[Key]()},
		`signals: target "T": its key type <nil> is no struct; describe the key struct`:                                                  {Name: "T"},
		`signals: target "T": its key type int is no struct; describe the key struct`:                                                    {Name: "T", KeyType: typeOf[int]()},
		`signals: target "T": key field "a" is an int, not a string; describe the field's own type`:                                      key(field("a", "", 0)),
		`signals: target "T": key field "a" is an int, not a <nil>; describe the field's own type`:                                       key(field("a", nil, 0)),
		`signals: target "T": key field "a" is there twice; give each field a name of its own`:                                           key(field("a", 1, 0), field("a", 1, 0)),
		`signals: target "T": key field "a" has the index []: it is empty; describe where the field stands`:                              key(field("a", 1)),
		`signals: target "T": key field "a" has the index [9]: signals_test.Key has no such field; describe where the field stands`:      key(field("a", 1, 9)),
		`signals: target "T": key field "a" has the index [1]: signals_test.Key.hidden is not exported; describe where the field stands`: key(field("a", 1, 1)),
		`signals: target "T": key field "a" has the index [2 0]: *struct { B int } has no such field; describe where the field stands`:   key(field("a", 1, 2, 0)),
	} {
		require.EqualError(t, signals.NewBus(signals.BusConfig{}).Bind(&recorder{info: info}), want)
	}
	bus := signals.NewBus(signals.BusConfig{})
	require.EqualError(t, bus.Bind(nil), `signals: target "": it is nil; pass a cache`)
	require.EqualError(t, bus.Bind(sliced{nil}), `signals: target "UserDetail": a signals_test.sliced cannot be compared; pass a pointer`)

	require.NoError(t, bus.Bind(newRecorder()))
	require.NoError(t, bus.Bind(newRecorder()), "two caches may share a name")
	require.EqualError(t, bus.Bind(&recorder{info: describe[Key]("UserDetail")}),
		`signals: target "UserDetail": another target of this name has the key type signals_test.UserKey, not signals_test.Key; give it a name of its own`)
}

// sliced is a target that cannot be compared.
type sliced struct{ _ []int }

func (sliced) Describe() signals.TargetInfo                { return userTarget() }
func (sliced) Drop(context.Context, []signals.Group) error { return nil }

// All problems come at once, typed, and nothing is bound.
func TestBindIsAllOrNothing(t *testing.T) {
	bus := signals.NewBus(signals.BusConfig{})
	target := newRecorder()
	err := bus.Bind(target, mapped("pk", "ID"), mapped("pkk", "Id"), signals.Rule{Model: User{}, Map: fields{"pk": "Nmae"}, Watch: []string{"Nme"}})
	require.EqualError(t, err, strings.Join([]string{
		`signals: rule User->UserDetail#2: Map["pkk"]: UserKey has no key field "pkk"; did you mean "pk"?`,
		`signals: rule User->UserDetail#3: Map["pk"]: User has no field "Nmae"; did you mean "Name"?`,
		`signals: rule User->UserDetail#3: Watch: User has no field "Nme"; did you mean "Name"?`,
	}, "\n"))
	var problem *signals.BindError
	require.ErrorAs(t, err, &problem)
	require.Equal(t, &signals.BindError{
		Rule: "User->UserDetail#2", Target: "UserDetail", Field: `Map["pkk"]`,
		Problem: `UserKey has no key field "pkk"`, Mend: `did you mean "pk"?`,
	}, problem)

	require.NoError(t, bus.Publish(context.Background(), signals.Change{Op: signals.Create, New: user(1)}))
	require.Empty(t, target.take())
}

func TestBindAgainAddsRules(t *testing.T) {
	bus, target, _ := wire(t, mapped("pk", "ID"))
	require.NoError(t, bus.Bind(target, mapped("team", "TeamID"), signals.Rule{Model: Team{}, Map: fields{"team": "ID"}}))
	require.NoError(t, bus.Publish(context.Background(),
		signals.Change{Op: signals.Create, New: team(1, 2)},
		signals.Change{Op: signals.Create, New: &Team{ID: 2}},
		signals.Change{Op: signals.Create, New: &Team{ID: 3}},
	))
	require.Equal(t, []string{"pk=1 | team=2 | team=3"}, target.take(), "one drop per target, without duplicates")
}

func TestUnbind(t *testing.T) {
	bus, target, _ := wire(t, mapped("pk", "ID"))
	other := newRecorder()
	require.NoError(t, bus.Bind(other, mapped("pk", "ID")))
	bus.Unbind(target)
	require.NoError(t, bus.Publish(context.Background(), signals.Change{Op: signals.Create, New: user(1)}))
	require.Empty(t, target.take())
	require.Equal(t, []string{"pk=1"}, other.take())
	bus.Unbind(other)
	require.Empty(t, bus.Models())
	require.Empty(t, bus.Rules())
}
