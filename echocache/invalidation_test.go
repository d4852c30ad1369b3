package echocache_test

import (
	"errors"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/glebarez/sqlite"
	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/restflow-go/restflow/echocache"
	"github.com/restflow-go/restflow/signals"
	"github.com/restflow-go/restflow/signals/gormsignals"
)

// Account is the seed's User: watched for its username and its email.
type Account struct {
	ID       uint
	Username string
	Email    string
	Visits   int
	TeamID   uint
}

type accountKey struct {
	_  struct{} `restflow:"namespace,AccountDetail"`
	PK uint     `restflow:"path,pk,partition"`
}

type teamKey struct {
	_  struct{} `restflow:"namespace,TeamDetail"`
	ID uint     `restflow:"path,id,partition"`
}

// accounts serves users and teams over a database whose commits invalidate them.
func accounts(t *testing.T) (*echo.Echo, *gorm.DB, *signals.Bus) {
	t.Helper()
	db, err := gorm.Open(sqlite.Open(filepath.Join(t.TempDir(), "a.db")), &gorm.Config{Logger: logger.Discard})
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	require.NoError(t, db.AutoMigrate(&Account{}))
	require.NoError(t, db.Create([]Account{{ID: 1, Username: "ann", TeamID: 1}, {ID: 2, Username: "bob", TeamID: 2}}).Error)

	bus := signals.NewBus(signals.BusConfig{})
	t.Cleanup(func() { require.NoError(t, bus.Close(t.Context())) })
	require.NoError(t, db.Use(gormsignals.New(bus)))
	store := memoryStore(t)
	users := newCache[accountKey](t, echocache.Config{Store: store, Bus: bus, InvalidatesOn: []signals.Rule{{
		Model: Account{}, Map: map[string]string{"pk": "ID"}, Watch: []string{"Username", "Email"},
	}}})
	teams := newCache[teamKey](t, echocache.Config{Store: store, Bus: bus, InvalidatesOn: []signals.Rule{
		signals.On(func(a *Account) teamKey { return teamKey{ID: a.TeamID} }, "id"),
	}})

	e := newEcho()
	e.GET("/users/:pk", func(c echo.Context) error {
		var a Account
		if err := db.WithContext(c.Request().Context()).First(&a, c.Param("pk")).Error; err != nil {
			return echo.ErrNotFound
		}
		return c.JSON(http.StatusOK, map[string]any{"username": a.Username, "email": a.Email})
	}, users.Middleware)
	e.GET("/teams/:id", func(c echo.Context) error {
		var names []string
		err := db.Model(&Account{}).Where("team_id = ?", c.Param("id")).Order("id").Pluck("username", &names).Error
		return errors.Join(err, c.JSON(http.StatusOK, names))
	}, teams.Middleware)
	return e, db, bus
}

// expect reads targets and compares their cache statuses.
func expect(t *testing.T, e *echo.Echo, want string, targets ...string) {
	t.Helper()
	var got string
	for _, target := range targets {
		got += status(get(e, target)) + " "
	}
	require.Equal(t, want+" ", got)
}

// The example of the seed: a watched field drops the user's entry and no other, an
// unwatched one drops nothing.
func TestSavedRowsDropWhatDependsOnThem(t *testing.T) {
	e, db, bus := accounts(t)
	both := []string{"/users/1", "/users/2"}
	expect(t, e, "MISS MISS", both...)
	expect(t, e, "HIT HIT", both...)

	ann := Account{ID: 1}
	require.NoError(t, db.First(&ann).Error)
	ann.Username = "anna"
	require.NoError(t, db.Save(&ann).Error)
	expect(t, e, "MISS HIT", both...)
	require.JSONEq(t, `{"username":"anna","email":""}`, get(e, "/users/1").Body.String())

	require.NoError(t, db.Model(&ann).Update("visits", 5).Error)
	expect(t, e, "HIT HIT", both...)
	require.NoError(t, db.Model(&Account{ID: 2}).Update("email", "bob@example.org").Error)
	expect(t, e, "HIT MISS", both...)
	require.NoError(t, db.Delete(&Account{ID: 2}).Error)
	require.Equal(t, http.StatusNotFound, get(e, "/users/2").Code)
	expect(t, e, "HIT", "/users/1")
	require.Contains(t, bus.Rules().String(), "AccountDetail")
}

// A rule with Soft lets one reader see the row as it was while the page is made anew.
func TestSavedRowsLeaveWhatTheyDropSoftly(t *testing.T) {
	e, db, bus := accounts(t)
	cache := newCache[accountKey](t, echocache.Config{Namespace: "Soft", Bus: bus, InvalidatesOn: []signals.Rule{{
		Model: Account{}, Map: map[string]string{"pk": "ID"}, Soft: time.Hour,
	}}})
	e.GET("/soft/:pk", func(c echo.Context) error {
		var a Account
		err := db.WithContext(c.Request().Context()).First(&a, c.Param("pk")).Error
		return errors.Join(err, c.String(http.StatusOK, a.Username))
	}, cache.Middleware)
	both := []string{"/soft/1", "/soft/2"}
	expect(t, e, "MISS MISS", both...)
	require.NoError(t, db.Model(&Account{ID: 1}).Update("username", "anna").Error)
	w := get(e, "/soft/1")
	require.Equal(t, "STALE ann", status(w)+" "+w.Body.String())
	require.Eventually(t, func() bool {
		w := get(e, "/soft/1")
		return status(w)+" "+w.Body.String() == "HIT anna"
	}, sceneTimeout, time.Millisecond)
	expect(t, e, "HIT", "/soft/2")
}

