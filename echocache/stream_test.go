package echocache_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/websocket"

	"github.com/restflow-go/restflow/echocache"
)

func TestStreamsReachTheClientAsTheyAreWritten(t *testing.T) {
	cache, log := defaultCache(t, echocache.Config{})
	e := newEcho()
	next := make(chan struct{})
	e.GET("/events", func(c echo.Context) error {
		c.Response().Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			fmt.Fprintf(c.Response(), "data: %d\n\n", i)
			c.Response().Flush()
			<-next
		}
		return nil
	}, cache.Middleware)
	s := serve(t, e)
	for range 2 {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/events", nil)
		require.NoError(t, err)
		res, err := client.Do(r)
		require.NoError(t, err)
		lines := bufio.NewReader(res.Body)
		for i := range 3 { // each is here before the handler goes on
			line, err := lines.ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf("data: %d\n", i), line)
			_, _ = lines.ReadString('\n')
			next <- struct{}{}
		}
		_, err = lines.ReadByte()
		require.Equal(t, io.EOF, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, "MISS", res.Header.Get("X-Cache-Status"))
		require.Equal(t, "the response is streamed", log.one(t).Reason)
	}
}

// A stream does not make those wait who ask for the same.
func TestStreamsRunSideBySide(t *testing.T) {
	cache, _ := defaultCache(t, echocache.Config{})
	e := newEcho()
	both := make(chan struct{})
	e.GET("/", func(c echo.Context) error {
		c.Response().Flush()
		select {
		case both <- struct{}{}:
		case <-both:
		case <-c.Request().Context().Done():
			return c.Request().Context().Err()
		}
		_, err := io.WriteString(c.Response(), "met")
		return err
	}, cache.Middleware)
	s := serve(t, e)
	other := make(chan reply)
	go func() { other <- fetch(t, http.MethodGet, s.URL) }() //nolint:testifylint // fails only if the URL is none
	require.Equal(t, "met", fetch(t, http.MethodGet, s.URL).Body)
	require.Equal(t, "met", (<-other).Body)
}

func TestWebSocketsWork(t *testing.T) {
	cache, log := defaultCache(t, echocache.Config{})
	e := newEcho()
	e.GET("/ws", func(c echo.Context) error {
		websocket.Handler(func(ws *websocket.Conn) {
			defer ws.Close()
			_, _ = io.Copy(ws, ws)
		}).ServeHTTP(c.Response(), c.Request())
		return nil
	}, cache.Middleware)
	s := serve(t, e)
	for range 2 {
		ws, err := websocket.Dial(strings.Replace(s.URL, "http", "ws", 1)+"/ws", "", s.URL)
		require.NoError(t, err)
		_, err = ws.Write([]byte("hello"))
		require.NoError(t, err)
		back := make([]byte, 5)
		_, err = io.ReadFull(ws, back)
		require.NoError(t, err)
		require.Equal(t, "hello", string(back))
		require.NoError(t, ws.Close())
		require.Equal(t, "the request asks for an upgrade", log.one(t).Reason)
	}
}

func TestEarlyHintsReachTheClientOnce(t *testing.T) {
	for name, wares := range map[string][]echo.MiddlewareFunc{
		"alone":      nil,
		"below Gzip": {middleware.Gzip()},
		"below another cache": {newCache[struct {
			_ struct{} `restflow:"namespace,Outer"`
			A string   `restflow:"query,a"`
		}](t, echocache.Config{}).Middleware},
	} {
		t.Run(name, func(t *testing.T) {
			cache := newCache[echocache.DefaultKey](t, echocache.Config{})
			e := newEcho()
			e.Use(wares...)
			e.GET("/", func(c echo.Context) error {
				c.Response().Header().Set("Link", "</style.css>; rel=preload")
				c.Response().Writer.WriteHeader(http.StatusEarlyHints)
				c.Response().Header().Set("Link", "</other.css>; rel=preload")
				return c.String(200, "final")
			}, cache.Middleware)
			s := serve(t, e)
			for _, want := range []string{"MISS", "HIT"} {
				var hints []string
				ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
					Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
						hints = append(hints, fmt.Sprint(code, h.Get("Link")))
						return nil
					},
				})
				r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
				require.NoError(t, err)
				res, err := client.Do(r)
				require.NoError(t, err)
				require.NoError(t, res.Body.Close())
				require.Equal(t, want, res.Header.Get("X-Cache-Status"))
				require.Equal(t, []string{"</other.css>; rel=preload"}, res.Header["Link"])
				if want == "MISS" {
					require.Equal(t, []string{"103</style.css>; rel=preload"}, hints)
				} else {
					require.Empty(t, hints, "an entry is the final response")
				}
			}
		})
	}
}

