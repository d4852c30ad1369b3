package restflow_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/signals"
)

type invoice struct {
	Team, Year int
	Paid       bool
}

type invoiceKey struct {
	Team int `restflow:"arg,team,partition"`
	Year int `restflow:"arg,year,partition"`
}

// ledger counts paid invoices, with a rule that renews the count when one changes.
type ledger struct {
	bus    *signals.Bus
	counts *restflow.Func[invoiceKey, int]
	runs   int
	paid   int
	fail   error
	failed []string // what the bus was told
	ev     events
}

func newLedger(t *testing.T, s *restflow.Store, rule signals.Rule) *ledger {
	t.Helper()
	l := &ledger{}
	l.bus = signals.NewBus(signals.BusConfig{OnError: func(_ context.Context, err error) { l.failed = append(l.failed, err.Error()) }})
	var err error
	l.counts, err = restflow.NewFunc(restflow.FuncConfig[int]{
		Store: s, Namespace: "Paid", Name: "paid", Bus: l.bus, InvalidatesOn: []signals.Rule{rule}, OnEvent: l.ev.on,
	}, func(context.Context, invoiceKey) (int, error) {
		l.runs++
		return l.paid, l.fail
	})
	require.NoError(t, err)
	return l
}

func (l *ledger) commit(t *testing.T, changes ...signals.Change) {
	t.Helper()
	ctx, tx := signals.Begin(t.Context(), l.bus)
	tx.Add(changes...)
	require.NoError(t, tx.Commit(ctx))
}

func pay(team int) signals.Change {
	return signals.Change{Op: signals.Update, Old: &invoice{Team: team, Year: 2026}, New: &invoice{Team: team, Year: 2026, Paid: true}}
}

var renews = signals.Rule{Model: invoice{}, Map: map[string]string{"team": "Team", "year": "Year"}, Rewarm: true}

func TestARuleRenewsWhatItDrops(t *testing.T) {
	onStores(t, func(t *testing.T, s *restflow.Store) {
		l := newLedger(t, s, renews)
		one, two := invoiceKey{1, 2026}, invoiceKey{2, 2026}
		for _, k := range []invoiceKey{one, two} {
			_, err := l.counts.Call(t.Context(), k)
			require.NoError(t, err)
		}
		l.paid = 5
		l.commit(t, pay(1), pay(1)) // the same instance twice
		require.Equal(t, 3, l.runs, "once for each key of the commit")

		v, m, err := l.counts.Peek(t.Context(), one)
		require.NoError(t, err)
		require.Equal(t, 5, v)
		require.Equal(t, restflow.Hit, m.Status)
		v, _, err = l.counts.Peek(t.Context(), two)
		require.NoError(t, err)
		require.Equal(t, 0, v, "the other team's is untouched")
		require.Empty(t, l.failed)
		require.Equal(t, []string{"MISS stored", "MISS stored", "REFRESH alone stored"}, l.ev.take())
	})
}

func TestARenewalThatFailsLeavesTheInvalidation(t *testing.T) {
	onStores(t, func(t *testing.T, s *restflow.Store) {
		l := newLedger(t, s, renews)
		_, err := l.counts.Call(t.Context(), invoiceKey{1, 2026})
		require.NoError(t, err)
		l.fail = errors.New("the database is away")
		l.commit(t, pay(1))
		require.Equal(t, []string{"signals: invoice->Paid: rewarm: restflow: rewarm: the database is away"}, l.failed)
		_, err = l.counts.Metadata(t.Context(), invoiceKey{1, 2026})
		require.ErrorIs(t, err, restflow.ErrMiss)
		l.fail, l.paid = nil, 7
		v, err := l.counts.Call(t.Context(), invoiceKey{1, 2026})
		require.NoError(t, err)
		require.Equal(t, 7, v)
	})
}

func TestARollbackRenewsNothing(t *testing.T) {
	l := newLedger(t, memoryFor(t), renews)
	_, err := l.counts.Call(t.Context(), invoiceKey{1, 2026})
	require.NoError(t, err)
	_, tx := signals.Begin(t.Context(), l.bus)
	tx.Add(pay(1))
	tx.Rollback()
	require.Equal(t, 1, l.runs)
	_, err = l.counts.Metadata(t.Context(), invoiceKey{1, 2026})
	require.NoError(t, err)
}

func TestRulesWithoutRewarmOnlyDrop(t *testing.T) {
	rule := signals.Rule{Model: invoice{}, Map: map[string]string{"team": "Team"}}
	l := newLedger(t, memoryFor(t), rule)
	for _, k := range []invoiceKey{{1, 2025}, {1, 2026}, {2, 2026}} {
		_, err := l.counts.Call(t.Context(), k)
		require.NoError(t, err)
	}
	l.commit(t, pay(1))
	require.Equal(t, 3, l.runs)
	for k, left := range map[invoiceKey]bool{{1, 2025}: false, {1, 2026}: false, {2, 2026}: true} {
		_, err := l.counts.Metadata(t.Context(), k)
		require.Equal(t, left, err == nil, k)
	}
}

func TestRewarmTakesOnlyItsOwnKeys(t *testing.T) {
	l := newLedger(t, memoryFor(t), renews)
	target := l.counts.Target().(signals.Rewarmer)
	require.EqualError(t, target.Rewarm(t.Context(), []any{&sum{}, (*invoiceKey)(nil), &invoiceKey{1, 2026}}),
		"restflow: rewarm: got a *restflow_test.sum, want a *restflow_test.invoiceKey that is not nil\nrestflow: rewarm: got a *restflow_test.invoiceKey, want a *restflow_test.invoiceKey that is not nil")
	require.Equal(t, 1, l.runs)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.EqualError(t, target.Rewarm(ctx, []any{&invoiceKey{}, &invoiceKey{}}),
		"restflow: 2 of 2 results were not computed again: context canceled")
	require.Equal(t, 1, l.runs)
}

func TestFuncDescribesItself(t *testing.T) {
	l := newLedger(t, memoryFor(t), renews)
	info := l.counts.Target().Describe()
	require.Equal(t, "Paid", info.Name)
	require.True(t, info.Rewarm)
	require.Empty(t, info.RewarmWhy)
	require.Len(t, info.Fields, 2)
	require.Contains(t, l.bus.Rules().String(), "Paid")
}