// Nothing is dropped before the commit, and nothing by a rollback.
func TestOnlyCommitsInvalidate(t *testing.T) {
	e, db, _ := accounts(t)
	expect(t, e, "MISS", "/users/1")
	rollback := errors.New("changed my mind")
	err := db.Transaction(func(tx *gorm.DB) error {
		require.NoError(t, tx.Model(&Account{ID: 1}).Update("username", "x").Error)
		expect(t, e, "HIT", "/users/1")
		return rollback
	})
	require.ErrorIs(t, err, rollback)
	expect(t, e, "HIT", "/users/1")
	require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
		err := tx.Model(&Account{ID: 1}).Update("username", "y").Error
		expect(t, e, "HIT", "/users/1")
		return err
	}))
	expect(t, e, "MISS", "/users/1")
	require.Contains(t, get(e, "/users/1").Body.String(), `"y"`)
}

// T8: a row that moves drops where it was and where it goes.
func TestMovedRowsDropBothGroups(t *testing.T) {
	e, db, _ := accounts(t)
	teams := []string{"/teams/1", "/teams/2", "/teams/3"}
	expect(t, e, "MISS MISS MISS", teams...)
	require.NoError(t, db.Model(&Account{ID: 1}).Update("team_id", 2).Error)
	expect(t, e, "MISS MISS HIT", teams...)
	require.Equal(t, "[\"ann\",\"bob\"]\n", get(e, "/teams/2").Body.String())
	require.Equal(t, "[]\n", get(e, "/teams/1").Body.String())
}

// The handler read the old row, then the row was committed and invalidated, and
// only then is the old body stored: nobody may get it.
func TestLateFillAfterACommitIsNotServed(t *testing.T) {
	e, db, _ := accounts(t)
	var commit func()
	e.GET("/late/:pk", func(c echo.Context) error {
		var a Account
		require.NoError(t, db.First(&a, c.Param("pk")).Error)
		if commit != nil {
			commit()
		}
		return c.String(http.StatusOK, a.Username)
	}, lateCache(t, db).Middleware)
	commit = func() {
		commit = nil
		require.NoError(t, db.Model(&Account{ID: 1}).Update("username", "new").Error)
	}
	require.Equal(t, "ann", get(e, "/late/1").Body.String(), "it began before the commit")
	require.Equal(t, "new", get(e, "/late/1").Body.String())
}

func lateCache(t *testing.T, db *gorm.DB) *echocache.Cache[accountKey] {
	t.Helper()
	bus := signals.NewBus(signals.BusConfig{})
	require.NoError(t, db.Callback().Update().After("gorm:commit_or_rollback_transaction").Register("late", func(tx *gorm.DB) {
		require.NoError(t, bus.Publish(tx.Statement.Context, signals.Change{Model: tx.Statement.Schema.ModelType, Op: signals.Update, Bulk: true}))
	}))
	return newCache[accountKey](t, echocache.Config{Namespace: "Late", Bus: bus, InvalidatesOn: []signals.Rule{{
		Model: Account{}, Map: map[string]string{"pk": "ID"},
	}}})
}

func TestRulesAreCheckedAtConstruction(t *testing.T) {
	_, err := echocache.New[accountKey](echocache.Config{Store: memoryStore(t), InvalidatesOn: []signals.Rule{{}}})
	require.EqualError(t, err, "echocache: Config.InvalidatesOn needs a Bus that carries the changes; set Config.Bus")
	_, err = echocache.New[accountKey](echocache.Config{Store: memoryStore(t), Bus: signals.NewBus(signals.BusConfig{}), InvalidatesOn: []signals.Rule{
		{Model: Account{}, Map: map[string]string{"pk": "Id"}, Rewarm: true},
	}})
	require.EqualError(t, err, `signals: rule Account->AccountDetail: Map["pk"]: Account has no field "Id"; did you mean "ID"?
signals: rule Account->AccountDetail: Rewarm: AccountDetail cannot rewarm: it caches responses, and a rule has no request to answer; remove Rewarm`)
}

// Most handlers take ?category= for no filter, and so do rules.
func TestRulesTakeEmptyFiltersForNone(t *testing.T) {
	type plainKey struct {
		Category string `restflow:"query,category,partition"`
	}
	type optionalKey struct {
		Category string `restflow:"query,category,partition,optional"`
	}
	type item struct{ Category string }
	bus := signals.NewBus(signals.BusConfig{})
	config := echocache.Config{Store: memoryStore(t), Bus: bus, InvalidatesOn: []signals.Rule{
		{Model: item{}, Map: map[string]string{"category": "Category"}},
	}}
	e := newEcho()
	e.GET("/plain", echoing, newCache[plainKey](t, config).Middleware)
	e.GET("/optional", echoing, newCache[optionalKey](t, config).Middleware)
	for target, want := range map[string]string{
		"/plain?category=a": "MISS", "/plain": "MISS", "/plain?category=": "MISS", "/plain?category=b": "HIT",
		"/optional?category=a": "MISS", "/optional": "MISS", "/optional?category=": "MISS", "/optional?category=b": "HIT",
	} {
		get(e, target)
		require.NoError(t, signals.Publish(t.Context(), bus, signals.Change{Op: signals.Create, New: &item{"a"}}))
		require.Equal(t, want, status(get(e, target)), target)
	}
}
