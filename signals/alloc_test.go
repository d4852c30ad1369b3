package signals_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/signals"
)

// What a writer pays is a promise, and allocations are the part of it that can be counted.
func TestAllocations(t *testing.T) {
	bus := signals.NewBus(signals.BusConfig{})
	watching := signals.Rule{Model: User{}, Map: fields{"pk": "ID"}, Watch: []string{"Name"}}
	require.NoError(t, bus.Bind(&nothing{userTarget()}, watching))
	ctx := context.Background()
	publish := func(c signals.Change) func() {
		return func() { _ = bus.Publish(ctx, c) }
	}
	team, user := typeOf[Team](), user(1)
	for _, c := range []struct {
		name string
		max  float64
		run  func()
	}{
		{"asking for a model without rules", 0, func() { bus.Wants(team) }},
		{"publishing one", 0, publish(signals.Change{Op: signals.Create, New: &Team{}})},
		{"a rule that does not fire: the context", 1, publish(signals.Change{Op: signals.Update, New: user, Fields: []string{"Age"}})},
		{"one that does: two contexts, the key, the groups", 4, publish(signals.Change{Op: signals.Create, New: user})},
		{"previous and new value: another key and its group", 6, publish(signals.Change{Op: signals.Update, New: user, Old: &User{Base: Base{ID: 2}}})},
	} {
		c.run() // fills the pool
		require.LessOrEqual(t, testing.AllocsPerRun(100, c.run), c.max+allocSlack, c.name)
	}
}
