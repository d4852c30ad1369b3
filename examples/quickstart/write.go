package main

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"gorm.io/gorm"
)

// None of the handlers here knows of the cache: what they commit invalidates.

// rename saves a new name, and rolls back if somebody else has it.
func (a *api) rename(c echo.Context) error {
	user, err := a.find(c)
	if err != nil {
		return err
	}
	user.Name = c.FormValue("name")
	err = a.db.WithContext(c.Request().Context()).Transaction(func(tx *gorm.DB) error {
		if err := tx.Save(user).Error; err != nil {
			return err
		}
		var namesakes int64
		if err := tx.Model(&User{}).Where("name = ?", user.Name).Count(&namesakes).Error; err != nil {
			return err
		}
		if namesakes > 1 {
			return echo.NewHTTPError(http.StatusConflict, "somebody has that name")
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, user)
}

// order saves an order of the user.
func (a *api) order(c echo.Context) error {
	user, err := a.find(c)
	if err != nil {
		return err
	}
	order := Order{UserID: user.ID}
	if err := echo.FormFieldBinder(c).Int64("cents", &order.Cents).BindError(); err != nil {
		return err
	}
	if err := a.db.WithContext(c.Request().Context()).Create(&order).Error; err != nil {
		return err
	}
	return c.JSON(http.StatusCreated, order)
}

// see notes that the user was here, which no page shows.
func (a *api) see(c echo.Context) error {
	user, err := a.find(c)
	if err != nil {
		return err
	}
	if err := a.db.WithContext(c.Request().Context()).Model(user).Update("Seen", time.Now()).Error; err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}
