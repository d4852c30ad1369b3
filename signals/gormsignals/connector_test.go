package gormsignals_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"testing"

	"github.com/glebarez/sqlite"
	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
	gormmysql "gorm.io/driver/mysql"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/signals/gormsignals"
)

// dsnConnector opens connections of a driver without connectors.
type dsnConnector struct {
	driver driver.Driver
	dsn    string
}

func (c dsnConnector) Driver() driver.Driver                        { return c.driver }
func (c dsnConnector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }

func (d *database) connector(t *testing.T) driver.Connector {
	t.Helper()
	switch dialector := d.open().(type) {
	case *postgres.Dialector:
		config, err := pgx.ParseConfig(dialector.DSN)
		require.NoError(t, err)
		return stdlib.GetConnector(*config)
	case *gormmysql.Dialector:
		c, err := mysql.NewConnector(dialector.DSNConfig)
		require.NoError(t, err)
		return c
	case *sqlite.Dialector:
		return dsnConnector{d.second.Driver(), dialector.DSN}
	}
	return nil
}

func (d *database) on(pool *sql.DB) gorm.Dialector {
	switch d.name {
	case "postgres":
		return postgres.New(postgres.Config{Conn: pool})
	case "mysql":
		return gormmysql.New(gormmysql.Config{Conn: pool})
	}
	return sqlite.Dialector{Conn: pool}
}

// wrapped opens the database through the plugin's connector.
func wrapped(t *testing.T, d *database) (*gorm.DB, *sql.DB, *recorder) {
	t.Helper()
	migrate(t, d)
	seed(t, d)
	bus, r := listening(t, d.second)
	plugin := gormsignals.New(bus, gormsignals.Config{RefuseUnseen: true})
	pool := openWith(t, plugin, d)
	db, err := gorm.Open(d.on(pool), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	require.NoError(t, db.Use(plugin))
	return db, pool, r
}

func openWith(t *testing.T, plugin *gormsignals.Plugin, d *database) *sql.DB {
	t.Helper()
	pool := sql.OpenDB(plugin.WrapConnector(d.connector(t)))
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	return pool
}

func TestConnectorSeesWritesBesideGORM(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		_, pool, r := wrapped(t, d)
		ctx := t.Context()
		r.check = visible("name = 'amy'")
		must := func(_ any, err error) {
			t.Helper()
			require.NoError(t, err)
		}
		must(pool.Exec("UPDATE users SET name = 'amy' WHERE id = 1"))
		require.Equal(t, []string{"user all"}, r.take())
		must(pool.Exec("UPDATE users SET name = 'amy' WHERE id = 77"))
		must(pool.Exec("INSERT INTO logs (text) VALUES ('x')"))
		_, err := pool.Exec("UPDATE users SET nothing = 1")
		require.Error(t, err)
		require.Empty(t, r.take())

		tx, err := pool.BeginTx(ctx, nil)
		require.NoError(t, err)
		statement, err := tx.Prepare("DELETE FROM pets WHERE id = 1")
		require.NoError(t, err)
		defer statement.Close()
		must(statement.Exec())
		must(tx.Exec("SAVEPOINT first"))
		must(tx.Exec("UPDATE users SET team_id = 9"))
		must(tx.Exec("ROLLBACK TO SAVEPOINT first"))
		require.Empty(t, r.take())
		require.NoError(t, tx.Commit())
		require.Equal(t, []string{"pet all"}, r.take())

		tx, err = pool.BeginTx(ctx, nil)
		require.NoError(t, err)
		must(tx.Exec("DELETE FROM pets"))
		require.NoError(t, tx.Rollback())
		require.Empty(t, r.take())

		conn, err := pool.Conn(ctx)
		require.NoError(t, err)
		must(conn.ExecContext(ctx, "BEGIN"))
		must(conn.ExecContext(ctx, "UPDATE users SET name = 'amy' WHERE id = 2"))
		require.Empty(t, r.take())
		must(conn.ExecContext(ctx, "COMMIT"))
		require.Equal(t, []string{"user all"}, r.take())
		must(conn.ExecContext(ctx, "BEGIN"))
		must(conn.ExecContext(ctx, "DELETE FROM pets"))
		must(conn.ExecContext(ctx, "ROLLBACK"))
		require.NoError(t, conn.Close())
		require.Empty(t, r.take())
		require.Zero(t, r.unseen)

		if d.name != "mysql" {
			r.check = visible("name = 'zoe'")
			rows, err := pool.Query("UPDATE users SET name = 'zoe' RETURNING id")
			require.NoError(t, err)
			defer rows.Close()
			require.True(t, rows.Next())
			require.Empty(t, r.take(), "not before the rows are closed")
			for rows.Next() {
			}
			require.NoError(t, errors.Join(rows.Err(), rows.Close()))
			require.Equal(t, []string{"user all"}, r.take())
			require.Zero(t, r.unseen)
		}
	})
}

