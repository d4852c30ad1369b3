package gormsignals_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/mysql"
	"gorm.io/gorm"

	"github.com/restflow-go/restflow/signals/gormsignals"
)

// withoutReturning takes MariaDB for a MySQL, which has no RETURNING.
func (d *database) withoutReturning() {
	open := d.open
	d.open = func() gorm.Dialector {
		dialector := open().(*mysql.Dialector)
		dialector.DisableWithReturning = true
		return dialector
	}
}

// GORM counts on from the first key that the database has made, past rows that brought their own.
func TestKeysBesideThoseThatTheDatabaseMakes(t *testing.T) {
	d := openMariaDB(t)
	d.withoutReturning()
	db, r := plugged(t, d, gormsignals.Config{})
	require.NoError(t, db.Create(&[]User{{Email: "a@x", TeamID: 5}, {ID: 500, Email: "b@x", TeamID: 5}, {Email: "c@x", TeamID: 5}}).Error)
	require.Equal(t, []string{"user all"}, r.take(), "the last has the key 501, and GORM says 102")
	require.NoError(t, db.Create(&[]User{{Email: "d@x", TeamID: 5}, {Email: "e@x", TeamID: 5}}).Error)
	require.Equal(t, []string{"user pk=new", "user team=5"}, r.take())
}

// Of maps of which some have a key, GORM gives the others NULL, and the database makes their keys.
func TestAKeyThatIsGivenAsNULL(t *testing.T) {
	d := openMariaDB(t)
	d.withoutReturning()
	db, r := plugged(t, d, gormsignals.Config{})
	require.NoError(t, db.Model(&User{}).Create([]map[string]any{{"id": 60, "email": "a@x", "team_id": 5}, {"email": "b@x", "team_id": 6}}).Error)
	require.Equal(t, []string{"user all"}, r.take())
}

// A cluster of MySQL makes every third key, of which GORM does not know.
func TestKeysOfAClusterThatTakesLargerSteps(t *testing.T) {
	d := openMariaDB(t)
	d.withoutReturning()
	open := d.open
	d.open = func() gorm.Dialector {
		dialector := open().(*mysql.Dialector)
		dialector.DSN += "&auto_increment_increment=3"
		dialector.DSNConfig = nil
		return dialector
	}
	db, r := plugged(t, d, gormsignals.Config{})
	require.NoError(t, db.Create(&[]User{{Email: "a@x"}, {Email: "b@x"}}).Error)
	require.Equal(t, []string{"user all"}, r.take())
	require.NoError(t, db.Create(&User{Email: "c@x", TeamID: 5}).Error)
	require.Equal(t, []string{"user pk=new", "user team=5"}, r.take())
}
