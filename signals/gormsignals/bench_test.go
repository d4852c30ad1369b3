package gormsignals_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"math"
	"testing"

	"github.com/glebarez/sqlite"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/signals/gormsignals"
)

// nullDriver answers at once, so that a benchmark shows GORM's time and the plugin's.
type nullDriver struct{}

func (nullDriver) Open(string) (driver.Conn, error)             { return nullConn{}, nil }
func (nullDriver) Connect(context.Context) (driver.Conn, error) { return nullConn{}, nil }
func (nullDriver) Driver() driver.Driver                        { return nullDriver{} }

type nullConn struct{}

func (nullConn) Prepare(string) (driver.Stmt, error) { return nil, driver.ErrSkip }
func (nullConn) Close() error                        { return nil }
func (nullConn) Begin() (driver.Tx, error)           { return nullConn{}, nil }
func (nullConn) Commit() error                       { return nil }
func (nullConn) Rollback() error                     { return nil }
func (nullConn) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	return driver.RowsAffected(1), nil
}

func (nullConn) QueryContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Rows, error) {
	return &nullRows{version: query == "select sqlite_version()"}, nil
}

type nullRows struct{ version, done bool }

func (r *nullRows) Columns() []string { return []string{"id"} }
func (r *nullRows) Close() error      { return nil }
func (r *nullRows) Next(dest []driver.Value) error {
	if r.done {
		return sql.ErrNoRows
	}
	r.done = true
	if dest[0] = int64(1); r.version {
		dest[0] = "3.30.0" // before RETURNING
	}
	return nil
}

// Item is saved by the benchmarks.
type Item struct {
	ID   int64
	Name string
	Team int64
}

type itemKey struct{ PK int64 }

// nothing is a target that drops at once.
type nothing struct {
	cache[itemKey]
	calls, groups int
}

func (n *nothing) Drop(_ context.Context, groups []signals.Group) error {
	n.calls++
	n.groups += len(groups)
	return nil
}

func nullDB(b testing.TB, rules ...signals.Rule) (*gorm.DB, *nothing) {
	b.Helper()
	db, err := gorm.Open(sqlite.Dialector{Conn: sql.OpenDB(nullDriver{})}, &gorm.Config{Logger: logger.Discard})
	require.NoError(b, err)
	target := &nothing{cache: cache[itemKey]{name: "item"}}
	if rules != nil {
		bus := signals.NewBus(signals.BusConfig{})
		require.NoError(b, bus.Bind(target, rules...))
		require.NoError(b, db.Use(gormsignals.New(bus)))
	}
	return db, target
}

var itemRule = signals.Rule{Model: Item{}, Map: map[string]string{"pk": "ID"}}

// BenchmarkSave compares saves without the plugin, with a rule that does not match, and with one that does.
func BenchmarkSave(b *testing.B) {
	for _, c := range []struct {
		name  string
		rules []signals.Rule
	}{
		{"without", nil},
		{"unregistered", []signals.Rule{{Model: Pet{}, All: true}}},
		{"registered", []signals.Rule{itemRule}},
	} {
		b.Run(c.name, func(b *testing.B) {
			db, target := nullDB(b, c.rules...)
			item := &Item{ID: 1, Name: "a"}
			b.ReportAllocs()
			for b.Loop() {
				if err := db.Save(item).Error; err != nil {
					b.Fatal(err)
				}
			}
			if c.name == "registered" && target.calls == 0 {
				b.Fatal("nothing was dropped")
			}
		})
	}
}

// BenchmarkTransaction saves 10,000 rows in one transaction: one Drop.
func BenchmarkTransaction(b *testing.B) {
	db, target := nullDB(b, itemRule)
	for b.Loop() {
		target.calls = 0
		require.NoError(b, saveMany(db, 10_000))
		if target.calls != 1 {
			b.Fatalf("%d calls of Drop", target.calls)
		}
	}
}

func saveMany(db *gorm.DB, n int64) error {
	return db.Transaction(func(tx *gorm.DB) error {
		for id := range n {
			if err := tx.Save(&Item{ID: id + 1}).Error; err != nil {
				return err
			}
		}
		return nil
	})
}

func TestOneDropForATransaction(t *testing.T) {
	for n, groups := range map[int64]int{1000: 1000, 10_000: 1} { // beyond BusConfig.MaxGroups it is the whole cache
		db, target := nullDB(t, itemRule)
		require.NoError(t, saveMany(db, n))
		require.Equal(t, 1, target.calls)
		require.Equal(t, groups, target.groups)
	}
}

// A model that nobody listens to costs the wrapping of its transaction.
func TestUnregisteredModelsCostNothing(t *testing.T) {
	save := func(db *gorm.DB) (least float64) {
		item := &Item{ID: 1}
		least = math.MaxFloat64
		for range 5 { // pools are emptied now and then, and under the race detector at random
			least = min(least, testing.AllocsPerRun(100, func() { db.Save(item) }))
		}
		return least
	}
	without, _ := nullDB(t)
	with, _ := nullDB(t, signals.Rule{Model: Pet{}, All: true})
	require.LessOrEqual(t, save(with), save(without)+2)
}
