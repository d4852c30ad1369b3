package signals_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/signals"
)

// Node is a model whose relations nest.
type Node struct {
	ID     uint
	Parent *Node
	At     time.Time
	Gone   sql.NullTime
	Nick   *string
	Coupon Coupon
}

// Coupon looks like a sql.Null, but is none.
type Coupon struct {
	Code  string
	Valid bool
}

func nodeTarget(t *testing.T, rule signals.Rule) (*signals.Bus, *recorder) {
	t.Helper()
	type Key struct {
		Root uint
		At   time.Time
	}
	bus := signals.NewBus(signals.BusConfig{})
	target := &recorder{info: describe[Key]("Tree", "Root:root*", "At:at*")}
	require.NoError(t, bus.Bind(target, rule))
	return bus, target
}

// A queued instance is copied through every pointer that a rule follows.
func TestTxCopiesNestedRelations(t *testing.T) {
	bus, target := nodeTarget(t, signals.Rule{Model: Node{}, Map: fields{"root": "Parent.Parent.ID"}, When: map[string]any{"!Nick": "x", "Parent.Nick": nil}})
	ctx, tx := signals.Begin(context.Background(), bus)
	n := &Node{ID: 1, Parent: &Node{ID: 2, Parent: &Node{ID: 3}}, Nick: new("a")}
	tx.Add(signals.Change{Op: signals.Create, New: n})
	n.Parent.Parent.ID, *n.Nick, n.Parent.Nick = 9, "x", new("y")
	n.Parent = nil
	tx.Add(signals.Change{Op: signals.Create, New: n}) // the path ends early now, and no condition holds
	require.NoError(t, tx.Commit(ctx))
	require.Equal(t, []string{"root=3"}, target.take())
}

// Watched values are compared by what they mean: moments, not their spelling; pointees, not
// addresses.
func TestWatchedValuesAreComparedByMeaning(t *testing.T) {
	at := time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
	elsewhere := at.In(time.FixedZone("X", 3600))
	rule := signals.Rule{Model: Node{}, Map: fields{"root": "ID"}, Watch: []string{"At", "Gone", "Nick", "Parent", "Coupon"}}
	bus, target := nodeTarget(t, rule)
	null := func(at time.Time, valid bool) sql.NullTime { return sql.NullTime{Time: at, Valid: valid} }
	for name, c := range map[string]struct {
		a, b  Node
		fires bool
	}{
		"one moment":            {Node{At: at}, Node{At: elsewhere}, false},
		"two moments":           {Node{At: at}, Node{At: at.Add(1)}, true},
		"one nullable moment":   {Node{Gone: null(at, true)}, Node{Gone: null(elsewhere, true)}, false},
		"two nullable moments":  {Node{Gone: null(at, true)}, Node{Gone: null(at.Add(1), true)}, true},
		"null and not null":     {Node{Gone: null(at, true)}, Node{Gone: null(at, false)}, true},
		"null is null":          {Node{Gone: null(at, false)}, Node{}, false},
		"equal codes":           {Node{Coupon: Coupon{"a", false}}, Node{Coupon: Coupon{"a", false}}, false},
		"codes that differ":     {Node{Coupon: Coupon{"a", true}}, Node{Coupon: Coupon{"b", true}}, true},
		"codes of no validity":  {Node{Coupon: Coupon{"a", false}}, Node{Coupon: Coupon{"b", false}}, true},
		"validity":              {Node{Coupon: Coupon{"a", false}}, Node{Coupon: Coupon{"a", true}}, true},
		"equal pointees":        {Node{Nick: new("a")}, Node{Nick: new("a")}, false},
		"different pointees":    {Node{Nick: new("a")}, Node{Nick: new("b")}, true},
		"nil and empty":         {Node{Nick: new("")}, Node{}, true},
		"equal structs":         {Node{Parent: &Node{ID: 1}}, Node{Parent: &Node{ID: 1}}, false},
		"structs that differ":   {Node{Parent: &Node{ID: 1}}, Node{Parent: &Node{ID: 2}}, true},
		"nil and a zero struct": {Node{Parent: &Node{}}, Node{}, true},
	} {
		require.NoError(t, bus.Publish(context.Background(), signals.Change{Op: signals.Update, New: &c.a, Old: &c.b}))
		require.Equal(t, c.fires, len(target.take()) > 0, name)
	}
}

