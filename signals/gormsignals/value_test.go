package gormsignals_test

import (
	"context"
	"database/sql"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/signals/gormsignals"
)

// GORM reads text for a number as Go does in source code, where "010" is eight; databases read ten.
func TestNumbersThatAreGivenAsText(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		db, r := plugged(t, d, gormsignals.Config{})
		for _, c := range []struct {
			name  string
			write func() error
			want  []string
		}{
			{"create a map", func() error {
				return db.Model(&User{}).Create(map[string]any{"id": "010", "email": "x", "team_id": "020"}).Error
			}, []string{"user pk=10", "user team=20"}},
			{"update", func() error { return db.Model(&User{ID: 10}).Update("team_id", "030").Error }, []string{"user pk=10", "user team=20", "user team=30"}},
			{"a key that is compared", func() error {
				return db.Model(&User{}).Where(map[string]any{"id": "010"}).Update("name", "x").Error
			}, []string{"user pk=10", "user team=30"}},
			{"keys that are listed", func() error {
				return db.Model(&User{}).Where(map[string]any{"id": []string{"010", "1"}}).Update("name", "x").Error
			}, []string{"user pk=1", "user pk=10", "user team=1", "user team=30"}},
			{"upsert", func() error {
				return db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.AssignmentColumns([]string{"team_id"})}).
					Model(&User{}).Create(map[string]any{"id": "010", "email": "y", "team_id": 40}).Error
			}, []string{"user pk=10", "user team=30", "user team=40"}},
		} {
			require.NoError(t, c.write(), c.name)
			requireDropped(t, r.take(), c.name, c.want...)
		}
	})
}

// MariaDB rounds a fraction that Go cuts off.
func TestNumbersThatAreRounded(t *testing.T) {
	db, r := plugged(t, openMariaDB(t), gormsignals.Config{})
	require.NoError(t, db.Model(&User{ID: 1}).Update("team_id", 7.5).Error)
	require.Equal(t, []string{"user pk=1", "user team=1", "user team=8"}, r.take())
}

// Desk has columns that may be NULL without a pointer.
type Desk struct {
	ID   int64 `gorm:"primaryKey"`
	Team sql.NullInt64
	Open bool
}

func desks(t *testing.T, d *database, rule signals.Rule) (*gorm.DB, *recorder) {
	t.Helper()
	bus, r := signals.NewBus(signals.BusConfig{}), &recorder{}
	rule.Model, rule.Map = Desk{}, map[string]string{"team": "Team"}
	require.NoError(t, bus.Bind(&cache[teamKey]{"desk", r}, rule))
	db := d.gorm(t, nil)
	require.NoError(t, db.AutoMigrate(&Desk{}))
	require.NoError(t, db.Create(&Desk{ID: 1, Team: sql.NullInt64{Int64: 7, Valid: true}}).Error)
	require.NoError(t, db.Use(gormsignals.New(bus)))
	return db, r
}

// Of a nil pointer GORM makes what was there before.
func TestANilPointerIsNULL(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		db, r := desks(t, d, signals.Rule{Watch: []string{"Team"}, Require: []string{"team"}})
		require.NoError(t, db.Model(&Desk{ID: 1}).Update("team", (*int64)(nil)).Error)
		require.Equal(t, []string{"desk team=7"}, r.take())
	})
}

func TestTextForABoolean(t *testing.T) {
	d := openPostgres(t)
	db, r := desks(t, d, signals.Rule{When: map[string]any{"Open": true}})
	require.NoError(t, db.Model(&Desk{ID: 1}).Update("open", "yes").Error)
	require.Equal(t, []string{"desk team=7"}, r.take())
}

// Vault keeps another number than Go sees.
type Vault struct {
	ID   int64 `gorm:"primaryKey"`
	Team int64 `gorm:"type:bigint;serializer:doubled"`
}

type doubled struct{}

func (doubled) Scan(ctx context.Context, field *schema.Field, dst reflect.Value, v any) error {
	field.ReflectValueOf(ctx, dst).SetInt(v.(int64) / 2)
	return nil
}

func (doubled) Value(_ context.Context, _ *schema.Field, _ reflect.Value, v any) (any, error) {
	return v.(int64) * 2, nil
}

// A map goes to the database as it is, whatever serializer its columns have.
func TestAMapOfSerializedColumns(t *testing.T) {
	schema.RegisterSerializer("doubled", doubled{})
	bus, r := signals.NewBus(signals.BusConfig{}), &recorder{}
	require.NoError(t, bus.Bind(&cache[teamKey]{"vault", r}, signals.Rule{Model: Vault{}, Map: map[string]string{"team": "Team"}}))
	db := openSQLite(t).gorm(t, nil)
	require.NoError(t, db.AutoMigrate(&Vault{}))
	require.NoError(t, db.Use(gormsignals.New(bus)))
	r.take()
	require.NoError(t, db.Create(&Vault{ID: 1, Team: 5}).Error)
	require.Equal(t, []string{"vault team=5"}, r.take())
	require.NoError(t, db.Model(&Vault{}).Create(map[string]any{"id": 2, "team": 12}).Error)
	require.Equal(t, []string{"vault team=6"}, r.take())
}

// Visit has columns that change what they are given.
type Visit struct {
	ID   string    `gorm:"type:uuid;primaryKey"`
	Team string    `gorm:"type:uuid"`
	Day  time.Time `gorm:"type:date"`
	Note string
}

// visitKey tells whether it was made of what the columns hold: lower case, and midnight.
type visitKey struct{ Upper, Hour int64 }

func TestColumnsThatChangeWhatTheyAreGiven(t *testing.T) {
	d := openPostgres(t)
	bus, r := signals.NewBus(signals.BusConfig{}), &recorder{}
	rule := signals.On(func(v *Visit) visitKey {
		upper := strings.ToUpper(v.ID) == v.ID || strings.ToUpper(v.Team) == v.Team
		return visitKey{Upper: map[bool]int64{true: 1}[upper], Hour: int64(v.Day.UTC().Hour())}
	}, "upper", "hour")
	rule.Reads = []string{"ID", "Team", "Day"}
	require.NoError(t, bus.Bind(&cache[visitKey]{"visit", r}, rule))
	db := d.gorm(t, nil)
	require.NoError(t, db.AutoMigrate(&Visit{}))
	require.NoError(t, db.Use(gormsignals.New(bus)))
	r.take()
	const upper, lower = "E621E1F8-C36C-495A-93FC-0C247A3E6E5F", "e621e1f8-c36c-495a-93fc-0c247a3e6e5f"
	noon := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	for name, write := range map[string]func() error{
		"update":                func() error { return db.Model(&Visit{ID: lower}).Update("team", upper).Error },
		"update a day":          func() error { return db.Model(&Visit{ID: lower}).Update("day", noon).Error },
		"update by another key": func() error { return db.Model(&Visit{ID: upper}).Update("note", "x").Error },
	} {
		require.NoError(t, db.Where("1 = 1").Delete(&Visit{}).Error)
		r.take()
		require.NoError(t, db.Create(&Visit{ID: upper, Team: upper, Day: noon}).Error, "create")
		require.Equal(t, []string{"visit upper=0,hour=0"}, r.take(), "create")
		require.NoError(t, write(), name)
		require.Equal(t, []string{"visit upper=0,hour=0"}, r.take(), name)
	}
}
