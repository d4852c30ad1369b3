package echocache_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/echocache"
)

// responding answers with a status and header fields.
func responding(status int, headers ...string) echo.HandlerFunc {
	return func(c echo.Context) error {
		for i := 0; i+1 < len(headers); i += 2 {
			c.Response().Header().Add(headers[i], headers[i+1])
		}
		return c.NoContent(status)
	}
}

var past = time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)

var refusals = []struct {
	name, reason string
	handler      echo.HandlerFunc
}{
	{"set-cookie", "the response sets a cookie", responding(200, "Set-Cookie", "a=1")},
	{"no-store", "Cache-Control: no-store", responding(200, "Cache-Control", "no-store")},
	{"no-store among others", "Cache-Control: no-store", responding(200, "Cache-Control", "public, max-age=60 , NO-STORE")},
	{"no-store on a second line", "Cache-Control: no-store", responding(200, "Cache-Control", "public", "Cache-Control", "no-store")},
	{"no-store with an argument", "Cache-Control: no-store", responding(200, "Cache-Control", "no-store=1")},
	{"no-store in lower case", "Cache-Control: no-store", func(c echo.Context) error {
		c.Response().Header()["cache-control"] = []string{"no-store"}
		return c.NoContent(200)
	}},
	{"no-cache", "Cache-Control: no-cache", responding(200, "Cache-Control", "no-cache")},
	{"no-cache of one field", "Cache-Control: no-cache", responding(200, "Cache-Control", `no-cache="Set-Cookie"`)},
	{"private", "Cache-Control: private, and the key has no identity field", responding(200, "Cache-Control", "private")},
	{"max-age=0", "Cache-Control: max-age=0", responding(200, "Cache-Control", "max-age=0")},
	{"max-age given twice", "Cache-Control: max-age=0", responding(200, "Cache-Control", "max-age=60, max-age=0")},
	{"max-age of nonsense", "Cache-Control: max-age=0", responding(200, "Cache-Control", "max-age=soon")},
	{"negative max-age", "Cache-Control: max-age=0", responding(200, "Cache-Control", "max-age=-1")},
	{"s-maxage=0", "Cache-Control: max-age=0", responding(200, "Cache-Control", "max-age=60, s-maxage=0")},
	{"expired before it was made", "Expires: " + past, responding(200, "Expires", past)},
	{"expires of nonsense", "Expires: 0", responding(200, "Expires", "0")},
	{"vary on everything", "Vary: *, which the key does not hold", responding(200, "Vary", "*")},
	{"vary on an unkeyed header", "Vary: Accept-Language, which the key does not hold", responding(200, "Vary", "accept-language")},
	{"vary on a second line", "Vary: Cookie, which the key does not hold", responding(200, "Vary", "", "Vary", " , cookie")},
	{"content range", "the response is a range", responding(200, "Content-Range", "bytes 0-1/2")},
	{"101", "the status is 101", responding(101)},
	{"401", "the status is 401", responding(401)},
	{"404", "the status is 404", responding(404)},
	{"412", "the status is 412", responding(412)},
	{"416", "the status is 416", responding(416)},
	{"429", "the status is 429", responding(429)},
	{"500", "the status is 500", responding(500)},
	{"503", "the status is 503", responding(503)},
	{"206", "the status is 206", responding(206)},
	{"304", "the status is 304", responding(304)},
	{"error", "the handler returned an error", func(echo.Context) error { return errors.New("oh") }},
	{"error after an answer", "the handler returned an error", func(c echo.Context) error {
		return errors.Join(c.String(200, "ok"), errors.New("oh"))
	}},
	{"nothing written", "the handler wrote no response", func(echo.Context) error { return nil }},
	{"large body", "the body exceeds MaxBodyBytes", func(c echo.Context) error { return c.Blob(200, "a/b", make([]byte, 1<<20+1)) }},
	{"declared length not met", "Content-Length is 3, but the body has 0 bytes", responding(200, "Content-Length", "3")},
	{"length declared twice", "Content-Length is 1, but the body has 0 bytes", responding(200, "Content-Length", "0", "Content-Length", "1")},
	{"trailers declared", "the response has trailers", responding(200, "Trailer", "X-Sum")},
	{"trailers by prefix", "the response has trailers", responding(200, http.TrailerPrefix+"X-Sum", "1")},
	{"flushed", "the response is streamed", func(c echo.Context) error { c.Response().Flush(); return nil }},
	{"NoStore", "the handler asked for it", func(c echo.Context) error {
		echocache.From(c).NoStore("")
		return c.NoContent(200)
	}},
}

