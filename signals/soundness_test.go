package signals_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/signals"
)

// A row has few values, so that random rows often agree.
type Row struct {
	A, B, C int64
	N       *int64
}

type RowKey struct{ A, B, N int64 }

var rowFields = []string{"A", "B", "C", "N"}

func randomRow(r *rand.Rand) Row {
	row := Row{A: r.Int64N(3), B: r.Int64N(3), C: r.Int64N(3)}
	if r.IntN(2) > 0 {
		row.N = new(r.Int64N(3))
	}
	return row
}

func (r Row) get(field string) any {
	switch field {
	case "A":
		return r.A
	case "B":
		return r.B
	case "C":
		return r.C
	}
	if r.N == nil {
		return nil
	}
	return *r.N
}

// hide makes what a source with partial knowledge tells of a row: the listed fields are true, the
// others are rubbish.
func hide(r *rand.Rand, row Row) (*Row, []string) {
	switch r.IntN(3) {
	case 0:
		return nil, nil
	case 1:
		return &row, nil
	}
	known, told := []string{}, randomRow(r)
	for _, f := range rowFields {
		if r.IntN(2) == 0 {
			continue
		}
		known = append(known, f)
		switch f {
		case "A":
			told.A = row.A
		case "B":
			told.B = row.B
		case "C":
			told.C = row.C
		case "N":
			told.N = row.N
		}
	}
	return &told, known
}

// setFields is what a statement may honestly say that it set: all that changed, and perhaps more.
func setFields(r *rand.Rand, old, now Row) []string {
	if r.IntN(3) == 0 {
		return nil
	}
	set := []string{}
	for _, f := range rowFields {
		if old.get(f) != now.get(f) || r.IntN(3) == 0 {
			set = append(set, f)
		}
	}
	return set
}

// Whatever a source leaves out, a rule drops every entry that depends on the old or the new row:
// the package's promise, checked against the plain definition of a rule.
func TestUnknownNeverNarrows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	fired, narrow := 0, 0
	for i := range 20_000 {
		rule, spec := randomRule(r)
		bus := signals.NewBus(signals.BusConfig{})
		target := &collector{info: describe[RowKey]("Rows", "A:a*", "B:b*", "N:n*")}
		require.NoError(t, bus.Bind(target, rule))
		old, now := randomRow(r), randomRow(r)
		if r.IntN(2) == 0 { // most updates change little
			now = old
			now.C = r.Int64N(3)
		}
		c := randomChange(r, old, now)
		want := spec.entries(c.Op, old, now)
		require.NoError(t, bus.Publish(context.Background(), c))
		for _, entry := range want {
			require.True(t, target.covers(entry), "%d: %+v\n%s %+v -> %+v told as %+v %+v\nentry %v, dropped %v",
				i, spec, c, show(old), show(now), c.Old, c.New, entry, target.groups)
		}
		if len(want) > 0 {
			fired++
			if !target.covers(map[string]any{}) {
				narrow++
			}
		}
	}
	require.Greater(t, fired, 5_000, "the test must not be idle")
	require.Greater(t, narrow, 1_500, "nor be satisfied by dropping everything")
}

func show(r Row) string {
	return fmt.Sprintf("{A:%v B:%v C:%v N:%v}", r.get("A"), r.get("B"), r.get("C"), r.get("N"))
}

func randomChange(r *rand.Rand, old, now Row) signals.Change {
	c := signals.Change{Model: typeOf[Row](), Op: []signals.Op{signals.Create, signals.Update, signals.Update, signals.Update, signals.Delete}[r.IntN(5)]}
	if c.Op != signals.Delete {
		if told, known := hide(r, now); told != nil {
			c.New, c.NewFields = told, known
		}
	}
	if c.Op != signals.Create {
		if told, known := hide(r, old); told != nil {
			c.Old, c.OldFields = told, known
		}
	}
	if c.Op == signals.Update {
		c.Fields = setFields(r, old, now)
	}
	return c
}

// spec is a rule in plain terms.
type spec struct {
	mapped map[string]string
	watch  []string
	moves  []string // what tells that a row moves from one group to another
	when   map[string]int64
	ops    signals.Op
}

func randomRule(r *rand.Rand) (signals.Rule, spec) {
	s := spec{mapped: map[string]string{}, ops: signals.AnyOp}
	for len(s.mapped) == 0 {
		for key, field := range map[string]string{"a": "A", "b": "B", "n": "N"} {
			if r.IntN(2) == 0 {
				s.mapped[key] = field
			}
		}
	}
	s.moves = slices.Collect(maps.Values(s.mapped))
	if r.IntN(2) == 0 {
		s.watch = []string{rowFields[r.IntN(4)]}
	}
	rule := signals.Rule{Model: Row{}, Map: s.mapped, Watch: s.watch}
	if r.IntN(3) == 0 {
		s.when = map[string]int64{"B": r.Int64N(3)}
		s.moves = append(s.moves, "B")
		rule.When = map[string]any{"B": s.when["B"]}
	}
	if r.IntN(3) == 0 {
		s.mapped = map[string]string{"a": "A", "b": "B"}
		typed := signals.On(func(row *Row) RowKey { return RowKey{A: row.A, B: row.B} }, "a", "b")
		typed.Watch, typed.When = rule.Watch, rule.When
		s.moves = slices.Collect(maps.Keys(typed.When))
		if r.IntN(2) == 0 {
			typed.Reads = []string{"A", "B"}
			s.moves = append(s.moves, typed.Reads...)
		}
		rule = typed
	}
	return rule, s
}

// entries are the entries that must go: the mapped values of each row that the operation concerns.
func (s spec) entries(op signals.Op, old, now Row) []map[string]any {
	var rows []Row
	if op != signals.Delete {
		rows = append(rows, now)
	}
	if op != signals.Create {
		rows = append(rows, old)
	}
	if op == signals.Update && s.watch != nil && !slices.ContainsFunc(slices.Concat(s.watch, s.moves), func(f string) bool { return old.get(f) != now.get(f) }) {
		return nil
	}
	if s.when != nil && !slices.ContainsFunc(rows, func(row Row) bool { return row.B == s.when["B"] }) {
		return nil
	}
	var entries []map[string]any
	for _, row := range rows {
		entry := map[string]any{}
		for key, field := range s.mapped {
			if v := row.get(field); v != nil {
				entry[key] = v
			}
		}
		entries = append(entries, entry)
	}
	return entries
}

// collector keeps groups as they are.
type collector struct {
	info   signals.TargetInfo
	groups []map[string]any // key field to value; empty means everything
}

func (c *collector) Describe() signals.TargetInfo { return c.info }

func (c *collector) Drop(_ context.Context, groups []signals.Group) error {
	for _, g := range groups {
		group := map[string]any{}
		for _, name := range g.Names {
			key := g.Key.(*RowKey)
			group[name] = map[string]int64{"a": key.A, "b": key.B, "n": key.N}[name]
		}
		c.groups = append(c.groups, group)
	}
	return nil
}

// covers reports whether some dropped group holds every entry that agrees with the given values.
func (c *collector) covers(entry map[string]any) bool {
	return slices.ContainsFunc(c.groups, func(group map[string]any) bool {
		for name, v := range group {
			if entry[name] != v {
				return false
			}
		}
		return true
	})
}
