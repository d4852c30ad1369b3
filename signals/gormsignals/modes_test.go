package gormsignals_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/restflow-go/restflow/signals/gormsignals"
)

// mode is a way to run a write: in which transaction, and how that ends.
type mode struct {
	name   string
	config gorm.Config
	run    func(t *testing.T, db *gorm.DB, pending func(), write func(*gorm.DB) error)
	alone  bool // the write commits by itself
	none   bool // nothing is committed
}

var errAbort = errors.New("abort")

// pending is called where the write has been executed and not committed: nothing may have been
// dropped.
var modes = []mode{
	{name: "auto", run: auto},
	{name: "explicit", run: explicit},
	{name: "nested", run: func(t *testing.T, db *gorm.DB, pending func(), write func(*gorm.DB) error) {
		require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
			defer pending()
			return tx.Transaction(write)
		}))
	}},
	{name: "manual", run: manual},
	{name: "savepoint kept", run: func(t *testing.T, db *gorm.DB, pending func(), write func(*gorm.DB) error) {
		tx := db.Begin()
		require.NoError(t, tx.SavePoint("first").Error)
		require.NoError(t, write(tx))
		require.NoError(t, tx.SavePoint("second").Error)
		require.NoError(t, tx.RollbackTo("second").Error)
		pending()
		require.NoError(t, tx.Commit().Error)
	}},
	{name: "prepared config auto", config: gorm.Config{PrepareStmt: true}, run: auto},
	{name: "prepared config explicit", config: gorm.Config{PrepareStmt: true}, run: explicit},
	{name: "prepared session auto", run: session(gorm.Session{PrepareStmt: true}, auto)},
	{name: "prepared session explicit", run: session(gorm.Session{PrepareStmt: true}, explicit)},
	{name: "prepared session in a transaction", run: func(t *testing.T, db *gorm.DB, pending func(), write func(*gorm.DB) error) {
		explicit(t, db, pending, func(tx *gorm.DB) error { return write(tx.Session(&gorm.Session{PrepareStmt: true})) })
	}},
	{name: "skip-default config", config: gorm.Config{SkipDefaultTransaction: true}, run: auto, alone: true},
	{name: "skip-default session", run: session(gorm.Session{SkipDefaultTransaction: true}, auto), alone: true},
	{name: "skip-default explicit", config: gorm.Config{SkipDefaultTransaction: true}, run: explicit},
	{name: "skip-default prepared", config: gorm.Config{SkipDefaultTransaction: true, PrepareStmt: true}, run: auto, alone: true},
	{name: "connection", run: func(t *testing.T, db *gorm.DB, _ func(), write func(*gorm.DB) error) {
		require.NoError(t, db.Connection(write))
	}},

	{name: "rolled back", none: true, run: func(t *testing.T, db *gorm.DB, _ func(), write func(*gorm.DB) error) {
		require.ErrorIs(t, db.Transaction(func(tx *gorm.DB) error { return errors.Join(write(tx), errAbort) }), errAbort)
	}},
	{name: "rolled back by hand", none: true, run: func(t *testing.T, db *gorm.DB, _ func(), write func(*gorm.DB) error) {
		tx := db.Begin()
		require.NoError(t, write(tx))
		require.NoError(t, tx.Rollback().Error)
		require.Error(t, tx.Commit().Error)
	}},
	{name: "rolled back inside", none: true, run: func(t *testing.T, db *gorm.DB, _ func(), write func(*gorm.DB) error) {
		require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
			require.ErrorIs(t, tx.Transaction(func(tx *gorm.DB) error { return errors.Join(write(tx), errAbort) }), errAbort)
			return nil
		}))
	}},
	{
		name: "rolled back to a savepoint", none: true, config: gorm.Config{PrepareStmt: true},
		run: func(t *testing.T, db *gorm.DB, _ func(), write func(*gorm.DB) error) {
			tx := db.Begin()
			require.NoError(t, tx.SavePoint("first").Error)
			require.NoError(t, write(tx))
			require.NoError(t, tx.RollbackTo("first").Error)
			require.NoError(t, tx.Commit().Error)
		},
	},
	{name: "panicked", none: true, run: func(t *testing.T, db *gorm.DB, _ func(), write func(*gorm.DB) error) {
		require.PanicsWithValue(t, "panic", func() {
			_ = db.Transaction(func(tx *gorm.DB) error {
				require.NoError(t, write(tx))
				panic("panic")
			})
		})
	}},
	{name: "cancelled before", none: true, run: func(t *testing.T, db *gorm.DB, _ func(), write func(*gorm.DB) error) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, write(db.WithContext(ctx)), context.Canceled)
	}},
	{name: "cancelled before, alone", none: true, run: func(t *testing.T, db *gorm.DB, _ func(), write func(*gorm.DB) error) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, write(db.Session(&gorm.Session{Context: ctx, SkipDefaultTransaction: true})), context.Canceled)
	}},
	{name: "cancelled in a transaction", none: true, run: func(t *testing.T, db *gorm.DB, _ func(), write func(*gorm.DB) error) {
		ctx, cancel := context.WithCancel(t.Context())
		require.Error(t, db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			err := write(tx)
			cancel()
			return err
		}))
	}},
	{name: "dry run", none: true, run: func(t *testing.T, db *gorm.DB, _ func(), write func(*gorm.DB) error) {
		_ = write(db.Session(&gorm.Session{DryRun: true}))
	}},
}

func auto(t *testing.T, db *gorm.DB, _ func(), write func(*gorm.DB) error) {
	t.Helper()
	require.NoError(t, write(db))
}

func explicit(t *testing.T, db *gorm.DB, pending func(), write func(*gorm.DB) error) {
	t.Helper()
	require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
		defer pending()
		return write(tx)
	}))
}

func manual(t *testing.T, db *gorm.DB, pending func(), write func(*gorm.DB) error) {
	t.Helper()
	tx := db.Begin()
	require.NoError(t, tx.Error)
	require.NoError(t, write(tx))
	pending()
	require.NoError(t, tx.Commit().Error)
	tx.Rollback() // the deferred kind, which must not undo what is queued or published
}

func session(s gorm.Session, run func(*testing.T, *gorm.DB, func(), func(*gorm.DB) error)) func(*testing.T, *gorm.DB, func(), func(*gorm.DB) error) {
	return func(t *testing.T, db *gorm.DB, pending func(), write func(*gorm.DB) error) {
		run(t, db.Session(&s), pending, write)
	}
}

// opened returns a session of the mode's kind, with the plugin.
func (m mode) opened(t *testing.T, d *database, plugin *gormsignals.Plugin) *gorm.DB {
	t.Helper()
	db := d.gorm(t, &gorm.Config{PrepareStmt: m.config.PrepareStmt, SkipDefaultTransaction: m.config.SkipDefaultTransaction})
	require.NoError(t, db.Use(plugin))
	return db
}
