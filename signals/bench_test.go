package signals_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/restflow-go/restflow/signals"
)

// BenchmarkPublish is a commit of one change with one matching rule against a target that does
// nothing.
func BenchmarkPublish(b *testing.B) {
	user, moved := &User{Base: Base{ID: 42}, TeamID: new(int64(7))}, &User{Base: Base{ID: 42}, TeamID: new(int64(8))}
	cases := []struct {
		name   string
		rule   signals.Rule
		change signals.Change
	}{
		{"create", mapped("pk", "ID"), signals.Change{Op: signals.Create, New: user}},
		{"update", mapped("pk", "ID"), signals.Change{Op: signals.Update, New: user, Fields: []string{"Name"}}},
		{"update with a previous value", mapped("pk", "ID"), signals.Change{Op: signals.Update, New: user, Old: user}},
		{"move", mapped("team", "TeamID"), signals.Change{Op: signals.Update, New: user, Old: moved}},
		{
			"watched, unchanged",
			signals.Rule{Model: User{}, Map: map[string]string{"pk": "ID"}, Watch: []string{"Name"}},
			signals.Change{Op: signals.Update, New: user, Fields: []string{"Email"}},
		},
		{
			"typed", signals.On(func(u *User) UserKey { return UserKey{PK: u.ID} }, "pk"),
			signals.Change{Op: signals.Create, New: user},
		},
		{"model without rules", mapped("pk", "ID"), signals.Change{Op: signals.Create, New: &Team{}}},
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			bus := signals.NewBus(signals.BusConfig{})
			if err := bus.Bind(&nothing{userTarget()}, c.rule); err != nil {
				b.Fatal(err)
			}
			ctx := context.Background()
			b.ReportAllocs()
			for b.Loop() {
				if err := bus.Publish(ctx, c.change); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkTx is a transaction of 10,000 saved rows: one drop.
func BenchmarkTx(b *testing.B) {
	bus := signals.NewBus(signals.BusConfig{})
	if err := bus.Bind(&nothing{userTarget()}, mapped("pk", "ID")); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		ctx, tx := signals.Begin(context.Background(), bus)
		for i := range 10_000 {
			_ = signals.Publish(ctx, bus, signals.Change{Op: signals.Create, New: user(int64(i))})
		}
		if err := tx.Commit(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWants(b *testing.B) {
	bus := signals.NewBus(signals.BusConfig{})
	if err := bus.Bind(&nothing{userTarget()}, mapped("pk", "ID")); err != nil {
		b.Fatal(err)
	}
	model := reflect.TypeFor[Team]()
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := bus.Wants(model); ok {
			b.Fatal("no rule listens to Team")
		}
	}
}

// nothing is a target that drops in no time.
type nothing struct{ signals.TargetInfo }

func (n *nothing) Describe() signals.TargetInfo                { return n.TargetInfo }
func (n *nothing) Drop(context.Context, []signals.Group) error { return nil }
