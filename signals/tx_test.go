package signals_test

import (
	"context"
	"database/sql"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/signals"
)

func TestTx(t *testing.T) {
	bus, target, _ := wire(t, mapped("pk", "ID"))
	outside := context.Background()

	ctx, tx := signals.Begin(outside, bus)
	require.Same(t, tx, signals.FromContext(ctx))
	require.Nil(t, signals.FromContext(outside))
	require.NoError(t, signals.Publish(ctx, bus, created(1)...))
	require.NoError(t, signals.Publish(ctx, bus, created(2, 1)...))
	require.Equal(t, 3, tx.Len())
	require.Empty(t, target.take(), "nothing before the commit")
	require.NoError(t, signals.Publish(outside, bus, created(9)...))
	require.Equal(t, []string{"pk=9"}, target.take(), "other contexts are not in the transaction")
	require.NoError(t, tx.Commit(ctx))
	require.Equal(t, []string{"pk=1 | pk=2"}, target.take())
	require.Zero(t, tx.Len())

	tx.Rollback()
	require.ErrorIs(t, tx.Commit(ctx), signals.ErrTxDone)
	require.EqualError(t, tx.Commit(ctx), "signals: transaction is already committed or rolled back")
	require.Empty(t, target.take())

	require.NoError(t, signals.Publish(ctx, bus, created(3)...))
	require.Equal(t, []string{"pk=3"}, target.take(), "a Tx that has ended holds nothing back")
	tx.Add(created(4)...)
	require.Equal(t, []string{"pk=4"}, target.take())
}

func TestRollback(t *testing.T) {
	bus, target, _ := wire(t, mapped("pk", "ID"))
	ctx, tx := signals.Begin(context.Background(), bus)
	tx.Add(created(1)...)
	tx.Rollback()
	tx.Rollback()
	require.ErrorIs(t, tx.Commit(ctx), signals.ErrTxDone)
	require.NoError(t, bus.Close(context.Background()))
	require.Empty(t, target.take())
}

// A commit whose context has ended publishes all the same.
func TestCommitOutlivesItsContext(t *testing.T) {
	bus, target, _ := wire(t, mapped("pk", "ID"))
	ctx, cancel := context.WithCancel(context.Background())
	ctx, tx := signals.Begin(ctx, bus)
	tx.Add(created(1)...)
	cancel()
	require.NoError(t, tx.Commit(ctx))
	require.Equal(t, []string{"pk=1"}, target.take())
}

// Each line is a conversation: b(egin), a number is a write, c(ommit), r(ollback), each on the
// innermost transaction, and what is dropped in the end.
func TestSavepoints(t *testing.T) {
	for _, c := range []struct {
		script string
		drops  []string
	}{
		{"b1b2cc", []string{"pk=1 | pk=2"}},
		{"b1b2rc", []string{"pk=1"}},
		{"b1b2r3c", []string{"pk=1 | pk=3"}},
		{"b1b2cr", nil},
		{"bb1cb2rb3cc", []string{"pk=1 | pk=3"}},
		{"bbb1ccc", []string{"pk=1"}},
		{"bbb1crc", nil},
		{"bbb1rcc", nil},
		{"bc", nil},
		{"b1cb2c", []string{"pk=1", "pk=2"}},
	} {
		t.Run(c.script, func(t *testing.T) {
			bus, target, _ := wire(t, mapped("pk", "ID"))
			type level struct {
				ctx context.Context
				tx  *signals.Tx
			}
			levels := []level{{ctx: context.Background()}}
			for _, step := range c.script {
				last := levels[len(levels)-1]
				switch step {
				case 'b':
					ctx, tx := signals.Begin(last.ctx, bus)
					levels = append(levels, level{ctx, tx})
				case 'c':
					require.NoError(t, last.tx.Commit(last.ctx))
					levels = levels[:len(levels)-1]
				case 'r':
					last.tx.Rollback()
					levels = levels[:len(levels)-1]
				default:
					require.NoError(t, signals.Publish(last.ctx, bus, created(int64(step-'0'))...))
				}
			}
			require.Equal(t, c.drops, target.take())
		})
	}
}

func TestSavepointsThatOutliveTheirTransaction(t *testing.T) {
	bus, target, _ := wire(t, mapped("pk", "ID"))
	begin := func() (ctx context.Context, outer, inner *signals.Tx) {
		ctx, outer = signals.Begin(context.Background(), bus)
		ctx, inner = signals.Begin(ctx, bus)
		inner.Add(created(1)...)
		return ctx, outer, inner
	}
	ctx, outer, inner := begin()
	outer.Rollback()
	require.ErrorIs(t, inner.Commit(ctx), signals.ErrTxDone)
	require.Empty(t, target.take())

	ctx, outer, inner = begin()
	require.NoError(t, outer.Commit(ctx))
	require.NoError(t, inner.Commit(ctx))
	require.Equal(t, []string{"pk=1"}, target.take(), "rather too much than lost")

	ctx, outer, inner = begin()
	inner.Rollback()
	require.NoError(t, signals.Publish(ctx, bus, created(2)...), "the context still carries the inner one")
	require.NoError(t, outer.Commit(ctx))
	require.Equal(t, []string{"pk=2"}, target.take())
}

func TestBusesDoNotMix(t *testing.T) {
	one, first, _ := wire(t, mapped("pk", "ID"))
	two, second, _ := wire(t, mapped("pk", "ID"))
	ctx, tx := signals.Begin(context.Background(), one)
	ctx, other := signals.Begin(ctx, two)
	require.NoError(t, signals.Publish(ctx, one, created(1)...))
	require.NoError(t, signals.Publish(ctx, two, created(2)...))
	require.NoError(t, other.Commit(ctx))
	require.Equal(t, []string{"pk=2"}, second.take(), "no savepoint of another bus's transaction")
	tx.Rollback()
	require.Empty(t, first.take())
}

