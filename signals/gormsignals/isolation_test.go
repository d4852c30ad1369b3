package gormsignals_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/signals/gormsignals"
)

// Another transaction moves a row while ours waits for it. Ours then moves it on from where it was
// put, and must name that place: without a lock on what it reads it would name the older one.
func TestPreviousValuesAreThoseThatTheStatementMeets(t *testing.T) {
	for _, open := range []func(testing.TB) *database{openPostgres, openMariaDB} {
		d := open(t)
		db, r := plugged(t, d, gormsignals.Config{})
		for name, write := range map[string]func(tx *gorm.DB) error{
			"update": func(tx *gorm.DB) error { return tx.Model(&User{ID: 1}).Update("team_id", 9).Error },
			"save":   func(tx *gorm.DB) error { return tx.Save(&User{ID: 1, Email: "ann@x", TeamID: 9}).Error },
			"upsert": func(tx *gorm.DB) error {
				return tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(&User{ID: 1, Email: "ann@x", TeamID: 9}).Error
			},
			"delete": func(tx *gorm.DB) error {
				if err := tx.Unscoped().Delete(&User{ID: 1}).Error; err != nil {
					return err
				}
				return tx.Create(&User{ID: 1, Email: "ann@x", TeamID: 9}).Error
			},
		} {
			seed(t, d)
			other, err := d.second.Begin()
			require.NoError(t, err)
			_, err = other.Exec("UPDATE users SET team_id = 8 WHERE id = 1")
			require.NoError(t, err)
			done := make(chan error)
			go func() {
				done <- db.Transaction(func(tx *gorm.DB) error {
					// A snapshot of the old state, where the isolation level keeps one.
					if err := tx.First(&Group{}).Error; err != nil {
						return err
					}
					return write(tx)
				})
			}()
			awaitLockWait(t, d)
			require.NoError(t, other.Commit())
			require.NoError(t, <-done, name)
			require.Equal(t, []string{"user pk=1", "user team=8", "user team=9"}, r.take(), "%s: %s", d.name, name)
		}
	}
}

// awaitLockWait returns when some transaction of the database waits for another's row.
func awaitLockWait(t *testing.T, d *database) {
	t.Helper()
	query := "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%users%'"
	every := 5 * time.Millisecond
	if d.name == "mysql" {
		query = "SELECT count(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"
		every = 150 * time.Millisecond // asked more often than every 100 ms, it answers from a cache
	}
	require.Eventually(t, func() bool {
		var n int
		require.NoError(t, d.second.QueryRow(query).Scan(&n))
		return n > 0
	}, 20*time.Second, every)
}

// A row that another transaction inserts between the plugin's look and the statement was not there to
// be locked. PostgreSQL tells of it afterwards; its previous values stay unknown.
func TestUpsertThatMeetsANewRow(t *testing.T) {
	d := openPostgres(t)
	db, r := plugged(t, d, gormsignals.Config{})
	upsert := func(tx *gorm.DB) error {
		return tx.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "email"}}, DoUpdates: clause.AssignmentColumns([]string{"team_id"})}).
			Create(&User{Email: "eve@x", TeamID: 9}).Error
	}
	other, err := d.second.Begin()
	require.NoError(t, err)
	_, err = other.Exec("INSERT INTO users (id, email, team_id) VALUES (50, 'eve@x', 8)")
	require.NoError(t, err)
	done := make(chan error)
	go func() { done <- upsert(db) }()
	awaitLockWait(t, d)
	require.NoError(t, other.Commit())
	require.NoError(t, <-done)
	require.Equal(t, []string{"user all"}, r.take())

	seed(t, d)
	require.NoError(t, upsert(db))
	require.Equal(t, []string{"user pk=new", "user team=9"}, r.take(), "without a race it is a new row")
}

// Writers of SQLite wait for each other, though the plugin reads before they write.
func TestSQLiteWritersWait(t *testing.T) {
	d := openSQLite(t)
	db, r := plugged(t, d, gormsignals.Config{})
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			for range 20 {
				if err := db.Model(&User{ID: 1}).Update("team_id", gorm.Expr("team_id + 1")).Error; err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	require.NotEmpty(t, r.take())
	var team int
	require.NoError(t, d.second.QueryRow("SELECT team_id FROM users WHERE id = 1").Scan(&team))
	require.Equal(t, 161, team)
}

// Transactions of many goroutines keep their changes apart.
func TestConcurrentTransactions(t *testing.T) {
	d := openPostgres(t)
	db, r := plugged(t, d, gormsignals.Config{})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			err := db.Transaction(func(tx *gorm.DB) error {
				for range 5 {
					if err := tx.Create(&Pet{UserID: new(int64(i))}).Error; err != nil {
						return err
					}
				}
				if i%2 == 1 {
					return errAbort
				}
				return nil
			})
			if (i%2 == 1) != errors.Is(err, errAbort) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	require.Equal(t, []string{"pet owner=0", "pet owner=2", "pet owner=4", "pet owner=6"}, r.take())
}

// A context that ends in the middle of a statement leaves its outcome open; one that ended before does not.
func TestContextEndsDuringAStatement(t *testing.T) {
	d := openPostgres(t)
	db, r := plugged(t, d, gormsignals.Config{})
	alone := db.Session(&gorm.Session{SkipDefaultTransaction: true})
	other, err := d.second.Begin()
	require.NoError(t, err)
	_, err = other.Exec("UPDATE users SET team_id = 8 WHERE id = 1")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- alone.WithContext(ctx).Model(&User{ID: 1}).Update("team_id", 9).Error }()
	awaitLockWait(t, d)
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	require.NoError(t, other.Rollback())
	require.Equal(t, []string{"user all"}, r.take())
	require.ErrorIs(t, alone.WithContext(ctx).Delete(&Pet{ID: 1}).Error, context.Canceled)
	require.Empty(t, r.take())
}