func TestWhatIsNeverStored(t *testing.T) {
	for _, r := range refusals {
		t.Run(r.name, func(t *testing.T) {
			cache, log := defaultCache(t, echocache.Config{})
			e := newEcho()
			runs := 0
			e.GET("/", func(c echo.Context) error {
				runs++
				return r.handler(c)
			}, cache.Middleware)
			for i := range 2 {
				require.Equal(t, "MISS", status(get(e, "/")))
				ev := log.one(t)
				require.Equal(t, r.reason, ev.Reason)
				require.False(t, ev.Stored)
				require.Equal(t, i+1, runs)
			}
		})
	}
}

func TestPredicatesDoNotOverrideTheRest(t *testing.T) {
	always := func(context.Context, *echocache.Response) (bool, error) { return true, nil }
	for _, r := range refusals {
		if r.name == "404" {
			continue // the one that CacheIf makes eligible
		}
		cache, log := defaultCache(t, echocache.Config{CacheIf: always})
		e := newEcho()
		e.GET("/", r.handler, cache.Middleware)
		get(e, "/")
		ev := log.one(t)
		require.False(t, ev.Stored, r.name)
		require.Equal(t, r.reason, ev.Reason)
	}
}

func TestCacheStatusesNameWhatIsStored(t *testing.T) {
	cache, log := defaultCache(t, echocache.Config{CacheStatuses: []int{401, 404, 429, 503}})
	e := newEcho()
	for _, code := range []int{401, 404, 429, 503} {
		e.GET("/"+http.StatusText(code), responding(code), cache.Middleware)
		require.Equal(t, "MISS", status(get(e, strings.ReplaceAll("/"+http.StatusText(code), " ", "%20"))))
		w := get(e, strings.ReplaceAll("/"+http.StatusText(code), " ", "%20"))
		require.Equal(t, "HIT", status(w), code)
		require.Equal(t, code, w.Code)
	}
	e.GET("/500", responding(500), cache.Middleware)
	get(e, "/500")
	require.Equal(t, "MISS", status(get(e, "/500")))
	log.take()
}

func TestVaryThatTheKeyCoversIsStored(t *testing.T) {
	type key struct {
		Lang string `restflow:"header,Accept-Language,lower"`
	}
	cache := newCache[key](t, echocache.Config{})
	e := newEcho()
	e.GET("/", func(c echo.Context) error {
		c.Response().Header().Set("Vary", "accept-language")
		return c.String(200, c.Request().Header.Get("Accept-Language"))
	}, cache.Middleware)
	for _, want := range []string{"MISS", "HIT"} {
		for _, lang := range []string{"de", "en"} {
			w := get(e, "/", "Accept-Language", lang)
			require.Equal(t, want, status(w))
			require.Equal(t, lang, w.Body.String())
		}
	}
}

func TestPrivateIsStoredForAUserAlone(t *testing.T) {
	cache := newCache[personKey](t, echocache.Config{})
	e := newEcho()
	asName := func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.Set("name", c.QueryParam("name"))
			return next(c)
		}
	}
	e.GET("/", func(c echo.Context) error {
		c.Response().Header().Set("Cache-Control", "private, max-age=60")
		return c.String(200, c.Get("name").(string))
	}, asName, cache.Middleware)
	for _, want := range []string{"MISS", "HIT"} {
		for _, name := range []string{"a", "b"} {
			w := get(e, "/?name="+name)
			require.Equal(t, want, status(w))
			require.Equal(t, name, w.Body.String())
			require.Equal(t, "private, max-age=60", w.Header().Get("Cache-Control"))
		}
	}
}

