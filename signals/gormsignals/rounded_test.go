package gormsignals_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/signals/gormsignals"
)

// Meter has columns that keep fewer digits than they are given, or more letters.
type Meter struct {
	ID    int64   `gorm:"primaryKey"`
	Price float64 `gorm:"type:decimal(10,2)"`
	Code  string  `gorm:"type:char(6)"`
	At    time.Time
	Local time.Time `gorm:"type:timestamp"`
}

// meterKey is what is left of digits that a column may not keep; all of it is below 100.
type meterKey struct{ Price, Width, Nano, Hour int64 }

func keyOfMeter(m *Meter) meterKey {
	return meterKey{
		Price: int64(math.Round(m.Price*1000)) % 100,
		Width: int64(len(m.Code)),
		Nano:  int64(m.At.Nanosecond() % 100),
		Hour:  int64(m.Local.UTC().Hour()),
	}
}

func (k meterKey) String() string {
	return fmt.Sprintf("meter price=%d,width=%d,nano=%d,hour=%d", k.Price, k.Width, k.Nano, k.Hour)
}

func TestColumnsThatRoundOrPad(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		plain := d.gorm(t, nil)
		require.NoError(t, plain.AutoMigrate(&Meter{}))
		bus, r := signals.NewBus(signals.BusConfig{}), &recorder{}
		require.NoError(t, bus.Bind(&cache[meterKey]{"meter", r}, signals.On(keyOfMeter, "price", "width", "nano", "hour")))
		db := d.gorm(t, nil)
		require.NoError(t, db.Use(gormsignals.New(bus)))
		at := time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.FixedZone("", 3600))
		given := Meter{ID: 1, Price: 5.119, Code: "ab", At: at, Local: at.Truncate(time.Second)}
		for _, c := range []struct {
			name  string
			write func(tx *gorm.DB) error
		}{
			{"create", func(tx *gorm.DB) error { m := given; return tx.Create(&m).Error }},
			{"save", func(tx *gorm.DB) error { m := given; m.Price = 6.119; return tx.Save(&m).Error }},
			{"update", func(tx *gorm.DB) error {
				return tx.Model(&Meter{ID: 1}).Updates(&Meter{Price: 7.119, Code: "abc", At: at.Add(time.Microsecond)}).Error
			}},
			{"update by a map", func(tx *gorm.DB) error {
				return tx.Model(&Meter{}).Where("id", 1).Updates(map[string]any{"price": 8.119, "code": "abcd"}).Error
			}},
			{"upsert", func(tx *gorm.DB) error {
				m := given
				return tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(&m).Error
			}},
			{"create a map", func(tx *gorm.DB) error {
				return tx.Model(&Meter{}).Create(map[string]any{"id": 2, "price": 5.119, "code": "ab", "at": at, "local": at}).Error
			}},
			{"delete", func(tx *gorm.DB) error { return tx.Delete(&Meter{ID: 2}).Error }},
		} {
			stored := func() (keys []string) {
				var rows []Meter
				require.NoError(t, plain.Order("id").Find(&rows).Error)
				for i := range rows {
					keys = append(keys, keyOfMeter(&rows[i]).String())
				}
				return keys
			}
			before := stored()
			require.NoError(t, db.Transaction(c.write), c.name)
			after := stored()
			var want []string // of the rows that are not the same before and after
			for i := range max(len(before), len(after)) {
				switch {
				case i >= len(before):
					want = append(want, after[i])
				case i >= len(after):
					want = append(want, before[i])
				case before[i] != after[i]:
					want = append(want, before[i], after[i])
				}
			}
			require.Subset(t, r.take(), want, c.name)
		}
	})
}
