package gormsignals_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

// What the tests write: users in teams, with a soft delete, a unique column and associations.

type User struct {
	ID        int64  `gorm:"primaryKey;autoIncrement"`
	Email     string `gorm:"size:100;uniqueIndex"`
	Name      string `gorm:"size:100"`
	TeamID    int64
	Score     int64
	DeletedAt gorm.DeletedAt
	Pets      []Pet
	Groups    []Group `gorm:"many2many:user_groups"`
}

type Pet struct {
	ID     int64 `gorm:"primaryKey;autoIncrement"`
	Name   string
	UserID *int64
	Owner  *User `gorm:"foreignKey:UserID"`
}

type Group struct {
	ID   int64 `gorm:"primaryKey;autoIncrement"`
	Name string
}

// UserGroup is the join table, as GORM makes it.
type UserGroup struct {
	UserID  int64 `gorm:"primaryKey"`
	GroupID int64 `gorm:"primaryKey"`
}

// Log is a model that nobody listens to.
type Log struct {
	ID   int64 `gorm:"primaryKey;autoIncrement"`
	Text string
}

// migrate makes the tables. New rows get keys above 100, so that tests can tell them.
func migrate(t testing.TB, d *database) {
	t.Helper()
	db := d.gorm(t, &gorm.Config{DisableForeignKeyConstraintWhenMigrating: true})
	require.NoError(t, db.AutoMigrate(&User{}, &Pet{}, &Group{}, &Log{}))
	for _, table := range []string{"users", "pets", "groups"} {
		if d.name == "postgres" {
			exec(t, d.second, "SELECT setval(pg_get_serial_sequence('"+table+"', 'id'), 100)")
			continue
		}
		exec(t, d.second, "INSERT INTO "+db.Statement.Quote(table)+" (id) VALUES (100)", "DELETE FROM "+db.Statement.Quote(table))
	}
}

// seed puts the tables into their first state: ann and bob in team 1, cid in team 2, dan deleted
// in team 3; ann has a pet and is in group 1.
func seed(t testing.TB, d *database) {
	t.Helper()
	groups := `"groups"`
	if d.name == "mysql" {
		groups = "`groups`"
	}
	tx, err := d.second.Begin() // in one, since every COMMIT waits for the disk
	require.NoError(t, err)
	for _, statement := range []string{
		"DELETE FROM pets", "DELETE FROM user_groups", "DELETE FROM " + groups, "DELETE FROM users",
		`INSERT INTO users (id, email, name, team_id, score, deleted_at) VALUES
			(1, 'ann@x', 'ann', 1, 10, NULL), (2, 'bob@x', 'bob', 1, 20, NULL), (3, 'cid@x', 'cid', 2, 30, NULL),
			(4, 'dan@x', 'dan', 3, 40, '2020-01-01 00:00:00')`,
		"INSERT INTO pets (id, name, user_id) VALUES (1, 'rex', 1), (2, 'tom', 2)",
		"INSERT INTO " + groups + " (id, name) VALUES (1, 'red'), (2, 'blue')",
		"INSERT INTO user_groups (user_id, group_id) VALUES (1, 1)",
	} {
		_, err := tx.Exec(statement)
		require.NoError(t, err, statement)
	}
	require.NoError(t, tx.Commit())
}