func TestRequestsThatAreNoneForACache(t *testing.T) {
	cache, log := defaultCache(t, echocache.Config{})
	e := newEcho()
	e.Match([]string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "REPORT"}, "/", responding(200), cache.Middleware)
	get(e, "/")
	log.take()
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "REPORT"} {
		require.Equal(t, "BYPASS", status(do(e, method, "/")))
		require.Equal(t, "the method is "+method, log.one(t).Reason)
	}
	for reason, header := range map[string]string{
		"the request asks for a range":    "Range",
		"the request asks for an upgrade": "Upgrade",
	} {
		require.Equal(t, "BYPASS", status(get(e, "/", header, "x")))
		require.Equal(t, reason, log.one(t).Reason)
	}
	for _, body := range []*http.Request{
		httptest.NewRequest(http.MethodGet, "/", strings.NewReader("a body")),
		httptest.NewRequest(http.MethodGet, "/", bytesOfUnknownLength{bytes.NewReader(nil)}),
	} {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, body)
		require.Equal(t, "BYPASS", status(w))
		require.Equal(t, "the request has a body", log.one(t).Reason)
	}
	require.Equal(t, "HIT", status(get(e, "/")))
}

type bytesOfUnknownLength struct{ r *bytes.Reader }

func (b bytesOfUnknownLength) Read(p []byte) (int, error) { return b.r.Read(p) }

func TestClientGoneIsNotStored(t *testing.T) {
	cache, log := defaultCache(t, echocache.Config{})
	e := newEcho()
	ctx, cancel := context.WithCancel(t.Context())
	e.GET("/", func(c echo.Context) error {
		cancel() // the client hangs up while the handler runs
		<-c.Request().Context().Done()
		return c.String(200, "half of what it meant to be")
	}, cache.Middleware)
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil).WithContext(ctx))
	ev := log.one(t)
	require.False(t, ev.Stored)
	require.Equal(t, "the request ended first", ev.Reason)
	require.ErrorIs(t, ev.Err, context.Canceled)
}

func TestHugeBodiesPassUnchanged(t *testing.T) {
	cache, log := defaultCache(t, echocache.Config{MaxBodyBytes: 1000})
	e := newEcho()
	data := make([]byte, 3<<20)
	for i := range data {
		data[i] = byte(i * 7 >> 3)
	}
	for path, chunk := range map[string]int{"/whole": len(data), "/by997": 997, "/by1000": 1000, "/by1001": 1001} {
		e.GET(path, func(c echo.Context) error {
			for rest := data; len(rest) > 0; rest = rest[min(chunk, len(rest)):] {
				if _, err := c.Response().Write(rest[:min(chunk, len(rest))]); err != nil {
					return err
				}
			}
			return nil
		}, cache.Middleware)
	}
	s := serve(t, e)
	for _, path := range []string{"/whole", "/by997", "/by1000", "/by1001"} {
		for range 2 {
			r := fetch(t, http.MethodGet, s.URL+path)
			require.True(t, r.Body == string(data), path) //nolint:testifylint // too long to print
			require.Equal(t, "MISS", r.cache())
			require.Equal(t, "the body exceeds MaxBodyBytes", log.one(t).Reason)
		}
	}
}

func TestBodyOfExactlyTheLimitIsStored(t *testing.T) {
	cache, log := defaultCache(t, echocache.Config{MaxBodyBytes: 1000})
	e := newEcho()
	e.GET("/1000", func(c echo.Context) error { return c.Blob(200, "a/b", make([]byte, 1000)) }, cache.Middleware)
	e.GET("/1001", func(c echo.Context) error { return c.Blob(200, "a/b", make([]byte, 1001)) }, cache.Middleware)
	get(e, "/1000")
	require.True(t, log.one(t).Stored)
	get(e, "/1001")
	require.False(t, log.one(t).Stored)
}
