package gormsignals_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/signals/gormsignals"
)

// SQLite counts only what a statement itself writes: through a view, triggers write and it counts
// nothing.
func TestViewsWithTriggersCountNothing(t *testing.T) {
	d := openSQLite(t)
	db, r := plugged(t, d, gormsignals.Config{Tables: map[string][]any{"user_view": {User{}}}})
	exec(t, d.second, "CREATE VIEW user_view AS SELECT id, name FROM users",
		"CREATE TRIGGER changed INSTEAD OF UPDATE ON user_view BEGIN UPDATE users SET name = NEW.name WHERE id = NEW.id; END",
		"CREATE TRIGGER gone INSTEAD OF DELETE ON user_view BEGIN DELETE FROM users WHERE id = OLD.id; END")
	for name, write := range map[string]func() *gorm.DB{
		"text":   func() *gorm.DB { return db.Exec("UPDATE user_view SET name = 'amy' WHERE id = 1") },
		"update": func() *gorm.DB { return db.Table("user_view").Where("id = 1").Update("name", "zoe") },
		"delete": func() *gorm.DB { return db.Table("user_view").Where("id = 2").Delete(map[string]any{}) },
	} {
		require.NoError(t, write().Error, name)
		require.Equal(t, []string{"user all"}, r.take(), name)
	}
}

// The view may be what a model is stored in.
func TestModelsOfViewsWithTriggers(t *testing.T) {
	d := openSQLite(t)
	migrate(t, d)
	seed(t, d)
	exec(t, d.second, "CREATE VIEW Pet_View AS SELECT id, name, user_id FROM pets",
		"CREATE TRIGGER changed INSTEAD OF UPDATE ON pet_view BEGIN UPDATE pets SET name = NEW.name, user_id = NEW.user_id WHERE id = NEW.id; END",
		"CREATE TRIGGER gone INSTEAD OF DELETE ON pet_view BEGIN DELETE FROM pets WHERE id = OLD.id; END")
	r := &recorder{second: d.second}
	bus := signals.NewBus(signals.BusConfig{})
	require.NoError(t, bus.Bind(&cache[petKey]{"pet", r}, signals.Rule{Model: petView{}, Map: map[string]string{"owner": "UserID"}}))
	db := d.gorm(t, nil)
	require.NoError(t, db.Use(gormsignals.New(bus, gormsignals.Config{})))
	for _, write := range []struct {
		name string
		do   func() *gorm.DB
		want []string
	}{
		{"update", func() *gorm.DB { return db.Model(&petView{ID: 1}).Update("user_id", 2) }, []string{"pet owner=1", "pet owner=2"}},
		{"text", func() *gorm.DB { return db.Exec("UPDATE pet_view SET name = 'zoe' WHERE id = 1") }, []string{"pet all"}},
		{"delete", func() *gorm.DB { return db.Delete(&petView{ID: 1}) }, []string{"pet owner=2"}},
	} {
		require.NoError(t, write.do().Error, write.name)
		require.Equal(t, write.want, r.take(), write.name)
	}
}

type petView struct {
	ID     int64 `gorm:"primaryKey"`
	Name   string
	UserID *int64
}

func (petView) TableName() string { return "pet_view" }

// PostgreSQL counts no row for an INSERT that a trigger has led to another table, as old partitions do.
func TestAnInsertThatATriggerLeadsElsewhere(t *testing.T) {
	d := openPostgres(t)
	db, r := plugged(t, d, gormsignals.Config{})
	exec(t, d.second, "CREATE TABLE pets_a () INHERITS (pets)",
		"CREATE FUNCTION lead() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO pets_a VALUES (NEW.*); RETURN NULL; END $$",
		"CREATE TRIGGER led BEFORE INSERT ON pets FOR EACH ROW EXECUTE FUNCTION lead()")
	owner := int64(1)
	require.NoError(t, db.Create(&Pet{Name: "kit", UserID: &owner}).Error)
	require.NoError(t, db.First(&Pet{}, "name = 'kit'").Error)
	require.Equal(t, []string{"pet owner=1"}, r.take())
}
