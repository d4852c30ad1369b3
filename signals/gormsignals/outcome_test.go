package gormsignals_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/glebarez/sqlite"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/signals/gormsignals"
)

// endsPool is a pool whose transactions end as the test says.
type endsPool struct {
	*sql.DB
	commit, rollback error
}

func (p *endsPool) BeginTx(ctx context.Context, opts *sql.TxOptions) (gorm.ConnPool, error) {
	tx, err := p.DB.BeginTx(ctx, opts)
	return &endsTx{tx, p}, err
}

func (p *endsPool) GetDBConn() (*sql.DB, error) { return p.DB, nil }

type endsTx struct {
	*sql.Tx
	pool *endsPool
}

func (t *endsTx) Commit() error {
	if err := t.Tx.Commit(); err != nil {
		return err
	}
	return t.pool.commit
}

func (t *endsTx) Rollback() error { _ = t.Tx.Rollback(); return t.pool.rollback }

func TestUncertainCommitsPublish(t *testing.T) {
	d := openSQLite(t)
	migrate(t, d)
	seed(t, d)
	bus, r := listening(t, d.second)
	pool := &endsPool{DB: d.second}
	db, err := gorm.Open(sqlite.Dialector{Conn: pool}, &gorm.Config{})
	require.NoError(t, err)
	var log strings.Builder
	require.NoError(t, db.Use(gormsignals.New(bus, gormsignals.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})))

	for _, c := range []struct {
		commit, rollback error
		published        bool
	}{
		{commit: driver.ErrBadConn, published: true},
		{commit: io.ErrUnexpectedEOF, published: true},
		{commit: &net.OpError{Op: "read", Err: io.EOF}, published: true},
		{commit: errors.New("anything else"), published: true},
		{commit: sql.ErrTxDone},
		{commit: context.Canceled},                                                       // sent nothing: it could be rolled back
		{commit: context.DeadlineExceeded},                                               // the same
		{commit: context.Canceled, rollback: sql.ErrTxDone, published: true},             // the COMMIT may have been sent
		{commit: fmt.Errorf("driver: %w", context.Canceled), published: true},            // by the driver, while it was under way
		{commit: &pgconn.PgError{Code: "40001"}},                                         // could not serialize
		{commit: &pgconn.PgError{Code: "40003"}, published: true},                        // completion unknown
		{commit: &pgconn.PgError{Code: "23503"}},                                         // a deferred constraint
		{commit: fmt.Errorf("commit: %w", &pgconn.PgError{Code: "25P02"})},               // in a failed transaction
		{commit: &pgconn.PgError{Code: "08007"}, published: true},                        // resolution unknown
		{commit: &pgconn.PgError{Code: "57P01"}, published: true},                        // shut down while it waited
		{commit: pgx.ErrTxCommitRollback},                                                // PostgreSQL answered ROLLBACK
		{commit: errors.New("pq: Could not complete operation in a failed transaction")}, // so did it here
	} {
		pool.commit, pool.rollback = c.commit, c.rollback
		log.Reset()
		tx := db.Begin()
		require.NoError(t, tx.Model(&User{ID: 1}).Update("name", "amy").Error)
		require.ErrorIs(t, tx.Commit().Error, c.commit)
		if !c.published {
			require.Empty(t, r.take(), "%v", c.commit)
			require.Empty(t, log.String())
			continue
		}
		require.Equal(t, []string{"user pk=1", "user team=1"}, r.take(), "%v", c.commit)
		require.Contains(t, log.String(), `level=WARN msg="gormsignals: the outcome of a COMMIT is uncertain; its changes are invalidated as if it had succeeded" error=`)
	}
}

// PostgreSQL aborts a transaction in which a statement failed, and answers ROLLBACK to its COMMIT.
func TestCommitOfAFailedTransaction(t *testing.T) {
	d := openPostgres(t)
	db, r := plugged(t, d, gormsignals.Config{})
	tx := db.Begin()
	require.NoError(t, tx.Model(&User{ID: 1}).Update("name", "amy").Error)
	require.Error(t, tx.Create(&User{Email: "bob@x"}).Error)
	require.ErrorIs(t, tx.Commit().Error, pgx.ErrTxCommitRollback)
	require.Empty(t, r.take())
}

func TestFailedStatementsPublishNothing(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		db, r := plugged(t, d, gormsignals.Config{})
		for name, write := range map[string]func(*gorm.DB) error{
			"duplicate":     func(db *gorm.DB) error { return db.Create(&User{Email: "bob@x"}).Error },
			"duplicate set": func(db *gorm.DB) error { return db.Model(&User{ID: 1}).Update("email", "bob@x").Error },
			"no column":     func(db *gorm.DB) error { return db.Model(&User{ID: 1}).Update("nothing", 1).Error },
			"no WHERE":      func(db *gorm.DB) error { return db.Model(&User{}).Update("name", "amy").Error },
			"no data":       func(db *gorm.DB) error { return db.Create(&[]User{}).Error },
			"bad SQL":       func(db *gorm.DB) error { return db.Exec("UPDATE users SET").Error },
		} {
			require.Error(t, write(db), name)
			require.Error(t, write(db.Session(&gorm.Session{SkipDefaultTransaction: true})), name)
			require.Empty(t, r.take(), name)
		}
	})
}

