package gormsignals_test

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"github.com/restflow-go/restflow/signals/gormsignals"
)

// between is a logger that runs another connection's statement after the plugin's SELECT, just
// before the statement that it was made for.
type between struct {
	logger.Interface
	once sync.Once
	f    func()
}

func (b *between) LogMode(logger.LogLevel) logger.Interface { return b }

func (b *between) Trace(_ context.Context, _ time.Time, fc func() (string, int64), _ error) {
	if q, _ := fc(); strings.HasPrefix(q, "SELECT") {
		b.once.Do(b.f)
	}
}

// disturbed returns a session in which text is executed between the plugin's look and the statement.
func (d *database) disturbed(t *testing.T, db *gorm.DB, text string) *gorm.DB {
	return db.Session(&gorm.Session{Logger: &between{Interface: logger.Discard, f: func() { exec(t, d.second, text) }}})
}

func readCommitted(t *testing.T, db *gorm.DB, write func(*gorm.DB) error) {
	t.Helper()
	require.NoError(t, db.Transaction(write, &sql.TxOptions{Isolation: sql.LevelReadCommitted}))
}

// requireDropped asserts that groups were dropped, or the whole cache.
func requireDropped(t *testing.T, got []string, name string, groups ...string) {
	t.Helper()
	for _, group := range groups {
		cache, _, _ := strings.Cut(group, " ")
		require.True(t, slices.Contains(got, group) || slices.Contains(got, cache+" all"), "%s: %s is not in %v", name, group, got)
	}
}

// Rows may begin to match between the plugin's look and the statement. Whatever the statement writes
// is dropped all the same.
func TestRowsThatBeginToMatch(t *testing.T) {
	const moved = "UPDATE users SET team_id = 1 WHERE id = 3"
	for _, open := range []func(testing.TB) *database{openPostgres, openMariaDB} {
		d := open(t)
		db, r := plugged(t, d, gormsignals.Config{})
		for _, c := range []struct {
			name, only, before, between string
			write                       func(*gorm.DB) error
		}{
			{
				"a key and another condition", "postgres", "", moved,
				func(tx *gorm.DB) error {
					return tx.Model(&User{ID: 3}).Where("team_id = ?", 1).Update("team_id", 9).Error
				},
			},
			{
				"the same, deleted", "postgres", "", moved,
				func(tx *gorm.DB) error { return tx.Unscoped().Where("team_id = ?", 1).Delete(&User{ID: 3}).Error },
			},
			{
				"the same, deleted softly", "postgres", "", moved,
				func(tx *gorm.DB) error { return tx.Where("team_id = ?", 1).Delete(&User{ID: 3}).Error },
			},
			{
				"another in place of one that stays as it is", "", "UPDATE users SET name = 'amy' WHERE id = 1", moved,
				func(tx *gorm.DB) error { return tx.Model(&User{}).Where("team_id = ?", 1).Update("name", "amy").Error },
			},
			{
				"a queue", "postgres", "", "UPDATE users SET score = 5 WHERE id = 3",
				func(tx *gorm.DB) error {
					next := "SELECT id FROM (SELECT id FROM users WHERE deleted_at IS NULL ORDER BY score LIMIT 1) q"
					return tx.Model(&User{}).Where("id IN ("+next+")").Update("name", "taken").Error
				},
			},
		} {
			if c.only != "" && c.only != d.name {
				continue // MySQL locks what it looks at
			}
			seed(t, d)
			if c.before != "" {
				exec(t, d.second, c.before)
			}
			readCommitted(t, d.disturbed(t, db, c.between), c.write)
			var n int
			require.NoError(t, d.second.QueryRow("SELECT count(*) FROM users WHERE id = 3 AND name = 'cid' AND team_id IN (1, 2) AND deleted_at IS NULL").Scan(&n))
			if got := r.take(); n == 0 { // the statement has met the row
				requireDropped(t, got, d.name+": "+c.name, "user pk=3", "user team=1")
			}
		}
	}
}

