package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"
	"gorm.io/gorm"

	"github.com/restflow-go/restflow"
	"github.com/restflow-go/restflow/echocache"
)

func (s *shop) echo() *echo.Echo {
	e := echo.New()
	e.HideBanner = true
	e.GET("/reports/:shop/:month", s.show)
	e.POST("/sales", s.sell)

	// A real service would ask here who is asking.
	admin := e.Group("/admin/reports/:shop")
	admin.DELETE("", s.invalidate)
	admin.GET("/:month", s.peek)
	admin.PUT("/:month", s.refresh)
	admin.DELETE("/:month", s.remove)
	return e
}

// show answers from the function, and tells how it was answered.
func (s *shop) show(c echo.Context) error {
	return s.answer(c, s.reports.CallWithMetadata)
}

// refresh makes the report again, whatever is cached.
func (s *shop) refresh(c echo.Context) error {
	return s.answer(c, s.reports.Refresh)
}

// peek shows the report if it is cached, and does not make it.
func (s *shop) peek(c echo.Context) error {
	return s.answer(c, s.reports.Peek)
}

// sell saves a sale. What it commits renews the report; it does not know that.
func (s *shop) sell(c echo.Context) error {
	var sale Sale
	err := bad(echo.FormFieldBinder(c).Int64("shop", &sale.ShopID).String("month", &sale.Month).Int64("cents", &sale.Cents).BindError())
	if err != nil {
		return err
	}
	err = s.db.WithContext(c.Request().Context()).Transaction(func(tx *gorm.DB) error {
		if err := tx.Create(&sale).Error; err != nil {
			return err
		}
		if sale.Cents <= 0 {
			return echo.NewHTTPError(http.StatusUnprocessableEntity, "a sale has a price") // rolls back
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, sale)
}

// remove drops one report.
func (s *shop) remove(c echo.Context) error {
	k, err := key(c)
	if err != nil {
		return err
	}
	if err := s.reports.Delete(c.Request().Context(), k); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// invalidate drops the reports of a shop, of all months.
func (s *shop) invalidate(c echo.Context) error {
	k, err := key(c)
	if err != nil {
		return err
	}
	if err := s.reports.Invalidate(c.Request().Context(), k, "shop"); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// getter is one of the function's methods that return a result.
type getter func(ctx context.Context, k ReportKey) (Report, restflow.Metadata, error)

func (s *shop) answer(c echo.Context, get getter) error {
	k, err := key(c)
	if err != nil {
		return err
	}
	report, meta, err := get(c.Request().Context(), k)
	if errors.Is(err, restflow.ErrMiss) {
		return echo.ErrNotFound
	}
	if err != nil {
		return err
	}
	echocache.SetHeaders(c, meta)
	return c.JSON(http.StatusOK, report)
}

// key reads the function's arguments from the path.
func key(c echo.Context) (k ReportKey, err error) {
	err = bad(echo.PathParamsBinder(c).Int64("shop", &k.Shop).String("month", &k.Month).BindError())
	return k, err
}

// bad makes what is wrong with a request the client's fault.
func bad(err error) error {
	if err != nil {
		return echo.NewHTTPError(http.StatusBadRequest, err.Error())
	}
	return nil
}
