package gormsignals_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/glebarez/sqlite"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/restflow-go/restflow/signals/gormsignals"
)

func deletePet(id int64) func(*gorm.DB) error {
	return func(tx *gorm.DB) error { return tx.Delete(&Pet{ID: id}).Error }
}

func sqlText(text string) func(*gorm.DB) error {
	return func(tx *gorm.DB) error { return tx.Exec(text).Error }
}

// Savepoints and endings in SQL text steer the queue like those of GORM's methods.
func TestTransactionControlInSQLText(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		db, r := plugged(t, d, gormsignals.Config{})
		first, second := []string{"pet owner=1"}, []string{"pet owner=2"}
		both := []string{"pet owner=1", "pet owner=2"}
		for _, c := range []struct {
			name  string
			steps []func(*gorm.DB) error
			want  []string
		}{
			{"rolled back to", []func(*gorm.DB) error{deletePet(1), sqlText("SAVEPOINT a"), deletePet(2), sqlText("ROLLBACK TO SAVEPOINT a")}, first},
			{"in another case", []func(*gorm.DB) error{sqlText("savepoint A"), deletePet(1), sqlText("rollback to a"), deletePet(2)}, second},
			{"rolled back twice", []func(*gorm.DB) error{sqlText("SAVEPOINT a"), deletePet(1), sqlText("ROLLBACK TO a"), deletePet(1), sqlText("ROLLBACK TO a"), deletePet(2)}, second},
			{"released", []func(*gorm.DB) error{sqlText("SAVEPOINT a"), deletePet(1), sqlText("RELEASE SAVEPOINT a"), deletePet(2)}, both},
			{"released inside another", []func(*gorm.DB) error{sqlText("SAVEPOINT a"), deletePet(1), sqlText("SAVEPOINT b"), deletePet(2), sqlText("RELEASE SAVEPOINT b"), sqlText("ROLLBACK TO a")}, nil},
			{"released inside one that is", []func(*gorm.DB) error{sqlText("SAVEPOINT a"), deletePet(1), sqlText("SAVEPOINT b"), deletePet(2), sqlText("RELEASE SAVEPOINT b"), sqlText("RELEASE SAVEPOINT a")}, both},
			{"an outer one", []func(*gorm.DB) error{deletePet(2), sqlText("SAVEPOINT a"), deletePet(1), sqlText("SAVEPOINT b"), sqlText("ROLLBACK TO a")}, second},
			{"a failed one", []func(*gorm.DB) error{deletePet(1), sqlText("SAVEPOINT a"), func(tx *gorm.DB) error {
				tx.Exec("ROLLBACK TO nothing")
				return tx.Exec("ROLLBACK TO a").Error
			}}, first},
		} {
			for _, prepared := range []bool{false, true} {
				seed(t, d)
				session := db.Session(&gorm.Session{PrepareStmt: prepared && d.name == "postgres"}) // the others cannot prepare these
				require.NoError(t, session.Transaction(func(tx *gorm.DB) error {
					for _, step := range c.steps {
						if err := step(tx); err != nil {
							return err
						}
					}
					return nil
				}), c.name)
				require.Equal(t, c.want, r.take(), c.name)
			}
		}
	})
}

// A COMMIT in SQL text ends the transaction; what follows commits by itself.
func TestCommitInSQLText(t *testing.T) {
	d := openPostgres(t)
	db, r := plugged(t, d, gormsignals.Config{})
	tx := db.Begin()
	require.NoError(t, deletePet(1)(tx))
	require.NoError(t, tx.Exec("COMMIT").Error)
	require.Equal(t, []string{"pet owner=1"}, r.take())
	require.NoError(t, tx.Exec("DELETE FROM pets").Error)
	require.Equal(t, []string{"pet all"}, r.take())
	tx.Rollback()

	seed(t, d)
	tx = db.Begin()
	require.NoError(t, deletePet(1)(tx))
	require.NoError(t, tx.Exec("ROLLBACK AND CHAIN").Error)
	require.NoError(t, deletePet(2)(tx))
	require.NoError(t, tx.Exec("COMMIT AND CHAIN").Error)
	require.Equal(t, []string{"pet owner=2"}, r.take())
	require.NoError(t, deletePet(1)(tx))
	require.NoError(t, tx.Rollback().Error)
	require.Empty(t, r.take())
}

