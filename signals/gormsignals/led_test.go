package gormsignals_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/restflow-go/restflow/signals/gormsignals"
)

// An upsert leaves nothing out either, unless it says which rows a conflict updates. Nor does an INSERT
// in SQL text.
func TestWritesThatATriggerLeadsElsewhere(t *testing.T) {
	d := openSQLite(t)
	db, r := plugged(t, d, gormsignals.Config{})
	exec(t, d.second, "CREATE TRIGGER led BEFORE INSERT ON pets WHEN NEW.name <> lower(NEW.name) BEGIN "+
		"INSERT INTO pets (id, name, user_id) VALUES (NEW.id, lower(NEW.name), NEW.user_id); SELECT RAISE(IGNORE); END")
	owner := int64(1)
	for name, write := range map[string]func() *gorm.DB{
		"save": func() *gorm.DB { return db.Save(&Pet{ID: 101, Name: "Kit", UserID: &owner}) },
		"upsert": func() *gorm.DB {
			return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&Pet{ID: 102, Name: "Kim", UserID: &owner})
		},
		"text": func() *gorm.DB { return db.Exec("INSERT INTO pets (id, name, user_id) VALUES (103, 'Kay', 1)") },
	} {
		require.NoError(t, write().Error, name)
		require.NotEmpty(t, r.take(), name)
	}
	require.NoError(t, db.First(&Pet{}, "name = 'kit'").Error)
}
