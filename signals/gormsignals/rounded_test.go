package gormsignals_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/signals/gormsignals"
)

// Meter has columns that keep fewer digits than they are given, more letters, or no zone.
type Meter struct {
	ID    int64   `gorm:"primaryKey"`
	Price float64 `gorm:"type:decimal(10,2)"`
	Sum   float64 `gorm:"precision:10;scale:2"`
	Short float64 `gorm:"size:32"`
	Code  string  `gorm:"type:char(6)"`
	At    time.Time
	Local time.Time `gorm:"type:timestamp"`
}

// meterKey has what tells whether it was made of what a column was given, or of what it holds.
type meterKey struct{ Rest int64 }

func TestColumnsThatRoundOrPad(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.FixedZone("", 3600))
	given := Meter{ID: 1, Price: 5.119, Sum: 5.119, Short: 5.123456789, Code: "ab", At: at, Local: at.Truncate(time.Second)}
	columns := []struct {
		name  string
		rest  func(*Meter) int64
		other any // another value
	}{
		{"Price", func(m *Meter) int64 { return int64(math.Round(m.Price*1000)) % 100 }, 6.127},
		{"Sum", func(m *Meter) int64 { return int64(math.Round(m.Sum*1000)) % 100 }, 6.127},
		{"Short", func(m *Meter) int64 { return int64(math.Round(m.Short*1e9)) % 100 }, 6.123456701},
		{"Code", func(m *Meter) int64 { return int64(len(m.Code)) }, "abc"},
		{"At", func(m *Meter) int64 { return int64(m.At.Nanosecond() % 100) }, at.Add(time.Second + 11)},
		{"Local", func(m *Meter) int64 { return int64(m.Local.UTC().Hour()) }, at.Truncate(time.Second).Add(time.Hour)},
	}
	databases(t, func(t *testing.T, d *database) {
		plain := d.gorm(t, nil)
		require.NoError(t, plain.AutoMigrate(&Meter{}))
		for _, c := range columns {
			require.NoError(t, plain.Where("1 = 1").Delete(&Meter{}).Error)
			bus, r := signals.NewBus(signals.BusConfig{}), &recorder{}
			rule := signals.On(func(m *Meter) meterKey { return meterKey{c.rest(m)} }, "rest")
			rule.Reads = []string{c.name}
			require.NoError(t, bus.Bind(&cache[meterKey]{"meter", r}, rule))
			db := d.gorm(t, nil)
			require.NoError(t, db.Use(gormsignals.New(bus)))
			stored := func() (groups []string) {
				var rows []Meter
				require.NoError(t, plain.Find(&rows).Error)
				for i := range rows {
					groups = append(groups, fmt.Sprintf("meter rest=%d", c.rest(&rows[i])))
				}
				return groups
			}
			for i, write := range []func(tx *gorm.DB) error{
				func(tx *gorm.DB) error { return tx.Create(new(given)).Error },
				func(tx *gorm.DB) error { return tx.Model(&Meter{ID: 1}).Update(c.name, c.other).Error },
				func(tx *gorm.DB) error { return tx.Save(new(given)).Error },
				func(tx *gorm.DB) error {
					return tx.Model(&Meter{}).Where("id", 1).Updates(map[string]any{c.name: c.other}).Error
				},
				func(tx *gorm.DB) error {
					return tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(new(given)).Error
				},
				func(tx *gorm.DB) error { return tx.Delete(&Meter{ID: 1}).Error },
			} {
				want := stored()
				require.NoError(t, db.Transaction(write))
				want = append(want, stored()...)
				slices.Sort(want)
				require.Equal(t, slices.Compact(want), r.take(), "%s, write %d", c.name, i)
			}
		}
	})
}
