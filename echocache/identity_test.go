package echocache_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/gorilla/sessions"
	"github.com/labstack/echo-contrib/session"
	echojwt "github.com/labstack/echo-jwt/v4"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/stretchr/testify/require"

	"github.com/restflow-go/restflow/echocache"
)

// personKey has the user's name, which authentication leaves in the context.
type personKey struct {
	_    struct{} `restflow:"namespace,Person"`
	Name string   `restflow:"request,name,partition"`
}

// whoami answers with the name, and counts.
func whoami(runs *int) echo.HandlerFunc {
	return func(c echo.Context) error {
		*runs++
		return c.String(http.StatusOK, fmt.Sprint("you are ", c.Get("name")))
	}
}

// An auth knows a user by something in the request.
type auth struct {
	name string
	ware echo.MiddlewareFunc
	as   func(name string) []string // the header of a request
}

var signing = []byte("secret")

func auths(t *testing.T) []auth {
	t.Helper()
	store := sessions.NewCookieStore([]byte("0123456789abcdef0123456789abcdef"))
	chain := func(outer, inner echo.MiddlewareFunc) echo.MiddlewareFunc {
		return func(next echo.HandlerFunc) echo.HandlerFunc { return outer(inner(next)) }
	}
	return []auth{
		{
			name: "bearer",
			ware: middleware.KeyAuth(func(token string, c echo.Context) (bool, error) {
				c.Set("name", strings.TrimPrefix(token, "token of "))
				return true, nil
			}),
			as: func(name string) []string { return []string{"Authorization", "Bearer token of " + name} },
		},
		{
			name: "cookie session",
			ware: chain(session.Middleware(store), func(next echo.HandlerFunc) echo.HandlerFunc {
				return func(c echo.Context) error {
					s, err := session.Get("login", c)
					if err != nil || s.Values["name"] == nil {
						return echo.ErrUnauthorized
					}
					c.Set("name", s.Values["name"])
					return next(c)
				}
			}),
			as: func(name string) []string {
				w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
				s, err := store.Get(r, "login")
				require.NoError(t, err)
				s.Values["name"] = name
				require.NoError(t, s.Save(r, w))
				return []string{"Cookie", strings.Split(w.Header().Get("Set-Cookie"), ";")[0]}
			},
		},
		{
			name: "JWT",
			ware: chain(echojwt.WithConfig(echojwt.Config{SigningKey: signing}), func(next echo.HandlerFunc) echo.HandlerFunc {
				return func(c echo.Context) error {
					name, err := c.Get("user").(*jwt.Token).Claims.GetSubject()
					c.Set("name", name)
					return errors.Join(err, next(c))
				}
			}),
			as: func(name string) []string {
				token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"sub": name}).SignedString(signing)
				require.NoError(t, err)
				return []string{"Authorization", "Bearer " + token}
			},
		},
	}
}

func TestUsersGetTheirOwnPages(t *testing.T) {
	for _, a := range auths(t) {
		t.Run(a.name, func(t *testing.T) {
			cache := newCache[personKey](t, echocache.Config{})
			e, runs := newEcho(), 0
			e.GET("/me", whoami(&runs), a.ware, cache.Middleware)
			for _, want := range []string{"MISS", "HIT"} {
				for _, name := range []string{"alice", "bob"} {
					w := get(e, "/me", a.as(name)...)
					require.Equal(t, "you are "+name, w.Body.String())
					require.Equal(t, want, status(w))
					require.Equal(t, "private", w.Header().Get("Cache-Control"))
				}
			}
			require.Equal(t, 2, runs)
			require.GreaterOrEqual(t, get(e, "/me").Code, 400, "nobody gets in by the cache")
		})
	}
}

