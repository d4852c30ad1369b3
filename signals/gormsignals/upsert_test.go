package gormsignals_test

import (
	"testing"

	"github.com/glebarez/sqlite"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/signals/gormsignals"
)

// Account has a unique column that may be NULL, and another.
type Account struct {
	ID    int64   `gorm:"primaryKey;autoIncrement"`
	Email *string `gorm:"size:100;uniqueIndex"`
	Code  int64   `gorm:"uniqueIndex"`
	Team  int64
}

type accountKey struct{ PK, Team int64 }

func accounts(t *testing.T, d *database) (*gorm.DB, *recorder) {
	t.Helper()
	db := d.gorm(t, nil)
	require.NoError(t, db.AutoMigrate(&Account{}))
	ann := "ann"
	require.NoError(t, db.Create(&[]Account{{ID: 1, Email: &ann, Code: 1, Team: 1}, {ID: 100, Code: 100}}).Error)
	if d.name == "postgres" {
		exec(t, d.second, "SELECT setval(pg_get_serial_sequence('accounts', 'id'), 100)")
	}
	bus, r := signals.NewBus(signals.BusConfig{}), &recorder{second: d.second}
	require.NoError(t, bus.Bind(&cache[accountKey]{"account", r},
		signals.Rule{Model: Account{}, Name: "by key", Map: map[string]string{"pk": "ID"}},
		signals.Rule{Model: Account{}, Name: "by team", Map: map[string]string{"team": "Team"}}))
	require.NoError(t, db.Use(gormsignals.New(bus)))
	return db, r
}

func TestUpsertsThatConflictWithNothing(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		ann, bob := "ann", "bob"
		byEmail := clause.OnConflict{Columns: []clause.Column{{Name: "email"}}, DoUpdates: clause.AssignmentColumns([]string{"team"})}
		byKey := clause.OnConflict{UpdateAll: true}
		for _, c := range []struct {
			name     string
			conflict clause.OnConflict
			rows     []Account
			want     []string
		}{
			{
				"NULL conflicts with nothing", byEmail,
				[]Account{{Code: 5, Team: 5}},
				[]string{"account pk=new", "account team=5"},
			},
			{
				"NULL beside a row that is there", byEmail,
				[]Account{{Code: 5, Team: 5}, {Email: &ann, Code: 6, Team: 6}},
				[]string{"account pk=1", "account pk=new", "account team=1", "account team=5", "account team=6"},
			},
			{
				"a key from the database", byKey,
				[]Account{{Email: &bob, Code: 5, Team: 5}},
				[]string{"account pk=new", "account team=5"},
			},
			{
				"one beside a row that is there", byKey,
				[]Account{{Email: &bob, Code: 5, Team: 5}, {ID: 1, Email: &ann, Code: 1, Team: 6}},
				[]string{"account pk=1", "account pk=new", "account team=1", "account team=5", "account team=6"},
			},
		} {
			db, r := accounts(t, d)
			require.NoError(t, db.Clauses(c.conflict).Create(&c.rows).Error, c.name)
			require.Equal(t, c.want, r.take(), c.name)
			exec(t, d.second, "DROP TABLE accounts")
		}
	})
}

// A constraint that is named says nothing of its columns.
func TestUpsertByAConstraint(t *testing.T) {
	d := openPostgres(t)
	db, r := accounts(t, d)
	exec(t, d.second, "ALTER TABLE accounts ADD CONSTRAINT one_team UNIQUE (team)")
	r.take()
	require.NoError(t, db.Clauses(clause.OnConflict{OnConstraint: "one_team", DoUpdates: clause.AssignmentColumns([]string{"code"})}).
		Create(&Account{Code: 9, Team: 1}).Error)
	require.Equal(t, []string{"account all"}, r.take())
}

// In MySQL a row may conflict by a key that the clause does not name.
func TestUpsertByAnotherKey(t *testing.T) {
	d := openMariaDB(t)
	db, r := accounts(t, d)
	bob := "bob"
	require.NoError(t, db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "email"}}, DoUpdates: clause.AssignmentColumns([]string{"team"})}).
		Create(&Account{Email: &bob, Code: 1, Team: 9}).Error)
	require.Equal(t, []string{"account pk=1", "account team=1", "account team=9"}, r.take())
}

