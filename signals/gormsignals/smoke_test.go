package gormsignals_test

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/glebarez/sqlite"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/signals/gormsignals"
)

type U struct {
	gorm.Model
	Name   string
	TeamID int64
}

type K struct {
	PK   uint
	Team int64
}

type rec struct{ got []string }

func (r *rec) Describe() signals.TargetInfo {
	return signals.TargetInfo{Name: "T", KeyType: reflect.TypeFor[K](), Fields: []signals.TargetField{
		{Name: "pk", Type: reflect.TypeFor[uint](), Partition: true, Index: []int{0}},
		{Name: "team", Type: reflect.TypeFor[int64](), Partition: true, Index: []int{1}},
	}}
}
func (r *rec) Drop(_ context.Context, gs []signals.Group) error {
	for _, g := range gs {
		if g.All {
			r.got = append(r.got, "all")
		} else {
			r.got = append(r.got, fmt.Sprint(g.Names, *g.Key.(*K)))
		}
	}
	return nil
}

func TestSmoke(t *testing.T) {
	bus := signals.NewBus(signals.BusConfig{})
	r := &rec{}
	require.NoError(t, bus.Bind(r, signals.Rule{Model: U{}, Map: map[string]string{"pk": "ID"}}, signals.Rule{Model: U{}, Map: map[string]string{"team": "TeamID"}}))
	db, err := gorm.Open(sqlite.Open(filepath.Join(t.TempDir(), "a.db")), &gorm.Config{})
	require.NoError(t, err)
	require.NoError(t, db.AutoMigrate(U{}))
	require.NoError(t, db.Use(gormsignals.New(bus)))
	take := func() []string { g := r.got; r.got = nil; return g }
	db = db.Debug()
	u := U{Name: "a", TeamID: 1}
	require.NoError(t, db.Create(&u).Error)
	t.Log(take())
	require.NoError(t, db.Model(&u).Update("name", "b").Error)
	t.Log(take())
	require.NoError(t, db.Model(&U{}).Where("name = ?", "b").Update("team_id", 2).Error)
	t.Log(take())
	require.NoError(t, db.Model(&u).Update("team_id", gorm.Expr("team_id+1")).Error)
	t.Log(take())
	require.NoError(t, db.Delete(&u).Error)
	t.Log(take())
	require.NoError(t, db.Unscoped().Model(&u).Update("deleted_at", nil).Error)
	t.Log(take())
	require.NoError(t, db.Exec("UPDATE us SET name = 'x'").Error)
	t.Log(take())
	require.NoError(t, db.Save(&[]U{{Model: gorm.Model{ID: 1}, TeamID: 9}, {TeamID: 8}}).Error)
	t.Log(take())
}
