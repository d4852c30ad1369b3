package echocache

import (
	"context"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/restflow-go/restflow/internal/httpcache"
)

// Control lets a handler decide about the response that it is making: its TTL, its
// tags, or that it is not to be stored. A nil Control does nothing. It is safe for
// concurrent use.
type Control struct{ response *httpcache.Control }

// From returns the control of the response that is being made for c. Where no
// cache records it, the control does nothing, so that handlers need not ask.
//
//	func getOrder(c echo.Context) error {
//		if err := echocache.From(c).Tag(c.Request().Context(), "order:"+c.Param("id")); err != nil { … }
//		order, err := load(…) // after the tag
func From(c echo.Context) *Control {
	if response := httpcache.ControlOf(c.Request().Context(), c.Response()); response != nil {
		return &Control{response}
	}
	return nil
}

// SetTTL sets how long the response stays fresh, instead of the cache's TTL and of the
// time that its Cache-Control allows. Zero or less means that it is not stored. The
// last call counts.
func (c *Control) SetTTL(d time.Duration) { c.of().SetTTL(d) }

// NoStore keeps the response from being stored. The event carries the reason.
func (c *Control) NoStore(reason string) { c.of().NoStore(reason) }

// Tag puts the response into the groups of tags, which InvalidateTags drops. Call
// it before the data that the tags stand for is read: a change after the call
// finds the response, a change before it does not matter. On an error the
// response is not stored. Entries with tags cost one more round trip on a hit in
// a shared store; more than restflow.MaxTags of them share coarse groups.
func (c *Control) Tag(ctx context.Context, tags ...string) error { return c.of().Tag(ctx, tags...) }

func (c *Control) of() *httpcache.Control {
	if c == nil {
		return nil
	}
	return c.response
}