// What a writer does with its instance after the statement does not matter.
func TestTxCopiesInstances(t *testing.T) {
	rule := signals.Rule{Model: User{}, Map: fields{"pk": "ID", "team": "TeamID", "user.id": "Owner.ID"}, When: map[string]any{"Alias": "x"}}
	bus, target, _ := wire(t, rule)
	ctx, tx := signals.Begin(context.Background(), bus)
	u := team(1, 2)
	u.Owner, u.Alias = &Owner{ID: 3}, sql.NullString{String: "x", Valid: true}
	tx.Add(signals.Change{Op: signals.Create, New: u}, signals.Change{Op: signals.Delete, Old: *u})
	u.ID, *u.TeamID, u.Owner.ID, u.Alias.String = 7, 7, 7, "y"
	require.NoError(t, tx.Commit(ctx))
	require.Equal(t, []string{"pk=1 team=2 user.id=3"}, target.take())
}

// A caller may go on using its instance, and what its slices and maps hold.
func TestTxCopiesSlicesAndMaps(t *testing.T) {
	type Doc struct {
		ID   net.IP
		Tags *[]string
		Meta map[string]int
		None []string
		Any  any
	}
	type Key struct {
		ID   net.IP
		Tags []string
		Meta map[string]int
		None []string
		Any  any
	}
	target := &recorder{info: describe[Key]("Docs", "ID:id*", "Tags:tags*", "Meta:meta*", "None:none*", "Any:any*")}
	bus := signals.NewBus(signals.BusConfig{})
	require.NoError(t, bus.Bind(target, signals.Rule{Model: Doc{}, Map: fields{"id": "ID", "tags": "Tags", "meta": "Meta", "none": "None", "any": "Any"}}))
	ctx, tx := signals.Begin(context.Background(), bus)
	d := &Doc{ID: net.IP{10, 0, 0, 1}, Tags: &[]string{"a"}, Meta: map[string]int{"n": 1}, Any: 1}
	tx.Add(signals.Change{Op: signals.Delete, Old: d})
	d.ID[3], (*d.Tags)[0], d.Meta["n"] = 9, "b", 2
	require.NoError(t, tx.Commit(ctx))
	require.Equal(t, []string{"id=10.0.0.1 tags=[a] meta=map[n:1] none=[] any=1"}, target.take())
}

func TestTxIsBounded(t *testing.T) {
	heard := &reports{}
	config := heard.config()
	config.MaxQueued = 3
	bus := signals.NewBus(config)
	target := newRecorder()
	rule := mapped("pk", "ID")
	rule.Watch = []string{"Name"}
	require.NoError(t, bus.Bind(target, rule, signals.Rule{Model: Team{}, Map: fields{"team": "ID"}}))
	var seen []string
	bus.Subscribe(func(_ context.Context, changes []signals.Change) {
		seen = nil
		for _, c := range changes {
			seen = append(seen, c.String())
		}
	})
	saved := func(field string) signals.Change {
		return signals.Change{Op: signals.Update, New: user(1), Fields: []string{field}}
	}
	commit := func(changes ...signals.Change) {
		ctx, tx := signals.Begin(context.Background(), bus)
		tx.Add(changes...)
		require.NoError(t, tx.Commit(ctx))
	}
	commit(saved("Name"), saved("Name"), saved("Name"))
	require.Equal(t, []string{"update User{Name}", "update User{Name}", "update User{Name}"}, seen)
	require.Equal(t, []string{"pk=1"}, target.take())

	commit(saved("Name"), signals.Change{Op: signals.Create, New: &Team{ID: 4}}, saved("Name"), saved("Age"), saved("Email"), saved("Age"))
	require.Equal(t, []string{"create Team", "update User{Email,Name,Age} in bulk"}, seen)
	require.Equal(t, []string{"all"}, target.take())

	commit(saved("Age"), saved("Age"), saved("Age"), saved("Age"))
	require.Equal(t, []string{"update User{Age} in bulk"}, seen)
	require.Empty(t, target.take(), "the bulk change still knows that nothing watched was set")

	commit(saved("Age"), saved("Age"), saved("Age"), signals.Change{Op: signals.Delete, Old: user(1)})
	require.Equal(t, []string{"update|delete User in bulk"}, seen)
	require.Equal(t, []string{"all"}, target.take())

	ctx, outer := signals.Begin(context.Background(), bus)
	outer.Add(saved("Name"), saved("Name"))
	_, inner := signals.Begin(ctx, bus)
	inner.Add(saved("Name"), saved("Name"))
	require.NoError(t, inner.Commit(ctx))
	require.Equal(t, 1, outer.Len(), "the limit holds for both together")
	require.NoError(t, outer.Commit(ctx))
	require.Equal(t, []string{"all"}, target.take())
}

// A rule that is bound while a transaction runs hears of what that changed before.
func TestRulesBoundDuringATransaction(t *testing.T) {
	bus := signals.NewBus(signals.BusConfig{})
	ctx, tx := signals.Begin(context.Background(), bus)
	tx.Add(created(1, 2)...)
	require.Equal(t, 1, tx.Len(), "nobody listened, so only the fact was kept")
	target := newRecorder()
	require.NoError(t, bus.Bind(target, mapped("pk", "ID")))
	require.NoError(t, tx.Commit(ctx))
	require.Equal(t, []string{"all"}, target.take())
}
