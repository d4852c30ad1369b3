package gormsignals_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/signals/gormsignals"
)

// petOf is a change that no statement has made.
func petOf(owner int64) signals.Change {
	return signals.Change{Op: signals.Create, New: &Pet{UserID: &owner}}
}

// What is published through a transaction that has ended has no commit to wait for.
func TestPublishThroughATransactionThatHasEnded(t *testing.T) {
	db, r := plugged(t, openSQLite(t), gormsignals.Config{})
	for name, end := range map[string]func(*gorm.DB) error{
		"committed":   func(tx *gorm.DB) error { return tx.Commit().Error },
		"rolled back": func(tx *gorm.DB) error { return tx.Rollback().Error },
	} {
		tx := db.Begin()
		require.NoError(t, end(tx), name)
		require.NoError(t, gormsignals.Publish(tx, petOf(7)), name)
		require.Equal(t, []string{"pet owner=7"}, r.take(), name)
		require.ErrorIs(t, tx.Delete(&Pet{ID: 1}).Error, sql.ErrTxDone, name)
		require.Empty(t, r.take(), "%s: nothing was sent", name)
	}
	ctx, cancel := context.WithCancel(t.Context())
	tx := db.WithContext(ctx).Begin()
	cancel()
	require.Error(t, tx.Commit().Error)
	require.NoError(t, gormsignals.Publish(tx, petOf(7)))
	require.Equal(t, []string{"pet owner=7"}, r.take())
}

// A listener may publish through the transaction whose commit it hears of.
func TestAListenerPublishesThroughTheTransaction(t *testing.T) {
	d := openSQLite(t)
	migrate(t, d)
	seed(t, d)
	bus, r := listening(t, d.second)
	db := d.gorm(t, nil)
	require.NoError(t, db.Use(gormsignals.New(bus)))
	tx := db.Begin()
	defer bus.Subscribe(func(_ context.Context, changes []signals.Change) {
		if changes[0].Op == signals.Delete {
			require.NoError(t, gormsignals.Publish(tx, petOf(7)))
		}
	})()
	require.NoError(t, tx.Delete(&Pet{ID: 1}).Error)
	require.NoError(t, tx.Commit().Error)
	require.Equal(t, []string{"pet owner=1", "pet owner=7"}, r.take())
}
