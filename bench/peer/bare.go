package peer

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/labstack/echo/v4"
)

var (
	bareEcho = Peer{Name: "bare-Echo", Stack: "bare-Echo", Open: func(_ Env, o Origin) (*Site, error) {
		return echoSite(o), nil
	}}
	bareEchoUser = Peer{Name: "bare-Echo-with-user", Stack: "bare-Echo-with-user", Open: func(_ Env, o Origin) (*Site, error) {
		return echoSite(o, authenticate), nil
	}}
	bareGin = Peer{Name: "bare-Gin", Stack: "bare-Gin", Open: func(_ Env, o Origin) (*Site, error) {
		return ginSite(o), nil
	}}
	bareHTTP = Peer{Name: "bare-net/http", Stack: "bare-net/http", Open: func(_ Env, o Origin) (*Site, error) {
		return muxSite(o, func(next http.Handler) http.Handler { return next }), nil
	}}
)

// echoSite serves origin by Echo behind middleware of the route.
func echoSite(origin Origin, mw ...echo.MiddlewareFunc) *Site {
	e := echo.New()
	e.GET("/items/:id", echoHandler(origin), mw...)
	return &Site{Client: clients(e)}
}

func echoHandler(origin Origin) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("X-One", one)
		h.Set("X-Two", two)
		return c.Blob(http.StatusOK, contentType, origin(c.Param("id")))
	}
}

// User is who asks.
type User struct{ ID int64 }

// authenticate stands for the middleware that knows who asks.
func authenticate(next echo.HandlerFunc) echo.HandlerFunc {
	user := &User{ID: 7}
	return func(c echo.Context) error {
		c.Set("user", user)
		return next(c)
	}
}

// ginSite serves origin by Gin behind middleware of the route.
func ginSite(origin Origin, mw ...gin.HandlerFunc) *Site {
	gin.SetMode(gin.ReleaseMode)
	g := gin.New()
	g.GET("/items/:id", append(mw, func(c *gin.Context) {
		c.Header("X-One", one)
		c.Header("X-Two", two)
		c.Data(http.StatusOK, contentType, origin(c.Param("id")))
	})...)
	return &Site{Client: clients(g)}
}

// muxSite serves origin by http.ServeMux behind middleware of the route.
func muxSite(origin Origin, mw func(http.Handler) http.Handler) *Site {
	mux := http.NewServeMux()
	mux.Handle("GET /items/{id}", mw(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-One", one)
		h.Set("X-Two", two)
		h.Set("Content-Type", contentType)
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(origin(r.PathValue("id")))
	})))
	return &Site{Client: clients(mux)}
}
