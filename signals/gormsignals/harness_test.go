package gormsignals_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/glebarez/sqlite"
	"github.com/stretchr/testify/require"
	"gorm.io/driver/mysql"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// database is one empty database, with a connection beside GORM's.
type database struct {
	name   string
	open   func() gorm.Dialector
	second *sql.DB
}

// gorm opens the database with GORM, without the plugin.
func (d *database) gorm(t testing.TB, config *gorm.Config) *gorm.DB {
	t.Helper()
	if config == nil {
		config = &gorm.Config{}
	}
	config.Logger = logger.Default.LogMode(logger.Silent)
	db, err := gorm.Open(d.open(), config)
	require.NoError(t, err)
	t.Cleanup(func() {
		pool, err := db.DB()
		require.NoError(t, err)
		require.NoError(t, pool.Close())
	})
	return db
}

// databases runs a test on every database there is.
func databases(t *testing.T, test func(*testing.T, *database)) {
	for _, open := range []struct {
		name string
		open func(testing.TB) *database
	}{{"sqlite", openSQLite}, {"postgres", openPostgres}, {"mariadb", openMariaDB}} {
		t.Run(open.name, func(t *testing.T) {
			t.Parallel()
			test(t, open.open(t))
		})
	}
}

func openSQLite(t testing.TB) *database {
	t.Helper()
	dsn := filepath.Join(t.TempDir(), "test.db") + "?_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)&_pragma=synchronous(OFF)"
	return (&database{name: "sqlite", open: func() gorm.Dialector { return sqlite.Open(dsn) }}).ready(t)
}

func (d *database) ready(t testing.TB) *database {
	t.Helper()
	var err error
	d.second, err = d.gorm(t, nil).DB()
	require.NoError(t, err)
	return d
}

func openPostgres(t testing.TB) *database {
	t.Helper()
	dsn := env("RESTFLOW_TEST_POSTGRES_DSN", "host=127.0.0.1 port=5432 user=root dbname=postgres sslmode=disable")
	admin := service(t, postgres.Open(dsn))
	name := randomName()
	exec(t, admin, "CREATE SCHEMA "+name)
	t.Cleanup(func() { exec(t, admin, "DROP SCHEMA "+name+" CASCADE") })
	dsn = with(dsn, "search_path="+name)
	dsn = with(dsn, "synchronous_commit=off") // nobody waits for the disk
	return (&database{name: "postgres", open: func() gorm.Dialector { return postgres.Open(dsn) }}).ready(t)
}

// with adds a parameter to either form of PostgreSQL's connection strings.
func with(dsn, parameter string) string {
	switch {
	case !strings.Contains(dsn, "://"):
		return dsn + " " + parameter
	case strings.Contains(dsn, "?"):
		return dsn + "&" + parameter
	}
	return dsn + "?" + parameter
}

func openMariaDB(t testing.TB) *database {
	t.Helper()
	dsn := env("RESTFLOW_TEST_MYSQL_DSN", "root@tcp(127.0.0.1:3306)/")
	admin := service(t, mysql.Open(dsn))
	name := randomName()
	exec(t, admin, "CREATE DATABASE "+name)
	t.Cleanup(func() { exec(t, admin, "DROP DATABASE "+name) })
	server, _, _ := strings.Cut(dsn, "/")
	dsn = server + "/" + name + "?parseTime=true&charset=utf8mb4"
	return (&database{name: "mysql", open: func() gorm.Dialector { return mysql.Open(dsn) }}).ready(t)
}

// service connects to a server. Without one the test is skipped, or fails if services are required.
func service(t testing.TB, dialector gorm.Dialector) *sql.DB {
	t.Helper()
	db, err := gorm.Open(dialector, &gorm.Config{Logger: logger.Discard})
	if err != nil {
		if os.Getenv("RESTFLOW_REQUIRE_SERVICES") == "1" {
			t.Fatalf("RESTFLOW_REQUIRE_SERVICES is set and %s cannot be reached: %v", dialector.Name(), err)
		}
		t.Skipf("%s cannot be reached: %v", dialector.Name(), err)
	}
	pool, err := db.DB()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	return pool
}

func env(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

func randomName() string { return fmt.Sprintf("gormsignals_%016x", rand.Uint64()) }

func exec(t testing.TB, db *sql.DB, statements ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for _, s := range statements {
		_, err := db.ExecContext(ctx, s)
		require.NoError(t, err, s)
	}
}