// MySQL and MariaDB commit before DDL, and no ROLLBACK takes that back.
func TestImplicitCommit(t *testing.T) {
	d := openMariaDB(t)
	db, r := plugged(t, d, gormsignals.Config{})
	for i, ddl := range []func(*gorm.DB) error{
		sqlText("CREATE TABLE t0 (a int)"),
		func(tx *gorm.DB) error {
			return tx.Session(&gorm.Session{PrepareStmt: true}).Exec("CREATE TABLE t1 (a int)").Error
		},
		func(tx *gorm.DB) error { return tx.Raw("CREATE TABLE t2 (a int)").Scan(new([]int)).Error },
		func(tx *gorm.DB) error {
			return tx.Session(&gorm.Session{PrepareStmt: true}).Raw("CREATE TABLE t3 (a int)").Scan(new([]int)).Error
		},
		func(tx *gorm.DB) error { return tx.Raw("CREATE TABLE t4 (a int)").Row().Err() },
	} {
		seed(t, d)
		tx := db.Begin()
		require.NoError(t, deletePet(1)(tx))
		require.NoError(t, ddl(tx), i)
		require.Equal(t, []string{"pet owner=1"}, r.take())
		require.NoError(t, tx.Exec("TRUNCATE pets").Error)
		require.Equal(t, []string{"pet all"}, r.take())
		require.NoError(t, tx.Rollback().Error)
		var n int
		require.NoError(t, d.second.QueryRow("SELECT count(*) FROM pets").Scan(&n))
		require.Zero(t, n)
	}

	for _, end := range []func(tx *gorm.DB, cancel func()) error{
		func(tx *gorm.DB, _ func()) error { return tx.Rollback().Error },
		func(tx *gorm.DB, cancel func()) error {
			cancel() // database/sql may roll back at once, in a goroutine of its own, or leave that to the Commit
			err := tx.Commit().Error
			require.True(t, errors.Is(err, context.Canceled) || errors.Is(err, sql.ErrTxDone), err)
			return nil
		},
	} {
		seed(t, d)
		ctx, cancel := context.WithCancel(t.Context())
		tx := db.WithContext(ctx).Begin()
		require.NoError(t, deletePet(1)(tx))
		require.Error(t, tx.Exec("ALTER TABLE missing ADD COLUMN a int").Error)
		require.Empty(t, r.take())
		require.NoError(t, end(tx, cancel))
		require.Equal(t, []string{"pet owner=1"}, r.take(), "whether it had committed is uncertain")
	}
}

// More savepoints than are kept apart make the queue wider, never narrower.
func TestManySavepoints(t *testing.T) {
	d := openSQLite(t)
	db, r := plugged(t, d, gormsignals.Config{})
	many := func(back ...string) []string {
		require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
			for i := range 300 {
				require.NoError(t, tx.SavePoint(fmt.Sprint("sp", i)).Error)
				require.NoError(t, tx.Create(&Pet{UserID: new(int64(i / 50))}).Error)
			}
			for _, name := range back {
				require.NoError(t, tx.RollbackTo(name).Error)
			}
			return nil
		}))
		return r.take()
	}
	require.Equal(t, []string{"pet owner=0", "pet owner=1"}, many("sp299", "sp100"))
	require.Len(t, many("sp10"), 6, "the outermost ones are not kept apart any more")
}

// GORM gives all nested transactions that run one function the same name.
func TestManySavepointsOfOneName(t *testing.T) {
	db, r := plugged(t, openSQLite(t), gormsignals.Config{})
	require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
		for range 257 {
			require.NoError(t, tx.SavePoint("s").Error)
		}
		require.NoError(t, deletePet(1)(tx))
		require.NoError(t, tx.SavePoint("s").Error)
		require.NoError(t, deletePet(2)(tx))
		return tx.RollbackTo("s").Error
	}))
	require.Equal(t, []string{"pet owner=1"}, r.take())
}

// A statement's rows are pinned to a key only if its condition lets in no others.
func TestConditionsThatLookPinned(t *testing.T) {
	d := openSQLite(t)
	db, r := plugged(t, d, gormsignals.Config{})
	for _, c := range []struct {
		name  string
		write func() error
		want  []string
	}{
		// GORM sees no " OR " here and puts no parentheses around it.
		{"an OR on a line of its own", func() error {
			return db.Model(&User{ID: 1}).Where("team_id = 2\nOR team_id = 77").Update("name", "x").Error
		}, []string{"user pk=3", "user team=2"}},
		{"an OR beside the key", func() error {
			return db.Model(&User{}).Where(&User{ID: 1}).Or(&User{ID: 3}).Update("name", "x").Error
		}, []string{"user pk=1", "user pk=3", "user team=1", "user team=2"}},
		{"a group beside the key", func() error {
			return db.Model(&User{}).Where(&User{ID: 1}).Where(db.Where("name = 'x'").Or("name = 'y'")).Update("name", "z").Error
		}, []string{"user pk=1", "user team=1"}},
		{"another key by text", func() error {
			return db.Model(&User{}).Where("id", 1).Or("id = ?", 3).Update("name", "x").Error
		}, []string{"user pk=1", "user pk=3", "user team=1", "user team=2"}},
		{"a key of another table", func() error {
			return db.Where("user_id IN (?)", db.Model(&User{}).Select("id").Where("users.id = 1")).Delete(&Pet{}).Error
		}, []string{"pet all"}},
		{
			"a part of a key", func() error { return db.Where(&UserGroup{UserID: 1}).Delete(&UserGroup{}).Error },
			[]string{"member user=1,group=1"},
		},
		{"a join table's key", func() error { return db.Delete(&UserGroup{UserID: 1, GroupID: 1}).Error }, nil},
	} {
		require.NoError(t, c.write(), c.name)
		require.Equal(t, c.want, r.take(), c.name)
	}
}