// A read that fails fails the statement, since nothing is certain of the transaction any more.
func TestAReadThatFails(t *testing.T) {
	d := openPostgres(t)
	db, r := plugged(t, d, gormsignals.Config{})
	other, err := d.second.Begin()
	require.NoError(t, err)
	_, err = other.Exec("UPDATE users SET team_id = 8 WHERE id = 1")
	require.NoError(t, err)
	err = db.Transaction(func(tx *gorm.DB) error {
		require.NoError(t, tx.Exec("SET LOCAL lock_timeout = '10ms'").Error)
		return tx.Model(&User{ID: 1}).Update("team_id", 9).Error
	})
	require.NoError(t, other.Rollback())
	var read *gormsignals.ReadError
	require.ErrorAs(t, err, &read)
	require.Equal(t, "users", read.Table)
	require.EqualError(t, err, "gormsignals: read the rows of users that a write changes: ERROR: canceling statement due to lock timeout (SQLSTATE 55P03)")
	require.Empty(t, r.take())
}

// What the plugin may not read or lock, a user may still be allowed to write.
func TestReadsThatAreRefused(t *testing.T) {
	d := openPostgres(t)
	db, r := plugged(t, d, gormsignals.Config{Logger: slog.New(slog.DiscardHandler)})
	role := randomName()
	exec(t, d.second, "CREATE ROLE "+role)
	t.Cleanup(func() { exec(t, d.second, "DROP OWNED BY "+role, "DROP ROLE "+role) })
	var schema string
	require.NoError(t, d.second.QueryRow("SELECT current_schema()").Scan(&schema))
	exec(t, d.second, "GRANT USAGE ON SCHEMA "+schema+" TO "+role,
		"GRANT SELECT, DELETE ON pets TO "+role, "GRANT SELECT (id, deleted_at), UPDATE (score) ON users TO "+role)
	as := func(write func(*gorm.DB) error) {
		t.Helper()
		require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
			require.NoError(t, tx.Exec("SET LOCAL ROLE "+role).Error)
			return write(tx)
		}))
	}
	for range 2 {
		seed(t, d)
		as(func(tx *gorm.DB) error { return tx.Where("name = ?", "rex").Delete(&Pet{}).Error })
		require.Equal(t, []string{"pet all"}, r.take(), "without UPDATE it may not lock")
		as(func(tx *gorm.DB) error { return tx.Model(&User{ID: 1}).Update("score", 5).Error })
		require.Equal(t, []string{"user all"}, r.take(), "its team may not be read")
	}
	require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
		require.NoError(t, tx.Model(&User{}).Where("name = ?", "ann").Update("name", "amy").Error)
		require.Empty(t, r.take())
		return nil
	}))
	require.Equal(t, []string{"user pk=1", "user team=1"}, r.take(), "by a user who may")
}

// Person is a view whose trigger writes users.
type Person struct {
	ID     int64
	TeamID int64
}

func TestViewsThatTriggersWrite(t *testing.T) {
	d := openSQLite(t)
	migrate(t, d)
	seed(t, d)
	exec(t, d.second, "CREATE VIEW people AS SELECT id, team_id FROM users",
		"CREATE TRIGGER moved INSTEAD OF UPDATE ON people BEGIN UPDATE users SET team_id = NEW.team_id WHERE id = NEW.id; END")
	bus, r := signals.NewBus(signals.BusConfig{}), &recorder{}
	require.NoError(t, bus.Bind(&cache[teamKey]{"person", r}, signals.Rule{Model: Person{}, Map: map[string]string{"team": "TeamID"}}))
	db := d.gorm(t, nil)
	require.NoError(t, db.Use(gormsignals.New(bus)))
	require.NoError(t, db.Model(&Person{ID: 1}).Update("team_id", 5).Error)
	require.Equal(t, []string{"person all"}, r.take())
}