// Where a failed statement leaves the transaction alive, what succeeded is published.
func TestStatementsBesideAFailedOne(t *testing.T) {
	for _, d := range []*database{openSQLite(t), openMariaDB(t)} {
		db, r := plugged(t, d, gormsignals.Config{})
		require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
			require.Error(t, tx.Model(&User{ID: 3}).Update("email", "bob@x").Error)
			return tx.Model(&User{ID: 1}).Update("name", "amy").Error
		}))
		require.Equal(t, []string{"user pk=1", "user team=1"}, r.take())
	}
}

// A hook's error does not undo what its statement has committed by itself.
func TestAFailedHookAfterTheCommit(t *testing.T) {
	d := openSQLite(t)
	db, r := plugged(t, d, gormsignals.Config{})
	require.NoError(t, db.Callback().Create().After("gorm:after_create").Before("gorm:commit_or_rollback_transaction").
		Register("fail", func(db *gorm.DB) { _ = db.AddError(errAbort) }))
	require.ErrorIs(t, db.Session(&gorm.Session{SkipDefaultTransaction: true}).Create(&Pet{UserID: new(int64)}).Error, errAbort)
	require.Equal(t, []string{"pet owner=0"}, r.take())
	require.ErrorIs(t, db.Create(&Pet{UserID: new(int64)}).Error, errAbort)
	require.Empty(t, r.take())
}

// A lost connection in the middle of a statement that commits by itself leaves its outcome open.
func TestAnUncertainStatementPublishes(t *testing.T) {
	d := openSQLite(t)
	migrate(t, d)
	seed(t, d)
	bus, r := listening(t, d.second)
	db, err := gorm.Open(sqlite.Dialector{Conn: &losesPool{d.second}}, &gorm.Config{SkipDefaultTransaction: true, Logger: logger.Discard})
	require.NoError(t, err)
	require.NoError(t, db.Use(gormsignals.New(bus)))
	require.ErrorIs(t, db.Model(&User{ID: 1}).UpdateColumn("name", "amy").Error, io.ErrUnexpectedEOF)
	require.Equal(t, []string{"user all"}, r.take())
	require.ErrorIs(t, db.Exec("DELETE FROM pets").Error, io.ErrUnexpectedEOF)
	require.Equal(t, []string{"pet all"}, r.take())
}

// losesPool executes, and loses the answer.
type losesPool struct{ *sql.DB }

func (p *losesPool) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if _, err := p.DB.ExecContext(ctx, query, args...); err != nil {
		return nil, err
	}
	return nil, io.ErrUnexpectedEOF
}

func TestFailuresOfPublishing(t *testing.T) {
	d := openSQLite(t)
	migrate(t, d)
	for _, c := range []struct {
		policy signals.ErrorPolicy
		want   string
	}{
		{signals.Report, ""},
		{signals.Return, "gormsignals: committed, but not everything was invalidated: signals: Pet->pet: drop: no answer"},
	} {
		seed(t, d)
		r := &recorder{err: errors.New("no answer")}
		bus := signals.NewBus(signals.BusConfig{Logger: slog.New(slog.DiscardHandler)})
		require.NoError(t, bus.Bind(&cache[petKey]{"pet", r}, signals.Rule{Model: Pet{}, Map: map[string]string{"owner": "UserID"}, OnError: c.policy}))
		db := d.gorm(t, nil)
		require.NoError(t, db.Use(gormsignals.New(bus)))
		for _, write := range []func() error{
			func() error { return db.Delete(&Pet{ID: 1}).Error },
			func() error { return db.Begin().Create(&Pet{ID: 1, UserID: new(int64)}).Commit().Error },
			func() error { return db.Transaction(func(tx *gorm.DB) error { return tx.Delete(&Pet{ID: 1}).Error }) },
			func() error {
				return db.Session(&gorm.Session{SkipDefaultTransaction: true}).Create(&Pet{ID: 1, UserID: new(int64)}).Error
			},
		} {
			err := write()
			require.NotEmpty(t, r.take())
			if c.want == "" {
				require.NoError(t, err)
				continue
			}
			require.EqualError(t, err, c.want)
			var failed *gormsignals.PublishError
			require.ErrorAs(t, err, &failed)
			require.ErrorIs(t, err, r.err)
		}
		var n int
		require.NoError(t, d.second.QueryRow("SELECT count(*) FROM pets WHERE id = 1").Scan(&n))
		require.Equal(t, 1, n, "the writes were committed all the same")
	}
}

// Publishing keeps the values of the request's context, and not its end.
func TestPublishingOutlivesTheRequest(t *testing.T) {
	type key struct{}
	d := openSQLite(t)
	migrate(t, d)
	seed(t, d)
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
	var ended error
	var value any
	bus := signals.NewBus(signals.BusConfig{})
	require.NoError(t, bus.Bind(&cache[petKey]{"pet", &recorder{}}, signals.Rule{Model: Pet{}, Invalidate: func(inner context.Context, _ signals.Change) ([]signals.Group, error) {
		cancel()
		ended, value = inner.Err(), inner.Value(key{})
		return nil, nil
	}}))
	db := d.gorm(t, nil)
	require.NoError(t, db.Use(gormsignals.New(bus)))
	require.NoError(t, db.WithContext(ctx).Create(&Pet{}).Error)
	require.ErrorIs(t, ctx.Err(), context.Canceled)
	require.NoError(t, ended)
	require.Equal(t, "value", value)
}
