package echocache_test

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

var streamKinds = []kind{
	miss("flush", "the response is streamed", func(c echo.Context) error {
		c.Response().Header().Set("X-A", "1")
		fmt.Fprint(c.Response(), "a")
		c.Response().Flush()
		fmt.Fprint(c.Response(), "b")
		return nil
	}),
	miss("flush before anything is written", "the response is streamed", func(c echo.Context) error {
		c.Response().Header().Set("X-A", "1")
		c.Response().Flush()
		c.Response().Header().Set("X-B", "too late")
		fmt.Fprint(c.Response(), "b")
		return nil
	}),
	miss("flush by http.Flusher", "the response is streamed", func(c echo.Context) error {
		fmt.Fprint(c.Response(), "a")
		c.Response().Writer.(http.Flusher).Flush()
		fmt.Fprint(c.Response(), "b")
		return nil
	}),
	miss("flush by http.ResponseController", "the response is streamed", func(c echo.Context) error {
		fmt.Fprint(c.Response(), "a")
		return http.NewResponseController(c.Response()).Flush()
	}),
	miss("server-sent events", "the response is streamed", func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("Connection", "keep-alive")
		for i := range 3 {
			fmt.Fprintf(c.Response(), "id: %d\ndata: hello\n\n", i)
			c.Response().Flush()
		}
		return nil
	}),
	miss("error while streaming", "the handler returned an error", func(c echo.Context) error {
		fmt.Fprint(c.Response(), "a")
		c.Response().Flush()
		return echo.NewHTTPError(500, "too late")
	}),
	miss("panic while streaming", "the handler panicked", func(c echo.Context) error {
		fmt.Fprint(c.Response(), "a")
		c.Response().Flush()
		panic("too late")
	}),
	miss("declared trailers", "the response has trailers", func(c echo.Context) error {
		h := c.Response().Header() // kept, as the documentation of net/http does it
		h.Set("Trailer", "X-Sum, X-Size")
		h.Add("Trailer", "X-Other")
		c.Response().WriteHeader(200)
		fmt.Fprint(c.Response(), "body")
		h.Set("X-Sum", "abc")
		h.Set("X-Size", "4")
		h.Set("X-Undeclared", "1")
		c.Response().Header().Set("X-Other", "o")
		return nil
	}),
	miss("trailers that were not declared", "the response has trailers", func(c echo.Context) error {
		h := c.Response().Header()
		fmt.Fprint(c.Response(), "body")
		h.Set(http.TrailerPrefix+"X-Sum", "abc")
		return nil
	}),
	miss("trailers that were not declared, of a stream", "the response is streamed", func(c echo.Context) error {
		h := c.Response().Header()
		fmt.Fprint(c.Response(), "body")
		c.Response().Flush()
		h.Set(http.TrailerPrefix+"X-Sum", "abc")
		return nil
	}),
	miss("trailers of a body over the limit", "the body exceeds MaxBodyBytes", func(c echo.Context) error {
		h := c.Response().Header()
		fmt.Fprint(c.Response(), strings.Repeat("x", 70<<10))
		h.Set(http.TrailerPrefix+"X-Sum", "abc")
		return nil
	}),
	hit("early hints whose header is taken back", func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Link", "</a.css>; rel=preload")
		c.Response().Writer.WriteHeader(103)
		h.Del("Link")
		return c.String(200, "final")
	}),
	hit("early hints", func(c echo.Context) error {
		c.Response().Header().Set("Link", "</a.css>; rel=preload")
		c.Response().Writer.WriteHeader(http.StatusEarlyHints)
		return c.String(200, "final")
	}),
	miss("write deadline", "the handler reached for the writer below", func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("X-A", "before")
		h.Add("Vary", "Origin")
		if err := http.NewResponseController(c.Response()).SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			return err
		}
		h.Set("X-B", "after")
		h.Add("Vary", "Accept")
		return c.String(200, "in time")
	}),
	miss("write deadline in the middle", "the handler reached for the writer below", func(c echo.Context) error {
		fmt.Fprint(c.Response(), "a")
		if err := http.NewResponseController(c.Response()).SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			return err
		}
		fmt.Fprint(c.Response(), "b")
		return nil
	}),
	miss("full duplex", "the handler reached for the writer below", func(c echo.Context) error {
		if err := http.NewResponseController(c.Response()).EnableFullDuplex(); err != nil {
			return err
		}
		return c.String(200, "both ways")
	}),
	miss("writes past every writer", "the handler reached for the writer below", func(c echo.Context) error {
		c.Response().Header().Set("X-A", "1")
		var w http.ResponseWriter = c.Response()
		for {
			u, ok := w.(interface{ Unwrap() http.ResponseWriter })
			if !ok {
				break
			}
			w = u.Unwrap()
		}
		fmt.Fprint(w, "from below")
		return nil
	}),
	miss("writes past every writer in turn", "the handler reached for the writer below", func(c echo.Context) error {
		fmt.Fprint(c.Response(), "one ")
		below := c.Response().Unwrap()
		for {
			u, ok := below.(interface{ Unwrap() http.ResponseWriter })
			if !ok {
				break
			}
			below = u.Unwrap()
		}
		fmt.Fprint(below, "two ")
		fmt.Fprint(c.Response(), "three")
		return nil
	}),
	miss("hijack", "the connection was hijacked", func(c echo.Context) error {
		conn, rw, err := c.Response().Hijack()
		if err != nil {
			return err
		}
		defer conn.Close()
		fmt.Fprint(rw, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
		return rw.Flush()
	}),
	miss("hijack after a response was begun", "the connection was hijacked", func(c echo.Context) error {
		c.Response().Header().Set("Content-Length", "7")
		fmt.Fprint(c.Response(), "one ")
		conn, rw, err := c.Response().Hijack()
		if err != nil {
			return err
		}
		defer conn.Close()
		fmt.Fprint(rw, "two")
		return rw.Flush()
	}),
}
