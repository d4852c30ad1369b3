package gormsignals_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/signals/gormsignals"
)

// Grade takes few of the numbers that its column may hold.
type Grade int64

// Scan implements sql.Scanner.
func (g *Grade) Scan(v any) error {
	n, ok := v.(int64)
	if !ok || n > 6 {
		return errors.New("no such grade")
	}
	*g = Grade(n)
	return nil
}

type Exam struct {
	ID    int64 `gorm:"primaryKey"`
	Team  Grade
	Notes string
}

// A row that the model cannot hold is written all the same, and one that it can is exact afterwards.
func TestRowsThatDoNotFitTheModel(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		bus, r := signals.NewBus(signals.BusConfig{}), &recorder{}
		require.NoError(t, bus.Bind(&cache[teamKey]{"exam", r}, signals.Rule{Model: Exam{}, Map: map[string]string{"team": "Team"}}))
		db := d.gorm(t, nil)
		require.NoError(t, db.AutoMigrate(&Exam{}))
		require.NoError(t, db.Use(gormsignals.New(bus)))
		exec(t, d.second, "INSERT INTO exams (id, team, notes) VALUES (1, 99, ''), (2, 5, '')")
		r.take()
		require.NoError(t, db.Model(&Exam{ID: 1}).Update("notes", "x").Error)
		require.Equal(t, []string{"exam all"}, r.take())
		require.NoError(t, db.Delete(&Exam{ID: 1}).Error)
		require.Equal(t, []string{"exam all"}, r.take())
		require.NoError(t, db.Delete(&Exam{ID: 2}).Error)
		require.Equal(t, []string{"exam team=5"}, r.take())
	})
}