// SQL text outside a transaction that returns rows commits when they are closed. The context of a
// request can end, another cannot.
func TestRowsThatAreReadLater(t *testing.T) {
	for name, ctx := range map[string]context.Context{"sqlite": t.Context(), "sqlite, endless": context.Background(), "postgres": t.Context(), "postgres, endless": context.Background()} {
		d := openSQLite(t)
		if strings.HasPrefix(name, "postgres") {
			d = openPostgres(t)
		}
		db, r := plugged(t, d, gormsignals.Config{})
		db = db.WithContext(ctx)
		r.check = visible("name = 'amy'")
		rowsAlone(t, db, r)
		require.Equal(t, []string{"user all"}, r.take())
		require.Zero(t, r.unseen, name)
		require.NoError(t, db.Raw("UPDATE users SET score = 5 WHERE id = 1 RETURNING id").Row().Scan(new(int64)))
		require.Equal(t, []string{"user all"}, r.take(), name)
		require.NoError(t, db.Raw("UPDATE users SET score = 6 WHERE id = 1 RETURNING id").Scan(new([]int64)).Error)
		require.Equal(t, []string{"user all"}, r.take(), name)

		require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
			rows, err := tx.Raw("DELETE FROM pets RETURNING id").Rows()
			require.NoError(t, err)
			defer rows.Close()
			for rows.Next() {
			}
			require.NoError(t, errors.Join(rows.Err(), rows.Close()))
			require.Empty(t, r.take())
			return nil
		}))
		require.Equal(t, []string{"pet all"}, r.take())
		var ids []int64
		require.Error(t, db.Raw("UPDATE users SET nothing = 'amy' RETURNING id").Scan(&ids).Error)
		require.Error(t, db.Raw("UPDATE users SET nothing = 'amy' RETURNING id").Row().Err())
		require.Empty(t, r.take())
	}
}

func rowsAlone(t *testing.T, db *gorm.DB, r *recorder) {
	t.Helper()
	rows, err := db.Raw("UPDATE users SET name = 'amy' WHERE team_id = 1 RETURNING id").Rows()
	require.NoError(t, err)
	defer rows.Close()
	require.True(t, rows.Next())
	require.Empty(t, r.take())
	require.True(t, rows.Next())
	require.False(t, rows.Next())
	require.NoError(t, errors.Join(rows.Err(), rows.Close()))
}

// A context that ends while rows are open closes them, and nobody need do so.
func TestRowsWhoseContextEnds(t *testing.T) {
	for _, d := range []*database{openSQLite(t), openPostgres(t)} {
		db, r := plugged(t, d, gormsignals.Config{})
		ctx, cancel := context.WithCancel(t.Context())
		row := db.WithContext(ctx).Raw("DELETE FROM pets RETURNING id").Row()
		require.NoError(t, row.Err())
		require.Empty(t, r.take())
		cancel()
		require.Eventually(t, func() bool { return len(r.take()) > 0 }, 20*time.Second, time.Millisecond)
	}
}

// A driver may watch the query by contexts that it derives, and ends before the rows are closed.
func TestRowsOfADriverThatDerivesContexts(t *testing.T) {
	d := openSQLite(t)
	migrate(t, d)
	seed(t, d)
	bus, r := listening(t, d.second)
	db, err := gorm.Open(sqlite.Dialector{Conn: derivesPool{d.second}}, &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	require.NoError(t, db.Use(gormsignals.New(bus)))
	rows, err := db.WithContext(t.Context()).Raw("UPDATE users SET name = 'amy' WHERE id = 1 RETURNING id").Rows()
	require.NoError(t, err)
	defer rows.Close()
	r.take()
	require.NoError(t, errors.Join(rows.Close(), rows.Err()))
	require.Equal(t, []string{"user all"}, r.take())
}

type derivesPool struct{ *sql.DB }

func (p derivesPool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	_, cancel := context.WithCancel(ctx)
	cancel()
	return p.DB.QueryContext(ctx, query, args...)
}
