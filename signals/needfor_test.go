package signals_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/signals"
)

type needRow struct {
	ID, Team    int64
	Name, Other string
}

type needKey struct{ PK, Team int64 }

type needTarget struct{}

func (*needTarget) Describe() signals.TargetInfo {
	id := reflect.TypeFor[int64]()
	return signals.TargetInfo{Name: "t", KeyType: reflect.TypeFor[needKey](), Fields: []signals.TargetField{
		{Name: "pk", Type: id, Partition: true, Index: []int{0}},
		{Name: "team", Type: id, Partition: true, Index: []int{1}},
	}}
}

func (*needTarget) Drop(context.Context, []signals.Group) error { return nil }

func TestNeedForCountsOnlyRulesThatCanFire(t *testing.T) {
	bus := signals.NewBus(signals.BusConfig{})
	row := reflect.TypeFor[needRow]()
	empty := bus.Generation()
	_, ok := bus.NeedFor(row, signals.Update, nil)
	require.False(t, ok)
	require.NoError(t, bus.Bind(&needTarget{},
		signals.Rule{Model: needRow{}, Name: "one", Map: map[string]string{"pk": "ID"}, Watch: []string{"Name"}},
		signals.Rule{Model: needRow{}, Name: "list", Map: map[string]string{"team": "Team"}, Ops: signals.Update | signals.Delete, Watch: []string{"Team"}}))
	require.NotEqual(t, empty, bus.Generation())
	for _, c := range []struct {
		op     signals.Op
		fields []string
		want   []string
	}{
		{signals.Update, []string{"Name"}, []string{"ID", "Name"}},
		{signals.Update, []string{"Team"}, []string{"Team"}},
		{signals.Update, []string{"Other"}, nil},
		{signals.Update, []string{}, nil},
		{signals.Update, nil, []string{"ID", "Name", "Team"}},
		{signals.Update, []string{"unknown"}, []string{"ID", "Name", "Team"}},
		{signals.Create, nil, []string{"ID", "Name"}},
		{signals.Delete, nil, []string{"ID", "Name", "Team"}},
	} {
		need, ok := bus.NeedFor(row, c.op, c.fields)
		require.Equal(t, c.want, need.Fields, "%v %v", c.op, c.fields)
		require.Equal(t, c.want != nil, ok)
	}
	cancel := bus.Subscribe(func(context.Context, []signals.Change) {})
	defer cancel()
	need, ok := bus.NeedFor(row, signals.Update, []string{"Other"})
	require.True(t, ok)
	require.Equal(t, signals.Need{Ops: signals.AnyOp, Subscribed: true}, need)
}
