package gormsignals_test

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/signals/gormsignals"
)

// Region is a key of a type of its own.
type Region struct{ code string }

func (r Region) Value() (driver.Value, error) { return r.code, nil }

func (r *Region) Scan(v any) error {
	switch v := v.(type) {
	case string:
		r.code = v
	case []byte:
		r.code = string(v)
	default:
		return fmt.Errorf("a region of %T", v)
	}
	return nil
}

// Seat has a key of two parts.
type Seat struct {
	Region Region `gorm:"primaryKey;type:varchar(20)"`
	Number int64  `gorm:"primaryKey;autoIncrement:false"`
	Taker  int64
	Price  int64
}

type seatKey struct{ Number, Taker int64 }

func seats(t *testing.T, d *database) (*gorm.DB, *recorder) {
	t.Helper()
	db := d.gorm(t, nil)
	require.NoError(t, db.AutoMigrate(&Seat{}))
	require.NoError(t, db.Create(&[]Seat{{Region{"n"}, 1, 1, 10}, {Region{"n"}, 2, 2, 10}, {Region{"s"}, 1, 3, 10}}).Error)
	bus, r := signals.NewBus(signals.BusConfig{}), &recorder{second: d.second}
	require.NoError(t, bus.Bind(&cache[seatKey]{"seat", r},
		signals.Rule{Model: Seat{}, Name: "by number", Map: map[string]string{"number": "Number"}, Watch: []string{"Price"}},
		signals.Rule{Model: Seat{}, Name: "by taker", Map: map[string]string{"taker": "Taker"}}))
	require.NoError(t, db.Use(gormsignals.New(bus)))
	return db, r
}

func TestCompositeKeys(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		db, r := seats(t, d)
		for _, c := range []struct {
			name  string
			write func() error
			want  []string
		}{
			{
				"by both parts", func() error { return db.Model(&Seat{Region: Region{"n"}, Number: 1}).Update("taker", 5).Error },
				[]string{"seat taker=1", "seat taker=5"},
			},
			{
				"by one part", func() error {
					return db.Model(&Seat{}).Where("number = ?", 1).Update("taker", gorm.Expr("taker + 1")).Error
				},
				[]string{"seat taker=3", "seat taker=4", "seat taker=5", "seat taker=6"},
			},
			{
				"several", func() error {
					return db.Model(&[]Seat{{Region: Region{"n"}, Number: 1}, {Region: Region{"s"}, Number: 1}}).Update("price", 20).Error
				},
				[]string{"seat number=1", "seat taker=4", "seat taker=6"},
			},
			{
				"upsert", func() error {
					return db.Save(&[]Seat{{Region{"n"}, 1, 7, 30}, {Region{"s"}, 9, 8, 30}}).Error
				},
				[]string{"seat number=1", "seat number=9", "seat taker=6", "seat taker=7", "seat taker=8"},
			},
			{
				"of each part", func() error {
					return db.Where(map[string]any{"region": []string{"n", "s"}, "number": 1}).Delete(&Seat{}).Error
				},
				[]string{"seat number=1", "seat taker=4", "seat taker=7"},
			},
			{
				"delete several", func() error {
					return db.Delete(&[]Seat{{Region: Region{"s"}, Number: 9}, {Region: Region{"n"}, Number: 2}}).Error
				},
				[]string{"seat number=2", "seat number=9", "seat taker=2", "seat taker=8"},
			},
		} {
			if d.name == "sqlite" && (c.name == "several" || c.name == "delete several") {
				continue // GORM compares tuples in a way that SQLite does not know
			}
			require.NoError(t, c.write(), c.name)
			require.Equal(t, c.want, r.take(), c.name)
		}
	})
}

// What an update sets may be known only to the database, or its rows only to the statement.
func TestUpdatesThatAreNotPlain(t *testing.T) {
	d := openMariaDB(t)
	db, r := plugged(t, d, gormsignals.Config{})
	require.NoError(t, db.Model(&User{}).Where("team_id = 1").Order("id DESC").Limit(1).Update("name", "x").Error)
	require.Equal(t, []string{"user all"}, r.take(), "which row comes first is the database's choice")

	d = openPostgres(t)
	db, r = plugged(t, d, gormsignals.Config{})
	highest := db.Session(&gorm.Session{NewDB: true}).Model(&User{}).Unscoped().Select("max(team_id) + 1")
	require.NoError(t, db.Model(&User{ID: 1}).Update("team_id", highest).Error)
	require.Equal(t, []string{"user pk=1", "user team=1", "user team=4"}, r.take())
	require.NoError(t, db.Model(&User{ID: 2}).Update("deleted_at", gorm.Expr("now()")).Error)
	require.Equal(t, []string{"user pk=2", "user team=1"}, r.take())
	require.NoError(t, db.Unscoped().Model(&User{}).Where("id = 2").Update("id", gorm.Expr("id + 50")).Error)
	require.Equal(t, []string{"user all"}, r.take(), "the new key is not known")
	require.NoError(t, db.Model(&User{}).Clauses(clause.From{Tables: []clause.Table{{Name: "pets"}}}).
		Where("pets.user_id = users.id").Update("name", "x").Error)
	require.Equal(t, []string{"user all"}, r.take(), "other tables have a say")
}

