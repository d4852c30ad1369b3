package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"gorm.io/gorm"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
	"github.com/restflow-go/restflow/signals"
)

// UserKey says what the answer to GET /users/:pk depends on. Both partitions can be dropped on
// their own: all that was seen of one user, and all that one viewer has seen.
type UserKey struct {
	_      struct{}   `restflow:"namespace,quickstart.User"`
	_      struct{}   `restflow:"version,1"`
	PK     int64      `restflow:"path,pk,partition"`
	Viewer int64      `restflow:"request,user.id,partition"`
	Query  url.Values `restflow:"query,*,hash"`
}

type api struct {
	db    *gorm.DB
	bus   *signals.Bus
	users *echocache.Cache[UserKey]
}

// newAPI makes the cache before it opens the database: the commit that fills a new database
// then drops what Redis still holds of an earlier one.
func newAPI(store *restflow.Store, dbFile string) (*api, error) {
	bus := signals.NewBus(signals.BusConfig{})
	users, err := echocache.New[UserKey](echocache.Config{
		Store:           store,
		TTL:             5 * time.Minute,
		SetCacheHeaders: true,
		Bus:             bus,
		InvalidatesOn: []signals.Rule{
			{Model: User{}, Map: map[string]string{"pk": "ID"}, Watch: []string{"Name", "Email"}},
			{Model: Order{}, Map: map[string]string{"pk": "UserID"}},
		},
	})
	if err != nil {
		return nil, err
	}
	db, err := openDB(dbFile, bus)
	return &api{db: db, bus: bus, users: users}, err
}

func (a *api) close() error {
	pool, err := a.db.DB()
	if err != nil {
		return err
	}
	return errors.Join(a.bus.Close(context.Background()), pool.Close())
}

// echo routes. Authentication stands before the cache, which needs to know who asks.
func (a *api) echo() *echo.Echo {
	e := echo.New()
	e.HideBanner = true
	users := e.Group("/users", authenticate, a.users.Middleware)
	users.Match([]string{http.MethodGet, http.MethodHead}, "/:pk", a.show)
	users.PATCH("/:pk", a.rename)
	users.POST("/:pk/seen", a.see)
	users.POST("/:pk/orders", a.order)
	return e
}

// authenticate puts the user into the context, where the key's "request,user.id" finds it.
func authenticate(next echo.HandlerFunc) echo.HandlerFunc {
	tokens := map[string]User{"ada": {ID: 1}, "bob": {ID: 2}}
	return func(c echo.Context) error {
		token, _ := strings.CutPrefix(c.Request().Header.Get(echo.HeaderAuthorization), "Bearer ")
		user, known := tokens[token]
		if !known {
			return echo.ErrUnauthorized
		}
		c.Set("user", user)
		return next(c)
	}
}

// page is what a viewer sees of a user. Only the user sees the address.
type page struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	Email  string `json:"email,omitempty"`
	Orders int64  `json:"orders"`
	Cents  int64  `json:"cents"`
}

// show knows nothing of the cache.
func (a *api) show(c echo.Context) error {
	user, err := a.find(c)
	if err != nil {
		return err
	}
	p := page{ID: user.ID, Name: user.Name}
	if c.Get("user").(User).ID == user.ID {
		p.Email = user.Email
	}
	sum := a.db.WithContext(c.Request().Context()).Model(&Order{}).Where("user_id = ?", user.ID)
	if err := sum.Select("count(*), coalesce(sum(cents), 0)").Row().Scan(&p.Orders, &p.Cents); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, p)
}

func (a *api) find(c echo.Context) (*User, error) {
	var pk int64
	if err := echo.PathParamsBinder(c).Int64("pk", &pk).BindError(); err != nil {
		return nil, echo.NewHTTPError(http.StatusBadRequest, "pk is no number")
	}
	var user User
	err := a.db.WithContext(c.Request().Context()).First(&user, pk).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, echo.ErrNotFound
	}
	return &user, err
}
