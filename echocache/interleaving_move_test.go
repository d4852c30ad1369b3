package echocache_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/glebarez/sqlite"
	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/restflow-go/restflow/echocache"
	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/signals/gormsignals"
)

type teamMember struct {
	ID   int
	Team int
}

type teamPageKey struct {
	_    struct{} `restflow:"namespace,Team"`
	Team int      `restflow:"path,team,partition"`
}

// T8: a row moves from one partition to another.
//
//  1. the pages of teams 1 and 2 are cached; ann is on the first
//  2. she moves to team 2, in a transaction that commits
//  3. both pages are dropped, on every node: that of the team she left, which the
//     changed row no longer names, as well
//  4. the page of team 3 stays
func TestT8MovedRowDropsBothPartitions(t *testing.T) {
	onStores(t, echocache.Config{}, func(s *scene) {
		bus := signals.NewBus(signals.BusConfig{})
		db := memberDB(t, bus)
		rule := signals.Rule{Model: teamMember{}, Map: map[string]string{"team": "Team"}}
		a := serveTeams(t, db, echocache.Config{Store: s.a.cache.Store(), Bus: bus, InvalidatesOn: []signals.Rule{rule}})
		b := serveTeams(t, db, echocache.Config{Store: s.b.cache.Store()}) // hears nothing: it shares the store
		for team, members := range map[int]string{1: "[1]", 2: "[2]", 3: "[]"} {
			require.Equal(t, members, get(a, fmt.Sprintf("/teams/%d", team)).Body.String())
			s.flush()
			require.Equal(t, "HIT", status(get(b, fmt.Sprintf("/teams/%d", team))))
		}

		require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
			return tx.Save(&teamMember{ID: 1, Team: 2}).Error
		}))

		for team, members := range map[int]string{1: "[]", 2: "[1 2]"} {
			w := get(b, fmt.Sprintf("/teams/%d", team))
			require.Equal(t, members, w.Body.String())
			require.Equal(t, "MISS", status(w))
			s.flush()
			require.Equal(t, "HIT", status(get(a, fmt.Sprintf("/teams/%d", team))))
		}
		require.Equal(t, "HIT", status(get(a, "/teams/3")))
	})
}

func memberDB(t *testing.T, bus *signals.Bus) *gorm.DB {
	t.Helper()
	db, err := gorm.Open(sqlite.Open(":memory:"), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	pool.SetMaxOpenConns(1) // a second one would see another database in memory
	t.Cleanup(func() { _ = pool.Close() })
	require.NoError(t, db.Use(gormsignals.New(bus)))
	require.NoError(t, db.AutoMigrate(&teamMember{}))
	require.NoError(t, db.Create([]teamMember{{1, 1}, {2, 2}}).Error)
	return db
}

func serveTeams(t *testing.T, db *gorm.DB, cfg echocache.Config) *echo.Echo {
	t.Helper()
	cache := newCache[teamPageKey](t, cfg)
	e := newEcho()
	e.GET("/teams/:team", func(c echo.Context) error {
		var ids []int
		if err := db.Model(&teamMember{}).Where("team = ?", c.Param("team")).Order("id").Pluck("id", &ids).Error; err != nil {
			return err
		}
		return c.String(http.StatusOK, fmt.Sprint(ids))
	}, cache.Middleware)
	return e
}
