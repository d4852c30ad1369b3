package echocache

import (
	"github.com/labstack/echo/v4"

	"github.com/restflow-go/restflow/internal/httpcache"
)

// Control lets a handler decide about the response that it is making: its TTL, its
// tags, or that it is not to be stored.
type Control = httpcache.Control

// From returns the control of the response that is being made for c. Where no
// cache records it, the control does nothing, so that handlers need not ask.
//
//	func getOrder(c echo.Context) error {
//		if err := echocache.From(c).Tag(c.Request().Context(), "order:"+c.Param("id")); err != nil { … }
//		order, err := load(…) // after the tag
func From(c echo.Context) *Control { return httpcache.ControlOf(c.Response()) }
