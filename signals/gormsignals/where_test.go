package gormsignals_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/signals/gormsignals"
)

// Conditions may let in rows beside the key that the statement names: GORM sees an OR only between spaces.
func TestConditionsThatLoosenAKey(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		db, r := plugged(t, d, gormsignals.Config{})
		one := db.Session(&gorm.Session{SkipDefaultTransaction: true}).Model(&User{ID: 1}).Session(&gorm.Session{})
		for _, c := range []struct {
			name  string
			where *gorm.DB
			exact bool // the key is all that matters
		}{
			{"a plain one", one.Where("score > ?", 1), true},
			{"names", one.Where("team_id = @team AND score > @score", map[string]any{"team": 1, "score": 1}), true},
			{"parentheses", one.Where("(team_id = 2 or(team_id = 1))"), true},
			{"an OR that gets parentheses", one.Where("team_id = 2 OR team_id = 1"), true},
			{"a group", one.Where(db.Where("team_id = 2").Or("team_id = 1")), true},
			{"a negation", one.Not("team_id = ?", 2), true},
			{"a list", one.Where("team_id IN ?", []int{1, 2}), true},
			{"several negations", one.Not(map[string]any{"team_id": 2, "score": 1}), true},
			{"a comparison", one.Where(clause.Gt{Column: "score", Value: 1}), true},
			{"a tab", one.Where("team_id = 2\tor\tteam_id = 1"), false},
			{"a negation of two lines", one.Not("id = 1\nOR team_id = 1"), false},
			{"a negation of names", one.Not("id = @id OR team_id = @team", map[string]any{"id": 1, "team": 1}), false},
			{"two", one.Where("1 = 0) OR (1 = 1"), false},
			{"a value that is text", one.Where(clause.Eq{Column: "team_id", Value: gorm.Expr("9 OR 1 = 1")}), false},
			{"a column that is text", one.Where(clause.Eq{Column: clause.Column{Name: "1 = 1 OR 1", Raw: true}, Value: 1}), false},
			{"an argument that is text", one.Where("team_id = ?", gorm.Expr("9\nOR 1 = 1")), false},
			{"a comment", one.Where("team_id = 1 /* the first */"), false},
			{"bars", one.Where("team_id = 2 || team_id = 1"), false},
		} {
			if c.name == "bars" && d.name != "mysql" {
				continue // no condition
			}
			seed(t, d)
			require.NoError(t, c.where.Update("name", "amy").Error, c.name)
			want := []string{"user all"}
			if c.exact {
				want = []string{"user pk=1", "user team=1"}
			}
			require.Equal(t, want, r.take(), "%s: %s", d.name, c.name)
		}
	})
}

// Member is another model of the table of users, with another key.
type Member struct {
	TeamID int64 `gorm:"primaryKey"`
	Name   string
}

func (Member) TableName() string { return "users" }

// "The primary key" in a condition is that of the statement's model.
func TestModelsOfOneTableWithOtherKeys(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		db, r := plugged(t, d, gormsignals.Config{})
		require.NoError(t, db.Delete(&Member{}, 2).Error)
		require.Equal(t, []string{"user pk=3", "user team=2"}, r.take())
		require.NoError(t, db.Model(&Member{TeamID: 1}).Update("name", "amy").Error)
		require.Equal(t, []string{"user pk=1", "user pk=2", "user team=1"}, r.take())
	})
}

// GORM takes a table's name as text, quoted and with whatever stands beside it.
func TestTablesThatAreText(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		db, r := plugged(t, d, gormsignals.Config{})
		quoted := "`users`"
		if d.name == "postgres" {
			quoted = `"users"`
		}
		for _, c := range []struct {
			name  string
			table *gorm.DB
			want  []string
		}{
			{"quoted", db.Table(quoted), []string{"user pk=1", "user team=1"}},
			{"quoted, with a model", db.Table(quoted).Model(&User{}), []string{"user pk=1", "user team=1"}},
			{"quoted, with an alias", db.Table(quoted + " AS u"), []string{"user pk=1", "user team=1"}},
			{"an argument", db.Table("?", clause.Table{Name: "users"}), []string{"user all"}},
		} {
			seed(t, d)
			require.NoError(t, c.table.Where("id = ?", 1).Update("name", "amy").Error, c.name)
			requireDropped(t, r.take(), c.name, c.want...)
		}
	})
}

// MySQL writes several tables in one statement.
func TestTablesThatAreJoined(t *testing.T) {
	d := openMariaDB(t)
	db, r := plugged(t, d, gormsignals.Config{})
	require.NoError(t, db.Table("users u JOIN pets p ON p.user_id = u.id").Where("u.id = ?", 1).
		Updates(map[string]any{"u.name": "amy", "p.name": "max"}).Error)
	require.Equal(t, []string{"pet all", "user all"}, r.take())
}

// Word has a key that MySQL compares without regard to letter case.
type Word struct {
	Word string `gorm:"primaryKey;size:50"`
	Text string
}

func TestKeysThatTheDatabaseFolds(t *testing.T) {
	d := openMariaDB(t)
	exec(t, d.second, "CREATE TABLE words (word VARCHAR(50) PRIMARY KEY, text TEXT) COLLATE=utf8mb4_general_ci", "INSERT INTO words VALUES ('ann', 'x')")
	var heard []string
	rule := signals.On(func(w *Word) teamKey {
		heard = append(heard, w.Word)
		return teamKey{1}
	}, "team")
	rule.Reads = []string{"Word"}
	bus := signals.NewBus(signals.BusConfig{})
	require.NoError(t, bus.Bind(&cache[teamKey]{"word", &recorder{}}, rule))
	db := d.gorm(t, nil)
	require.NoError(t, db.Use(gormsignals.New(bus)))
	require.NoError(t, db.Model(&Word{Word: "ANN"}).Update("text", "y").Error)
	require.NoError(t, db.Delete(&Word{Word: "Ann"}).Error)
	require.Equal(t, []string{"ann"}, slices.Compact(heard))
}

type teamKey struct{ Team int64 }