// The cache stands where it sees no user yet: nothing may be stored, for anybody.
func TestCacheBeforeAuthenticationStoresNothing(t *testing.T) {
	type optionalKey struct {
		Name string `restflow:"request,name,optional,partition"`
	}
	for _, a := range auths(t) {
		for kind, newMiddleware := range map[string]func(*eventLog) echo.MiddlewareFunc{
			"required identity": func(l *eventLog) echo.MiddlewareFunc {
				return newCache[personKey](t, echocache.Config{OnEvent: l.add}).Middleware
			},
			"optional identity": func(l *eventLog) echo.MiddlewareFunc {
				return newCache[optionalKey](t, echocache.Config{OnEvent: l.add}).Middleware
			},
			"no identity": func(l *eventLog) echo.MiddlewareFunc {
				return newCache[echocache.DefaultKey](t, echocache.Config{OnEvent: l.add}).Middleware
			},
		} {
			t.Run(a.name+", "+kind, func(t *testing.T) {
				log, runs := &eventLog{}, 0
				e := newEcho()
				e.GET("/me", whoami(&runs), newMiddleware(log), a.ware)
				for i, name := range []string{"alice", "bob", "alice"} {
					w := get(e, "/me", a.as(name)...)
					require.Equal(t, "you are "+name, w.Body.String())
					require.Equal(t, i+1, runs)
				}
				require.GreaterOrEqual(t, get(e, "/me").Code, 400)
				for _, ev := range log.take() {
					require.False(t, ev.Stored, ev.Reason)
				}
			})
		}
	}
}

// Authentication inside the cache that finds its credentials where the gate does
// not look: the key comes out another after the handler.
func TestIdentityThatAppearsInsideIsNotStored(t *testing.T) {
	type key struct {
		Name string `restflow:"request,name,optional,partition"`
	}
	log, runs := &eventLog{}, 0
	cache := newCache[key](t, echocache.Config{OnEvent: log.add})
	e := newEcho()
	byHeader := func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if name := c.Request().Header.Get("X-Api-Key"); name != "" {
				c.Set("name", name)
			}
			return next(c)
		}
	}
	e.GET("/me", whoami(&runs), cache.Middleware, byHeader)
	for _, name := range []string{"alice", "bob"} {
		w := get(e, "/me", "X-Api-Key", name)
		require.Equal(t, "you are "+name, w.Body.String())
		ev := log.one(t)
		require.False(t, ev.Stored)
		require.Equal(t, "the key changed while the handler ran", ev.Reason)
		require.EqualError(t, ev.Err, "a request value changed while the handler ran; put the cache behind the authentication middleware")
	}
	require.Equal(t, "you are <nil>", get(e, "/me").Body.String())
	require.Equal(t, "HIT", status(get(e, "/me")), "strangers share")

	// The same when the key of strangers is remembered, and need not be built.
	require.NoError(t, cache.InvalidateAll(t.Context()))
	log.take()
	require.Equal(t, "you are alice", get(e, "/me", "X-Api-Key", "alice").Body.String())
	require.Equal(t, "the key changed while the handler ran", log.one(t).Reason)
	require.Equal(t, "you are <nil>", get(e, "/me").Body.String())
}

func TestOptionalIdentityKeepsStrangersApart(t *testing.T) {
	type key struct {
		Name string `restflow:"request,name,optional,partition"`
	}
	cache := newCache[key](t, echocache.Config{})
	e, runs := newEcho(), 0
	a := auths(t)[0]
	maybe := middleware.KeyAuthWithConfig(middleware.KeyAuthConfig{
		Validator: func(token string, c echo.Context) (bool, error) {
			c.Set("name", token)
			return token != "wrong", nil
		},
		ContinueOnIgnoredError: true,
		ErrorHandler:           func(error, echo.Context) error { return nil },
	})
	e.GET("/me", func(c echo.Context) error {
		if c.Request().Header.Get("Authorization") == "" {
			c.Set("seen", nil)
		}
		return whoami(&runs)(c)
	}, maybe, cache.Middleware)
	require.Equal(t, "MISS", status(get(e, "/me")))
	w := get(e, "/me", a.as("alice")...)
	require.Equal(t, "MISS", status(w))
	require.Equal(t, "you are token of alice", w.Body.String())
	w = get(e, "/me")
	require.Equal(t, "HIT", status(w))
	require.Equal(t, "you are <nil>", w.Body.String())
}

