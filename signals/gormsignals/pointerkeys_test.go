package gormsignals_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/signals/gormsignals"
)

// Badge has a key that is a pointer.
type Badge struct {
	ID   *int64 `gorm:"primaryKey;autoIncrement"`
	Team int64
}

func TestKeysThatArePointers(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		bus, r := signals.NewBus(signals.BusConfig{}), &recorder{}
		require.NoError(t, bus.Bind(&cache[teamKey]{"badge", r}, signals.Rule{Model: Badge{}, Map: map[string]string{"team": "Team"}}))
		db := d.gorm(t, nil)
		require.NoError(t, db.AutoMigrate(&Badge{}))
		require.NoError(t, db.Create(&Badge{ID: new(int64(1)), Team: 1}).Error)
		require.NoError(t, db.Use(gormsignals.New(bus)))
		byKey := clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoUpdates: clause.AssignmentColumns([]string{"team"})}
		for _, c := range []struct {
			name  string
			write func(tx *gorm.DB) error
			want  []string
		}{
			{"upsert", func(tx *gorm.DB) error {
				return tx.Clauses(byKey).Create(&Badge{ID: new(int64(1)), Team: 2}).Error
			}, []string{"badge team=1", "badge team=2"}},
			{"save a slice", func(tx *gorm.DB) error {
				return tx.Save(&[]Badge{{ID: new(int64(1)), Team: 3}, {ID: new(int64(9)), Team: 4}}).Error
			}, []string{"badge team=2", "badge team=3", "badge team=4"}},
			{"upsert a map", func(tx *gorm.DB) error {
				return tx.Clauses(byKey).Model(&Badge{}).Create(map[string]any{"id": 1, "team": 5}).Error
			}, []string{"badge team=3", "badge team=5"}},
			{"update by an expression", func(tx *gorm.DB) error {
				return tx.Model(&Badge{ID: new(int64(1))}).Update("team", gorm.Expr("team + 1")).Error
			}, []string{"badge team=5", "badge team=6"}},
			{"upsert by a key that the database makes of an expression", func(tx *gorm.DB) error {
				return tx.Clauses(byKey).Model(&Badge{}).Create(map[string]any{"id": gorm.Expr("?", 1), "team": 7}).Error
			}, []string{"badge all"}},
		} {
			require.NoError(t, db.Transaction(c.write), c.name)
			require.Equal(t, c.want, r.take(), c.name)
		}
	})
}
