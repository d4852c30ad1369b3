package gormsignals_test

import (
	"log/slog"
	"testing"

	"github.com/glebarez/sqlite"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"
	"gorm.io/plugin/dbresolver"

	"github.com/restflow-go/restflow/signals/gormsignals"
)

// plugged opens the database with the plugin and the rules of the matrix, and seeds it.
func plugged(t testing.TB, d *database, config gormsignals.Config) (*gorm.DB, *recorder) {
	t.Helper()
	migrate(t, d)
	seed(t, d)
	bus, r := listening(t, d.second)
	db := d.gorm(t, nil)
	require.NoError(t, db.Use(gormsignals.New(bus, config)))
	return db, r
}

func TestDBStillReturnsTheSQLDB(t *testing.T) {
	d := openSQLite(t)
	for _, prepared := range []bool{false, true} {
		db := d.gorm(t, &gorm.Config{PrepareStmt: prepared})
		before, err := db.DB()
		require.NoError(t, err)
		bus, _ := listening(t, d.second)
		require.NoError(t, db.Use(gormsignals.New(bus)))

		same := func(db *gorm.DB) {
			t.Helper()
			after, err := db.DB()
			require.NoError(t, err)
			require.Same(t, before, after)
		}
		same(db)
		same(db.Session(&gorm.Session{PrepareStmt: true}))
		require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
			same(tx)
			same(tx.Session(&gorm.Session{PrepareStmt: true}))
			return tx.Statement.ConnPool.(interface{ Ping() error }).Ping()
		}))
		require.NoError(t, db.ConnPool.(interface{ Ping() error }).Ping())
		require.NoError(t, db.Connection(func(tx *gorm.DB) error {
			require.NoError(t, tx.Exec("SELECT 1").Error)
			return nil
		}))
	}
}

func TestSQLTxReturnsTheTransaction(t *testing.T) {
	db, _ := plugged(t, openSQLite(t), gormsignals.Config{})
	_, ok := gormsignals.SQLTx(db)
	require.False(t, ok)
	for _, s := range []*gorm.Session{{}, {PrepareStmt: true}} {
		require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
			raw, ok := gormsignals.SQLTx(tx.Session(s))
			require.True(t, ok)
			return raw.QueryRow("SELECT 1").Scan(new(int))
		}))
	}
}

func TestStatementsOfSessionsOlderThanThePluginAreSeen(t *testing.T) {
	d := openSQLite(t)
	migrate(t, d)
	bus, r := listening(t, d.second)
	db := d.gorm(t, nil)
	old := db.WithContext(t.Context())
	prepared := db.Session(&gorm.Session{PrepareStmt: true})
	require.NoError(t, db.Use(gormsignals.New(bus, gormsignals.Config{Logger: slog.New(slog.DiscardHandler)})))
	for _, db := range []*gorm.DB{old, prepared} {
		seed(t, d)
		require.NoError(t, db.Model(&User{ID: 1}).Update("name", "amy").Error)
		require.Equal(t, []string{"user pk=1", "user team=1"}, r.take())
	}
	// Not so the end of a transaction that one of them begins.
	require.NoError(t, old.Transaction(func(tx *gorm.DB) error {
		require.NoError(t, tx.Model(&User{ID: 2}).Update("name", "amy").Error)
		require.Equal(t, []string{"user pk=2", "user team=1"}, r.take())
		return nil
	}))
}

func TestFailedBeginLeavesATransactionThatCanBeRolledBack(t *testing.T) {
	db, r := plugged(t, openSQLite(t), gormsignals.Config{})
	pool, err := db.DB()
	require.NoError(t, err)
	require.NoError(t, pool.Close())
	tx := db.Begin()
	require.EqualError(t, tx.Error, "sql: database is closed")
	require.EqualError(t, tx.Create(&User{Email: "eve@x"}).Error, "sql: database is closed")
	require.EqualError(t, tx.Rollback().Error, "sql: database is closed")
	_, ok := gormsignals.SQLTx(tx)
	require.False(t, ok)
	require.Empty(t, r.take())
}

func TestInitializeRefusesATransaction(t *testing.T) {
	d := openSQLite(t)
	tx, err := d.second.Begin()
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback()) }()
	db, err := gorm.Open(sqlite.Dialector{Conn: tx}, &gorm.Config{})
	require.NoError(t, err)
	bus, _ := listening(t, d.second)
	err = db.Use(gormsignals.New(bus))
	require.ErrorIs(t, err, gormsignals.ErrTxConn)
	require.EqualError(t, err, "gormsignals: this *gorm.DB was opened on a transaction, whose COMMIT cannot be seen; register the plugin on the one that begins it")
}