// credentials are requests that may be somebody's own, and what the cache says.
var credentials = []struct {
	name, reason string
	headers      []string
}{
	{"bearer", "the request has an Authorization header, and the key has no identity field", []string{"Authorization", "Bearer x"}},
	{"basic", "the request has an Authorization header, and the key has no identity field", []string{"Authorization", ""}},
	{"cookie", "the request has the cookie sid, and the key has no identity field", []string{"Cookie", "sid=1"}},
	{"second cookie", "the request has the cookie sid, and the key has no identity field", []string{"Cookie", "consent=1; sid=1"}},
	{"cookie on a second line", "the request has the cookie sid, and the key has no identity field", []string{"Cookie", "consent=1", "Cookie", "sid=1"}},
	{"cookie without a value", "the request has the cookie sid, and the key has no identity field", []string{"Cookie", "sid"}},
	{"cookie in odd spaces", "the request has the cookie sid, and the key has no identity field", []string{"Cookie", ";; \t sid =1"}},
	{"cookie with an ignored prefix elsewhere", "the request has the cookie x_ga, and the key has no identity field", []string{"Cookie", "x_ga=1"}},
	{"cookie in other case", "the request has the cookie Consent, and the key has no identity field", []string{"Cookie", "Consent=1"}},
	{"extractor", "the request is a known user's, and the key has no identity field", []string{"X-Api-Key", "k"}},
}

func TestCredentialsWithoutAnIdentityFieldAreNotCached(t *testing.T) {
	cfg := echocache.Config{
		IgnoreCookies: []string{"consent", "_ga*"},
		Identity:      func(c echo.Context) bool { return c.Request().Header.Get("X-Api-Key") != "" },
	}
	cache, log := defaultCache(t, cfg)
	e, runs := newEcho(), 0
	e.GET("/", counter(&runs), cache.Middleware)
	require.Equal(t, "x", get(e, "/").Body.String())
	log.take()
	for _, c := range credentials {
		t.Run(c.name, func(t *testing.T) {
			before := runs
			w := get(e, "/", c.headers...)
			require.Equal(t, "BYPASS", status(w))
			require.Equal(t, c.reason, log.one(t).Reason)
			require.Equal(t, before+1, runs)
		})
	}
	for _, headers := range [][]string{
		{"Cookie", "consent=yes"}, {"Cookie", "_ga=1; consent=1; _gat_x=3"}, {"Cookie", ""}, {"Cookie", "; ;"},
	} {
		w := get(e, "/", headers...)
		require.Equal(t, "HIT", status(w), headers)
		require.Equal(t, "x", w.Body.String())
	}
}

func TestSharedAnswersAreForEverybody(t *testing.T) {
	cache, log := defaultCache(t, echocache.Config{Shared: true, Identity: func(echo.Context) bool { return true }})
	e, runs := newEcho(), 0
	e.GET("/", counter(&runs), cache.Middleware)
	get(e, "/")
	for _, c := range credentials {
		require.Equal(t, "HIT", status(get(e, "/", c.headers...)), c.name)
	}
	require.Equal(t, 1, runs)
	log.take()
}

func TestCredentialInTheKeyCoversOnlyItself(t *testing.T) {
	type byHeader struct {
		Token string `restflow:"header,Authorization,hash"`
	}
	type byCookie struct {
		Session string `restflow:"cookie,sid,hash"`
	}
	t.Run("Authorization", func(t *testing.T) {
		log, runs := &eventLog{}, 0
		cache := newCache[byHeader](t, echocache.Config{OnEvent: log.add})
		e := newEcho()
		e.GET("/", counter(&runs), cache.Middleware)
		require.Equal(t, "x", get(e, "/", "Authorization", "a").Body.String())
		require.Equal(t, "xx", get(e, "/", "Authorization", "b").Body.String())
		require.Equal(t, "x", get(e, "/", "Authorization", "a").Body.String())
		require.Equal(t, "xxx", get(e, "/").Body.String())
		require.Equal(t, "xxx", get(e, "/").Body.String(), "strangers share")
		log.take()
		require.Equal(t, "BYPASS", status(get(e, "/", "Authorization", "a", "Cookie", "sid=1")))
		require.Equal(t, "the request has the cookie sid, and the key has no identity field", log.one(t).Reason)
		require.Equal(t, "BYPASS", status(get(e, "/", "Authorization", "a", "Authorization", "b")))
		require.Equal(t, "the key cannot be built", log.one(t).Reason)
	})
	t.Run("cookie", func(t *testing.T) {
		log, runs := &eventLog{}, 0
		cache := newCache[byCookie](t, echocache.Config{OnEvent: log.add})
		e := newEcho()
		e.GET("/", counter(&runs), cache.Middleware)
		require.Equal(t, "x", get(e, "/", "Cookie", "sid=a").Body.String())
		require.Equal(t, "xx", get(e, "/", "Cookie", "sid=b").Body.String())
		require.Equal(t, "x", get(e, "/", "Cookie", "sid=a").Body.String())
		require.Equal(t, "xxx", get(e, "/").Body.String())
		log.take()
		require.Equal(t, "BYPASS", status(get(e, "/", "Cookie", "sid=a", "Authorization", "b")))
		require.Equal(t, "the request has an Authorization header, and the key has no identity field", log.one(t).Reason)
		require.Equal(t, "BYPASS", status(get(e, "/", "Cookie", "sid=a; other=b")))
		require.Equal(t, "the request has the cookie other, and the key has no identity field", log.one(t).Reason)
		require.Equal(t, "BYPASS", status(get(e, "/", "Cookie", "sid=a; sid=b")))
		require.Equal(t, "the key cannot be built", log.one(t).Reason)
		// net/http drops what it takes for malformed, and the key with it; whoever
		// reads the raw header may not.
		for _, cookie := range []string{`sid=a"b`, "sid=\x7f", `sid=a"b; sid=c`} {
			require.Equal(t, "BYPASS", status(get(e, "/", "Cookie", cookie)), cookie)
			require.Equal(t, "the request has the cookie sid, which the key does not hold", log.one(t).Reason)
		}
	})
}

