package gormsignals_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/signals/gormsignals"
)

func TestTablesNameFurtherModels(t *testing.T) {
	db, r := plugged(t, openSQLite(t), gormsignals.Config{Tables: map[string][]any{
		"users":     {Pet{}, &UserGroup{}}, // a user's pets and memberships go with the user
		"main.Logs": {&User{}},             // a trigger
	}})
	require.NoError(t, db.Unscoped().Delete(&User{ID: 1}).Error)
	require.Equal(t, []string{"member all", "pet all", "user pk=1", "user team=1"}, r.take())
	require.NoError(t, db.Create(&Log{Text: "x"}).Error)
	require.Equal(t, []string{"user all"}, r.take())
	require.NoError(t, db.Exec("INSERT INTO logs (text) VALUES ('x')").Error)
	require.Equal(t, []string{"user all"}, r.take())
}

func TestMaxRowsBoundsWhatIsRead(t *testing.T) {
	db, r := plugged(t, openSQLite(t), gormsignals.Config{MaxRows: 2})
	for name, c := range map[string]struct {
		write func() error
		want  []string
	}{
		"update two":   {func() error { return db.Model(&User{}).Where("team_id = 1").Update("name", "x").Error }, []string{"user pk=1", "user pk=2", "user team=1"}},
		"update three": {func() error { return db.Model(&User{}).Where("id < 4").Update("name", "x").Error }, []string{"user all"}},
		"update three by key": {
			func() error { return db.Model(&[]User{{ID: 1}, {ID: 2}, {ID: 3}}).Update("name", "x").Error },
			[]string{"user all"},
		},
		"create three": {func() error { return db.Create(&[]Pet{{}, {}, {}}).Error }, []string{"pet all"}},
		"upsert three": {func() error {
			return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&[]Pet{{ID: 11}, {ID: 12}, {ID: 13}}).Error
		}, []string{"pet all"}},
		"delete returning three": {func() error { return db.Clauses(clause.Returning{}).Delete(&[]Log{}, "1 = 1").Error }, nil},
	} {
		require.NoError(t, c.write(), name)
		require.Equal(t, c.want, r.take(), name)
	}
	require.NoError(t, db.Where("1 = 1").Delete(&Pet{}).Error)
	require.Equal(t, []string{"pet all"}, r.take())
}

func TestNoReads(t *testing.T) {
	d := openSQLite(t)
	db, r := plugged(t, d, gormsignals.Config{NoReads: true})
	reads := 0
	require.NoError(t, db.Callback().Row().Register("count", func(*gorm.DB) { reads++ }))
	for _, c := range []struct {
		write func() error
		want  []string
	}{
		{func() error { return db.Create(&User{Email: "eve@x", TeamID: 5}).Error }, []string{"user pk=new", "user team=5"}},
		{func() error { return db.Model(&User{ID: 1}).Update("name", "x").Error }, []string{"user all"}},
		{func() error { return db.Delete(&Pet{ID: 1}).Error }, []string{"pet all"}},
		{func() error { return db.Clauses(clause.Returning{}).Where("1 = 1").Delete(&[]Pet{}).Error }, []string{"pet owner=2"}},
		{func() error { return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&Pet{ID: 3}).Error }, []string{"pet all"}},
	} {
		require.NoError(t, c.write())
		require.Equal(t, c.want, r.take())
	}
	require.Zero(t, reads)
}

// A model that has rules but is none of GORM's is reported, and harms nothing.
func TestModelsThatGORMCannotStore(t *testing.T) {
	type Odd struct {
		ID   int64
		When struct{ From, To int }
	}
	bus, r := listening(t, nil)
	standard := logger.Default
	logger.Default = logger.Discard
	defer func() { logger.Default = standard }()
	require.NoError(t, bus.Bind(&cache[petKey]{"odd", r}, signals.Rule{Model: Odd{}, All: true}))
	var log strings.Builder
	d := openSQLite(t)
	migrate(t, d)
	db := d.gorm(t, nil)
	require.NoError(t, db.Use(gormsignals.New(bus, gormsignals.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})))
	require.NoError(t, db.Create(&Pet{UserID: new(int64)}).Error)
	require.Equal(t, []string{"pet owner=0"}, r.take())
	require.Contains(t, log.String(), `level=WARN msg="gormsignals: a model with rules is not one that GORM can store; its writes are not seen" model=gormsignals_test.Odd`)
}

func TestRulesBoundLaterAreHeard(t *testing.T) {
	d := openSQLite(t)
	migrate(t, d)
	bus, r := signals.NewBus(signals.BusConfig{}), &recorder{}
	db := d.gorm(t, nil)
	require.NoError(t, db.Use(gormsignals.New(bus)))
	require.NoError(t, db.Create(&Pet{UserID: new(int64)}).Error)
	require.NoError(t, bus.Bind(&cache[petKey]{"pet", r}, signals.Rule{Model: Pet{}, Map: map[string]string{"owner": "UserID"}}))
	require.NoError(t, db.Create(&Pet{UserID: new(int64)}).Error)
	require.Equal(t, []string{"pet owner=0"}, r.take())
	var heard []string
	cancel := bus.Subscribe(func(_ context.Context, changes []signals.Change) { heard = append(heard, fmt.Sprint(changes)) })
	require.NoError(t, db.Create(&Log{Text: "x"}).Error)
	require.Equal(t, []string{"[create Log (logs)]"}, heard, "a subscriber hears of every model")
	cancel()
	require.NoError(t, db.Create(&Log{Text: "x"}).Error)
	require.Len(t, heard, 1)
}

// Migrations go through the plugin's pool like everything else.
func TestMigrationsWork(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		db, r := plugged(t, d, gormsignals.Config{})
		type user struct {
			ID   int64
			More string
		}
		require.NoError(t, db.Table("users").AutoMigrate(&user{}))
		require.Equal(t, []string{"user all"}, r.take())
		require.True(t, db.Migrator().HasColumn(&User{}, "more"))
		require.NoError(t, db.Migrator().DropTable(&Pet{}))
		require.Equal(t, []string{"pet all"}, r.take())
	})
}