func TestInitializeRefusesToComeAfterDBResolver(t *testing.T) {
	d := openSQLite(t)
	db := d.gorm(t, nil)
	require.NoError(t, db.Use(dbresolver.Register(dbresolver.Config{})))
	bus, _ := listening(t, d.second)
	err := db.Use(gormsignals.New(bus))
	require.ErrorIs(t, err, gormsignals.ErrResolverFirst)
	require.EqualError(t, err, "gormsignals: dbresolver is registered already and holds pools that the plugin cannot see; call db.Use(gormsignals.New(bus)) before db.Use(dbresolver.Register(...))")
}

// A resolver opens its pools with a copy of the config, plugins included, so that they are seen.
func TestDBResolverAfterThePlugin(t *testing.T) {
	first, other := openSQLite(t), openSQLite(t)
	db, r := plugged(t, first, gormsignals.Config{})
	migrate(t, other)
	seed(t, other)
	require.NoError(t, db.Use(dbresolver.Register(dbresolver.Config{Sources: []gorm.Dialector{other.open()}, Replicas: []gorm.Dialector{first.open()}}, "other").
		Register(dbresolver.Config{Sources: []gorm.Dialector{other.open()}}, &Pet{})))
	t.Cleanup(func() {
		for _, table := range []string{"other", "pets"} {
			tx := db.Clauses(dbresolver.Use(table), dbresolver.Write).Begin()
			pool, err := tx.DB()
			require.NoError(t, err)
			tx.Rollback()
			require.NoError(t, pool.Close())
		}
	})

	require.NoError(t, db.Create(&Pet{Name: "kit", UserID: new(int64)}).Error)
	require.Equal(t, []string{"pet owner=0"}, r.take())
	require.NoError(t, db.Clauses(dbresolver.Use("other"), dbresolver.Write).Transaction(func(tx *gorm.DB) error {
		require.NoError(t, tx.Model(&User{ID: 3}).Update("team_id", 5).Error)
		require.Empty(t, r.take())
		return nil
	}))
	require.Equal(t, []string{"user pk=3", "user team=2", "user team=5"}, r.take())
	var team int
	require.NoError(t, other.second.QueryRow("SELECT team_id FROM users WHERE id = 3").Scan(&team))
	require.Equal(t, 5, team)
}

// They may be of several kinds, and name their tables and columns as they like.
func TestOnePluginOnSeveralDatabases(t *testing.T) {
	first := openSQLite(t)
	bus, r := listening(t, first.second)
	plugin := gormsignals.New(bus)
	for _, c := range []struct {
		d      *database
		config gorm.Config
		text   string
	}{
		{first, gorm.Config{}, "UPDATE users SET name = 'amy'"},
		{openSQLite(t), gorm.Config{}, "UPDATE users SET name = 'amy'"},
		{openSQLite(t), gorm.Config{NamingStrategy: schema.NamingStrategy{TablePrefix: "app_"}}, "UPDATE app_users SET name = 'amy'"},
		{openSQLite(t), gorm.Config{NamingStrategy: schema.NamingStrategy{NoLowerCase: true}}, "UPDATE Users SET Name = 'amy'"},
		{openMariaDB(t), gorm.Config{}, "# hash\nUPDATE users SET name = 'amy'"},
	} {
		db := c.d.gorm(t, &c.config)
		require.NoError(t, db.AutoMigrate(&User{}, &Pet{}, &Group{}))
		require.NoError(t, db.Create(&User{ID: 1, Email: "ann@x", TeamID: 1}).Error)
		require.NoError(t, db.Use(plugin))
		session := db.Session(&gorm.Session{})
		require.NoError(t, session.Model(&User{ID: 1}).Update("TeamID", 2).Error)
		require.Equal(t, []string{"user pk=1", "user team=1", "user team=2"}, r.take())
		require.NoError(t, session.Exec(c.text).Error)
		require.Equal(t, []string{"user all"}, r.take(), c.text)
		require.NoError(t, session.Delete(&User{ID: 1}).Error)
		require.Equal(t, []string{"user pk=1", "user team=2"}, r.take())
	}
}