// In MySQL a unique index counts whether the model declares it or not, also one of a part of a column.
func TestUpsertByAnUndeclaredKey(t *testing.T) {
	upsert := func(db *gorm.DB, rows ...Account) error {
		return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&rows).Error
	}
	d := openMariaDB(t)
	db, r := accounts(t, d)
	exec(t, d.second, "ALTER TABLE accounts ADD COLUMN name VARCHAR(50) DEFAULT 'x', ADD UNIQUE INDEX (team)")
	require.NoError(t, upsert(db, Account{Code: 9, Team: 1}))
	require.Equal(t, []string{"account pk=1", "account team=1"}, r.take())
	exec(t, d.second, "CREATE UNIQUE INDEX late ON accounts (code, team)")
	require.NoError(t, upsert(db, Account{Code: 10, Team: 10}))
	require.Equal(t, []string{"account pk=new", "account team=10"}, r.take(), "the indexes were read once")

	for _, index := range []string{"UNIQUE INDEX (name)", "UNIQUE INDEX (email(2), code)"} {
		d := openMariaDB(t)
		db, r := accounts(t, d)
		exec(t, d.second, "ALTER TABLE accounts ADD COLUMN name VARCHAR(50)", "ALTER TABLE accounts ADD "+index)
		require.NoError(t, upsert(db, Account{Code: 10, Team: 10}))
		require.Equal(t, []string{"account all"}, r.take(), index)
	}
}

// An upsert that sets the key leaves nothing by which a row could be known.
func TestUpsertThatMovesTheKey(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		db, r := plugged(t, d, gormsignals.Config{})
		require.NoError(t, db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "email"}}, DoUpdates: clause.AssignmentColumns([]string{"id", "name"})}).
			Create(&User{ID: 9, Email: "ann@x", Name: "amy", TeamID: 1}).Error)
		require.Equal(t, []string{"user all"}, r.take())
	})
}

// INSERT OR REPLACE deletes what is in its way.
func TestInsertModifiers(t *testing.T) {
	db, r := accounts(t, openSQLite(t))
	ann := "ann"
	require.NoError(t, db.Clauses(clause.Insert{Modifier: "OR REPLACE"}).Create(&Account{ID: 7, Email: &ann, Code: 7, Team: 7}).Error)
	require.Equal(t, []string{"account all"}, r.take())
	require.NoError(t, db.Clauses(clause.Insert{Modifier: "OR IGNORE"}).Create(&Account{ID: 7, Code: 7, Team: 7}).Error)
	require.Empty(t, r.take())
	require.NoError(t, db.Clauses(clause.Insert{Modifier: "OR IGNORE"}).Create(&Account{ID: 8, Code: 8, Team: 8}).Error)
	require.Equal(t, []string{"account pk=8", "account team=8"}, r.take())
}

// otherDialect is a database that the plugin knows nothing of.
type otherDialect struct{ sqlite.Dialector }

func (otherDialect) Name() string { return "other" }

func TestDatabasesWithoutKnownLocks(t *testing.T) {
	d := openSQLite(t)
	migrate(t, d)
	seed(t, d)
	bus, r := listening(t, d.second)
	db, err := gorm.Open(otherDialect{sqlite.Dialector{Conn: d.second}}, &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	require.NoError(t, db.Use(gormsignals.New(bus)))
	require.NoError(t, db.Model(&User{ID: 1}).Update("name", "amy").Error)
	require.Equal(t, []string{"user pk=1", "user team=1"}, r.take())
	require.NoError(t, db.Model(&User{ID: 1}).Update("team_id", 5).Error)
	require.Equal(t, []string{"user all"}, r.take(), "the previous team is not certain")
}

// byName is an upsert in words that the plugin does not know.
type byName struct{ clause.OnConflict }

func (byName) Build(b clause.Builder) {
	_, _ = b.WriteString("(code) DO UPDATE SET team = excluded.team")
}

func (o byName) MergeClause(c *clause.Clause) { c.Expression = o }

func TestUpsertByAClauseOfTheUsers(t *testing.T) {
	db, r := accounts(t, openSQLite(t))
	require.NoError(t, db.Clauses(byName{}).Create(&Account{Code: 1, Team: 9}).Error)
	require.Equal(t, []string{"account all"}, r.take())
}