func TestClientCertificatesAreCredentials(t *testing.T) {
	type byName struct {
		Name string `restflow:"request,name,optional"`
	}
	cache, log := defaultCache(t, echocache.Config{})
	named := newCache[byName](t, echocache.Config{})
	e := newEcho()
	subject := func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if certs := c.Request().TLS.PeerCertificates; len(certs) > 0 {
				c.Set("name", certs[0].SerialNumber.String())
			}
			return next(c)
		}
	}
	runs := 0
	e.GET("/", whoami(&runs), subject, cache.Middleware)
	e.GET("/named", whoami(&runs), subject, named.Middleware)

	s := httptest.NewUnstartedServer(e)
	s.TLS = &tls.Config{ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12}
	s.StartTLS()
	defer s.Close()
	stranger := s.Client()
	holder := s.Client().Transport.(*http.Transport).Clone()
	holder.TLSClientConfig.Certificates = s.TLS.Certificates

	ask := func(rt http.RoundTripper, path string) string {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+path, nil)
		require.NoError(t, err)
		res, err := rt.RoundTrip(r)
		require.NoError(t, err)
		defer res.Body.Close()
		return res.Header.Get("X-Cache-Status")
	}
	require.Equal(t, "MISS", ask(stranger.Transport, "/"))
	log.one(t)
	require.Equal(t, "BYPASS", ask(holder, "/"))
	require.Equal(t, "the request has a client certificate, and the key has no identity field", log.one(t).Reason)
	require.Equal(t, "HIT", ask(stranger.Transport, "/"))
	require.Equal(t, "MISS", ask(holder, "/named"))
	require.Equal(t, "HIT", ask(holder, "/named"))
	require.Equal(t, "MISS", ask(stranger.Transport, "/named"))
}

func TestOneWarningARouteNamesTheFix(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
	cache := newCache[echocache.DefaultKey](t, echocache.Config{Namespace: "shop", Logger: logger})
	e, runs := newEcho(), 0
	e.GET("/a/:id", counter(&runs), cache.Middleware)
	e.GET("/b", counter(&runs), cache.Middleware)
	for i := range 3 {
		get(e, fmt.Sprint("/a/", i), "Authorization", "x")
		get(e, "/b", "Cookie", "sid=1")
		get(e, "/b")
	}
	const fix = `fix="add an identity field such as restflow:\"request,user.id,partition\" and put the cache behind the authentication middleware, or set Shared if every user gets the same answer"`
	require.Equal(t, `level=WARN msg="restflow: not cached" cache=shop route=/a/:id reason="the request has an Authorization header, and the key has no identity field" `+fix+`
level=WARN msg="restflow: not cached" cache=shop route=/b reason="the request has the cookie sid, and the key has no identity field" `+fix+"\n", out.String())
}