// GORM's own writes stay exact, also where only the driver sees the COMMIT.
func TestConnectorKeepsGORMExact(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		db, _, r := wrapped(t, d)
		update := func(tx *gorm.DB) error {
			return tx.Model(&User{ID: 1}).Update("team_id", gorm.Expr("team_id + 10")).Error
		}
		for name, run := range map[string]func() error{
			"auto":            func() error { return update(db) },
			"explicit":        func() error { return db.Transaction(update) },
			"prepared":        func() error { return db.Session(&gorm.Session{PrepareStmt: true}).Transaction(update) },
			"in a connection": func() error { return db.Connection(func(tx *gorm.DB) error { return tx.Transaction(update) }) },
			"a *sql.Tx": func() error {
				behind(t, db, func(tx *gorm.DB) { require.NoError(t, update(tx)); require.Empty(t, r.take()) })
				return nil
			},
		} {
			seed(t, d)
			r.check = visible("team_id = 11")
			require.NoError(t, run(), name)
			require.Equal(t, []string{"user pk=1", "user team=1", "user team=11"}, r.take(), name)
			require.Zero(t, r.unseen, name)
		}
		require.NoError(t, db.Session(&gorm.Session{SkipDefaultTransaction: true}).Delete(&Pet{ID: 1}).Error)
		require.Equal(t, []string{"pet all"}, r.take())
		behind(t, db, func(tx *gorm.DB) {
			require.NoError(t, gormsignals.Publish(tx, signals.Change{Op: signals.Delete, Old: &Pet{UserID: new(int64)}}))
			require.Empty(t, r.take())
		})
		require.Equal(t, []string{"pet owner=0"}, r.take())
		require.ErrorIs(t, db.Connection(func(tx *gorm.DB) error {
			return tx.Transaction(func(tx *gorm.DB) error { return errors.Join(update(tx), errAbort) })
		}), errAbort)
		require.Empty(t, r.take())
	})
}

func TestConnectorWithoutGORM(t *testing.T) {
	d := openSQLite(t)
	migrate(t, d)
	seed(t, d)
	bus, r := listening(t, d.second)
	pool := openWith(t, gormsignals.New(bus), d)
	_, err := pool.Exec("DELETE FROM pets WHERE name = ?", "rex")
	require.NoError(t, err)
	require.Equal(t, []string{"pet all"}, r.take())

	conn, err := pool.Conn(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	require.NoError(t, conn.Raw(func(c any) error {
		_, own := c.(interface{ Unwrap() driver.Conn }).Unwrap().(driver.ExecerContext)
		require.True(t, own)
		return nil
	}))
}

// A driver of old, with nothing that is optional.
type oldDriver struct{ executed []string }

func (d *oldDriver) Open(string) (driver.Conn, error) { return oldConn{d}, nil }

type oldConn struct{ *oldDriver }

func (c oldConn) Prepare(query string) (driver.Stmt, error) { return oldStmt{c, query}, nil }
func (c oldConn) Close() error                              { return nil }
func (c oldConn) Begin() (driver.Tx, error)                 { return c, nil }
func (c oldConn) Commit() error                             { c.executed = append(c.executed, "COMMIT"); return nil }
func (c oldConn) Rollback() error                           { return nil }

type oldStmt struct {
	oldConn
	query string
}

func (s oldStmt) NumInput() int { return -1 }
func (s oldStmt) Exec([]driver.Value) (driver.Result, error) {
	s.executed = append(s.executed, s.query)
	return driver.RowsAffected(1), nil
}
func (s oldStmt) Query([]driver.Value) (driver.Rows, error) { return nil, errAbort }

func TestConnectorOnAnOldDriver(t *testing.T) {
	bus, r := listening(t, nil)
	pool := sql.OpenDB(gormsignals.New(bus).WrapConnector(dsnConnector{&oldDriver{}, ""}))
	require.NoError(t, pool.Ping())
	_, err := pool.Exec("DELETE FROM pets WHERE id = ?", 1)
	require.NoError(t, err)
	require.Equal(t, []string{"pet all"}, r.take())
	_, err = pool.Exec("DELETE FROM pets WHERE id = :id", sql.Named("id", 1))
	require.EqualError(t, err, "gormsignals: the driver does not support named parameters; use positional ones")
	require.ErrorIs(t, pool.QueryRow("SELECT 1").Err(), errAbort)
	_, err = pool.BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	require.EqualError(t, err, "gormsignals: the driver does not support transactions with options; begin one without")
	r.take()
	tx, err := pool.Begin()
	require.NoError(t, err)
	_, err = tx.Exec("DELETE FROM pets")
	require.NoError(t, err)
	require.Empty(t, r.take())
	require.NoError(t, tx.Commit())
	require.Equal(t, []string{"pet all"}, r.take())
}