// At READ COMMITTED, MySQL lets a row in that an upsert has looked for in vain.
func TestUpsertThatMeetsANewRowOfMySQL(t *testing.T) {
	d := openMariaDB(t)
	db, r := plugged(t, d, gormsignals.Config{})
	readCommitted(t, d.disturbed(t, db, "INSERT INTO users (id, email, team_id) VALUES (50, 'eve@x', 5)"), func(tx *gorm.DB) error {
		return tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(&User{ID: 50, Email: "eve@x", TeamID: 9}).Error
	})
	require.Equal(t, []string{"user all"}, r.take())
}

// What a function or a variable says may differ from one statement to the next.
func TestConditionsThatAreNotFixed(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		db, r := plugged(t, d, gormsignals.Config{})
		random := map[string]string{"sqlite": "abs(random()) >= 0", "postgres": "random() >= 0", "mysql": "rand() >= 0"}[d.name]
		require.NoError(t, db.Model(&User{}).Where(random).Update("score", 5).Error)
		require.Equal(t, []string{"user all"}, r.take())
		require.NoError(t, db.Where("name = 'rex'").Where(random).Delete(&Pet{}).Error)
		require.Equal(t, []string{"pet all"}, r.take())
		require.NoError(t, db.Model(&User{}).Where("lower(name) = ? AND coalesce(score, 0) = 5", "ann").Update("score", 6).Error)
		require.Equal(t, []string{"user pk=1", "user team=1"}, r.take(), "these tell the same twice")
	})
}

// The level of a transaction that was begun without one is the session's.
func TestUpdatesAtTheSessionsLevel(t *testing.T) {
	d := openMariaDB(t)
	db, r := plugged(t, d, gormsignals.Config{})
	update := func(tx *gorm.DB) error { return tx.Model(&User{}).Where("team_id = ?", 1).Update("name", "amy").Error }
	require.NoError(t, update(db))
	require.Equal(t, []string{"user pk=1", "user pk=2", "user team=1"}, r.take())
	require.NoError(t, db.Connection(func(tx *gorm.DB) error {
		require.NoError(t, tx.Exec("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").Error)
		seed(t, d)
		require.NoError(t, update(tx))
		require.Equal(t, []string{"user all"}, r.take())
		return tx.Exec("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ").Error
	}))
}

// MySQL rolls back the whole transaction that it chooses to end a deadlock. Code that does not care goes
// on, each statement by itself.
func TestDeadlocks(t *testing.T) {
	for name, session := range map[string]*gorm.Session{"direct": {}, "prepared": {PrepareStmt: true}} {
		d := openMariaDB(t)
		db, r := plugged(t, d, gormsignals.Config{})
		update := func(tx *gorm.DB, id int64) error { return tx.Model(&User{ID: id}).Update("name", "amy").Error }
		other, err := d.second.Begin()
		require.NoError(t, err)
		_, err = other.Exec("INSERT INTO logs (text) SELECT email FROM users a, pets b, pets c") // the one with more writes wins
		require.NoError(t, err)
		_, err = other.Exec("UPDATE users SET score = 1 WHERE id = 2")
		require.NoError(t, err)
		tx := db.Session(session).Begin()
		require.NoError(t, update(tx, 1))
		done := make(chan error)
		go func() {
			_, err := other.Exec("UPDATE users SET score = 1 WHERE id = 1")
			done <- err
		}()
		awaitLockWait(t, d)
		require.ErrorContains(t, update(tx, 2), "Deadlock", name)
		require.NoError(t, <-done)
		require.NoError(t, other.Commit())
		require.NoError(t, update(tx, 3))
		require.Equal(t, []string{"user pk=3", "user team=2"}, r.take(), name)
		require.NoError(t, tx.Rollback().Error)
		require.Empty(t, r.take(), name)
	}
}