func TestConnectorReportsFailures(t *testing.T) {
	d := openPostgres(t)
	_, pool, r := wrapped(t, d)
	tx, err := pool.Begin()
	require.NoError(t, err)
	_, err = tx.Exec("DELETE FROM pets")
	require.NoError(t, err)
	_, err = tx.Exec("no SQL at all")
	require.Error(t, err)
	require.ErrorIs(t, tx.Commit(), pgx.ErrTxCommitRollback)
	require.Empty(t, r.take())

	rows, err := pool.Query("DELETE FROM pets RETURNING id, name")
	require.NoError(t, err)
	defer rows.Close()
	types, err := rows.ColumnTypes()
	require.NoError(t, err)
	require.Equal(t, "INT8", types[0].DatabaseTypeName())
	require.Equal(t, "string", types[1].ScanType().String())
	_, ok := types[0].Nullable()
	require.False(t, ok)
	_, _, ok = types[0].DecimalSize()
	require.False(t, ok)
	_, ok = types[1].Length()
	require.True(t, ok)
	require.False(t, rows.NextResultSet())
	require.NoError(t, errors.Join(rows.Err(), rows.Close()))
	require.Equal(t, []string{"pet all"}, r.take())
}

func TestConnectorReturnsFailuresOfPublishing(t *testing.T) {
	d := openSQLite(t)
	migrate(t, d)
	seed(t, d)
	r := &recorder{err: errors.New("no answer")}
	bus := signals.NewBus(signals.BusConfig{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, bus.Bind(&cache[petKey]{"pet", r}, signals.Rule{Model: Pet{}, All: true, OnError: signals.Return}))
	pool := openWith(t, gormsignals.New(bus), d)
	const failed = "gormsignals: committed, but not everything was invalidated: signals: Pet->pet: drop: no answer"
	_, err := pool.Exec("DELETE FROM pets WHERE id = 1")
	require.EqualError(t, err, failed)
	tx, err := pool.Begin()
	require.NoError(t, err)
	_, err = tx.Exec("DELETE FROM pets")
	require.NoError(t, err)
	require.EqualError(t, tx.Commit(), failed)
	var n int
	require.NoError(t, d.second.QueryRow("SELECT count(*) FROM pets").Scan(&n))
	require.Zero(t, n)
}

// A statement may set columns that a model of the same table does not have.
func TestColumnsOfAnotherModel(t *testing.T) {
	type Profile struct {
		ID     int64
		Bio    string
		TeamID int64
	}
	databases(t, func(t *testing.T, d *database) {
		db, r := plugged(t, d, gormsignals.Config{})
		exec(t, d.second, "ALTER TABLE users ADD bio varchar(50)")
		require.NoError(t, db.Table("users").Model(&Profile{ID: 1}).Updates(map[string]any{"bio": "x", "team_id": 5}).Error)
		require.Equal(t, []string{"user pk=1", "user team=1", "user team=5"}, r.take())
		if d.name == "mysql" {
			require.NoError(t, db.Model(&User{ID: 1}).Updates(map[string]any{"users.team_id": 6}).Error)
			require.Equal(t, []string{"user all"}, r.take())
		}
	})
}

// Org has a key of two parts, which its units refer to; the second may be missing.
type Org struct {
	A int64 `gorm:"primaryKey;autoIncrement:false"`
	B int64 `gorm:"primaryKey;autoIncrement:false"`
}

type Unit struct {
	ID   int64 `gorm:"primaryKey"`
	OrgA int64
	OrgB sql.NullInt64
	Org  *Org `gorm:"foreignKey:OrgA,OrgB;references:A,B"`
}

type orgKey struct{ A, B int64 }

func TestForeignKeysOfTwoParts(t *testing.T) {
	b := func(n int64) sql.NullInt64 { return sql.NullInt64{Int64: n, Valid: true} }
	for range 8 { // maps are walked in any order
		bus, r := signals.NewBus(signals.BusConfig{}), &recorder{}
		require.NoError(t, bus.Bind(&cache[orgKey]{"unit", r}, signals.Rule{Model: Unit{}, Map: map[string]string{"a": "Org.A", "b": "Org.B"}}))
		db := openSQLite(t).gorm(t, &gorm.Config{DisableForeignKeyConstraintWhenMigrating: true})
		require.NoError(t, db.AutoMigrate(&Org{}, &Unit{}))
		require.NoError(t, db.Use(gormsignals.New(bus)))
		r.take()
		require.NoError(t, db.Create(&Unit{ID: 1, OrgA: 3, OrgB: b(4)}).Error)
		require.Equal(t, []string{"unit a=3,b=4"}, r.take())
		require.NoError(t, db.Model(&Unit{ID: 1}).Update("org_b", 5).Error)
		require.Equal(t, []string{"unit a=3,b=4", "unit a=3,b=5"}, r.take())
		require.NoError(t, db.Model(&Unit{ID: 1}).Update("org_b", nil).Error)
		require.Equal(t, []string{"unit all"}, r.take(), "NULL belongs to nothing")
	}
}

// moved is a SET clause in words that the plugin does not know.
type moved struct{}

func (moved) Name() string                   { return "SET" }
func (moved) Build(b clause.Builder)         { _, _ = b.WriteString("team_id = 5, deleted_at = NULL") }
func (m moved) MergeClause(c *clause.Clause) { c.Expression = m }

func TestUpdateByAClauseOfTheUsers(t *testing.T) {
	db, r := plugged(t, openSQLite(t), gormsignals.Config{})
	require.NoError(t, db.Model(&User{}).Where("id = 1").Clauses(moved{}).Updates(map[string]any{}).Error)
	require.Equal(t, []string{"user all"}, r.take())
}