func TestDeadlinesReachTheConnection(t *testing.T) {
	cache, log := defaultCache(t, echocache.Config{})
	e := newEcho()
	e.GET("/", func(c echo.Context) error {
		err := http.NewResponseController(c.Response()).SetWriteDeadline(time.Now().Add(-time.Second))
		return errors.Join(err, c.String(200, "too late"))
	}, cache.Middleware)
	s := serve(t, e)
	require.True(t, fetch(t, http.MethodGet, s.URL).Broken)
	require.Equal(t, "the handler reached for the writer below", log.one(t).Reason)
}

// The client goes away in the middle of a large body; neither the stream nor a
// half of it is kept for the next.
func TestClientGoneInMidBodyLeavesNothing(t *testing.T) {
	cache, log := defaultCache(t, echocache.Config{})
	e := newEcho()
	e.GET("/", func(c echo.Context) error {
		piece := []byte(strings.Repeat("x", 64<<10))
		for range 1 << 10 {
			if _, err := c.Response().Write(piece); err != nil {
				return err
			}
		}
		return nil
	}, cache.Middleware)
	s := serve(t, e)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.Listener.Addr().String())
	require.NoError(t, err)
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	_, err = io.ReadFull(conn, make([]byte, 100))
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	ev := log.one(t)
	require.False(t, ev.Stored)
	require.Equal(t, "the handler returned an error", ev.Reason)
}

// A small answer is complete before the client hangs up: what the handler made
// is kept whole, and whoever asks next gets all of it.
func TestClientGoneBeforeTheAnswerLeavesNoHalf(t *testing.T) {
	cache, log := defaultCache(t, echocache.Config{})
	e := newEcho()
	begun, runs := make(chan context.Context, 1), 0
	e.GET("/", func(c echo.Context) error {
		runs++
		if runs == 1 {
			begun <- c.Request().Context()
			<-c.Request().Context().Done()
		}
		return c.String(200, "whole")
	}, cache.Middleware)
	s := serve(t, e)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.Listener.Addr().String())
	require.NoError(t, err)
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	<-begun
	require.NoError(t, conn.Close())
	ev := log.one(t)
	require.False(t, ev.Stored)
	require.Equal(t, "the request ended first", ev.Reason)
	require.Equal(t, "whole", fetch(t, http.MethodGet, s.URL).Body)
}

func TestHijackThatFailsCanBeAnsweredOtherwise(t *testing.T) {
	cache, log := defaultCache(t, echocache.Config{})
	e := newEcho()
	e.GET("/", func(c echo.Context) error {
		if _, _, err := c.Response().Hijack(); !errors.Is(err, http.ErrNotSupported) {
			return c.String(500, fmt.Sprint(err))
		}
		c.Response().Header().Set("X-A", "1")
		return c.String(200, "over HTTP then")
	}, cache.Middleware)
	w := get(e, "/") // a recorder of httptest cannot be hijacked
	require.Equal(t, "over HTTP then", w.Body.String())
	require.Equal(t, "1", w.Header().Get("X-A"))
	log.one(t)
	w = get(e, "/")
	require.Equal(t, "over HTTP then", w.Body.String())
	require.Equal(t, "1", w.Header().Get("X-A"))
}