// Moments are told apart as finely as a key could spell them.
func TestMomentsInKeys(t *testing.T) {
	bus, target := nodeTarget(t, signals.Rule{Model: Node{}, Map: fields{"at": "At", "root": "ID"}})
	at := func(offset int) time.Time { return time.Date(2024, 1, 2, 3, 4, 5, 0, time.FixedZone("X", offset)) }
	for name, c := range map[string]struct {
		a, b   time.Time
		groups int
	}{
		"the same":             {at(0), at(0), 1},
		"a nanosecond later":   {at(0), at(0).Add(1), 2},
		"in another time zone": {at(0), at(0).In(time.FixedZone("X", 3600)), 2},
		"a second further off": {at(3600), at(3601), 2},
	} {
		require.NoError(t, bus.Publish(context.Background(),
			signals.Change{Op: signals.Create, New: &Node{At: c.a}}, signals.Change{Op: signals.Create, New: &Node{At: c.b}}))
		require.Len(t, target.sorted(), c.groups, name)
	}
}

// Ring is a key field that leads back to itself: it cannot be told apart, so nothing is merged.
type Ring struct{ Next *Ring }

func TestKeysWithoutEnd(t *testing.T) {
	type Key struct {
		R [1]*Ring
		S []any
	}
	ring := &Ring{}
	ring.Next = ring
	bus := signals.NewBus(signals.BusConfig{})
	target := &counter{info: describe[Key]("Rings", "R:r*", "S:s*")}
	require.NoError(t, bus.Bind(target,
		signals.On(func(*User) Key { return Key{R: [1]*Ring{ring}} }, "r"),
		signals.On(func(*User) Key { return Key{S: []any{1}} }, "s")))
	require.NoError(t, bus.Publish(context.Background(), created(1, 2)...))
	require.Equal(t, 4, target.groups)
}

// counter only counts groups.
type counter struct {
	info   signals.TargetInfo
	groups int
}

func (c *counter) Describe() signals.TargetInfo { return c.info }

func (c *counter) Drop(_ context.Context, groups []signals.Group) error {
	c.groups += len(groups)
	return nil
}

func TestRewarmedKeysThatCannotTravel(t *testing.T) {
	type Key struct {
		PK int64
		C  complex128
	}
	var sent error
	rule := signals.On(func(*User) Key { return Key{} }, "pk")
	rule.Rewarm = true
	rule.Dispatcher = signals.DispatcherFunc(func(ctx context.Context, j signals.Job) error {
		_, sent = json.Marshal(j)
		return j.Run(ctx)
	})
	w := &warmer{recorder: &recorder{info: describe[Key]("T", "PK:pk*", "C:c")}}
	w.info.Rewarm = true
	bus := signals.NewBus(signals.BusConfig{})
	require.NoError(t, bus.Bind(w, rule))
	require.NoError(t, bus.Publish(context.Background(), created(1)...))
	require.ErrorContains(t, sent, `signals: job for "T": key field "c": json: unsupported type: complex128`)
	require.Equal(t, []string{"{PK:0 C:(0+0i)}"}, w.rewarmed)
}

// A job that asks for rewarming may reach a process whose target cannot.
func TestJobsForTargetsThatCannotRewarm(t *testing.T) {
	heard := &reports{}
	bus := signals.NewBus(heard.config())
	target := newRecorder()
	require.NoError(t, bus.Bind(target))
	job, err := bus.DecodeJob([]byte(`{"target":"UserDetail","groups":[{"all":true}],"rewarm":[{"pk":1,"team":2,"user.id":"n","page":3}]}`))
	require.NoError(t, err)
	require.NoError(t, job.Run(context.Background()))
	require.Equal(t, []string{"all"}, target.take())
	require.Equal(t, []string{"signals: UserDetail: rewarm: the target cannot rewarm"}, heard.take())
}
