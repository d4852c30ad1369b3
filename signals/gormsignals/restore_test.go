package gormsignals_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/signals/gormsignals"
)

// A deletion time that is not valid is NULL, whatever time it still holds: the row comes back.
func TestRestoringByADeletionTimeThatIsNotValid(t *testing.T) {
	d := openSQLite(t)
	migrate(t, d)
	bus, r := signals.NewBus(signals.BusConfig{}), &recorder{}
	require.NoError(t, bus.Bind(&cache[userKey]{"user", r}, signals.Rule{Model: User{}, Ops: signals.Create, Map: map[string]string{"team": "TeamID"}}))
	db := d.gorm(t, nil)
	require.NoError(t, db.Use(gormsignals.New(bus)))
	for name, restore := range map[string]func(u *User) error{
		"save": func(u *User) error {
			u.DeletedAt.Valid = false
			return db.Unscoped().Save(u).Error
		},
		"update": func(u *User) error {
			return db.Unscoped().Model(u).Update("deleted_at", gorm.DeletedAt{Time: time.Now()}).Error
		},
		"a pointer": func(u *User) error {
			return db.Unscoped().Model(u).Update("deleted_at", &gorm.DeletedAt{}).Error
		},
	} {
		seed(t, d)
		var dan User
		require.NoError(t, db.Unscoped().First(&dan, 4).Error)
		require.NoError(t, restore(&dan), name)
		require.NoError(t, db.First(&User{}, 4).Error, name)
		require.Equal(t, []string{"user team=3"}, r.take(), name)
	}
}
