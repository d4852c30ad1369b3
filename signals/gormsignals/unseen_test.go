package gormsignals_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/signals/gormsignals"
)

// behind runs f in a transaction that the plugin was not asked to begin.
func behind(t *testing.T, db *gorm.DB, f func(tx *gorm.DB)) {
	t.Helper()
	pool, err := db.DB()
	require.NoError(t, err)
	raw, err := pool.Begin()
	require.NoError(t, err)
	tx := db.Session(&gorm.Session{NewDB: true}).WithContext(t.Context())
	tx.Statement.ConnPool = raw
	f(tx)
	require.NoError(t, raw.Commit())
}

func TestUnseenTransactionsAreReported(t *testing.T) {
	var log strings.Builder
	quiet := slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}
	db, r := plugged(t, openSQLite(t), gormsignals.Config{Logger: slog.New(slog.NewTextHandler(&log, &quiet))})
	behind(t, db, func(tx *gorm.DB) {
		require.NoError(t, tx.Create(&Log{Text: "nobody listens"}).Error)
		require.Empty(t, log.String())
		require.NoError(t, tx.Model(&User{ID: 1}).Update("team_id", 5).Error)
		require.Equal(t, []string{"user pk=1", "user team=1", "user team=5"}, r.take(), "early, but not lost")
		require.NoError(t, tx.Exec("DELETE FROM pets").Error)
		require.Equal(t, []string{"pet all"}, r.take())
		require.NoError(t, gormsignals.Saved(tx, &Pet{UserID: new(int64)}))
		require.NotEmpty(t, r.take())
	})
	require.Equal(t, `level=ERROR msg="gormsignals: a write runs in a transaction that was begun behind the plugin's back; its invalidation is published at once, perhaps before the COMMIT. Begin it with db.Begin or db.Transaction, or open the database through Plugin.WrapConnector" connection=*sql.Tx table=users`+"\n",
		log.String(), "once")
}

func TestUnseenTransactionsAreRefused(t *testing.T) {
	db, r := plugged(t, openSQLite(t), gormsignals.Config{RefuseUnseen: true})
	behind(t, db, func(tx *gorm.DB) {
		err := tx.Model(&User{ID: 1}).Update("team_id", 5).Error
		require.ErrorIs(t, err, gormsignals.ErrUnseenTx)
		require.EqualError(t, err, "gormsignals: this transaction was begun behind the plugin's back, so its COMMIT cannot be seen; begin it with db.Begin or db.Transaction, or open the database through Plugin.WrapConnector")
		require.ErrorIs(t, tx.Exec("DELETE FROM pets").Error, gormsignals.ErrUnseenTx)
		require.ErrorIs(t, gormsignals.Publish(tx, signals.Change{Model: nil, New: &Pet{}}), gormsignals.ErrUnseenTx)
		require.NoError(t, tx.Create(&Log{Text: "nobody listens"}).Error)
	})
	require.Empty(t, r.take())
	var n int64
	require.NoError(t, db.Model(&Pet{}).Count(&n).Error)
	require.EqualValues(t, 2, n, "nothing was written")
	require.ErrorIs(t, db.Connection(func(tx *gorm.DB) error {
		return tx.Transaction(func(tx *gorm.DB) error { return tx.Delete(&Pet{ID: 1}).Error })
	}), gormsignals.ErrUnseenTx)
}
